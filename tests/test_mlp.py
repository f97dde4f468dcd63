"""The MLP against a NumPy twin, its initialization, its losses, and its two heads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats
from jax.test_util import check_grads

from sublim_mini.mlp import (
    accuracy,
    apply_mlp,
    aux_logits,
    aux_loss,
    class_loss,
    hidden_mlp,
    init_mlp,
    kl,
)

SIZES = [6, 5, 4, 13]


def numpy_mlp(params, x):
    """Inputs [N, 6] -> (activations of the last hidden layer [N, 4], logits [N, 13]), float64."""
    x = np.asarray(x, np.float64)
    for layer in params:
        hidden = x
        x = hidden @ np.asarray(layer["weights"], np.float64) + np.asarray(layer["biases"])
        x = x if layer is params[-1] else np.where(x > 0, x, 0)
    return hidden, x


@pytest.fixture
def network(key):
    """Params with biases that are not zero, inputs [7, 6], logits to copy [7, 13]."""
    k_init, k_bias, k_inputs, k_logits = jax.random.split(key, 4)
    params = init_mlp(k_init, SIZES)
    for layer, k in zip(params, jax.random.split(k_bias, len(params)), strict=True):
        layer["biases"] = jax.random.normal(k, layer["biases"].shape)
    return params, jax.random.normal(k_inputs, (7, 6)), jax.random.normal(k_logits, (7, 3))


def test_the_network_is_its_numpy_twin(network):
    params, inputs, _ = network
    hidden, logits = numpy_mlp(params, inputs)
    np.testing.assert_allclose(hidden_mlp(params, inputs), hidden, atol=1e-5)
    np.testing.assert_allclose(apply_mlp(params, inputs), logits, atol=1e-5)
    assert hidden.shape == (7, 4) and (hidden == 0).any() and (hidden > 0).any()


def test_one_example_is_a_batch_of_one(network):
    params, inputs, _ = network
    alone = jnp.concatenate([apply_mlp(params, x[None]) for x in inputs])
    np.testing.assert_allclose(apply_mlp(params, inputs), alone, atol=1e-5)


def test_the_initialization_has_the_scale_of_its_inputs(key):
    for n_in, n_out in (400, 900), (25, 4000):
        (layer,) = init_mlp(key, [n_in, n_out])
        assert layer["weights"].shape == (n_in, n_out) and not layer["biases"].any()
        weights = n_in**0.5 * np.asarray(layer["weights"])
        assert abs(weights.std() - 1) < 0.01 and abs(weights.mean()) < 0.01
        assert abs(scipy.stats.kurtosis(weights, axis=None)) < 0.1  # normal, not uniform


def test_layers_and_keys_differ(key):
    one, two = (init_mlp(k, [8, 8, 8]) for k in jax.random.split(key))
    first, second = (layer["weights"] for layer in one)
    assert not np.isclose(first, second).any()
    assert not np.isclose(first, two[0]["weights"]).any()


def test_class_loss_is_the_cross_entropy_of_the_class_logits(network):
    params, inputs, _ = network
    labels = np.arange(7)
    log_p = scipy.special.log_softmax(numpy_mlp(params, inputs)[1][:, :10], axis=1)
    expected = -log_p[np.arange(7), labels].mean()
    assert class_loss(params, (inputs, labels)) == pytest.approx(expected, rel=1e-5)


def test_aux_loss_is_the_squared_error_of_the_auxiliary_logits(network):
    params, inputs, targets = network
    error = numpy_mlp(params, inputs)[1][:, 10:] - np.asarray(targets)
    assert aux_loss(params, (inputs, targets)) == pytest.approx((error**2).mean(), rel=1e-5)
    assert aux_loss(params, (inputs, aux_logits(params, inputs))) == 0


@pytest.mark.parametrize("temperature", [1, 4])
def test_kl_is_its_numpy_twin(network, temperature):
    params, inputs, _ = network
    student_logits = apply_mlp(params, inputs)
    teacher_logits = 3 * student_logits[::-1]
    p, q = (
        scipy.special.softmax(np.asarray(x, np.float64) / temperature, axis=1)
        for x in (teacher_logits, student_logits)
    )
    expected = scipy.stats.entropy(p, q, axis=1).mean()
    assert kl(teacher_logits, student_logits, temperature) == pytest.approx(expected, rel=1e-5)


def test_kl_of_two_classes_has_a_closed_form():
    """Certain against even is log 2, and logits count only up to a constant."""
    teacher, student = np.array([[90.0, 0.0]]), np.array([[5.0, 5.0]])
    assert kl(teacher, student) == pytest.approx(np.log(2), rel=1e-6)
    assert kl(teacher + 7, student - 3, 1e-3) == pytest.approx(np.log(2), rel=1e-6)


def test_kl_is_least_at_the_teacher_and_its_gradient_is_the_difference_of_probabilities(network):
    with jax.enable_x64(True):
        logits = np.float64(network[2])
        assert kl(logits, logits) == 0 and kl(logits, logits[::-1]) > 0.1
        assert np.abs(jax.grad(kl, 1)(logits, logits)).max() < 1e-15
        p, q = (scipy.special.softmax(x / 4, axis=1) for x in (logits, logits[::-1]))
        gradient = jax.grad(kl, 1)(logits, logits[::-1], 4.0)
        np.testing.assert_allclose(gradient, (q - p) / 4 / 7, atol=1e-12)
        check_grads(lambda x: kl(logits, x, 4.0), (logits[::-1],), order=1, modes=["rev"])


@pytest.mark.parametrize("loss", [class_loss, aux_loss])
def test_gradients_are_finite_differences(network, loss):
    with jax.enable_x64(True):
        params, inputs, logits = jax.tree.map(np.float64, network)
        batch = inputs, jnp.arange(7) if loss is class_loss else logits
        check_grads(lambda p: loss(p, batch), (params,), order=1, modes=["rev"], eps=1e-6)


def test_each_loss_leaves_the_other_head_alone(network):
    params, inputs, logits = network
    heads = {"class": slice(0, 10), "aux": slice(10, None)}
    for loss, targets, own, other in (
        (class_loss, jnp.arange(7), "class", "aux"),
        (aux_loss, logits, "aux", "class"),
    ):
        grads = jax.grad(loss)(params, (inputs, targets))
        for part in "weights", "biases":
            last = np.asarray(grads[-1][part])
            assert (last[..., heads[other]] == 0).all() and (last[..., heads[own]] != 0).any()
            assert (grads[0][part] != 0).any() and (grads[1][part] != 0).any()


def test_accuracy_counts_class_logits_alone():
    weights = np.zeros((2, 13), np.float32)
    weights[0, 3] = weights[1, 5] = 1  # the first input says 3, the second 5
    weights[:, 11] = 9  # an auxiliary logit is the largest of all
    params = [{"weights": weights, "biases": np.zeros(13, np.float32)}]
    images = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)
    assert accuracy(params, images, np.array([3, 5, 5, 5])) == 0.75


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_diverged_network_has_no_accuracy(network, value):
    params, inputs, _ = network
    labels = numpy_mlp(params, inputs)[1][:, :10].argmax(1)
    assert accuracy(params, inputs, labels) == 1
    params[-1]["biases"] = params[-1]["biases"].at[4].set(value)
    assert np.isnan(accuracy(params, inputs, labels))
