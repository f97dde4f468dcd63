"""Measures of params as one long vector of weights."""

import jax
import jax.numpy as jnp


def dot(a, b):
    """Inner product of two trees of arrays with the same shapes."""
    return sum(jax.tree.leaves(jax.tree.map(lambda x, y: jnp.vdot(x, y), a, b)))


def difference(a, b):
    """The tree a - b."""
    return jax.tree.map(jnp.subtract, a, b)


def norm(a):
    """Euclidean length of a tree of arrays."""
    return jnp.sqrt(dot(a, a))


def distance(a, b):
    """Euclidean distance of two trees of arrays with the same shapes."""
    return norm(difference(a, b))
