"""Measures of params against NumPy on one flat vector."""

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from sublim_mini.measures import distance, dot, norm
from sublim_mini.mlp import init_mlp


def test_dot_norm_and_distance_are_those_of_the_flat_vectors(key):
    k_a, k_b = jax.random.split(key)
    a, b = init_mlp(k_a, [5, 4, 3]), init_mlp(k_b, [5, 4, 3])
    flat_a, flat_b = (np.asarray(ravel_pytree(x)[0], np.float64) for x in (a, b))
    assert dot(a, b) == pytest.approx(flat_a @ flat_b, rel=1e-4)
    assert norm(a) == pytest.approx(np.linalg.norm(flat_a), rel=1e-5)
    assert distance(a, b) == pytest.approx(np.linalg.norm(flat_a - flat_b), rel=1e-5)
