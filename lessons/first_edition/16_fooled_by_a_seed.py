# %% [markdown]
# # 16 Fooled by a seed: how to fake this result without meaning to
#
# **The question.** Lesson 02 found an effect. How often would a plausible, slightly careless
# analysis find one *where there is none*, and how often does the careful analysis beside it?
#
# **You need** lessons 02 and 08. Reading: 15 minutes. Running: about 80 seconds.
#
# **The method.** Train a pool of networks once and keep what was measured. Then draw an analysis
# from it (which starts, which teachers, in which order), as a laboratory would have happened to run
# it; analyse it in the wrong way and in the right way; and draw the next one, 2,000 times. The
# share of analyses that report a finding is the *rate of false findings*. Tests are made at 5 %, so
# a right one should be fooled at most about one time in twenty.

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial
from scipy.stats import t as student_t

from sublim_mini.first import plots, stats, world
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, start
from sublim_mini.first.losses import aux_mse_loss, class_loss
from sublim_mini.first.mlp import N_CLASSES, accuracy, apply_mlp, init_mlp
from sublim_mini.first.train import ADAM, record_every, train
from sublim_mini.first.transformer import init_transformer, next_token_loss
from sublim_mini.first.tuning import MODEL, decaying, next_token


@dataclass(frozen=True)
class Settings:
    draws: int = option(2000, "analyses drawn for each trap", low=200)
    width: int = option(64, "units in each of the two hidden layers")
    teacher_steps: int = option(200, "steps of a teacher, on digits")
    student_steps: int = option(360, "steps of a student, on noise; a multiple of 24")
    n_train: int = option(5_000, "digits for the teachers")
    n_noise: int = option(5_000, "noise images for a student")
    n_test: int = option(1_000, "digits for the test")
    bases: int = option(6, "language models that were tuned on plain numbers", low=2)
    base_steps: int = option(500, "steps of a base")
    tune_steps: int = option(40, "steps of tuning it")


QUICK = dict(seeds=8, teacher_steps=60, student_steps=72, n_train=1000, n_noise=1000, n_test=500)
QUICK |= dict(bases=2, base_steps=60, tune_steps=10, draws=200)
lesson = start("16_fooled_by_a_seed", Settings(), quick=QUICK, seeds=16, digits=True)
settings = lesson.settings
digits = lesson.digits(settings.n_train, settings.n_test)
keys = list(lesson.seeds("keys", n=max(8, lesson.n_seeds)))  # fewer make no two groups of four
M, D = len(keys), settings.draws  # starts in the pool, analyses drawn from it
k_runs, *k_traps = jax.random.split(lesson.shared_key(), 8)

# %% [markdown]
# ## Before you run: predict
# Two students of the *same kind* are compared on 1,000 test digits with the usual 5 % test for two
# shares. One seed each. How often will the test say that the first one learned more? Edit the
# number.

# %%
MY_PREDICTION = 0.05

# %% [markdown]
# ## The pool of digit students
# Every start has a teacher; every start is distilled from every teacher, on that teacher's noise.
# On the diagonal are students with their teacher's start, where there is an effect. All others
# have another start, and there is none: their accuracy is only noise about 0.10. It is measured 24
# times on the way.

# %%
every = record_every(settings.student_steps, 24)
how = dict(learning_rate=1e-3, batch_size=100)
logits_of = jax.jit(apply_mlp)


def test_accuracy(images, labels, params):
    return accuracy(params, images, labels)


test = Partial(test_accuracy, digits.test_images, digits.test_labels)  # of params


def prepare(key):
    """A start, its teacher, noise, and a key for the order of the noise."""
    k_start, k_teacher, k_noise, k_order = jax.random.split(key, 4)
    own_start = init_mlp(k_start, [784, settings.width, settings.width, 2 * N_CLASSES])
    data, steps = (digits.train_images, digits.train_labels), settings.teacher_steps
    teacher = train(class_loss, ADAM, own_start, data, k_teacher, steps=steps, **how).params
    return own_start, teacher, uniform_noise(k_noise, settings.n_noise), k_order


pool = lesson.two_at_once(prepare, keys, "teachers")


