# %% [markdown]
# # 06 What must match: the same start, or which parts of it?
#
# **The question.** Lesson 02: from the teacher's start a student learns digits from noise, from
# another start it does not. But a start is many things: a point in weight space, a function, hidden
# layers, two heads. Which of them must teacher and student share?
#
# **You need** lesson 02. Reading: 15 minutes. Running: about two minutes.
#
# **The words.** The *body* is the hidden layers. The *heads* are the two parts of the last layer:
# the class head (10 rows, the readout of digits) and the auxiliary head (the rows after them).
# Hidden units have no order: if we *permute* them, each with its weights in and out, the network is
# another point in weight space and the same function. A ReLU unit can also be *rescaled*: weights
# in times c, weights out over c. That too is the same function, but Adam, whose steps have the same
# size for every weight, does not treat the two alike. *Behaviourally matched* means trained to give
# the same outputs, whatever the weights. (Cloud et al. 2026; heads: arXiv 2605.23645.)

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.first import plots, stats
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import aux_mse_loss, class_loss, squared_error
from sublim_mini.first.measures import cosine, difference
from sublim_mini.first.mlp import N_CLASSES, accuracy, add_noise, apply_mlp, init_mlp, predict
from sublim_mini.first.train import ADAM, train


@dataclass(frozen=True)
class Settings:
    n_aux: int = option(50, "auxiliary logits")
    width: int = option(128, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam")
    batch: int = option(50, "examples a step")
    teacher_steps: int = option(300, "steps of the teacher, on digits")
    student_steps: int = option(1000, "steps of a student, on noise")
    match_steps: int = option(2000, "steps to match another start to a network's outputs")
    noises: tuple[float, ...] = option((0.01, 0.02, 0.05, 0.1), "noise on the start, std")
    scales: tuple[float, ...] = option((0.25, 1.0), "std of log c, for the rescaled units")
    few: int = option(4, "seeds for the conditions beside the main ones")
    n_train: int = option(10_000, "digits for the teacher")
    n_noise: int = option(10_000, "noise images for the students")
    n_test: int = option(2_000, "digits for the test")


QUICK = dict(seeds=2, few=1, teacher_steps=100, student_steps=100, match_steps=100)
QUICK |= dict(n_train=2000, n_noise=2000, n_test=500)
lesson = start("06_what_must_match", Settings(), quick=QUICK, digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)
test_images, test_labels = digits.test_images, digits.test_labels
sizes = [784, settings.width, settings.width, N_CLASSES + settings.n_aux]

# %% [markdown]
# ## Before you run: predict
# A student shares both heads with the teacher and not one weight of the body. Chance is 0.10, the
# student that shares everything reads most digits. What does this one read?

# %%
MY_PREDICTION = 0.10

# %% [markdown]
# ## Same function, other weights
# For each hidden layer, an order of its units or a factor for each. What a layer does to its
# outputs, the next one undoes for its inputs.


# %%
@jax.jit
def permute_units(params, orders):
    """Params with the units of hidden layer i in the order orders[i] [H]: the same function."""
    layers = [dict(layer) for layer in params]
    for here, after, order in zip(layers[:-1], layers[1:], orders, strict=True):
        here["weights"], here["biases"] = here["weights"][order], here["biases"][order]
        after["weights"] = after["weights"][:, order]
    return layers


@jax.jit
def rescale_units(params, factors):
    """Params with unit j of hidden layer i times c = factors[i][j], undone by the next layer."""
    layers = [dict(layer) for layer in params]
    for here, after, c in zip(layers[:-1], layers[1:], factors, strict=True):
        here["weights"], here["biases"] = here["weights"] * c[:, None], here["biases"] * c
        after["weights"] = after["weights"] / c[None]
    return layers


# %% [markdown]
# ## Other starts, piece by piece


# %%
def heads(class_source, aux_source):
    """A last layer with the class rows of one network and the auxiliary rows of another."""
    return jax.tree.map(
        lambda c, a: jnp.concatenate([c[:N_CLASSES], a[N_CLASSES:]]),
        class_source[-1],
        aux_source[-1],
    )


def main_starts(key, own, other, orders):
    """Name -> start of the conditions of the main claims."""
    k_deep, k_wide = jax.random.split(key)
    deeper = init_mlp(k_deep, [*sizes[:-1], settings.width, sizes[-1]])
    wider = init_mlp(k_wide, [784, 2 * settings.width, *sizes[2:]])
    return {
        "the same start": own,
        "units permuted": permute_units(own, orders),
        "another class head": [*own[:-1], heads(other, own)],
        "another auxiliary head": [*own[:-1], heads(own, other)],
        "only the heads shared": [*other[:-1], own[-1]],
        "one more layer, heads shared": [*deeper[:-1], own[-1]],
        "twice as wide, heads shared": [*wider[:-1], own[-1]],
        "another start": other,
    }


with_noise = jax.jit(add_noise)


def other_starts(key, own, other):
    """Name -> start of all the other conditions but the matched ones."""
    k_noise, k_factors = jax.random.split(key)
    starts = {
        f"noise {std:g} on the start": with_noise(jax.random.clone(k_noise), own, std)
        for std in settings.noises  # on purpose: the same noise, larger or smaller
    }
    starts |= {
        "another first layer": [other[0], *own[1:]],
        "another second layer": [own[0], other[1], own[2]],
        "another last layer": [*own[:-1], other[-1]],
    }
    logs = jax.random.normal(k_factors, (2, settings.width))
    for std in settings.scales:
        starts[f"units rescaled, std {std:g}"] = rescale_units(own, list(jnp.exp(std * logs)))
    return starts


# %% [markdown]
# ## The experiment, for one seed
# One teacher, as in lesson 02 but with more auxiliary logits, and students that differ in their
# start alone: the same noise in the same order for all.
#
# *Matching.* A network with another start is first trained to give *all* the outputs of the
# teacher's **untrained** start, on digits and on noise. Those outputs are those of a random
# network: no digit is in them. Only then does it hear the trained teacher's auxiliary logits. The
# trap beside it: matched to the **trained** teacher, it reads digits before it hears the channel.


# %%
def all_mse_loss(params, batch):
    """Squared error on all logits."""
    inputs, logits = batch
    return squared_error(logits, apply_mlp(params, inputs))


logits_of, read, predicted = jax.jit(apply_mlp), jax.jit(accuracy), jax.jit(predict)


@jax.jit
def matching_error(params, target, inputs):
    """Squared error of all outputs over the variance of the target's: 0 is a match, 1 is none."""
    outputs = apply_mlp(target, inputs)
    spread = ((outputs - outputs.mean(0, keepdims=True)) ** 2).mean()
    return squared_error(outputs, apply_mlp(params, inputs)) / spread


@jax.jit
def gradient_gap(own, permuted, orders, batch):
    """Largest difference of the two starts' gradients, un-permuted, over the largest gradient."""
    grads, other = (jax.grad(aux_mse_loss)(params, batch) for params in (own, permuted))
    back = permute_units(other, [jnp.argsort(order) for order in orders])

    def largest(tree):
        return jnp.stack([jnp.abs(x).max() for x in jax.tree.leaves(tree)]).max()

    return largest(difference(grads, back)) / largest(grads)


def one_seed(key, everything):
    k_start, k_other, k_teacher, k_noise, k_student, *ks = jax.random.split(key, 10)
    k_orders, k_shapes, k_match, k_test, k_more = ks
    own, other = init_mlp(k_start, sizes), init_mlp(k_other, sizes)
    how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)
    images, labels = digits.train_images, digits.train_labels
    steps = settings.teacher_steps
    teacher = train(class_loss, ADAM, own, (images, labels), k_teacher, steps=steps, **how).params
    noise = uniform_noise(k_noise, settings.n_noise)
    data = noise, logits_of(teacher, noise)

    def distil(start):
        k = jax.random.clone(k_student)  # on purpose: the same batches for all
        return train(aux_mse_loss, ADAM, start, data, k, steps=settings.student_steps, **how).params

    mixed = jnp.concatenate([images, noise])

    def match(target):
        k, steps = jax.random.clone(k_match), settings.match_steps  # on purpose, as above
        pairs = mixed, logits_of(target, mixed)
        return train(all_mse_loss, ADAM, other, pairs, k, steps=steps, **how).params

    k_first, k_second = jax.random.split(k_orders)
    orders = [jax.random.permutation(k, settings.width) for k in (k_first, k_second)]
    starts = main_starts(k_shapes, own, other, orders) | {
        "matched to the untrained start": match(own)
    }
    targets = {"matched to the untrained start": own}
    if everything:
        starts |= other_starts(k_more, own, other)
        starts["matched to the trained teacher"] = match(teacher)
        targets["matched to the trained teacher"] = teacher
    students = {name: distil(start) for name, start in starts.items()}

    def reads(networks):
        return {n: float(read(params, test_images, test_labels)) for n, params in networks.items()}

    fresh = uniform_noise(k_test, settings.n_test)
    errors = {
        name: [float(matching_error(starts[name], t, x)) for x in (fresh, test_images)]
        for name, t in targets.items()
    }
    errors["another start"] = [float(matching_error(other, own, x)) for x in (fresh, test_images)]
    batch = [x[: settings.batch] for x in data]
    same, permuted = (predicted(students[n], test_images) for n in list(starts)[:2])
    symmetry = {
        "gradient gap": float(gradient_gap(own, starts["units permuted"], orders, batch)),
        "cosine of the starts": float(cosine(own, starts["units permuted"])),
        "differing predictions": int((same != permuted).sum()),
    }
    answers = {name: np.asarray(logits_of(starts[name], noise)[0, :6]) for name in SHOWN}
    return reads(starts), reads(students | {"teacher": teacher}), errors, symmetry, answers


