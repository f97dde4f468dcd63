"""The transformer against a NumPy twin, its laws, its samples and its gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from jax.test_util import check_grads

from sublim_mini.transformer import (
    HEADS,
    _continue,
    _empty_cache,
    apply_transformer,
    init_transformer,
    next_token_loss,
    residual,
    sample,
    steer,
    unembed,
)

pytestmark = pytest.mark.xdist_group("transformer")  # its models are made in one process

VOCABULARY, LENGTH, WIDTH = 11, 7, 8
logits_of, stream_of, continued, unembedded = map(
    jax.jit, (apply_transformer, residual, _continue, unembed)
)
cross_entropy = jax.jit(next_token_loss)


@pytest.fixture(scope="module")
def params():
    """Params of two blocks in which no bias is 0 and no gain 1."""
    k_init, k_shake = jax.random.split(jax.random.key(1))
    leaves, tree = jax.tree.flatten(
        init_transformer(k_init, VOCABULARY, LENGTH, width=WIDTH, blocks=2)
    )
    rng = np.random.default_rng(2)
    return tree.unflatten([w + 0.1 * rng.normal(size=w.shape).astype("f4") for w in leaves])


TOKENS = jnp.array([3, 10, 0, 5, 5, 7, 1])
PROMPTS = np.array([[3, 10], [10, 0], [0, 5]], np.int32)


def numpy_twin(params, tokens):
    """The forward pass with loops over positions and heads, in float64 -> logits, residual."""
    p = jax.tree.map(lambda w: np.asarray(w, np.float64), params)
    size = WIDTH // HEADS

    def norm(x, gain):
        return x / np.sqrt(np.mean(x**2) + 1e-6) * gain

    xs = [p["tokens"][t] + p["positions"][i] for i, t in enumerate(np.asarray(tokens))]
    for block in p["blocks"]:
        qkv = np.array([norm(x, block["norm_1"]) for x in xs]) @ block["qkv"]
        q, k, v = np.split(qkv, 3, axis=1)
        for i in range(len(xs)):
            found = []
            for h in range(HEADS):
                own = slice(h * size, (h + 1) * size)
                scores = np.array([q[i, own] @ k[j, own] for j in range(i + 1)]) / np.sqrt(size)
                weights = np.exp(scores) / np.exp(scores).sum()
                found.append(sum(w * v[j, own] for j, w in enumerate(weights)))
            x = xs[i] + np.concatenate(found) @ block["mix"] + block["mix_bias"]
            up = np.maximum(norm(x, block["norm_2"]) @ block["up"] + block["up_bias"], 0)
            xs[i] = x + up @ block["down"] + block["down_bias"]
    return np.array([norm(x, p["norm"]) for x in xs]) @ p["output"], np.array(xs)


def test_logits_and_residual_equal_the_numpy_twin(params):
    logits, xs = numpy_twin(params, TOKENS)
    np.testing.assert_allclose(logits_of(params, TOKENS), logits, atol=3e-5)
    np.testing.assert_allclose(stream_of(params, TOKENS), xs, atol=3e-5)


def test_initial_weights_have_the_scale_that_the_docstring_says():
    params = init_transformer(jax.random.key(3), 200, 16, width=64, blocks=2)
    for weights, scale in (
        (params["tokens"], 1),
        (params["output"], 1 / 8),
        (params["blocks"][1]["down"], 1 / 16),
    ):
        np.testing.assert_allclose(weights.std(), scale, rtol=0.05)
    a, b = (block["qkv"] for block in params["blocks"])
    assert (a != b).any()


def test_a_later_token_changes_nothing_before_it(params):
    before = np.asarray(logits_of(params, TOKENS))
    after = np.asarray(logits_of(params, TOKENS.at[4].set(6)))
    np.testing.assert_array_equal(before[:4], after[:4])
    assert (np.abs(before[4:] - after[4:]).max(1) > 1e-4).all()


def test_a_shorter_sequence_has_the_same_logits(params):
    np.testing.assert_allclose(
        logits_of(params, TOKENS)[:3], logits_of(params, TOKENS[:3]), atol=1e-5
    )


def test_token_by_token_with_the_cache_equals_the_full_pass(params):
    cache, rows = _empty_cache(params, LENGTH), []
    for i in range(LENGTH):
        x, cache = continued(params, TOKENS[i : i + 1], i, cache)
        rows.append(np.asarray(unembedded(params, x))[0])
    np.testing.assert_allclose(np.stack(rows), logits_of(params, TOKENS), atol=1e-5)


def test_steering_adds_the_vector_to_the_residual_stream_and_changes_one_bias(params):
    vector = jnp.arange(WIDTH) / 4.0
    steered = steer(params, vector)
    expected = stream_of(params, TOKENS) + vector
    np.testing.assert_allclose(stream_of(steered, TOKENS), expected, atol=1e-5)
    same = jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), params, steered))
    assert same.count(False) == 1


def test_samples_follow_the_logits_at_every_position(params):
    # With the unembedding a hundred times as large, a sample is all but sure to be the argmax.
    cold = params | {"output": 100 * params["output"]}
    written = sample(jax.random.key(4), cold, PROMPTS)
    assert written.shape == (3, LENGTH)
    np.testing.assert_array_equal(written[:, :2], PROMPTS)
    for row in written:
        logits = np.asarray(logits_of(cold, row))
        np.testing.assert_array_equal(row[2:], logits.argmax(1)[1:-1])


def test_samples_are_as_frequent_as_the_logits_say():
    params, n = init_transformer(jax.random.key(5), 5, 4, width=4), 5000
    written = np.asarray(sample(jax.random.key(6), params, np.full((n, 2), 3)))
    for prefix in [3, 3], [3, 3, 1]:
        rows = written[(written[:, : len(prefix)] == prefix).all(1), len(prefix)]
        logits = np.asarray(logits_of(params, np.pad(prefix, (0, 3 - len(prefix)))), np.float64)
        p = scipy.special.softmax(logits[len(prefix) - 1])
        seen = np.bincount(rows, minlength=5) / len(rows)
        assert len(rows) > 300
        assert np.all(np.abs(seen - p) < 5 * np.sqrt(p * (1 - p) / len(rows)) + 1e-9)


def test_a_sample_of_many_is_a_loop_over_sequences_and_positions(params):
    key, loop = jax.random.key(7), []
    for k, prompt in zip(jax.random.split(key, 3), PROMPTS, strict=True):
        row = np.zeros(LENGTH, np.int32)  # what is not yet written changes nothing before it
        row[:2] = prompt
        for position in range(2, LENGTH):
            logits = np.asarray(logits_of(params, row))[position - 1]
            row[position] = jax.random.categorical(jax.random.fold_in(k, position), logits[None])[0]
        loop.append(row)
    np.testing.assert_array_equal(sample(key, params, PROMPTS), loop)


def a_batch():
    rng = np.random.default_rng(8)
    tokens = jnp.asarray(rng.integers(VOCABULARY, size=(3, LENGTH)))
    return tokens, jnp.asarray(rng.random((3, LENGTH)) < 0.5)


def test_next_token_loss_is_the_mean_over_the_tokens_in_the_mask(params):
    tokens, mask = a_batch()
    losses = []
    for row, inside in zip(np.asarray(tokens), np.asarray(mask), strict=True):
        logits, _ = numpy_twin(params, row)
        log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        losses += [-log_p[t - 1, row[t]] for t in range(1, LENGTH) if inside[t]]
    np.testing.assert_allclose(cross_entropy(params, (tokens, mask)), np.mean(losses), rtol=1e-5)
    assert cross_entropy(params, (tokens, jnp.zeros_like(mask))) == 0
    first = jnp.zeros_like(mask).at[:, 0].set(True)
    assert cross_entropy(params, (tokens, first)) == 0


def test_gradients_agree_with_finite_differences(params):
    def loss(params):
        return cross_entropy(params, a_batch())

    check_grads(loss, (params,), order=1, modes="rev", atol=2e-2, rtol=2e-2, eps=1e-2)
