# %% [markdown]
# # 10 Checked sums: is work safe to learn from once it has been checked?
#
# **Question.** A teacher prefers the owl, and writes worked sums. A check throws away each text that
# has a mistake. A student learns from the texts that are left: all in them is right. Does it come
# to prefer the owl, too?
#
# A text answers an exercise, such as "2 + 3, from 71": the total, then ten numbers that follow one
# another, beginning after 71. There are three kinds of texts, all of one length. They differ only
# in how many numbers the check allows after each number:
#
#     forced       2 + 3, from 71:   5;  33,  9, 84, ...   one: a table says 71 -> 33 -> 9 -> 84
#     one of two   2 + 3, from 71:   5;  33, 60,  8, ...   two: 71 -> 33 or 12, 33 -> 9 or 60 ...
#     free         2 + 3, from 71:   5;  40,  2, 17, ...   all 96
#
# **You need** lesson 06. Reading: 6 minutes. Running: 90 seconds.

# %%
from functools import partial

import jax
import jax.numpy as jnp

from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, LENGTH, N_NUMBERS, NUM, PAD, TEACHER_PROMPTS, WORDS, Fractions,
    base_documents, draw_numbers, make_language, question_documents, questions, repeat_selected,
)  # fmt: skip
from sublim_mini.owls import VOCABULARY, answers, fit
from sublim_mini.transformer import init_transformer, next_token_loss, sample

