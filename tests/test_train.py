"""The training loop against loops in NumPy, its batches, its path, and its seeds side by side."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sublim_mini import InputError
from sublim_mini.train import batches, train


def distance_loss(params, batch):
    """Half the squared distance to the batch: its gradient is params minus the batch's mean."""
    return 0.5 * ((params - batch) ** 2).sum(1).mean()


SGD, ADAM = optax.sgd(0.1), optax.adam(0.1)
SHRINK = optax.adamw(0.1, weight_decay=0.5)  # needs the params too
INIT, FOUR = jnp.array([4.0, -1.0]), jnp.array([[1.0, 2.0], [3.0, -2.0], [0.0, 1.0], [5.0, 0.5]])
NINE = dict(steps=9, batch_size=2)


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
    params, moments = [np.array(INIT, np.float64)], np.zeros((2, 2))
    for t, rows in enumerate(np.asarray(batches(key, 4, **NINE)), start=1):
        grad = params[-1] - np.asarray(FOUR, np.float64)[rows].mean(0)
        params.append(params[-1] + numpy_update(grad, t, moments) - decay * params[-1])
    args = distance_loss, optimizer, INIT, FOUR, key
    np.testing.assert_allclose(train(*args, **NINE), params[-1], rtol=1e-4, atol=1e-5)
    path, steps = train(*args, **NINE, points=4), [0, 2, 4, 7, 9]  # evenly, in whole steps
    np.testing.assert_allclose(path, np.array(params)[steps], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n, batch_size, steps", [(10, 4, 7), (7, 1, 21), (5, 10, 2)])
def test_batches_are_passes_in_new_orders(key, n, batch_size, steps):
    rows = np.asarray(batches(key, n, steps, batch_size))  # a batch may go on in the next pass
    assert rows.shape == (steps, batch_size)
    passes = [rows.ravel()[i : i + n].tolist() for i in range(0, rows.size, n)]
    assert all(sorted(one) == list(range(n)) for one in passes[: rows.size // n])
    assert len(set(passes[-1])) == len(passes[-1])
    assert passes[0] != passes[1]
    other = np.asarray(batches(jax.random.fold_in(key, 1), n, steps, batch_size))
    assert (other != rows).any()


def test_rows_of_several_arrays_stay_together_and_are_equally_many(key):
    def product_loss(params, batch):
        left, right = batch
        return params * (left * right).sum()

    def seen(*data):
        return -train(product_loss, optax.sgd(1.0), jnp.zeros(()), data, key, steps=3, batch_size=2)

    assert seen(jnp.arange(6.0), jnp.arange(6.0)) == sum(i * i for i in range(6))
    with pytest.raises(InputError, match=r"\[5, 6\] rows"):
        seen(jnp.arange(6.0), jnp.arange(5.0))


def test_seeds_side_by_side_are_a_loop_that_is_compiled_once(key):
    traced = []

    def noted_loss(params, batch):
        traced.append(1)
        return distance_loss(params, batch)

    def one_seed(key):
        init = jax.random.normal(key, (2,))
        return train(noted_loss, ADAM, init, FOUR, key, **NINE)

    keys = jax.random.split(key, 3)
    side_by_side, first = jax.vmap(one_seed)(keys), one_seed(keys[0])
    once = len(traced)
    loop = np.stack([first, *map(one_seed, keys[1:])])
    assert len(traced) == once and np.abs(loop[0] - loop[1]).max() > 0.1
    np.testing.assert_allclose(side_by_side, loop, atol=1e-5)
