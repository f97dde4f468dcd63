# %% [markdown]
# # 03 One step: why must one small step already point the teacher's way?
#
# **The question.** In lesson 02 a student took 600 steps on noise and came to read digits. Is that
# an accident of those networks, or is there a reason that is already there in a single step?
#
# **You need** lesson 02, gradients and the chain rule. Reading: 15 minutes. Running: under a
# minute.
#
# ## The theorem
# In words: a teacher takes a small step from a start, *any* step. A student at the *same* start
# takes one gradient step towards the teacher's outputs, on *any* inputs. Then the student's step
# does not point away from the teacher's. And if the teacher's step was down the gradient of some
# loss, its *trait loss*, then the student's small step lowers that loss as well, unless it is no
# step at all. (Cloud et al. 2025, section 6.1.)
#
# In ten lines. The network is f(theta, x), J its derivative by theta at the start theta_0, E the
# mean over the student's inputs x, z = f(theta_0, x), and D_T, D_S the two steps:
#
# 1. The teacher:  theta_T = theta_0 + eps D_T,  so its outputs are  a = z + eps J D_T + O(eps^2).
# 2. The student:  D_S = -grad E[loss(a, f(theta, x))] at theta_0  = -E[J' dloss/dz].
# 3. Squared error:  -dloss/dz = 2 (a - z).
# 4. Softmax cross-entropy:  -dloss/dz = softmax(a) - softmax(z) = M (a - z) + O(eps^2),
#    with  M = diag(p) - p p',  p = softmax(z).  (In line 3 M is 2 times the identity.)
# 5. Together:  D_S = eps E[J' M J] D_T + O(eps^2) = eps F D_T + O(eps^2).
# 6. So  D_S . D_T = eps E[(J D_T)' M (J D_T)] + O(eps^2),
# 7. and M has no negative eigenvalue (it is a variance: u' M u = Var_p(u)), so line 6 is >= 0.
# 8. It is 0 only if M J D_T = 0 for every x; then D_S . D_T = E[(J D_T)' (-dloss/dz)] = 0 for
#    every eps, not only to first order.
# 9. With D_T = -grad L_T(theta_0):  L_T(theta_0 + D_S) = L_T(theta_0) - D_S . D_T + O(eps^2) falls.
# 10. Nothing was said of x, and nothing of L_T. Only lines 1 and 2 must share theta_0 and J.
#
# A fixed subset of the logits is the same theorem with f the subset.

# %%
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.tree_util import Partial

from sublim_mini.first import plots, stats
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import class_loss, cross_entropy, kl, squared_error
from sublim_mini.first.measures import add, cosine, dot, norm
from sublim_mini.first.mlp import N_CLASSES, apply_mlp, aux_logits, class_logits
from sublim_mini.first.train import ADAM, train


@dataclass(frozen=True)
class Settings:
    layers: tuple[int, ...] = option((1, 2), "hidden layers of the networks drawn", high=4)
    repeats: int = option(3, "draws of each combination, architecture and seed")
    n_inputs: int = option(16, "inputs that the student sees, and images of a trait loss")
    n_aux: int = option(3, "auxiliary logits", high=50)
    halvings: int = option(24, "how often eps = 1 is halved", low=20, high=40)
    steps: int = option(300, "steps of the linear networks, for teacher and student")
    n_images: int = option(2_000, "digits")


QUICK = dict(seeds=2, steps=100, n_images=1000, layers=(2,))
lesson = start("03_one_step", Settings(), quick=QUICK, digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_images, settings.n_images)

# %% [markdown]
# "For small eps" is a limit, so the arithmetic must not get in its way: from here on all is in 64
# bits. The networks are small, and the images are made small with them: 7 x 7.

# %%
jax.config.update("jax_enable_x64", True)
SIDE = 7
N_IN, N_OUT = SIDE * SIDE, N_CLASSES + settings.n_aux
HIDDEN = [(16,) * n for n in settings.layers]
EPS = 0.5 ** np.arange(settings.halvings + 1)


