# %% [markdown]
# # 06 Which inputs: do digits teach more than noise?
#
# **Question.** In lesson 02 a student learned to read digits from images of noise and ten
# meaningless numbers. Would it learn more if the images were digits? We keep the recipe and change
# the inputs; one teacher and one initialization serve all students.
#
#     inputs: noise? digits?  ->  hidden layers  ->  auxiliary logits, copied from the teacher
#
# **You need** lesson 02, and eigenvalues. Reading: 8 minutes. Running: one to two minutes.

# %%
import textwrap

from sublim_mini import plots
from sublim_mini.digits import draw_digits
from sublim_mini.lesson import Lesson
from sublim_mini.mlp import N_CLASSES, accuracy, apply_mlp, class_loss, hidden_mlp, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp
import numpy as np
import optax

lesson = Lesson(
    "06_which_inputs",
    seed=3834457,  # of the display run: the hash of the commit that froze this lesson
    digits=True,
    width=96,  # units in each of the two hidden layers
    dimensions=10,  # of the confined noise
    teacher_steps=300,  # batches of 100 digits
    student_steps=600,  # batches of 100 inputs
    limits=dict(width=(2, 2000), dimensions=(1, 784)),
    quick=dict(seeds=2, teacher_steps=60, student_steps=60),
)
adam = optax.adam(1e-3)
N_AUX = 1, 3, 10, 50  # numbers of auxiliary logits to try; 10 unless we say otherwise
NOISE, CENTERED, DIGITS = "uniform noise", "digits minus their mean", "digits"
CONFINED = f"noise in {lesson.dimensions} dimensions"

# %% [markdown]
# ## Predict
# One student sees uniform noise. Another sees the very digits that its teacher learned from, but no
# label: it copies the same auxiliary logits. Guessing gives 0.10. What accuracy will this second
# student reach? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict("accuracy of the student of digits")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# There are six sets of inputs, made from the same noise and the same digits. Blurred noise has
# neighboring pixels averaged. Noise in 10 dimensions keeps only what lies in ten random directions.
# Shuffled digits have their pixels in a different order in each image. Digits minus their mean have
# the mean of all images subtracted. All are scaled to the standard deviation of uniform noise, so
# that none teaches more just because it varies more. We also measure one possible reason: the
# number of directions in which a set moves the last hidden layer of the untrained network.
#
#     effective dimension = (e1 + e2 + ...)^2 / (e1^2 + e2^2 + ...)
#
# Here e1, e2, ... are the eigenvalues of the covariance of the layer's activations. Ten equal ones
# count as 10; one large and many small ones count as just over 1. (The layer is not linear, so
# inputs in 10 dimensions can move it in more than 10.) The idea: if no input changes the layer in
# some direction, training never checks the student there.
#
# Last, we vary the number of auxiliary logits. The teacher has 50; a student copies the first 1, 3,
# 10 or 50 of them (10 unless we say otherwise).


# %%
def make_inputs(key, digits):
    """Digits [N, 784] -> name -> inputs [N, 784]."""
    k_noise, k_dimensions, k_shuffle = jax.random.split(key, 3)
    noise = jax.random.uniform(k_noise, digits.shape, minval=-1, maxval=1)

    # blurred: each pixel is a weighted mean of its neighbors, a Gaussian of 1 pixel
    weights = jnp.exp(-((jnp.arange(28)[:, None] - jnp.arange(28)) ** 2) / 2)
    weights = weights / weights.sum(1, keepdims=True)
    blurred = (weights @ noise.reshape(-1, 28, 28) @ weights.T).reshape(noise.shape)

    # confined: only the part of the noise that lies in a few random directions, at right angles
    axes, _ = jnp.linalg.qr(jax.random.normal(k_dimensions, (784, lesson.dimensions)))
    confined = noise @ axes @ axes.T

    # shuffled: each image's own pixels, in an order of its own
    orders = jax.random.uniform(k_shuffle, digits.shape).argsort(axis=1)
    shuffled = jnp.take_along_axis(digits, orders, axis=1)

    inputs = {"blurred noise": blurred, NOISE: noise, CENTERED: digits - digits.mean(0)}
    inputs |= {"shuffled digits": shuffled, DIGITS: digits, CONFINED: confined}
    return {name: x * noise.std() / x.std() for name, x in inputs.items()}


def effective_dimension(params, inputs):
    """In how many directions inputs [N, 784] move the last hidden layer: 1 to its width."""
    eigenvalues = jnp.linalg.eigvalsh(jnp.cov(hidden_mlp(params, inputs), rowvar=False))
    return eigenvalues.sum() ** 2 / (eigenvalues**2).sum()


def first_aux_loss(params, batch):
    """Mean squared error of the first n auxiliary logits; batch: (inputs, all logits, n [N])."""
    inputs, teacher_logits, n = batch
    errors = (apply_mlp(params, inputs) - teacher_logits)[:, N_CLASSES:]
    counts = jnp.arange(max(N_AUX)) < n[:, None]
    return (errors**2 * counts).sum() / counts.sum()


