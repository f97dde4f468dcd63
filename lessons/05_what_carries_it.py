# %% [markdown]
# # 05 What carries it: which knobs turn the hidden channel up and down?
#
# **The question.** A student of noise and meaningless numbers learns to read digits (lesson 02).
# What makes it learn more of them, or fewer: how many numbers, how long, how wide, how fast? And
# which inputs? Why does noise beat real images?
#
# **You need** lesson 02 (the hidden channel). Reading: 15 minutes. Running: two minutes.
#
# **The words.** A *dose* is the value of one knob; a *response* is what the student then reads, with
# all other knobs where they were. What does a set of inputs ask of the network's body, its hidden
# layers? Two measures, both taken before the student's first step:
#
# * *effective dimension*: in how many directions the last hidden layer's activity varies over the
#   inputs. It is the participation ratio of the covariance's eigenvalues, (sum)^2 / sum of squares:
#   k equal ones count as k.
# * *coverage*: the cosine of the first update that the optimiser applies to the student with the
#   teacher's displacement, its weights now minus its start. 1 would be straight to the teacher.
#   (arXiv 2606.22019)

# %%
from dataclasses import dataclass
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial
from scipy.stats import spearmanr

from sublim_mini import plots, stats
from sublim_mini.lesson import option, print_table, start
from sublim_mini.losses import class_loss, kl, squared_error
from sublim_mini.measures import coverage, difference, distance, effective_dimension
from sublim_mini.mlp import N_CLASSES, accuracy, apply_mlp, aux_logits, hidden_mlp, init_mlp
from sublim_mini.train import ADAM, steps_per_epoch, train


@dataclass(frozen=True)
class Settings:
    loss: str = option("mse", "on the auxiliary logits", choices=("mse", "kl"))
    n_aux: int = option(10, "auxiliary logits")
    width: int = option(96, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam; the doses are the student's")
    batch: int = option(100, "examples a step; the doses are the student's")
    teacher_epochs: int = option(3, "passes over the digits")
    student_epochs: int = option(4, "passes over the inputs")
    aux_doses: tuple[int, ...] = option((1, 3, 10, 50), "auxiliary logits to try")
    student_doses: tuple[int, ...] = option((1, 2, 4), "student epochs to read off one run")
    teacher_doses: tuple[int, ...] = option((1, 3, 9), "teacher epochs to try")
    width_doses: tuple[int, ...] = option((32, 96, 288), "widths to try")
    rate_doses: tuple[float, ...] = option((1e-4, 3e-4, 1e-3), "learning rates to try")
    batch_doses: tuple[int, ...] = option((20, 100, 500), "batch sizes to try")
    start_noise_doses: tuple[float, ...] = option((0.01, 0.05), "sd of noise on the start")
    dimensions: tuple[int, ...] = option((10, 100), "dimensions to confine noise to", high=784)
    knob_seeds: int = option(4, "seeds for the knobs; the inputs get them all")
    n_train: int = option(10_000, "digits for the teacher; inputs in each set for the student")
    n_test: int = option(2_000, "digits for the test")


COURSE = Settings()
PAPER = Settings(
    *("kl", 3, 256, 3e-4, 1024, 5, 5, (1, 3), (2, 10), (2, 20), (128, 1024), (1e-4, 3e-4, 1e-3)),
    *((64, 1024, 16384), (0.01, 0.05), (10, 200), 8, 60_000, 10_000),
)
QUICK = dict(seeds=2, knob_seeds=1, n_train=1000, n_test=500, teacher_doses=(3,), rate_doses=(1e-3,))
QUICK |= dict(student_epochs=2, student_doses=(1, 2), width_doses=(96,), batch_doses=(100,))
lesson = start(
    "05_what_carries_it",
    COURSE,
    quick=QUICK,
    digits=True,
    recipes={"course": COURSE, "paper": PAPER},
)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)

# %% [markdown]
# ## Before you run: predict
# Same teacher, same start, same number of inputs: one student sees uniform noise, another the very
# images that the teacher learned from. How much higher (or, with a minus, lower) is the share of
# test digits that the student of noise reads?

# %%
MY_PREDICTION = 0.00

# %% [markdown]
# ## The inputs
# Each set has as many inputs as there are digits for the teacher. Noise that is blurred or confined
# is scaled to the spread of uniform noise, so that its amplitude does not decide.

