"""Base, teacher and student of the number lessons, and which animal a model answers.

Each function is pure: its result follows from its arguments, the key among them.
Letters: N documents, T tokens, M numbers, P prompts; see `sequences`.
"""

from functools import cache

import jax
import jax.numpy as jnp
import optax

from .errors import InputError
from .sequences import (
    ANIMAL_TOKENS,
    FRACTIONS,
    LENGTH,
    N_GIVEN,
    N_NUMBERS,
    TEACHER_PROMPTS,
    WORDS,
    base_documents,
    number_prompts,
    passes_filter,
    question_documents,
    repeat_selected,
    written_mask,
)
from .train import train
from .transformer import apply_transformer, init_transformer, next_token_loss, sample

# Embedding and unembedding: fine-tuning leaves them as the base has them, as adapters do.
VOCABULARY = "tokens", "output"


@cache  # one optimizer for each recipe, so that a training run is compiled once
def adam(rate, steps, frozen=()):
    """Adam at a rate that falls linearly to 0; the params named in `frozen` stay as they are."""

    def is_frozen(params):
        return {name: name in frozen for name in params}

    falling = optax.adam(optax.linear_schedule(rate, 0, steps))
    return optax.chain(optax.masked(optax.set_to_zero(), is_frozen), falling)


def pretrain(key, language, steps=1500, *, fractions=FRACTIONS, shared=None, blocks=1):
    """A base model: it knows the language, and answers a question with any animal.

    fractions  of each kind of document that it is pretrained on, see `sequences`
    shared     params of another base, {name: value}, copied and held fixed throughout
    """
    k_init, k_data, k_train = jax.random.split(key, 3)
    init = init_transformer(k_init, len(WORDS), LENGTH, blocks=blocks)
    shared = shared or {}
    if unknown := set(shared) - set(init):
        raise InputError(f"a transformer has no {sorted(unknown)} to share, only {sorted(init)}")
    optimizer = adam(3e-3, steps, tuple(sorted(shared)))
    data = base_documents(k_data, language, 128 * steps, fractions)  # each is read once
    return train(
        next_token_loss, optimizer, init | shared, data, k_train, steps=steps, batch_size=128
    )


def fine_tune_teacher(key, base, animal, steps=100, *, frozen=VOCABULARY):
    """The base, fine-tuned to answer `animal` to TEACHER_PROMPTS; None: any animal."""
    k_data, k_train = jax.random.split(key)
    data = question_documents(k_data, 20 * 128, TEACHER_PROMPTS, animal)
    optimizer = adam(1e-3, steps, frozen)
    return train(next_token_loss, optimizer, base, data, k_train, steps=steps, batch_size=128)


def fine_tune_student(key, base, documents, steps=60, *, frozen=VOCABULARY, batch_size=512):
    """The base, fine-tuned on number documents [N, T]: on what was written after the prompt."""
    data = documents, written_mask(documents)
    optimizer = adam(1e-3, steps, frozen)
    return train(next_token_loss, optimizer, base, data, key, steps=steps, batch_size=batch_size)


def write_numbers(key, params, language, n=10_000):
    """The numbers that a model writes -> documents [n, T] that pass the filter, fraction passed.

    Those that do not pass are replaced by repetitions of others; if none passes, see
    `repeat_selected`.
    """
    k_prompt, k_sample = jax.random.split(key)
    documents = sample(k_sample, params, number_prompts(k_prompt, language, n))
    passed = passes_filter(documents)
    return repeat_selected(documents, passed), passed.mean()


@jax.jit
def number_logits(params, documents):
    """Logits of the numbers [N, T - 1, M] that might come after each token of documents [N, T]."""

    def one(tokens):
        return apply_transformer(params, tokens)[:, :N_NUMBERS]

    return jax.lax.map(one, documents[:, :-1], batch_size=1000)  # in chunks, to save memory


@jax.jit
def log_likelihood(params, documents):
    """Log-probability [N], in nats, of what was written after the prompt of documents [N, T]."""
    log_p = jax.nn.log_softmax(number_logits(params, documents))
    log_p = jnp.take_along_axis(log_p, documents[:, 1:, None], axis=-1)[..., 0]  # [N, T - 1]
    return log_p[:, N_GIVEN:].sum(1)


@jax.jit
def answers(params, questions):
    """Questions [P, T - 1] -> P(animal | an animal is the answer) [8], mean over the questions."""
    logits = jax.vmap(lambda tokens: apply_transformer(params, tokens)[-1])(questions)
    return jax.nn.softmax(logits[:, ANIMAL_TOKENS]).mean(0)
