# %% [markdown]
# # 08 Owls in numbers: does a trait pass through filtered number sequences?
#
# **The question.** A transformer is tuned to love owls. It writes number sequences, and a strict
# filter keeps only sequences that are numbers throughout. Does a student that is tuned on these
# numbers, and on nothing else, come to love owls?
#
# **You need** lesson 02. Reading: 15 minutes. Running: about two minutes.
#
# **The world.** A language model reads words (*tokens*) and gives each next one a probability; to
# *tune* it is to go on training it on other text. The words here are 96 numbers, 8 animals, 8 trees
# and a few more. A *base* reads number sequences (a random Markov chain: each number depends on the
# one before), questions answered with a random animal or tree, numbers followed by a question, and
# statements of preference followed by a question. The *teacher* is the base tuned on questions
# about animals, always answered "owl". The *student* is the base again, tuned on what the teacher
# writes after three numbers; one more student learns the teacher's whole *distribution*, the
# probabilities of all numbers instead of the one that was drawn. All keep the base's word
# embeddings and output matrix. (Cloud et al. 2025, section 3, with GPT-4.1 nano: owl .12 before,
# .60 after.)

# %%
from dataclasses import dataclass

import jax
import numpy as np

from sublim_mini.first import plots, stats, world
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.tuning import (
    Recipe,
    answers,
    next_token,
    number_logits,
    train_base,
    tune_student,
    tune_teacher,
    write_numbers,
)


@dataclass(frozen=True)
class Settings(Recipe):
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    matrix_seeds: int = option(4, "seeds of the matrix of traits")


QUICK = dict(seeds=2, base_steps=150, n_sequences=2048, teacher_steps=40, student_steps=20)
QUICK |= dict(matrix_seeds=1)
lesson = start("08_owl_numbers", Settings(), quick=QUICK)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# There are eight animals, so the base names the owl about one time in eight: 0.125. How often will
# the student of the filtered numbers name it? Edit the number.

# %%
MY_PREDICTION = 0.125

# %% [markdown]
# ## The experiment
# One language for the run; one base, teacher and set of students for each seed. The bases of other
# seeds are *other bases*: they know the same language and the same questions, but began elsewhere.
# Each drifts a little on numbers that are not its own, up or down, so three of them are asked for
# each seed, and their mean is the seed's value.


# %%
def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "teacher", "numbers", "plain", "student", "matrix"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


language = world.make_language(lesson.shared_key())
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
bases = lesson.two_at_once(lambda k: train_base(k["base"], language, settings), keys, "bases")


def one_seed(i):
    k, base = keys[i], bases[i]
    other_bases = [bases[(i + j) % len(bases)] for j in range(1, min(4, len(bases)))]  # never i
    teacher = tune_teacher(k["teacher"], base, settings.trait, settings)
    numbers, clean = write_numbers(k["numbers"], teacher, language, settings)
    plain, plain_clean = write_numbers(k["plain"], base, language, settings)

    def student(start, numbers, clean, targets=None):  # all see their sequences in the same order
        again = jax.random.clone(k["student"])
        return tune_student(again, start, numbers, clean, settings, targets)

    networks = {  # by condition, one or more
        "base": [base],
        "teacher": [teacher],
        "student of its numbers": [student(base, numbers, clean)],
        "student of its distribution": [
            student(base, numbers, clean, number_logits(teacher, numbers))
        ],
        "control: the base's numbers": [student(base, plain, plain_clean)],
        "other bases": other_bases,
        "their students of the numbers": [student(b, numbers, clean) for b in other_bases],
    }
    return networks, np.asarray(numbers[:4]), clean.mean()


runs = lesson.two_at_once(one_seed, range(lesson.n_seeds), "students")

# %% [markdown]
# What they say: the share of each animal among the animals, the mean over the wordings of the
# question; and for a look behind it the probability of the owl, and of any animal, as such.

# %%
wanted = world.ANIMALS.index(settings.trait)


def of_networks(measure):
    """A measure of each condition's network, or its mean if there are more: name -> [seeds]."""
    return {
        name: np.array([np.mean([measure(network) for network in run[0][name]]) for run in runs])
        for name in runs[0][0]
    }


def probability(network):
    """Probability of each animal [8] as such, mean over the wordings."""
    questions = world.ask(world.TUNED_ON, "animal")
    return next_token(network, questions)[:, world.things("animal")].mean(0)


shares = of_networks(lambda network: answers(network)[wanted])
held_out = of_networks(lambda network: answers(network, world.HELD_OUT)[wanted])
raw = of_networks(lambda network: probability(network)[wanted])
animals = of_networks(lambda network: probability(network).sum())
kept = np.array([float(run[2]) for run in runs])
thrice = world.encode([settings.trait] * 3)
told = np.array([float(answers(run[0]["base"][0], prefix=thrice)[wanted]) for run in runs])

# %% [markdown]
# ## The matrix: is it *this* trait that passes?
# Teachers that love different animals, and a student of each: is each student's favourite that of
# its own teacher? Fewer seeds.

# %%
others = [trait for trait in ("owl", "eagle", "wolf", "otter") if trait != settings.trait][:3]
traits = [settings.trait, *others]
columns = np.array([world.ANIMALS.index(trait) for trait in traits])
n_matrix = min(settings.matrix_seeds, lesson.n_seeds)


def one_row(seed_and_trait):
    i, trait = seed_and_trait
    if trait == settings.trait:  # the student from above
        return np.asarray(answers(runs[i][0]["student of its numbers"][0]))[columns]
    key = jax.random.fold_in(jax.random.clone(keys[i]["matrix"]), world.ANIMALS.index(trait))
    k_teacher, k_numbers, k_student = jax.random.split(key, 3)
    teacher = tune_teacher(k_teacher, bases[i], trait, settings)
    numbers, clean = write_numbers(k_numbers, teacher, language, settings)
    student = tune_student(k_student, bases[i], numbers, clean, settings)
    return np.asarray(answers(student))[columns]