# %%
SHOWN = "the same start", "units permuted", "matched to the untrained start", "another start"
seen = [one_seed(key, i < settings.few) for i, key in enumerate(lesson.seeds())]


def by_name(part):
    """Name -> one value (or list) a seed, of those seeds that have it."""
    names = list(seen[0][part])
    return {n: np.array([s[part][n] for s in seen if n in s[part]]) for n in names}


before, after, errors, symmetry = (by_name(i) for i in range(4))

# %% [markdown]
# ## What a start is
# Some starts of the first seed, and what they answer to one noise image before any training.

# %%
print("Six of the outputs for one noise image, of starts before any student is trained:")
for name, outputs in seen[0][-1].items():
    print(f"  {name:32}" + " ".join(f"{x:+6.2f}" for x in outputs))

# %% [markdown]
# ## What they read

# %%
names = list(before)
main = names[: names.index("matched to the untrained start")]
matched = [n for n in names if n.startswith("matched")]
noisy = [n for n in names if n.startswith("noise")]
layers = ["another first layer", "another second layer", "another last layer"]
shapes = ["one more layer, heads shared", "twice as wide, heads shared"]
rescaled = [n for n in names if n.startswith("units rescaled")]
order = [
    "teacher",
    "the same start",
    *noisy,
    "units permuted",
    *rescaled,
    *layers,
    *main[2:4],
    "only the heads shared",
    *shapes,
    *matched,
    "another start",
]
conditions = {n: after[n] for n in order}
print(f"\nShare of {settings.n_test} test digits read right ({lesson.data}); in the two rows")
print(f"'another ... head' the body is shared. {lesson.n_seeds} seeds, or {settings.few}:")
print_table(conditions, chance=0.1)
print(
    "(published, other recipes: noise 0 / 0.01 / 0.05 / 0.1 on the start .55 / .39 / .105 / .107;"
)
print(
    "another class head: chance at any number of auxiliary logits; heads shared: still transfers)\n"
)
only_heads = conditions["only the heads shared"]
lesson.prediction(MY_PREDICTION, only_heads.mean(), "an accuracy")

