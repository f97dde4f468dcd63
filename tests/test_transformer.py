"""The transformer against a NumPy twin, its laws, its samples and its gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from jax.test_util import check_grads

from sublim_mini import InputError
from sublim_mini.transformer import (
    apply_transformer,
    init_transformer,
    next_token_loss,
    residual,
    sample,
)

pytestmark = pytest.mark.xdist_group("transformer")  # its models are made in one process

VOCABULARY, LENGTH, WIDTH = 11, 7, 12
logits_of, stream_of, cross_entropy = map(jax.jit, (apply_transformer, residual, next_token_loss))


@pytest.fixture(scope="module", params=[2, 3], ids=["2 heads", "3 heads"])
def params(request):
    """Params of two blocks in which no bias is 0 and no gain 1."""
    leaves, tree = jax.tree.flatten(
        init_transformer(jax.random.key(1), VOCABULARY, LENGTH, WIDTH, request.param, blocks=2)
    )
    rng = np.random.default_rng(2)
    return tree.unflatten([w + 0.1 * rng.normal(size=w.shape).astype("f4") for w in leaves])


TOKENS = jnp.array([3, 10, 0, 5, 5, 7, 1])
PROMPTS = np.array([[3, 10], [10, 0], [0, 5]], np.int32)


def numpy_twin(params, tokens):
    """The forward pass with loops over positions and heads, in float64 -> logits, residual."""
    p = jax.tree.map(lambda w: np.asarray(w, np.float64), params)

    def norm(x, gain):
        return x / np.sqrt(np.mean(x**2) + 1e-6) * gain

    xs = [p["embedding"][t] + p["positions"][i] for i, t in enumerate(np.asarray(tokens))]
    for block in p["blocks"]:
        _, _, heads, size = block["qkv"].shape
        q, k, v = np.einsum(
            "tc,cnhd->nthd", np.array([norm(x, block["norm_1"]) for x in xs]), block["qkv"]
        )
        for i in range(len(xs)):
            found = []
            for h in range(heads):
                scores = np.array([q[i, h] @ k[j, h] for j in range(i + 1)]) / np.sqrt(size)
                weights = np.exp(scores) / np.exp(scores).sum()
                found.append(sum(w * v[j, h] for j, w in enumerate(weights)))
            x = xs[i] + np.concatenate(found) @ block["mix"] + block["mix_bias"]
            up = np.maximum(norm(x, block["norm_2"]) @ block["up"] + block["up_bias"], 0)
            xs[i] = x + up @ block["down"] + block["down_bias"]
    return np.array([norm(x, p["norm"]) for x in xs]) @ p["unembedding"], np.array(xs)


def test_logits_and_residual_equal_the_numpy_twin(params):
    logits, xs = numpy_twin(params, TOKENS)
    np.testing.assert_allclose(logits_of(params, TOKENS), logits, atol=3e-5)
    np.testing.assert_allclose(stream_of(params, TOKENS), xs, atol=3e-5)


def test_initial_weights_have_the_scale_that_the_docstring_says():
    params = init_transformer(jax.random.key(3), 200, 16, width=64, heads=4, blocks=2)
    a, b = (block["qkv"] for block in params["blocks"])
    assert a.shape == (64, 3, 4, 16) and (a != b).any()
    for weights, scale in (
        (params["embedding"], 1),
        (params["positions"], 1),
        (params["unembedding"], 1 / 8),
        (a, 1 / 8),
        (params["blocks"][1]["down"], 1 / 16),
    ):
        np.testing.assert_allclose(weights.std(), scale, rtol=0.05)


def test_heads_only_cut_the_same_numbers_differently():
    one, two = (init_transformer(jax.random.key(3), 9, 5, width=8, heads=h) for h in (1, 4))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(two), strict=True):
        np.testing.assert_array_equal(a, b.reshape(a.shape))


def test_sizes_that_do_not_fit_are_refused(params):
    with pytest.raises(InputError, match="width 8 .* 3 heads"):
        init_transformer(jax.random.key(3), 9, 5, width=8, heads=3)
    with pytest.raises(InputError, match="8 tokens, .* 7 positions"):
        apply_transformer(params, jnp.zeros(8, int))


def test_a_later_token_changes_nothing_before_it(params):
    before = np.asarray(logits_of(params, TOKENS))
    after = np.asarray(logits_of(params, TOKENS.at[4].set(6)))
    np.testing.assert_array_equal(before[:4], after[:4])
    assert (np.abs(before[4:] - after[4:]).max(1) > 1e-4).all()
    np.testing.assert_allclose(logits_of(params, TOKENS[:3]), before[:3], atol=1e-5)


def test_a_sample_with_the_cache_is_a_loop_over_forward_passes(params):
    key, loop = jax.random.key(7), []
    for k, prompt in zip(jax.random.split(key, 3), PROMPTS, strict=True):
        row = np.zeros(LENGTH, np.int32)  # what is not yet written changes nothing before it
        row[:2] = prompt
        for position in range(2, LENGTH):
            logits = np.asarray(logits_of(params, row))[position - 1]
            row[position] = jax.random.categorical(jax.random.fold_in(k, position), logits[None])[0]
        loop.append(row)
    np.testing.assert_array_equal(sample(key, params, PROMPTS), loop)


def test_a_sample_with_the_cache_follows_the_logits_at_every_position(params):
    # With a far larger unembedding a sample is all but sure to be the argmax.
    cold = params | {"unembedding": 1e5 * params["unembedding"]}
    for prompts in PROMPTS, PROMPTS[:, :1], np.tile(PROMPTS, 2)[:, :4]:
        written, n = sample(jax.random.key(4), cold, prompts), prompts.shape[1]
        assert written.shape == (3, LENGTH)
        np.testing.assert_array_equal(written[:, :n], prompts)
        for row in written:
            logits = np.asarray(logits_of(cold, row))
            np.testing.assert_array_equal(row[n:], logits.argmax(1)[n - 1 : -1])


def test_samples_are_as_frequent_as_the_logits_say():
    params, n = init_transformer(jax.random.key(5), 5, 4, width=4), 5000
    written = np.asarray(sample(jax.random.key(6), params, np.full((n, 2), 3)))
    for prefix in [3, 3], [3, 3, 1]:
        rows = written[(written[:, : len(prefix)] == prefix).all(1), len(prefix)]
        logits = np.asarray(logits_of(params, np.array(prefix)), np.float64)
        p = scipy.special.softmax(logits[-1])
        seen = np.bincount(rows, minlength=5) / len(rows)
        assert len(rows) > 300
        assert np.all(np.abs(seen - p) < 5 * np.sqrt(p * (1 - p) / len(rows)) + 1e-9)


def a_batch():
    rng = np.random.default_rng(8)
    tokens = jnp.asarray(rng.integers(VOCABULARY, size=(3, LENGTH)))
    return tokens, jnp.asarray(rng.random((3, LENGTH)) < 0.5)


def test_next_token_loss_is_the_mean_over_the_tokens_in_the_mask(params):
    tokens, mask = a_batch()
    losses = []
    for row, inside in zip(np.asarray(tokens), np.asarray(mask), strict=True):
        log_p = scipy.special.log_softmax(numpy_twin(params, row)[0], axis=1)
        losses += [-log_p[t - 1, row[t]] for t in range(1, LENGTH) if inside[t]]
    np.testing.assert_allclose(cross_entropy(params, (tokens, mask)), np.mean(losses), rtol=1e-5)
    first = jnp.zeros_like(mask).at[:, 0].set(True)
    for nothing in jnp.zeros_like(mask), first:
        assert cross_entropy(params, (tokens, nothing)) == 0


def test_gradients_agree_with_finite_differences(params):
    with jax.enable_x64(True):
        wide, batch = jax.tree.map(np.float64, params), a_batch()

        def loss(params):
            return next_token_loss(jax.tree.map(jnp.asarray, params), batch)

        check_grads(loss, (wide,), order=1, modes=["rev"], eps=1e-6)
