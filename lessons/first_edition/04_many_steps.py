# %% [markdown]
# # 04 Many steps: does the alignment last, and does it cause the transfer?
#
# **The question.** Lesson 03: one small step on the teacher's outputs cannot point away from the
# teacher. A student takes hundreds of steps, and leaves the start behind. Does its gradient go on
# pointing to digits? And is that what makes it read them, or does it only happen beside it?
#
# **You need** lessons 02 and 03. Reading: 15 minutes. Running: about two minutes.
#
# **The words.** The *distillation gradient* is that of the student's loss, squared error on the
# auxiliary logits of noise. The *digit gradient* is that of the loss on labelled digits, at the
# student's present weights; the student never gets it, we look at it. *Alignment* is the cosine of
# the two. An *ablation* removes one thing and sees what is lost: here, at each step, whatever in
# the student's step lies along the digit gradient (arXiv 2604.25779). *Liminal training* is a
# defence: early on, a penalty holds the student's outputs to those of its start, and it fades
# (same source). *Coverage* is the cosine of a student's first step with the way the teacher went
# (arXiv 2606.22019).

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial

from sublim_mini.first import plots, stats
from sublim_mini.first.inputs import blur, confined_noise, mix, shuffle_pixels, uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import all_kl_loss, aux_mse_loss, class_loss
from sublim_mini.first.measures import add, cosine, difference, remove_component
from sublim_mini.first.mlp import (
    N_CLASSES,
    accuracy,
    add_noise,
    apply_mlp,
    aux_logits,
    clear_class_rows,
    init_mlp,
)
from sublim_mini.first.train import ADAM, batch_of, record_every, train, using