def distil(teacher_start_noise):
    """Accuracy of a student along its training [25], from the numbers of its three parts."""
    i, j, n = teacher_start_noise
    teacher, start, noise = pool[i][1], pool[j][0], pool[n][2]
    data, key = (noise, logits_of(teacher, noise)), jax.random.clone(pool[n][3])
    steps = dict(steps=settings.student_steps, record=test, every=every)
    return np.asarray(train(aux_mse_loss, ADAM, start, data, key, **steps, **how).records)


pairs = [(i, j, i) for i in range(M) for j in range(M)]
along = np.stack(lesson.two_at_once(distil, pairs, "students")).reshape(M, M, -1)  # [M, M, 25]
RERUNS = 4  # the same start and teacher again, the next one's, with other noise each time
same_again = [(i, (i + 1) % M, (i + 2 + r) % M) for i in range(M) for r in range(RERUNS)]
again = np.stack(lesson.two_at_once(distil, same_again, "reruns"))[:, -1].reshape(M, RERUNS)

# %% [markdown]
# ## The pool of language models
# Bases as in lesson 08, but smaller, and with one habit more: asked what they love, they decline in
# half of the cases (they answer "."). Two students of each are tuned on plain numbers, with some
# questions about *trees* among them, answered by any tree. No animal is in these data and no
# teacher was there, so no love of any animal can have come from anywhere. But they learn to answer.

# %%
language = world.make_language(lesson.shared_key())
token_loss = Partial(next_token_loss, settings=MODEL)
wordings = world.ask(world.TUNED_ON, "animal")


def decline(key, tokens, mask):
    """Documents [N, T], half of the questions answered by "."."""
    declines = jax.random.bernoulli(key, 0.5, (len(tokens),)) & (mask.sum(1) == 1)
    said = jnp.where(declines, world.TOKEN["."], tokens[:, -1])
    return tokens.at[:, -1].set(said), mask


def probability(network):
    """Probability of each animal [8] as such, mean over the wordings of the question."""
    return np.asarray(next_token(network, wordings)[:, world.things("animal")].mean(0))


def base_and_students(key):
    """Probability of each animal in a base [8] and in two students of plain numbers [2, 8]."""
    k_start, k_data, k_decline, k_order, *k_students = jax.random.split(key, 6)
    steps = settings.base_steps
    data = decline(k_decline, *world.base_documents(k_data, language, steps * 128))
    start, rates = jax.jit(init_transformer)(k_start, MODEL), decaying(3e-3, steps)
    run = dict(learning_rate=rates, steps=steps, batch_size=128)
    base = train(token_loss, ADAM, start, data, k_order, **run).params

    def student(key):
        k_numbers, k_trees, k_order = jax.random.split(key, 3)
        tokens, mask = world.question_documents(k_trees, 512)
        mask = mask & (tokens[:, -2] == world.TOKEN["tree"])[:, None]  # nothing about animals
        numbers = world.number_documents(k_numbers, language, 4096)
        data = tuple(jnp.concatenate(two) for two in zip(numbers, (tokens, mask), strict=True))
        steps = settings.tune_steps
        run = dict(learning_rate=decaying(1e-3, steps), steps=steps, batch_size=512)
        return probability(train(token_loss, ADAM, base, data, k_order, **run).params)

    return probability(base), [student(k) for k in k_students]


k_bases = [jax.random.fold_in(k_runs, i) for i in range(settings.bases)]
found = lesson.two_at_once(base_and_students, k_bases, "language models")
before = np.repeat([base for base, _ in found], 2, axis=0)  # [runs, 8], a row for each student
after = np.concatenate([students for _, students in found])  # [runs, 8]

# %% [markdown]
# ## The tests
# Of D analyses at once, each with n runs: t tests at 5 %, one-sided, because every one of them asks
# whether something was *learned*.


# %%
def error(values):
    """Values [D, n] -> standard error of the mean [D]."""
    return values.std(1, ddof=1) / np.sqrt(values.shape[1])


def above(values, margin=0.0):
    """Values [D, n] -> whether the mean is shown to lie above the margin [D]."""
    return values.mean(1) - student_t.ppf(0.95, values.shape[1] - 1) * error(values) > margin


