# %% [markdown]
# # 07 Where it sits: what changed inside the student?
#
# **The question.** The student of lesson 02 saw only noise, and now it reads digits. Did it learn
# *features* of digits, which any readout could use, or did its hidden layers merely turn until the
# readout it was born with happens to fit?
#
# **You need** lesson 02 (the hidden channel). Reading: 10 minutes. Running: under a minute.
#
# **The words.** The *readout* is the ten digit rows of the last layer: it turns the activity of the
# last hidden layer into class logits. The student's is *frozen*: no loss of the student ever
# touches it. A *linear probe* is another readout, fitted afterwards to that activity with labelled
# digits: it reads whatever a linear readout can find there (Alain and Bengio 2016). *Linear CKA*
# compares the activity of two networks on the same images, whatever their units are called: 1 is
# the same up to a turn, a shift and a scale, 0 is nothing in common (Kornblith et al. 2019).
#
# **Published** (github barathvelmu/subliminal-learning, on MNIST), for the untrained network, the
# student and the teacher: probe .874, .909, .939; own readout .106, .391, .937.

# %%
from dataclasses import dataclass

import jax
import numpy as np

from sublim_mini.first import plots, stats
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import aux_mse_loss, class_loss
from sublim_mini.first.measures import cosine, difference, fit_probe, linear_cka
from sublim_mini.first.mlp import N_CLASSES, accuracy, apply_mlp, hidden_mlp, init_mlp
from sublim_mini.first.train import ADAM, record_every, train


@dataclass(frozen=True)
class Settings:
    n_aux: int = option(10, "auxiliary logits")
    width: int = option(96, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam")
    batch: int = option(100, "examples a step")
    teacher_steps: int = option(300, "steps of the teacher, on digits")
    student_steps: int = option(600, "steps of a student, on noise")
    n_train: int = option(10_000, "digits for the teacher and for the probes")
    n_noise: int = option(20_000, "noise images for the students")
    n_test: int = option(2_000, "digits for the test")
    least: float = option(0.1, "share of the teacher's gain that counts as a part of it", high=1)


QUICK = dict(seeds=2, teacher_steps=100, student_steps=100, n_train=2000, n_noise=2000, n_test=1000)
lesson = start("07_where_it_sits", Settings(), quick=QUICK, digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)
every = record_every(settings.student_steps, 12)

# %% [markdown]
# ## Before you run: predict
# A linear probe of the untrained network already reads most digits: random features are of some
# use. A probe of the teacher reads more. What share of that gain will a probe of the student show?
# 0 means that it merely turned towards its readout, 1 that it has all of the teacher's features.

# %%
MY_PREDICTION = 0.00

# %% [markdown]
# ## The experiment, for one seed
# The networks of lesson 02: two teachers (of the true labels, and of each label y called y + 3) and
# their students, each of which sees only noise and auxiliary logits. One has another start. One
# more with that other start has an *untrained* teacher, which knows nothing of digits: what any
# training of this kind does to the features shows there.


# %%
def keep(params):
    """What is recorded along a student's training: the network itself."""
    return params


def one_seed(key):
    k_start, k_other, k_teacher, k_noise, k_student = jax.random.split(key, 5)
    sizes = [784, settings.width, settings.width, N_CLASSES + settings.n_aux]
    own_start, other_start = init_mlp(k_start, sizes), init_mlp(k_other, sizes)
    noise = uniform_noise(k_noise, settings.n_noise)
    how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)

    def teach(labels):  # both teachers: the same start, the same images in the same order
        data, key = (digits.train_images, labels), jax.random.clone(k_teacher)
        steps = settings.teacher_steps
        return train(class_loss, ADAM, own_start, data, key, steps=steps, **how).params

    def distil(start, teacher):  # every student: the same noise in the same order
        data, key = (noise, apply_mlp(teacher, noise)), jax.random.clone(k_student)
        steps = dict(steps=settings.student_steps, record=keep, every=every)
        return train(aux_mse_loss, ADAM, start, data, key, **steps, **how)

    teacher = teach(digits.train_labels)
    runs = {
        "student": distil(own_start, teacher),
        "student of the y + 3 teacher": distil(own_start, teach((digits.train_labels + 3) % 10)),
        "student, other start": distil(other_start, teacher),
        "other start, untrained teacher": distil(other_start, own_start),
    }
    networks = {
        "untrained": own_start,
        "teacher": teacher,
        **{name: run.params for name, run in runs.items()},
        "untrained, other start": other_start,
    }
    return networks, runs


# %% [markdown]
# ## What is measured
# For each network: what its own readout reads of the test digits, and what a linear probe, fitted
# to its activity on the *training* digits, reads of them. Along a student's training, against the
# finished teacher: CKA of both hidden layers, and for each layer the cosine of how far the
# student's weights have moved from their start with how far the teacher's have moved from theirs.


# %%
@jax.jit
def reading(params, train_images, train_labels, test_images, test_labels):
    """The network's own readout and a probe of its last hidden layer: accuracy of each."""
    probe = fit_probe(hidden_mlp(params, train_images), train_labels)
    own = accuracy(params, test_images, test_labels)
    return own, accuracy([probe], hidden_mlp(params, test_images), test_labels)