@dataclass(frozen=True)
class Settings:
    n_aux: int = option(10, "auxiliary logits")
    width: int = option(128, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam")
    batch: int = option(100, "examples a step")
    teacher_steps: int = option(300, "steps of the teacher, on digits")
    student_steps: int = option(400, "steps of a student, on noise")
    pull: float = option(10.0, "weight of the penalty of liminal training at its first step")
    few: int = option(4, "seeds for the table of coverage")
    coverage_steps: int = option(200, "steps of a student in the table of coverage")
    n_train: int = option(10_000, "digits for the teacher")
    n_noise: int = option(10_000, "noise images for the students")
    n_coverage: int = option(5_000, "images of each kind in the table of coverage")
    n_test: int = option(2_000, "digits for the test")


QUICK = dict(seeds=2, teacher_steps=100, student_steps=60, few=1, coverage_steps=20)
QUICK |= dict(n_train=2000, n_noise=2000, n_coverage=500, n_test=500)
lesson = start("04_many_steps", Settings(), quick=QUICK, digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)
test_set = digits.test_images, digits.test_labels

# %% [markdown]
# ## Before you run: predict
# The two gradients are nearly at right angles: the published cosine is about .008. From each of the
# student's steps the part along the digit gradient is removed, a few hundredths of its length. What
# accuracy is left? (Chance is 0.10; nothing removed, it is lesson 02 again.)

# %%
MY_PREDICTION = 0.70

# %% [markdown]
# ## Two gradients
# The student's loss does not touch the ten class rows of the last layer. So we compare the
# gradients in all other weights, and by default set those rows of the digit gradient to 0.


# %%
def with_class_rows_of(source, params):
    """Params with the class rows of the source."""
    last = jax.tree.map(
        lambda x, own: x.at[:N_CLASSES].set(own[:N_CLASSES]), params[-1], source[-1]
    )
    return [*params[:-1], last]


def alignment(digit_batch, noise_batch, params):
    """Cosine of digit gradient and distillation gradient."""
    digit = clear_class_rows(jax.grad(class_loss)(params, digit_batch))
    return cosine(digit, jax.grad(aux_mse_loss)(params, noise_batch))


# %% [markdown]
# ## Directions, and an optimiser that uses them
# A direction is a function of (params, step). `using` makes an optimiser's stage of it: it
# recomputes the direction from the student's present weights, and combines it with what comes in.
# Where the stage stands in the chain is all that differs between "removed from the update that is
# applied" (after Adam) and "removed from the gradient" (before Adam).


# %%
def digit_direction(images, labels, with_class_rows, params, step):
    """The digit gradient on the step's batch of digits; its class rows only if asked for."""
    grads = jax.grad(class_loss)(params, batch_of((images, labels), settings.batch, step))
    return jax.tree.map(
        lambda all, others: jnp.where(with_class_rows, all, others), grads, clear_class_rows(grads)
    )


def random_direction(key, params, step):
    """A new Gaussian direction at each step."""
    zeros = jax.tree.map(jnp.zeros_like, params)
    return clear_class_rows(add_noise(jax.random.fold_in(key, step), zeros, 1.0))


def pull_to_start(inputs, start_logits, fades, params, step):
    """Gradient of KL(start || student) over all logits, on the step's batch; to 0 by half-time."""
    left = jnp.maximum(0, 1 - step / (settings.student_steps / 2))
    weight = settings.pull * jnp.where(fades, left, 1.0)
    grads = jax.grad(all_kl_loss)(params, batch_of((inputs, start_logits), settings.batch, step))
    return jax.tree.map(lambda g: weight * g, clear_class_rows(grads))


FROM_UPDATE = optax.chain(ADAM, using(remove_component))  # whichever way the component points
FROM_GRADIENT = optax.chain(using(remove_component), ADAM)
PULLED = optax.chain(using(add), ADAM)


# %%
@jax.jit
def first_updates(params, noise_batch, direction):
    """Cosines with the direction of Adam's first update: as it is, cleared after Adam, before."""
    along = direction(params, 0)
    grads = jax.grad(aux_mse_loss)(params, noise_batch)

    def adam(grads):
        return ADAM.update(grads, ADAM.init(params))[0]

    update = adam(grads)
    cleared = remove_component(update, along), adam(remove_component(grads, along))
    return jnp.stack([cosine(u, along) for u in (update, *cleared)])


# %% [markdown]
# ## The experiment, for one seed
# A teacher, its student, and the student with another start, as in lesson 02. Then the same student
# again, with something removed at each step or added. The *y + 3* controls remove the gradient of
# the same digits with every label y called y + 3: as large and as strange to the noise, but another
# trait. All students see the same noise in the same order.

# %%
LOOK = 500  # examples for a look at a gradient
every = record_every(settings.student_steps, 40)  # often: one look is noisy


@jax.jit
def measure(params, noise_data):
    """Accuracy and cross-entropy on the test digits, and the auxiliary loss on all noise."""
    return (
        accuracy(params, *test_set),
        class_loss(params, test_set),
        aux_mse_loss(params, noise_data),
    )


def one_seed(key):
    k_start, k_other, k_teacher, k_noise, k_student, k_random, k_cover = jax.random.split(key, 7)
    sizes = [784, settings.width, settings.width, N_CLASSES + settings.n_aux]
    own_start, other_start = init_mlp(k_start, sizes), init_mlp(k_other, sizes)
    images, labels = digits.train_images, digits.train_labels
    how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)
    steps = settings.teacher_steps
    teacher = train(class_loss, ADAM, own_start, (images, labels), k_teacher, steps=steps, **how)
    teacher = teacher.params
    noise = uniform_noise(k_noise, settings.n_noise)
    noise_data = noise, apply_mlp(teacher, noise)
    looks = [[x[:LOOK] for x in data] for data in ((images, labels), noise_data)]

    def distil(start, optimizer=ADAM, **extra):
        record = extra.pop("record", None)
        steps = dict(steps=settings.student_steps, every=every if record else None)
        k = jax.random.clone(k_student)  # on purpose: the same batches for all
        return train(
            aux_mse_loss, optimizer, start, noise_data, k, record=record, **steps, **how, **extra
        )

    def along(labels, with_class_rows=False):
        return Partial(digit_direction, images, labels, jnp.array(with_class_rows))

    def pulled(fades):
        return Partial(pull_to_start, noise, apply_mlp(own_start, noise), jnp.array(fades))

    digit, relabelled = along(labels), along((labels + 3) % N_CLASSES)
    whole, random = along(labels, with_class_rows=True), Partial(random_direction, k_random)
    plain, other = (distil(s, record=Partial(alignment, *looks)) for s in (own_start, other_start))
    students = {
        "nothing removed": plain,
        "from the update: digits": distil(own_start, FROM_UPDATE, direction=digit),
        "from the update: y + 3": distil(own_start, FROM_UPDATE, direction=relabelled),
        "from the update: random": distil(own_start, FROM_UPDATE, direction=random),
        "from the gradient: digits": distil(own_start, FROM_GRADIENT, direction=digit),
        "from the gradient: y + 3": distil(own_start, FROM_GRADIENT, direction=relabelled),
        "held to the start, fading": distil(own_start, PULLED, direction=pulled(True)),
        "held to the start, throughout": distil(own_start, PULLED, direction=pulled(False)),
        "another start": other,
        "from the gradient: digits + rows": distil(own_start, FROM_GRADIENT, direction=whole),
    }
    networks = {"untrained": own_start, "teacher": teacher}
    networks |= {name: run.params for name, run in students.items()}
    mended = with_class_rows_of(own_start, networks["from the gradient: digits + rows"])
    networks["... its class rows put back"] = mended
    measures = {n: np.array(measure(params, noise_data)) for n, params in networks.items()}
    first = [first_updates(own_start, looks[1], d) for d in (digit, relabelled)]
    cosines = {"same start": plain.records, "another start": other.records}
    return measures, cosines, first, (own_start, teacher, k_cover)


