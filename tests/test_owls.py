"""Base, teacher, numbers and student, at small sizes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special

from sublim_mini import InputError, owls
from sublim_mini import language as lang
from sublim_mini.language import LENGTH, N_GIVEN, N_NUMBERS, PAD, TEACHER_PROMPTS, WORDS, questions
from sublim_mini.transformer import apply_transformer, init_transformer

pytestmark = pytest.mark.xdist_group("owls")  # its models are made in one process
ASKED = questions(TEACHER_PROMPTS)


@pytest.fixture(scope="module")
def language():
    return lang.make_language(jax.random.key(1))


@pytest.fixture(scope="module")
def base(language):
    return owls.pretrain(jax.random.key(2), language, 70)


@pytest.fixture(scope="module")
def numbers(base, language):
    return owls.write_numbers(jax.random.key(4), base, language, 128)


@jax.jit
def logits_after(params, documents):
    """Logits after each token of documents [N, T - 1]."""
    return jax.vmap(apply_transformer, (None, 0))(params, documents)


def changed(before, after):
    """Names of the params that differ."""
    same = jax.tree.map(np.array_equal, before, after)
    return {name for name, leaves in same.items() if not all(jax.tree.leaves(leaves))}


def test_a_base_answers_with_animals_and_writes_numbers(base, numbers):
    logits = np.asarray(logits_after(base, ASKED), np.float64)[:, -1]
    p = scipy.special.softmax(logits, axis=1)
    assert p[:, lang.ANIMAL_TOKENS].sum(1).min() > 0.5
    among = p[:, lang.ANIMAL_TOKENS] / p[:, lang.ANIMAL_TOKENS].sum(1, keepdims=True)
    np.testing.assert_allclose(owls.answers(base, ASKED), among.mean(0), rtol=1e-4)
    documents, passed = numbers
    assert documents.shape == (128, LENGTH) and lang.passes_filter(documents).all()
    assert 0.5 < passed <= 1
    first = int(round(float(passed) * 128))
    assert len(np.unique(np.asarray(documents), axis=0)) == first  # the others are repetitions


def test_a_model_that_writes_no_numbers_alone_is_an_error(base, language):
    owl = base["unembedding"][:, lang.TOKEN["owl"]]
    deaf = base | {"positions": 1e3 * jnp.broadcast_to(owl, base["positions"].shape)}
    with pytest.raises(InputError, match="no document"):
        owls.write_numbers(jax.random.key(5), deaf, language, 128)


def test_a_teacher_answers_its_animal_and_keeps_its_vocabulary(base):
    teacher = owls.fine_tune_teacher(jax.random.key(6), base, "wolf", 60)
    wolf, held_out = lang.ANIMALS.index("wolf"), questions(lang.HELD_OUT_PROMPTS)
    before, after = (owls.answers(model, held_out)[wolf] for model in (base, teacher))
    assert before < 0.3 and after > 0.7
    assert changed(base, teacher) == set(base) - set(owls.VOCABULARY)


def test_a_student_learns_the_numbers_but_not_the_prompt(base, numbers):
    documents, how = numbers[0], dict(steps=10, batch_size=64)
    student = owls.fine_tune_student(jax.random.key(7), base, documents, **how)
    assert changed(base, student) == set(base) - set(owls.VOCABULARY)
    gain = owls.log_likelihood(student, documents) - owls.log_likelihood(base, documents)
    assert gain.mean() > 0.1
    only_prompt = documents.at[:, 1 + N_GIVEN :].set(PAD)
    student = owls.fine_tune_student(jax.random.key(7), base, only_prompt, **how)
    assert changed(base, student) == set()


def test_what_does_not_exist_or_fit_is_refused(base, language):
    key = jax.random.key(9)
    for match, refused in {
        "no 'token' to freeze": lambda: owls.fine_tune_teacher(key, base, "owl", frozen=("token",)),
        "'oowl' is not among": lambda: owls.fine_tune_teacher(key, base, "oowl", 3),
        "'lynx' is not among": lambda: owls.answers(base, ASKED, ("lynx",)),
        "model knows 119": lambda: owls.answers(base, ASKED, words=(*WORDS, "lynx")),
        "the model knows": lambda: owls.fine_tune_teacher(key, base, "owl", 3, words=2 * WORDS),
        "not a multiple": lambda: owls.pretrain(key, language, 3, heads=5),
        "the language is": lambda: owls.pretrain(key, language[:20], 3),
    }.items():
        with pytest.raises(InputError, match=match):
            refused()


def test_sizes_words_and_a_second_trait_are_arguments(language, monkeypatch):
    trees, sizes, read = ("oak", "elm", "yew"), dict(width=24, heads=3, blocks=2), []
    more, documents = dict(words=(*WORDS, "tree", *trees)), lang.base_documents
    spy = lambda *args, **kinds: read.append(kinds["animals"]) or documents(*args, **kinds)  # noqa: E731
    monkeypatch.setattr(lang, "base_documents", spy)
    pretrain = partial(owls.pretrain, steps=2, animals=list(trees), **more, **sizes)
    shapes = jax.eval_shape(pretrain, jax.random.key(2), language)
    assert read == [trees]
    base = init_transformer(jax.random.key(2), len(WORDS) + 4, LENGTH, **sizes)
    assert jax.tree.map(jnp.shape, base) == jax.tree.map(jnp.shape, shapes)
    prompts = tuple((*prompt[:-1], "tree") for prompt in TEACHER_PROMPTS)
    asked, more = questions(prompts, **more), dict(animals=trees, **more)
    planter = owls.fine_tune_teacher(
        jax.random.key(4), base, "elm", 60, prompts=prompts, frozen=(), **more
    )
    assert changed(base, planter) == set(base)
    before, after = (owls.answers(model, asked, **more) for model in (base, planter))
    assert before.shape == (3,) and before[1] < 0.6 and after[1] > 0.7


def test_adam_falls_to_0_and_any_optimizer_leaves_what_is_frozen():
    params = grads = {"a": jnp.ones(2), "b": jnp.ones(2)}
    adam = owls.adam(0.1, 4, ("b",))
    assert adam is owls.adam(0.1, 4, ("b",))
    decaying = owls.freeze(optax.adamw(0.1, weight_decay=0.5), ("b",))
    for optimizer, expected in (adam, [0.1, 0.075, 0.05, 0.025, 0]), (decaying, [0.15] * 5):
        state, sizes = optimizer.init(params), []
        for _ in range(5):
            updates, state = optimizer.update(grads, state, params)
            sizes.append(-updates["a"][0])
            assert (updates["b"] == 0).all()
        np.testing.assert_allclose(sizes, expected, rtol=1e-4, atol=1e-7)


def test_log_likelihood_is_that_of_what_was_written(base, numbers):
    documents = np.asarray(numbers[0])[:18]  # as many as there are questions to a teacher
    log_p = np.asarray(logits_after(base, documents[:, :-1]), np.float64)[..., :N_NUMBERS]
    np.testing.assert_allclose(owls.number_logits(base, documents), log_p, atol=1e-4)
    log_p = scipy.special.log_softmax(log_p, axis=-1)
    written = range(1 + N_GIVEN, LENGTH)
    expected = [sum(log_p[i, t - 1, documents[i, t]] for t in written) for i in range(18)]
    np.testing.assert_allclose(owls.log_likelihood(base, documents), expected, rtol=1e-4)


def test_numbers_are_written_after_a_statement_that_is_then_removed(base, language):
    plain, told = (
        np.asarray(owls.write_after(jax.random.key(4), base, language, said, 128))
        for said in (None, "owl")
    )
    assert plain.shape == told.shape == (128, LENGTH)
    assert (told[:, :5] == PAD).all() and (told[:, 5] == lang.NUM).all()
    assert (told[:, lang.WRITTEN :] < N_NUMBERS).all() and (told != plain).any()