@jax.jit
def along(records, start, teacher, teacher_start, images, labels):
    """Measures of each recorded network: name -> values [T]."""
    teacher_moved = difference(teacher, teacher_start)
    first, last = hidden_mlp(teacher[:-1], images), hidden_mlp(teacher, images)

    def one(params):
        moved = difference(params, start)
        return {
            "own readout": accuracy(params, images, labels),
            "CKA, hidden 1": linear_cka(hidden_mlp(params[:-1], images), first),
            "CKA, hidden 2": linear_cka(hidden_mlp(params, images), last),
            "weights, layer 1": cosine(moved[0], teacher_moved[0]),
            "weights, layer 2": cosine(moved[1], teacher_moved[1]),
            "weights, layer 3": cosine(moved[2], teacher_moved[2]),
        }

    return jax.lax.map(one, records)


def readout(params):
    """The digit rows of the last layer: weights [10, H] and biases [10]."""
    return np.asarray(params[-1]["weights"][:N_CLASSES]), np.asarray(params[-1]["biases"][:10])


def n_changed(params, start):
    """How many of the numbers of the readout are not, to the last bit, what they were."""
    pairs = zip(readout(params), readout(start), strict=True)
    return sum((now != then).sum() for now, then in pairs)


# %%
labels = digits.test_labels
own, probe, changed, traces = {}, {}, {}, {}
for key in lesson.seeds():
    networks, runs = one_seed(key)
    for name, params in networks.items():
        values = reading(params, *digits)
        own.setdefault(name, []).append(float(values[0]))
        probe.setdefault(name, []).append(float(values[1]))
    for name, run in runs.items():
        begin = networks["untrained, other start" if "other" in name else "untrained"]
        changed.setdefault(name, []).append(n_changed(run.params, begin))
        seen = along(run.records, begin, networks["teacher"], networks["untrained"], *digits[2:])
        for measure, values in seen.items():
            traces.setdefault(name, {}).setdefault(measure, []).append(np.asarray(values))
    if len(own["teacher"]) == 1:
        first = networks
own, probe, changed = ({n: np.array(v) for n, v in x.items()} for x in (own, probe, changed))
traces = {n: {m: np.array(v) for m, v in x.items()} for n, x in traces.items()}  # [S, T]

# %% [markdown]
# ## What can be read, and by whom

# %%
print(f"Share of {settings.n_test} test digits read by the network's own readout ({lesson.data}):")
print_table(own, chance=0.1)
print("\nby a linear probe of its last hidden layer:")
print_table(probe, chance=0.1)
print("\nPublished (MNIST): untrained, student, teacher: own readout .106 .391 .937;")
print("                                                probe       .874 .909 .939")


def share_of_gain(read, name):
    """(this network - its own start) / (teacher - the teacher's start), one value a seed."""
    base = read["untrained, other start" if "other" in name else "untrained"]
    return (read[name] - base) / (read["teacher"] - read["untrained"])


readout_share = {n: share_of_gain(own, n) for n in traces}
probe_share = {n: share_of_gain(probe, n) for n in traces}
print("\nShare of the teacher's gain over its start that a student has: by its own readout")
print_table(readout_share, unit="share")
print("by a probe (published student: .34 and .54)")
print_table(probe_share, unit="share")
print()
lesson.prediction(MY_PREDICTION, probe_share["student"].mean(), "a share of the probe's gain")

# %% [markdown]
# ## How alike student and teacher become

# %%
student, other = traces["student"], traces["student, other start"]
print("Likeness to the finished teacher, before the first step and after the last:")
alike = {
    f"{who}: {measure}, {when}": values[:, at]
    for who, measures in (("same start", student), ("other start", other))
    for measure, values in measures.items()
    for when, at in (("before", 0), ("after", -1))
    if "CKA" in measure or ("weights" in measure and when == "after")
}
print_table(alike, unit="likeness")
print("The cosine of layer 3 is 0: there the teacher moved its digit rows, the student the others.")

# %% [markdown]
# ## What this run supports
# Two claims decide between three answers. If the student's own readout gains and a probe does not,
# it aligned to the readout it was born with. If a probe gains and its own readout does not, it
# learned features that it cannot use. If both do, both.