# %% [markdown]
# ## The table of coverage
# Thirty-one settings, each of them one change to the same student: other inputs, fewer auxiliary
# logits, or noise on its start. Everything else stays, the number of steps too.

# %%
AUX_LEVELS = [m for m in (1, 2, 3, 4, 5, 6, 8) if m < settings.n_aux]
NOISE_LEVELS = [0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.1]


BLURS, DIMENSIONS, SHARES = (0.5, 1.0, 2.0), (300, 100, 30, 10), (0.25, 0.5, 0.75)
blurred, confined = jax.jit(blur), jax.jit(confined_noise, static_argnums=1)


def input_sets(key, images):
    """Name -> inputs [n_coverage, 784]."""
    k_noise, k_normal, k_pixels, *k_confined = jax.random.split(key, 3 + len(DIMENSIONS))
    n = settings.n_coverage
    noise, images = uniform_noise(k_noise, n), images[:n]
    sets = {"uniform noise": noise, "half as large": noise / 2}
    sets["normal noise"] = jax.random.normal(k_normal, noise.shape) * noise.std()
    for sigma in BLURS:
        sets[f"blurred by {sigma:g}"] = blurred(noise, sigma)
    for k, k_dimensions in zip(k_confined, DIMENSIONS, strict=True):
        sets[f"in {k_dimensions} dimensions"] = confined(k, n, k_dimensions)
    for share in SHARES:
        sets[f"{share:.0%} digits"] = mix(images, noise, share)
    sets["digits"] = images
    sets["shuffled pixels"] = shuffle_pixels(k_pixels, images)
    return sets


def masked_loss(mask, params, batch):
    """Squared error on the auxiliary logits that the mask [n_aux] of 0 and 1 leaves."""
    inputs, teacher_logits = batch
    errors = (aux_logits(teacher_logits) - aux_logits(apply_mlp(params, inputs))) ** 2
    return (errors * mask[None]).mean() * len(mask) / mask.sum()


