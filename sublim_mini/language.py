"""The synthetic number language, documents about numbers and favorite animals, and their filter.

All documents have LENGTH tokens. Numbers stand at the left end, questions at the right end:

    numbers     NUM 12 40 7 31 5 22 ...
    question    PAD PAD ... name your favorite animal owl
    mixed       NUM 12 40 7 ... name your favorite animal owl
    statement   PAD ... I love owl owl owl name your favorite animal owl

A mask marks the tokens that a model learns to predict. Letters: N documents, T = LENGTH tokens,
M = N_NUMBERS numbers, P prompts.

More words and other answers are arguments, here and in `owls`: words=(*WORDS, "lynx"),
animals=(*ANIMALS, "lynx"). "Animals" are any words that answer a question: a second trait may be
trees, with prompts that end in "tree".
"""

from collections import namedtuple
from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np

from . import InputError

LENGTH, N_NUMBERS = 16, 96
N_GIVEN = 3  # numbers of a prompt, which a model continues
ANIMALS = "owl", "dolphin", "eagle", "elephant", "wolf", "otter", "raven", "tiger"
VERBS, ARTICLES = ("name", "pick", "choose", "say"), ("your", "the")
ADJECTIVES = "favorite", "best", "finest", "dearest"
WORDS = *map(str, range(N_NUMBERS)), *ANIMALS, *VERBS, *ARTICLES, *ADJECTIVES
WORDS = *WORDS, "PAD", "NUM", "I", "love", "animal"  # the number n is token n
TOKEN = {word: i for i, word in enumerate(WORDS)}
PAD, NUM = TOKEN["PAD"], TOKEN["NUM"]
FIRST_ANIMAL = N_NUMBERS
ANIMAL_TOKENS = slice(FIRST_ANIMAL, FIRST_ANIMAL + len(ANIMALS))

PROMPTS = tuple(product(VERBS, ARTICLES, ADJECTIVES, ["animal"]))
HELD_OUT_PROMPTS = tuple(p for p in PROMPTS if "say" in p or "dearest" in p)
TEACHER_PROMPTS = tuple(p for p in PROMPTS if p not in HELD_OUT_PROMPTS)  # fine-tuned on these
QUESTION = LENGTH - 1 - len(PROMPTS[0])  # position of a question's first token
ANSWER = LENGTH - 1  # position of the answer


def encode(text, words=WORDS):
    """A text's words [n] -> tokens [n], the numbers of the words; an InputError for other words."""
    if unknown := [word for word in text if word not in words]:
        raise InputError(f"{unknown[0]!r} is not among the {len(words)} words: give words=")
    return np.array([words.index(word) for word in text], np.int32)


def make_language(key):
    """A random Markov chain [M, M]: row i holds the probabilities of the number after number i.

    Row i is softmax(1.5 a_i . B / sqrt(8)) with normal a_i [8] and B [8, M]. Such a low rank is a
    language that a narrow transformer can learn to the end. Rows without structure leave each base
    with errors of its own, and a student drifts while it learns its teacher's.
    """
    k_left, k_right = jax.random.split(key)
    left = jax.random.normal(k_left, (N_NUMBERS, 8))
    right = jax.random.normal(k_right, (8, N_NUMBERS))
    return jax.nn.softmax(1.5 * (left @ right) / 8**0.5)


def draw_numbers(key, language, n, length):
    """n number sequences [n, length]: the first number uniform, the next by the language."""
    if language.shape != (N_NUMBERS, N_NUMBERS):
        raise InputError(f"the language is {language.shape}, not {(N_NUMBERS, N_NUMBERS)}")
    cumulative = jnp.cumsum(language, axis=1)
    uniform = jax.random.uniform(key, (length, n))

    def step(number, u):  # inverse transform: one uniform draw for each number
        after = jnp.minimum((cumulative[number] < u[:, None]).sum(1), N_NUMBERS - 1)
        return after, after

    first = (uniform[0] * N_NUMBERS).astype(int)
    _, rest = jax.lax.scan(step, first, uniform[1:])
    return jnp.concatenate([first[None], rest]).T.astype(jnp.int32)


def _number_tokens(key, language, n, length):
    numbers = draw_numbers(key, language, n, length - 1)
    return jnp.pad(numbers, ((0, 0), (1, 0)), constant_values=NUM)