def shrink(images):
    """Images [N, 784] -> the means of 4 x 4 pixels [N, 49]."""
    return jnp.asarray(images, float).reshape(-1, SIDE, 4, SIDE, 4).mean((2, 4)).reshape(-1, N_IN)


train_images, test_images = shrink(digits.train_images), shrink(digits.test_images)
train_labels, test_labels = jnp.asarray(digits.train_labels), jnp.asarray(digits.test_labels)

# %% [markdown]
# ## Before you run: predict
# In what share of random draws (of network, trait loss, inputs and loss of the student) will the
# product D_S . D_T come out negative, once eps is small enough?

# %%
MY_PREDICTION = 0.50

# %% [markdown]
# ## A draw
# A network, a trait loss and what the student sees. The teacher's step has length 1. All
# combinations of four trait losses, three kinds of inputs and three losses of the student appear
# equally often.

# %%
TRAITS = ["digit loss", "loss on other inputs", "weight penalty", "random function"]
INPUTS = ["noise", "images", "a single point"]
LOSSES = ["squared error", "softmax cross-entropy", "subset of the logits"]
KINDS = np.array(list(product(range(4), range(3), range(3))) * settings.repeats)


class Draw(NamedTuple):
    """One draw; `kind` is a trait loss, an inputs and a student's loss, as numbers."""

    kind: jax.Array
    starts: Any  # two networks: the start shared with the teacher, and another
    waves: Any  # the random function's weights
    trait: tuple  # images, labels, other inputs and other labels for the trait losses
    inputs: jax.Array  # what the student sees [N, 49]


@jax.jit
@partial(jax.vmap, in_axes=(0, None))
def random_numbers(key, n_images):
    """All that is random in a draw: normal numbers, pixels of noise, and which images."""
    k_normal, k_noise, k_which = jax.random.split(key, 3)
    noise = jax.random.uniform(k_noise, (2, settings.n_inputs, N_IN), minval=-1, maxval=1)
    which = jax.random.randint(k_which, (3, settings.n_inputs), 0, n_images)
    return jax.random.normal(k_normal, (3, 3000)), noise, which


def network(numbers, sizes):
    """Normal numbers [P] -> an MLP of these widths: weights N(0, 1/sqrt(I)), biases N(0, 0.1)."""
    layers = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        weights, biases, numbers = jnp.split(numbers, [n_out * n_in, n_out * n_in + n_out])
        weights = weights.reshape(n_out, n_in) / np.sqrt(n_in)
        layers.append({"weights": weights, "biases": 0.1 * biases})
    return layers


@partial(jax.jit, static_argnames="hidden")
@partial(jax.vmap, in_axes=(0, 0, None, None, None))
def make_draws(numbers, kind, images, labels, hidden):
    normal, (noise, other_inputs), (pick, seen, other_labels) = numbers
    nets = jax.vmap(lambda x: network(x, [N_IN, *hidden, N_OUT]))(normal)
    trait = images[pick], labels[pick], other_inputs, other_labels % N_CLASSES
    point = jnp.repeat(noise[:1], len(noise), axis=0)
    inputs = jnp.stack([noise, images[seen], point])[kind[1]]
    starts, waves = (jax.tree.map(lambda x, at=at: x[at], nets) for at in (slice(2), 2))
    return Draw(kind, starts, waves, trait, inputs)


def trait_loss(draw, params):
    images, labels, other_inputs, other_labels = draw.trait
    losses = [
        lambda: class_loss(params, (images, labels)),
        lambda: class_loss(params, (other_inputs, other_labels)),
        lambda: dot(params, params) / 2,
        lambda: dot(draw.waves, jax.tree.map(jnp.sin, params)),
    ]
    return jax.lax.switch(draw.kind[0], losses)


def student_loss(kind, targets, outputs):
    """What the student minimises: targets and outputs [N, 13] -> a number."""
    losses = [
        lambda: squared_error(targets, outputs),
        lambda: kl(targets, outputs),  # cross-entropy less the teacher's entropy: the same gradient
        lambda: squared_error(aux_logits(targets), aux_logits(outputs)),
    ]
    return jax.lax.switch(kind, losses)


