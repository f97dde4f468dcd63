"""The training loop, one for every model: an optax optimizer on shuffled batches.

Letters: N examples, S seeds.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax


@partial(jax.jit, static_argnames=("loss", "optimizer", "steps", "batch_size"))
def train(loss, optimizer, params, data, key, *, steps, batch_size):
    """Params after `steps` steps of `optimizer` on `loss(params, batch)`.

    loss       a function defined once, at the top level: it is compiled once for each shape
    optimizer  any optax optimizer, such as `optax.adam(1e-3)`, made once
    data       an array or a tuple of arrays with N rows each; a batch is `batch_size` rows of each
    key        the order of the rows: networks trained with one key see the same batches

    A pure function of its arguments: it may stand inside `jit`, `vmap` or, with `check_vma=False`,
    `shard_map` (which else adds up the devices' gradients of biases that all begin at 0).
    """
    path = train_path(
        loss, optimizer, params, data, key, steps=steps, batch_size=batch_size, points=1
    )
    return jax.tree.map(lambda x: x[-1], path)


@partial(jax.jit, static_argnames=("loss", "optimizer", "steps", "batch_size", "points"))
def train_path(loss, optimizer, params, data, key, *, steps, batch_size, points):
    """As `train`, but the params at 1 + `points` evenly spaced times (see `path_steps`).

    The first are the initialization: each leaf is [1 + points, ...].
    """
    rows = batches(key, len(jax.tree.leaves(data)[0]), steps, batch_size)
    times = path_steps(steps, points)

    def step(i, state):
        params, opt_state = state
        batch = jax.tree.map(lambda x: x[rows[i]], data)
        grads = jax.grad(loss)(params, batch)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state

    def stretch(state, between):
        state = jax.lax.fori_loop(*between, step, state)
        return state, state[0]

    state = params, optimizer.init(params)
    _, path = jax.lax.scan(stretch, state, (times[:-1], times[1:]))
    return jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), params, path)


def path_steps(steps, points):
    """The numbers of steps [1 + points], from 0 to `steps`, at which `train_path` looks."""
    return np.linspace(0, steps, points + 1).round().astype(np.int32)


def batches(key, n, steps, batch_size):
    """Row numbers [steps, batch_size]: passes over n rows in new orders, cut into batches."""
    passes = -(-steps * batch_size // n)
    orders = jax.vmap(lambda k: jax.random.permutation(k, n))(jax.random.split(key, passes))
    return orders.ravel()[: steps * batch_size].reshape(steps, batch_size)