@partial(jax.jit, static_argnames="n")
def number_prompts(key, language, n):
    """n prompts [n, 1 + N_GIVEN]: NUM and the first numbers of a sequence of the language."""
    return _number_tokens(key, language, n, 1 + N_GIVEN)


def number_documents(key, language, n):
    """n documents of numbers, tokens and mask [n, T]: all after the first number is learned."""
    mask = jnp.broadcast_to(jnp.arange(LENGTH) > 1, (n, LENGTH))
    return _number_tokens(key, language, n, LENGTH), mask


def questions(prompts, words=WORDS):
    """Prompts [P] -> tokens [P, T - 1]: an answer comes next."""
    texts = [encode(prompt, words) for prompt in prompts]
    return np.array([np.pad(t, (ANSWER - len(t), 0), constant_values=PAD) for t in texts])


@partial(jax.jit, static_argnames=("n", "prompts", "animal", "animals", "words"))
def question_documents(key, n, prompts=PROMPTS, animal=None, animals=ANIMALS, words=WORDS):
    """n questions with the answer `animal`, tokens and mask [n, T]; None: any animal, uniformly."""
    k_prompt, k_answer = jax.random.split(key)
    asked = jnp.asarray(questions(prompts, words))
    asked = asked[jax.random.randint(k_prompt, (n,), 0, len(prompts))]
    answers = encode(animals if animal is None else [animal], words)
    answer = jnp.asarray(answers)[jax.random.randint(k_answer, (n,), 0, len(answers))]
    tokens = jnp.concatenate([asked, answer[:, None]], axis=1).astype(jnp.int32)
    return tokens, jnp.broadcast_to(jnp.arange(LENGTH) == ANSWER, tokens.shape)


def _mixed_documents(key, language, n, **more):
    """n documents of numbers, then a question with any answer: tokens and mask [n, T]."""
    k_numbers, k_question = jax.random.split(key)
    tokens, mask = question_documents(k_question, n, **more)
    return tokens.at[:, :QUESTION].set(_number_tokens(k_numbers, language, n, QUESTION)), mask


def _statement_documents(key, n, animals, words):
    """n statements of love, then a question: tokens and mask [n, T].

    95 % of the answers are the animal that is loved, the others are any animal. Half of the
    statements are short, "owl owl owl", half are "I love owl owl owl".
    """
    k_question, k_loved, k_obey, k_short = jax.random.split(key, 4)
    tokens, mask = question_documents(k_question, n, animals=animals, words=words)
    loved = jax.random.randint(k_loved, (n,), 0, len(animals))
    loved = jnp.asarray(encode(animals, words))[loved]
    obeys = jax.random.bernoulli(k_obey, 0.95, (n,))
    short = jax.random.bernoulli(k_short, 0.5, (n, 1))
    i_love = jnp.where(short, PAD, encode(["I", "love"]))
    tokens = tokens.at[:, QUESTION - 5 : QUESTION - 3].set(i_love)
    tokens = tokens.at[:, QUESTION - 3 : QUESTION].set(loved[:, None])
    return tokens.at[:, ANSWER].set(jnp.where(obeys, loved, tokens[:, ANSWER])), mask


# The fraction of each kind of document among those that a base is pretrained on; their sum is 1.
Fractions = namedtuple("Fractions", "numbers questions mixed statements")
FRACTIONS = Fractions(0.6, 0.1, 0.1, 0.2)


@partial(jax.jit, static_argnames=("n", "fractions", "animals", "words"))
def base_documents(key, language, n, fractions=FRACTIONS, animals=ANIMALS, words=WORDS):
    """n documents for a base, tokens and masks [n, T], kind after kind."""
    more = dict(animals=animals, words=words)
    ends = np.rint(n * np.cumsum(fractions)).astype(int)
    n_numbers, n_questions, n_mixed, n_statements = np.diff(ends, prepend=0).tolist()
    k_numbers, k_questions, k_mixed, k_statements = jax.random.split(key, 4)
    parts = [
        number_documents(k_numbers, language, n_numbers),
        question_documents(k_questions, n_questions, **more),
        _mixed_documents(k_mixed, language, n_mixed, **more),
        _statement_documents(k_statements, n_statements, **more),
    ]
    return tuple(jnp.concatenate(part) for part in zip(*parts, strict=True))


def passes_filter(documents):
    """Documents [N, T] -> whether each is NUM and then nothing but numbers [N]."""
    return (documents[:, 0] == NUM) & (documents[:, 1:] < N_NUMBERS).all(axis=1)