# %% [markdown]
# ## One step
# `student_step` is line 2 of the proof, `linear_step` line 5: F is never formed. J times a vector
# is a `jvp`, J' times a vector a `vjp`, and M times a vector the `jvp` of the loss's gradient.


# %%
def student_step(loss, params, inputs, targets):
    """One gradient step, at rate 1, towards the targets."""
    gradient = jax.grad(lambda p: loss(targets, apply_mlp(p, inputs)))(params)
    return jax.tree.map(jnp.negative, gradient)


def linear_step(loss, params, inputs, direction):
    """F times a direction: E[J' M J] direction."""

    def outputs(p):
        return apply_mlp(p, inputs)

    here, pull_back = jax.vjp(outputs, params)
    pushed = jax.jvp(outputs, (params,), (direction,))[1]  # J direction, [N, 13]
    weighed = jax.jvp(jax.grad(partial(loss, here)), (here,), (pushed,))[1]  # M J direction / N
    # `here` as the target too: at the start the student's outputs are its targets
    return pull_back(weighed)[0]


def flat(tree):
    """A tree of arrays as the one long vector of the theorem [P]."""
    return ravel_pytree(tree)[0]


def measure(draw, eps):
    """All that is measured of one draw at each eps [E]: name -> [E]."""
    loss = Partial(student_loss, draw.kind[2])
    trait = partial(trait_loss, draw)
    start, unravel = ravel_pytree(jax.tree.map(lambda x: x[0], draw.starts))
    values, gradients = jax.vmap(jax.value_and_grad(trait))(draw.starts)  # at both starts
    here, (gradient, other_gradient) = values[0], jax.vmap(flat)(gradients)
    slope = norm(gradient)
    teacher = -gradient / slope  # D_T, of length 1
    linear = flat(linear_step(loss, unravel(start), draw.inputs, unravel(teacher)))

    def at(eps):
        # the student's steps [2, 2, P]: from both starts, with the teacher at +D_T and at -D_T
        teachers = jax.vmap(unravel)(jnp.stack([start + eps * teacher, start - eps * teacher]))
        targets = jax.vmap(apply_mlp, (0, None))(teachers, draw.inputs)

        def one(params, targets):
            return flat(student_step(loss, params, draw.inputs, targets))

        steps = jax.vmap(jax.vmap(one, (None, 0)), (0, None))(draw.starts, targets)
        (step, step_back), (other, other_back) = steps
        return {
            "product": step @ teacher / eps,
            "fall": (here - trait(unravel(start + step))) / (eps * slope),
            "rounding": jnp.abs(here) / (eps * slope) * jnp.finfo(here.dtype).eps,
            "cosine": cosine(step, step_back),
            "other: product": other @ teacher,
            "other: product back": -other_back @ teacher,
            "other: cosine": cosine(other, other_back),
            "other: own fall": -other @ other_gradient,  # to first order
            "error": norm(step / eps - linear) / norm(linear),
        }

    return jax.vmap(at)(eps)


measure_all = jax.jit(jax.vmap(measure, (0, None)))
products_alone = jax.jit(lambda draws, eps: jax.vmap(measure, (0, None))(draws, eps)["product"])


def to_32_bits(tree):
    """The same numbers, rounded to float32."""
    wide = jnp.float64
    return jax.tree.map(lambda x: x.astype(jnp.float32) if x.dtype == wide else x, tree)


# %% [markdown]
# ## The smallest model: linear layers
# Without any ReLU: a teacher of digits and a student of its 40 auxiliary outputs on noise, as in
# lesson 02, with one linear layer and with two.

# %%
LINEAR = {"one linear layer": [N_IN, 50], "two linear layers": [N_IN, 12, 50]}


def apply_linear(params, inputs):
    """Inputs [N, I] -> outputs [N, O]: layers with nothing in between."""
    for layer in params:
        inputs = inputs @ layer["weights"].T + layer["biases"][None]
    return inputs


def linear_digit_loss(params, batch):
    images, labels = batch
    return cross_entropy(class_logits(apply_linear(params, images)), labels)


