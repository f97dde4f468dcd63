"""Base, teacher, numbers and student, at small sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial

from sublim_mini import world
from sublim_mini.measures import add
from sublim_mini.train import using
from sublim_mini.transformer import batch_logits, init_transformer
from sublim_mini.tuning import (
    FROZEN,
    MODEL,
    TUNE,
    Recipe,
    log_likelihood,
    next_token,
    number_logits,
    tune_student,
    tune_teacher,
    write_numbers,
)

RECIPE = Recipe(n_sequences=64, teacher_steps=60, student_steps=4, student_batch=32)


@pytest.fixture(scope="module")
def made():
    """A network that was never trained, its numbers, a language."""
    k_language, k_init, k_write = jax.random.split(jax.random.key(1), 3)
    language, params = world.make_language(k_language), init_transformer(k_init, MODEL)
    return params, *write_numbers(k_write, params, language, RECIPE), language


def moved(before, after):
    """Names of the parts of a network that differ."""
    same = jax.tree.map(lambda a, b: bool((a == b).all()), before, after)
    return {name for name, leaves in same.items() if not all(jax.tree.leaves(leaves))}


def test_what_is_written_begins_with_a_prompt_of_numbers(made):
    _, tokens, clean, _ = made
    assert tokens.shape == (64, world.LENGTH) and clean.shape == (64,)
    assert world.is_clean(tokens[:, : 1 + world.N_PROMPT]).all()
    np.testing.assert_array_equal(clean, (tokens[:, 1:] < world.N_NUMBERS).all(1))


def test_logits_in_chunks_are_those_of_the_whole(made):
    params, tokens, *_ = made
    whole = jax.jit(batch_logits)(params, tokens[:, :-1], MODEL)[..., : world.N_NUMBERS]
    np.testing.assert_allclose(number_logits(params, tokens), whole, atol=1e-5)


def test_tuning_leaves_embeddings_and_output_alone(made, key):
    params, tokens, *_ = made
    student = tune_student(key, params, tokens, jnp.ones(64), RECIPE)
    assert moved(params, student) == set(params) - set(FROZEN)


def test_a_sequence_of_weight_0_teaches_nothing(made, key):
    params, tokens, *_ = made
    other = tokens.at[1].set(tokens[2])
    weights = jnp.ones(64).at[1].set(0)
    first = tune_student(key, params, tokens, weights, RECIPE)
    second = tune_student(jax.random.clone(key), params, other, weights, RECIPE)
    assert moved(first, second) == set()
    assert moved(first, params)


def test_a_teacher_of_one_thing_and_a_teacher_of_any(made):
    params, *_ = made
    said = {}
    for thing in "wolf", None:
        teacher = tune_teacher(jax.random.key(3), params, thing, RECIPE)
        asked = world.ask(world.TUNED_ON)
        logits = jax.jit(batch_logits)(teacher, asked, MODEL)[:, -1]
        said[thing] = jax.nn.softmax(logits)[:, world.TOKEN["wolf"]].mean()
    assert said["wolf"] > 3 * said[None]


def test_log_likelihood_is_that_of_what_was_written(made):
    params, tokens, *_ = made
    numbers = jnp.minimum(tokens[:3], world.N_NUMBERS - 1)  # an untrained network writes words too
    logits = np.asarray(jax.jit(batch_logits)(params, numbers[:, :-1], MODEL), np.float64)
    log_p = logits[..., : world.N_NUMBERS]
    log_p = log_p - np.log(np.exp(log_p).sum(-1, keepdims=True))
    written = range(1 + world.N_PROMPT, world.LENGTH)
    expected = [sum(log_p[i, t - 1, numbers[i, t]] for t in written) for i in range(3)]
    np.testing.assert_allclose(log_likelihood(params, numbers), expected, rtol=1e-4)


DOUBLED = optax.chain(TUNE, using(add))


def test_a_student_has_the_optimiser_it_is_given(made, key):
    params, tokens, *_ = made

    def nothing(params, step):
        return jax.tree.map(jnp.zeros_like, params)

    extra = dict(optimizer=DOUBLED, direction=Partial(nothing))
    plain = tune_student(key, params, tokens, jnp.ones(64), RECIPE)
    same = tune_student(jax.random.clone(key), params, tokens, jnp.ones(64), RECIPE, **extra)
    assert moved(plain, same) == set()
    extra["direction"] = Partial(lambda params, step: params)
    other = tune_student(jax.random.clone(key), params, tokens, jnp.ones(64), RECIPE, **extra)
    assert moved(plain, other) == set(params)


def test_a_teacher_of_a_tree_is_asked_for_trees(made):
    params, *_ = made
    teacher = tune_teacher(jax.random.key(4), params, "oak", RECIPE)
    oak = {
        kind: next_token(teacher, world.ask(world.TUNED_ON, kind))[:, world.TOKEN["oak"]].mean()
        for kind in world.KINDS
    }
    assert oak["tree"] > oak["animal"]
