# %% [markdown]
# # 01 Distillation: what do a teacher's soft outputs say that labels do not?
#
# **The question.** A student network can learn from labels or from the outputs of a teacher
# network. What more is in those outputs?
#
# **You need** to know what a neural network and a softmax are. Reading: 10 minutes. Running: under
# a minute.
#
# **The words.** A classifier ends in *logits*, one number a class; a softmax makes them
# probabilities. A *hard label* is the class alone. A *soft target* is all of the teacher's
# probabilities. Dividing logits by a *temperature* T > 1 before the softmax flattens them, so that
# the small ones show. *Distillation* trains a student to match soft targets: it minimises the
# divergence KL(teacher || student), both at temperature T. (Hinton, Vinyals and Dean 2015, section
# 2.)

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from sublim_mini.first import plots, stats
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import class_kl_loss, class_loss
from sublim_mini.first.mlp import N_CLASSES, accuracy, apply_mlp, init_mlp, predict
from sublim_mini.first.train import ADAM, train


@dataclass(frozen=True)
class Settings:
    few: int = option(100, "images the students with little data get")
    withheld: int = option(3, "digit that some students are never shown", low=0, high=9)
    temperatures: tuple[float, ...] = option((1.0, 4.0, 10.0), "temperatures T to compare")
    width: int = option(128, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam")
    batch: int = option(100, "examples a step")
    steps: int = option(400, "training steps of each network")
    n_train: int = option(10_000, "digits for the teacher")
    n_test: int = option(2_000, "digits for the test")


QUICK = dict(seeds=2, steps=100, n_train=2000, n_test=1000)
lesson = start("01_distillation", Settings(), quick=QUICK, digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)

# %% [markdown]
# ## Before you run: predict
# A student is shown soft targets for the images of nine digits. It never sees an image of the
# tenth, nor its label. What share of the test images of that digit will it read right, at
# temperature 4?

# %%
MY_PREDICTION = 0.00

# %% [markdown]
# ## The experiment, for one seed
# A teacher learns from all images and labels. Then students, all from one start of their own:
#
# * with few images: hard labels, or the teacher's soft targets for the same images;
# * with soft targets only: on all the digit images, and on as many images of pure noise;
# * without one digit: hard labels, or soft targets at each temperature.


# %%
logits_of, share_right = jax.jit(apply_mlp), jax.jit(accuracy)  # compiled once, not once a call


def one_seed(key):
    k_teacher_start, k_start, k_noise, k_teacher, k_student = jax.random.split(key, 5)
    sizes = [784, settings.width, settings.width, N_CLASSES]
    how = dict(
        learning_rate=settings.learning_rate, batch_size=settings.batch, steps=settings.steps
    )
    images, labels = digits.train_images, digits.train_labels
    teacher_start, student_start = init_mlp(k_teacher_start, sizes), init_mlp(k_start, sizes)
    teacher = train(class_loss, ADAM, teacher_start, (images, labels), k_teacher, **how).params

    def from_labels(images, labels):  # every student has the same start and the same key
        data, key = (images, labels), jax.random.clone(k_student)
        return train(class_loss, ADAM, student_start, data, key, **how).params

    def from_teacher(images, temperature=4.0):
        data, key = (images, logits_of(teacher, images)), jax.random.clone(k_student)
        loss = Partial(class_kl_loss, temperature=temperature)
        return train(loss, ADAM, student_start, data, key, **how).params

    few_images, few_labels = images[: settings.few], labels[: settings.few]
    others = labels != settings.withheld
    noise = uniform_noise(k_noise, len(images))
    read = {
        "untrained": student_start,
        "teacher": teacher,
        "few digits, hard labels": from_labels(few_images, few_labels),
        "few digits, soft targets": from_teacher(few_images),
        "all digits, soft targets": from_teacher(images),
        "only noise, soft targets": from_teacher(noise),
    }
    withheld = {"hard labels": from_labels(images[others], labels[others])}
    for t in settings.temperatures:
        withheld[f"soft, T = {t:g}"] = from_teacher(images[others], t)
    return teacher, read, withheld


# %%
test_images, test_labels = digits.test_images, digits.test_labels
tenth = test_labels == settings.withheld
withheld_set = test_images[tenth], test_labels[tenth]
conditions = {}
for key in lesson.seeds():
    teacher, read, withheld = one_seed(key)
    for name, params in read.items():
        share = share_right(params, test_images, test_labels)
        conditions.setdefault(name, []).append(float(share))
    for name, params in withheld.items():
        share = share_right(params, *withheld_set)
        conditions.setdefault(f"withheld {settings.withheld}: {name}", []).append(float(share))
conditions = {name: np.array(values) for name, values in conditions.items()}

# %% [markdown]
# ## What a soft target looks like
# One test image, its hard label, and what the last seed's teacher says of it.

# %%
logits = apply_mlp(teacher, test_images)
unsure = jax.nn.softmax(logits).max(-1)
right = predict(teacher, test_images) == test_labels
example = int(jnp.argmin(jnp.where(right, jnp.abs(unsure - 0.8), 1)))  # right, but not quite sure
soft = {t: np.asarray(jax.nn.softmax(logits[example] / t)) for t in settings.temperatures}
print(
    f"A {test_labels[example]}. Its hard label: {test_labels[example]}. The teacher's soft targets:"
)
print("          " + "".join(f"{d:6d}" for d in range(10)))
for t, probabilities in soft.items():
    print(f"  T = {t:4g}" + "".join(f"{p:6.2f}" for p in probabilities))

# %% [markdown]
# ## What the students read

# %%
print(f"\nShare of test digits read right ({lesson.data}; `withheld` rows: of that digit only):")
print_table(conditions, chance=0.1)
print()
hard = conditions[f"withheld {settings.withheld}: hard labels"]
soft_withheld = {
    t: conditions[f"withheld {settings.withheld}: soft, T = {t:g}"] for t in settings.temperatures
}
middle = settings.temperatures[len(settings.temperatures) // 2]
coldest, hottest = min(soft_withheld), max(soft_withheld)
lesson.prediction(MY_PREDICTION, soft_withheld[middle].mean(), f"a share, at T = {middle:g},")

# %% [markdown]
# ## What this run supports

# %%
few_gain = conditions["few digits, soft targets"] - conditions["few digits, hard labels"]
noise_gain = conditions["only noise, soft targets"] - conditions["untrained"]
claims = [
    stats.greater("with few images soft targets beat hard labels: difference", few_gain),
    stats.greater("a student of noise alone reads digits: over its own start", noise_gain, 0.1),
    stats.less("without a digit's images, hard labels never give it: share read", hard, 0.05),
    stats.greater(
        f"soft targets give the unseen digit: share at T = {middle:g} over hard labels",
        soft_withheld[middle] - hard,
        0.1,
    ),
    stats.greater(
        f"and more of it when hot: T = {hottest:g} over T = {coldest:g}",
        soft_withheld[hottest] - soft_withheld[coldest],
    ),
]

# %% [markdown]
# ## The figure

# %%
unseen = "is read from soft targets" if claims[3].holds else "was not shown to be read"
figure, ax = plots.new_figure(
    f"A digit that the student was never shown {unseen}: {soft_withheld[middle].mean():.2f} "
    f"(from hard labels {hard.mean():.2f})",
    "ab;cc",
    height=6.2,
    width_ratios=[1, 2.4],
    height_ratios=[1, 1.5],
)
plots.pictures(ax["a"], test_images[example][None])
ax["a"].set_title(f"hard label: {test_labels[example]}")
rows = {f"T = {t:g}": p for t, p in soft.items()}
plots.heatmap(ax["b"], rows, range(10), title="soft targets of a teacher for this image")
colors = {name: "student" if "soft" in name else "control" for name in conditions}
colors |= {"teacher": "teacher", "only noise, soft targets": "third"}
plots.dots(ax["c"], conditions, colors, chance=0.1, label="share read right, a dot a seed")

# %% [markdown]
# ## What can be concluded, and what not
# Soft targets carry what the teacher knows of *all* classes: how much a 7 looks like a 3 says
# something about 3s. So a student can learn a class from images of the others, and even from noise,
# on which the teacher has no label to give. A higher temperature weighs the small probabilities
# more.
#
# *A rival explanation* for the unseen digit: the student might merely be *less sure* of the others
# and answer the missing digit by default. Look at its accuracy on all digits to tell (a change to
# try). *Not shown:* that anything passes by a channel without meaning. Here the student matches the
# class logits themselves, and everything it learns is written in them. Lesson 02 takes those away.
#
# ## Changes to try
# * `--withheld 1`, `--withheld 8`: which digits are easily read from the others, and which are not?
# * `--few 1000`: how much data until hard labels are as good?
# * Add `accuracy` on all test digits for the `withheld` students.

# %%
lesson.finish(
    conditions,
    claims,
    figure,
    soft_targets={f"{t:g}": p for t, p in soft.items()},
    prediction=MY_PREDICTION,
)