def linear_aux_loss(params, batch):
    inputs, targets = batch
    return squared_error(aux_logits(targets), aux_logits(apply_linear(params, inputs)))


@jax.jit
def linear_accuracy(params):
    read = class_logits(apply_linear(params, test_images)).argmax(-1)
    return (read == test_labels).mean()


def linear_networks(key, numbers, sizes):
    """Accuracy of start, teacher and student, and the greatest change of a student's class row."""
    k_noise, k_teacher, k_student = jax.random.split(key, 3)
    noise = jax.random.uniform(k_noise, train_images.shape, minval=-1, maxval=1)
    begin = network(numbers, sizes)
    how = dict(learning_rate=1e-2, steps=settings.steps, batch_size=100)
    digits_seen = train_images, train_labels
    teacher = train(linear_digit_loss, ADAM, begin, digits_seen, k_teacher, **how).params
    data = noise, apply_linear(teacher, noise)
    student = train(linear_aux_loss, ADAM, begin, data, k_student, **how).params
    moved = jnp.abs(student[-1]["weights"] - begin[-1]["weights"])[:N_CLASSES].max()
    gradient = jax.grad(linear_aux_loss)(begin, data)[-1]["weights"][:N_CLASSES]
    return [linear_accuracy(p) for p in (begin, teacher, student)], jnp.abs(gradient).max(), moved


# %% [markdown]
# ## Cases built to be exactly zero
# By line 8 a product is zero only where the teacher's step leaves the student's targets as they
# were, and then there is no step at all. Three ways to build that.


# %%
ZERO = [
    "the teacher moves its class rows alone, the student sees the rest",
    "one auxiliary logit under a softmax, which is always 1",
    "the student sees only the image 0, the teacher moves first weights alone",
]


@jax.jit
def zero_products(begin, images, labels, inputs):
    """The products of the three cases, and the greatest entry of a student's step: [3], [3]."""
    digit = jax.tree.map(jnp.negative, jax.grad(class_loss)(begin, (images, labels)))
    nothing = jax.tree.map(jnp.zeros_like, begin)
    class_rows = {name: -x.at[N_CLASSES:].set(0) for name, x in begin[-1].items()}
    first_weights = {**nothing[0], "weights": digit[0]["weights"]}
    cases = [
        (
            [*nothing[:-1], class_rows],
            inputs,
            lambda t, o: squared_error(aux_logits(t), aux_logits(o)),
        ),
        (digit, inputs, lambda t, o: kl(aux_logits(t)[:, :1], aux_logits(o)[:, :1])),
        ([first_weights, *nothing[1:]], jnp.zeros_like(inputs), squared_error),
    ]
    products, largest = [], []
    for direction, inputs, loss in cases:
        targets = apply_mlp(add(begin, direction, 1 / norm(direction)), inputs)
        step = student_step(loss, begin, inputs, targets)
        products.append(dot(step, direction))
        largest.append(jnp.stack([jnp.abs(x).max() for x in jax.tree.leaves(step)]).max())
    return jnp.stack(products), jnp.stack(largest)


# %% [markdown]
# ## All seeds
# In each, every combination is drawn several times, for two architectures.

# %%
measured, narrow, linear, zeros = [], [], [], []
for key in lesson.seeds():
    k_draws, k_linear = jax.random.split(key)
    for k, hidden in zip(jax.random.split(k_draws, len(HIDDEN)), HIDDEN, strict=True):
        keys = jax.random.split(k, len(KINDS) + 1)  # one more, for the linear and the built cases
        numbers = random_numbers(keys, len(train_labels))
        some, spare = (jax.tree.map(lambda x, at=at: x[at], numbers) for at in (slice(-1), -1))
        draws = make_draws(some, KINDS, train_images, train_labels, hidden)
        measured.append({name: np.asarray(x) for name, x in measure_all(draws, EPS).items()})
    narrow.append(np.asarray(products_alone(*to_32_bits((draws, EPS)))))  # of the last architecture
    linear.append(
        {
            name: linear_networks(k, spare[0][i], sizes)
            for i, (k, (name, sizes)) in enumerate(
                zip(jax.random.split(k_linear), LINEAR.items(), strict=True)
            )
        }
    )
    begin = network(spare[0][2], [N_IN, *HIDDEN[-1], N_OUT])
    zeros.append(zero_products(begin, train_images[:50], train_labels[:50], spare[1][0]))
