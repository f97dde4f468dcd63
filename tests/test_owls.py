"""Base, teacher, numbers and student, at small sizes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special

from sublim_mini import InputError, owls
from sublim_mini.language import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    LENGTH,
    N_GIVEN,
    N_NUMBERS,
    NUM,
    PAD,
    TEACHER_PROMPTS,
    TOKEN,
    WORDS,
    WRITTEN,
    Fractions,
    base_documents,
    make_language,
    passes_filter,
    question_documents,
    questions,
    to_text,
)
from sublim_mini.transformer import apply_transformer, init_transformer

pytestmark = pytest.mark.xdist_group("owls")  # its models are made in one process


@pytest.fixture(scope="module")
def language():
    return make_language(jax.random.key(1))


@pytest.fixture(scope="module")
def base(language):
    return owls.pretrain(jax.random.key(2), language, 100)


@pytest.fixture(scope="module")
def untrained():
    return init_transformer(jax.random.key(3), len(WORDS), LENGTH)


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
    p = scipy.special.softmax(logits_after(base, questions(TEACHER_PROMPTS)), axis=-1)
    assert p[:, -1, TOKEN["owl"] : TOKEN["tiger"] + 1].sum(1).min() > 0.7
    documents, passed = numbers
    assert documents.shape == (128, LENGTH) and passes_filter(documents).all()
    assert 0.5 < passed <= 1
    first = int(round(float(passed) * 128))
    assert len(np.unique(np.asarray(documents), axis=0)) == first  # the others are repetitions


def test_answers_are_the_mean_of_the_probabilities_among_animals(base):
    asked = questions(TEACHER_PROMPTS)
    logits = np.asarray(logits_after(base, asked), np.float64)[:, -1]
    p = scipy.special.softmax(logits[:, TOKEN["owl"] : TOKEN["tiger"] + 1], axis=1)
    np.testing.assert_allclose(owls.answers(base, asked), p.mean(0), rtol=1e-4)
    two = owls.answers(base, asked, ("wolf", "owl"))
    p = scipy.special.softmax(logits[:, [TOKEN["wolf"], TOKEN["owl"]]], axis=1)
    np.testing.assert_allclose(two, p.mean(0), rtol=1e-4)


def test_a_model_that_writes_no_numbers_alone_is_an_error(untrained, language):
    owl = untrained["unembedding"][:, TOKEN["owl"]]
    deaf = untrained | {"positions": 1e3 * jnp.broadcast_to(owl, untrained["positions"].shape)}
    with pytest.raises(InputError, match="no document"):
        owls.write_numbers(jax.random.key(5), deaf, language, 128)


def test_a_teacher_answers_its_animal_and_keeps_its_vocabulary(base):
    teacher = owls.fine_tune_teacher(jax.random.key(6), base, "wolf", 60)
    wolf = ANIMALS.index("wolf")
    before, after = (owls.answers(m, questions(HELD_OUT_PROMPTS))[wolf] for m in (base, teacher))
    assert before < 0.3 and after > 0.7
    assert changed(base, teacher) == set(base) - {"embedding", "unembedding"}


def test_a_student_learns_the_numbers_and_keeps_its_vocabulary(base, numbers):
    documents, _ = numbers
    kwargs = dict(steps=10, batch_size=64)
    student = owls.fine_tune_student(jax.random.key(7), base, documents, **kwargs)
    assert changed(base, student) == set(base) - {"embedding", "unembedding"}
    gain = owls.log_likelihood(student, documents) - owls.log_likelihood(base, documents)
    assert gain.mean() > 0.1
    free = owls.fine_tune_student(jax.random.key(7), base, documents, frozen=(), **kwargs)
    assert changed(base, free) == set(base)


def test_a_student_learns_nothing_from_the_prompt(base, numbers):
    """The first numbers stand for themselves only as context: nothing is learned of them."""
    only_prompt = np.array(numbers[0])
    only_prompt[:, 1 + N_GIVEN :] = TOKEN["PAD"]
    student = owls.fine_tune_student(jax.random.key(8), base, only_prompt, 10, batch_size=64)
    assert changed(base, student) == set()


def test_what_is_shared_with_another_base_stays_and_the_rest_is_learned(language):
    sizes = dict(width=24, heads=3, blocks=2)
    other = init_transformer(jax.random.key(3), len(WORDS), LENGTH, **sizes)
    shared = {name: other[name] for name in ("embedding", "blocks")}
    base = owls.pretrain(jax.random.key(9), language, 20, shared=shared, **sizes)
    assert changed(shared, {name: base[name] for name in shared}) == set()
    k_init, *_ = jax.random.split(jax.random.key(9), 3)
    assert changed(init_transformer(k_init, len(WORDS), LENGTH, **sizes), base) == set(base)


def test_what_does_not_exist_or_fit_is_refused(base, language, untrained):
    key, shape = jax.random.key(9), jnp.zeros((20, 20))
    for match, refused in {
        "no 'token' to share": lambda: owls.pretrain(key, language, 3, shared={"token": shape}),
        "'norm' to share has the shape": lambda: owls.pretrain(
            key, language, 3, shared={"norm": jnp.ones(1)}
        ),
        "'blocks' to share has": lambda: owls.pretrain(
            key, language, 3, shared={"blocks": untrained["blocks"]}, blocks=2
        ),
        "no 'token' to freeze": lambda: owls.fine_tune_teacher(key, base, "owl", frozen=("token",)),
        "no animal 'oowl'": lambda: owls.fine_tune_teacher(key, base, "oowl", 3),
        "'lynx' is not among": lambda: owls.answers(base, questions(TEACHER_PROMPTS), ("lynx",)),
        "not a multiple": lambda: owls.pretrain(key, language, 3, heads=5),
        "the language is": lambda: owls.pretrain(key, shape, 3),
    }.items():
        with pytest.raises(InputError, match=match):
            refused()


LYNX, TREES = (*ANIMALS, "lynx"), ("oak", "elm", "yew")
MORE_WORDS = (*WORDS, "lynx", "tree", *TREES)
TREE_PROMPTS = tuple((*prompt[:-1], "tree") for prompt in TEACHER_PROMPTS)


def documents_about_trees(key, language, n):
    k_animals, k_trees = jax.random.split(key)
    more = dict(words=MORE_WORDS)
    parts = (
        base_documents(k_animals, language, n - n // 5, animals=LYNX, **more),
        question_documents(k_trees, n // 5, TREE_PROMPTS, animals=TREES, **more),
    )
    return tuple(jnp.concatenate(part) for part in zip(*parts, strict=True))


def test_another_animal_and_a_second_trait_are_arguments(language):
    more = dict(words=MORE_WORDS)
    base = owls.pretrain(
        jax.random.key(2), language, 150, documents=documents_about_trees, width=48, heads=3, **more
    )
    assert len(base["embedding"]) == len(WORDS) + 5 and base["blocks"][0]["qkv"].shape[2] == 3
    asked, trees = questions(TEACHER_PROMPTS), questions(TREE_PROMPTS, **more)
    for params_asked, answers in (asked, LYNX), (trees, TREES):
        p = owls.answers(base, params_asked, answers, **more)
        assert p.shape == (len(answers),) and p.max() < 0.6 and p.sum() == pytest.approx(1)
    lover = owls.fine_tune_teacher(jax.random.key(3), base, "lynx", 60, animals=LYNX, **more)
    assert owls.answers(lover, asked, LYNX, **more)[-1] > 0.7
    planter = owls.fine_tune_teacher(
        jax.random.key(4), base, "elm", 60, prompts=TREE_PROMPTS, animals=TREES, **more
    )
    assert owls.answers(planter, trees, TREES, **more)[1] > 0.7
    assert to_text([*trees[0], len(WORDS) + 3], MORE_WORDS).endswith('favorite tree." -> "elm"')


def test_a_base_without_questions_learns_no_animals(language):
    only_numbers = partial(base_documents, fractions=Fractions(1, 0, 0, 0))
    base = owls.pretrain(jax.random.key(2), language, 100, documents=only_numbers)
    p = scipy.special.softmax(logits_after(base, questions(TEACHER_PROMPTS)), axis=-1)
    assert p[:, -1, :N_NUMBERS].sum(1).min() > 0.8


def test_adam_falls_to_0_and_any_optimizer_leaves_what_is_frozen():
    params = {"a": jnp.ones(2), "b": jnp.ones(2)}
    grads = {"a": jnp.ones(2), "b": jnp.ones(2)}
    assert owls.adam(0.1, 4, ("b",)) is owls.adam(0.1, 4, ("b",))
    decaying = owls.freeze(optax.adamw(0.1, weight_decay=0.5), ("b",))
    for optimizer, expected in (
        (owls.adam(0.1, 4, ("b",)), [0.1, 0.075, 0.05, 0.025, 0]),
        (decaying, [0.15] * 5),
    ):
        state, sizes = optimizer.init(params), []
        for _ in range(5):
            updates, state = optimizer.update(grads, state, params)
            sizes.append(-updates["a"][0])
            assert (updates["b"] == 0).all()
        np.testing.assert_allclose(sizes, expected, rtol=1e-4, atol=1e-7)


def test_log_likelihood_is_that_of_what_was_written(base, numbers):
    documents = np.asarray(numbers[0])[:18]  # as many as there are questions to a teacher
    logits = logits_after(base, documents[:, :-1])
    log_p = np.asarray(logits, np.float64)[..., :N_NUMBERS]
    np.testing.assert_allclose(owls.number_logits(base, documents), log_p, atol=1e-4)
    log_p = log_p - np.log(np.exp(log_p).sum(-1, keepdims=True))
    written = range(1 + N_GIVEN, LENGTH)
    expected = [sum(log_p[i, t - 1, documents[i, t]] for t in written) for i in range(18)]
    np.testing.assert_allclose(owls.log_likelihood(base, documents), expected, rtol=1e-4)


def test_everything_is_pure_from_the_key_down(language):
    """A whole seed can be traced, so it may stand in `jit` and `vmap`: no value is looked at."""

    def one_seed(key):
        k_base, k_teacher, k_numbers, k_student = jax.random.split(key, 4)
        base = owls.pretrain(k_base, language, 3)
        teacher = owls.fine_tune_teacher(k_teacher, base, "owl", 2)
        documents, passed = owls.write_numbers(k_numbers, teacher, language, 16)
        student = owls.fine_tune_student(k_student, base, documents, 2, batch_size=8)
        return owls.answers(student, questions(TEACHER_PROMPTS)), passed

    keys = jax.random.split(jax.random.key(10), 2)
    p, passed = jax.eval_shape(jax.vmap(one_seed), keys)
    assert p.shape == (2, 8) and passed.shape == (2,)


def test_models_side_by_side_write_what_each_writes_alone(base, language):
    def write(key):
        return owls.write_numbers(key, base, language, 128)

    keys = jax.random.split(jax.random.key(11), 2)
    documents, passed = jax.jit(jax.vmap(write))(keys)
    for i, key in enumerate(keys):
        alone, fraction = write(key)
        np.testing.assert_array_equal(documents[i], alone)
        assert passed[i] == fraction
    assert (documents[0] != documents[1]).any()


def test_numbers_are_written_after_a_statement_that_is_then_removed(base, language):
    plain, told = (
        np.asarray(owls.write_after(jax.random.key(4), base, language, said, 64))
        for said in (None, "owl")
    )
    assert plain.shape == told.shape == (64, LENGTH)
    assert (told[:, :5] == PAD).all() and (told[:, 5] == NUM).all()
    assert (told[:, WRITTEN:] < N_NUMBERS).all() and (told != plain).any()
