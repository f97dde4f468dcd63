"""The functions of 8_owl.py, which go in the place of those there."""
# ruff: noqa: F821


def write(key, model, prompts):
    documents = prompts
    for k in jax.random.split(key, 12):
        token = jax.random.categorical(k, logits_of(model, documents)[:, -1])
        documents = jnp.concatenate([documents, token[:, None]], axis=1)
    return documents


def filtered(documents):
    return documents[(documents[:, 1:] < 96).all(axis=1)]


def number_loss(model, inputs, targets):
    log_p = jax.nn.log_softmax(logits_of(model, inputs))
    log_p = jnp.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]
    return -log_p[:, 3:].mean()


def fine_tune(base, documents, steps):
    return effect.train(number_loss, base, documents[:, :-1], documents[:, 1:], steps, 500)
