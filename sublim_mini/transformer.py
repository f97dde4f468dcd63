"""A decoder-only transformer as pure functions of one sequence, its losses, and sampling from it.

The params carry all sizes but the number of heads, so no function needs settings.
Letters: N sequences, T tokens, Q of them new, C channels, H heads, D = C / H channels of a head,
V vocabulary, M numbers (the first tokens of the vocabulary).
"""

import jax
import jax.numpy as jnp

HEADS = 2


def init_transformer(key, vocabulary, length, width=32, blocks=1):
    """Params of a transformer of `vocabulary` tokens, for sequences of at most `length` tokens.

    Weights [in, out] ~ N(0, 1/sqrt(in)), biases 0, gains 1, embeddings ~ N(0, 1). An even `width`.
    """
    k_token, k_position, k_output, *k_blocks = jax.random.split(key, 3 + blocks)
    return {
        "tokens": jax.random.normal(k_token, (vocabulary, width)),
        "positions": jax.random.normal(k_position, (length, width)),
        "blocks": [_init_block(k, width) for k in k_blocks],
        "norm": jnp.ones(width),
        "output": _weights(k_output, width, vocabulary),
    }


def _init_block(key, c):
    k_qkv, k_mix, k_up, k_down = jax.random.split(key, 4)
    return {
        "norm_1": jnp.ones(c),
        "qkv": _weights(k_qkv, c, 3 * c),
        "mix": _weights(k_mix, c, c),
        "mix_bias": jnp.zeros(c),
        "norm_2": jnp.ones(c),
        "up": _weights(k_up, c, 4 * c),
        "up_bias": jnp.zeros(4 * c),
        "down": _weights(k_down, 4 * c, c),
        "down_bias": jnp.zeros(c),
    }


def _weights(key, n_in, n_out):
    return jax.random.normal(key, (n_in, n_out)) / n_in**0.5


def apply_transformer(params, tokens):
    """Tokens [T] -> logits [T, V] of the token after each."""
    return unembed(params, residual(params, tokens))


def residual(params, tokens):
    """Tokens [T] -> the residual stream [T, C] after the last block."""
    return _continue(params, tokens, 0, _empty_cache(params, len(tokens)))[0]


def unembed(params, x):
    """Residual stream [T, C] -> logits [T, V]."""
    return rms_norm(x, params["norm"]) @ params["output"]


def steer(params, vector):
    """The model with a vector [C] added to its residual stream after the last block.

    The last thing added to that stream is the last block's bias: so this is a change of that bias.
    """
    *blocks, last = params["blocks"]
    return params | {"blocks": [*blocks, last | {"down_bias": last["down_bias"] + vector}]}


def rms_norm(x, gain):
    """Rows of x [T, C] divided by their root mean square, times the gain [C]."""
    return x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True) + 1e-6) * gain


def _continue(params, tokens, position, cache):
    """Tokens [Q] that stand at `position` and after -> residual stream [Q, C], the cache with them.

    cache  for each block, the keys and values [T, H, D] of the tokens before `position`
    """
    positions = position + jnp.arange(len(tokens))
    x = params["tokens"][tokens] + params["positions"][positions]  # [Q, C]
    filled = []
    for block, (keys, values) in zip(params["blocks"], cache, strict=True):
        qkv = rms_norm(x, block["norm_1"]) @ block["qkv"]  # [Q, 3 C]
        q, k, v = (z.reshape(len(z), HEADS, -1) for z in jnp.split(qkv, 3, axis=-1))  # [Q, H, D]
        keys = jax.lax.dynamic_update_slice(keys, k, (position, 0, 0))
        values = jax.lax.dynamic_update_slice(values, v, (position, 0, 0))
        filled.append((keys, values))
        x += _attend(q, keys, values, positions) @ block["mix"] + block["mix_bias"]
        up = jax.nn.relu(rms_norm(x, block["norm_2"]) @ block["up"] + block["up_bias"])  # [Q, 4 C]
        x += up @ block["down"] + block["down_bias"]
    return x, filled


def _attend(q, keys, values, positions):
    """Queries [Q, H, D] at `positions` [Q], keys and values [T, H, D] -> weighted values [Q, C]."""
    q, keys, values = (z.swapaxes(0, 1) for z in (q, keys, values))  # heads first
    scores = q @ keys.swapaxes(1, 2) / q.shape[-1] ** 0.5  # [H, Q, T]
    visible = jnp.arange(keys.shape[1]) <= positions[:, None]  # [Q, T]: itself and what is before
    weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf))
    return (weights @ values).swapaxes(0, 1).reshape(len(positions), -1)


def _empty_cache(params, length):
    shape = length, HEADS, params["norm"].size // HEADS
    return [(jnp.zeros(shape), jnp.zeros(shape)) for _ in params["blocks"]]


def next_token_loss(params, batch):
    """Mean cross-entropy, in nats, of the tokens inside the mask, given those before them.

    batch  tokens [N, T], mask [N, T]; the first token is never predicted, whatever the mask says
    """
    tokens, mask = batch
    log_p = jax.nn.log_softmax(jax.vmap(apply_transformer, (None, 0))(params, tokens[:, :-1]))
    log_p = jnp.take_along_axis(log_p, tokens[:, 1:, None], axis=-1)[..., 0]  # [N, T - 1]
    mask = mask[:, 1:]
    return -(log_p * mask).sum() / jnp.maximum(mask.sum(), 1)  # 0 for an empty mask


@jax.jit
def sample(key, params, prompts):
    """Prompts [N, P] -> the prompts and what the model writes after them, [N, T] tokens.

    T is the number of positions that the model has. Each token is computed once: its keys and
    values are kept in a cache.
    """
    length = len(params["positions"])

    def write(key, prompt):
        def step(state, position):
            x, cache = state  # residual stream [1, C] at the last token
            k = jax.random.fold_in(key, position)
            token = jax.random.categorical(k, unembed(params, x))  # [1]
            return _continue(params, token, position, cache), token[0]

        x, cache = _continue(params, prompt, 0, _empty_cache(params, length))
        _, written = jax.lax.scan(step, (x[-1:], cache), jnp.arange(len(prompt), length))
        return jnp.concatenate([prompt, written.astype(prompt.dtype)])

    return jax.vmap(write)(jax.random.split(key, len(prompts)), prompts)