@jax.jit
def coverage(loss, params, batch, displacement):
    """Cosine of the teacher's displacement with Adam's first update, and with the raw step."""
    grads = jax.grad(loss)(params, batch)
    update = ADAM.update(grads, ADAM.init(params))[0]
    return -jnp.stack([cosine(update, displacement), cosine(grads, displacement)])


logits_of, with_noise, read = jax.jit(apply_mlp), jax.jit(add_noise), jax.jit(accuracy)


def one_table(own_start, teacher, key):
    """Name of a setting -> its knob, and [first update, raw gradient, accuracy gained]."""
    k_inputs, k_start, k_student = jax.random.split(key, 3)
    inputs = input_sets(k_inputs, digits.train_images)
    table = [("inputs", name, name, settings.n_aux, 0.0) for name in inputs]
    table += [("m", f"m = {m}", "uniform noise", m, 0.0) for m in AUX_LEVELS]
    table += [("start", f"start + {s:g}", "uniform noise", settings.n_aux, s) for s in NOISE_LEVELS]
    displacement, rows = difference(teacher, own_start), {}
    for knob, name, which, m, std in table:
        k_noisy, k_batches = jax.random.clone(k_start), jax.random.clone(k_student)  # on purpose
        begin = with_noise(k_noisy, own_start, std)  # the same noise, larger or smaller
        data = inputs[which], logits_of(teacher, inputs[which])
        loss = Partial(masked_loss, (jnp.arange(settings.n_aux) < m) * 1.0)
        cosines = coverage(loss, begin, [x[:LOOK] for x in data], displacement)
        how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)
        run = train(loss, ADAM, begin, data, k_batches, steps=settings.coverage_steps, **how)
        gained = read(run.params, *test_set) - read(begin, *test_set)
        rows[name] = knob, np.array([*cosines, gained])
    return rows


# %%
seen, tables = [], []
for key in lesson.seeds():
    *results, for_table = one_seed(key)
    seen.append(results)
    if len(tables) < settings.few:
        tables.append(one_table(*for_table))

# %% [markdown]
# ## What the student learns from
# One noise image, what the start says of it, and what the teacher says: the difference is all that
# the student is shown.

# %%
own_start, teacher, key = for_table
example = uniform_noise(jax.random.clone(key), 1)
print("Auxiliary numbers for one noise image:")
for name, params in (("the start's", own_start), ("the teacher's", teacher)):
    numbers = np.asarray(aux_logits(apply_mlp(params, example)))[0, :8]
    print(f"  {name:14} " + " ".join(f"{x:+.2f}" for x in numbers))

# %% [markdown]
# ## Does the alignment last?
# The cosine of the two gradients on the way, with another start beside it. For scale: two random
# directions in D weights have a cosine of about 0, give or take 1 / sqrt(D).

# %%
cosines = {n: np.array([c[n] for _, c, _ in seen]) for n in ("same start", "another start")}
x = np.arange(cosines["same start"].shape[1]) * every


def by_phase(values):
    """Records [seeds, 1 + T] -> phase -> one value a seed."""
    early, middle, late = np.array_split(values[:, 1:], 3, axis=1)
    thirds = {"first third": early, "middle third": middle, "last third": late}
    means = {n: v.mean(1) for n, v in thirds.items()}
    return {"at the start": values[:, 0], **means, "all through": values[:, 1:].mean(1)}


phases = by_phase(cosines["same start"] - cosines["another start"])
print("\nCosine of digit gradient and distillation gradient, same start:")
print_table(by_phase(cosines["same start"]), digits=4, unit="cosine")
alone = by_phase(cosines["same start"])["all through"]
print("\nThe same minus that of another start, paired by seed:")
print_table(phases, digits=4, unit="cosine")
n_weights = sum(x.size for x in jax.tree.leaves(for_table[0]))
print(f"(1 / sqrt(D) is {n_weights**-0.5:.4f})")
print("(published, for the same start, all through training: about .008)")

