"""A decoder-only transformer as pure functions of one sequence, its loss, and sampling from it.

The params carry all sizes, so no function needs settings. Letters: N sequences, T tokens,
P tokens of a prompt, C channels, H heads, D = C / H channels of a head, V vocabulary.
"""

import jax
import jax.numpy as jnp

from . import InputError


def init_transformer(key, vocabulary, length, width=32, heads=2, blocks=1):
    """Params of a transformer of `vocabulary` tokens, for sequences of at most `length` tokens.

    Weights [in, out] ~ N(0, 1/sqrt(in)), biases 0, gains 1, embeddings ~ N(0, 1).
    """
    if width % heads:
        raise InputError(f"width {width} is not a multiple of {heads} heads")
    k_embedding, k_position, k_unembedding, *k_blocks = jax.random.split(key, 3 + blocks)
    return {
        "embedding": jax.random.normal(k_embedding, (vocabulary, width)),
        "positions": jax.random.normal(k_position, (length, width)),
        "blocks": [_init_block(k, width, heads) for k in k_blocks],
        "norm": jnp.ones(width),
        "unembedding": _weights(k_unembedding, width, vocabulary),
    }


def _init_block(key, c, heads):
    k_qkv, k_mix, k_up, k_down = jax.random.split(key, 4)
    return {
        "norm_1": jnp.ones(c),
        "qkv": _weights(k_qkv, c, 3 * c).reshape(c, 3, heads, c // heads),
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
    length = len(tokens)
    x = params["embedding"][tokens] + params["positions"][:length]  # the residual stream [T, C]
    visible = jnp.tril(jnp.ones((length, length), bool))  # each token sees itself and those before
    for block in params["blocks"]:
        queries, keys, values = _queries_keys_values(block, x)
        x += _attend(block, queries, keys, values, visible)
        x += _feed_forward(block, x)
    return _unembed(params, x)


def _unembed(params, x):
    """Residual stream [T, C] -> logits [T, V]."""
    return _rms_norm(x, params["norm"]) @ params["unembedding"]


def _rms_norm(x, gain):
    """Rows of x [T, C] divided by their root mean square, times the gain [C]."""
    return x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True) + 1e-6) * gain


def _queries_keys_values(block, x):
    """Residual stream [T, C] -> queries, keys and values [T, H, D]."""
    c, *shape = block["qkv"].shape
    qkv = _rms_norm(x, block["norm_1"]) @ block["qkv"].reshape(c, 3 * c)
    return jnp.moveaxis(qkv.reshape(-1, *shape), 1, 0)


def _attend(block, queries, keys, values, visible):
    """What queries [Q, H, D] find in T keys and values, if visible [Q, T] -> change of x [Q, C]."""
    queries, keys, values = (z.swapaxes(0, 1) for z in (queries, keys, values))  # heads first
    scores = queries @ keys.swapaxes(1, 2) / queries.shape[-1] ** 0.5  # [H, Q, T]
    weights = jax.nn.softmax(jnp.where(visible, scores, -jnp.inf))
    found = (weights @ values).swapaxes(0, 1).reshape(len(visible), -1)  # [Q, C]
    return found @ block["mix"] + block["mix_bias"]


def _feed_forward(block, x):
    """Residual stream [T, C] -> the change of it [T, C]."""
    up = jax.nn.relu(_rms_norm(x, block["norm_2"]) @ block["up"] + block["up_bias"])  # [T, 4 C]
    return up @ block["down"] + block["down_bias"]


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
    length, given = len(params["positions"]), prompts.shape[1]
    shapes = [(length, *block["qkv"].shape[2:]) for block in params["blocks"]]
    empty = [(jnp.zeros(shape), jnp.zeros(shape)) for shape in shapes]

    def write(key, prompt):
        def step(state, position):  # one token -> the next one
            token, cache = state
            x, cache = _read(params, token, position, cache)
            k = jax.random.fold_in(key, position + 1)
            written = jax.random.categorical(k, _unembed(params, x))  # [1]
            return (written.astype(token.dtype), cache), written[0]

        def read(position, cache):
            return _read(params, prompt[position][None], position, cache)[1]

        cache = jax.lax.fori_loop(0, given - 1, read, empty)
        _, written = jax.lax.scan(step, (prompt[-1:], cache), jnp.arange(given - 1, length - 1))
        return jnp.concatenate([prompt, written.astype(prompt.dtype)])

    return jax.vmap(write)(jax.random.split(key, len(prompts)), prompts)


def _read(params, token, position, cache):
    """As `apply_transformer`, for one token [1] -> its residual stream [1, C], the cache with it.

    cache  for each block, the keys and values [T, H, D] of the tokens before `position`
    """
    x = params["embedding"][token] + params["positions"][position]
    visible = (jnp.arange(len(params["positions"])) <= position)[None]  # [1, T]
    filled = []
    for block, (keys, values) in zip(params["blocks"], cache, strict=True):
        query, key, value = _queries_keys_values(block, x)
        keys, values = keys.at[position].set(key[0]), values.at[position].set(value[0])
        filled.append((keys, values))
        x += _attend(block, query, keys, values, visible)
        x += _feed_forward(block, x)
    return x, filled
