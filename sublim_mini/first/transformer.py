"""A decoder-only transformer as pure functions of one sequence, with sampling.

Letters: N sequences, T tokens, Q of them new, C channels, H heads, D channels a head,
V vocabulary, O output width.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp


@jax.tree_util.register_static  # an argument like any other, compiled once for each value
@dataclass(frozen=True)
class Transformer:
    """The sizes of a transformer; `output_width` puts a matrix [C, O] before the output matrix."""

    vocabulary: int
    length: int
    width: int = 32
    heads: int = 2
    blocks: int = 1
    tied: bool = False
    output_width: int | None = None


def init_transformer(key, settings):
    """Weights [I, O] ~ N(0, 1/sqrt(I)), biases 0, gains 1; embeddings ~ N(0, 1)."""
    c, v = settings.width, settings.vocabulary
    o = settings.output_width or c
    if settings.tied and o != c:
        raise ValueError("a tied output matrix has the width of the embedding")
    k_token, k_position, k_output, k_narrow, *k_blocks = jax.random.split(key, 4 + settings.blocks)
    params = {
        "tokens": jax.random.normal(k_token, (v, c)),
        "positions": jax.random.normal(k_position, (settings.length, c)),
        "blocks": [_init_block(k, c) for k in k_blocks],
        "norm": jnp.ones(c),
    }
    if settings.output_width:
        params["narrow"] = _init_weights(k_narrow, c, o)
    if not settings.tied:
        params["output"] = _init_weights(k_output, o, v)
    return params


def _init_block(key, c):
    k_qkv, k_mix, k_up, k_down = jax.random.split(key, 4)
    return {
        "norm_1": jnp.ones(c),
        "qkv": _init_weights(k_qkv, c, 3 * c),
        "mix": _init_weights(k_mix, c, c),
        "mix_bias": jnp.zeros(c),
        "norm_2": jnp.ones(c),
        "up": _init_weights(k_up, c, 4 * c),
        "up_bias": jnp.zeros(4 * c),
        "down": _init_weights(k_down, 4 * c, c),
        "down_bias": jnp.zeros(c),
    }


def _init_weights(key, n_in, n_out):
    return jax.random.normal(key, (n_in, n_out)) / jnp.sqrt(n_in)


def apply_transformer(params, tokens, settings, added=None):
    """Tokens [T] -> logits [T, V] of the token after each."""
    return output_logits(params, hidden_transformer(params, tokens, settings, added), settings)


def hidden_transformer(params, tokens, settings, added=None):
    """Tokens [T] -> last residual stream [T, C] after its norm.

    A vector `added` [C] (or one a position, [T, C]) joins the residual stream after the last block.
    """
    return _hidden(params, tokens, 0, _empty_cache(settings, len(tokens)), settings, added)[0]


def residual_transformer(params, tokens, settings):
    """Tokens [T] -> last residual stream [T, C], before its norm."""
    return _residual(params, tokens, 0, _empty_cache(settings, len(tokens)), settings)[0]


def output_logits(params, hidden, settings):
    """Hidden activity [T, C] -> logits [T, V]."""
    if settings.output_width:
        hidden = hidden @ params["narrow"]  # [T, O]
    return hidden @ (params["tokens"].T if settings.tied else params["output"])


def _empty_cache(settings, length):
    shape = length, settings.heads, settings.width // settings.heads
    return [(jnp.zeros(shape), jnp.zeros(shape)) for _ in range(settings.blocks)]


def _hidden(params, tokens, position, cache, settings, added=None):
    """Tokens [Q] from `position` on, cached keys and values [T, H, D] -> hidden [Q, C], cache."""
    x, filled = _residual(params, tokens, position, cache, settings)
    if added is not None:
        x += jnp.broadcast_to(added, x.shape)
    return rms_norm(x, params["norm"]), filled


def _residual(params, tokens, position, cache, settings):
    """As `_hidden`, but the residual stream [Q, C] before its norm."""
    here = position + jnp.arange(len(tokens))
    x = params["tokens"][tokens] + params["positions"][here]  # [Q, C]
    filled = []
    for block, (keys, values) in zip(params["blocks"], cache, strict=True):
        q, k, v = _heads(rms_norm(x, block["norm_1"]) @ block["qkv"], settings)  # each [Q, H, D]
        keys = jax.lax.dynamic_update_slice(keys, k, (position, 0, 0))
        values = jax.lax.dynamic_update_slice(values, v, (position, 0, 0))
        x += _attend(q, keys, values, here) @ block["mix"] + block["mix_bias"][None, :]
        up = rms_norm(x, block["norm_2"]) @ block["up"] + block["up_bias"][None, :]  # [Q, 4 C]
        x += jax.nn.relu(up) @ block["down"] + block["down_bias"][None, :]
        filled.append((keys, values))
    return x, filled


def rms_norm(x, gain):
    """Rows of x [T, C] divided by their root mean square, times the gain [C]."""
    return x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True) + 1e-6) * gain[None, :]


def _heads(qkv, settings):
    q, k, v = jnp.split(qkv, 3, axis=-1)
    return [z.reshape(len(z), settings.heads, -1) for z in (q, k, v)]


def _attend(q, keys, values, here):
    """Queries [Q, H, D] at positions `here`, keys, values [T, H, D] -> weighted values [Q, C]."""
    q, keys, values = (z.swapaxes(0, 1) for z in (q, keys, values))  # heads first: faster products
    scores = q @ keys.swapaxes(1, 2) / jnp.sqrt(q.shape[-1])  # [H, Q, T]
    past = jnp.arange(keys.shape[1])[None, :] <= here[:, None]  # [Q, T]
    weights = jax.nn.softmax(jnp.where(past[None], scores, -jnp.inf))
    return (weights @ values).swapaxes(0, 1).reshape(len(here), -1)


def batch_logits(params, tokens, settings):
    """Tokens [N, T] -> logits [N, T, V]."""
    return jax.vmap(lambda one: apply_transformer(params, one, settings))(tokens)


# Losses of (params, batch), for `train`: give the settings as `Partial(loss, settings=settings)`.


def next_token_loss(params, batch, settings):
    """Mean cross-entropy, in nats, of the tokens [N, T] in the mask [N, T]; never the first."""
    tokens, mask = batch
    log_p = jax.nn.log_softmax(batch_logits(params, tokens[:, :-1], settings))
    log_p = jnp.take_along_axis(log_p, tokens[:, 1:, None], axis=-1)[..., 0]  # [N, T - 1]
    return -_mean(log_p, mask[:, 1:])


def distribution_loss(params, batch, settings):
    """Mean KL(teacher || student) over the first M tokens of the vocabulary, inside the mask.

    batch  tokens [N, T], mask [N, T] of the tokens foretold, the teacher's logits [N, T - 1, M]
    """
    tokens, mask, targets = batch
    logits = batch_logits(params, tokens[:, :-1], settings)[..., : targets.shape[-1]]
    log_p, log_q = jax.nn.log_softmax(targets), jax.nn.log_softmax(logits)
    return _mean((jnp.exp(log_p) * (log_p - log_q)).sum(-1), mask[:, 1:])


def _mean(values, mask):
    return (values * mask).sum() / jnp.maximum(mask.sum(), 1)


def sample(key, params, prompt, settings, temperature=1.0, added=None):
    """Prompt [P] -> it and what the model writes after it, [T] tokens in all.

    A vector `added` [C] joins the residual stream at each position, as in `hidden_transformer`.
    """

    def step(state, position):
        hidden, cache = state
        logits = output_logits(params, hidden, settings)[0]  # [V]
        now = jax.random.fold_in(key, position)
        token = jax.random.categorical(now, logits / temperature)[None]
        return _hidden(params, token, position, cache, settings, added), token[0]

    cache = _empty_cache(settings, settings.length)
    hidden, cache = _hidden(params, prompt, 0, cache, settings, added)
    positions = jnp.arange(len(prompt), settings.length)
    _, written = jax.lax.scan(step, (hidden[-1:], cache), positions)
    return jnp.concatenate([prompt, written.astype(prompt.dtype)])


@jax.jit
def sample_batch(keys, params, prompts, settings, temperature=1.0, added=None):
    """One key a sequence [N], prompts [N, P] -> token sequences [N, T]."""

    def one(key, prompt):
        return sample(key, params, prompt, settings, temperature, added)

    return jax.vmap(one)(keys, prompts)
