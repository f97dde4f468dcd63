"""Measures of params, gradients and updates, each a tree of arrays taken as one long vector, and of
what hidden units hold.

Letters: N examples, H hidden units, K classes.
"""

import jax
import jax.numpy as jnp

from .mlp import N_CLASSES


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


def linear_cka(a, b):
    """Linear CKA of two sets of activity, [N, H] and [N, H'], on the same inputs, in 0 to 1.

    It is 1 if one is the other shifted, turned and scaled as a whole, 0 where either activity
    does not vary (Kornblith et al. 2019, section 3).
    """
    a, b = (x - x.mean(0, keepdims=True) for x in (a, b))
    lengths = jnp.linalg.norm(a.T @ a) * jnp.linalg.norm(b.T @ b)
    shared = (b.T @ a).ravel()
    return jnp.where(lengths > 0, shared @ shared / jnp.where(lengths > 0, lengths, 1), 0.0)


def fit_probe(activity, labels, penalty=1e-3):
    """Activity [N, H], labels [N] -> a linear readout, the layer `[probe]` of an MLP H-10.

    Ridge regression on one-hot labels, in closed form; the penalty is in units of the mean variance
    of a hidden unit. What it reads is in the layer, whether or not the network's own readout sees
    it (Alain and Bengio 2016).
    """
    targets = jax.nn.one_hot(labels, N_CLASSES, dtype=activity.dtype)  # [N, K]
    mean, target_mean = (x.mean(0, keepdims=True) for x in (activity, targets))
    centred = activity - mean
    covariance = centred.T @ centred / len(labels)  # [H, H]
    ridge = penalty * jnp.maximum(jnp.diag(covariance).mean(), 1e-30) * jnp.eye(mean.size)
    shared = (targets - target_mean).T @ centred / len(labels)  # [K, H]
    weights = jnp.linalg.solve(covariance + ridge, shared.T).T
    return {"weights": weights, "biases": (target_mean - mean @ weights.T)[0]}


def effective_dimension(activity):
    """Participation ratio of the covariance of activity [N, H]: from 1 to H, 0 if all is constant.

    (sum of eigenvalues)^2 / (sum of their squares): k equal directions of variance count as k.
    """
    centred = activity - activity.mean(0, keepdims=True)
    covariance = centred.T @ centred / len(activity)
    squares = (covariance**2).sum()
    return jnp.where(squares > 0, jnp.trace(covariance) ** 2 / jnp.maximum(squares, 1e-30), 0.0)


def first_update(loss, optimizer, params, batch):
    """The first update that `train` would apply, in units of its learning rate: a tree."""
    grads = jax.grad(loss)(params, batch)
    direction, _ = optimizer.update(grads, optimizer.init(params), params)
    return jax.tree.map(jnp.negative, direction)


def coverage(loss, optimizer, params, batch, displacement):
    """Cosine of the first applied update with the teacher's displacement (arXiv 2606.22019)."""
    return cosine(first_update(loss, optimizer, params, batch), displacement)
