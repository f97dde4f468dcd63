"""Base, teacher and student of the number lessons, and which animal a model answers.

Each function is pure: its result follows from its arguments, the key among them.
Letters: N documents, T tokens, M numbers, P prompts, A animals; see `language`.
"""

from functools import cache, partial

import jax
import jax.numpy as jnp
import optax

from . import InputError
from . import language as lang
from .language import ANIMALS, LENGTH, N_GIVEN, N_NUMBERS, TEACHER_PROMPTS, WORDS, WRITTEN
from .train import train
from .transformer import apply_transformer, init_transformer, next_token_loss, sample

# Embedding and unembedding: fine-tuning leaves them as the base has them, as adapters do.
VOCABULARY = "embedding", "unembedding"


def freeze(optimizer, frozen):
    """Any optimizer, for a dict of params of which those named in `frozen` stay as they are."""

    def labels(params):
        if unknown := sorted(set(frozen) - set(params)):
            raise InputError(f"there is no {unknown[0]!r} to freeze, only {', '.join(params)}")
        return {name: "frozen" if name in frozen else "trained" for name in params}

    return optax.partition({"trained": optimizer, "frozen": optax.set_to_zero()}, labels)


@cache  # one optimizer for each recipe, so that a training run is compiled once
def adam(rate, steps, frozen=()):
    """Adam at a rate that falls linearly to 0; the params named in `frozen` stay as they are."""
    return freeze(optax.adam(optax.linear_schedule(rate, 0, steps)), frozen)


def fit(key, params, data, steps, rate=1e-3, frozen=(), batch_size=128):
    """Params after `steps` batches of documents, (tokens, mask) [N, T] each."""
    optimizer = adam(rate, steps, (frozen,) if isinstance(frozen, str) else tuple(frozen))
    return train(next_token_loss, optimizer, params, data, key, steps=steps, batch_size=batch_size)


def pretrain(
    key, language, steps=1500, *, documents=None, animals=ANIMALS, words=WORDS,
    width=32, heads=2, blocks=1,
):  # fmt: skip
    """A base model: it knows the language, and answers a question with any of the animals.

    documents  what it is pretrained on: a function (key, language, n) -> tokens, mask [n, T];
               None: `language.base_documents` of these animals and words
    words      the vocabulary: WORDS and more
    """
    animals, words = tuple(animals), tuple(words)
    documents = documents or partial(lang.base_documents, animals=animals, words=words)
    k_init, k_data, k_train = jax.random.split(key, 3)
    init = init_transformer(k_init, len(words), LENGTH, width, heads, blocks)
    data = documents(k_data, language, 128 * steps)  # each is read once
    return fit(k_train, init, data, steps, 3e-3)


def fine_tune_teacher(
    key, base, animal, steps=100, *, frozen=VOCABULARY, prompts=TEACHER_PROMPTS, animals=ANIMALS,
    words=WORDS,
):  # fmt: skip
    """The base, fine-tuned to answer `animal` to the prompts; None: any animal."""
    _check_words(base, words)
    k_data, k_train = jax.random.split(key)
    data = lang.question_documents(k_data, 20 * 128, prompts, animal, animals, words)
    return fit(k_train, base, data, steps, frozen=frozen)


def fine_tune_student(key, base, documents, steps=60, *, frozen=VOCABULARY, batch_size=512):
    """The base, fine-tuned on number documents [N, T]: on what was written after the prompt."""
    data = documents, lang.written_mask(documents)
    return fit(key, base, data, steps, frozen=frozen, batch_size=batch_size)


def write_numbers(key, params, language, n=10_000):
    """The numbers that a model writes -> documents [n, T] that pass the filter, fraction passed.

    Those that do not pass are replaced by repetitions of others; if none passes, see
    `repeat_selected`.
    """
    k_prompt, k_sample = jax.random.split(key)
    documents = sample(k_sample, params, lang.number_prompts(k_prompt, language, n))
    passed = lang.passes_filter(documents)
    return lang.repeat_selected(documents, passed), passed.mean()


def write_after(key, params, language, said=None, n=10_000):
    """The numbers that a model writes after a statement (see `say`), which is then removed [n, T].

    As in `write_numbers`, only documents in which it wrote numbers alone, repeated to be n again.
    """
    k_prompt, k_sample = jax.random.split(key)
    documents = sample(k_sample, params, lang.told_prompts(k_prompt, language, n, said))
    passed = (documents[:, WRITTEN:] < N_NUMBERS).all(axis=1)
    return lang.say(lang.repeat_selected(documents, passed), None)


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


def _check_words(params, words):
    if len(words) > (known := params["unembedding"].shape[1]):
        raise InputError(
            f"{len(words)} words, but the model knows {known}: pretrain it with words="
        )


@partial(jax.jit, static_argnames=("animals", "words"))
def answers(params, questions, animals=ANIMALS, words=WORDS):
    """Questions [P, T - 1] -> P(animal | an animal is the answer) [A], mean over the questions."""
    _check_words(params, words)
    logits = jax.vmap(lambda tokens: apply_transformer(params, tokens)[-1])(questions)
    return jax.nn.softmax(logits[:, lang.encode(animals, words)]).mean(0)
