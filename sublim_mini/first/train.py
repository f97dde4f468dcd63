"""One training loop for every model of the project: `lax.scan` over steps, compiled once a shape.

Letters: N examples, B batch size.

What is compiled depends on the functions and on the shapes, never on the numbers in them. So give
numbers as arguments: a loss that needs a second array is `Partial(loss, array)`, and the learning
rate is an argument, not a part of the optimiser.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial

from ..errors import InputError

ADAM = optax.scale_by_adam()  # an optimiser gives a direction; `train` multiplies by the rate
SGD = optax.identity()


class Diverged(InputError):
    """The loss was not finite; the message names the first such step."""


class Run(NamedTuple):
    """What a training run leaves: final params, loss of each step, records every k steps."""

    params: Any
    losses: jax.Array  # [steps]
    records: Any  # leaves [1 + steps / every, ...], the first one taken before any step


def steps_per_epoch(n_examples, batch_size):
    """Batches in one pass over `n_examples`, the last short one included."""
    return -(-n_examples // batch_size)


def record_every(steps, at_most):
    """The smallest divisor of `steps` that makes at most so many records in a run."""
    return next(k for k in range(1, steps + 1) if steps % k == 0 and steps // k <= at_most)


def batch_of(data, size, step):
    """Batch number `step` of arrays [N, ...], in order and over and over: each [size, ...]."""
    at = step * size % len(jax.tree.leaves(data)[0])  # the last batch ends with the data
    return jax.tree.map(lambda x: jax.lax.dynamic_slice_in_dim(x, at, size), data)


def using(combine):
    """An optax stage: updates -> combine(updates, direction(params, step)); it counts the steps.

    The direction is an extra argument: `train(..., direction=...)`, computed at each step's params.
    """

    def init(params):
        return jnp.zeros((), jnp.int32)

    def update(updates, step, params, *, direction, **_):
        return combine(updates, direction(params, step)), step + 1

    return optax.GradientTransformationExtraArgs(init, update)


def train(
    loss,
    optimizer,
    params,
    data,
    key,
    *,
    learning_rate,
    steps,
    batch_size=None,
    record=None,
    every=None,
    **extra,
):
    """Minimise `loss(params, batch)` for `steps` steps and return a `Run`.

    data           arrays [N, ...] (any pytree): each epoch in a new order, to its last short batch
                   (not inside jit or vmap: the orders are drawn outside of what is compiled);
                   or a function, key -> batch: fresh inputs at each step
    optimizer      any optax transformation that gives a descent direction, such as `ADAM`
    learning_rate  a number, or an array [steps] with one rate a step
    record         params -> anything, called before the first step and then every `every` steps
    extra          passed on to the optimiser's `update` (optax's extra arguments)

    Raises Diverged after the run if a loss was not finite, ValueError if `steps` is not a multiple
    of `every` or a fixed set comes without a batch size.
    """
    if every is None:
        every = steps
    if steps < 1 or steps % every:
        raise ValueError(f"steps ({steps}) must be a positive multiple of every ({every})")
    if not callable(data) and not batch_size:
        raise ValueError("a fixed set of examples needs a batch_size")
    rates = jnp.broadcast_to(jnp.asarray(learning_rate, jnp.float32), (steps,))
    if callable(data):
        data, sources, n_short = _as_partial(data), jax.random.split(key, steps), 0
    else:
        n = len(jax.tree.leaves(data)[0])
        batch_size = min(batch_size, n)
        sources, n_short = _epoch_orders(key, n, steps, batch_size), n % batch_size
    run = _train(
        _as_partial(loss),
        _as_partial(record or _nothing),
        params,
        data,
        sources,
        rates,
        extra,
        optimizer=optimizer,
        every=every,
        n_short=n_short,
    )
    if not isinstance(run.losses, jax.core.Tracer):
        bad = np.flatnonzero(~np.isfinite(run.losses))
        if bad.size:
            raise Diverged(
                f"the loss is not finite from step {bad[0] + 1} of {steps} on: "
                "a smaller learning rate may help"
            )
    return run


@partial(jax.jit, static_argnames=("optimizer", "every", "n_short"))
def _train(loss, record, params, data, sources, rates, extra, *, optimizer, every, n_short):
    optimizer = optax.with_extra_args_support(optimizer)
    n_steps = rates.shape[0]

    def update(params, opt_state, batch, rate):
        value, grads = jax.value_and_grad(loss)(params, batch)
        direction, opt_state = optimizer.update(grads, opt_state, params, **extra)
        params = jax.tree.map(lambda p, d: p - (rate * d).astype(p.dtype), params, direction)
        return (params, opt_state), value

    if callable(data):

        def step(state, source_and_rate):
            source, rate = source_and_rate
            return update(*state, data(source), rate)

    else:
        a_epoch = steps_per_epoch(len(jax.tree.leaves(data)[0]), sources.shape[1])
        sources = sources, jnp.arange(n_steps) % a_epoch == a_epoch - 1

        def step(state, source_and_rate):
            (order, is_last), rate = source_and_rate

            def on(order):
                batch = jax.tree.map(lambda x: x.at[order].get(mode="promise_in_bounds"), data)
                return update(*state, batch, rate)

            if n_short == 0:
                return on(order)
            return jax.lax.cond(is_last, lambda: on(order[:n_short]), lambda: on(order))

    def chunk(state, sources_and_rates):  # `every` steps, then a record
        state, losses = jax.lax.scan(step, state, sources_and_rates)
        return state, (losses, record(state[0]))

    state = (params, optimizer.init(params))
    chunked = jax.tree.map(lambda x: x.reshape(-1, every, *x.shape[1:]), (sources, rates))
    (final, _), (losses, records) = jax.lax.scan(chunk, state, chunked)
    first = record(params)
    records = jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, records)
    return Run(final, losses.reshape(-1), records)


def _epoch_orders(key, n, n_steps, batch_size):
    """Which of n examples each step reads [steps, B]; the padding of short batches is never read.

    Drawn by NumPy, because a random order is a sort in JAX, which takes 30 times as long.
    """
    a_epoch = steps_per_epoch(n, batch_size)
    generator = np.random.default_rng(np.asarray(jax.random.bits(key, (4,))))
    orders = [generator.permutation(n) for _ in range(steps_per_epoch(n_steps, a_epoch))]
    padded = np.pad(np.array(orders, np.int32), ((0, 0), (0, a_epoch * batch_size - n)))
    return padded.reshape(-1, batch_size)[:n_steps]


def _as_partial(function):
    return function if isinstance(function, Partial) else Partial(function)


def _nothing(params):
    return jnp.zeros(())
