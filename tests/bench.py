"""How well `train` uses the processor: `python tests/bench.py`, a minute on a quiet machine.

Two ratios, each a median over interleaved pairs, as other programs disturb single times: training
with two seeds side by side against plain matrix products (aim: at least 0.75), and two seeds side
by side against one after the other (aim: at least 1.6, on two cores). Of the first, the rows' order
takes 4 % of a step, Adam and the batch 2 % each; the product x' d of a weight's gradient is itself
0.8 as fast as x w.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sublim_mini.mlp import aux_loss, init_mlp
from sublim_mini.train import train

ADAM, KEYS = optax.adam(1e-3), jax.random.split(jax.random.key(1), 2)


def seconds(function, threads):
    """Wall-clock seconds of `function` on both keys."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        list(pool.map(lambda key: jax.block_until_ready(function(key)), KEYS))
        return time.perf_counter() - began


def trainer(sizes, n, steps):
    """A function of a key that trains a student of random numbers; FLOP of its products."""
    k_data, k_init = jax.random.split(jax.random.key(0))
    data = tuple(jax.random.normal(k_data, (4 * n, size)) for size in (sizes[0], sizes[-1] - 10))
    how, init = dict(steps=steps, batch_size=n), init_mlp(k_init, sizes)
    layers = [2 * n * n_in * n_out for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)]
    flops = steps * (3 * sum(layers) - layers[0])  # none gives the gradient of the inputs
    return lambda key: train(aux_loss, ADAM, init, data, key, **how), flops


@jax.jit
def multiply(left, right, key):
    """20 products that cannot be computed ahead or at once."""

    def step(i, left):  # each product waits for one number of the product before
        return left.at[0, 0].set((left @ right)[-1].max() * 0 + 1)

    return jax.lax.fori_loop(0, 20, step, left)


def main(pairs=20):
    paper, flops = trainer((784, 256, 256, 13), 1024, 20)
    course, _ = trainer((784, 96, 96, 20), 100, 300)
    plain_flops = 20 * 2 * 1024 * 784 * 1024
    plain = partial(multiply, jnp.ones((1024, 784)), jnp.ones((784, 1024)))
    for name, ours, theirs, scale in (
        ("training over plain products, FLOP/s", (paper, 2), (plain, 2), flops / plain_flops),
        ("two seeds side by side over one by one", (course, 2), (course, 1), 1),
    ):
        for function, threads in ours, theirs:
            seconds(function, threads)  # compiled before it is timed
        ratios = [scale * seconds(*theirs) / seconds(*ours) for _ in range(pairs)]
        low, middle, high = np.percentile(ratios, [25, 50, 75])
        print(f"{name}: {middle:.2f} (quartiles {low:.2f} to {high:.2f})", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