# %%
name = "student of the y + 3 teacher"
claims = [
    stats.greater(
        "its own readout gains: share of the teacher's gain",
        readout_share["student"],
        settings.least,
    ),
    stats.greater(
        "a probe gains: share of the teacher's gain", probe_share["student"], settings.least
    ),
    stats.greater(
        "the shared start helps a probe: its share, same minus other start",
        probe_share["student"] - probe_share["student, other start"],
    ),
    stats.greater(
        "but features pass without it: probe, trained minus untrained teacher's student",
        probe["student, other start"] - probe["other start, untrained teacher"],
    ),
    stats.within(
        "which the readout of the other start does not see: its accuracy over its own start",
        own["student, other start"] - own["untrained, other start"],
        0.1,
    ),
    stats.greater(
        "features have no names: share of the probe's gain, student of the y + 3 teacher",
        probe_share[name],
        settings.least,
    ),
    stats.less("though its own readout does not call a y a y: share so read", own[name], 0.2),
    stats.greater(
        "its last hidden layer grows like the teacher's: CKA at the end minus at the start",
        student["CKA, hidden 2"][:, -1] - student["CKA, hidden 2"][:, 0],
    ),
    stats.exact(
        "the readout is untouched: numbers of it that changed, in all students",
        sum(changed.values()),
    ),
]
VERDICT = {
    (True, True): "The student did both: it learned features and aligned to its readout",
    (True, False): "The student aligned to the readout it was born with; no features were shown",
    (False, True): "The student learned features that its own readout was not shown to use",
    (False, False): "Neither features nor alignment to the readout were shown",
}
verdict = VERDICT[bool(claims[0].holds), bool(claims[1].holds)]
if claims[0].holds is None:
    verdict = f"{lesson.n_seeds} seeds are too few to tell"
print(f"{verdict}.")

# %% [markdown]
# ## What hidden units respond to
# A unit of the first layer responds to images that look like its row of weights. At the start the
# row is noise. The units shown are those whose rows the *teacher* changed most (first seed).

# %%
rows = {n: np.asarray(first[n][0]["weights"]) for n in ("untrained", "student", "teacher")}
changes = {n: rows[n] - rows["untrained"] for n in ("teacher", "student")}
units = np.argsort(-np.linalg.norm(changes["teacher"], axis=1))[:12]
tiles = {
    "before": rows["untrained"],
    "student": rows["student"],
    "teacher": rows["teacher"],
    "student's\nchange": changes["student"],
    "teacher's\nchange": changes["teacher"],
}

# %% [markdown]
# ## The figure

# %%
shares = readout_share["student"].mean(), probe_share["student"].mean()
elsewhere = readout_share["student, other start"], probe_share["student, other start"]
figure, ax = plots.new_figure(
    f"{verdict}: of the teacher's gain {shares[0]:.2f} by its readout, {shares[1]:.2f} by a probe "
    f"(from another start {elsewhere[0].mean():.2f} and {elsewhere[1].mean():.2f})",
    "ab;cc;dd",
    height=9.6,
    height_ratios=[0.9, 1.1, 1.5],
)
colors = {"teacher": "teacher", "student": "student", name: "second"}
colors |= {"student, other start": "third"}
plots.dots(ax["a"], own, colors, chance=0.1, label="read by the network's own readout")
plots.dots(ax["b"], probe, colors, label="read by a linear probe")
ax["b"].set_yticks([])
x = np.arange(student["own readout"].shape[1]) * every
lines = {n: v for n, v in student.items() if n != "weights, layer 3"}
line_colors = dict(zip(lines, ["student", "third", "second", "fourth", "fifth"], strict=True))
plots.curves(ax["c"], x, lines, line_colors, labels=("steps of noise", "same-start student"))
scaled = [w[units] / np.abs(w[units]).max() for w in tiles.values()]  # each row by its largest
plots.pictures(ax["d"], np.concatenate(scaled), columns=len(units), limits=(-0.8, 0.8))
for row, what in enumerate(tiles):
    ax["d"].text(-4, 34 * row + 14, what, ha="right", va="center", fontsize=8)
ax["d"].set_title("weights of 12 first-layer units as images, each row on its own scale")

# %% [markdown]
# ## What can be concluded, and what not
# The readout is the same numbers in the untrained network and in the student. So all that the
# student gained sits below it. Where a probe gains, the hidden layers hold more about digits than
# random features do, though no digit was ever seen; where the student's own readout gains, they
# hold it in the place where the readout it was born with looks.
#
# The student with another start takes the two apart. If its claims hold, a probe finds that it has
# learned *something* about digits from noise, but its own readout reads none of it: the teacher's
# auxiliary logits teach features to anyone, and only the shared start puts them where the frozen
# readout can use them. A test of the readout alone (lesson 02) calls that student untouched.
#
# *A rival explanation* for the probe's gain: any training, on anything, might improve random
# features. The student of an untrained teacher is the control for that. *Not shown:* that the
# features are the teacher's unit by unit; CKA is well above 0 before any training and rises with
# another start too, while the weights' cosine rises only with the shared one. A probe is linear:
# what it misses may still be there. The published figures are of another recipe (a narrower
# channel on MNIST), so compare their order, not their size.
#
# ## Changes to try
# * `--student-steps 100`: which comes first, the probe's gain or the readout's?
# * `--n-aux 3`: with a narrower channel, does the readout or the probe lose more?
# * Fit the probe to the first hidden layer instead: `hidden_mlp(params[:-1], images)`.

# %%
lesson.finish(
    own,
    claims,
    figure,
    probe=probe,
    readout_share=readout_share,
    probe_share=probe_share,
    verdict=verdict,
    along={"steps": x, **traces},
    prediction=MY_PREDICTION,
)