m = {name: np.concatenate([x[name] for x in measured]) for name in measured[0]}  # [D, E]
kinds, narrow = np.tile(KINDS, (len(measured), 1)), np.concatenate(narrow)  # [D, 3], [D', E]
n_draws = len(kinds)


def settled(values, change=0.05, halvings=3):
    """Values [D, E] -> of each draw the eps from which `halvings` more change it little: [D]."""
    steady = np.abs(np.diff(values)) <= change * np.abs(values[:, 1:])  # [D, E - 1]
    runs = np.lib.stride_tricks.sliding_window_view(steady, halvings, axis=1).all(-1)
    return np.where(runs.any(1), runs.argmax(1) + halvings, -1)


def pick(values, at):
    """Values [D, E] at each draw's own eps [D]."""
    return values[np.arange(len(values)), at]


# %% [markdown]
# ## (a) The sign of the product, and the trait loss
# For each draw eps is halved until three more halvings change D_S . D_T / eps by less than a
# twentieth each: then its sign has settled. The fall of the trait loss is measured in the same way,
# and counted where the product is more than 1,000 times what rounding can do to the loss.

# %%
at_product, at_fall = settled(m["product"]), settled(m["fall"])
did_settle = at_product >= 0
products, falls = pick(m["product"], at_product), pick(m["fall"], at_fall)
clear = did_settle & (at_fall >= 0) & (products > 1000 * pick(m["rounding"], at_fall))
never_negative = did_settle & (products >= 0)
print(f"{n_draws} draws; in {did_settle.sum()} the sign settled, at the latest at eps = ", end="")
print(f"{EPS[at_product.max()]:.1e}; product exactly 0: {(products == 0).sum()}")
print(f"clear of rounding: {clear.sum()}; there the trait loss falls in {(falls[clear] > 0).sum()}")
small = 16  # eps = 2^-16: small for all draws, and far above rounding
conditions = {
    "shared start: product >= 0": never_negative,
    "shared start: trait loss falls, where clear": np.where(clear, falls > 0, np.nan),
}
for i, trait in enumerate(TRAITS):
    its = kinds[:, 0] == i
    for what, name in (("product > 0", "other: product"), ("own trait falls", "other: own fall")):
        positive = np.where(its, m[name][:, small] > 0, np.nan)
        conditions[f"other start, {trait}: {what}"] = positive
conditions = {
    name: np.nanmean(np.asarray(x, float).reshape(lesson.n_seeds, -1), axis=1)
    for name, x in conditions.items()
}

# %% [markdown]
# ## (b) With another start
# The student's step then closes the gap between two *untrained* networks. To leading order the
# teacher's step is not in it: with the teacher at -D_T instead of +D_T, the student's step flips if
# the start is shared (cosine -1) and stays if it is not (cosine +1). So with another start the sign
# is right for exactly one of +D_T and -D_T.

# %%
cosines, other_cosines = m["cosine"][:, small], m["other: cosine"][:, small]
right = m["other: product"][:, small] > 0
one_of_two = right != (m["other: product back"][:, small] > 0)
print(f"\nCosine of the student's steps for +D_T and -D_T, eps = 2^-{small}:")
print(f"  shared start {cosines.mean():+.6f}, from {cosines.min():+.6f} to {cosines.max():+.6f}")
print(
    f"  another      {other_cosines.mean():+.6f}, "
    f"from {other_cosines.min():+.6f} to {other_cosines.max():+.6f}"
)
print("\nShare of draws, by seed:")
print_table(conditions, unit="share")
print(
    "Why the shares with another start need not be one half: there the step is a drift, the\n"
    "same for +D_T and -D_T, but no random direction. It takes back the student's own random\n"
    "outputs and takes on those of the teacher's start. The first shrinks what made them (see\n"
    "how often a weight penalty of the student's own falls) and makes it less sure of wrong\n"
    "digits; the second goes against a teacher that shrinks that start. Which trait losses\n"
    "this helps depends on the loss.\n"
)
lesson.prediction(MY_PREDICTION, 1 - never_negative.mean(), "a share of negative products")