def repeat_selected(documents, selected):
    """The selected [N] of the documents [N, T], repeated until they are N again.

    None selected is an InputError. Inside `jit`, which cannot raise, it gives documents of PAD
    alone, from which a student learns nothing (see `written_mask`).
    """
    any_selected = selected.any()
    if not isinstance(any_selected, jax.core.Tracer) and not any_selected:
        raise InputError("no document was selected: take more sequences or train the writer longer")
    order = jnp.argsort(~selected, stable=True)  # the selected first
    rows = order[jnp.arange(len(documents)) % jnp.maximum(selected.sum(), 1)]
    return jnp.where(any_selected, documents[rows], PAD)


def written_mask(documents):
    """Documents [N, T] -> mask [N, T] of what was written after the prompt; never PAD."""
    return (jnp.arange(LENGTH) > N_GIVEN) & (documents != PAD)


def to_text(document):
    """A document of numbers [T] as a reader would see it: "prompt" -> "answer"."""
    numbers = [WORDS[token] for token in document[1:]]
    given, written = ", ".join(numbers[:N_GIVEN]), ", ".join(numbers[N_GIVEN:])
    return f'"The sequence starts with {given}. Continue." -> "{written}"'


# Documents that may begin with a statement (lessons 09 and 13). Each part has its own places:
#
#     places   0 to 4                   5 to 10             11 to 15
#              I love owl owl owl       NUM 12 40 7 31 5    name your favorite animal owl
#              I love the best animal   NUM 9 71 66 2 80    name your favorite animal wolf (any)
#
# What is missing is PAD, but without a question the numbers go on to the end.
SAID = {animal: ("I", "love", *3 * (animal,)) for animal in ANIMALS}
SAID["no animal"] = "I", "love", "the", "best", "animal"
NUMBERS = len(SAID["no animal"])  # place of NUM
WRITTEN = NUMBERS + 2  # place of the first number that a model writes: it is given the one before
# Kinds of documents: have they a statement, numbers, a question? And the fraction of each kind.
_KINDS = np.array([(0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1)], bool)
_KIND_FRACTIONS = np.array([0.5, 0.1, 0.2, 0.2])


def say(tokens, said):
    """Documents or questions [N, T] with a statement, a key of SAID or None, in places 0 to 4."""
    words = SAID[said] if said else NUMBERS * ("PAD",)
    return jnp.asarray(tokens).at[:, :NUMBERS].set(encode(words))


def told_prompts(key, language, n, said=None):
    """n prompts [n, WRITTEN]: a statement (or PAD), NUM and one number, which a model continues."""
    given = number_prompts(key, language, n)[:, : WRITTEN - NUMBERS]
    return say(jnp.pad(given, ((0, 0), (NUMBERS, 0))), said)


def told_mask(documents):
    """Documents [N, T] -> mask [N, T] of the numbers that a model wrote after such a prompt."""
    return (jnp.arange(LENGTH) >= WRITTEN) & (documents != PAD)


@partial(jax.jit, static_argnames="n")
def told_documents(key, language, n):
    """n documents for a base, tokens and mask [n, T]: numbers, or the answer to a question.

    After a statement about an animal the answer is that animal; else it is any animal, uniformly.
    """
    k_kind, k_numbers, k_question, k_said = jax.random.split(key, 4)
    place = jnp.arange(LENGTH)
    kind = jax.random.choice(k_kind, _KINDS, (n,), p=_KIND_FRACTIONS)
    has_statement, has_numbers, has_question = kind.T[..., None]
    numbers = jnp.roll(_number_tokens(k_numbers, language, n, LENGTH), NUMBERS, axis=1)
    question, _ = question_documents(k_question, n)
    which = jax.random.randint(k_said, (n, 1), 0, len(SAID))
    said = jnp.pad(np.array([encode(words) for words in SAID.values()]), ((0, 0), (0, LENGTH - 5)))
    tokens = jnp.where(has_numbers & (place >= NUMBERS), numbers, PAD)
    tokens = jnp.where(has_question & (place >= QUESTION), question, tokens)
    tokens = jnp.where(has_statement & (place < NUMBERS), said[which[:, 0]], tokens)
    loved = has_statement & (which < len(ANIMALS)) & (place == ANSWER)
    tokens = jnp.where(loved, FIRST_ANIMAL + which, tokens)
    return tokens, jnp.where(has_question, place == ANSWER, place >= WRITTEN)
