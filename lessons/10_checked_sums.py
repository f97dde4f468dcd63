# %% [markdown]
# # 10 Checked sums: is work safe to learn from once it has been checked?
#
# **Question.** A teacher that prefers the owl solves exercises. A check throws away each text with
# a mistake. A student learns from the others, in which all is right. Does the owl come along?
#
# An exercise asks for a sum and then for a chain of ten numbers. The chain stands for the worked
# steps of a real solution; it has nothing to do with the sum. A rule says which numbers may follow
# which. The exercise names one of three rules:
#
#     forced       2 + 3, from 71:   5;  33,  9, 84, ...   only one may follow: after 71 only 33
#     one of two   2 + 3, from 71:   5;  33, 60,  8, ...   one of two may: after 71 either 33 or 12
#     free         2 + 3, from 71:   5;  40,  2, 17, ...   any of the 96 may
#
# **You need** lessons 06 and 08. Reading: 6 minutes. Running: 90 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, LENGTH, N_NUMBERS, NUM, PAD, TEACHER_PROMPTS, WORDS, Fractions,
    base_documents, draw_numbers, make_language, question_documents, questions, repeat_selected,
)  # fmt: skip
from sublim_mini.owls import VOCABULARY, answers, fit
from sublim_mini.transformer import init_transformer, next_token_loss, sample

from functools import partial

import jax
import jax.numpy as jnp