# %% [markdown]
# ## (c) The linear picture
# The student's step against eps F D_T: line 5 says that the relative error is proportional to eps,
# a line of slope 1 on logarithmic axes. Each draw's slope is fitted where rounding is far. (Where a
# ReLU turns on or off between start and teacher, the error falls in a jump: a slope a little over
# 1 may come of that.)

# %%
fitted = slice(6, 19)  # eps from 2^-6 to 2^-18
log_eps, errors = np.log(EPS[fitted]), m["error"][:, fitted]
visible = (errors > 1e3 * np.finfo(float).eps / EPS[fitted]).all(1)
slopes = np.array([np.polyfit(log_eps, np.log(e), 1)[0] for e in errors[visible]])
print(f"Slope of the error: {stats.mean_interval(slopes)}, of {visible.sum()} draws; in the others")
print("the error is no larger than rounding, for the step is linear in eps.")

# %% [markdown]
# ## (d) and (e) Linear layers, and zeros

# %%
for name in LINEAR:
    accuracies = np.array([x[name][0] for x in linear], float).T
    for who, values in zip(("start", "teacher", "student"), accuracies, strict=True):
        conditions[f"{name}, {who}"] = values
print(f"\nDigits read by linear networks, after {settings.steps} steps ({lesson.data}):")
print_table({n: v for n, v in conditions.items() if "linear" in n}, chance=0.1)
row_gradients = np.array([x["one linear layer"][1] for x in linear], float)
row_moves = np.array([x["one linear layer"][2] for x in linear], float)
zeros = np.array(zeros, float)  # [S, products and largest entries, cases]
print("\nCases built to be zero, largest |product| of all seeds:")
for i, case in enumerate(ZERO):
    print(f"  {np.abs(zeros[:, 0, i]).max():g}  {case}")

# %% [markdown]
# ## What this run supports

# %%
gain = conditions["two linear layers, student"] - conditions["two linear layers, start"]
claims = [
    stats.share_greater("D_S . D_T >= 0: share", never_negative.sum(), n_draws, 0.97),
    stats.share_greater(
        "and the trait loss falls, where clear: share", (falls[clear] > 0).sum(), clear.sum(), 0.97
    ),
    stats.less("shared start: flipping D_T flips the step, cosine", cosines, -0.99, unit="draw"),
    stats.greater("another start: it stays, cosine", other_cosines, 0.99, unit="draw"),
    stats.share_greater(
        "with another start the sign is right for exactly one of +D_T and -D_T: share",
        one_of_two.sum(),
        n_draws,
        0.97,
    ),
    stats.within(
        "the error of eps F D_T is in proportion to eps: slope - 1", slopes - 1, 0.1, "draw"
    ),
    stats.share_greater(
        f"32 bits make products negative at eps = 2^-{settings.halvings}: share",
        (narrow[:, -1] < 0).sum(),
        len(narrow),
        0.02,
    ),
    stats.exact("one linear layer: largest gradient of a class row", row_gradients),
    stats.exact("and largest change of a class row after all steps", row_moves),
    stats.greater("two linear layers: the student's accuracy over its start", gain, 0.1),
    stats.exact("the built cases: product", zeros[:, 0].ravel(), unit="setting"),
    stats.exact("and there is no step at all: largest entry", zeros[:, 1].ravel(), unit="setting"),
]

# %% [markdown]
# ## The figure

# %%
finding = (
    f"The student's small step points the teacher's way in {never_negative.sum()} of {n_draws}"
)
if not claims[0].holds:
    finding = f"Not shown: {finding}"
