"""How fast is training? `python -m sublim_mini.bench` compares it with a plain matrix product.

Both are timed in one process, in turns, so that their ratio means something on a noisy machine.
"""

import argparse
import math
import statistics
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from tqdm import tqdm

from . import world
from .losses import class_loss
from .mlp import N_CLASSES, init_mlp
from .train import ADAM, train
from .transformer import init_transformer, next_token_loss
from .tuning import MODEL, Recipe, write_numbers

SIZES, BATCH, N_IMAGES = [784, 256, 256, N_CLASSES + 3], 1024, 8 * 1024  # the paper's
PRODUCT = 1024, 784, 1024


def flop_per_step(sizes, batch):
    """Floating-point operations of one step.

    There are 2 for each weight and example forward, 2 for the weight's gradient, and (but for the
    first layer) 2 for the inputs' gradient.
    """
    weights = [n_in * n_out for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True)]
    return 2 * batch * (3 * sum(weights) - weights[0])


@partial(jax.jit, static_argnames="n")
def products(a, b, n):
    """A chain of n products [1024, 784] x [784, 1024], each of which needs the one before it."""

    def step(a, _):
        c = a @ b
        return a + 1e-9 * c[:, : a.shape[1]], None

    return jax.lax.scan(step, a, length=n)[0]


def seconds(function, *args):
    """The time that one call takes until its result is there."""
    began = time.perf_counter()
    jax.block_until_ready(function(*args))
    return time.perf_counter() - began


def compare(pairs, steps):
    """Rates in GFLOP/s [pairs] of the product and of training, timed in turns."""
    k_a, k_b, k_start, k_images, k_train = jax.random.split(jax.random.key(0), 5)
    a, b = jax.random.normal(k_a, PRODUCT[:2]), jax.random.normal(k_b, PRODUCT[1:])
    start, run = init_mlp(k_start, SIZES), trainer(k_images, k_train, steps)
    flop_product, flop_train = 2 * math.prod(PRODUCT), steps * flop_per_step(SIZES, BATCH)
    n = round(flop_train / flop_product)  # both take about as long
    products(a, b, n), run(start)  # compile
    plain, training = [], []
    for _ in tqdm(range(pairs), desc="pairs", leave=False):
        plain.append(n * flop_product / seconds(products, a, b, n) / 1e9)
        training.append(flop_train / seconds(run, start) / 1e9)
    return plain, training


def trainer(k_images, k_train, steps):
    """params -> what `steps` steps at the paper's size make of them."""
    images = jax.random.uniform(k_images, (N_IMAGES, SIZES[0]), minval=-1, maxval=1)
    data = images, jnp.arange(N_IMAGES) % N_CLASSES

    def run(params):
        how = dict(learning_rate=3e-4, steps=steps, batch_size=BATCH)
        return train(class_loss, ADAM, params, data, jax.random.clone(k_train), **how).params

    return run


def scaling(counts, steps):
    """Seconds to train so many seeds, one after the other, beyond compiling: count -> seconds."""
    k_images, k_train, k_starts = jax.random.split(jax.random.key(1), 3)
    run = trainer(k_images, k_train, steps)
    starts = [init_mlp(k, SIZES) for k in jax.random.split(k_starts, max(counts))]
    run(starts[0])
    return {n: seconds(lambda n=n: [run(start) for start in starts[:n]]) for n in counts}


def token_rates(times, steps):
    """Trained and sampled tokens a second [times] of the transformer of lesson 08."""
    k_language, k_data, k_init, k_train, k_write = jax.random.split(jax.random.key(2), 5)
    recipe = Recipe(n_sequences=2000)
    language, params = world.make_language(k_language), init_transformer(k_init, MODEL)
    data = world.base_documents(k_data, language, 100 * recipe.base_batch)
    how = dict(learning_rate=1e-3, steps=steps, batch_size=recipe.base_batch)

    def learn():
        loss = Partial(next_token_loss, settings=MODEL)
        return train(loss, ADAM, params, data, jax.random.clone(k_train), **how).params

    def write():
        return write_numbers(jax.random.clone(k_write), params, language, recipe)

    n_learnt = steps * recipe.base_batch * (world.LENGTH - 1)
    n_written = recipe.n_sequences * (world.LENGTH - 1 - world.N_PROMPT)
    learn(), write()  # compile
    return [n_learnt / seconds(learn) for _ in range(times)], [
        n_written / seconds(write) for _ in range(times)
    ]


def cores():
    """The processor's name where the system tells it, and how many devices JAX sees."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names) or '?'} x {names[0] if names else 'unknown'}; JAX on {jax.devices()}"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="sublim_mini.bench", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="fewer steps: a look, not a measure")
    flags = parser.parse_args(argv)
    pairs, steps = (10, 8) if flags.quick else (20, 120)
    print(cores())
    plain, training = compare(pairs, steps)
    ratios = [t / p for t, p in zip(training, plain, strict=True)]
    per_step = flop_per_step(SIZES, BATCH) / 1e9
    print(f"{pairs} pairs, in turns                   median  (lowest to highest)")
    for name, values in {
        "plain product 1024x784x1024, GFLOP/s": plain,
        "training 784-256-256-13, GFLOP/s": training,
        "ratio": ratios,
        "training, model-steps/s": [t / per_step for t in training],
    }.items():
        middle = statistics.median(values)
        print(f"{name:38} {middle:7.2f}  ({min(values):.2f} to {max(values):.2f})")
    for name, values in zip(("trained", "sampled"), token_rates(pairs // 2, steps), strict=True):
        middle = statistics.median(values)
        shown = f"transformer, {name} tokens/s"
        print(f"{shown:38} {middle:7.0f}  ({min(values):.0f} to {max(values):.0f})")
    print("seeds, seconds beyond compiling:")
    for n, s in scaling([1, 2, 4, 8], steps).items():
        print(f"  {n}: {s:.2f} s, {s / n:.2f} s a seed")


if __name__ == "__main__":
    main()