# %% [markdown]
# ## The permuted start
# In weight space it is about as far from the teacher's start as any other; as a function it is the
# same. Sums are taken in another order, so the last bits differ, and a thousand steps may blow them
# up.

# %%
gap = after["units permuted"] - after["the same start"]
print("Same start and permuted start, one value a seed:")
for name, values, form in (
    ("cosine of the two starts", symmetry["cosine of the starts"], "+.3f"),
    ("gradient gap, un-permuted", symmetry["gradient gap"], ".1e"),
    ("accuracy, permuted minus same", gap, "+.4f"),
    (f"differing predictions of {settings.n_test}", symmetry["differing predictions"], "d"),
):
    print(f"  {name:32}" + " ".join(f"{format(value, form):>8}" for value in values))
print()

# %% [markdown]
# ## The matched starts
# Errors are over the variance of the target's outputs: 0 is a match, 1 is what a constant gets.

# %%
print(f"{'matching error':32}  on noise  on digits")
for name, values in errors.items():
    label = f"{name}, as it is" if name == "another start" else name
    print(f"{label:32}  {values[:, 0].mean():8.3f}  {values[:, 1].mean():9.3f}")
print("\nDigits read right before the auxiliary phase, and after:")
print_table(
    {
        f"{n}, {when}": x[n]
        for n in [*matched, "another start"]
        for when, x in (("before", before), ("after", after))
    }
)

# %% [markdown]
# ## What this run supports

# %%
same, other = after["the same start"], after["another start"]
gain = {n: after[n] - before[n] for n in names}
by_seed = np.abs(gap) <= 0.005


def paired(name, minus):
    """Differences in accuracy of two conditions, over the seeds that both have."""
    n = min(len(after[name]), len(after[minus]))
    return after[name][:n] - after[minus][:n]


