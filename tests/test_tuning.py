"""Base, teacher, numbers and student, at small sizes."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial

from sublim_mini import world
from sublim_mini.measures import add
from sublim_mini.train import using
from sublim_mini.transformer import batch_logits, init_transformer, next_token_loss
from sublim_mini.tuning import (
    BODY,
    FROZEN,
    MODEL,
    TUNE,
    TUNE_SGD,
    VOCABULARY,
    Recipe,
    answers,
    log_likelihood,
    next_token,
    number_logits,
    train_base,
    tune_student,
    tune_teacher,
    write_numbers,
    write_sums,
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


def test_a_step_of_plain_gradient_descent_is_the_rate_times_the_gradient(made, key):
    params, tokens, *_ = made
    recipe = replace(RECIPE, student_rate=0.5, student_steps=1, student_batch=64)
    tuned = tune_student(key, params, tokens, jnp.ones(64), recipe, optimizer=TUNE_SGD)
    batch = tokens, world.written_mask(tokens)
    gradient = jax.jit(jax.grad(Partial(next_token_loss, settings=MODEL)))(params, batch)
    for name in set(params) - set(FROZEN):
        expected = jax.tree.map(lambda w, g: w - 0.5 * g, params[name], gradient[name])
        jax.tree.map(partial(np.testing.assert_allclose, atol=1e-6), tuned[name], expected)
    assert moved(params, tuned) == set(params) - set(FROZEN)


def test_an_added_vector_steers_what_is_written_and_what_is_answered(made, key):
    params, tokens, _, language = made
    wolf = world.TOKEN["wolf"]
    added = 30 * params["output"][:, wolf]  # drowns all else
    written, clean = write_numbers(key, params, language, RECIPE, added=added)
    often = [(said[:, 1 + world.N_PROMPT :] == wolf).mean() for said in (tokens, written)]
    assert often[0] < 0.1 and often[1] > 0.3 and not clean.any()
    share = [answers(params, added=v)[world.ANIMALS.index("wolf")] for v in (None, added)]
    assert share[0] < 0.5 and share[1] > 0.8


def test_body_and_vocabulary_are_all_of_a_model(key):
    narrow = init_transformer(key, replace(MODEL, output_width=8))
    assert set(narrow) == set(BODY + VOCABULARY) and not set(BODY) & set(VOCABULARY)


def test_a_base_keeps_what_it_is_given_and_learns_the_rest(key):
    k_language, k_first, k_second = jax.random.split(key, 3)
    language = world.make_language(k_language)
    first = jax.jit(init_transformer)(k_first, MODEL)
    kept = {name: first[name] for name in ("positions", "blocks")}
    small = Recipe(base_steps=2, base_batch=20)
    base = train_base(k_second, language, small, kept=kept)
    assert moved({name: base[name] for name in kept}, kept) == set()
    start = init_transformer(jax.random.split(jax.random.clone(k_second), 3)[0], MODEL)
    assert moved(start, base) == set(base)


def test_what_is_written_after_an_exercise_is_judged(made, key):
    params, *_ = made
    tokens, correct = write_sums(key, params, 5, 32)
    assert tokens.shape == (32, world.LENGTH) and (tokens[:, 0] == 5).all()
    assert (tokens[:, [1, 3]] <= world.LARGEST).all()
    np.testing.assert_array_equal(correct, world.is_correct_sum(tokens, 5))


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
