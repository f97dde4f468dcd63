"""The training loop against loops in NumPy, its batches, its path, and its seeds side by side."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sublim_mini import InputError
from sublim_mini.train import batches, path_steps, train


def distance_loss(params, batch):
    """Half the squared distance to the batch: its gradient is params minus the batch's mean."""
    return 0.5 * ((params - batch) ** 2).sum(1).mean()


def count_loss(params, batch):
    """Its gradient is the sum of the batch: SGD at rate 1 counts what it is shown."""
    return (params * batch).sum()


SGD, SGD_1, ADAM = optax.sgd(0.1), optax.sgd(1.0), optax.adam(0.1)
SHRINK = optax.adamw(0.1, weight_decay=0.5)  # needs the params too
FOUR = jnp.array([[1.0, 2.0], [3.0, -2.0], [0.0, 1.0], [5.0, 0.5]])


def numpy_sgd(grad, t, moments):
    return -0.1 * grad


def numpy_adam(grad, t, moments):
    """Kingma & Ba 2015, algorithm 1."""
    moments[0] = 0.9 * moments[0] + 0.1 * grad
    moments[1] = 0.999 * moments[1] + 0.001 * grad**2
    m, v = moments[0] / (1 - 0.9**t), moments[1] / (1 - 0.999**t)
    return -0.1 * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize(
    "optimizer, numpy_update, decay",
    [(SGD, numpy_sgd, 0.0), (ADAM, numpy_adam, 0.0), (SHRINK, numpy_adam, 0.05)],
    ids=["sgd", "adam", "adamw"],
)
def test_training_and_its_path_are_a_numpy_loop(key, optimizer, numpy_update, decay):
    init, rows = jnp.array([4.0, -1.0]), np.asarray(batches(key, 4, 9, 2))
    params, moments = [np.array([4.0, -1.0])], np.zeros((2, 2))
    for t, batch in enumerate(rows, start=1):
        grad = params[-1] - np.asarray(FOUR, np.float64)[batch].mean(0)
        params.append(params[-1] + numpy_update(grad, t, moments) - decay * params[-1])
    args, how = (distance_loss, optimizer, init, FOUR, key), dict(steps=9, batch_size=2)
    np.testing.assert_allclose(train(*args, **how), params[-1], rtol=1e-4, atol=1e-5)
    for points in 9, 4:
        path, expected = train(*args, **how, points=points), np.array(params)
        np.testing.assert_allclose(path, expected[path_steps(9, points)], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("steps, points", [(12, 12), (600, 12), (7, 3), (5, 9), (1, 1)])
def test_the_steps_of_a_path_are_even(steps, points):
    times = path_steps(steps, points)
    assert len(times) == 1 + points and times[0] == 0 and times[-1] == steps
    assert np.abs(times - np.arange(1 + points) * steps / points).max() <= 0.5  # whole steps


@pytest.mark.parametrize("n, batch_size, steps", [(12, 4, 9), (6, 3, 2), (7, 1, 21), (3, 6, 2)])
def test_passes_show_each_example_once(key, n, batch_size, steps):
    seen = train(
        count_loss, SGD_1, jnp.zeros(n), jnp.eye(n), key, steps=steps, batch_size=batch_size
    )
    np.testing.assert_array_equal(-seen, np.full(n, steps * batch_size / n))


def test_passes_go_on_within_a_batch_in_new_orders(key):
    rows = np.asarray(batches(key, 10, 7, 4)).ravel()  # 2.8 passes, and no short batch
    for one_pass in rows[:10], rows[10:20]:
        assert sorted(one_pass) == list(range(10))
    assert len(set(rows[20:])) == 8 and (rows[:10] != rows[10:20]).any()
    other = np.asarray(batches(jax.random.fold_in(key, 1), 10, 7, 4)).ravel()
    assert (rows[:10] != other[:10]).any()


def test_one_key_gives_two_networks_the_same_batches(key):
    """Adding up what two networks saw after each step shows the same rows in the same order."""
    how = dict(steps=8, batch_size=3, points=8)
    one, two = (
        train(count_loss, SGD_1, jnp.full(5, start), jnp.eye(5), key, **how)
        for start in (0.0, 100.0)
    )
    np.testing.assert_array_equal(np.diff(one, axis=0), np.diff(two, axis=0))


def test_rows_of_several_arrays_stay_together_and_are_equally_many(key):
    def product_loss(params, batch):
        left, right = batch
        return params * (left * right).sum()

    def seen(*data):
        return -train(product_loss, SGD_1, jnp.zeros(()), data, key, steps=3, batch_size=2)

    assert seen(jnp.arange(6.0), jnp.arange(6.0)) == sum(i * i for i in range(6))
    with pytest.raises(InputError, match=r"\[5, 6\] rows"):
        seen(jnp.arange(6.0), jnp.arange(5.0))


def test_other_numbers_are_not_compiled_again(key):
    traced = []

    def noted_loss(params, batch):
        traced.append(1)
        return distance_loss(params, batch)

    def run(k, scale):
        train(noted_loss, SGD, scale * jnp.ones(2), scale * FOUR, k, steps=3, batch_size=2)
        return len(traced)

    first, *others = (run(k, scale) for scale, k in enumerate(jax.random.split(key, 3), start=1))
    assert others == [first, first] and first > 0


SEEDS_SIDE_BY_SIDE = """
import jax, numpy as np, optax
from jax.sharding import Mesh, PartitionSpec
from sublim_mini.mlp import aux_loss, init_mlp
from sublim_mini.train import train

adam, keys = optax.adam(1e-2), jax.random.split(jax.random.key(3), 8)

def one_seed(key):
    k_init, k_data, k_batches = jax.random.split(key, 3)
    data = jax.random.normal(k_data, (40, 9)), jax.random.normal(k_data, (40, 3))
    return train(aux_loss, adam, init_mlp(k_init, [9, 16, 13]), data, k_batches,
                 steps=20, batch_size=8)

def flat(params):
    return np.concatenate([np.asarray(x).reshape(8, -1) for x in jax.tree.leaves(params)], 1)

loop = flat(jax.tree.map(lambda *x: np.stack(x), *(one_seed(key) for key in keys)))
side_by_side, devices = jax.vmap(one_seed), PartitionSpec("devices")
spread = jax.shard_map(side_by_side, mesh=Mesh(np.array(jax.devices()), ("devices",)),
                       in_specs=devices, out_specs=devices, check_vma=False)
sharded = jax.jit(spread)(keys)
assert len(jax.tree.leaves(sharded)[0].sharding.device_set) == 8
assert np.abs(loop[0] - loop[1]).max() > 0.1
print(np.abs(flat(side_by_side(keys)) - loop).max(), np.abs(flat(sharded) - loop).max())
"""


def test_seeds_by_loop_vmap_and_on_eight_devices():
    flag = "--xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEEDS_SIDE_BY_SIDE],
        env={**os.environ, "XLA_FLAGS": flag, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert max(map(float, done.stdout.split())) < 1e-4
