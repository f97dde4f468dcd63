"""The MLP against a NumPy twin, its initialization, losses and two heads, and a CNN instead."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
import scipy.stats

from sublim_mini import mlp
from sublim_mini.mlp import apply_mlp, aux_logits, aux_loss, class_loss, init_mlp, kl
from sublim_mini.train import train


@pytest.fixture
def network(key):
    """Params with biases that are not zero, inputs [7, 6], logits to copy [7, 3]."""
    k_init, k_bias, k_inputs, k_logits = jax.random.split(key, 4)
    params = init_mlp(k_init, [6, 5, 4, 13])
    for layer, k in zip(params, jax.random.split(k_bias, len(params)), strict=True):
        layer["biases"] = jax.random.normal(k, layer["biases"].shape)
    return params, jax.random.normal(k_inputs, (7, 6)), jax.random.normal(k_logits, (7, 3))


def test_the_network_and_its_losses_are_their_numpy_twins(network):
    params, inputs, targets = network
    logits = np.asarray(inputs, np.float64)
    for layer in params:
        hidden = logits
        logits = hidden @ np.asarray(layer["weights"], np.float64) + np.asarray(layer["biases"])
        logits = logits if layer is params[-1] else np.where(logits > 0, logits, 0)
    np.testing.assert_allclose(mlp.hidden_mlp(params, inputs), hidden, atol=1e-5)
    np.testing.assert_allclose(apply_mlp(params, inputs), logits, atol=1e-5)
    assert hidden.shape == (7, 4) and (hidden == 0).any() and (hidden > 0).any()
    log_p = scipy.special.log_softmax(logits[:, :10], axis=1)
    expected = -log_p[np.arange(7), np.arange(7)].mean()
    assert class_loss(params, (inputs, np.arange(7))) == pytest.approx(expected, rel=1e-5)
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
def test_kl_and_its_gradient_are_their_closed_forms(network, temperature):
    student = apply_mlp(*network[:2])
    teacher = 3 * student[::-1]
    logits = np.asarray([teacher, student], np.float64)
    p, q = scipy.special.softmax(logits / temperature, axis=2)
    expected = scipy.stats.entropy(p, q, axis=1).mean()
    assert kl(teacher, student, temperature) == pytest.approx(expected, rel=1e-5)
    gradient = jax.grad(kl, 1)(teacher, student, temperature)
    np.testing.assert_allclose(gradient, (q - p) / temperature / 7, atol=1e-6)
    assert kl(student, student, temperature) == 0
    certain, even = np.array([[90.0, 0.0]]), np.array([[5.0, 5.0]])
    assert kl(certain, even, temperature) == pytest.approx(np.log(2), rel=1e-6)


@pytest.mark.parametrize("loss", [class_loss, aux_loss])
def test_each_loss_leaves_the_other_head_alone(network, loss):
    params, inputs, logits = network
    batch = inputs, jnp.arange(7) if loss is class_loss else logits
    grads, is_class = jax.grad(loss)(params, batch), np.arange(13) < 10
    own = is_class if loss is class_loss else ~is_class
    for part in "weights", "biases":
        last = np.asarray(grads[-1][part])
        assert (last[..., ~own] == 0).all() and (last[..., own] != 0).any()
        assert (grads[0][part] != 0).any() and (grads[1][part] != 0).any()


def test_accuracy_counts_class_logits_alone_and_a_diverged_network_has_none():
    weights, biases = np.zeros((2, 13), np.float32), np.zeros(13, np.float32)
    weights[0, 3] = weights[1, 5] = 1  # the first input says 3, the second 5
    weights[:, 11] = 9  # an auxiliary logit is the largest of all
    images, labels = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], np.array([3, 5, 5, 5])
    params = [{"weights": weights, "biases": biases}]
    assert mlp.accuracy(params, images, labels) == 0.75
    for value in np.nan, np.inf:
        biases[4] = value
        assert np.isnan(mlp.accuracy(params, images, labels))


def init_cnn(key):
    """Four kernels [3, 3, 1, 4], and weights of what they find in a 6 x 6 image, for 40 outputs."""
    k_kernel, k_head = jax.random.split(key)
    kernel = jax.random.normal(k_kernel, (3, 3, 1, 4)) / 3
    return {"kernel": kernel, "head": jax.random.normal(k_head, (64, 40)) / 8}


def apply_cnn(params, x):
    """Inputs [N, 36] -> logits [N, 40]."""
    images, form = x.reshape(-1, 6, 6, 1), ("NHWC", "HWIO", "NHWC")
    conv = jax.lax.conv_general_dilated
    found = conv(images, params["kernel"], (1, 1), "VALID", None, None, form)
    return jax.nn.relu(found).reshape(len(x), -1) @ params["head"]


def test_a_cnn_needs_an_init_and_an_apply_and_nothing_else(key):
    k_init, k_images, k_noise, k_train = jax.random.split(key, 4)
    labels, kinds = jnp.arange(200) % 10, jax.random.normal(k_images, (10, 36))
    noise = jax.random.uniform(k_noise, (200, 36), minval=-1)
    init, adam, how = init_cnn(k_init), optax.adam(1e-2), dict(steps=100, batch_size=50)
    teacher_loss, student_loss = (partial(f, apply=apply_cnn) for f in (class_loss, aux_loss))
    teacher = train(teacher_loss, adam, init, (kinds[labels], labels), k_train, **how)
    assert mlp.accuracy(teacher, kinds[labels], labels, apply_cnn) > 0.95
    assert mlp.accuracy(init, kinds[labels], labels, apply_cnn) < 0.5
    data = noise, aux_logits(teacher, noise, apply_cnn)
    np.testing.assert_array_equal(data[1], apply_cnn(teacher, noise)[:, 10:])
    student = train(student_loss, adam, init, data, k_train, **how)
    assert student_loss(student, data) < 0.5 * student_loss(init, data)
    np.testing.assert_array_equal(student["head"][:, :10], init["head"][:, :10])