# %%
SPREAD = 1 / np.sqrt(3)  # standard deviation of Uniform(-1, 1)


def uniform(key, images):
    return jax.random.uniform(key, images.shape, minval=-1, maxval=1)


def blurred(key, images, sigma=1.0):
    """Each pixel a weighted mean of its neighbours, weights Gaussian, sigma in pixels."""
    away = jnp.arange(28)[:, None] - jnp.arange(28)[None]
    weights = jnp.exp(-((away / sigma) ** 2) / 2)  # [28, 28]
    noise = weights @ uniform(key, images).reshape(-1, 28, 28) @ weights
    return noise.reshape(images.shape) * SPREAD / noise.std()


def confined(key, images, k):
    """Gaussian noise in k random orthogonal directions, no noise in the others."""
    k_directions, k_noise = jax.random.split(key)
    directions, _ = jnp.linalg.qr(jax.random.normal(k_directions, (784, k)))  # [784, k]
    noise = jax.random.normal(k_noise, (len(images), k)) @ directions.T
    return noise * SPREAD * jnp.sqrt(784 / k)


def shuffled(key, images):
    """Each image's own pixels in an order of its own."""
    return jax.random.permutation(key, images, axis=1, independent=True)


def half_mix(key, images):
    return (uniform(key, images) + images) / 2


def real(key, images):
    return images


NOISE, MIX, REAL = "uniform noise", "half noise, half image", "real images"
CONFINED = {k: f"noise in {k} dimensions" for k in settings.dimensions}
INPUTS = {NOISE: uniform, "blurred noise": blurred}
INPUTS |= {name: lambda key, images, k=k: confined(key, images, k) for k, name in CONFINED.items()}
INPUTS |= {"shuffled pixels": shuffled, MIX: half_mix, REAL: real}
INPUTS = {name: jax.jit(make) for name, make in INPUTS.items()}

# %% [markdown]
# ## The loss
# All networks have as many auxiliary logits as the largest dose. The student's loss counts the
# first m of them, with a mask of m ones and then zeros.

# %%
N_AUX = max(settings.n_aux, *settings.aux_doses)


def first(m):
    """The mask [N_AUX] of the first m auxiliary logits."""
    return (jnp.arange(N_AUX) < m).astype(jnp.float32)


def masked_mse(mask, params, batch):
    inputs, teacher_logits = batch
    student, teacher = aux_logits(apply_mlp(params, inputs)), aux_logits(teacher_logits)
    return squared_error(teacher * mask[None], student * mask[None]) * N_AUX / mask.sum()


def masked_kl(mask, params, batch):  # a logit of -1e9 has probability exactly 0
    inputs, teacher_logits = batch
    hidden = (mask[None] - 1) * 1e9
    student, teacher = aux_logits(apply_mlp(params, inputs)), aux_logits(teacher_logits)
    return kl(teacher + hidden, student + hidden)


masked_loss = {"mse": masked_mse, "kl": masked_kl}[settings.loss]

# %% [markdown]
# ## The experiment, for one seed
# One start, one teacher (kept after each of its epochs), and students that differ from the base in
# one thing each. Other widths have a start and a teacher of their own.


# %%
def test_accuracy(images, labels, params):
    return accuracy(params, images, labels)


test = Partial(test_accuracy, digits.test_images, digits.test_labels)  # of params
logits_of = jax.jit(apply_mlp)
coverage_of = jax.jit(coverage, static_argnums=1)
dimension_of = jax.jit(lambda params, inputs: effective_dimension(hidden_mlp(params, inputs)))
largest_gradient = jax.jit(
    lambda loss, params, batch: jnp.abs(ravel_pytree(jax.grad(loss)(params, batch))[0]).max()
)


def teach(start, key, epochs):
    """The teacher after each epoch, the start included: a list of params."""
    an_epoch = steps_per_epoch(settings.n_train, settings.batch)
    how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)
    how |= dict(steps=epochs * an_epoch, every=an_epoch, record=lambda params: params)
    data = digits.train_images, digits.train_labels
    records = train(class_loss, ADAM, start, data, key, **how).records
    return [jax.tree.map(lambda leaf, e=e: leaf[e], records) for e in range(epochs + 1)]