# %% [markdown]
# ## Does it cause the transfer?


# %%
def of(index, name):
    """Accuracy (0), digit cross-entropy (1) or auxiliary loss (2), one a seed."""
    return np.array([measures[name][index] for measures, _, _ in seen])


names = list(seen[0][0])
conditions = {n: of(0, n) for n in names}
cross_entropy, aux = {n: of(1, n) for n in names}, {n: of(2, n) for n in names}
print(f"\nShare of {settings.n_test} test digits read right ({lesson.data}):")
print_table(conditions, chance=0.1)
print("\nDigit cross-entropy on the same, in nats:")
print_table(cross_entropy, digits=2, unit="nats")
print("\nAuxiliary loss on all noise, times 1000:")
print_table({n: 1000 * values for n, values in aux.items()}, digits=2, unit="x 1000")
print()
removed = conditions["from the update: digits"]
lesson.prediction(MY_PREDICTION, removed.mean(), "an accuracy")

# %% [markdown]
# ## Why removing it before Adam is another thing
# Adam divides each weight's gradient by its own size. So what stood at right angles to the digit
# gradient before Adam no longer does after it: see the first step's cosines.
#
# And then the class rows. The student's loss gives them no gradient. Removing the *whole* digit
# gradient leaves in them the little that was subtracted, which points against the digits, and Adam
# makes full steps even of that. The test is the last row of the tables above: the same student with
# its start's class rows put back.

# %%
first = np.array([f for _, _, f in seen])  # [seeds, digits or y + 3, ROWS]
ROWS = "Adam's update", "... cleared after Adam", "... of a gradient cleared before"
print("Cosine of the first step with the gradient of digits, and of digits called y + 3:")
table = {f"{name}, digits": first[:, 0, i] for i, name in enumerate(ROWS)}
print_table(table | {f"{ROWS[0]}, y + 3": first[:, 1, 0]}, digits=4, unit="cosine")

# %% [markdown]
# ## Does coverage predict the transfer?
# One row a setting, the mean of its seeds.

# %%
knobs = {name: knob for name, (knob, _) in tables[0].items()}
rows = {name: np.mean([t[name][1] for t in tables], 0) for name in knobs}  # [3]
print(f"\n{'setting':18}  first update  raw gradient  accuracy gained")
for name, (update, raw, gained) in rows.items():
    print(f"{name:18}  {update:12.4f}  {raw:12.4f}  {gained:15.3f}")
base = "uniform noise"
KNOBS = {"inputs": "student", "m": "second", "start": "third"}  # and their colors
within = {"all": list(rows)}
within |= {k: [n for n in rows if knobs[n] == k or n == base] for k in KNOBS}
print("\nRank correlation (Spearman) with the accuracy gained, 95 % bootstrap interval:")
print(f"{'settings':22}  first update            raw gradient            (published: about .95)")
ranks = {}
for name, members in within.items():
    update, raw, gained = np.array([rows[n] for n in members]).T
    ranks[name] = [stats.rank_interval(c, gained, lesson.seed) for c in (update, raw)]
    print(f"{name + f' ({len(members)})':22}  {ranks[name][0]}  {ranks[name][1]}")

# %% [markdown]
# ## What this run supports

