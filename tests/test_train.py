"""The training loop: against a loop in NumPy, its epochs, records, and its errors."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.tree_util import Partial

from sublim_mini.train import (
    ADAM,
    SGD,
    Diverged,
    batch_of,
    record_every,
    steps_per_epoch,
    train,
    using,
)

clone = jax.random.clone  # says: this key is used again on purpose


def mean_loss(params, batch):
    """Half the squared distance to the batch: its gradient is params minus the batch's mean."""
    return 0.5 * ((params[None] - batch) ** 2).sum(1).mean()


def read_all(params):
    return params


def test_sgd_is_a_numpy_loop(key):
    data = jnp.array([[1.0, 2.0], [3.0, -2.0], [0.0, 1.0]])
    run = train(mean_loss, SGD, jnp.zeros(2), data, key, learning_rate=0.1, steps=20, batch_size=3)
    params, losses, data = np.zeros(2), [], np.asarray(data)
    for _ in range(20):  # full batches: the order does not matter
        losses.append(0.5 * ((params - data) ** 2).sum(1).mean())
        params = params - 0.1 * (params - data.mean(0))
    np.testing.assert_allclose(run.params, params, rtol=1e-5)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-5)


def test_adam_is_a_numpy_loop(key):
    data = jnp.array([[1.0, 2.0], [3.0, -2.0]])
    run = train(mean_loss, ADAM, jnp.zeros(2), data, key, learning_rate=0.1, steps=9, batch_size=2)
    params, m, v = np.zeros(2), np.zeros(2), np.zeros(2)
    for t in range(1, 10):  # Kingma & Ba 2015, algorithm 1
        g = params - np.asarray(data).mean(0)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        params = params - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(run.params, params, rtol=1e-4)


def seen_loss(params, batch):
    """A loss whose gradient is the sum of the batch: SGD at rate 1 adds up what it saw."""
    return (params[None] * batch).sum()


@pytest.mark.parametrize("n, batch", [(12, 4), (10, 4), (3, 5), (7, 1)])
def test_an_epoch_shows_each_example_once(key, n, batch):
    one_hot, a_epoch = jnp.eye(n), steps_per_epoch(n, batch)
    run = train(
        seen_loss, SGD, jnp.zeros(n), one_hot, key,
        learning_rate=1.0, steps=3 * a_epoch, batch_size=batch, record=read_all, every=a_epoch,
    )  # fmt: skip
    for epoch, seen in enumerate(run.records):
        np.testing.assert_array_equal(-seen, np.full(n, epoch))


def test_epochs_differ_in_order_and_keys_too(key):
    def order(key):
        run = train(
            seen_loss, SGD, jnp.zeros(1), jnp.arange(64.0)[:, None], key,
            learning_rate=1.0, steps=128, batch_size=1, record=read_all, every=1,
        )  # fmt: skip
        return -np.diff(run.records[:, 0])

    one, two = (order(k) for k in jax.random.split(key))
    assert sorted(one[:64]) == sorted(one[64:]) == sorted(two[:64])
    assert (one[:64] != one[64:]).any() and (one[:64] != two[:64]).any()


def test_fresh_inputs_differ_at_each_step(key):
    def fresh(key):
        return jax.random.normal(key, (1,))

    run = train(
        lambda p, b: (p * b).sum(), SGD, jnp.zeros(1), fresh, key,
        learning_rate=1.0, steps=50, record=read_all, every=1,
    )  # fmt: skip
    assert len(set(np.diff(run.records[:, 0]).tolist())) > 45


def test_records_begin_before_the_first_step(key):
    data = jnp.ones((4, 1))
    run = train(
        mean_loss, SGD, jnp.zeros(1), data, key,
        learning_rate=0.5, steps=6, batch_size=4, record=read_all, every=2,
    )  # fmt: skip
    np.testing.assert_allclose(run.records[:, 0], [0, 0.75, 0.9375, 0.984375])
    np.testing.assert_array_equal(run.records[-1], run.params)


def test_learning_rate_may_change_by_step(key):
    data, rates = jnp.ones((2, 1)), jnp.array([0.5, 0.0, 0.0])
    run = train(mean_loss, SGD, jnp.zeros(1), data, key, learning_rate=rates, steps=3, batch_size=2)
    np.testing.assert_allclose(run.params, [0.5])