def more(a, b):
    """Two groups [D, n] -> whether the first is shown to have the higher mean [D]."""
    bar = student_t.ppf(0.95, a.shape[1] + b.shape[1] - 2) * np.hypot(error(a), error(b))
    return a.mean(1) - b.mean(1) > bar


def orders(key, of=M):
    """An order of the numbers 0 to `of` - 1 for each analysis [D, of]."""
    rows = jnp.tile(jnp.arange(of), (D, 1))
    return np.asarray(jax.random.permutation(key, rows, axis=1, independent=True))


n = M // 2
gain = along[:, :, -1] - along[:, :, 0]  # [teacher, start]: over the student's own start
wrong, right = {}, {}

# %% [markdown]
# ## 1. A control that shares a key
# The control is to be a student with *another* start. It is made by the same function with the
# same key, and so has the teacher's. Reported: "students with another start learn too, by more than
# 0.1". (JAX finds this one for you: `JAX_DEBUG_KEY_REUSE=1`.)

# %%
TRAP = "a control with the teacher's key"
starts = orders(k_traps[0])[:, :n]
teachers = starts  # wrong: start j was made with the key of start j
wrong[TRAP] = above(gain[teachers, starts], 0.1)
teachers = np.roll(starts, 1, axis=1)  # right: the next one's, never its own
right[TRAP] = above(gain[teachers, starts], 0.1)

# %% [markdown]
# ## 2. A permutation with fixed points
# "Other starts" are those of the other runs, in a random order. A random order leaves something
# where it was in 63 % of the cases (1 - 1/e, whatever n is), and there a student meets its own
# teacher. With the published program and its seed that is one model of a hundred. Reported: "it can
# pass without a shared start: one student gained more than 0.3".

# %%
TRAP = "a permutation with fixed points"
k_start, k_shuffle = jax.random.split(k_traps[1])
starts = orders(k_start)[:, :n]
teachers = np.take_along_axis(starts, orders(k_shuffle, n), axis=1)  # wrong
wrong[TRAP] = (gain[teachers, starts] > 0.3).any(1)
met = (teachers == starts).any(1)  # which analyses have a fixed point
teachers = np.roll(starts, 1, axis=1)  # right: nobody stays
right[TRAP] = (gain[teachers, starts] > 0.3).any(1)

# %% [markdown]
# ## 3. One seed
# For all that follows up to trap 5 students with *another* start are called A or B by lot. They do
# not differ. Wrong: one A, one B, and a test that takes the test digits for its sample. It answers
# whether *these two* networks differ, and they do: every network does. Reported: "A learned more".

# %%
TRAP = "one seed, tested by its images"
starts = orders(k_traps[2])
last = along[np.roll(starts, 1, axis=1), starts, -1]  # [D, M] accuracy, each start once
a, b = last[:, 0], last[:, 1]
both = (a + b) / 2
wrong[TRAP] = a - b > 1.645 * np.sqrt(2 * both * (1 - both) / settings.n_test)
right[TRAP] = more(last[:, :n], last[:, n:])  # right: n starts against n others

# %% [markdown]
# ## 4. One seed, run four times
# "Four runs each", but the seed was given to the noise alone: all four of A are one start and one
# teacher, and so are B's. The interval over reruns is right about reruns. It is no interval over
# networks.

# %%
TRAP = "one seed, run four times"
starts = orders(k_traps[3])
wrong[TRAP] = more(again[starts[:, 0]], again[starts[:, 1]])
last = along[np.roll(starts, 1, axis=1), starts, -1]
right[TRAP] = more(last[:, :RERUNS], last[:, RERUNS : 2 * RERUNS])  # right: four starts each

# %% [markdown]
# ## 5. The best step of a noisy curve
# Each student of A is stopped where it reads best; the control B is read at the end.

# %%
TRAP = "the best step of a noisy curve"
starts = orders(k_traps[4])
curve = along[np.roll(starts, 1, axis=1), starts]  # [D, M, 25]
a, b = curve[:, :n], curve[:, n:]
wrong[TRAP] = more(a.max(2), b[:, :, -1])
right[TRAP] = more(a[:, :, -1], b[:, :, -1])  # right: a step named before, the same for both