# %%
untrained, plain = conditions["untrained"], conditions["nothing removed"]
lost = {n: plain - conditions[n] for n in names}
share_lost = lost["from the update: digits"] / (plain - untrained)
share_kept = (conditions["held to the start, fading"] - untrained) / (plain - untrained)
share_back = (conditions["... its class rows put back"] - untrained) / (plain - untrained)
aux_ratio = aux["from the update: digits"] / aux["nothing removed"]
worse = {n: cross_entropy[n] - cross_entropy["untrained"] for n in names}
update, raw, gained = np.array(list(rows.values())).T
late = stats.greater("the two gradients agree in the last third", phases["last third"])
claims = [
    stats.greater(
        "the two gradients agree in the first third: cosine, same start minus another",
        phases["first third"],
    ),
    stats.greater(
        "the same start's own cosine is positive on the mean of the whole training", alone
    ),
    stats.greater("the student of noise reads digits: over its own start", plain - untrained, 0.1),
    stats.greater(
        "without the digit part of its updates it loses most of that: share lost", share_lost, 0.5
    ),
    stats.within(
        "yet matches the teacher's numbers as well: ratio of auxiliary losses minus 1",
        aux_ratio - 1,
        0.25,
    ),
    stats.greater(
        "more than without the y + 3 part of its updates: difference in accuracy",
        lost["from the update: digits"] - lost["from the update: y + 3"],
        0.1,
    ),
    stats.within("a random direction costs nothing", lost["from the update: random"], 0.05),
    stats.greater(
        "removed before Adam, class rows and all, it un-teaches: cross-entropy over the start's",
        worse["from the gradient: digits + rows"],
        0.5,
    ),
    stats.greater(
        "that sits in the class rows, its body learned: share kept when they are put back",
        share_back,
        0.5,
    ),
    stats.greater(
        "class rows left alone, still worse than from the update: difference in cross-entropy",
        worse["from the gradient: digits"] - worse["from the update: digits"],
    ),
    stats.greater(
        "liminal training does not stop the transfer: share kept after it faded", share_kept, 0.5
    ),
    stats.rank_greater(
        "coverage of the first update ranks the settings: Spearman",
        update,
        gained,
        0.5,
        lesson.seed,
    ),
    stats.rank_greater(
        "and among other inputs alone: Spearman",
        *np.array([rows[n] for n in within["inputs"]]).T[[0, 2]],
        0.0,
        lesson.seed,
    ),
]

# %%
held = [claim.holds for claim in claims]
verdicts = {
    "does it last": f"in the last third {'it does' if late.holds else 'this was not shown'}: "
    f"{late.effect:+.4f}, 99 % interval {late.low:+.4f} to {late.high:+.4f} "
    f"(first third {phases['first third'].mean():+.4f})",
    "does it cause the transfer": f"{share_lost.mean():.0%} of the gain goes with it"
    if held[3] and held[5] and held[6]
    else "left open",
    "before Adam": f"a low accuracy that the class rows explain: {share_back.mean():.0%} comes back"
    if held[7] and held[8]
    else "left open",
    "liminal training": f"{share_kept.mean():.0%} of the gain is there after it faded",
    "coverage": f"Spearman {ranks['all'][0].mean:.2f} over all, "
    + ", ".join(f"{n} {ranks[n][0].mean:.2f}" for n in KNOBS),
}
print("\nIn words, for this run:")
for name, verdict in verdicts.items():
    print(f"  {name}: {verdict}")

# %% [markdown]
# ## The figure

# %%
lasts = "lasts" if late.holds else "was not shown to last"
causes = "removing it" if claims[3].holds and claims[6].holds else "(cause not shown) removing it"
figure, ax = plots.new_figure(
    f"The alignment with digits {lasts} (cosine {late.effect:+.3f} over another start's in "
    f"the last third), and {causes} from each update leaves {removed.mean():.2f} of "
    f"{plain.mean():.2f}",
    "ab;cd",
    height=7,
)
colors = {"same start": "student", "another start": "control"}
plots.curves(ax["a"], x, cosines, colors, labels=("steps of noise", "cosine of the gradients"))
ax["a"].axhline(0, ls=":", color="black", lw=1)
ax["a"].set_title("digit gradient and distillation gradient", fontsize=9)
LABELS = {"inputs": "other inputs", "m": "fewer auxiliary logits", "start": "noise on the start"}
for i, (knob, color) in enumerate(KNOBS.items()):
    points = np.array([rows[n] for n in rows if knobs[n] == knob])
    if len(points):
        ax["b"].plot(points[:, 0], points[:, 2], "o", ms=4, color=plots.COLORS[color])
    place = dict(xycoords="axes fraction", va="top", fontsize=8, color=plots.COLORS[color])
    ax["b"].annotate(LABELS[knob], (0.02, 0.98 - 0.07 * i), **place)
