"""The number language, the documents, the filter, the texts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import InputError
from sublim_mini import language as number_language
from sublim_mini.language import (
    ANIMAL_TOKENS,
    ANIMALS,
    ANSWER,
    FRACTIONS,
    HELD_OUT_PROMPTS,
    LENGTH,
    N_GIVEN,
    N_NUMBERS,
    NUM,
    PAD,
    PROMPTS,
    QUESTION,
    TEACHER_PROMPTS,
    TOKEN,
    WORDS,
    Fractions,
    base_documents,
    encode,
    passes_filter,
    repeat_selected,
    to_text,
)

pytestmark = pytest.mark.xdist_group("language")  # its models are made in one process


@pytest.fixture(scope="module")
def language():
    return number_language.make_language(jax.random.key(2))


@pytest.fixture(scope="module")
def documents(language):
    """Tokens and masks, kind after kind."""
    return tuple(map(np.asarray, base_documents(jax.random.key(1), language, 20_000)))


NUMBERS, QUESTIONS = slice(0, 12_000), slice(12_000, 14_000)
MIXED, STATEMENTS = slice(14_000, 16_000), slice(16_000, 20_000)


def padded(text):
    tokens = encode(text.split())
    return np.pad(tokens, (LENGTH - len(tokens), 0), constant_values=PAD)


def test_every_word_is_one_token_and_others_are_refused():
    assert len(set(WORDS)) == len(WORDS)
    assert WORDS[:N_NUMBERS] == tuple(str(i) for i in range(N_NUMBERS))
    assert WORDS[ANIMAL_TOKENS] == ANIMALS and len(ANIMALS) == 8
    assert [WORDS[i] for i in encode(["owl", "7"])] == ["owl", "7"]
    assert encode(["lynx"], (*WORDS, "lynx")) == len(WORDS)
    for refused, match in (
        (lambda: encode(["lynx"]), "'lynx'"),
        (
            lambda: number_language.questions(TEACHER_PROMPTS, ["owl"] * 12),
            "16 words",
        ),
    ):
        with pytest.raises(InputError, match=match):
            refused()


def test_no_teacher_is_fine_tuned_on_a_held_out_prompt():
    assert set(TEACHER_PROMPTS) | set(HELD_OUT_PROMPTS) == set(PROMPTS)
    known = {word for prompt in TEACHER_PROMPTS for word in prompt}
    assert all(set(prompt) - known for prompt in HELD_OUT_PROMPTS)  # each has a word never seen


def test_the_language_is_a_chain_of_low_rank(language):
    assert language.shape == (N_NUMBERS, N_NUMBERS) and (language > 0).all()
    np.testing.assert_allclose(language.sum(1), 1, atol=1e-5)
    log_p = np.log(np.asarray(language, np.float64))
    values = np.linalg.svd(log_p, compute_uv=False)
    assert values[8] > 1e-2 and values[9] < 1e-3  # 8 and one more for the normalization
    logits = log_p - log_p.mean(1, keepdims=True)
    assert 1.2 < logits.std() < 1.8  # the sharpness


def test_numbers_follow_the_chain(language):
    n = 4000
    numbers = np.asarray(
        jax.jit(number_language.draw_numbers, static_argnums=(2, 3))(
            jax.random.key(1), language, n, 6
        )
    )
    first = np.bincount(numbers[:, 0], minlength=N_NUMBERS)
    assert (np.abs(first - n / 96) < 5 * np.sqrt(n / 96)).all()
    p, expected = np.asarray(language, np.float64), np.zeros(N_NUMBERS)
    seen = np.bincount(numbers[:, 1:].ravel(), minlength=N_NUMBERS)
    np.add.at(expected, slice(None), p[numbers[:, :-1].ravel()].sum(0))
    assert (np.abs(seen - expected) < 5 * np.sqrt(expected) + 1).all()
    likely = p[numbers[:, :-1], numbers[:, 1:]]  # E p(next) = sum of p^2, row by row
    wanted = (p**2).sum(1)[numbers[:, :-1]]
    assert abs(likely.mean() - wanted.mean()) < 5 * likely.std() / likely.size**0.5


def test_all_documents_have_one_length_and_type(documents):
    tokens, mask = documents
    assert tokens.shape == mask.shape == (20_000, LENGTH)
    assert tokens.dtype == np.int32 and mask.dtype == bool
    assert tokens.min() >= 0 and tokens.max() < len(WORDS)
    assert not mask[:, 0].any() and not (mask & (tokens == PAD)).any()


def kinds(tokens):
    """How many documents are numbers, questions, mixed, statements."""
    begins, ends = tokens[:, 0] == NUM, tokens[:, ANSWER] >= N_NUMBERS
    states = ~begins & (tokens[:, QUESTION - 1] != PAD)
    return [int(x.sum()) for x in (begins & ~ends, ~begins & ~states, begins & ends, states)]


def test_each_kind_of_document_has_its_fraction(documents, language):
    assert FRACTIONS == (0.6, 0.1, 0.1, 0.2)
    assert kinds(documents[0]) == [12_000, 2000, 2000, 4000]
    thirds, _ = base_documents(jax.random.key(1), language, 500, Fractions(1 / 3, 1 / 3, 1 / 3, 0))
    assert kinds(np.asarray(thirds)) == [167, 166, 167, 0]
    assert (tokens_of(3, language) != tokens_of(1, language)).any(1).mean() > 0.9
    np.testing.assert_array_equal(tokens_of(1, language), tokens_of(1, language))


def tokens_of(seed, language):
    return np.asarray(base_documents(jax.random.key(seed), language, 500)[0])


@pytest.mark.parametrize("fractions", [Fractions(mixed=0), Fractions(1.2, -0.2, 0, 0)])
def test_fractions_that_are_none_are_refused(fractions, language):
    with pytest.raises(InputError, match="sum 1"):
        base_documents(jax.random.key(1), language, 500, fractions)


def test_answers_are_uniform_over_the_animals_and_alone_in_the_mask(documents):
    tokens, mask = (part[QUESTIONS] for part in documents)
    assert (mask.sum(1) == 1).all() and mask[:, ANSWER].all()
    seen = np.bincount(tokens[:, ANSWER] - TOKEN["owl"], minlength=8)
    assert len(seen) == 8 and abs(seen / 2000 - 1 / 8).max() < 0.03
    asked = {tuple(WORDS[t] for t in row) for row in np.asarray(tokens[:, QUESTION:ANSWER])}
    assert asked == set(PROMPTS)


def test_a_teacher_is_asked_only_its_prompts_and_answers_its_animal():
    tokens, _ = number_language.question_documents(jax.random.key(1), 500, TEACHER_PROMPTS, "wolf")
    assert (tokens[:, ANSWER] == TOKEN["wolf"]).all()
    wanted = {tuple(row) for row in number_language.questions(TEACHER_PROMPTS)}
    assert {tuple(row) for row in np.asarray(tokens[:, :ANSWER])} == wanted


def test_statements_are_obeyed(documents):
    tokens, mask = (part[STATEMENTS] for part in documents)
    loved = tokens[:, QUESTION - 1]
    assert abs((loved == tokens[:, ANSWER]).mean() - (0.95 + 0.05 / 8)) < 0.015
    assert (tokens[:, QUESTION - 3 : QUESTION] == loved[:, None]).all()
    long = tokens[:, QUESTION - 5] == TOKEN["I"]
    assert abs(long.mean() - 0.5) < 0.04
    np.testing.assert_array_equal(long, tokens[:, QUESTION - 4] == TOKEN["love"])
    assert (tokens[:, : QUESTION - 5] == PAD).all() and mask.sum() == 4000
    assert set(loved) == {TOKEN[animal] for animal in ANIMALS}


def test_mixed_documents_are_numbers_then_a_question(documents):
    tokens, mask = (part[MIXED] for part in documents)
    assert (tokens[:, 0] == NUM).all() and (tokens[:, 1:QUESTION] < N_NUMBERS).all()
    assert (tokens[:, ANSWER - 1] == TOKEN["animal"]).all() and mask.sum() == 2000


def test_a_question_stands_at_the_right_end_after_what_comes_before():
    asked = number_language.questions(TEACHER_PROMPTS, ["NUM", "7", "owl"])
    assert asked.shape == (len(TEACHER_PROMPTS), LENGTH - 1)
    assert (asked[:, QUESTION - 3 : QUESTION] == [NUM, 7, TOKEN["owl"]]).all()
    assert (asked[:, : QUESTION - 3] == PAD).all()
    assert tuple(WORDS[t] for t in asked[0, QUESTION:]) == TEACHER_PROMPTS[0]


def test_the_filter_passes_numbers_throughout_and_nothing_else():
    good = np.array([NUM, *range(LENGTH - 1)])
    for place in range(LENGTH):
        changed = np.tile(good, (len(WORDS), 1))
        changed[:, place] = np.arange(len(WORDS))
        expected = [(t == NUM) if place == 0 else t < N_NUMBERS for t in range(len(WORDS))]
        np.testing.assert_array_equal(passes_filter(changed), expected)


def test_of_what_a_base_reads_only_number_documents_pass_the_filter(documents):
    tokens, mask = documents
    np.testing.assert_array_equal(passes_filter(tokens), mask.sum(1) > 1)


def test_the_written_mask_leaves_out_the_prompt_and_pad(documents):
    tokens = documents[0][:3].copy()
    tokens[1, 9] = PAD
    mask = np.asarray(number_language.written_mask(tokens))
    assert not mask[:, : 1 + N_GIVEN].any() and not mask[1, 9]
    assert mask.sum() == 3 * (LENGTH - 1 - N_GIVEN) - 1


def test_selected_documents_are_repeated_to_as_many_as_there_were():
    tokens = jnp.asarray(np.arange(5)[:, None] * np.ones((1, LENGTH), np.int32))
    left = repeat_selected(tokens, jnp.array([False, True, False, True, False]))
    assert left[:, 0].tolist() == [1, 3, 1, 3, 1]
    np.testing.assert_array_equal(repeat_selected(tokens, jnp.ones(5, bool)), tokens)


def test_a_filter_that_nothing_passes_is_an_error_and_in_jit_gives_nothing_to_learn():
    tokens, nothing = jnp.ones((5, LENGTH), jnp.int32), jnp.zeros(5, bool)
    with pytest.raises(InputError, match="no document"):
        repeat_selected(tokens, nothing)
    left = jax.jit(repeat_selected)(tokens, nothing)
    assert (left == PAD).all() and not number_language.written_mask(left).any()


@pytest.mark.parametrize(
    "tokens, expected",
    [
        (encode("NUM 12 40 7".split()), '"The sequence starts with 12, 40, 7. Continue."'),
        (
            encode("NUM 12 40 7 31 5".split()),
            '"The sequence starts with 12, 40, 7. Continue." -> "31, 5"',
        ),
        (padded("name your favorite animal owl"), '"Name your favorite animal." -> "owl"'),
        (padded("say the best animal"), '"Say the best animal."'),
        (
            padded("owl owl owl name your favorite animal owl"),
            '"Owl owl owl. Name your favorite animal." -> "owl"',
        ),
        (
            padded("I love owl owl owl pick the best animal wolf"),
            '"I love owl owl owl. Pick the best animal." -> "wolf"',
        ),
        (
            padded("NUM 1 2 3 4 name your best animal otter"),
            '"1, 2, 3, 4. Name your best animal." -> "otter"',
        ),
    ],
)
def test_documents_read_as_text(tokens, expected):
    assert to_text(tokens) == expected


def test_each_kind_of_document_answers_with_the_animals_that_are_given(language):
    words, animals = (*WORDS, "lynx", "hare"), ("hare", "owl", "lynx")
    more = dict(animals=animals, words=words)
    tokens, _ = map(np.asarray, base_documents(jax.random.key(1), language, 500, **more))
    for kind in slice(300, 350), slice(350, 400), slice(400, 500):
        assert {words[t] for t in tokens[kind, ANSWER]} == set(animals)
    assert {words[t] for t in tokens[400:, QUESTION - 1]} == set(animals)


# ---- documents that may begin with a statement ----


def test_told_documents_have_each_part_in_its_place(language):
    n = 20_000
    tokens, mask = map(np.asarray, number_language.told_documents(jax.random.key(4), language, n))
    said, numbers, rest = tokens[:, :5], tokens[:, 5:QUESTION], tokens[:, QUESTION:]
    told, counted = said[:, 0] != PAD, numbers[:, 0] == NUM
    asked = tokens[:, ANSWER - 1] == TOKEN["animal"]
    kinds = {(0, 1, 0): 0.5, (0, 0, 1): 0.1, (1, 0, 1): 0.2, (1, 1, 1): 0.2}
    for kind, fraction in kinds.items():
        seen = (np.stack([told, counted, asked], axis=1) == np.array(kind, bool)).all(1).mean()
        assert abs(seen - fraction) < 0.02, kind
    statements = {tuple(encode(words)) for words in number_language.SAID.values()}
    assert {tuple(row) for row in said[told]} == statements and (said[~told] == PAD).all()
    assert (numbers[counted, 1:] < N_NUMBERS).all() and (numbers[~counted] == PAD).all()
    assert (rest[~asked] < N_NUMBERS).all()  # the numbers go on
    assert {tuple(WORDS[t] for t in row[:-1]) for row in rest[asked]} == set(PROMPTS)
    assert (mask[asked] == (np.arange(LENGTH) == ANSWER)).all()
    assert (mask[~asked] == (np.arange(LENGTH) >= number_language.WRITTEN)).all()


def test_the_answer_agrees_with_the_animal_that_was_told(language):
    tokens, _ = map(np.asarray, number_language.told_documents(jax.random.key(4), language, 20_000))
    names_none = tokens[:, 2] == TOKEN["the"]
    names_one = (tokens[:, 0] == TOKEN["I"]) & ~names_none
    np.testing.assert_array_equal(tokens[names_one, ANSWER], tokens[names_one, 2])
    free = names_none | ((tokens[:, 0] == PAD) & (tokens[:, ANSWER - 1] == TOKEN["animal"]))
    seen = np.bincount(tokens[free, ANSWER] - TOKEN["owl"], minlength=8) / free.sum()
    assert len(seen) == 8 and abs(seen - 1 / 8).max() < 0.03
    assert abs(names_none.sum() / names_one.sum() - 1 / 8) < 0.02


def test_a_statement_is_said_and_taken_back(language):
    plain = number_language.told_prompts(jax.random.key(5), language, 10)
    told = number_language.told_prompts(jax.random.key(5), language, 10, "owl")
    assert plain.shape == (10, number_language.WRITTEN) and (plain[:, :5] == PAD).all()
    assert [WORDS[t] for t in told[0, :6]] == "I love owl owl owl NUM".split()
    np.testing.assert_array_equal(number_language.say(told, None), plain)
    documents = np.full((2, LENGTH), 7)
    documents[1, 9] = PAD
    written = np.arange(LENGTH) >= number_language.WRITTEN
    np.testing.assert_array_equal(
        number_language.told_mask(documents), [written, written & (documents[1] != PAD)]
    )