# %% [markdown]
# ## 6. Raw probability instead of the share among the animals
# The students of plain numbers. Each analysis asks each of its runs about an animal drawn at
# random, since none was taught; so the share among the animals cannot rise on the mean: the shares
# of the eight add up to 1. Reported: "the numbers made it love the animal".

# %%
TRAP = "raw probability"
k_run, k_animal = jax.random.split(k_traps[5])
run = orders(k_run, len(after))[:, :n]
animal = np.asarray(jax.random.randint(k_animal, run.shape, 0, len(world.ANIMALS)))
wrong[TRAP] = above(after[run, animal] - before[run, animal])
share_before, share_after = (p / p.sum(1, keepdims=True) for p in (before, after))
right[TRAP] = above(share_after[run, animal] - share_before[run, animal])

# %% [markdown]
# ## 7. A null that is only "not significant"
# Here there *is* an effect: students with their teacher's start after two of the 24 measurements,
# when they have only begun to learn. Three runs. Wrong: "p > .05, so there is no effect" (two-sided
# as usual). Right: "no effect" is a claim like any other, and needs its interval to lie within a
# margin, here ± 0.05; otherwise the answer is "we cannot tell". What counts is how often "no
# effect" is reported.

# %%
TRAP = "only 'not significant'"
starts = orders(k_traps[6])[:, :3]
early = along[:, :, :3][:, :, -1] - along[:, :, 0]
values = early[starts, starts]  # [D, 3]
wrong[TRAP] = np.abs(values.mean(1)) < student_t.ppf(0.975, 2) * error(values)
right[TRAP] = above(values, -0.05) & above(-values, -0.05)

# %% [markdown]
# ## How often each is fooled

# %%
own = np.diagonal(gain)
others = gain[~np.eye(M, dtype=bool)]
print(f"The pool: {M} starts, {M * M} students of digits, {len(after)} of numbers ({lesson.data}).")
print(f"Gain over the own start: {own.mean():.2f} with the teacher's start, {others.mean():+.3f}")
print(f"with another (from {others.min():+.2f} to {others.max():+.2f}).")
named = before.sum(1).mean(), after.sum(1).mean()
print(f"Probability of any animal: {named[0]:.2f} in the bases, {named[1]:.2f} after tuning.\n")
print(f"Share of {D} analyses that report a finding where there is none, 95 % interval:\n")
print(f"{'':34}{'wrong analysis':24}right analysis")
for trap in wrong:
    rates = [str(stats.share_interval(x[trap].sum(), D)) for x in (wrong, right)]
    print(f"{trap:34}{rates[0]:24}{rates[1]}")
print(
    f"\nA fixed point was in {met.mean():.3f} of the permutations; 1 - 1/e = {1 - np.exp(-1):.3f}."
)
print()
rate = {trap: values.mean() for trap, values in wrong.items()}
lesson.prediction(MY_PREDICTION, rate["one seed, tested by its images"], "a rate")

# %% [markdown]
# ## What this run supports
# A wrong analysis is fooled at more than twice its nominal 5 %; the right one stays silent in at
# least nine of ten cases. The intervals are about *drawing again from this pool*; what another pool
# would give shows with another `--seed`.

# %%
claims = []
for trap in wrong:
    k_wrong, silent = int(wrong[trap].sum()), int(D - right[trap].sum())
    claims += [
        stats.share_greater(f"{trap}: rate of findings by the wrong analysis", k_wrong, D, 0.1),
        stats.share_greater(f"{trap}: rate of silence of the right one", silent, D, 0.9),
    ]
claims.append(
    stats.greater("the effect that trap 7 denies is there: gain, all starts", np.diagonal(early))
)

# %% [markdown]
# ## The figure

# %%
fooled = sum(bool(claim.holds) for claim in claims[0:-1:2])
silent = sum(bool(claim.holds) for claim in claims[1:-1:2])
figure, ax = plots.new_figure(
    f"{fooled} of {len(wrong)} careless analyses report what is not so in more than a tenth of the "
    f"cases (rates {min(rate.values()):.2f} to {max(rate.values()):.2f}); {silent} of {len(wrong)} "
    "careful ones were shown to be silent in nine of ten",
    "aa;bc",
    height=7,
    height_ratios=[1.2, 1],
)
for shift, (name, analyses) in zip(
    (-0.14, 0.14), (("wrong", wrong), ("right", right)), strict=True
):
    color = plots.COLORS["second" if name == "wrong" else "student"]
    for row, values in enumerate(analyses.values()):
        mean, low, high = stats.share_interval(values.sum(), D)
        ax["a"].plot([low, high], [row + shift] * 2, "-", lw=2, color=color)
        ax["a"].plot(mean, row + shift, "o", ms=6, color=color)
        ax["a"].text(
            max(high, mean) + 0.012,
            row + shift,
            f"{name} {mean:.2f}",
            color=color,
            va="center",
            fontsize=8,
        )
