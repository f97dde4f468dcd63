"""Measures of params, gradients and updates, each a tree of arrays taken as one long vector."""

import jax
import jax.numpy as jnp


def dot(a, b):
    """Inner product of two trees with the same shapes."""
    return sum(jax.tree.leaves(jax.tree.map(jnp.vdot, a, b)))


def add(a, b, scale=1.0):
    """The tree a + scale * b."""
    return jax.tree.map(lambda x, y: x + scale * y, a, b)


def difference(a, b):
    """The tree a - b."""
    return jax.tree.map(jnp.subtract, a, b)


def norm(a):
    """Euclidean length of a tree."""
    return jnp.sqrt(dot(a, a))


def distance(a, b):
    """Euclidean distance of two trees with the same shapes."""
    return norm(difference(a, b))


def cosine(a, b):
    """Cosine of two trees with the same shapes; 0 if either is all zero."""
    lengths = norm(a) * norm(b)
    return jnp.where(lengths > 0, dot(a, b) / jnp.where(lengths > 0, lengths, 1), 0.0)


def remove_component(a, direction, positive_only=False):
    """a without its component along `direction`; `positive_only`: where the two agree alone."""
    share = dot(a, direction) / jnp.maximum(dot(direction, direction), 1e-30)
    return add(a, direction, -jnp.maximum(share, 0) if positive_only else -share)
