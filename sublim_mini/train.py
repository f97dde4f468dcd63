"""The training loop, one for every model: an optax optimizer on shuffled batches.

N is the number of examples.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from . import InputError


@partial(jax.jit, static_argnames=("loss", "optimizer", "steps", "batch_size", "points"))
def train(loss, optimizer, params, data, key, *, steps, batch_size, points=None):
    """Params after `steps` steps of `optimizer` on `loss(params, batch)`.

    loss       a function defined once, at the top level: it is compiled once for each shape
    optimizer  any optax optimizer, such as `optax.adam(1e-3)`, made once
    data       an array or a tuple of arrays with N rows each; a batch is `batch_size` rows of each
    key        the order of the rows: networks trained with one key see the same batches
    points     None, or: return the path of the params, each leaf [1 + points, ...], from the
               initialization to the end at evenly spaced, whole numbers of steps

    A pure function of its arguments: it may stand inside `jit` or `vmap`.
    """
    sizes = {len(x) for x in jax.tree.leaves(data)}
    if len(sizes) != 1:
        raise InputError(f"arrays of {sorted(sizes)} rows: they must have equally many")
    rows = batches(key, *sizes, steps, batch_size)

    def step(state, i):
        params, opt_state = state
        batch = jax.tree.map(lambda x: x[i], data)
        grads = jax.grad(loss)(params, batch)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return (optax.apply_updates(params, updates), opt_state), None

    state = params, optimizer.init(params)
    if points is None:
        (params, _), _ = jax.lax.scan(step, state, rows)
        return params

    def to_next_point(state, between):
        state = jax.lax.fori_loop(*between, lambda i, state: step(state, rows[i])[0], state)
        return state, state[0]

    times = np.linspace(0, steps, points + 1).round().astype(np.int32)
    _, path = jax.lax.scan(to_next_point, state, (times[:-1], times[1:]))
    return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), params, path)


def batches(key, n, steps, batch_size):
    """Row numbers [steps, batch_size]: passes over n rows in new orders, cut into batches."""
    passes = -(-steps * batch_size // n)
    orders = jax.vmap(lambda k: jax.random.permutation(k, n))(jax.random.split(key, passes))
    return orders.ravel()[: steps * batch_size].reshape(steps, batch_size)
