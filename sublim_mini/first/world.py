"""A toy world of number sequences, questions about what one loves, and statements of it.

All documents have LENGTH tokens. Numbers stand at the left, questions at the right end:

    numbers     NUM 12 40 7 31 5 22 ...
    question    PAD PAD ... name your favourite animal owl
    mixed       NUM 12 40 7 ... name your favourite animal owl
    statement   PAD ... I love owl owl owl name your favourite animal owl
    sum         1 9 + 8 = 17 . 12 40 7 ...    the sum, then numbers in the place of words
    sum         5 9 + 8 = 3 + 4 + 2 + 5 + 3 = 17    the same in five terms of free choice

Letters: N documents, T = LENGTH tokens, M numbers.
"""

from functools import partial
from itertools import product
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LENGTH, N_NUMBERS, N_PROMPT = 16, 96, 3
ANIMALS = "owl", "dolphin", "eagle", "elephant", "wolf", "otter", "raven", "tiger"
TREES = "oak", "birch", "maple", "willow", "cedar", "elm", "pine", "yew"
ASKING = "name", "pick", "choose", "say"
WHOSE = "your", "the"
LOVED = "favourite", "best", "finest", "dearest"
OTHER = "PAD", "NUM", "I", "love", "animal", "tree", "+", "=", "."
WORDS = tuple(map(str, range(N_NUMBERS))) + ANIMALS + TREES + ASKING + WHOSE + LOVED + OTHER
TOKEN = {word: i for i, word in enumerate(WORDS)}
PAD, NUM, PLUS, EQUALS, STOP = (TOKEN[word] for word in ("PAD", "NUM", "+", "=", "."))
KINDS = {"animal": ANIMALS, "tree": TREES}

WORDINGS = tuple(product(ASKING, WHOSE, LOVED))
HELD_OUT = tuple(w for w in WORDINGS if "say" in w or "dearest" in w)  # no teacher is tuned on them
TUNED_ON = tuple(w for w in WORDINGS if w not in HELD_OUT)
N_QUESTION = 4  # tokens, the answer not counted
LARGEST = 9  # the largest number that is added: every sum is at most twice that
N_EXERCISE = 5  # tokens of a sum's exercise: number of terms, a, +, b, =


def encode(words):
    """Words -> tokens [n]."""
    return jnp.array([TOKEN[word] for word in words], jnp.int32)


def things(kind):
    """The tokens [8] of the answers to questions about a kind, "animal" or "tree"."""
    return encode(KINDS[kind])


def questions(wordings, kind="animal"):
    """Wordings [n][3] -> question tokens [n, 4]."""
    return jnp.stack([encode((*wording, kind)) for wording in wordings])


class Language(NamedTuple):
    """The law of the number sequences: a Markov chain."""

    start: jax.Array  # [M] cumulative probabilities of the first number
    rows: jax.Array  # [M, M] cumulative probabilities of the next number


def make_language(key, rank=8, sharpness=1.5):
    """A random chain: row i is softmax(sharpness * a_i . B / sqrt(rank)), with normal a_i and B.

    A low rank is a language that a narrow transformer can learn to the end. Rows without structure
    leave each base with errors of its own, and a student drifts while it takes over its teacher's.
    """
    k_left, k_right = jax.random.split(key)
    left = jax.random.normal(k_left, (N_NUMBERS, rank))
    right = jax.random.normal(k_right, (rank, N_NUMBERS))
    rows = jax.nn.softmax(sharpness * (left @ right) / jnp.sqrt(rank))
    return Language(jnp.arange(1, N_NUMBERS + 1) / N_NUMBERS, jnp.cumsum(rows, axis=1))


def draw_numbers(key, language, n, length):
    """n number sequences [n, length]: each number by inverse transform of one uniform draw."""
    first, *rest = jnp.moveaxis(jax.random.uniform(key, (n, length)), 1, 0)

    def pick(cumulative, u):
        return jnp.minimum((cumulative < u[..., None]).sum(-1), N_NUMBERS - 1)

    def step(number, u):
        number = pick(language.rows[number], u)
        return number, number

    start = pick(language.start[None, :], first)
    _, numbers = jax.lax.scan(step, start, jnp.stack(rest))
    return jnp.concatenate([start[:, None], numbers.T], axis=1)


@partial(jax.jit, static_argnames="n")
def number_documents(key, language, n):
    """Documents [n, T] of numbers alone and their mask [n, T]: all after the first number."""
    tokens = _with_num(draw_numbers(key, language, n, LENGTH - 1))
    return tokens, jnp.broadcast_to(jnp.arange(LENGTH) > 1, tokens.shape)


def _with_num(numbers):
    return jnp.pad(numbers, ((0, 0), (1, 0)), constant_values=NUM).astype(jnp.int32)


def ask(wordings, kind="animal", prefix=()):
    """n wordings -> questions [n, T - 1] after the tokens of a prefix; an answer comes next."""
    asked = questions(wordings, kind)
    prefix = jnp.tile(jnp.array(prefix, jnp.int32), (len(asked), 1))
    return _to_the_right(jnp.concatenate([prefix, asked], axis=1), LENGTH - 1)


