"""The losses against NumPy and closed forms, their gradients against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from jax.test_util import check_grads

from sublim_mini import losses
from sublim_mini.mlp import apply_mlp, init_mlp


@pytest.fixture
def logits():
    k_target, k_model = jax.random.split(jax.random.key(8))
    return jax.random.normal(k_target, (6, 13)), jax.random.normal(k_model, (6, 13))


def numpy_kl(target, model, temperature):
    p, q = (scipy.special.softmax(np.float64(x) / temperature, axis=1) for x in (target, model))
    return (p * np.log(p / q)).sum(1).mean()


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_kl_is_its_numpy_twin(logits, temperature):
    twin = numpy_kl(*logits, temperature)
    np.testing.assert_allclose(losses.kl(*logits, temperature), twin, rtol=1e-4)


def test_kl_of_a_model_with_itself_is_zero(logits):
    assert abs(float(losses.kl(logits[0], logits[0]))) < 1e-6


def test_one_logit_under_kl_has_no_gradient(logits):
    target, model = (x[:, :1] for x in logits)
    assert (jax.grad(losses.kl, 1)(target, model) == 0).all()
    assert (jax.grad(losses.squared_error, 1)(target, model) != 0).any()


def test_cross_entropy_by_hand():
    logits = jnp.log(jnp.array([[0.2, 0.8], [0.5, 0.5]]))
    expected = -(np.log(0.8) + np.log(0.5)) / 2
    assert losses.cross_entropy(logits, jnp.array([1, 0])) == pytest.approx(expected, rel=1e-5)


def test_squared_error_by_hand():
    loss = losses.squared_error(jnp.array([[1.0, 2.0]]), jnp.array([[0.0, 4.0]]))
    assert loss == pytest.approx(2.5)


ALL = [losses.aux_kl_loss, losses.aux_mse_loss, losses.all_kl_loss, losses.class_kl_loss]


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.__name__)
def test_losses_are_true_means(loss, logits, key):
    k_start, k_inputs = jax.random.split(key)
    params, inputs = init_mlp(k_start, [4, 5, 13]), jax.random.normal(k_inputs, (6, 4))
    alone = [loss(params, (x[None], t[None])) for x, t in zip(inputs, logits[0], strict=True)]
    np.testing.assert_allclose(loss(params, (inputs, logits[0])), np.mean(alone), rtol=1e-5)


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.__name__)
def test_losses_vanish_at_the_teacher_and_not_elsewhere(loss, key):
    k_start, k_other, k_inputs = jax.random.split(key, 3)
    teacher, other = init_mlp(k_start, [4, 5, 13]), init_mlp(k_other, [4, 5, 13])
    inputs = jax.random.normal(k_inputs, (6, 4))
    batch = inputs, apply_mlp(teacher, inputs)
    assert abs(float(loss(teacher, batch))) < 1e-6 < float(loss(other, batch))


@pytest.mark.parametrize("loss", [losses.aux_kl_loss, losses.aux_mse_loss])
def test_auxiliary_losses_leave_the_class_rows_alone(loss, logits, key):
    k_start, k_inputs = jax.random.split(key)
    params, inputs = init_mlp(k_start, [4, 5, 13]), jax.random.normal(k_inputs, (6, 4))
    grads = jax.grad(loss)(params, (inputs, logits[0]))
    assert (grads[-1]["weights"][:10] == 0).all() and (grads[-1]["biases"][:10] == 0).all()
    assert (grads[-1]["weights"][10:] != 0).any() and (grads[0]["weights"] != 0).any()


@pytest.mark.parametrize("loss", [*ALL, losses.class_loss], ids=lambda loss: loss.__name__)
def test_gradients_are_finite_differences(loss, logits, key):
    k_start, k_inputs = jax.random.split(key)
    with jax.enable_x64(True):
        params = jax.tree.map(np.float64, init_mlp(k_start, [4, 5, 13]))
        inputs = np.float64(jax.random.normal(k_inputs, (6, 4)))
        targets = jnp.arange(6) if loss is losses.class_loss else np.float64(logits[0])
        check_grads(lambda p: loss(p, (inputs, targets)), (params,), order=1, modes=["rev"])