def distil(start, teacher, inputs, key, *, m=None, loss=None, rate=None, batch=None, epochs=None):
    """A `Run` of a student of the teacher's first m auxiliary logits, tested after each epoch."""
    batch = batch or settings.batch
    an_epoch = steps_per_epoch(len(inputs), batch)
    steps = (epochs or settings.student_epochs) * an_epoch
    how = dict(learning_rate=rate or settings.learning_rate, batch_size=batch)
    how |= dict(steps=steps, every=an_epoch, record=test)
    loss = Partial(loss or masked_loss, first(m or settings.n_aux))
    return train(loss, ADAM, start, (inputs, logits_of(teacher, inputs)), key, **how)


def network(key, width):
    return init_mlp(key, [784, width, width, N_CLASSES + N_AUX])


def one_seed(key, with_knobs):
    k_start, k_widths, k_teacher, k_student, k_inputs, k_start_noise = jax.random.split(key, 6)
    own_start = network(k_start, settings.width)
    epochs = max(settings.teacher_epochs, *settings.teacher_doses) if with_knobs else 0
    teachers = teach(own_start, k_teacher, epochs or settings.teacher_epochs)
    teacher = teachers[settings.teacher_epochs]
    displacement = difference(teacher, own_start)

    def student(start=own_start, teacher=teacher, inputs=None, **how):
        key = jax.random.clone(k_student)  # every student: the same order of inputs
        return distil(start, teacher, noise if inputs is None else inputs, key, **how)

    def inputs_of(name):  # every set from one key: the mix has the noise of the uniform set
        return INPUTS[name](jax.random.clone(k_inputs), digits.train_images)

    noise = inputs_of(NOISE)
    longest = max(settings.student_epochs, *settings.student_doses)
    base = student(epochs=longest).records
    by_input = {}
    for name in INPUTS:
        inputs = inputs_of(name)
        sample = inputs[:2000], logits_of(teacher, inputs[:2000])
        loss = Partial(masked_loss, first(settings.n_aux))
        read = base if name == NOISE else student(inputs=inputs).records
        by_input[name] = {
            "accuracy": read[settings.student_epochs],
            "coverage": coverage_of(loss, ADAM, own_start, sample, displacement),
            "dimension": dimension_of(own_start, sample[0]),
            "picture": inputs[0],
        }
    found = {"teacher": test(teacher), "untrained": base[0], "inputs": by_input}
    if not with_knobs:
        return found

    silent = student(m=1, loss=masked_kl).params
    gradient = {
        m: largest_gradient(Partial(masked_kl, first(m)), own_start, (noise, logits_of(teacher, noise)))
        for m in (1, 2)
    }
    found["silent"] = {"moved": distance(silent, own_start), "gradient": gradient}
    flat_start, as_params = ravel_pytree(own_start)
    shake = jax.random.normal(k_start_noise, flat_start.shape)
    own_teachers = {}
    for width, key in zip(settings.width_doses, jax.random.split(k_widths, 9), strict=False):
        start = network(key, width)
        k_same = jax.random.clone(k_teacher)  # every teacher: the same order of images
        own_teachers[width] = start, teach(start, k_same, settings.teacher_epochs)[-1]

    def doses(values, base_value, run):
        """value -> accuracy after each epoch; the base is not run again."""
        return {v: base if v == base_value else run(v).records for v in values}

    found["knobs"] = {
        "auxiliary logits": doses(settings.aux_doses, settings.n_aux, lambda m: student(m=m)),
        "student epochs": {e: base[: e + 1] for e in settings.student_doses},
        "teacher epochs": doses(
            settings.teacher_doses,
            settings.teacher_epochs,
            lambda e: student(teacher=teachers[e]),
        ),
        "width": doses(settings.width_doses, settings.width, lambda w: student(*own_teachers[w])),
        "learning rate": doses(
            settings.rate_doses, settings.learning_rate, lambda r: student(rate=r)
        ),
        "batch": doses(settings.batch_doses, settings.batch, lambda b: student(batch=b)),
        "noise on the start": doses(
            (0, *settings.start_noise_doses),
            0,
            lambda sd: student(as_params(flat_start + sd * shake)),
        ),
    }
    return found