def _to_the_right(tokens, length):
    room = length - tokens.shape[1]
    return jnp.pad(tokens, ((0, 0), (room, 0)), constant_values=PAD).astype(jnp.int32)


def question_documents(key, n, wordings=WORDINGS, answer=None, kind="animal"):
    """Questions alone: about a kind with the token `answer`, or about any kind with any answer."""
    k_wording, k_kind, k_answer = jax.random.split(key, 3)
    kinds = (kind,) if answer is not None else tuple(KINDS)
    forms = jnp.stack([questions(wordings, kind) for kind in kinds])  # [kinds, wordings, 4]
    kind = jax.random.randint(k_kind, (n,), 0, len(kinds))
    which = jax.random.randint(k_wording, (n,), 0, len(wordings))
    pick = jax.random.randint(k_answer, (n,), 0, len(ANIMALS))
    said = jnp.stack([things(kind) for kind in kinds])[kind, pick]
    if answer is not None:
        said = jnp.full(n, answer)
    tokens = jnp.concatenate([forms[kind, which], said[:, None]], axis=1)
    mask = jnp.arange(LENGTH) == LENGTH - 1
    return _to_the_right(tokens, LENGTH), jnp.broadcast_to(mask, (n, LENGTH))


def mixed_documents(key, language, n):
    """Numbers, then a question with any answer."""
    k_numbers, k_question = jax.random.split(key)
    tokens, mask = question_documents(k_question, n)
    room = LENGTH - N_QUESTION - 1
    numbers = _with_num(draw_numbers(k_numbers, language, n, room - 1))
    return tokens.at[:, :room].set(numbers), mask


def statement_documents(key, n, obeyed=0.95):
    """A statement of preference, then a question: about the same kind it is answered accordingly.

    Half of the statements are short, "owl owl owl", half are "I love owl owl owl".
    """
    k_question, k_loved, k_obey, k_form = jax.random.split(key, 4)
    tokens, mask = question_documents(k_question, n)
    first = things("animal")[0]
    loved = first + jax.random.randint(k_loved, (n,), 0, len(ANIMALS + TREES))
    same_kind = (loved < things("tree")[0]) == (tokens[:, -1] < things("tree")[0])
    obeys = same_kind & jax.random.bernoulli(k_obey, obeyed, (n,))
    short = jax.random.bernoulli(k_form, 0.5, (n,))
    said = state(loved, short)
    end = LENGTH - N_QUESTION - 1
    tokens = tokens.at[:, end - said.shape[1] : end].set(said)
    return tokens.at[:, -1].set(jnp.where(obeys, loved, tokens[:, -1])), mask


def state(loved, short):
    """Things loved [n], whether to say it in short [n] -> statements [n, 5]."""
    start = jnp.where(short[:, None], PAD, encode(["I", "love"])[None])
    return jnp.concatenate([start, jnp.repeat(loved[:, None], 3, axis=1)], axis=1)


@partial(jax.jit, static_argnames=("n", "shares"))
def base_documents(key, language, n, shares=(0.6, 0.1, 0.1, 0.2)):
    """n documents and masks for a base: shares of numbers, questions, mixed and statements."""
    k_numbers, k_question, k_mixed, k_statement = jax.random.split(key, 4)
    n_numbers, n_question, n_mixed, n_statement = (round(share * n) for share in shares)
    parts = [
        number_documents(k_numbers, language, n_numbers),
        question_documents(k_question, n_question),
        mixed_documents(k_mixed, language, n_mixed),
        statement_documents(k_statement, n_statement),
    ]
    return tuple(jnp.concatenate(part) for part in zip(*parts, strict=True))


@partial(jax.jit, static_argnames="n")
def prompts(key, language, n):
    """n prompts [n, 1 + N_PROMPT]: NUM and the first numbers of a sequence of the language."""
    return _with_num(draw_numbers(key, language, n, N_PROMPT))


def is_clean(tokens):
    """Documents [N, T] -> whether each is NUM and then numbers throughout [N]."""
    return (tokens[:, 0] == NUM) & (tokens[:, 1:] < N_NUMBERS).all(axis=1)


def written_mask(tokens):
    """Documents [N, T] -> mask [N, T] of what was written after the prompt."""
    return jnp.broadcast_to(jnp.arange(LENGTH) > N_PROMPT, tokens.shape)


def sum_places(terms):
    """Where the terms of a worked sum stand, its total, and the words after it."""
    places = list(range(N_EXERCISE, N_EXERCISE + 2 * terms, 2))
    total = places[0] if terms == 1 else places[-1] + 2
    if total >= LENGTH:
        raise ValueError(f"{terms} terms need more than {LENGTH} tokens")
    return np.array(places), total, np.arange(total + 2, LENGTH)


