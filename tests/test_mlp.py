"""The MLP against a NumPy twin, its initialization, losses and two heads, and a CNN instead."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
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
from sublim_mini.train import train

SIZES = [6, 5, 4, 13]
HEADS = {class_loss: (slice(0, 10), slice(10, None)), aux_loss: (slice(10, None), slice(0, 10))}


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
    """Params with biases that are not zero, inputs [7, 6], logits to copy [7, 3]."""
    k_init, k_bias, k_inputs, k_logits = jax.random.split(key, 4)
    params = init_mlp(k_init, SIZES)
    for layer, k in zip(params, jax.random.split(k_bias, len(params)), strict=True):
        layer["biases"] = jax.random.normal(k, layer["biases"].shape)
    return params, jax.random.normal(k_inputs, (7, 6)), jax.random.normal(k_logits, (7, 3))


def test_the_network_and_its_losses_are_their_numpy_twins(network):
    params, inputs, targets = network
    hidden, logits = numpy_mlp(params, inputs)
    np.testing.assert_allclose(hidden_mlp(params, inputs), hidden, atol=1e-5)
    np.testing.assert_allclose(apply_mlp(params, inputs), logits, atol=1e-5)
    assert hidden.shape == (7, 4) and (hidden == 0).any() and (hidden > 0).any()
    labels = np.arange(7)
    log_p = scipy.special.log_softmax(logits[:, :10], axis=1)
    expected = -log_p[np.arange(7), labels].mean()
    assert class_loss(params, (inputs, labels)) == pytest.approx(expected, rel=1e-5)
    error = logits[:, 10:] - np.asarray(targets)
    assert aux_loss(params, (inputs, targets)) == pytest.approx((error**2).mean(), rel=1e-5)
    assert aux_loss(params, (inputs, aux_logits(params, inputs))) == 0


def test_the_initialization_has_the_scale_of_its_inputs_and_its_layers_differ(key):
    for n_in, n_out in (400, 900), (25, 4000):
        (layer,) = init_mlp(key, [n_in, n_out])
        assert layer["weights"].shape == (n_in, n_out) and not layer["biases"].any()
        weights = n_in**0.5 * np.asarray(layer["weights"])
        assert abs(weights.std() - 1) < 0.01 and abs(weights.mean()) < 0.01
        assert abs(scipy.stats.kurtosis(weights, axis=None)) < 0.1  # normal, not uniform
    one, two = (init_mlp(k, [8, 8, 8]) for k in jax.random.split(key))
    assert not np.isclose(one[0]["weights"], one[1]["weights"]).any()
    assert not np.isclose(one[0]["weights"], two[0]["weights"]).any()


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
    certain, even = np.array([[90.0, 0.0]]), np.array([[5.0, 5.0]])
    assert kl(certain, even, temperature) == pytest.approx(np.log(2), rel=1e-6)


def test_the_gradient_of_kl_is_the_difference_of_probabilities(network):
    with jax.enable_x64(True):
        logits = np.float64(network[2])
        assert kl(logits, logits) == 0 and np.abs(jax.grad(kl, 1)(logits, logits)).max() < 1e-15
        p, q = (scipy.special.softmax(x / 4, axis=1) for x in (logits, logits[::-1]))
        gradient = jax.grad(kl, 1)(logits, logits[::-1], 4.0)
        np.testing.assert_allclose(gradient, (q - p) / 4 / 7, atol=1e-12)


@pytest.mark.parametrize("loss", HEADS)
def test_gradients_are_finite_differences_and_leave_the_other_head_alone(network, loss):
    with jax.enable_x64(True):
        params, inputs, logits = jax.tree.map(np.float64, network)
        batch = inputs, jnp.arange(7) if loss is class_loss else logits
        check_grads(lambda p: loss(p, batch), (params,), order=1, modes=["rev"], eps=1e-6)
        grads, (own, other) = jax.device_get(jax.grad(loss)(params, batch)), HEADS[loss]
    for part in "weights", "biases":
        last = grads[-1][part]
        assert (last[..., other] == 0).all() and (last[..., own] != 0).any()
        assert (grads[0][part] != 0).any() and (grads[1][part] != 0).any()


def test_accuracy_counts_class_logits_alone_and_a_diverged_network_has_none():
    weights = np.zeros((2, 13), np.float32)
    weights[0, 3] = weights[1, 5] = 1  # the first input says 3, the second 5
    weights[:, 11] = 9  # an auxiliary logit is the largest of all
    biases = np.zeros(13, np.float32)
    images = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32)

    def measured():
        params = [{"weights": weights, "biases": biases}]
        return accuracy(params, images, np.array([3, 5, 5, 5]))

    assert measured() == 0.75
    for value in np.nan, np.inf:
        biases[4] = value
        assert np.isnan(measured())


def init_cnn(key, channels=4, outputs=40):
    """Kernels [3, 3, 1, channels], and weights of what they find in a 6 x 6 image."""
    k_kernel, k_head = jax.random.split(key)
    head = jax.random.normal(k_head, (16 * channels, outputs)) / (16 * channels) ** 0.5
    return {"kernel": jax.random.normal(k_kernel, (3, 3, 1, channels)) / 3, "head": head}


def apply_cnn(params, x):
    """Inputs [N, 36] -> logits [N, O]."""
    form = "NHWC", "HWIO", "NHWC"
    images = x.reshape(-1, 6, 6, 1)
    found = jax.lax.conv_general_dilated(
        images, params["kernel"], (1, 1), "VALID", None, None, form
    )
    return jax.nn.relu(found).reshape(len(x), -1) @ params["head"]


CNN_LOSSES = [partial(loss, apply=apply_cnn) for loss in (class_loss, aux_loss)]


def test_a_cnn_needs_an_init_and_an_apply_and_nothing_else(key):
    k_init, k_images, k_noise, k_train = jax.random.split(key, 4)
    labels = jnp.arange(600) % 10
    kinds = jax.random.normal(k_images, (10, 36))  # ten pictures, each with errors of its own
    images = kinds[labels] + 0.3 * jax.random.normal(k_images, (600, 36))
    init, adam, how = init_cnn(k_init), optax.adam(1e-2), dict(steps=200, batch_size=50)
    teacher = train(CNN_LOSSES[0], adam, init, (images, labels), k_train, **how)
    said = np.asarray(apply_cnn(teacher, images))
    right = (said[:, :10].argmax(1) == labels).mean()
    assert accuracy(teacher, images, labels, apply_cnn) == pytest.approx(right) and right > 0.95
    noise = jax.random.uniform(k_noise, (1000, 36), minval=-1)
    data = noise, aux_logits(teacher, noise, apply_cnn)
    np.testing.assert_array_equal(data[1], apply_cnn(teacher, noise)[:, 10:])
    student = train(CNN_LOSSES[1], adam, init, data, k_train, **how)
    before, after = (CNN_LOSSES[1](params, data) for params in (init, student))
    assert after < 0.3 * before
    np.testing.assert_array_equal(student["head"][:, :10], init["head"][:, :10])
    assert (student["kernel"] != init["kernel"]).all()
