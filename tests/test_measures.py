"""Measures of params against NumPy on one flat vector; CKA and probes against other formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from sublim_mini.measures import (
    add,
    cosine,
    coverage,
    difference,
    distance,
    dot,
    effective_dimension,
    fit_probe,
    linear_cka,
    norm,
    remove_component,
)
from sublim_mini.mlp import accuracy, apply_mlp, init_mlp
from sublim_mini.train import ADAM, SGD, train


def flat(tree):
    return np.asarray(ravel_pytree(tree)[0], np.float64)


@pytest.fixture
def trees():
    return [init_mlp(k, [5, 4, 3]) for k in jax.random.split(jax.random.key(3))]


def test_measures_are_those_of_the_flat_vectors(trees):
    (a, b), (x, y) = trees, map(flat, trees)
    assert dot(a, b) == pytest.approx(x @ y, rel=1e-4)
    assert norm(a) == pytest.approx(np.linalg.norm(x), rel=1e-5)
    assert distance(a, b) == pytest.approx(np.linalg.norm(x - y), rel=1e-5)
    assert cosine(a, b) == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y), rel=1e-4)
    np.testing.assert_allclose(flat(add(a, b, 0.5)), x + 0.5 * y, rtol=1e-5)
    np.testing.assert_allclose(flat(difference(a, b)), x - y, rtol=1e-5)


def test_cosine_of_nothing_is_zero(trees):
    assert cosine(trees[0], jax.tree.map(jnp.zeros_like, trees[0])) == 0


def test_remove_component_leaves_the_rest(trees):
    (a, b), (x, y) = trees, map(flat, trees)
    left = flat(remove_component(a, b))
    assert abs(left @ y) < 1e-5
    np.testing.assert_allclose(left, x - (x @ y) / (y @ y) * y, atol=1e-6)


def test_only_an_agreeing_component_is_removed(trees):
    a, b = trees
    agreeing = add(a, b, 9.0)
    opposed = add(a, b, -9.0)
    assert abs(dot(remove_component(agreeing, b, positive_only=True), b)) < 1e-4
    kept = remove_component(opposed, b, positive_only=True)
    np.testing.assert_allclose(flat(kept), flat(opposed), rtol=1e-6)


@pytest.fixture
def activity(key):
    """Two sets of activity [50, 6] and [50, 4] that share some of what they hold."""
    k_a, k_b, k_mix = jax.random.split(key, 3)
    a, mix = jax.random.normal(k_a, (50, 6)) + 2, jax.random.normal(k_mix, (6, 4))
    return a, a @ mix + 2 * jax.random.normal(k_b, (50, 4))


def test_cka_is_the_cosine_of_the_centred_gram_matrices(activity):
    a, b = (np.asarray(x, np.float64) for x in activity)
    centre = np.eye(50) - 1 / 50
    gram_a, gram_b = centre @ a @ a.T @ centre, centre @ b @ b.T @ centre
    expected = np.sum(gram_a * gram_b) / np.linalg.norm(gram_a) / np.linalg.norm(gram_b)
    assert 0.1 < expected < 0.9  # neither trivial case
    assert linear_cka(*activity) == pytest.approx(expected, rel=1e-4)


def test_cka_ignores_shift_turn_and_scale_but_not_a_stretch(activity):
    a, _ = activity
    turn = jnp.linalg.qr(jax.random.normal(jax.random.key(8), (6, 6)))[0]
    assert linear_cka(a, 3 * a @ turn + 1) == pytest.approx(1, abs=1e-5)
    assert linear_cka(a, a * jnp.array([[9.0, 1, 1, 1, 1, 1]])) < 0.95


def test_cka_of_silent_units_is_zero(activity):
    assert linear_cka(activity[0], jnp.zeros((50, 4))) == 0


def test_probe_is_least_squares_with_extra_rows(activity):
    a, labels = np.asarray(activity[0], np.float64), np.arange(50) % 10
    centred, one_hot = a - a.mean(0), np.eye(10)[labels]
    rows = np.sqrt(0.1 * centred.var(0).mean() * 50) * np.eye(6)  # ridge as made-up examples
    stacked = np.vstack([centred, rows]), np.vstack([one_hot - one_hot.mean(0), np.zeros((6, 10))])
    expected = np.linalg.lstsq(*stacked)[0].T
    probe = fit_probe(activity[0], jnp.asarray(labels), penalty=0.1)
    np.testing.assert_allclose(probe["weights"], expected, atol=1e-4)
    np.testing.assert_allclose(
        probe["biases"], one_hot.mean(0) - expected @ a.mean(0), rtol=1e-3, atol=1e-4
    )


def test_probe_reads_what_is_there_and_nothing_else(key):
    k_labels, k_noise, k_turn = jax.random.split(key, 3)
    labels = jax.random.randint(k_labels, 400, 0, 10)
    turn = jax.random.normal(k_turn, (10, 20))
    there = jax.nn.one_hot(labels, 10) @ turn + 5
    noise = jax.random.normal(k_noise, (400, 20))
    assert accuracy([fit_probe(there, labels)], there, labels) == 1
    probe = fit_probe(noise[:200], labels[:200])
    assert accuracy([probe], noise[200:], labels[200:]) < 0.25


def test_probe_of_silent_units_is_finite(activity):
    probe = fit_probe(jnp.zeros((50, 4)), jnp.arange(50) % 10)
    assert np.isfinite(probe["weights"]).all() and (probe["weights"] == 0).all()


def test_effective_dimension_counts_directions(key):
    k_equal, k_any = jax.random.split(key)
    flat_directions, _ = jnp.linalg.qr(jax.random.normal(k_equal, (50, 4)))
    centred = flat_directions - flat_directions.mean(0, keepdims=True)
    orthogonal, _ = jnp.linalg.qr(centred)  # 4 directions of equal variance, mean 0
    wide = jnp.concatenate([7 * orthogonal + 3, jnp.ones((50, 5))], axis=1)
    assert effective_dimension(wide) == pytest.approx(4, rel=1e-4)
    activity = np.asarray(jax.random.normal(k_any, (40, 6))) * np.arange(1, 7)
    eigenvalues = np.linalg.eigvalsh(np.cov(activity.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert effective_dimension(jnp.asarray(activity)) == pytest.approx(expected, rel=1e-4)
    assert effective_dimension(jnp.ones((3, 2))) == 0


@pytest.mark.parametrize("optimizer", [ADAM, SGD])
def test_coverage_is_the_cosine_of_what_one_step_of_training_moves(trees, key, optimizer):
    start, displacement = trees
    k_inputs, k_targets, k_train = jax.random.split(key, 3)
    batch = jax.random.normal(k_inputs, (8, 5)), jax.random.normal(k_targets, (8, 3))

    def loss(params, batch):
        return ((apply_mlp(params, batch[0]) - batch[1]) ** 2).mean()

    how = dict(learning_rate=1e-2, steps=1, batch_size=8)
    after = train(loss, optimizer, start, batch, k_train, **how).params
    moved, wanted = flat(after) - flat(start), flat(displacement)
    expected = moved @ wanted / np.linalg.norm(moved) / np.linalg.norm(wanted)
    measured = coverage(loss, optimizer, start, batch, displacement)
    assert measured == pytest.approx(expected, abs=1e-4)