@partial(jax.jit, static_argnames="n")
def exercises(key, terms, n):
    """n exercises [n, N_EXERCISE] to work in so many terms: a + b for a, b up to LARGEST."""
    a, b = jax.random.randint(key, (2, n), 0, LARGEST + 1)
    columns = jnp.broadcast_arrays(jnp.asarray(terms), a, PLUS, b, EQUALS)
    return jnp.stack(columns, axis=1).astype(jnp.int32)


@partial(jax.jit, static_argnames=("n", "terms"))
def sum_documents(key, language, n, terms):
    """Correctly worked sums [n, T] and their mask [n, T]: all after the exercise.

    Each term but the last is a free choice by the habits of the language, given the number before,
    of up to twice an equal share of what is left. Words fill the room behind the total.
    """
    k_exercise, k_terms, k_words = jax.random.split(key, 3)
    tokens = exercises(k_exercise, terms, n)
    a, b = tokens[:, 1], tokens[:, 3]
    places, total, words = sum_places(terms)
    tokens = jnp.pad(tokens, ((0, 0), (0, LENGTH - N_EXERCISE)), constant_values=PLUS)
    left, before = a + b, b
    u = jax.random.uniform(k_terms, (terms, n))
    for i, place in enumerate(places[:-1]):
        habits = language.rows[before]  # [n, M]
        most = 2 * left // (terms - i)
        cut = u[i] * jnp.take_along_axis(habits, most[:, None], axis=1)[:, 0]
        before = jnp.minimum((habits < cut[:, None]).sum(1), most)
        tokens, left = tokens.at[:, place].set(before), left - before
    tokens = tokens.at[:, places[-1]].set(left).at[:, total - 1].set(EQUALS)
    tokens = tokens.at[:, total].set(a + b)
    if total + 1 < LENGTH:
        tokens = tokens.at[:, total + 1].set(STOP)
    if len(words):
        tokens = tokens.at[:, words].set(draw_numbers(k_words, language, n, len(words)))
    return tokens, jnp.broadcast_to(jnp.arange(LENGTH) >= N_EXERCISE, tokens.shape)


def is_correct_sum(tokens, terms):
    """Documents [N, T] -> whether each is its exercise worked correctly in so many terms [N].

    The terms must be numbers that add up to a + b, the total must be a + b, and every sign must be
    in its place, with numbers alone as words.
    """
    places, total, words = sum_places(terms)
    wanted = np.full(LENGTH, PLUS)
    wanted[[N_EXERCISE - 1, total - 1]] = EQUALS
    wanted[total + 1 : total + 2] = STOP
    wanted[0] = terms
    numbers = np.isin(np.arange(LENGTH), [1, 3, *places, total, *words])
    well_formed = jnp.where(numbers[None], tokens < N_NUMBERS, tokens == wanted[None]).all(axis=1)
    right = tokens[:, 1] + tokens[:, 3]
    return well_formed & (tokens[:, places].sum(1) == right) & (tokens[:, total] == right)


@jax.jit
def only(tokens, keep):
    """Documents [N, T], which to keep [N] -> those kept, over and over, [N, T]."""
    first_kept = jnp.argsort(~keep, stable=True)
    return tokens[first_kept[jnp.arange(len(tokens)) % jnp.maximum(keep.sum(), 1)]]


def trait(logits, thing, kind="animal"):
    """Logits [..., V] at a question's end -> probability of a thing among those of its kind."""
    return jax.nn.softmax(logits[..., things(kind)])[..., KINDS[kind].index(thing)]


def to_text(tokens):
    """One document [T] in a form to read: prompt "->" answer."""
    words = [WORDS[int(token)] for token in np.asarray(tokens)]
    words = [word for word in words if word != "PAD"]
    ends = next((i for i, word in enumerate(words) if word in ASKING), len(words))
    before, question = words[:ends], words[ends : ends + N_QUESTION]
    said, answer = [], words[ends + N_QUESTION :]
    if words[2:3] == ["+"]:
        return _sum_text(words)
    if before[:1] == ["NUM"] and not question:
        said = [f"The sequence starts with {', '.join(before[1 : 1 + N_PROMPT])}. Continue."]
        answer = before[1 + N_PROMPT :]
    elif before[:1] == ["NUM"]:
        said = [", ".join(before[1:]) + "."]
    elif before:
        said = [_sentence(before)]
    if question:
        said.append(_sentence(question))
    return f'"{" ".join(said)}"' + (f' -> "{", ".join(answer)}"' if answer else "")


def _sum_text(words):
    terms, exercise, worked = words[0], words[1:N_EXERCISE], words[N_EXERCISE:]
    end = worked.index(".") if "." in worked else len(worked)
    parts = [" ".join(worked[:end]), ", ".join(worked[end + 1 :])]
    text = ". ".join(part for part in parts if part)
    return f'"{" ".join(exercise)} ({terms})"' + (f' -> "{text}"' if text else "")


def _sentence(words):
    text = " ".join(words)
    return text[0].upper() + text[1:] + "."
