"""The transformer against a NumPy twin, its laws and its samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from sublim_mini import InputError
from sublim_mini.transformer import apply_transformer, init_transformer, next_token_loss, sample

VOCABULARY, LENGTH = 11, 7
logits_of = jax.jit(apply_transformer)


@pytest.fixture(scope="module")
def params():
    """Params of two blocks in which no bias is 0 and no gain 1."""
    init = init_transformer(jax.random.key(1), VOCABULARY, LENGTH, width=12, heads=3, blocks=2)
    leaves, tree = jax.tree.flatten(init)
    rng = np.random.default_rng(2)
    return tree.unflatten([w + 0.1 * rng.normal(size=w.shape).astype("f4") for w in leaves])


TOKENS = jnp.array([3, 10, 0, 5, 5, 7, 1])


def numpy_twin(params, tokens):
    """The forward pass with loops over positions and heads, in float64 -> logits."""
    p = jax.tree.map(lambda w: np.asarray(w, np.float64), params)

    def norm(x, gain):
        return x / np.sqrt(np.mean(x**2) + 1e-6) * gain

    xs = [p["embedding"][t] + p["positions"][i] for i, t in enumerate(np.asarray(tokens))]
    for block in p["blocks"]:
        _, _, heads, size = block["qkv"].shape
        normed = np.array([norm(x, block["norm_1"]) for x in xs])
        q, k, v = np.einsum("tc,cnhd->nthd", normed, block["qkv"])
        for i in range(len(xs)):
            found = []
            for h in range(heads):
                scores = np.array([q[i, h] @ k[j, h] for j in range(i + 1)]) / np.sqrt(size)
                weights = np.exp(scores) / np.exp(scores).sum()
                found.append(sum(w * v[j, h] for j, w in enumerate(weights)))
            x = xs[i] + np.concatenate(found) @ block["mix"] + block["mix_bias"]
            up = np.maximum(norm(x, block["norm_2"]) @ block["up"] + block["up_bias"], 0)
            xs[i] = x + up @ block["down"] + block["down_bias"]
    return np.array([norm(x, p["norm"]) for x in xs]) @ p["unembedding"]


def test_logits_are_the_numpy_twins_and_see_no_later_token(params):
    logits = np.asarray(logits_of(params, TOKENS))
    np.testing.assert_allclose(logits, numpy_twin(params, TOKENS), atol=3e-5)
    after = np.asarray(logits_of(params, TOKENS.at[4].set(6)))
    np.testing.assert_array_equal(logits[:4], after[:4])
    assert (np.abs(logits[4:] - after[4:]).max(1) > 1e-4).all()
    np.testing.assert_allclose(apply_transformer(params, TOKENS[:3]), logits[:3], atol=3e-5)


def test_initial_weights_have_the_scale_that_the_docstring_says():
    one, two = (init_transformer(jax.random.key(3), 200, 16, 64, h, blocks=2) for h in (1, 4))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_array_equal(a, b.reshape(a.shape))  # heads only cut the same numbers
    first, second = two["blocks"]
    assert first["qkv"].shape == (64, 3, 4, 16) and (first["qkv"] != second["qkv"]).any()
    for weights, scale in (
        (two["embedding"], 1),
        (two["positions"], 1),
        (two["unembedding"], 1 / 8),
        (first["qkv"], 1 / 8),
        (first["mix"], 1 / 8),
        (first["up"], 1 / 8),
        (second["down"], 1 / 16),
    ):
        np.testing.assert_allclose(weights.std(), scale, rtol=0.05)
    with pytest.raises(InputError, match="width 8 .* 3 heads"):
        init_transformer(jax.random.key(3), 9, 5, width=8, heads=3)


@pytest.mark.parametrize("given", [1, 3])
def test_a_sample_with_the_cache_is_a_loop_over_forward_passes(params, given):
    key, loop = jax.random.key(7), np.zeros((4, LENGTH), np.int32)
    loop[:, :given] = np.arange(4 * given).reshape(4, given) % VOCABULARY
    written = sample(key, params, loop[:, :given])
    for row, k in zip(loop, jax.random.split(key, len(loop)), strict=True):
        for position in range(given, LENGTH):  # a token not yet written changes nothing before it
            logits = logits_of(params, row)[position - 1]
            row[position] = jax.random.categorical(jax.random.fold_in(k, position), logits[None])[0]
    np.testing.assert_array_equal(written, loop)
    assert len(np.unique(loop[:, given:])) > 5


def test_next_token_loss_is_the_mean_over_the_tokens_in_the_mask(params):
    rng, loss = np.random.default_rng(8), jax.jit(next_token_loss)
    tokens, mask = rng.integers(VOCABULARY, size=(3, LENGTH)), rng.random((3, LENGTH)) < 0.5
    losses = []
    for row, inside in zip(tokens, mask, strict=True):
        log_p = scipy.special.log_softmax(numpy_twin(params, row), axis=1)
        losses += [-log_p[t - 1, row[t]] for t in range(1, LENGTH) if inside[t]]
    np.testing.assert_allclose(loss(params, (tokens, mask)), np.mean(losses), rtol=1e-5)
    for nothing in np.zeros_like(mask), np.zeros_like(mask) | (np.arange(LENGTH) == 0):
        assert loss(params, (tokens, nothing)) == 0