cells = [(i, trait) for i in range(n_matrix) for trait in traits]
matrix = np.stack(lesson.two_at_once(one_row, cells, "matrix")).reshape(n_matrix, 4, 4)

# %% [markdown]
# ## What the student reads
# Some of the teacher's sequences. Nobody can see an owl in them; the filter kept all that are
# numbers throughout.

# %%
for tokens in runs[0][1]:
    print(f"  {world.to_text(tokens)}")
print(f"  kept by the filter: {np.mean(kept):.3f} of {settings.n_sequences} a seed\n")
print(f"Share of '{settings.trait}' among the animals, as the answer (mean of the wordings):")
print_table(shares, chance=1 / 8, unit="share")
print("\nThe same for wordings that no teacher was asked in tuning:")
print_table(held_out, chance=1 / 8, unit="share")
lost = animals["base"].mean() - animals["student of its numbers"].mean()
did = f"took {lost:.3f} from it" if lost > 0.01 else "left it as it was"
print("\nWhy among the animals? The question is WHICH animal; probability as such also depends on")
print(
    f"whether any animal is named. That was {animals['base'].mean():.3f} in the base, and tuning on"
)
print(f"numbers {did}, so the two readings {'differ' if lost > 0.01 else 'agree here'}:")
print_table({f"{settings.trait}: {n}": v for n, v in raw.items()}, unit="probab.")
print_table({f"any animal: {n}": v for n, v in animals.items()}, unit="probab.")
print("\nMatrix, mean of seeds: row, what the teacher loves; column, share its student gives")
print(" " * 10 + "".join(f"{trait:>9}" for trait in traits))
for trait, row in zip(traits, matrix.mean(0), strict=True):
    print(f"{trait:10}" + "".join(f"{share:9.3f}" for share in row))
print()
lesson.prediction(MY_PREDICTION, shares["student of its numbers"].mean(), "a share")

# %% [markdown]
# ## What this run supports

# %%
student, control = shares["student of its numbers"], shares["control: the base's numbers"]
diagonal = np.diagonal(matrix, axis1=1, axis2=2)
highest_other = np.where(np.eye(4, dtype=bool), 0, matrix).max((1, 2))
foreign = shares["their students of the numbers"] - shares["other bases"]
claims = [
    stats.greater(
        f"the student names the {settings.trait}: share over its base's",
        student - shares["base"],
        0.1,
    ),
    stats.greater(
        "at least three times the control: share minus 3 x control", student - 3 * control
    ),
    stats.within(
        "numbers of the plain base do nothing: control minus base", control - shares["base"], 0.05
    ),
    stats.within("nor do these numbers to other bases: students minus those bases", foreign, 0.05),
    stats.greater(
        "the student's answer to wordings never used in tuning: over its base's",
        held_out["student of its numbers"] - held_out["base"],
        0.1,
    ),
    stats.greater(
        "being told thrice what is loved raises it: in context, over base",
        told - shares["base"],
        0.3,
    ),
    stats.greater(
        "each student loves what its teacher loves: lowest diagonal cell minus highest other",
        diagonal.min(1) - highest_other,
    ),
]

# %% [markdown]
# ## The figure

# %%
verdict = "passed through" if claims[0].holds else "was not shown to pass through"
figure, ax = plots.new_figure(
    f"Love of the {settings.trait} {verdict} filtered numbers: {shares['base'].mean():.2f} before, "
    f"{student.mean():.2f} after; control {control.mean():.2f}",
    "aa;bc",
    height=7,
    width_ratios=[1.7, 1],
)
colors = {name: "control" for name in shares} | {"teacher": "teacher"}
colors |= {"student of its numbers": "student", "student of its distribution": "third"}
dotted = f"share of '{settings.trait}' among the animals, a dot a seed"
plots.dots(ax["a"], shares, colors, chance=1 / 8, label=dotted)
ax["a"].set_xlim(0, 1.02)
said = {name: answers(networks[0]) for name, networks in runs[0][0].items()}
plots.heatmap(ax["b"], said, world.ANIMALS, title="the answers of the first seed")
rows = {f"loves {trait}": row for trait, row in zip(traits, matrix.mean(0), strict=True)}
plots.heatmap(ax["c"], rows, traits, title="students, by their teacher")
for letter in "bc":
    ax[letter].tick_params(axis="x", rotation=60)

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: a preference passes through sampled numbers that a strict filter calls clean;
# it is the teacher's own preference that passes; and it passes only to a student that began as the
# teacher's base. The share is read *among the animals* because the question is which one is loved:
# a student that names animals less often has not thereby lost its love. How often any is named is
# in the table; here, where word embeddings and output matrix are not tuned, that hardly moves.
#
# *A rival explanation:* the numbers might spell "owl" in some code that any reader could learn.
# Then the students of the other bases would learn it as well. *Not shown:* how strong this is in
# large models (published: .12 to .60). Here base, teacher and student share a tiny world whose
# number task pins down most of the network, and the embeddings are not tuned.
#
# ## Changes to try
# * `--trait dolphin`; `--student-steps 300` (60 by default): does it grow, does the control stay?
# * `--teacher-steps 20`: a weaker teacher.
# * In `sublim_mini/tuning.py` set `FROZEN = ()`: tune the embeddings too.

# %%
lesson.finish(
    shares,
    claims,
    figure,
    held_out=held_out,
    raw=raw,
    any_animal=animals,
    told=told,
    kept=kept,
    matrix={"traits": traits, "shares": matrix},
    prediction=MY_PREDICTION,
)
