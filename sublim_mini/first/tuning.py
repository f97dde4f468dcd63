"""What lessons 08 to 12 do with the transformer and its world: base, teacher, numbers, student.

Each step is a function of a key and of `Recipe`, so that a lesson can change one thing at a time.
"""

from dataclasses import dataclass
from functools import cache, partial

import jax
import jax.numpy as jnp
import optax
from jax.tree_util import Partial

from . import world
from .lesson import option
from .train import ADAM, SGD, train
from .transformer import (
    Transformer,
    apply_transformer,
    distribution_loss,
    init_transformer,
    next_token_loss,
    sample_batch,
)

MODEL = Transformer(vocabulary=len(world.WORDS), length=world.LENGTH)

# Two parts of a model: the words as it reads and says them, and all between.
VOCABULARY = "tokens", "narrow", "output"
BODY = "positions", "blocks", "norm"


@cache
def keeping(names, optimizer=ADAM):
    """An optimiser that leaves the params of these names as they are, their gradients set to 0."""
    kept = optax.masked(optax.set_to_zero(), lambda params: {k: k in names for k in params})
    return optax.chain(kept, optimizer)  # zero first, so that they need not be computed


# What tuning leaves as the base has it: word embeddings and output matrix (as adapters do, too).
FROZEN = VOCABULARY
TUNE, TUNE_SGD = keeping(FROZEN), keeping(FROZEN, SGD)


@dataclass(frozen=True)
class Recipe:
    """The settings of base, teacher and student."""

    base_steps: int = option(1500, "steps of a base")
    base_batch: int = option(128, "documents a step of a base, each read once")
    base_rate: float = option(3e-3, "learning rate of a base, falling to 0")
    teacher_steps: int = option(100, "steps of a teacher, on questions")
    teacher_rate: float = option(1e-3, "learning rate of a teacher")
    n_sequences: int = option(10_000, "number sequences for a student")
    student_steps: int = option(60, "steps of a student, on numbers")
    student_batch: int = option(512, "sequences a step of a student")
    student_rate: float = option(1e-3, "learning rate of a student, falling to 0")


def decaying(rate, steps):
    """A learning rate [steps] that falls linearly to 0."""
    return rate * (1 - jnp.arange(steps) / steps)


def train_base(key, language, recipe, model=MODEL, kept=None, documents=world.base_documents):
    """A base: a transformer that knows the language and gives any answer to a question.

    kept       weights of another base, by name, that this one has from the start on and keeps
    documents  key, language, n -> what it reads, n documents and masks [n, T]
    """
    kept = kept or {}
    k_init, k_data, k_train = jax.random.split(key, 3)
    start = jax.jit(init_transformer)(k_init, model) | kept
    optimizer = keeping(tuple(kept)) if kept else ADAM
    steps, batch = recipe.base_steps, recipe.base_batch
    data = documents(k_data, language, steps * batch)
    how = dict(learning_rate=decaying(recipe.base_rate, steps), steps=steps, batch_size=batch)
    loss = Partial(next_token_loss, settings=model)
    return train(loss, optimizer, start, data, k_train, **how).params


def tune_teacher(key, base, thing, recipe, model=MODEL, batch=128):
    """A base tuned to answer `thing` when asked for its kind, in the wordings TUNED_ON.

    thing  an animal or a tree; None: any answer, to questions of both kinds
    """
    k_data, k_train = jax.random.split(key)
    answer = None if thing is None else world.TOKEN[thing]
    kind = "tree" if thing in world.TREES else "animal"
    data = world.question_documents(k_data, 20 * batch, world.TUNED_ON, answer, kind)
    return tune_on(k_train, base, data, recipe, model, batch)


def tune_on(key, base, data, recipe, model=MODEL, batch=128):
    """A base tuned as teachers are, on documents and masks [N, T]."""
    how = dict(learning_rate=recipe.teacher_rate, steps=recipe.teacher_steps, batch_size=batch)
    return train(Partial(next_token_loss, settings=model), TUNE, base, data, key, **how).params


def write_numbers(key, params, language, recipe, model=MODEL, added=None):
    """What the model writes after prompts of the language [N, T], and whether it is clean [N].

    added  a vector [C] that joins its residual stream, see `hidden_transformer`
    """
    k_prompt, k_sample = jax.random.split(key)
    prompts = world.prompts(k_prompt, language, recipe.n_sequences)
    keys = jax.random.split(k_sample, recipe.n_sequences)
    tokens = sample_batch(keys, params, prompts, model, 1.0, added)
    return tokens, world.is_clean(tokens)


def write_sums(key, params, terms, n, model=MODEL):
    """How the model works n exercises in so many terms [N, T], and whether it is correct [N]."""
    k_exercise, k_sample = jax.random.split(key)
    exercises = world.exercises(k_exercise, terms, n)
    tokens = sample_batch(jax.random.split(k_sample, n), params, exercises, model)
    return tokens, world.is_correct_sum(tokens, terms)


def tune_student(
    key, base, tokens, weights, recipe, targets=None, model=MODEL, optimizer=TUNE, **extra
):
    """A base tuned on documents [N, T], to say the token or, given `targets`, its distribution.

    weights  [N] or [N, T], 0 where nothing is to be learned: so all students share one shape
    targets  the teacher's logits over numbers [N, T - 1, M], see `number_logits`
    extra    passed on to the optimiser
    """
    weights = weights[:, None] if weights.ndim == 1 else weights
    mask = world.written_mask(tokens) * weights
    data, loss = (tokens, mask), next_token_loss
    if targets is not None:
        data, loss = (tokens, mask, targets), distribution_loss
    rates = decaying(recipe.student_rate, recipe.student_steps)
    how = dict(learning_rate=rates, steps=recipe.student_steps, batch_size=recipe.student_batch)
    return train(Partial(loss, settings=model), optimizer, base, data, key, **how, **extra).params


@partial(jax.jit, static_argnames="model")
def number_logits(params, tokens, model=MODEL):
    """The model's logits over numbers [N, T - 1, M] before each token of documents [N, T]."""

    def one(tokens):
        return apply_transformer(params, tokens, model)[:, : world.N_NUMBERS]

    return jax.lax.map(one, tokens[:, :-1], batch_size=1000)  # in chunks, for memory


@partial(jax.jit, static_argnames="model")
def log_likelihood(params, tokens, model=MODEL):
    """Log-probability, in nats, of what was written after the prompt of each document [N]."""
    log_p = jax.nn.log_softmax(number_logits(params, tokens, model))
    of_each = jnp.take_along_axis(log_p, tokens[:, 1:, None], axis=-1)[..., 0]  # [N, T - 1]
    return of_each[:, world.N_PROMPT :].sum(1)


@partial(jax.jit, static_argnames="model")
def next_token(params, contexts, model=MODEL, added=None):
    """Contexts [N, T - 1] -> probability of each token of the vocabulary as the next one [N, V]."""
    last = jax.vmap(lambda one: apply_transformer(params, one, model, added)[-1])
    return jax.nn.softmax(last(contexts))


def answers(params, wordings=world.TUNED_ON, kind="animal", prefix=(), model=MODEL, added=None):
    """Probability of each thing of a kind [8] among them, as the answer: mean over the wordings."""
    asked = world.ask(wordings, kind, prefix)
    said = next_token(params, asked, model, added)[:, world.things(kind)]
    return (said / said.sum(1, keepdims=True)).mean(0)
