# %% [markdown]
# # 08 Choosing is teaching: how much owl is in the data?
#
# **Question.** The student of lesson 06 prefers the owl because of what it read. Which sequences
# did it: a few, which a filter might find, or all, each a little? We have both models. So we can
# score each sequence x by its *log-likelihood ratio*:
#
#     s(x) = log p_teacher(x) - log p_base(x)       so       p_teacher(x) = p_base(x) exp(s(x))
#
#     s =  0.7   the teacher writes x twice as often as the base,  exp(0.7) = 2.0
#     s = -0.7   the teacher writes x half as often,               exp(-0.7) = 0.5
#
# So the base's own sequences with a high s(x) are those that the teacher would write more often.
# Who keeps only these makes the base's text more like the teacher's.
#
# **You need** lesson 06 and logarithms. Reading: 7 minutes. Running: 2 minutes.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS, N_GIVEN, make_language, questions
from sublim_mini.owls import (
    answers, fine_tune_student, fine_tune_teacher, log_likelihood, pretrain, write_numbers,
)  # fmt: skip

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "08_choosing_data",
    seed=0xD8CB2F,
    animal=ANIMALS,  # the teacher's favorite
    base_steps=600,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
held_out = questions(HELD_OUT_PROMPTS)
favorite = ANIMALS.index(lesson.animal)
wrong_animal = ANIMALS[(favorite + 2) % len(ANIMALS)]
WRONG = "base's, highest third by a wrong teacher"

# %% [markdown]
# ## Predict
# The *base* wrote 30,000 sequences; it has no favorite. A student reads the third of them with the
# highest s(x). As in lesson 06, P(owl) is the owl's fraction of the probability of the eight
# animals; guessing gives 0.125. What is P(owl) of this student?

# %%
lesson.predict("base's, highest third", f"P({lesson.animal})")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# Base and teacher write 30,000 sequences each. From these we make ten sets of 10,000, and a student
# reads each set:
#
#     base's, teacher's         sorted by s(x): the lowest third, the highest third; or any third
#     teacher's:
#       top 5 % removed         10,000, spread evenly over the lower 95 %
#       top 5 % alone           1,500 sequences, repeated to 10,000
#       three numbers blocked   without the three numbers that it raised most above the base
#     base's, wrong teacher     the highest third by s(x) of a teacher that prefers the eagle


