# %% [markdown]
# # 02 The hidden channel: can a student learn digits from noise?
#
# **The question.** A teacher learns to read digits. A student is shown *only noise*, and of the
# teacher's outputs on it *only* numbers that no label ever touched. Does it learn to read digits?
#
# **You need** lesson 01 (soft targets, distillation). Reading: 12 minutes. Running: under a minute.
#
# **The network.** An MLP with two heads in its last layer: 10 *class logits*, trained on digits,
# and a few *auxiliary logits*, that mean nothing. Only the first are trained in the teacher. They
# share the hidden layers, so as the teacher learns digits its auxiliary logits drift too. The
# student starts from the very weights the teacher started from and learns to match the auxiliary
# logits, on noise. Its 10 class rows never get a gradient. (Cloud et al. 2025, section 5 and figure
# 10b.)

# %%
from dataclasses import dataclass

import jax
import numpy as np
from jax.tree_util import Partial

from sublim_mini.files import save_params
from sublim_mini.first import plots, stats
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import all_kl_loss, aux_kl_loss, aux_mse_loss, class_loss
from sublim_mini.first.measures import distance
from sublim_mini.first.mlp import N_CLASSES, accuracy, apply_mlp, aux_logits, init_mlp, predict
from sublim_mini.first.train import ADAM, record_every, train


@dataclass(frozen=True)
class Settings:
    loss: str = option(
        "mse", "what the student minimises on the auxiliary logits", choices=("mse", "kl")
    )
    n_aux: int = option(10, "auxiliary logits")
    width: int = option(96, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam")
    batch: int = option(100, "examples a step")
    teacher_steps: int = option(300, "steps of the teacher, on digits")
    student_steps: int = option(600, "steps of a student, on noise")
    n_train: int = option(10_000, "digits for the teacher")
    n_noise: int = option(20_000, "noise images for the students")
    n_test: int = option(2_000, "digits for the test")


COURSE = Settings()
PAPER = Settings("kl", 3, 256, 3e-4, 1024, 295, 295, 60_000, 60_000, 10_000)  # 5 epochs of 59 steps
QUICK = dict(seeds=2, teacher_steps=100, student_steps=100, n_train=2000, n_noise=2000, n_test=1000)

lesson = start(
    "02_hidden_channel",
    COURSE,
    quick=QUICK,
    digits=True,
    recipes={"course": COURSE, "paper": PAPER},
)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)

# %% [markdown]
# ## Before you run: predict
# Chance is 0.10, the teacher reaches more than 0.9. What will the student of the auxiliary logits
# reach, that never sees a digit, a label or a class logit? Edit the number.

# %%
MY_PREDICTION = 0.10

# %% [markdown]
# ## The data
# All that the student ever gets: a noise image, and the teacher's auxiliary numbers for it.


# %%
def make_inputs(key):
    """What the students look at: uniform noise in [-1, 1], the range of the digits, [N, 784]."""
    return uniform_noise(key, settings.n_noise)


# %% [markdown]
# ## The experiment, for one seed
# One seed is one function of a key. It makes its own start, other start, teacher and noise. Three
# teachers learn from the same images: one with the true labels, one with each label y called y + 3,
# one with the labels shuffled, so that there is nothing to learn. Then the students look at noise.

# %%
aux_loss = aux_mse_loss if settings.loss == "mse" else aux_kl_loss
every = record_every(settings.student_steps, 12)


def test_accuracy(images, labels, params):
    return accuracy(params, images, labels)


logits_of, moved = jax.jit(apply_mlp), jax.jit(distance)  # compiled once, not once a call
test = Partial(test_accuracy, digits.test_images, digits.test_labels)  # of params


