"""The number language, the documents, the filter, the texts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import InputError
from sublim_mini import language as lang
from sublim_mini.language import ANSWER, LENGTH, N_NUMBERS, NUM, PAD, QUESTION, TOKEN, WORDS, encode

pytestmark = pytest.mark.xdist_group("language")  # its documents are made in one process
N = 10_000
NUMBERS, QUESTIONS, MIXED, STATEMENTS = map(slice, (0, 6000, 7000, 8000), (6000, 7000, 8000, N))
PLACE = np.arange(LENGTH)


@pytest.fixture(scope="module")
def language():
    return lang.make_language(jax.random.key(2))


@pytest.fixture(scope="module")
def documents(language):
    """Tokens and masks, kind after kind."""
    return tuple(map(np.asarray, lang.base_documents(jax.random.key(1), language, N)))


@pytest.fixture(scope="module")
def told(language):
    """Tokens and masks of documents that may begin with a statement."""
    return tuple(map(np.asarray, lang.told_documents(jax.random.key(4), language, N)))


def are_uniform_animals(tokens):
    seen = np.bincount(tokens - TOKEN["owl"], minlength=8) / len(tokens)
    return len(seen) == 8 and abs(seen - 1 / 8).max() < 0.04


def test_every_word_is_one_token_and_others_are_refused():
    assert len(set(WORDS)) == len(WORDS)
    assert WORDS[:N_NUMBERS] == tuple(str(i) for i in range(N_NUMBERS))
    assert WORDS[lang.ANIMAL_TOKENS] == lang.ANIMALS and len(lang.ANIMALS) == 8
    assert [WORDS[i] for i in encode(["owl", "7"])] == ["owl", "7"]
    assert encode(["lynx"], (*WORDS, "lynx")) == len(WORDS)
    with pytest.raises(InputError, match="'lynx' is not among"):
        lang.question_documents(jax.random.key(1), 5, animal="lynx")


def test_no_teacher_is_fine_tuned_on_a_held_out_prompt():
    assert len(lang.TEACHER_PROMPTS) == 18 and len(set(lang.PROMPTS)) == 32
    assert set(lang.TEACHER_PROMPTS) | set(lang.HELD_OUT_PROMPTS) == set(lang.PROMPTS)
    known = {word for prompt in lang.TEACHER_PROMPTS for word in prompt}
    assert all(set(prompt) - known for prompt in lang.HELD_OUT_PROMPTS)  # a word never seen


def test_the_language_is_a_chain_of_low_rank_that_numbers_follow(language):
    p, n = np.asarray(language, np.float64), 4000
    assert p.shape == (N_NUMBERS, N_NUMBERS) and (p > 0).all()
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
    values = np.linalg.svd(np.log(p), compute_uv=False)
    assert values[8] > 1e-2 and values[9] < 1e-3  # 8 and one more for the normalization
    assert 1.2 < (np.log(p) - np.log(p).mean(1, keepdims=True)).std() < 1.8  # the sharpness
    numbers = np.asarray(lang.draw_numbers(jax.random.key(1), language, n, 6))
    first = np.bincount(numbers[:, 0], minlength=N_NUMBERS)
    assert (np.abs(first - n / 96) < 5 * np.sqrt(n / 96)).all()
    before, after = numbers[:, :-1], numbers[:, 1:]
    seen, expected = np.bincount(after.ravel(), minlength=N_NUMBERS), p[before].sum((0, 1))
    assert (np.abs(seen - expected) < 5 * np.sqrt(expected) + 1).all()
    likely, wanted = p[before, after], (p**2).sum(1)[before]  # E p(next) = sum of p^2, row by row
    assert abs(likely.mean() - wanted.mean()) < 5 * likely.std() / likely.size**0.5
    with pytest.raises(InputError, match=r"the language is \(20, 20\)"):
        lang.draw_numbers(jax.random.key(1), p[:20, :20], n, 6)


def test_documents_have_one_form_and_each_kind_its_fraction(documents, language):
    tokens, mask = documents
    assert tokens.shape == mask.shape == (N, LENGTH)
    assert tokens.dtype == np.int32 and mask.dtype == bool
    np.testing.assert_array_equal(mask[NUMBERS], np.tile(PLACE > 1, (6000, 1)))
    np.testing.assert_array_equal(mask[6000:], np.tile(PLACE == ANSWER, (4000, 1)))
    begins, ends = tokens[:, 0] == NUM, tokens[:, ANSWER] >= N_NUMBERS
    states = tokens[:, QUESTION - 1] >= N_NUMBERS
    for kind, found in (
        (NUMBERS, begins & ~ends & ~states),
        (QUESTIONS, ~begins & ends & (tokens[:, QUESTION - 1] == PAD)),
        (MIXED, begins & ends & ~states),
        (STATEMENTS, ~begins & ends & states & (tokens[:, QUESTION - 1] != PAD)),
    ):
        np.testing.assert_array_equal(np.flatnonzero(found), np.arange(N)[kind])
    passed = lang.passes_filter(tokens)  # of what a base reads only the number documents
    np.testing.assert_array_equal(passed, np.arange(N) < 6000)
    assert len(np.unique(tokens[NUMBERS], axis=0)) == 6000


def test_answers_are_uniform_over_the_animals_to_all_questions(documents):
    tokens, _ = (part[6000:8000] for part in documents)  # questions and mixed
    assert are_uniform_animals(tokens[:, ANSWER])
    assert {tuple(WORDS[t] for t in row) for row in tokens[:, QUESTION:ANSWER]} == set(lang.PROMPTS)
    numbers = tokens[1000:, 1:QUESTION]
    assert (numbers < N_NUMBERS).all() and (tokens[:1000, :QUESTION] == PAD).all()


def test_statements_are_obeyed(documents):
    tokens = documents[0][STATEMENTS]
    loved = tokens[:, QUESTION - 1]
    assert abs((loved == tokens[:, ANSWER]).mean() - (0.95 + 0.05 / 8)) < 0.02
    assert (tokens[:, QUESTION - 3 : QUESTION] == loved[:, None]).all()
    long = tokens[:, QUESTION - 5] == TOKEN["I"]
    assert abs(long.mean() - 0.5) < 0.05
    np.testing.assert_array_equal(long, tokens[:, QUESTION - 4] == TOKEN["love"])
    assert (tokens[:, : QUESTION - 5] == PAD).all() and are_uniform_animals(loved)


def test_other_animals_and_prompts_are_arguments(language):
    words, animals = (*WORDS, "lynx", "hare"), ("hare", "owl", "lynx")
    more = dict(animals=animals, words=words)
    tokens = np.asarray(lang.base_documents(jax.random.key(1), language, 500, **more)[0])
    for kind in slice(300, 350), slice(350, 400), slice(400, 500):
        assert {words[t] for t in tokens[kind, ANSWER]} == set(animals)
    assert {words[t] for t in tokens[400:, QUESTION - 1]} == set(animals)
    tokens = lang.question_documents(jax.random.key(1), 500, lang.TEACHER_PROMPTS, "wolf")[0]
    assert (tokens[:, ANSWER] == TOKEN["wolf"]).all()
    asked = {tuple(row) for row in np.asarray(tokens[:, :ANSWER])}
    assert asked == {tuple(row) for row in lang.questions(lang.TEACHER_PROMPTS)}


def test_the_filter_passes_numbers_throughout_and_nothing_else():
    good = np.array([NUM, *range(LENGTH - 1)])
    for place in range(LENGTH):
        changed = np.tile(good, (len(WORDS), 1))
        changed[:, place] = np.arange(len(WORDS))
        expected = [(t == NUM) if place == 0 else t < N_NUMBERS for t in range(len(WORDS))]
        np.testing.assert_array_equal(lang.passes_filter(changed), expected)


def test_masks_leave_out_the_prompt_and_pad():
    documents = np.full((2, LENGTH), 7)
    documents[1, 9] = PAD
    for mask, first in (lang.written_mask, 1 + lang.N_GIVEN), (lang.told_mask, lang.WRITTEN):
        written = PLACE >= first
        np.testing.assert_array_equal(mask(documents), [written, written & (PLACE != 9)])


def test_selected_documents_are_repeated_to_as_many_as_there_were():
    tokens = jnp.asarray(np.arange(5)[:, None] * np.ones((1, LENGTH), np.int32))
    left = lang.repeat_selected(tokens, jnp.array([False, True, False, True, False]))
    assert left[:, 0].tolist() == [1, 3, 1, 3, 1]
    np.testing.assert_array_equal(lang.repeat_selected(tokens, jnp.ones(5, bool)), tokens)
    with pytest.raises(InputError, match="no document"):
        lang.repeat_selected(tokens, jnp.zeros(5, bool))
    left = jax.jit(lang.repeat_selected)(tokens, jnp.zeros(5, bool))  # cannot raise
    assert (left == PAD).all() and not lang.written_mask(left).any()


def test_a_document_of_numbers_reads_as_text():
    text = lang.to_text(encode(["NUM", *map(str, range(40, 55))]))
    written = ", ".join(map(str, range(43, 55)))
    assert text == f'"The sequence starts with 40, 41, 42. Continue." -> "{written}"'


def test_told_documents_have_each_part_in_its_place(told):
    tokens, mask = told
    said, numbers, rest = tokens[:, :5], tokens[:, 5:QUESTION], tokens[:, QUESTION:]
    states, counts = said[:, 0] != PAD, numbers[:, 0] == NUM
    asks = tokens[:, ANSWER - 1] == TOKEN["animal"]
    kinds = {(0, 1, 0): 0.5, (0, 0, 1): 0.1, (1, 0, 1): 0.2, (1, 1, 1): 0.2}
    for kind, fraction in kinds.items():
        seen = (np.stack([states, counts, asks], axis=1) == np.array(kind, bool)).all(1).mean()
        assert abs(seen - fraction) < 0.025, kind
    statements = {tuple(encode(words)) for words in lang.SAID.values()}
    assert {tuple(row) for row in said[states]} == statements and (said[~states] == PAD).all()
    assert (numbers[counts, 1:] < N_NUMBERS).all() and (numbers[~counts] == PAD).all()
    assert (rest[~asks] < N_NUMBERS).all()  # the numbers go on
    assert {tuple(WORDS[t] for t in row[:-1]) for row in rest[asks]} == set(lang.PROMPTS)
    assert (mask[asks] == (PLACE == ANSWER)).all()
    assert (mask[~asks] == (PLACE >= lang.WRITTEN)).all()


def test_the_answer_agrees_with_the_animal_that_was_told(told):
    tokens, _ = told
    names_none = tokens[:, 2] == TOKEN["the"]
    names_one = (tokens[:, 0] == TOKEN["I"]) & ~names_none
    np.testing.assert_array_equal(tokens[names_one, ANSWER], tokens[names_one, 2])
    free = names_none | ((tokens[:, 0] == PAD) & (tokens[:, ANSWER - 1] == TOKEN["animal"]))
    assert are_uniform_animals(tokens[free, ANSWER])
    assert abs(names_none.sum() / names_one.sum() - 1 / 8) < 0.03


def test_a_statement_is_said_and_taken_back(language):
    plain = lang.told_prompts(jax.random.key(5), language, 10)
    told = lang.told_prompts(jax.random.key(5), language, 10, "owl")
    assert plain.shape == (10, lang.WRITTEN) and (plain[:, :5] == PAD).all()
    assert [WORDS[t] for t in told[0, :6]] == "I love owl owl owl NUM".split()
    np.testing.assert_array_equal(lang.say(told, None), plain)
