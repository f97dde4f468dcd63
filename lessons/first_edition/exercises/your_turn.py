# %% [markdown]
# # Your turn: an experiment of your own
#
# Copy this file, give the copy's name to `start(...)`, and change what is marked CHANGE. It runs as
# it stands:
# `python lessons/exercises/your_turn.py` (under a minute; `--quick` to try it out).
#
# **My hypothesis** (CHANGE; write it before you run). Small noise carries less: a student of noise
# in [-0.2, 0.2] reads fewer digits than one of noise in [-1, 1], by at least 0.1.
#
# **What would speak against it:** a difference whose 99 % interval does not lie above 0.1.
#
# **My control:** students from another start, of the same two kinds of noise. What they gain over
# their own start cannot come from the channel.

# %%
from dataclasses import dataclass

import jax
import numpy as np

from sublim_mini.first import plots, stats
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import aux_mse_loss, class_loss
from sublim_mini.first.mlp import N_CLASSES, accuracy, apply_mlp, init_mlp
from sublim_mini.first.train import ADAM, train


@dataclass(frozen=True)
class Settings:
    size: float = option(0.2, "largest pixel of the small noise")  # CHANGE: my knob
    steps: int = option(300, "training steps of each network")
    n_train: int = option(5_000, "digits for the teacher, and noise images for the students")
    width: int = option(64, "units in each of the two hidden layers")


lesson = start("your_turn", Settings(), quick=dict(seeds=3, steps=40, n_train=1000), digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_train, 1_000)
MY_PREDICTION = 0.10  # CHANGE: plain noise minus small noise, in digits read right


# %%
def one_seed(key):
    """The share of test digits that each network reads right: name -> number."""
    k_start, k_other, k_noise, k_teacher, k_student = jax.random.split(key, 5)
    sizes = [784, settings.width, settings.width, N_CLASSES + 10]
    own, other = init_mlp(k_start, sizes), init_mlp(k_other, sizes)
    how = dict(learning_rate=1e-3, batch_size=100, steps=settings.steps)
    data = digits.train_images, digits.train_labels
    teacher = train(class_loss, ADAM, own, data, k_teacher, **how).params
    noise = uniform_noise(k_noise, settings.n_train)

    def student(start, inputs):  # all see their inputs in the same order, so a seed is a pair
        data, key = (inputs, apply_mlp(teacher, inputs)), jax.random.clone(k_student)
        return train(aux_mse_loss, ADAM, start, data, key, **how).params

    networks = {
        "untrained": own,
        "teacher": teacher,
        "plain noise": student(own, noise),
        "small noise": student(own, settings.size * noise),  # CHANGE: my condition
        "other start, untrained": other,
        "other start, plain noise": student(other, noise),
        "other start, small noise": student(other, settings.size * noise),
    }
    test = digits.test_images, digits.test_labels
    return {name: float(accuracy(params, *test)) for name, params in networks.items()}


seeds = [one_seed(key) for key in lesson.seeds()]
read = {name: np.array([seed[name] for seed in seeds]) for name in seeds[0]}

# %%
print_table(read, chance=0.1)
difference = read["plain noise"] - read["small noise"]
untrained = read["other start, untrained"]
control = np.mean([read[f"other start, {n} noise"] - untrained for n in ("plain", "small")], 0)
lesson.prediction(MY_PREDICTION, difference.mean(), "a difference")
claims = [  # CHANGE: what you said would speak for it, and that the control shows nothing
    stats.greater("small noise carries less: plain minus small", difference, 0.1),
    stats.within("another start hears nothing: over its own start", control, 0.1),
]

# %%
verdict = "Small noise carries less" if claims[0].holds else "Small noise: no difference shown"
figure, axes = plots.new_figure(f"{verdict} (plain minus small: {difference.mean():+.2f})")
colors = {"teacher": "teacher", "plain noise": "student", "small noise": "third"}
plots.dots(axes["a"], read, colors, chance=0.1, label="digits read right, a dot a seed")

# %% [markdown]
# **What I can conclude, and what not** (CHANGE). And a rival explanation: is it the *size* of the
# noise, or that fewer ReLUs switch? How would you tell them apart?

# %%
lesson.finish(read, claims, figure)