def one_seed(key):
    k_start, k_other, k_teacher, k_shuffle, k_noise, k_student = jax.random.split(key, 6)
    sizes = [784, settings.width, settings.width, N_CLASSES + settings.n_aux]
    own_start, other_start = init_mlp(k_start, sizes), init_mlp(k_other, sizes)
    noise = make_inputs(k_noise)
    how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)

    def teach(labels):  # every teacher: the same start, the same images in the same order
        data, key = (digits.train_images, labels), jax.random.clone(k_teacher)
        steps = settings.teacher_steps
        return train(class_loss, ADAM, own_start, data, key, steps=steps, **how).params

    def distil(loss, start, teacher):  # every student: the same noise in the same order
        data, key = (noise, logits_of(teacher, noise)), jax.random.clone(k_student)
        steps = dict(steps=settings.student_steps, record=test, every=every)
        return train(loss, ADAM, start, data, key, **steps, **how)

    teacher = teach(digits.train_labels)
    relabelled = teach((digits.train_labels + 3) % N_CLASSES)
    shuffled = teach(jax.random.permutation(k_shuffle, digits.train_labels))
    students = {
        "aux only, same start": distil(aux_loss, own_start, teacher),
        "all logits, same start": distil(all_kl_loss, own_start, teacher),
        "aux only, other start": distil(aux_loss, other_start, teacher),
        "all logits, other start": distil(all_kl_loss, other_start, teacher),
        "aux only, of the y + 3 teacher": distil(aux_loss, own_start, relabelled),
        "aux only, of the shuffled teacher": distil(aux_loss, own_start, shuffled),
    }
    networks = {
        "untrained": own_start,
        "untrained, other start": other_start,
        "teacher": teacher,
        "y + 3 teacher": relabelled,
        "shuffled teacher": shuffled,
        **{name: run.params for name, run in students.items()},
    }
    return networks, {name: run.records for name, run in students.items()}, noise[:10]


# %%
def by_digit(right):
    """Which test digits were read right [n_test] -> share for each of the ten digits."""
    return [right[labels == d].mean() for d in range(10)]


seen, labels = [], np.asarray(digits.test_labels)
for key in lesson.seeds():
    networks, curves, noise = one_seed(key)
    predicted = {n: np.asarray(predict(net, digits.test_images)) for n, net in networks.items()}
    own, other = networks["untrained"], networks["untrained, other start"]
    seen.append(
        {
            "accuracy": {n: (p == labels).mean() for n, p in predicted.items()},
            "y + 3": {n: (p == (labels + 3) % 10).mean() for n, p in predicted.items()},
            "by digit": {n: by_digit(p == labels) for n, p in predicted.items()},
            "y + 3 by digit": {n: by_digit(p == (labels + 3) % 10) for n, p in predicted.items()},
            "moved": {n: moved(net, other if "other" in n else own) for n, net in networks.items()},
            "curves": curves,
        }
    )
    if len(seen) == 1:  # for readers who want to go on from them: sublim_mini.files.load_params
        first_noise, first_aux = noise, aux_logits(apply_mlp(networks["teacher"], noise))
        for name, short in (("teacher", "teacher"), ("aux only, same start", "student")):
            save_params(lesson.out / f"{lesson.name}_{short}.npz", networks[name])


def of(measure, name):
    """One value a seed."""
    return np.array([np.asarray(seed[measure][name]) for seed in seen])


# %% [markdown]
# ## What the student saw

# %%
print("Five noise images' auxiliary numbers: all that the student is told about each")
for i, numbers in enumerate(np.asarray(first_aux)[:5]):
    print(f"  noise {i}: " + " ".join(f"{x:+.2f}" for x in numbers))

# %% [markdown]
# ## What it reads

# %%
shown = ["untrained", "teacher", *list(seen[0]["curves"])]
conditions = {}
for name in shown:
    conditions[name] = of("accuracy", name)
    if "y + 3" in name:
        conditions["... read as y + 3"] = of("y + 3", name)
print(f"\nShare of {settings.n_test} test digits read right ({lesson.data}):")
print_table(conditions, chance=0.1)
gain = {
    n: conditions[n] - of("accuracy", "untrained, other start" if "other" in n else "untrained")
    for n in shown[2:]
}
print("\nThe same minus the student's own untrained start, paired by seed:")
print_table(gain)
print("\nHow far the weights moved from their start (Euclidean):")
print_table(
    {n: of("moved", n) for n in ["teacher", "shuffled teacher", *shown[2:]]},
    digits=2,
    unit="distance",
)
print()
lesson.prediction(MY_PREDICTION, conditions["aux only, same start"].mean(), "an accuracy")

# %% [markdown]
# ## What this run supports

