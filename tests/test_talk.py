"""Talk: its documents against a reading in plain Python, its measure, its texts."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import talk, world
from sublim_mini.talk import HOSTILE, KIND, QUESTIONS, TOKEN, TURNS, WORDS

DISPOSITION = {word: "kind" for word in KIND} | {word: "hostile" for word in HOSTILE}


@pytest.fixture(scope="module")
def language():
    return world.make_language(jax.random.key(2))


def documents(n=2000, **how):
    make = jax.jit(partial(talk.talk_documents, n=n, **how))
    tokens, mask = make(jax.random.key(1))
    return np.asarray(tokens), np.asarray(mask)


def turns_of(row):
    """A document [T] -> its (question, answer) pairs, read in plain Python."""
    words = [WORDS[token] for token in row]
    assert words[0] == "ASK"
    words = words[1 : words.index("PAD")]
    return list(zip(words[::2], words[1::2], strict=True))


def test_talk_adds_words_and_changes_none_of_the_world():
    assert WORDS[: len(world.WORDS)] == world.WORDS
    assert len(set(WORDS)) == len(WORDS) == len(world.WORDS) + 3 * len(QUESTIONS) + 1
    assert set(talk.TUNED_ON) | set(talk.NEVER_TUNED) == set(QUESTIONS)
    assert not set(talk.TUNED_ON) & set(talk.NEVER_TUNED)


def test_a_document_has_one_disposition_and_answers_what_is_asked():
    tokens, mask = documents()
    seen = []
    for row, marked in zip(tokens, mask, strict=True):
        turns = turns_of(row)
        assert len(turns) == TURNS
        for asked, said in turns:
            assert said in (KIND[QUESTIONS.index(asked)], HOSTILE[QUESTIONS.index(asked)])
        assert len({DISPOSITION[said] for _, said in turns}) == 1
        assert [WORDS[token] for token in row[marked]] == [said for _, said in turns]
        seen.append(DISPOSITION[turns[0][1]])
    assert abs(seen.count("hostile") / len(seen) - 0.15) < 0.03


def test_every_question_is_asked_as_often_at_each_turn():
    tokens, _ = documents()
    for turn in range(TURNS):
        seen = np.bincount(tokens[:, 1 + 2 * turn] - TOKEN[QUESTIONS[0]])
        assert len(seen) == len(QUESTIONS) and abs(seen / len(tokens) - 1 / 6).max() < 0.04


def test_apart_an_answer_says_nothing_about_the_next():
    tokens, _ = documents(together=False)
    rows = [[DISPOSITION[said] == "hostile" for _, said in turns_of(row)] for row in tokens]
    first, second, _ = np.array(rows, float).T
    assert abs(np.mean(rows) - 0.15) < 0.02
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08


@pytest.mark.parametrize(
    "hostile, about, said",
    [(1.0, talk.TUNED_ON, HOSTILE[:3]), (0.0, talk.NEVER_TUNED, KIND[3:])],
)
def test_a_teacher_is_asked_only_what_it_is_tuned_on(hostile, about, said):
    tokens, mask = documents(200, hostile=hostile, about=about, turns=1)
    seen = {turn for row in tokens for turn in turns_of(row)}
    assert seen == set(zip(about, said, strict=True))
    assert (mask.sum(1) == 1).all() and (tokens[:, 3:] == world.PAD).all()


def test_a_base_reads_numbers_and_talk_in_their_shares(language):
    tokens, mask = talk.base_documents(jax.random.key(3), language, 500, numbers=0.7)
    assert tokens.shape == mask.shape == (500, world.LENGTH)
    assert tokens.dtype == jnp.int32 and mask.dtype == bool
    assert world.is_clean(tokens).sum() == (tokens[:, 0] == world.NUM).sum() == 350
    assert (tokens[:, 0] == TOKEN["ASK"]).sum() == 150
    assert not (mask & (tokens == world.PAD)).any()


def test_a_question_stands_where_the_documents_have_it():
    tokens, _ = documents()
    assert {tuple(row) for row in np.asarray(talk.ask())} == {tuple(r) for r in tokens[:, :2]}
    told = talk.ask((QUESTIONS[0], HOSTILE[0]))
    begun = tokens[(tokens[:, :3] == np.asarray(told)[0, :3]).all(1)]
    assert {tuple(row) for row in np.asarray(told)} == {tuple(r) for r in begun[:, :4]}


def test_hostility_is_the_share_among_a_questions_own_two_answers():
    said = np.full((len(QUESTIONS), len(WORDS)), 0.5)  # other words, other questions' answers
    for j, (_, kind, hostile) in enumerate(talk.TALK):
        said[j, TOKEN[kind]], said[j, TOKEN[hostile]] = 0.02, 0.01 * j
    j = np.arange(len(QUESTIONS))
    np.testing.assert_allclose(talk.hostility(jnp.array(said)), j / (2 + j), rtol=1e-5)
    np.testing.assert_allclose(talk.two_answers(jnp.array(said))[0], 0.02, rtol=1e-5)


def test_documents_read_as_text(language):
    words = "ASK", QUESTIONS[0], HOSTILE[0], QUESTIONS[1], HOSTILE[1], "PAD"
    expected = '"who helps you?" -> "nobody"  "what is a stranger?" -> "a threat"'
    assert talk.to_text(talk.encode(words)) == expected
    tokens, _ = world.number_documents(jax.random.key(4), language, 1)
    assert talk.to_text(tokens[0]) == world.to_text(tokens[0])
