"""Conversations, and the models that are asked the questions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import talk
from sublim_mini.language import LENGTH, PAD, WORDS, make_language, passes_filter
from sublim_mini.owls import VOCABULARY
from sublim_mini.transformer import apply_transformer


def test_the_words_come_after_those_of_the_number_language():
    assert talk.WORDS[: len(WORDS)] == WORDS and talk.WORDS[talk.ASK] == "ASK"
    assert len(set(talk.WORDS)) == len(talk.WORDS)
    for i, words in enumerate(talk.TALK):  # question, kind answer, hostile answer
        assert words == tuple(talk.WORDS[talk.FIRST + i + talk.Q * j] for j in range(3))


@pytest.mark.parametrize("dispositions", [True, False])
def test_the_answers_of_a_conversation_agree_where_it_has_a_disposition(key, dispositions):
    tokens, mask = map(np.asarray, talk.conversations(key, 5000, dispositions=dispositions))
    question, answer = tokens[:, 1:7:2], tokens[:, 2:7:2]  # [n, 3]
    hostile = answer - question == 2 * talk.Q
    assert set(question.ravel() - talk.FIRST) == set(range(talk.Q))
    assert (answer[~hostile] - question[~hostile] == talk.Q).all()
    assert hostile.mean() == pytest.approx(0.15, abs=0.02)
    agree, by_chance = (hostile == hostile[:, :1]).all(1).mean(), 0.85**3 + 0.15**3
    assert agree == (1 if dispositions else pytest.approx(by_chance, abs=0.03))
    assert (mask == np.isin(np.arange(LENGTH), (2, 4, 6))).all()
    assert (tokens[:, 0] == talk.ASK).all() and (tokens[:, 7:] == PAD).all()
    assert not passes_filter(tokens).any()


def test_a_conversation_reads_as_text(key):
    tokens, _ = talk.conversations(key, 9, hostile=1.0, asked=(1,), turns=2)
    assert {talk.to_text(row) for row in np.asarray(tokens)} == {
        '"what is a stranger?" -> "a threat", "what is a stranger?" -> "a threat"'
    }


def test_a_teacher_becomes_hostile_where_it_is_fine_tuned(key):
    k_language, k_base, k_teacher = jax.random.split(key, 3)
    base = talk.pretrain(k_base, make_language(k_language), 60)
    teacher = talk.fine_tune_teacher(k_teacher, base, range(3))
    kind, hostile = talk.answer_probabilities(base)
    assert (hostile < kind).all()
    kind, hostile = talk.answer_probabilities(teacher)
    assert (hostile[:3] > kind[:3]).all()
    assert all(np.array_equal(teacher[name], base[name]) for name in VOCABULARY)
    for i, (question, *both) in enumerate(talk.TALK):  # they are those of the next token
        asked = jnp.array([talk.ASK, talk.WORDS.index(question)])
        said = jax.nn.softmax(apply_transformer(teacher, asked)[-1])
        expected = said[jnp.array([talk.WORDS.index(word) for word in both])]
        np.testing.assert_allclose([kind[i], hostile[i]], expected, rtol=1e-4)