elsewhere = "flipping the teacher's step does not turn it" if claims[3].holds else "it is left open"
figure, ax = plots.new_figure(
    f"{finding} random draws. From another start {elsewhere}",
    "ab;cd;ef",
    height=10,
    height_ratios=[1, 1, 0.8],
)


def by_seed(values):
    """Values [D, E] -> [S, D / S, E]."""
    return values.reshape(lesson.n_seeds, -1, len(EPS))


x = np.arange(len(EPS))
negative = {
    "64 bits": (by_seed(m["product"]) < 0).mean(1),
    "32 bits": (by_seed(narrow) < 0).mean(1),
}
colors = {"64 bits": "student", "32 bits": "second", "shared start": "student"}
halved = "times eps was halved"
plots.curves(ax["a"], x, negative, colors, labels=(halved, "negative products"))
ax["a"].set_title("(a) how often the product is negative", fontsize=9)
ax["b"].loglog(products[clear], falls[clear], ".", ms=3, alpha=0.4, color=plots.COLORS["student"])
ends = [products[clear].min(), products[clear].max()]
ax["b"].plot(ends, ends, ":", color="black", lw=1)
ax["b"].set_xlabel("product of the steps (both / eps)")
ax["b"].set_ylabel("fall of the trait loss")
ax["b"].set_title("(a) the trait loss: dotted, falls by the product", fontsize=9)
flips = {
    "shared start": by_seed(m["cosine"]).mean(1),
    "another start": by_seed(m["other: cosine"]).mean(1),
}
plots.curves(ax["c"], x, flips, colors, labels=(halved, "cosine, +D_T and -D_T"))
ax["c"].set_title("(b) does the step flip with D_T?", fontsize=9)
ax["d"].semilogy(x, np.median(by_seed(m["error"]), axis=1).T, lw=1, color=plots.COLORS["student"])
ax["d"].plot(x, np.median(m["error"][:, 6]) * EPS / EPS[6], ":", color="black", lw=1)
ax["d"].set_xlabel(halved)
ax["d"].set_ylabel("error of eps F D_T")
ax["d"].set_title("(c) linear picture; dotted: slope 1", fontsize=9)
for panel, what in (("e", "product > 0"), ("f", "own trait falls")):
    shares = {trait: conditions[f"other start, {trait}: {what}"] for trait in TRAITS}
    plots.dots(ax[panel], shares, label="share of draws, a dot a seed")
    ax[panel].axvline(0.5, ls=":", color="black", lw=1)
    ax[panel].set_xlim(0, 1.02)
    ax[panel].set_title(f"(b) from another start: {what}", fontsize=9)
ax["f"].set_yticks([])

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: nothing about digits, noise or 600 steps is needed for the alignment. It is a
# property of one gradient step from a shared start, for any trait and any inputs, and it is gone
# once the starts differ, where the student's step is the same whatever the teacher has learned.
#
# *A rival explanation* for a product that is not negative would be that the two steps merely share
# the network's large gradients. The cosine tells: the student's step turns round with the
# teacher's. *Not shown:* that the product is *large*. "Not negative" may be tiny, and the student's
# step is far longer across the teacher's than along it (print their cosine). Nor does one step say
# that many add up, or that Adam's steps obey it: that is lesson 04. And one linear layer shows the
# theorem's small print: the product may be zero for a reason, and then nothing passes.
#
# ## Changes to try
# * `--n-inputs 1`, `--n-inputs 64`: how does the size of the product depend on the inputs?
# * `--n-aux 1` and `--n-aux 50`: how much of D_T do a few logits see?
# * Let the teacher take a step *up* its trait loss. What does line 9 say of the student's loss?
# * In `linear_networks` put a third layer, or share all but the last layer with another start.

# %%
lesson.finish(
    conditions,
    claims,
    figure,
    eps=EPS,
    negative=negative,
    cosines=flips,
    median_error=np.median(m["error"], axis=0),
    clear_of_rounding=int(clear.sum()),
    slopes=stats.mean_interval(slopes)._asdict(),
    zeros={case: zeros[:, 0, i] for i, case in enumerate(ZERO)},
    prediction=MY_PREDICTION,
)
