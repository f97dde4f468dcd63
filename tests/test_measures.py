"""Measures of params against NumPy on one flat vector."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from sublim_mini.measures import add, cosine, difference, distance, dot, norm, remove_component
from sublim_mini.mlp import init_mlp


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