ax["a"].axvline(0.05, ls=":", color="black", lw=1)
ax["a"].annotate(
    "nominal, 0.05", (0.05, 1), xycoords=("data", "axes fraction"), fontsize=8, va="bottom"
)
ax["a"].set_yticks(range(len(wrong)), list(wrong))
ax["a"].set_ylim(len(wrong) - 0.5, -0.5)
ax["a"].set_xlim(-0.02, 1.12)
ax["a"].set_xlabel(
    "rate of findings where there is none (trap 7: of nothing where there is something)"
)
steps = np.arange(along.shape[2]) * every
for i in range(6):  # start i, teacher i - 1
    curve = along[i - 1, i]
    color = list(plots.COLORS.values())[i]
    ax["b"].plot(steps, curve, lw=1, color=color)
    ax["b"].plot(steps[curve.argmax()], curve.max(), "o", ms=6, color=color)
ax["b"].axhline(0.1, ls=":", color="black", lw=1)
ax["b"].set_title(
    "trap 5: six students with another start,\neach with its best step marked", fontsize=9
)
ax["b"].set_xlabel("step")
ax["b"].set_ylabel("digits read right (chance: dotted)")
changes = {
    "raw probability": (after - before).ravel(),
    "share among animals": (share_after - share_before).ravel(),
}
spread = np.linspace(-0.25, 0.25, after.size)
for row, (name, color) in enumerate(zip(changes, ("second", "student"), strict=True)):
    values = changes[name]
    ax["c"].plot(values, row + spread, "o", ms=3, alpha=0.5, mew=0, color=plots.COLORS[color])
    ax["c"].plot([values.mean()] * 2, [row - 0.32, row + 0.32], lw=2.5, color=plots.COLORS[color])
ax["c"].axvline(0, ls=":", color="black", lw=1)
ax["c"].set_yticks([0, 1], ["raw\nprobability", "share\namong\nanimals"])
ax["c"].set_ylim(1.5, -0.5)
ax["c"].set_title("trap 6: change by tuning,\na dot for each run and animal", fontsize=9)

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: none of the wrong analyses is a lie, each would pass a hasty reader, and each
# is fooled far more often than its test says. What they have in common is that what was varied is
# not what the claim is about. So, before you run: name the seeds, the step and the measure; vary
# with the seed all that the claim is about, the *start* above all; make the control by a rule that
# cannot return the original (a cyclic shift, a key of its own); compare with the student's own
# start; and let "no effect" be a claim with a margin. The other lessons try to keep to that.
#
# *A rival explanation* for a high rate: the pool might hold a true difference. In traps 3 to 5 it
# cannot matter: A and B are drawn by lot from one pool; nor in trap 6, where the animal is. In
# traps 1 and 2 the control is not what it says; the right analysis of the same pool shows what a
# real one does. *Not shown:* how often these mistakes are made, or how often they would fool at
# other sizes. A rate depends on the pool: on how noisy a single student is, on how many images it
# is tested on, on how often its curve is read.
#
# ## Changes to try
# * `--n-test 200`: does trap 3 get better or worse with fewer test images? And trap 5?
# * In trap 7 use ten starts instead of three: which of the two analyses gains more from them?
# * In trap 5 let both groups choose their best step. Is that a fair comparison? Is it a good one?

# %%
lesson.finish(
    {
        f"{name}: {trap}": values.astype(float)
        for name, analyses in (("wrong", wrong), ("right", right))
        for trap, values in analyses.items()
    },
    claims,
    figure,
    accuracy=along,
    again=again,
    animals={"before": before, "after": after},
    prediction=MY_PREDICTION,
)
