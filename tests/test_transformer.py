"""The transformer against a NumPy twin, its laws, and its gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from jax.tree_util import Partial

from sublim_mini.train import ADAM, train
from sublim_mini.transformer import (
    Transformer,
    _empty_cache,
    _hidden,
    apply_transformer,
    batch_logits,
    distribution_loss,
    hidden_transformer,
    init_transformer,
    next_token_loss,
    output_logits,
    residual_transformer,
    sample,
    sample_batch,
)

SMALL = dict(vocabulary=11, length=7, width=8, heads=2)
VARIANTS = {
    "plain": Transformer(**SMALL),
    "two blocks, tied": Transformer(**SMALL, blocks=2, tied=True),
    "narrow": Transformer(**SMALL, output_width=3),
}
# Compiled once for each variant.
init, logits_of, one_sample = map(jax.jit, (init_transformer, apply_transformer, sample))
hidden_of, hidden_step = map(jax.jit, (hidden_transformer, _hidden))
next_loss, kl_loss = map(jax.jit, (next_token_loss, distribution_loss))


@pytest.fixture(params=VARIANTS, scope="module")
def model(request):
    """Settings, params in which no bias is 0 and no gain 1, and a sequence."""
    settings = VARIANTS[request.param]
    return settings, *shaken(settings)


@partial(jax.jit, static_argnums=0)
def shaken(settings):
    k_init, k_shake, k_tokens = jax.random.split(jax.random.key(1), 3)
    leaves, tree = jax.tree.flatten(init_transformer(k_init, settings))
    keys = jax.random.split(k_shake, len(leaves))
    leaves = [w + 0.1 * jax.random.normal(k, w.shape) for k, w in zip(keys, leaves, strict=True)]
    tokens = jax.random.randint(k_tokens, (settings.length,), 0, settings.vocabulary)
    return tree.unflatten(leaves), tokens


def numpy_twin(params, tokens, settings):
    """The forward pass with loops over positions and heads, in float64."""
    p = jax.tree.map(lambda w: np.asarray(w, np.float64), params)
    size = settings.width // settings.heads

    def norm(x, gain):
        return x / np.sqrt(np.mean(x**2) + 1e-6) * gain

    xs = [p["tokens"][t] + p["positions"][i] for i, t in enumerate(np.asarray(tokens))]
    for block in p["blocks"]:
        q, k, v = np.split(
            np.array([norm(x, block["norm_1"]) for x in xs]) @ block["qkv"], 3, axis=1
        )
        for i in range(len(xs)):
            found = []
            for h in range(settings.heads):
                own = slice(h * size, (h + 1) * size)
                scores = np.array([q[i, own] @ k[j, own] for j in range(i + 1)]) / np.sqrt(size)
                weights = np.exp(scores) / np.exp(scores).sum()
                found.append(sum(w * v[j, own] for j, w in enumerate(weights)))
            x = xs[i] + np.concatenate(found) @ block["mix"] + block["mix_bias"]
            up = np.maximum(norm(x, block["norm_2"]) @ block["up"] + block["up_bias"], 0)
            xs[i] = x + up @ block["down"] + block["down_bias"]
    hidden = np.array([norm(x, p["norm"]) for x in xs])
    if settings.output_width:
        hidden = hidden @ p["narrow"]
    return hidden @ (p["tokens"].T if settings.tied else p["output"])


def test_logits_equal_the_numpy_twin(model):
    settings, params, tokens = model
    logits = logits_of(params, tokens, settings)
    assert logits.shape == (settings.length, settings.vocabulary)
    np.testing.assert_allclose(logits, numpy_twin(params, tokens, settings), atol=2e-5)


def test_a_later_token_changes_nothing_before_it(model):
    settings, params, tokens = model
    before = logits_of(params, tokens, settings)
    after = logits_of(params, tokens.at[4].set((tokens[4] + 1) % settings.vocabulary), settings)
    np.testing.assert_array_equal(before[:4], after[:4])
    assert (jnp.abs(before[4:] - after[4:]).max(1) > 1e-4).all()


def test_a_shorter_sequence_has_the_same_logits(model):
    settings, params, tokens = model
    whole, part = (logits_of(params, t, settings) for t in (tokens, tokens[:3]))
    np.testing.assert_allclose(whole[:3], part, atol=1e-5)


def test_token_by_token_with_the_cache_equals_the_full_pass(model):
    settings, params, tokens = model
    cache, steps = _empty_cache(settings, settings.length), []
    for i in range(settings.length):
        hidden, cache = hidden_step(params, tokens[i : i + 1], i, cache, settings)
        steps.append(output_logits(params, hidden, settings)[0])
    np.testing.assert_allclose(jnp.stack(steps), logits_of(params, tokens, settings), atol=1e-5)


def test_an_added_vector_moves_the_residual_stream_before_the_norm():
    settings = VARIANTS["plain"]
    params = init(jax.random.key(2), settings)
    tokens = jnp.arange(settings.length)
    far = 1e6 * jnp.eye(settings.width)[0]
    hidden = hidden_of(params, tokens, settings, far)
    np.testing.assert_allclose(hidden, jnp.tile(far / 1e6 * jnp.sqrt(8.0), (7, 1)), atol=1e-4)
    zero = hidden_of(params, tokens, settings, jnp.zeros(settings.width))
    np.testing.assert_allclose(zero, hidden_of(params, tokens, settings), atol=1e-6)


def test_a_steered_sample_is_drawn_from_the_steered_logits(model):
    settings, params, tokens = model
    added = 3 * jnp.eye(settings.width)[1]
    written = one_sample(jax.random.key(3), params, tokens[:2], settings, 1e-6, added)
    best = logits_of(params, written, settings, added).argmax(1)
    np.testing.assert_array_equal(written[2:], best[1:-1])
    assert (best != logits_of(params, written, settings).argmax(1)).any()


def test_the_residual_stream_plus_a_vector_normed_is_the_hidden_activity(model):
    settings, params, tokens = model
    added = jnp.arange(settings.width) / 4.0
    x = np.asarray(residual_transformer(params, tokens, settings), np.float64) + np.asarray(added)
    x *= np.asarray(params["norm"]) / np.sqrt((x**2).mean(1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(x, hidden_of(params, tokens, settings, added), atol=2e-5)


def test_the_coldest_sample_is_the_argmax_of_the_full_pass(model):
    settings, params, tokens = model
    written = one_sample(jax.random.key(3), params, tokens[:2], settings, 1e-6)
    np.testing.assert_array_equal(written[:2], tokens[:2])
    best = logits_of(params, written, settings).argmax(1)
    np.testing.assert_array_equal(written[2:], best[1:-1])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_are_as_frequent_as_the_logits_say(temperature):
    settings = Transformer(vocabulary=5, length=4, width=4, heads=1)
    params = init(jax.random.key(4), settings)
    n = 5_000
    prompts = jnp.full((n, 2), 3)
    keys = jax.random.split(jax.random.key(5), n)
    written = sample_batch(keys, params, prompts, settings, temperature)[:, 2]
    p = jax.nn.softmax(logits_of(params, prompts[0], settings)[1] / temperature)
    seen = np.bincount(written, minlength=5) / n
    assert np.all(np.abs(seen - p) < 5 * np.sqrt(p * (1 - p) / n) + 1e-9)


def test_a_batch_of_samples_is_a_loop_over_sequences(model):
    settings, params, tokens = model
    keys = jax.random.split(jax.random.key(6), 3)
    again = jax.random.clone(keys)  # the same keys on purpose
    prompts = jnp.stack([tokens[:2], tokens[1:3], tokens[2:4]])
    batch = sample_batch(keys, params, prompts, settings)
    loop = [
        one_sample(k, params, prompt, settings) for k, prompt in zip(again, prompts, strict=True)
    ]
    np.testing.assert_array_equal(batch, jnp.stack(loop))


def a_batch(settings):
    k_tokens, k_mask, k_target = jax.random.split(jax.random.key(7), 3)
    tokens = jax.random.randint(k_tokens, (3, settings.length), 0, settings.vocabulary)
    mask = jax.random.bernoulli(k_mask, 0.5, tokens.shape)
    return tokens, mask, jax.random.normal(k_target, (3, settings.length - 1, 4))


def test_next_token_loss_is_a_mean_over_the_tokens_let_in(model):
    settings, params, _ = model
    tokens, mask, _ = a_batch(settings)
    losses = []
    for row, allowed in zip(tokens, mask, strict=True):
        log_p = jax.nn.log_softmax(logits_of(params, row, settings))
        losses += [-log_p[t - 1, row[t]] for t in range(1, settings.length) if allowed[t]]
    np.testing.assert_allclose(
        next_loss(params, (tokens, mask), settings), np.mean(losses), rtol=1e-5
    )
    assert next_loss(params, (tokens, jnp.zeros_like(mask)), settings) == 0


def test_distribution_loss_is_zero_at_the_teacher_and_positive_elsewhere(model):
    settings, params, _ = model
    tokens, mask, targets = a_batch(settings)
    own = jax.jit(batch_logits)(params, tokens[:, :-1], settings)[..., :4]
    assert abs(kl_loss(params, (tokens, mask, own + 1.0), settings)) < 1e-6
    assert kl_loss(params, (tokens, mask, targets), settings) > 0.01


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_agree_with_finite_differences(name):
    settings = VARIANTS[name]
    params = init(jax.random.key(8), settings)
    tokens, mask, targets = a_batch(settings)

    def both(params):
        first = next_token_loss(params, (tokens, mask), settings)
        return first + distribution_loss(params, (tokens, mask, targets), settings)

    check_grads(jax.jit(both), (params,), order=1, modes="rev", atol=2e-2, rtol=2e-2, eps=1e-2)


def test_training_compiles_once_for_equal_settings():
    calls = []

    def loss(params, batch, settings):
        calls.append(1)
        return next_token_loss(params, batch, settings)

    for rate in 1e-3, 1e-2:
        settings = Transformer(**SMALL)  # made anew: equality counts, not identity
        params = init(jax.random.key(9), settings)
        data = a_batch(settings)[:2]
        how = dict(learning_rate=rate, steps=20, batch_size=3)
        run = train(Partial(loss, settings=settings), ADAM, params, data, jax.random.key(10), **how)
        if rate == 1e-3:
            first = len(calls)
    assert len(calls) == first
    assert run.losses[-1] < run.losses[0]


def test_a_tied_output_of_another_width_is_refused():
    with pytest.raises(ValueError, match="width"):
        init_transformer(jax.random.key(0), Transformer(**SMALL, tied=True, output_width=3))