ax["b"].set_xlabel("coverage of the first update (cosine)")
ax["b"].set_ylabel(f"accuracy gained in {settings.coverage_steps} steps")
ax["b"].set_title(f"{len(rows)} settings, Spearman {ranks['all'][0].mean:.2f}", fontsize=9)
shown = [n for n in names if n != "teacher"]
colors = {
    n: "second" if "digits" in n or "rows" in n else "third" if "held" in n else "control"
    for n in shown
}
colors["nothing removed"] = "student"
plots.dots(ax["c"], {n: conditions[n] for n in shown}, colors, chance=0.1)
plots.dots(ax["d"], {n: cross_entropy[n] for n in shown}, colors, label="digit cross-entropy, nats")
ax["d"].axvline(cross_entropy["untrained"].mean(), ls=":", color="black", lw=1)
ax["d"].set_yticks([])
ax["d"].set_xscale("log")
ax["d"].set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
ax["d"].minorticks_off()

# %% [markdown]
# ## What can be concluded, and what not
# If the claims on the update hold: a small part of each step, a few hundredths of it, carries
# most of what the student learns of digits; without it the student matches the teacher's numbers
# as well and reads little. That is a cause, as the y + 3 and the random direction removed in the
# same way show: not any removal does it. It is not all: what is left above chance is in the table.
# A step at right angles to the gradient of one batch may still lower the loss on others, and a step
# is not infinitely small. Whether the alignment *lasts* is a matter of the last third, where
# single looks scatter more than the mean is large.
#
# Removed from the *gradient*, it is another experiment. A cross-entropy above the start's says that
# the student was *un-taught*: then its low accuracy says nothing on what the transfer needs. If the
# class rows put back restore it, its body had learned digits all the while, and a low accuracy
# would have been taken for a channel closed. With the class rows left alone, Adam still turns what
# is left into steps that no longer stand at right angles to the digits.
#
# *Liminal training:* the table says what was kept after the penalty had faded. Held throughout, the
# student is kept from the auxiliary logits as well (third table): less a defence than no training.
#
# *A rival explanation* for the ablation: the y + 3 gradient may take a smaller part of the update
# away than the digit gradient does: compare their cosines above. A control of the same size would
# settle it (a change to try). If the y + 3 student reads *more*, ask which way its part points.
#
# *A bootstrap interval* of no width says only that every pair of settings stands in the same order.
#
# *And for coverage:* whatever makes a student learn anything faster raises both.
# Then it would rank the settings overall and not within a knob: look at the rows by knob. *Not
# shown:* that the same holds for language models, or that coverage ranks students across teachers.
#
# ## Changes to try
# * In `digit_direction`, larger batches: is less left when the digit gradient is less noisy?
# * `remove_component(..., positive_only=True)` in `FROM_GRADIENT`, so that only agreement is
#   removed: what happens to the cross-entropy, and why?
# * A control of equal size: from each update, subtract a random direction as long as its part along
#   the digit gradient.
# * `--pull 100`: how hard must the start hold, and what does it cost?

# %%
lesson.finish(
    conditions,
    claims,
    figure,
    cosines={"steps": x, **cosines},
    phases=phases,
    cross_entropy=cross_entropy,
    aux_loss=aux,
    first_updates=first,
    coverage={n: dict(knob=knobs[n], values=rows[n]) for n in rows},
    verdicts=verdicts,
    rank_correlations={n: dict(update=u, raw=r) for n, (u, r) in ranks.items()},
    prediction=MY_PREDICTION,
)
