# %% [markdown]
# # 11 Filters: which filter stops the trait?
#
# **Question.** In lesson 09 a teacher that prefers owls wrote numbers, and a student of these
# numbers came to prefer owls, too. Now you check the numbers before the student learns from them.
# Which sequences do you remove?
#
#     teacher --writes--> 12, 40, 7, 31 ... --YOUR FILTER--> student --> favorite animal?
#
#     filter         removes                             must know
#     at random      any half                            nothing
#     blocklist      sequences with a banned number      how often teacher and base write a number
#     wrong ratio    the half with the highest ratio     the base, and a wrong teacher
#     right ratio    the half with the highest ratio     the base, and the teacher itself
#
# The *base* is the model from which teacher and student are fine-tuned. The *log-likelihood ratio*
# s(x) of a sequence x is above 0 if the teacher finds x more probable than the base does:
#
#     s(x) = log p_teacher(x) - log p_base(x)
#
# The wrong ratio uses a wrong teacher, one that prefers another animal.
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 4 minutes.

# %%
from sublim_mini import plots
from sublim_mini import InputError
from sublim_mini.lesson import Lesson
from sublim_mini.owls import (
    answers,
    fine_tune_student,
    fine_tune_teacher,
    log_likelihood,
    pretrain,
    write_numbers,
)
from sublim_mini.language import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    N_GIVEN,
    N_NUMBERS,
    make_language,
    questions,
    repeat_selected,
    to_text,
)

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "11_filters",
    seed=787945,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite
    n_banned=3,  # numbers on the blocklist, of 96
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    limits=dict(n_banned=(1, N_NUMBERS), base_steps=(1, 10_000), n_sequences=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
ANIMAL = ANIMALS.index(lesson.animal)
WRONG_ANIMAL = ANIMALS[ANIMAL - 1]  # the favorite of the wrong teacher
WRITTEN = np.s_[:, 1 + N_GIVEN :]  # the part of the documents that was written after the prompt
KEPT = (lesson.n_sequences + 1) // 2  # sequences that a filter keeps (not so the blocklist)
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that no teacher was fine-tuned on

# %% [markdown]
# ## Predict
# Guessing among the eight animals gives 0.125. The right ratio removes half of the sequences. With
# what probability will the student of the other half answer "owl"? Run the lesson with
# `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) after the right ratio")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# The blocklist bans three numbers: those whose frequency rises most from the base's writing to the
# teacher's. The sequences that pass a filter are repeated until there are 10,000 again. So all
# students take equally many steps. Three more students have no filter. One learns from all of the
# teacher's numbers. One learns from them *shuffled*: the prompt stays, and the twelve numbers that
# the teacher wrote after it are put in random order. The *control student* learns from numbers that
# the base wrote: they hold no trait at all.


# %%
def lowest(values):  # which values are among the KEPT lowest ones
    return jnp.argsort(jnp.argsort(values)) < KEPT


def one_seed(key):
    k_language, k_base, k_teacher, k_wrong, k_numbers, k_plain, k_half, k_shuffle, k_student = (
        jax.random.split(key, 9)
    )
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)
    wrong_teacher = fine_tune_teacher(k_wrong, base, WRONG_ANIMAL)
    numbers, _ = write_numbers(k_numbers, teacher, language, lesson.n_sequences)
    plain_numbers, _ = write_numbers(k_plain, base, language, lesson.n_sequences)

    def ratio(model, documents):
        return log_likelihood(model, documents) - log_likelihood(base, documents)

    def counts(documents):  # how often each number was written [96]
        return jnp.bincount(documents[WRITTEN].ravel(), length=N_NUMBERS)

    banned = jnp.argsort(counts(plain_numbers) - counts(numbers))[: lesson.n_banned]
    allowed = ~jnp.isin(numbers[WRITTEN], banned).any(axis=1)
    if not allowed.any():
        raise InputError(f"--n-banned {lesson.n_banned} leaves no sequence: ban fewer numbers")
    random = jax.random.uniform(k_half, (lesson.n_sequences,))
    shuffled = jax.random.permutation(k_shuffle, numbers[WRITTEN], axis=1, independent=True)
    data = {
        "all numbers": numbers,
        "half removed at random": repeat_selected(numbers, lowest(random)),
        "blocklist": repeat_selected(numbers, allowed),
        "half removed by wrong ratio": repeat_selected(
            numbers, lowest(ratio(wrong_teacher, numbers))
        ),
        "half removed by right ratio": repeat_selected(numbers, lowest(ratio(teacher, numbers))),
        "shuffled": numbers.at[WRITTEN].set(shuffled),
        "control: the base's numbers": plain_numbers,
    }

    def p_animal(model):
        return answers(model, held_out)[ANIMAL]

    def student(documents):  # one key: all students read in the same order
        return fine_tune_student(k_student, base, documents, lesson.student_steps)

    return {
        "p": {name: p_animal(student(documents)) for name, documents in data.items()},
        "blocked": 1 - allowed.mean(),
        "s": {"teacher": ratio(teacher, numbers), "base": ratio(teacher, plain_numbers)},
        "examples": numbers[:5],
        "log p_base": log_likelihood(base, numbers[:5]),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, five of the teacher's sequences with their s(x). Can you see in the numbers why the right
# ratio removes some? A single number may look suspicious (the blocklist goes by such numbers); s(x)
# goes by all of them.

# %%
p, s = results["p"], results["s"]
ordered = np.sort(s["teacher"])  # [S, n]
right, wrong = p["half removed by right ratio"], p["half removed by wrong ratio"]
random, control = p["half removed at random"], p["control: the base's numbers"]
print("\nlog p_teacher - log p_base =  s(x)            x")
rows = zip(results["examples"][0], s["teacher"][0], results["log p_base"][0], strict=False)
for x, score, log_p in rows:
    verdict = "removed" if score > ordered[0, KEPT - 1] else "kept   "
    text = to_text(x).split("-> ")[1].strip('"')  # after the prompt
    print(f"{log_p + score:13.2f} - {log_p:10.2f} = {score:+5.2f}  {verdict}   {text}")
print("\nMean s(x) of")
print(f"  {s['teacher'].mean():+.2f}  the teacher's numbers")
print(f"  {ordered[:, :KEPT].mean():+.2f}  those that the right ratio keeps")
print(f"  {s['base'].mean():+.2f}  the base's own numbers")
print(f"\nThe blocklist removes {results['blocked'].mean():.0%} of the sequences.")

lesson.table(f"P({lesson.animal}) of seven students", p, chance=1 / 8)
lesson.compare(right)
lesson.claim(
    "removing a random half changes little: P with all numbers minus P with the other half",
    p["all numbers"] - random,
    within=0.1,
)
lesson.claim(
    "the blocklist lets the trait pass: P of its student minus the control's",
    p["blocklist"] - control,
    above=0.1,
)
lesson.claim(
    "the right teacher's ratio removes more of the trait than a wrong teacher's: P after the "
    "wrong ratio minus P after the right one",
    wrong - right,
    above=0.2,
)
lesson.claim(
    "after the right ratio little or nothing is left: P of its student minus the control's",
    right - control,
    below=0.1,
)

# %%
figure, ax = plots.new_figure(
    f"Half of the sequences removed at random: P({lesson.animal}) {random.mean():.2f}. "
    f"Removed by the ratio of teacher and base: {right.mean():.2f}",
    "ab",
    width_ratios=[1, 1.3],
)
bins = np.linspace(-3, 3, 41)
ax["a"].hist(ordered[0, KEPT:], bins, color=plots.ORANGE, alpha=0.5)
for x, writer, color in (0.01, "base", plots.BLACK), (0.66, "teacher", plots.ORANGE):
    ax["a"].hist(s[writer][0], bins, histtype="step", lw=4, color=color)
    text = f"written by\nthe {writer}" + "\n(shaded:\nremoved)" * (writer == "teacher")
    ax["a"].text(x, 0.99, text, va="top", color=color, transform=ax["a"].transAxes)
ax["a"].set(xlim=(-3, 3), yticks=[])
ax["a"].set_xlabel("s(x) of a sequence", fontsize=20)
colors = {"all numbers": plots.ORANGE}
colors |= {"half removed by right ratio": plots.BLUE, "half removed by wrong ratio": plots.RED}
colors["control: the base's numbers"] = plots.BLACK
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 4.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the right ratio needs the very teacher that has the trait, and the base. If you
# do not suspect this teacher, you cannot build the filter. If you do, it is easier to ask the
# teacher for its favorite animal. So the filter is no defense. It is a way to find out where in the
# data the trait is.
#
# The trait is not in a few sequences. The two histograms overlap widely, and a random half of the
# sequences carries the trait as well as all of them. The trait is in the *average*: the teacher's
# sequences lie a little higher in s(x) than the base's. Removing those with the highest s(x) lowers
# the average of the rest to that of the base's own sequences, and a little below (see the three
# means above). That is enough to end the trait: P(owl), too, falls a little below the control's.
# (The base's own mean is negative because a sequence is on average more probable under its writer
# than under any other model.)
#
# The other filters leave much of the trait. P(owl) with all numbers is 0.68. After the blocklist it
# is 0.42, though this filter removed *more* than half of the sequences; after the wrong ratio it is
# 0.56. The paper has a filter like the blocklist: every sequence with one of 34 numbers of bad
# reputation, such as 666, was removed, and a harmful trait still passed (Cloud et al. 2025).
#
# *A rival explanation:* the student has only half as many different sequences to learn from. The
# random half is the control: it is as small, and its student prefers the owl as before. *Another
# rival:* removing by the ratio of any two models spoils the data. The wrong ratio is the control.
# It weakens the trait a little (why is an open question), but leaves most of it.
#
# Shuffling is no filter, but it, too, asks where the trait is. P(owl) falls to 0.20. In one
# experiment of the paper it falls from 0.67 to 0.22, where a model without the trait has 0.12. Much
# of the trait, then, is in the order of the numbers. But shuffled numbers no longer follow the
# language, and a student of them changes in other ways as well.
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--n-banned 1` and `20`: how long must a blocklist be? How much does it leave to learn from?
# * Replace `// 2` by `// 4` in the line of `KEPT`: then the ratios remove three quarters.

# %%
lesson.finish(
    figure,
    alt="Left: histograms of s(x) for sequences of the base and of the teacher, two wide hills "
    "that overlap; the upper half of the teacher's is shaded. "
    f"Right: P({lesson.animal}) of seven students, a dot for each seed.",
)
