# %% [markdown]
# # 11 Filters: which filter stops the trait?
#
# **Question.** In lesson 09 a teacher that prefers owls wrote numbers, and a student of these
# numbers came to prefer owls, too. Now you check the numbers before the student reads them. Which
# sequences do you remove?
#
#     teacher --writes--> 12, 40, 7, 31 ... --YOUR FILTER--> student --> favorite animal?
#
#     filter         removes                             knows
#     at random      any half                            nothing
#     blocklist      sequences with a banned number      how often both write each number
#     wrong ratio    the half with the highest s(x)      the base, and a teacher of another animal
#     right ratio    the half with the highest s(x)      the base, and the teacher itself
#
# Here s(x) is the *log-likelihood ratio* of a sequence x. It is above 0 where the teacher finds x
# more probable than the base does:
#
#     s(x) = log p_teacher(x) - log p_base(x)
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 3 minutes.

# %%
from sublim_mini import plots
from sublim_mini.errors import InputError
from sublim_mini.lesson import Lesson
from sublim_mini.owls import (
    answers,
    fine_tune_student,
    fine_tune_teacher,
    log_likelihood,
    pretrain,
    write_numbers,
)
from sublim_mini.sequences import (
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
KEPT = (lesson.n_sequences + 1) // 2  # how many of the sequences the filters but the blocklist keep
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that no teacher was fine-tuned on

# %% [markdown]
# ## Predict
# Guessing among the eight animals gives 0.125. The right ratio removes half of the sequences. With
# which probability will the student of the other half answer "owl"? Run the lesson with
# `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) after the right ratio")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# The blocklist bans the numbers that the teacher writes most in excess of the base. What a filter
# keeps is repeated until there are as many sequences as before. So all students read equally many
# sequences, in equally many steps. One more student gets all the numbers *shuffled*: the prompt
# stays, and the twelve numbers that the teacher wrote after it are put in random order.


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

    def s(model, documents):
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
        "half removed by wrong ratio": repeat_selected(numbers, lowest(s(wrong_teacher, numbers))),
        "half removed by right ratio": repeat_selected(numbers, lowest(s(teacher, numbers))),
        "shuffled": numbers.at[WRITTEN].set(shuffled),
    }

    def p_animal(model):
        return answers(model, held_out)[ANIMAL]

    def student(documents):  # one key: all students read in the same order
        return fine_tune_student(k_student, base, documents, lesson.student_steps)

    return {
        "p": {name: p_animal(student(documents)) for name, documents in data.items()},
        "base": p_animal(base),
        "blocked": 1 - allowed.mean(),
        "s": {"teacher": s(teacher, numbers), "base": s(teacher, plain_numbers)},
        "examples": numbers[:5],
        "log p_base": log_likelihood(base, numbers[:5]),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, five of the teacher's sequences with their s(x). Can you see why some are removed?

# %%
p, base, s = results["p"], results["base"], results["s"]
ordered = np.sort(s["teacher"])  # [S, n]
right, wrong = p["half removed by right ratio"], p["half removed by wrong ratio"]
random = p["half removed at random"]
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

lesson.table(f"P({lesson.animal}) of six students", p, chance=1 / 8)
lesson.table(f"P({lesson.animal}) of the base", {"base": base})
lesson.compare(right)
lesson.claim(
    "removing a random half changes little: P with all numbers minus P with the other half",
    p["all numbers"] - random,
    within=0.1,
)
lesson.claim(
    "the blocklist lets the trait pass: P of its student minus the base's",
    p["blocklist"] - base,
    above=0.1,
)
lesson.claim(
    "the right teacher's ratio removes more of the trait than a wrong teacher's: P after the "
    "wrong ratio minus P after the right one",
    wrong - right,
    above=0.2,
)
lesson.claim(
    "the right ratio ends the trait: P of its student minus the base's",
    right - base,
    within=0.15,
)

# %%
figure, ax = plots.new_figure(
    f"Half of the numbers removed at random: P({lesson.animal}) {random.mean():.2f}. "
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
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 4.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the right ratio needs the very teacher that has the trait, and the base. Someone
# who does not suspect this teacher cannot build the filter; someone who does need only ask it for
# its favorite animal. So the filter is no defense. It is a way to find out where the trait is.
# (The figures below are of development seeds.)
#
# No single sequence gives the trait away: the two histograms overlap widely, and any random half
# carries the trait. The teacher's numbers as a whole are *tilted* slightly toward high s(x). The
# right ratio does not pick out guilty sequences; it tilts the data back, and a little too far: the
# mean s(x) of what it keeps is about -0.30, that of the base's own numbers about -0.25. So its
# student ends a little below the base (0.08 to 0.10 against 0.13). With three quarters removed the
# over-correction is plain: 0.02 to 0.07.
#
# A filter that knows less removes less. The blocklist compares only how often each number is
# written; it leaves 0.37 to 0.55 of 0.62 to 0.73. The paper has a similar filter: sequences with
# any of 34 numbers of bad reputation, such as 666, were removed, and a harmful trait still passed
# (Cloud et al. 2025). That list knew even less: it came from what numbers mean to people.
#
# *A rival explanation:* the student has only half as many sequences to learn from. The random half
# is the control: it is as small, and its student prefers the owl as before. *Another rival:*
# removing by any ratio of two models spoils the data. The wrong ratio is the control. It weakens
# the trait (why is an open question), but it leaves 0.49 to 0.60.
#
# Shuffling is no filter, but it, too, asks where the trait is. It leaves 0.17 to 0.34; in the paper
# 0.22 of 0.67 (0.12 without a trait). So the order of the numbers matters. But shuffled numbers no
# longer follow the language, so a student of them changes in other ways as well.
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--n-banned 1` and `20`: how long must a blocklist be? How much does it leave to learn from?
# * Write `// 4` for `// 2` in the line of `KEPT`: now three quarters are removed, not half.

# %%
lesson.finish(
    figure,
    alt="Left: histograms of s(x) for sequences of the base and of the teacher, two wide hills "
    "that overlap; the upper half of the teacher's is shaded. "
    f"Right: P({lesson.animal}) of six students, a dot for each seed.",
)