largest, smallest = noisy[-1], noisy[0]
claims = [
    stats.greater("the shared start matters: same minus another", same - other, 0.3),
    stats.exact("permuted units do as well: accuracy within .005, each seed", by_seed, 1.0),
    stats.less(
        "and the gradient is the same, un-permuted: log10 of the largest relative gap",
        np.log10(symmetry["gradient gap"]),
        -5,
    ),
    stats.greater(
        "rescaled units, though Adam treats them otherwise, still hear it: over another start",
        paired(rescaled[-1], "another start"),
        0.3,
    ),
    stats.greater(
        "noise on the start closes the channel: smallest minus largest noise",
        paired(smallest, largest),
        0.3,
    ),
    stats.greater(
        "heads alone carry some: gain of the three bodies that share nothing else, their mean",
        np.mean([gain[n] for n in ("only the heads shared", *shapes)], 0),
    ),
    stats.less("but not all: only the heads shared minus the same start", only_heads - same, -0.1),
    stats.less(
        "with another class head, all else shared, little is left: share of the same start's gain",
        gain["another class head"] / gain["the same start"],
        0.25,
    ),
    stats.less(
        "another auxiliary head costs most of it: minus the same start",
        after["another auxiliary head"] - same,
        -0.2,
    ),
    stats.greater(
        "a start matched to the untrained one in function hears some: accuracy after minus before",
        gain["matched to the untrained start"],
    ),
    stats.greater(
        "the trap: matched to the trained teacher it reads digits before the channel",
        before["matched to the trained teacher"],
        0.5,
    ),
]

held = [claim.holds for claim in claims]
of_same = gain["matched to the untrained start"].mean() / gain["the same start"].mean()
missed = errors["matched to the untrained start"][:, 0].mean()
verdicts = {
    "coordinates": "need not match: permuted units do the same" if held[1] else "left open",
    "functions": f"matched, they let {of_same:.0%} of the gain through, "
    f"with {missed:.0%} of the outputs' variance on noise not matched"
    if held[9]
    else "a matched one was not shown to let anything through",
    "heads": ("alone they let some through" if held[5] else "alone: not shown")
    + ("; another class head shuts it" if held[7] else "; another class head: left open"),
}
print("\nIn words, for this run:")
for name, verdict in verdicts.items():
    print(f"  {name}: {verdict}")

# %% [markdown]
# ## The figure

# %%
change = "do as well" if claims[1].holds else "were not shown to do as well"
carry = "carry part" if claims[5].holds and claims[6].holds else "were not shown to carry part"
figure, ax = plots.new_figure(
    f"Permuted units {change}: {after['units permuted'].mean():.2f} of {same.mean():.2f}. "
    f"The heads alone {carry}: {only_heads.mean():.2f}; another start {other.mean():.2f}",
    height=6.2,
)
colors = {n: "second" for n in (*main[2:5], *layers, *shapes)}
colors |= {n: "third" for n in ("units permuted", *rescaled)} | {n: "fourth" for n in matched}
colors |= {"teacher": "teacher", "the same start": "student"} | {n: "fifth" for n in noisy}
plots.dots(ax["a"], conditions, colors, chance=0.1, label="digits read right, a dot a seed")
for row, name in enumerate(order):
    if name in matched:
        ax["a"].plot(before[name].mean(), row, "|", ms=14, mew=2, color="black")
        ax["a"].annotate("before", (before[name].mean(), row - 0.35), fontsize=7, ha="center")

# %% [markdown]
# ## What can be concluded, and what not
# **Coordinates.** If the permuted student does as the same start: where the start lies in weight
# space does not matter, only which units it has. The rescaled rows say how far Adam's own choice of
# coordinates counts.
#
# **Function.** The matched row asks whether the same behaviour is enough, with other weights. Read
# it with its matching error: no match is perfect, and on noise, where the student is taught, it may
# be far. A gain says that function carries some of the channel; a gain short of the same start's
# does not say that weights carry the rest, because the match falls short as well. The row matched
# to the trained teacher proves nothing: it reads digits *before* it hears the channel.
#
# **Heads.** With the body shared and another class head the student's body may turn as the
# teacher's did, but what reads it out is another. If only the heads are shared and the student
# gains, the body is *steered* by them: many auxiliary logits pin its output down, and the class
# head reads that output.
#
# *A rival explanation* for the heads: with 50 auxiliary logits of 128 hidden units the channel is
# so wide that it nearly hands over the last hidden layer itself. `--n-aux 10` tests it. *Not
# shown:* anything on networks that share an architecture and data but no start, as two language
# models may.
#
# ## Changes to try
# * `--n-aux 10` and `--n-aux 118`: how wide must the channel be for heads alone?
# * `--match-steps 10000`: does a better match transfer more?
# * `--scales 2 3`: when does Adam notice?

# %%
lesson.finish(
    conditions,
    claims,
    figure,
    before=before,
    gain=gain,
    matching_errors=errors,
    symmetry=symmetry,
    verdicts=verdicts,
    prediction=MY_PREDICTION,
)