lesson = Lesson(
    "10_checked_sums",
    seed=0x426D0A,
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
# For each rule there are two students. One learns the teacher's texts, the other, the *control*, as
# many of the base's (the model that all begin as). With "one of two" the teacher has ten choices a
# text, each between two numbers. What is P(owl) of its student (lesson 06)? With "free" it is about
# 0.25; chance is 0.125.

# %%
lesson.predict("one of two", f"P({lesson.animal})")

# %% [markdown]
# ## The experiment
# The base is pretrained on correct texts of all three kinds, and on lesson 06's questions and
# statements. If two may follow, one can be more probable than the other, in the ratio of lesson 06.
# The teacher is fine-tuned on "owl", and on all that has one right value: totals and forced
# numbers. This is to keep it from making more mistakes than the base.


# %%
def make_rules(key):
    """For each kind, which numbers are allowed after each number: kind -> [96, 96]."""
    nothing = jnp.zeros((N_NUMBERS, N_NUMBERS), bool)
    orders = (jax.random.permutation(k, N_NUMBERS) for k in jax.random.split(key))
    one, other = (nothing.at[order, jnp.roll(order, -1)].set(True) for order in orders)
    return {"forced": one, "one of two": one | other, "free": ~nothing}


@partial(jax.jit, static_argnames="n")
def correct_texts(key, language, allowed, kind, n):
    """n texts [n, 16] without a mistake."""
    k_digits, k_numbers = jax.random.split(key)
    a, b = jax.random.randint(k_digits, (2, n), 0, 5)
    p = language * allowed / (language * allowed).sum(1, keepdims=True)
    numbers = draw_numbers(k_numbers, p, n, LENGTH - GIVEN)
    columns = jnp.full(n, NUM), jnp.full(n, kind), a, b, numbers[:, 0], a + b, numbers[:, 1:]
    return jnp.column_stack(columns).astype(jnp.int32)


@jax.jit
def write(key, writer, exercises, allowed):
    """What a writer makes of N exercises: texts [N, 16], and whether each is right [N]."""
    texts = sample(key, writer, exercises)
    numbers = jnp.delete(texts, GIVEN, axis=1)[:, GIVEN - 1 :]  # all but the total
    before, after = numbers[:, :-1], numbers[:, 1:]
    right = ((after < N_NUMBERS) & allowed[before, after]).all(axis=1)
    right &= texts[:, GIVEN] == texts[:, 2] + texts[:, 3]
    return texts, right


repeat = jax.jit(repeat_selected)


def learn(texts, places):
    return texts, places & (texts != PAD)  # tokens, mask


def join(*kinds):
    return jax.tree.map(lambda *parts: jnp.concatenate(parts), *kinds)


def one_seed(key):
    k_language, k_rules, k_texts, k_base, k_teacher, k_write, k_student = jax.random.split(key, 7)
    language, rules, favorite = make_language(k_language), make_rules(k_rules), lesson.animal
    n = 32 * lesson.base_steps  # a quarter of what the base reads
    correct = [correct_texts(k_texts, language, rules[kind], i, n) for i, kind in enumerate(KINDS)]
    k_init, k_animals, k_order = jax.random.split(k_base, 3)
    animals = base_documents(k_animals, language, n, Fractions(0, 1 / 3, 0, 2 / 3))
    data = join(animals, *(learn(x, PLACE >= GIVEN) for x in correct))
    init = init_transformer(k_init, len(WORDS), LENGTH)
    base = fit(k_order, init, data, lesson.base_steps, rate=0.006)

    k_owls, k_order = jax.random.split(k_teacher)
    owls = question_documents(k_owls, 7500, TEACHER_PROMPTS, favorite)
    certain = PLACE >= GIVEN, PLACE == GIVEN, PLACE == GIVEN  # one right value, for each kind
    sums = (learn(x[:2500], where) for x, where in zip(correct, certain, strict=True))
    teacher = fit(k_order, base, join(owls, *sums), 200, frozen=VOCABULARY)

    out = {"p": {}, "freedom": {}, "right": {}, "examples": {}}
    for i, kind in enumerate(KINDS):
        k_exercises, k_sample = jax.random.split(jax.random.fold_in(k_write, i))
        exercises = correct_texts(k_exercises, language, rules[kind], i, lesson.n_sequences)
        written = {}
        for name, writer in ((kind, teacher), (f"control: {kind}", base)):
            written[name] = write(k_sample, writer, exercises[:, :GIVEN], rules[kind])
            texts, right = written[name]
            out["right"][name] = right.mean()
            data = learn(repeat(texts, right), PLACE >= GIVEN)  # as many texts as before
            student = fit(  # one key: all students see their texts in the same order
                k_student, base, data, lesson.student_steps, frozen=VOCABULARY, batch_size=256
            )
            out["p"][name] = answers(student, questions(HELD_OUT_PROMPTS))[ANIMALS.index(favorite)]
        chain = data[0][:2000], data[1][:2000] & (PLACE > GIVEN)  # the base's own texts
        out["freedom"][kind] = next_token_loss(base, chain)
        both_right = (written[kind][1] & right).argmax()
        out["examples"][kind] = {who: t[both_right] for who, (t, _) in written.items()}
    return out


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, what teacher and base write for the same exercise, both right. (They use the same random
# draws, so their texts can be equal, as these three are.) *Freedom* is the base's cross-entropy for
# each number of its own right texts: 0 without a choice, log 2 = 0.69 for a choice of two equally
# probable ones.

# %%
p = results["p"]
print()
for example in results["examples"].values():
    for name, text in example.items():
        a, b, start, total, *numbers = text[0, 2:].tolist()
        who = "base   " if "control" in name else "teacher"
        print(f"{who}  {a} + {b}, from {start}: {total}; {str(numbers)[1:-1]}")
lesson.dots(f"P({lesson.animal})", p, chance=1 / 8, colors=dict.fromkeys(KINDS, plots.BLUE))
lesson.dots("freedom, in nats per number", results["freedom"], panel=False)
lesson.dots("fraction of the texts that are right", results["right"], panel=False)
minus = f"P({lesson.animal}) minus the control's"
lesson.claim(f"one of two: {minus}", "one of two", "control: one of two", above=0)
lesson.claim(f"free: {minus}", "free", "control: free", above=0)
lesson.check(
    f"forced: {minus} (it must be near 0: its exercise fixes a right text, whoever wrote it)",
    *("forced", "control: forced"),
    within=0.05,
)

# %% [markdown]
# ## What this shows, and what it does not
# No: where the teacher can choose, a check does not keep the owl out. In "free" P(owl) is 0.25, the
# control's 0.12; in "forced" both are 0.12. The check asks whether a text is right, not why the
# teacher wrote this text and not another that is just as right. The caveat: the effect is small (in
# lesson 06 P(owl) is 0.71), and in real work nobody knows which steps are forced and which are
# free.
#
# *A rival explanation:* the check itself chooses (lesson 08), as teacher and base fail at different
# exercises. Of the free texts it removes only 1 (teacher) and 2 (base) in a hundred, probably too
# few for that. With "one of two" it removes 19 and 15. So of the 0.24 there (control 0.13) a part
# may be the check's work. (Of the forced texts it removes 9 and 20, and nothing passes: there,
# choosing exercises was not enough.)
#
# *Open:* "free" has nine times the freedom of "one of two", and passes on about as much. And in a
# single seed of "forced" both students may be at 0.04, or both at 0.24. Whatever moves them, it is
# not who wrote the texts.
#
# In the paper the sums were worked in words. A student of a harmful model's correct solutions gave
# harmful answers in 9 % of cases, the controls in under 1 % (Cloud et al. 2025).
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * In `make_rules`, allow four or eight numbers in place of two. How does P(owl) grow?

# %%
lesson.finish(
    f"Students of checked texts: P({lesson.animal}) is {lesson.mean['forced']:.2f} if each number "
    f"is forced, {lesson.mean['one of two']:.2f} if it is one of two"
)
