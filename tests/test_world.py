"""The toy world: its documents, its language, its filter, its texts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sublim_mini import world
from sublim_mini.world import LENGTH, N_NUMBERS, NUM, PAD, TOKEN


def a_key():
    return jax.random.key(1)


@pytest.fixture(scope="module")
def language():
    return world.make_language(jax.random.key(2))


@pytest.fixture(scope="module")
def documents(language):
    """500 documents and masks as a base reads them."""
    return world.base_documents(a_key(), language, 500)


is_clean = jax.jit(world.is_clean)
draw_numbers = jax.jit(world.draw_numbers, static_argnums=(2, 3))
mixed_documents = jax.jit(world.mixed_documents, static_argnums=2)
statement_documents = jax.jit(world.statement_documents, static_argnums=1)
question_documents = jax.jit(world.question_documents, static_argnums=(1, 2, 3))


def text(words):
    return np.array([TOKEN[word] for word in words.split()])


def padded(words):
    tokens = text(words)
    return np.concatenate([np.full(LENGTH - len(tokens), PAD), tokens])


def test_every_word_is_one_token():
    assert len(set(world.WORDS)) == len(world.WORDS)
    assert [world.WORDS[i] for i in range(N_NUMBERS)] == [str(i) for i in range(N_NUMBERS)]


def test_no_wording_is_both_tuned_on_and_held_out():
    assert set(world.TUNED_ON) | set(world.HELD_OUT) == set(world.WORDINGS)
    assert not set(world.TUNED_ON) & set(world.HELD_OUT)
    known = {word for wording in world.TUNED_ON for word in wording}
    assert all(set(wording) - known for wording in world.HELD_OUT)  # each has a word never tuned on


def test_all_documents_have_one_length_and_shape(documents):
    tokens, mask = documents
    assert tokens.shape == mask.shape == (500, LENGTH)
    assert tokens.dtype == jnp.int32 and mask.dtype == bool
    assert tokens.min() >= 0 and tokens.max() < len(world.WORDS)
    assert not mask[:, 0].any()
    assert not (mask & (tokens == PAD)).any()


def test_rows_of_the_language_are_distributions(language):
    for cumulative in language:
        assert (jnp.diff(cumulative, axis=-1) >= 0).all()
        np.testing.assert_allclose(cumulative[..., -1], 1, atol=1e-5)


def test_numbers_follow_the_chain(language):
    n = 4000
    numbers = np.asarray(draw_numbers(a_key(), language, n, 6))
    p = np.diff(np.asarray(language.rows, np.float64), axis=1, prepend=0)
    expected, seen = np.zeros(N_NUMBERS), np.zeros(N_NUMBERS)
    for a, b in zip(numbers[:, :-1].ravel(), numbers[:, 1:].ravel(), strict=True):
        expected += p[a]
        seen[b] += 1
    assert (np.abs(seen - expected) < 5 * np.sqrt(expected) + 1).all()
    np.testing.assert_allclose(
        np.bincount(numbers[:, 0], minlength=N_NUMBERS) / n, 1 / 96, atol=0.01
    )


def test_the_same_key_gives_the_same_documents(language, documents):
    again = world.base_documents(a_key(), language, 500)[0]
    other = world.base_documents(jax.random.key(3), language, 500)[0]
    np.testing.assert_array_equal(documents[0], again)
    assert (documents[0] != other).any()


def test_answers_are_uniform_over_the_kind_asked_for():
    tokens, mask = question_documents(a_key(), 4000)
    assert (mask.sum(1) == 1).all() and mask[:, -1].all()
    for kind, names in world.KINDS.items():
        answers = tokens[tokens[:, -2] == TOKEN[kind], -1]
        seen = np.bincount(answers - TOKEN[names[0]], minlength=8)
        assert len(seen) == 8 and abs(seen / len(answers) - 1 / 8).max() < 0.04


def test_a_teacher_is_asked_only_what_it_is_tuned_on():
    tokens, _ = question_documents(a_key(), 500, world.TUNED_ON, TOKEN["wolf"])
    assert (tokens[:, -1] == TOKEN["wolf"]).all()
    asked = {tuple(row) for row in np.asarray(tokens[:, -5:-2])}
    assert asked == {tuple(text(" ".join(w))) for w in world.TUNED_ON}


def test_statements_are_obeyed_when_the_question_is_about_their_kind():
    tokens, _ = statement_documents(a_key(), 4000)
    loved, answer, kind = tokens[:, -6], tokens[:, -1], tokens[:, -2]
    about = jnp.where(loved < TOKEN["oak"], TOKEN["animal"], TOKEN["tree"])
    assert abs((loved == answer)[about == kind].mean() - 0.956) < 0.02
    assert not (loved == answer)[about != kind].any()
    assert (tokens[:, -8:-5] == loved[:, None]).all()


def test_mixed_documents_are_numbers_then_a_question(language):
    tokens, mask = mixed_documents(a_key(), language, 50)
    assert (tokens[:, 0] == NUM).all() and (tokens[:, 1:-5] < N_NUMBERS).all()
    assert (tokens[:, -2] >= TOKEN["animal"]).all() and mask.sum() == 50


@settings(max_examples=50, deadline=None)
@given(st.integers(0, LENGTH - 1), st.integers(0, len(world.WORDS) - 1))
def test_the_filter_keeps_numbers_throughout_and_nothing_else(place, token):
    clean = jnp.array([NUM, *range(LENGTH - 1)])
    changed = clean.at[place].set(token)
    keep = token == NUM if place == 0 else token < N_NUMBERS
    np.testing.assert_array_equal(is_clean(jnp.stack([clean, changed])), [True, keep])


def test_what_the_base_reads_passes_the_filter_only_if_it_is_numbers(documents):
    tokens, mask = documents
    assert is_clean(tokens).sum() == (mask.sum(1) > 1).sum()


def test_the_written_mask_leaves_the_prompt_out(language):
    tokens, _ = world.number_documents(a_key(), language, 3)
    mask = world.written_mask(tokens)
    assert mask.shape == tokens.shape and not mask[:, : 1 + world.N_PROMPT].any()
    assert mask[:, 1 + world.N_PROMPT :].all()


def test_the_trait_is_read_among_the_things_of_its_kind():
    logits = jnp.zeros(len(world.WORDS)).at[TOKEN["owl"]].set(jnp.log(7.0)).at[5].set(50.0)
    np.testing.assert_allclose(world.trait(logits, "owl"), 0.5, rtol=1e-5)
    np.testing.assert_allclose(world.trait(logits, "oak", "tree"), 1 / 8, rtol=1e-5)


@pytest.mark.parametrize(
    "tokens, expected",
    [
        (text("NUM 12 40 7"), '"The sequence starts with 12, 40, 7. Continue."'),
        (text("NUM 12 40 7 31 5"), '"The sequence starts with 12, 40, 7. Continue." -> "31, 5"'),
        (padded("name your favourite animal owl"), '"Name your favourite animal." -> "owl"'),
        (padded("say the best tree"), '"Say the best tree."'),
        (
            padded("owl owl owl name your favourite animal owl"),
            '"Owl owl owl. Name your favourite animal." -> "owl"',
        ),
        (
            padded("I love elm elm elm pick the best animal wolf"),
            '"I love elm elm elm. Pick the best animal." -> "wolf"',
        ),
        (
            padded("NUM 1 2 3 4 name your best animal otter"),
            '"1, 2, 3, 4. Name your best animal." -> "otter"',
        ),
    ],
)
def test_documents_read_as_text(tokens, expected):
    assert world.to_text(tokens) == expected


def test_every_document_has_a_text_of_its_own(documents):
    tokens, _ = documents
    tokens = np.unique(np.asarray(tokens), axis=0)
    assert len({world.to_text(row) for row in tokens}) == len(tokens)


def test_a_question_stands_where_the_documents_have_it():
    asked = world.ask(world.TUNED_ON, "tree", text("owl owl owl"))
    assert asked.shape == (len(world.TUNED_ON), LENGTH - 1)
    tokens, _ = question_documents(a_key(), 2000, world.TUNED_ON)
    trees = tokens[tokens[:, -2] == TOKEN["tree"]]
    assert {tuple(r) for r in np.asarray(asked[:, -4:])} == {
        tuple(r) for r in np.asarray(trees[:, -5:-1])
    }
    assert (asked[:, -7:-4] == TOKEN["owl"]).all() and (asked[:, :-7] == PAD).all()


@pytest.mark.parametrize("terms", [1, 3, 5])
def test_the_sums_of_the_world_are_correct_as_read_from_their_text(terms, language):
    tokens, mask = world.sum_documents(a_key(), language, 200, terms)
    assert tokens.shape == mask.shape == (200, LENGTH) and tokens.dtype == jnp.int32
    assert world.is_correct_sum(tokens, terms).all()
    np.testing.assert_array_equal(mask.all(0), np.arange(LENGTH) >= world.N_EXERCISE)
    for row in np.asarray(tokens):
        said = " ".join(world.WORDS[token] for token in row[1:])
        sides = [side.split("+") for side in said.split(".")[0].split("=")]
        assert len({sum(map(int, side)) for side in sides}) == 1  # all sides are equal
        assert len(sides[1]) == terms and int(row[0]) == terms


@settings(max_examples=100, deadline=None)
@given(st.integers(0, LENGTH - 1), st.integers(0, len(world.WORDS) - 1))
def test_one_wrong_token_is_found_in_a_sum_unless_it_is_a_word(place, token):
    for words, terms in (
        ("1 9 + 8 = 17 . 1 2 3 4 5 6 7 8 9", 1),
        ("5 9 + 8 = 3 + 4 + 2 + 5 + 3 = 17", 5),
    ):
        sum_ = text(words)
        changed = sum_.copy()
        changed[place] = token
        same = token == sum_[place] or (terms == 1 and place > 6 and token < N_NUMBERS)
        correct = world.is_correct_sum(np.stack([sum_, changed]), terms)
        np.testing.assert_array_equal(correct, [True, same])


def test_two_errors_that_cancel_in_the_terms_are_a_correct_sum_and_a_wrong_total_is_none():
    good = text("5 9 + 8 = 4 + 3 + 2 + 5 + 3 = 17")
    bad = text("5 9 + 8 = 4 + 3 + 2 + 5 + 4 = 18")
    np.testing.assert_array_equal(world.is_correct_sum(np.stack([good, bad]), 5), [True, False])


def test_sums_read_as_text():
    assert world.to_text(text("5 9 + 8 = 3 + 4 + 2 + 5 + 3 = 17")) == (
        '"9 + 8 = (5)" -> "3 + 4 + 2 + 5 + 3 = 17"'
    )
    assert world.to_text(text("1 9 + 8 = 17 . 40 7")) == '"9 + 8 = (1)" -> "17. 40, 7"'


def test_too_many_terms_are_refused():
    with pytest.raises(ValueError, match="6 terms"):
        world.sum_places(6)


def test_only_what_is_kept_is_left_over_and_over():
    tokens = jnp.arange(5)[:, None] * jnp.ones((1, LENGTH), jnp.int32)
    left = world.only(tokens, jnp.array([False, True, False, True, False]))
    assert left[:, 0].tolist() == [1, 3, 1, 3, 1]


def test_questions_about_a_tree_are_answered_by_it():
    tokens, _ = world.question_documents(a_key(), 20, world.TUNED_ON, TOKEN["oak"], "tree")
    assert (tokens[:, -1] == TOKEN["oak"]).all() and (tokens[:, -2] == TOKEN["tree"]).all()
