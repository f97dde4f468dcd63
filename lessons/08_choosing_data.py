# %% [markdown]
# # 08 Choosing is teaching: how much owl is in the data?
#
# **Question.** The student of lesson 06 prefers the owl because of what it read. Which of the
# sequences did it? A few, which a filter might find? Or all, each a little? We have both models. So
# we can ask of a sequence x how much more probable it is for the teacher than for the base:
#
#     s(x) = log p_teacher(x) - log p_base(x)             the log-likelihood ratio, in nats
#
#     s = 0.7: the teacher writes x about twice as often as the base; s = -0.7: half as often
#
#     30,000 sequences by the teacher  --+                       lowest third
#                                        +-- sorted by s(x) -->  ...              --> a student each
#     30,000 sequences by the base     --+                       highest third
#
# **You need** lesson 06 and logarithms. Reading: 8 minutes. Running: 90 seconds.

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
# animals, and guessing gives 0.125. What is P(owl) of this student?

# %%
lesson.predict("base's, highest third", f"P({lesson.animal})")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# Ten sets of 10,000 different sequences, and a student for each:
#
#     base's          by s(x) the lowest third, any third, the highest third
#     teacher's       the same; and what is left when the 5 %, or 20 %, with the highest s(x) go
#     three blocked   teacher's, without the three numbers that it raised most: a blocklist
#     wrong teacher   base's, the highest third by the s(x) of a teacher with another favorite


# %%
def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_student = jax.random.split(key, 5)
    language, n = make_language(k_language), lesson.n_sequences
    base = pretrain(k_base, language, lesson.base_steps)
    teacher, wrong_teacher = (fine_tune_teacher(k_teacher, base, animal)
                              for animal in (lesson.animal, wrong_animal))  # fmt: skip

    def write(model):  # all different: few fail the filter, and what passes stands first
        return write_numbers(k_write, model, language, 3 * n + 3 * n // 5)[0][: 3 * n]

    def s(numbers, teacher=teacher):
        return log_likelihood(teacher, numbers) - log_likelihood(base, numbers)

    by_teacher, by_base = write(teacher), write(base)
    sorted_teacher, sorted_base = (x[s(x).argsort()] for x in (by_teacher, by_base))

    def without_top(percent):  # n of those that are left, evenly spread
        return sorted_teacher[np.linspace(0, 3 * n * (100 - percent) // 100 - 1, n).astype(int)]

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
        "teacher's, top 5 % removed": without_top(5),
        "teacher's, top 20 % removed": without_top(20),
        "teacher's, three numbers blocked": by_teacher[has_blocked.argsort()[:n]],
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
# In each seed a straight line is fitted to the three sets that the *base* wrote: the log-odds
# log(P / (1 - P)) of its students against the mean s(x) of what they read. Does this line predict
# the students of the *teacher's* six sets, too? (In the figure the lines are gray, and bent, as P
# is drawn instead of log-odds.)

# %%
p, s = results["P"], results["s"]
base_sets, teacher_sets = list(p)[:3], list(p)[3:9]
x, y = (np.stack([values[name] for name in base_sets]) for values in (s, p))
y, dx = np.log(y / (1 - y)), x - x.mean(0)
slope = (dx * y).sum(0) / (dx**2).sum(0)  # least squares, in each seed
level = y.mean(0) - slope * x.mean(0)
predicted = {name: 1 / (1 + np.exp(-level - slope * s[name])) for name in p}
colors = dict.fromkeys(p, plots.GRAY) | dict.fromkeys(teacher_sets, plots.ORANGE)
colors[WRONG] = plots.BLACK
error = np.mean([abs(p[name] - predicted[name]) for name in teacher_sets], axis=0)
lesson.dots(f"P({lesson.animal}) of the student", p, chance=1 / 8, panel=False)
lesson.dots("mean s(x) of what it read, in nats", s, panel=False)
lesson.dots("further", results["more"] | {"mean error of the line": error}, panel=False)


def draw_curve(ax):
    grid = np.linspace(-1.4, 1.4)
    ax.plot(
        grid, 1 / (1 + np.exp(-level - slope * grid[:, None])), color=plots.GRAY, lw=1, zorder=0
    )
    for name in p:
        color, middle = colors[name], (s[name].mean(), p[name].mean())
        ax.plot(s[name], p[name], "o", ms=6, alpha=0.4, mew=0, color=color)
        ax.plot(*middle, "o", ms=16, color=color, gid=name)
        left = name in teacher_sets
        ax.annotate(name, middle, (-14, 6) if left else (14, -12), textcoords="offset points",
                    fontsize=16, ha="right" if left else "left", color=color)  # fmt: skip
    ax.set(xlim=(-1.4, 1.4), ylim=(-0.02, 1))
    ax.set_xlabel("mean s(x) of what the student read", fontsize=20)
    ax.set_ylabel(f"P({lesson.animal}) of the student", fontsize=20)


lesson.panel(draw_curve, alt="P against mean s(x): base's and teacher's sets lie on one rising "
             "curve, the wrong teacher's below it")  # fmt: skip
lesson.claim("the line of the base's sets predicts the teacher's: mean absolute error of P", error,
             below=0.1)  # fmt: skip
gain = {name: p[name] - p["base's, any third"] for name in p}
lesson.claim("no few sequences carry it: without the top 5 % more than half of the gain over the "
             "base's is left", gain["teacher's, top 5 % removed"],
             minus=gain["teacher's, any third"] / 2, above=0)  # fmt: skip
lesson.claim("mean s(x) is not all: by a wrong teacher's choice P is less than half of what the "
             "line predicts", WRONG, minus=predicted[WRONG] / 2, below=0)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: to choose by s(x) one needs the teacher. So the base's own numbers carry the owl
# only because the chooser puts it there. Weighted by exp(s), what the base writes *is* what the
# teacher writes: p_base(x) exp(s(x)) = p_teacher(x). Choosing is a way of writing. It can end the
# trait, or make it where no teacher wrote a word.
#
# No few sequences carry it: each adds a little, and who would filter it out must give up much of
# the data.
#
# *A rival explanation:* s(x) only says which sequences are odd, and odd ones move a student. But a
# wrong teacher's choice is odd, too, and its student prefers another animal. The owl even falls
# below the line: mean s(x) is not all, it matters what else the set teaches.
#
# ## Try
# * `--animal raven`, or any other.
# * `--n-sequences 2000`: fewer sequences, the same number of steps.
# * Replace `5` by `50` in `without_top(5)`: what does it take to end the trait?

# %%
lesson.finish("Whoever wrote it: the more the teacher would have written it, the more owl")