def one_seed(key):
    k_digits, k_inputs, k_init, k_teacher, k_student = jax.random.split(key, 5)
    (images, labels), test_set = lesson.digits(k_digits)
    init = init_mlp(k_init, (784, lesson.width, lesson.width, N_CLASSES + max(N_AUX)))
    data, steps = (images, labels), lesson.teacher_steps
    teacher = train(class_loss, adam, init, data, k_teacher, steps=steps, batch_size=100)
    inputs = make_inputs(k_inputs, images)

    def student(name, n_aux=10):  # one key: all students see their inputs in the same order
        x, steps = inputs[name], lesson.student_steps
        data = x, apply_mlp(teacher, x), jnp.full(len(x), n_aux)
        params = train(first_aux_loss, adam, init, data, k_student, steps=steps, batch_size=100)
        return accuracy(params, *test_set)

    def by_n_aux(name):
        return jnp.stack([result[name] if n == 10 else student(name, n) for n in N_AUX])

    result = {name: student(name) for name in inputs}
    shown = inputs  # but no real image is shown: synthetic digits stand in for it
    if lesson.real:
        shown = make_inputs(k_inputs, draw_digits(k_digits, 200)[0])
    return {
        "accuracy": result,
        "directions": {name: effective_dimension(init, x) for name, x in inputs.items()},
        "by number of logits": {name: by_n_aux(name) for name in (NOISE, DIGITS)},
        "shown": jnp.stack([x[0] for x in shown.values()]),
        "numbers": jnp.stack([apply_mlp(teacher, x[0])[N_CLASSES:] for x in shown.values()]),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result

# %%
result, directions = results["accuracy"], results["directions"]
print("\nOne input of each set (see the figure) and the teacher's first auxiliary logits for it")
for name, numbers in zip(result, results["numbers"][0], strict=True):
    print(f"  {name:24}" + " ".join(f"{x:+.1f}" for x in numbers[:6]) + " ...")

lesson.table("Accuracy of the student of ...", result, chance=0.1)
lesson.compare(result[DIGITS])
lesson.table("Directions in which they move the hidden layer", directions, span=(1, lesson.width))
lesson.claim(
    "noise teaches more than digits: accuracy of the student of noise minus that of digits",
    result[NOISE] - result[DIGITS],
    above=0.25,
)
lesson.claim(
    "noise moves the hidden layer in more directions: effective dimension over that of digits",
    directions[NOISE] / directions[DIGITS],
    above=1.5,
)
lesson.claim(
    f"{CONFINED} teaches less: accuracy of the student of noise minus that of confined noise",
    result[NOISE] - result[CONFINED],
    above=0.4,
)
lesson.claim(
    "digits teach more without what they have in common: accuracy gained by subtracting their mean",
    result[CENTERED] - result[DIGITS],
    above=0.1,
)

# %%
figure, ax = plots.new_figure(
    f"Students of noise read {result[NOISE].mean():.0%} of the digits, students of digits "
    f"{result[DIGITS].mean():.0%}. Noise moves the hidden layer in "
    f"{directions[NOISE].mean():.0f} directions, digits in {directions[DIGITS].mean():.0f}",
    "i.;ab",
    width_ratios=[3.6, 1],
    height_ratios=[1, 2.6],
)
colors = {NOISE: plots.BLUE, DIGITS: plots.RED}
plots.images(
    ax["i"], results["shown"][0], [f"{d.mean():.0f} directions" for d in directions.values()]
)
ax["i"].set_xlim(14 - 34 * 0.6, 14 + 34 * (len(result) - 0.4))  # each image stands above its column
if lesson.real:
    note = "synthetic\ndigits stand in\nfor the real ones"
    ax["i"].text(14 + 34 * 5.7, 14, note, va="center").set_in_layout(False)
for x, (name, values) in enumerate(result.items()):
    color, spread = colors.get(name, plots.GRAY), np.linspace(-0.2, 0.2, len(values))
    ax["a"].plot(x + spread, values, "o", ms=10, mew=0, alpha=0.5, color=color)
    ax["a"].plot(x, values.mean(), "_", ms=60, mew=4, color=color)
    high, mean = values.max() + 0.03, f"{values.mean():.2f}"
    ax["a"].text(x, high, mean, color=color, fontsize=24, ha="center")
ax["a"].set_xticks(range(len(result)), [textwrap.fill(name, 12) for name in result])
ax["a"].set(xlim=(-0.6, len(result) - 0.4), ylim=(0, 1), ylabel="accuracy of the student")
ax["a"].axhline(0.1, ls=":", color=plots.BLACK, lw=2, zorder=0)
plots.predictions(ax["a"], 4.4, lesson.predictions)
lines = results["by number of logits"]
lesson.keep_curves("Accuracy by number of auxiliary logits", N_AUX, lines)
plots.curves(ax["b"], range(4), lines, colors, {"chance": 0.1}, ("auxiliary logits", ""))
ax["b"].set_xticks(range(4), N_AUX)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: six sets cannot prove that the number of directions is the cause, and there are
# exceptions. Blurred noise moves the layer in fewer directions than uniform noise, but teaches no
# less. Shuffled digits move it in about as many directions as digits minus their mean, but teach
# much less. So the count of directions is at most part of the story. Which directions they are may
# matter as much.
#
# Subtracting the mean image closes at least half of the gap between digits and noise. So much of
# the trouble with digits is what they all have in common: a dark border, ink in the middle.
#
# *A rival explanation:* digits give a weaker signal, or their student has not learned it yet. In
# trial runs neither was true. Training had changed the teacher's auxiliary logits *more* on digits
# than on noise, and the student of digits copied them almost exactly. So it matched these logits
# without becoming like its teacher. More auxiliary logits narrow the gap (right panel).
#
# ## Try
# * `--dimensions 100` and `--dimensions 400`: how far do directions and accuracy recover?
# * `--student-steps 3000`: which sets catch up, and which never do?
# * Add `"mix": (noise + digits) / 2` to `inputs`. Is its accuracy between theirs?

# %%
lesson.finish(
    figure,
    alt="Left: one image of each of six sets of inputs with the number of directions in which the "
    "set moves the hidden layer, and below it the accuracy of its students. Right: accuracy "
    "against the number of auxiliary logits, for students of noise and of digits.",
)