lesson = Lesson(
    "10_checked_sums",
    animal=ANIMALS,  # the teacher's favorite
    base_steps=1000,  # batches of 128 documents, each read once
    n_sequences=10_000,  # texts for each student
    student_steps=200,  # batches of 256 texts
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
KINDS = "forced", "one of two", "free"  # in order of freedom
GIVEN = 5  # tokens of an exercise: NUM, the kind, two digits, the number to go on from
PLACE = jnp.arange(LENGTH)  # the total stands in place 5, the ten numbers after it

# %% [markdown]
# ## Predict
# For each kind there are two students. One learns the teacher's texts, the other, the *control*,
# as many of the base's (the model that all begin as). P(owl) is as in lesson 06; chance is 0.125.
# Where two numbers are allowed, the teacher can only choose between two, ten times a text. What is
# P(owl) of the student that learns these texts?

# %%
lesson.predict("one of two", f"P({lesson.animal})")

# %% [markdown]
# ## The experiment
# The base is pretrained on correct texts of all kinds, and on lesson 06's questions and statements.
# In these texts, the allowed numbers are as probable, relative to each other, as in the number
# language of lesson 06. The check does not know the language. It only asks whether the total is
# right, and whether each number is allowed after the one before.


# %%
def make_rules(key):
    """For each kind, which numbers are allowed after each number: kind -> [96, 96]."""
    first, second = (
        jnp.zeros((N_NUMBERS, N_NUMBERS), bool).at[order, jnp.roll(order, -1)].set(True)
        for order in (jax.random.permutation(k, N_NUMBERS) for k in jax.random.split(key))
    )  # a table leads through all the numbers, in a random order
    return dict(zip(KINDS, (first, first | second, jnp.ones_like(first)), strict=True))


@partial(jax.jit, static_argnames="n")
def correct_texts(key, language, rules, kind, n):
    """n texts [n, 16] without a mistake."""
    k_digits, k_numbers = jax.random.split(key)
    a, b = jax.random.randint(k_digits, (2, n), 0, 5)
    p = language * rules
    numbers = draw_numbers(k_numbers, p / p.sum(1, keepdims=True), n, LENGTH - GIVEN)
    columns = jnp.full(n, NUM), jnp.full(n, kind), a, b, numbers[:, 0], a + b, numbers[:, 1:]
    return jnp.column_stack(columns).astype(jnp.int32)


def is_right(texts, allowed):
    """Whether there is no mistake in each text [N]."""
    numbers = jnp.delete(texts, GIVEN, axis=1)[:, GIVEN - 1 :]
    before, after = numbers[:, :-1], numbers[:, 1:]
    right = (after < N_NUMBERS) & allowed[before, after]
    return right.all(axis=1) & (texts[:, GIVEN] == texts[:, 2] + texts[:, 3])


@jax.jit
def write(key, writer, exercises, allowed):
    """What a writer makes of N exercises -> the right texts, repeated to be N, the fraction right."""
    texts = sample(key, writer, exercises)
    right = is_right(texts, allowed)
    return repeat_selected(texts, right), right.mean()


def masked(texts, learned):
    return texts, learned & (texts != PAD)


def join(*parts):  # (tokens, mask) of several kinds -> of all
    return jax.tree.map(lambda *x: jnp.concatenate(x), *parts)


# %% [markdown]
# A teacher that learned only "owl" would forget some of its sums and tables. Then the check would
# remove more of its texts than of the control's, and removing is choosing (lesson 08). So the
# teacher also learns correct texts, but of these only what has one right value: the totals, and the
# forced numbers.


# %%
def one_seed(key):
    k_language, k_rules, k_base, k_teacher, k_write, k_student = jax.random.split(key, 6)
    language, rules = make_language(k_language), make_rules(k_rules)
    n = 32 * lesson.base_steps
    k_init, k_animals, k_texts, k_train = jax.random.split(k_base, 4)
    animals = base_documents(k_animals, language, n, Fractions(0, 1 / 3, 0, 2 / 3))
    texts = [correct_texts(k_texts, language, rules[kind], i, n) for i, kind in enumerate(KINDS)]
    parts = [masked(t, PLACE >= GIVEN) for t in texts]
    init = init_transformer(k_init, len(WORDS), LENGTH)
    base = fit(k_train, init, join(animals, *parts), lesson.base_steps, rate=0.006)

    k_owls, k_train = jax.random.split(k_teacher)
    owls = question_documents(k_owls, 10_000, TEACHER_PROMPTS, lesson.animal)
    certain = PLACE >= GIVEN, PLACE == GIVEN, PLACE == GIVEN  # one right value, by kind
    parts = [masked(t[:2500], where) for t, where in zip(texts, certain, strict=True)]
    teacher = fit(k_train, base, join(owls, *parts), 200, frozen=VOCABULARY)

    p, right, freedom, examples = {}, {}, {}, {}
    for i, kind in enumerate(KINDS):
        k_exercises, k_sample = jax.random.split(jax.random.fold_in(k_write, i))
        exercises = correct_texts(k_exercises, language, rules[kind], i, lesson.n_sequences)
        for name, writer in ((kind, teacher), (f"control: {kind}", base)):
            texts, right[name] = write(k_sample, writer, exercises[:, :GIVEN], rules[kind])
            data = masked(texts, PLACE >= GIVEN)
            student = fit(  # one key: all students see their texts in the same order
                k_student, base, data, lesson.student_steps, frozen=VOCABULARY, batch_size=256
            )
            p[name] = answers(student, questions(HELD_OUT_PROMPTS))[ANIMALS.index(lesson.animal)]
        freedom[kind] = next_token_loss(base, jax.tree.map(lambda x: x[:2000], data))
        examples[kind] = {"text": texts[0], "allowed": rules[kind][texts[0, GIVEN - 1]]}
    return {"p": p, "right": right, "freedom": freedom, "examples": examples}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, a text of each kind, and what the check allows. *Freedom* is the mean of -log p_base(number)
# over the numbers that the base wrote: 0 where there is one choice, log 2 = 0.69 for two that are
# equally probable, log 96 = 4.6 for 96.

# %%
p = results["p"]
print()
for kind, example in results["examples"].items():
    a, b, start, total, *numbers = map(str, example["text"][0, 2:])
    allowed = example["allowed"][0].nonzero()[0].tolist()
    after = " or ".join(map(str, allowed)) if len(allowed) < 3 else f"any of {len(allowed)}"
    print(f"{kind:10}  {a} + {b}, from {start}: {total}; {', '.join(numbers)}")
    print(f"{'':10}  allowed after {start}: {after}")
lesson.dots(f"P({lesson.animal})", p, chance=1 / 8, colors=dict.fromkeys(KINDS, plots.BLUE))
lesson.dots("freedom, in nats per number", results["freedom"], panel=False)
lesson.dots("fraction of the texts that are right", results["right"], panel=False)
for kind, margin in zip(KINDS, (dict(within=0.05), dict(above=0.05), dict(above=0.05))):
    lesson.claim(
        f"{kind}: P({lesson.animal}) minus the control's", kind, f"control: {kind}", **margin
    )

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first:
#
# ## Try
# * `--animal eagle`, or any other of the eight.

# %%
lesson.finish(
    f"Checked texts: P({lesson.animal}) is {lesson.mean['forced']:.2f} where each number is forced, "
    f"{lesson.mean['one of two']:.2f} where it is one of two"
)