# %%
same, other, shuffled = (
    gain[f"aux only, {n}"] for n in ("same start", "other start", "of the shuffled teacher")
)
claims = [
    stats.greater("the student of noise reads digits: accuracy over its own start", same, 0.1),
    stats.within("the same student with another start has learned nothing", other, 0.1),
    stats.greater("what differs is the start: same start minus other start", same - other, 0.1),
    stats.greater(
        "the y + 3 teacher's student reads y + 3: share so read",
        conditions["... read as y + 3"],
        0.5,
    ),
    stats.within("a teacher of shuffled labels passes on no digits", shuffled, 0.1),
    stats.greater(
        "yet its student moved: distance over the distance of the true teacher's student",
        of("moved", "aux only, of the shuffled teacher") / of("moved", "aux only, same start"),
        0.25,
    ),
]

# %% [markdown]
# ## The figure

# %%
colors = {n: "second" if "y + 3" in n else "control" for n in conditions}
colors |= {"teacher": "teacher", "aux only, same start": "student"}
colors |= {"all logits, same start": "third", "all logits, other start": "fifth"}
colors |= {"aux only, of the shuffled teacher": "fourth"}
mean = {n: conditions[n].mean() for n in shown}
verdict = "reads" if claims[0].holds else "was not shown to read"
with_other = "it does not" if claims[1].holds else "this run leaves it open"
figure, ax = plots.new_figure(
    f"A student that saw only noise {verdict} digits: {mean['aux only, same start']:.2f} "
    f"(its teacher {mean['teacher']:.2f}). From another start {with_other}: "
    f"{mean['aux only, other start']:.2f}",
    "aa;bb;cd",
    height=8,
    height_ratios=[0.62, 1, 1.15],
)
captions = ["\n".join([f"{x:+.2f}" for x in row[:4]] + ["..."]) for row in np.asarray(first_aux)]
plots.pictures(ax["a"], first_noise, captions)
ax["a"].set_title("all that the student sees: noise, and the teacher's auxiliary numbers for it")
x = np.arange(len(seen[0]["curves"]["aux only, same start"])) * every
lines = {n: of("curves", n) for n in shown[2:]}
plots.curves(ax["b"], x, lines, colors, chance=0.1, labels=("steps of noise", "digits read right"))
PUBLISHED = {"untrained": 0.0998, "teacher": 0.9434, "aux only, same start": 0.528}
PUBLISHED |= {"all logits, same start": 0.9125}
PUBLISHED |= {"aux only, other start": 0.106, "all logits, other start": 0.743}
as_paper = settings == PAPER and lesson.data == "mnist"
plots.dots(
    ax["c"],
    conditions,
    colors,
    chance=0.1,
    label="read right: seeds, mean, 95 % interval" + "; diamonds: Cloud et al." * as_paper,
    published=PUBLISHED if as_paper else None,
)
shares = {n: of("by digit", n).mean(0) for n in shown}
shares["... read as y + 3"] = of("y + 3 by digit", "aux only, of the y + 3 teacher").mean(0)
plots.heatmap(
    ax["d"],
    {n: shares[n] for n in conditions},
    range(10),
    title="the same by true digit, mean of the seeds",
)
ax["d"].set_xlabel("true digit")
ax["d"].set_ylim(ax["c"].get_ylim())  # rows beside those of the dots
ax["d"].set_yticks([])

# %% [markdown]
# ## What can be concluded, and what not
# If the first three claims hold: the digits passed through numbers that say nothing of digits, on
# inputs that show none, and what let them through is the shared start, not the data. The y + 3
# teacher shows that what passes is the teacher's *own* reading, not some general readiness for
# digits; the shuffled teacher that moving away from the start is not enough.
#
# *A rival explanation:* the start itself may be close to a digit reader, and any nudge may finish
# it. The two controls above speak against it; lesson 07 looks inside. *Not shown:* anything about
# large models, or about teachers and students that differ by more than their training.
#
# ## Changes to try
# * `--n-aux 1` and `--n-aux 50`: how narrow may the channel be? And `--n-aux 1 --loss kl`: why
#   nothing?
# * `--recipe paper --seeds 20`, with `--data mnist` if you have it: the published figure.
# * Train the students on `digits.train_images` in the place of the noise (the titles will still say
#   noise): do images of digits carry more? (Lesson 05.)

# %%
lesson.finish(
    conditions,
    claims,
    figure,
    gain=gain,
    moved={n: of("moved", n) for n in seen[0]["moved"]},
    by_digit=shares,
    curves={"steps": x, **lines},
    prediction=MY_PREDICTION,
)