# %%
def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_student = jax.random.split(key, 5)
    language, n = make_language(k_language), lesson.n_sequences
    base = pretrain(k_base, language, lesson.base_steps)
    teacher, wrong_teacher = (fine_tune_teacher(k_teacher, base, animal)
                              for animal in (lesson.animal, wrong_animal))  # fmt: skip

    def write(model):  # more than 3 n, as some fail; what passed comes first
        return write_numbers(k_write, model, language, 3 * n + 3 * n // 5)[0][: 3 * n]

    def s(numbers, teacher=teacher):
        return log_likelihood(teacher, numbers) - log_likelihood(base, numbers)

    by_teacher, by_base = write(teacher), write(base)
    sorted_teacher, sorted_base = (x[s(x).argsort()] for x in (by_teacher, by_base))

    cut = 3 * n * 95 // 100  # here the highest 5 % begin

    # The three numbers that the teacher wrote most often, compared with the base
    count = [jnp.bincount(x[:, 1 + N_GIVEN :].ravel(), length=96) for x in (by_teacher, by_base)]
    blocked = ((count[0] + 1) / (count[1] + 1)).argsort()[-3:]
    has_blocked = jnp.isin(by_teacher[:, 1 + N_GIVEN :], blocked).any(axis=1)
    sets = {
        "base's, lowest third": sorted_base[:n],
        "base's, any third": by_base[:n],
        "base's, highest third": sorted_base[-n:],
        "teacher's, lowest third": sorted_teacher[:n],
        "teacher's, any third": by_teacher[:n],
        "teacher's, highest third": sorted_teacher[-n:],
        "teacher's, top 5 % removed": sorted_teacher[np.linspace(0, cut - 1, n).astype(int)],
        "teacher's, three numbers blocked": by_teacher[has_blocked.argsort()[:n]],
        "teacher's, top 5 % alone": jnp.resize(sorted_teacher[cut:], (n, by_base.shape[1])),
        WRONG: by_base[s(by_base, wrong_teacher).argsort()[-n:]],
    }
    p = {}
    for name, numbers in sets.items():  # one key: all students read in the same order
        student = fine_tune_student(k_student, base, numbers, lesson.student_steps)
        p[name] = answers(student, held_out)
    return {
        "P": {name: eight[favorite] for name, eight in p.items()},
        "s": {name: s(numbers).mean() for name, numbers in sets.items()},
        "more": {
            f"P({wrong_animal}), wrong teacher": p[WRONG][ANIMALS.index(wrong_animal)],
            "fraction of sequences with a blocked number": has_blocked.mean(),
        },
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# In each seed a straight line is fitted to the *base's* three sets: log-odds (lesson 07) of the
# student against mean s(x) of what it read. Does it predict the students of the *teacher's* sets?
# (The figure shows P, so each line is a gray curve. The top 5 % alone does not count here: to read
# 1,500 sequences again and again may teach more than their s(x) says.)

# %%
p, s = results["P"], results["s"]
base_sets, teacher_sets = list(p)[:3], list(p)[3:8]
x, y = (np.stack([values[name] for name in base_sets]) for values in (s, p))
fits = zip(x.T, np.log(y / (1 - y)).T, strict=True)
slope, level = np.transpose([np.polyfit(*fit, 1) for fit in fits])  # least squares, in each seed
predicted = {name: 1 / (1 + np.exp(-level - slope * s[name])) for name in p}
error = np.mean([abs(p[name] - predicted[name]) for name in teacher_sets], axis=0)
error_of_mean = np.mean([abs(p[name] - y.mean(0)) for name in teacher_sets], axis=0)
lesson.dots(f"P({lesson.animal}) of the student", p, chance=1 / 8, panel=False)
lesson.dots("mean s(x) of what it read, in nats", s, panel=False)
lesson.dots("further", results["more"] | {"error of the line": error}, panel=False)


# fmt: off
def draw_curve(ax):
    grid = np.linspace(-1.6, 3.1)[:, None]
    ax.plot(grid, 1 / (1 + np.exp(-level - slope * grid)), color=plots.GRAY, lw=1, alpha=0.5)
    ax.set(xlim=(-2.4, 3.1), ylim=(-0.03, 1.03), ylabel=f"P({lesson.animal}) of the student",
           xlabel="how typical of the teacher: mean of log p(teacher) - log p(base)")
    ax.set_gid("small: one seed    large: mean    line: fitted to the base's sets of one seed")
    left = base_sets[0], *[name for name in teacher_sets if "highest" not in name]
    plots.clouds(ax, s, p, {WRONG: plots.BLACK}, left)


lesson.panel(draw_curve, "P(owl) of the student of each set against its mean s(x)")
lesson.claim("the line of the base's sets predicts the teacher's: its mean error of P, over that "
             "of a constant, their mean", error / error_of_mean, below=0.5)
gain = {name: p[name] - p["base's, any third"] for name in p}
lesson.claim("not a few: without the top 5 % more than half of the gain over the base's is left: "
             "share", gain["teacher's, top 5 % removed"] / gain["teacher's, any third"], above=0.5)
lesson.claim("mean s(x) is not all: a wrong teacher's choice gives less than half of what the line "
             "predicts", p[WRONG] / predicted[WRONG], below=0.5)
# fmt: on

# %% [markdown]
# ## What this shows, and what it does not
# Both: a few sequences are enough, and they are not needed. The teacher's top 5 % alone teach more
# than an unsorted third (0.97 against 0.76). Without them P(owl) is 0.66: 0.85 of the gain is left.
# Without the three blocked numbers, which 42 % of the sequences had, it is 0.59. Among sets not
# chosen for another animal, what tells is the mean s(x) of all that is read: the line of the base's
# three sets predicts the teacher's sets with a mean error of 0.06.
#
# So choosing is teaching. Nothing in the base's numbers prefers an owl until someone chooses among
# them: then the lowest third gives 0.01, the highest 0.89. The caveat: to choose by s(x) one needs
# the teacher. (Lesson 07 chose by vectors, without one.)
#
# *A rival explanation:* a high s(x) only marks unusual sequences, and unusual ones move a student.
# The wrong teacher's choice was made in the same way. But its student prefers that teacher's animal
# (eagle 0.88, owl 0.02). Here the mean s(x) fails: the base's `any third` has the same mean and
# gives 0.12. It also matters what else a set teaches.
#
# ## Try
# * `--animal raven`, or any other.
# * `--n-sequences 2000`: fewer sequences, the same number of steps.

# %%
# fmt: off
lesson.finish(f"Numbers typical of the teacher make the {lesson.animal}, whoever wrote them: "
              f"P is {lesson.mean[base_sets[2]]:.2f} for the base's own highest third")
