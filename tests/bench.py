"""How well `train` uses the processor: `python tests/bench.py`, a minute on a quiet machine.

Two ratios, each a median over interleaved pairs, as other programs disturb single times:
training with two seeds side by side against plain matrix products (aim: at least 0.70), and two
seeds side by side against one after the other (aim: at least 1.6, on two cores).
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sublim_mini.mlp import aux_loss, init_mlp
from sublim_mini.train import train

ADAM, THREADS = optax.adam(1e-3), 2


def products_flops(sizes, n):
    """FLOP of the matrix products of one step: none gives the gradient of the inputs."""
    layers = [2 * n * n_in * n_out for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)]
    return 3 * sum(layers) - layers[0]  # forward, weights, and hidden activations


def seconds(function, keys, threads):
    """Wall and processor seconds of `function` on each key."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter(), time.process_time()
        list(pool.map(lambda key: jax.block_until_ready(function(key)), keys))
        return time.perf_counter() - began[0], time.process_time() - began[1]


def trainer(sizes, batch_size, steps):
    """A function of a key that trains a student of random numbers."""
    k_data, k_init = jax.random.split(jax.random.key(0))
    noise = jax.random.uniform(k_data, (4 * batch_size, sizes[0]))
    data = noise, jax.random.normal(k_data, (4 * batch_size, sizes[-1] - 10))
    init = init_mlp(k_init, sizes)
    return lambda key: train(aux_loss, ADAM, init, data, key, steps=steps, batch_size=batch_size)


@jax.jit
def multiply(key, left, right):
    """20 products that cannot be computed ahead or at once."""

    def step(i, left):  # each product waits for one number of the product before
        return left.at[0, 0].set((left @ right)[-1].max() * 0 + 1)

    return jax.lax.fori_loop(0, 20, step, left)


def median(name, pairs, ratio):
    values = [ratio(*pair) for pair in pairs]
    low, middle, high = np.percentile(values, [25, 50, 75])
    print(f"{name}: {middle:.2f} (quartiles {low:.2f} to {high:.2f})", flush=True)


def main(pairs=20):
    keys = jax.random.split(jax.random.key(1), THREADS)
    sizes, batch_size, steps = (784, 256, 256, 13), 1024, 20
    left, right = jnp.ones((1024, 784)), jnp.ones((784, 1024))
    plain_flops = 20 * 2 * 1024 * 784 * 1024
    train_flops = steps * products_flops(sizes, batch_size)
    paper = trainer(sizes, batch_size, steps)

    def plain(key):
        return multiply(key, left, right)

    course = trainer((784, 96, 96, 20), 100, 300)
    for function in paper, plain, course:
        seconds(function, keys, THREADS)  # compiled before it is timed
    both = [(seconds(paper, keys, THREADS), seconds(plain, keys, THREADS)) for _ in range(pairs)]
    for what, i in ("wall", 0), ("processor", 1):
        median(
            f"FLOP/s of training over those of plain products, {what} seconds",
            both,
            lambda ours, theirs, i=i: train_flops / ours[i] / (plain_flops / theirs[i]),
        )
    both = [(seconds(course, keys, 1), seconds(course, keys, THREADS)) for _ in range(pairs)]
    median("two seeds side by side over one by one", both, lambda one, two: one[0] / two[0])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
