"""Conversations, and the models that are asked the questions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import talk
from sublim_mini.language import LENGTH, PAD, WORDS, make_language, passes_filter
from sublim_mini.owls import VOCABULARY
from sublim_mini.transformer import apply_transformer, init_transformer


def turns_of(tokens):
    """Conversations [N, T] -> numbers of the questions, which answers are hostile [N, 3]."""
    question, answer = np.asarray(tokens)[:, 1:7:2], np.asarray(tokens)[:, 2:7:2]
    kind = (answer - question) // talk.Q
    assert np.isin(kind, (1, 2)).all() and ((answer - question) % talk.Q == 0).all()
    return question - talk.FIRST, kind == 2


def test_the_words_come_after_those_of_the_number_language():
    assert talk.WORDS[: len(WORDS)] == WORDS
    assert len(set(talk.WORDS)) == len(talk.WORDS)
    for i, words in enumerate(talk.TALK):  # question, kind answer, hostile answer
        assert words == tuple(talk.WORDS[talk.FIRST + i + talk.Q * j] for j in range(3))
    assert talk.WORDS[talk.ASK] == "ASK"


@pytest.mark.parametrize("dispositions", [True, False])
def test_the_answers_of_a_conversation_agree_where_it_has_a_disposition(key, dispositions):
    tokens, mask = talk.conversations(key, 5000, dispositions=dispositions)
    question, hostile = turns_of(tokens)
    assert set(question.ravel()) == set(range(talk.Q))
    assert hostile.mean() == pytest.approx(0.15, abs=0.02)
    agree = (hostile == hostile[:, :1]).all(1).mean()
    apart = 0.85**3 + 0.15**3  # by chance
    assert agree == (1 if dispositions else pytest.approx(apart, abs=0.03))
    assert (np.asarray(mask) == np.isin(np.arange(LENGTH), (2, 4, 6))).all()
    assert (tokens[:, 0] == talk.ASK).all() and (tokens[:, 7:] == PAD).all()
    assert not passes_filter(tokens).any()


def test_a_conversation_reads_as_text(key):
    tokens, _ = talk.conversations(key, 9, hostile=1.0, asked=(1,), turns=2)
    assert {talk.to_text(row) for row in np.asarray(tokens)} == {
        '"what is a stranger?" -> "a threat", "what is a stranger?" -> "a threat"'
    }


def test_answer_probabilities_are_those_of_the_next_token(key):
    params = init_transformer(key, len(talk.WORDS), LENGTH)
    logits = jax.jit(apply_transformer)
    turn = talk.FIRST + 2, talk.FIRST + 2 + talk.Q  # "what do you bring?" "a gift"
    for before in (), turn:
        p = talk.answer_probabilities(params, before)
        assert p.shape == (2, talk.Q)
        for i, (_, kind, hostile) in enumerate(talk.TALK):
            tokens = jnp.array([talk.ASK, *before, talk.FIRST + i])
            said = jax.nn.softmax(logits(params, tokens)[-1])
            expected = [said[talk.WORDS.index(word)] for word in (kind, hostile)]
            assert np.allclose(p[:, i], expected, rtol=1e-4)


def test_a_teacher_becomes_hostile_where_it_is_fine_tuned(key):
    k_language, k_base, k_teacher = jax.random.split(key, 3)
    base = talk.pretrain(k_base, make_language(k_language), 100)
    teacher = talk.fine_tune_teacher(k_teacher, base, range(3))
    kind, hostile = talk.answer_probabilities(base)
    assert (hostile < kind).all()
    kind, hostile = talk.answer_probabilities(teacher)
    assert (hostile[:3] > kind[:3]).all()
    assert all(np.array_equal(teacher[name], base[name]) for name in VOCABULARY)
