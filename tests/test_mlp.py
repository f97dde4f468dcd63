"""The MLP against a NumPy twin, its start, and its heads."""

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.mlp import (
    accuracy,
    add_noise,
    apply_mlp,
    aux_logits,
    class_logits,
    clear_class_rows,
    hidden_mlp,
    init_mlp,
)

SIZES = [6, 5, 4, 12]


def numpy_mlp(params, inputs):
    x = np.asarray(inputs, np.float64)
    for i, layer in enumerate(params):
        x = x @ np.asarray(layer["weights"], np.float64).T + np.asarray(layer["biases"])
        if i < len(params) - 1:
            x = np.where(x > 0, x, 0)
    return x


def test_apply_is_its_numpy_twin(key):
    k_start, k_bias, k_inputs = jax.random.split(key, 3)
    params = init_mlp(k_start, SIZES)
    keys = jax.random.split(k_bias, len(params))
    for layer, k in zip(params, keys, strict=True):
        layer["biases"] = jax.random.normal(k, layer["biases"].shape)
    inputs = jax.random.normal(k_inputs, (7, 6))
    np.testing.assert_allclose(apply_mlp(params, inputs), numpy_mlp(params, inputs), atol=1e-5)
    hidden = hidden_mlp(params, inputs)
    last = hidden @ params[-1]["weights"].T + params[-1]["biases"][None]
    np.testing.assert_allclose(last, apply_mlp(params, inputs), atol=1e-6)
    assert hidden.shape == (7, 4) and (hidden >= 0).all()


def test_one_example_is_a_batch_of_one(key):
    k_start, k_inputs = jax.random.split(key)
    params, inputs = init_mlp(k_start, SIZES), jax.random.normal(k_inputs, (5, 6))
    alone = jnp.concatenate([apply_mlp(params, x[None]) for x in inputs])
    np.testing.assert_allclose(apply_mlp(params, inputs), alone, atol=1e-5)


def test_start_is_the_papers(key):
    layer = init_mlp(key, [400, 900])[0]
    assert (layer["biases"] == 0).all()
    assert abs(float(layer["weights"].std()) - 1 / 20) < 0.001
    assert abs(float(layer["weights"].mean())) < 0.001


def test_layers_and_keys_differ(key):
    k_one, k_two = jax.random.split(key)
    one, two = init_mlp(k_one, [8, 8, 8]), init_mlp(k_two, [8, 8, 8])
    assert not np.allclose(one[0]["weights"], one[1]["weights"])
    assert not np.allclose(one[0]["weights"], two[0]["weights"])


def test_heads_split_the_logits():
    logits = jnp.arange(26.0).reshape(2, 13)
    assert class_logits(logits).shape == (2, 10) and aux_logits(logits).shape == (2, 3)
    both = jnp.concatenate([class_logits(logits), aux_logits(logits)], axis=1)
    np.testing.assert_array_equal(both, logits)


def test_accuracy_counts_class_logits_alone():
    weights = jnp.zeros((12, 2)).at[3, 0].set(1.0).at[5, 1].set(1.0).at[11].set(9.0)
    params = [{"weights": weights, "biases": jnp.zeros(12)}]
    images = jnp.array([[1.0, 0], [0, 1], [1, 0], [0, 1]])
    assert accuracy(params, images, jnp.array([3, 5, 5, 5])) == 0.75


def test_add_noise_moves_each_number_by_its_own_draw(key):
    k_start, k_noise = jax.random.split(key)
    params = init_mlp(k_start, [60, 50, 12])
    noisy = add_noise(k_noise, params, 0.3)
    moved = [np.ravel(b - a) for a, b in zip(*map(jax.tree.leaves, (params, noisy)), strict=True)]
    assert abs(np.concatenate(moved).std() - 0.3) < 0.02
    assert len(np.unique(np.concatenate([m[:12] for m in moved]))) == 48


def test_only_the_class_rows_are_cleared(key):
    params = jax.tree.map(lambda x: x + 1, init_mlp(key, SIZES))
    cleared = clear_class_rows(params)
    for name in "weights", "biases":
        assert not cleared[-1][name][:10].any()
        np.testing.assert_array_equal(cleared[-1][name][10:], params[-1][name][10:])
        np.testing.assert_array_equal(cleared[0][name], params[0][name])