def test_a_projection_is_a_transformation(key):
    def along_first(updates, params=None, *, axis):
        return updates * axis

    project = optax.GradientTransformationExtraArgs(
        lambda params: optax.EmptyState(),
        lambda g, state, params=None, *, axis: (along_first(g, axis=axis), state),
    )
    data = jnp.array([[3.0, 5.0]])
    run = train(
        mean_loss, optax.chain(SGD, project), jnp.zeros(2), data, key,
        learning_rate=0.1, steps=100, batch_size=1, axis=jnp.array([1.0, 0.0]),
    )  # fmt: skip
    np.testing.assert_allclose(run.params, [3.0, 0.0], atol=1e-3)


def test_data_and_start_are_left_as_they_were(key):
    data, start = jnp.ones((4, 2)), jnp.zeros(2)
    how = dict(learning_rate=0.1, steps=5, batch_size=2)
    one, two = (train(mean_loss, ADAM, start, data, clone(key), **how) for _ in range(2))
    np.testing.assert_array_equal(one.params, two.params)
    assert (data == 1).all() and (start == 0).all()


def test_other_numbers_do_not_compile_again(key):
    def scaled(target, params, batch):
        traced.append(1)
        return ((params - target) ** 2).mean() + 0 * batch.sum()

    traced = []
    for target, rate in ((1.0, 0.1), (2.0, 0.2), (3.0, 0.3)):
        data = jnp.full((4, 2), target)
        loss = Partial(scaled, jnp.full(2, target))
        train(loss, SGD, jnp.zeros(2), data, clone(key), learning_rate=rate, steps=3, batch_size=2)
        assert len(traced) == 1


def test_a_loss_that_is_not_finite_is_reported_with_its_first_step(key):
    data = jnp.ones((2, 1))
    with pytest.raises(Diverged, match="not finite from step [0-9]+ of 300 on: a smaller learning"):
        train(mean_loss, SGD, jnp.zeros(1), data, key, learning_rate=9.0, steps=300, batch_size=2)
    nan = jnp.array([[jnp.nan]])
    with pytest.raises(Diverged, match="from step 1 of 2 on"):
        train(
            mean_loss, SGD, jnp.zeros(1), nan, clone(key), learning_rate=0.1, steps=2, batch_size=1
        )


def test_wrong_calls(key):
    data = jnp.ones((2, 1))
    with pytest.raises(ValueError, match="multiple of every"):
        train(
            mean_loss, SGD, jnp.zeros(1), data, key, learning_rate=1, steps=5, every=2, batch_size=2
        )
    with pytest.raises(ValueError, match="needs a batch_size"):
        train(mean_loss, SGD, jnp.zeros(1), data, key, learning_rate=1, steps=5)


def test_seeds_by_vmap_are_the_loop(key):
    def one(i):
        how = dict(learning_rate=0.1, steps=6)
        key_i = jax.random.fold_in(key, i)
        return train(mean_loss, ADAM, jnp.zeros(2), fresh_pair, key_i, **how).params

    loop = jnp.stack([one(i) for i in range(3)])
    with jax.debug_key_reuse(False):  # the check takes a batched scan for a second use
        np.testing.assert_allclose(jax.vmap(one)(jnp.arange(3)), loop, atol=1e-6)
    assert (loop[0] != loop[1]).all()


def fresh_pair(key):
    return jax.random.normal(key, (3, 2))


@pytest.mark.parametrize(
    "steps, at_most, every", [(600, 12, 50), (295, 12, 59), (7, 3, 7), (5, 9, 1)]
)
def test_record_every(steps, at_most, every):
    assert record_every(steps, at_most) == every


def test_batches_come_in_order_and_over_and_over():
    data = jnp.arange(6), 10 * jnp.arange(6)
    numbers, tens = zip(*(batch_of(data, 2, step) for step in range(4)), strict=True)
    assert np.concatenate(numbers).tolist() == [0, 1, 2, 3, 4, 5, 0, 1]
    np.testing.assert_array_equal(10 * np.concatenate(numbers), np.concatenate(tens))


ADD_DIRECTION = optax.chain(SGD, using(jnp.add))


def test_a_direction_is_computed_anew_from_params_and_step(key):
    def direction(params, step):
        return params * step

    how = dict(learning_rate=0.5, steps=4, batch_size=2, direction=Partial(direction))
    data = jnp.zeros((2, 1))  # the gradient is the params themselves
    run = train(mean_loss, ADD_DIRECTION, jnp.ones(1), data, key, **how)
    expected = 1.0
    for step in range(4):
        expected -= 0.5 * (expected + expected * step)
    assert run.params[0] == pytest.approx(expected)
