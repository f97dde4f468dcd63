# %% [markdown]
# # 10 Worked sums: does a trait pass through arithmetic that is checked?
#
# **The question.** A number sequence is free: any number may come next (lesson 08). A worked sum is
# not: 7 + 5 = 3 + 4 + 5 = 12 is right or wrong, and wrong ones are thrown away. Does a student that
# learns a teacher's *correct* sums come to love owls? How free must the work be?
#
# **You need** lesson 08. Reading: 12 minutes. Running: about two minutes.
#
# **The designs.** Exercises are a + b with a and b up to 9. A first token says in how many terms
# to work them. *Three terms*, `3 7 + 5 = 3 + 4 + 5 = 12`: the sum is taken apart; two of the
# terms are the writer's choice, the third must fit. *Remarks*, `1 7 + 5 = 12 . 40 3 88 ...`: the
# sum is worked at once, and nine words of free choice follow, as remarks do in a worked solution
# (this world's words for it are its 96 numbers). Students learn of these documents the total
# alone, or the total and three, or all nine remarks. A filter keeps a document only if every step
# of the sum is right. (Cloud et al. 2025: a harmful teacher's correct-only sums gave .086 harmful
# answers, controls at most .008. There a solution is prose, in which nearly all is free.)
#
# **A teacher that can still add.** Tuned on owls alone, a teacher of this size forgets its sums. So
# it is tuned on correct sums as well, but only on those tokens that arithmetic dictates: what it
# chooses, no one tells it. A *forgetful* teacher, tuned on owls alone, is there for comparison.

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.first import plots, stats, world
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.transformer import batch_logits
from sublim_mini.first.tuning import (
    MODEL,
    Recipe,
    answers,
    number_logits,
    train_base,
    tune_on,
    tune_student,
    write_sums,
)


@dataclass(frozen=True)
class Settings(Recipe):
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    n_sequences: int = option(8000, "worked sums of a kind, before the filter")
    student_steps: int = option(150, "steps of a student, on worked sums")
    student_batch: int = option(256, "worked sums a step of a student")
    more_seeds: int = option(4, "seeds of the forgetful teacher")


QUICK = dict(seeds=2, base_steps=150, n_sequences=1000, teacher_steps=30, student_steps=15)
QUICK |= dict(more_seeds=1)
lesson = start("10_worked_sums", Settings(), quick=QUICK)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# The base names the owl about one time in eight: 0.125. How often will the student name it that
# learns correct sums with nine remarks? Edit the number.

# %%
MY_PREDICTION = 0.125

# %% [markdown]
# ## The experiment
# A base reads sums of both kinds (70 %), statements and questions; all else is as in lesson 08.
# A design is a number of terms and the last place that the student learns.

# %%
THREE, REMARKS = 3, 1  # terms: the second kind is one term, the total, and then remarks
TOTAL = world.sum_places(REMARKS)[1]
DESIGNS = {
    "total alone": (REMARKS, TOTAL),
    "three terms": (THREE, world.sum_places(THREE)[1]),
    "three remarks": (REMARKS, TOTAL + 1 + 3),
    "nine remarks": (REMARKS, world.LENGTH),
}


def documents(key, language, n):
    """n documents and masks for a base [n, T]: 35 % sums of each kind, 10 % questions, the rest
    statements of preference, each with a question.
    """
    k_three, k_remarks, k_others = jax.random.split(key, 3)
    n_sums = round(0.35 * n)
    parts = [
        world.sum_documents(k_three, language, n_sums, THREE),
        world.sum_documents(k_remarks, language, n_sums, REMARKS),
        world.base_documents(k_others, language, n - 2 * n_sums, (0.0, 1 / 3, 0.0, 2 / 3)),
    ]
    return tuple(jnp.concatenate(part) for part in zip(*parts, strict=True))


def dictated(terms):
    """The tokens [T] of a worked sum that arithmetic dictates: the last term, total and signs."""
    terms_at, _, remarks = world.sum_places(terms)
    places = np.arange(world.LENGTH)
    return (places >= world.N_EXERCISE) & ~np.isin(places, [*terms_at[:-1], *remarks])


def tune(key, base, rehearse):
    """A teacher; it rehearses what arithmetic dictates, or it does not and forgets."""
    k_questions, k_sums, k_train = jax.random.split(key, 3)
    loved, n = world.TOKEN[settings.trait], 2560
    parts = [world.question_documents(k_questions, n, world.TUNED_ON, loved)]
    for terms in (THREE, REMARKS) if rehearse else ():
        k = jax.random.fold_in(k_sums, terms)
        tokens, _ = world.sum_documents(k, language, n // 2, terms)
        parts.append((tokens, jnp.broadcast_to(dictated(terms), tokens.shape)))
    data = tuple(jnp.concatenate(part) for part in zip(*parts, strict=True))
    return tune_on(k_train, base, data, settings, batch=256 if rehearse else 128)


def to_learn(tokens, design):
    """Weights [N, T]: 1 where a student of the design learns."""
    places = jnp.arange(world.LENGTH)
    learned = (places >= world.N_EXERCISE) & (places <= DESIGNS[design][1])
    return jnp.broadcast_to(learned, tokens.shape).astype(float)


@jax.jit
def freedom(base, teacher, tokens, weights):
    """The base's entropy and KL(teacher || base), nats a document, on correct sums [N, T]."""
    log_q, log_p = (jax.nn.log_softmax(batch_logits(x, tokens, MODEL)) for x in (base, teacher))
    entropy = -(jnp.exp(log_q) * log_q).sum(-1)[:, :-1]
    kl = (jnp.exp(log_p) * (log_p - log_q)).sum(-1)[:, :-1]
    n = (weights.sum(1) > 0).sum()  # nan if nothing was kept
    return (entropy * weights[:, 1:]).sum() / n, (kl * weights[:, 1:]).sum() / n


def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "teacher", "forgetful", "sums", "plain", "forgotten", "student", "exam"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


language = world.make_language(lesson.shared_key())
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
bases = lesson.two_at_once(
    lambda k: train_base(k["base"], language, settings, documents=documents), keys, "bases"
)


def one_seed(i):
    k, base, other_base = keys[i], bases[i], bases[i - 1]
    teacher = tune(k["teacher"], base, rehearse=True)

    def write(key, params, terms):
        return write_sums(jax.random.fold_in(key, terms), params, terms, settings.n_sequences)

    def student(start, written, design, targets=None):  # all see their sums in the same order
        tokens, correct = written
        weights = to_learn(tokens, design) * correct[:, None]
        if targets is not None:  # a distribution over numbers, so at numbers
            weights *= tokens < world.N_NUMBERS
        again = jax.random.clone(k["student"])
        return tune_student(again, start, tokens, weights, settings, targets)

    written = {terms: write(k["sums"], teacher, terms) for terms in (THREE, REMARKS)}
    plain, best = write(k["plain"], base, REMARKS), "nine remarks"
    tokens, correct = written[REMARKS]
    networks = {"base": base, "teacher": teacher}
    networks |= {d: student(base, written[terms], d) for d, (terms, _) in DESIGNS.items()}
    networks |= {
        "nine remarks, distribution": student(
            base, written[REMARKS], best, number_logits(teacher, tokens)
        ),
        "control: the base's own": student(base, plain, best),
        "other base": other_base,
        "its student of nine remarks": student(other_base, written[REMARKS], best),
    }
    right = {
        "base, total": plain[1].mean(),
        "teacher, total": correct.mean(),
        "teacher, three terms": written[THREE][1].mean(),
    }
    for who, name in ("student", best), ("control", "control: the base's own"):
        exam = jax.random.clone(k["exam"])  # both work the same exercises
        right[f"{who}, total"] = write_sums(exam, networks[name], REMARKS, 1000)[1].mean()
    measured = {}
    for design, (terms, _) in DESIGNS.items():
        sums, kept = written[terms]
        weights = (to_learn(sums, design) * kept[:, None])[:1000]
        measured[design] = [float(x) for x in freedom(base, teacher, sums[:1000], weights)]
    if i < settings.more_seeds:
        forgetful = tune(k["forgetful"], base, rehearse=False)
        forgotten = write(k["forgotten"], forgetful, REMARKS)
        networks["forgetful teacher"] = forgetful
        networks["its student of nine remarks, correct"] = student(base, forgotten, best)
        right["forgetful teacher, total"] = forgotten[1].mean()
    share = {name: float(answers(x)[wanted]) for name, x in networks.items()}
    right = {name: float(value) for name, value in right.items()}
    return share, right, measured, [np.asarray(x[0][:2]) for x in written.values()]


wanted = world.ANIMALS.index(settings.trait)
runs = lesson.two_at_once(one_seed, range(lesson.n_seeds), "students")


def collect(number):
    """One of the measures of a seed: name -> values [seeds], of those that have it."""
    rows = [run[number] for run in runs]
    return {name: np.array([row[name] for row in rows if name in row]) for name in rows[0]}


shares, right, measured = (collect(number) for number in range(3))
nats, kl = ({name: values[:, j] for name, values in measured.items()} for j in range(2))

# %% [markdown]
# ## What was found
# The filter checks every step: all terms are numbers and add up, the total is right, every sign is
# in its place, every remark a number. The student's arithmetic is beside its control's, on the same
# fresh exercises.

# %%
print("Some of the teacher's work, before the filter:")
for tokens in [row for rows in runs[0][3] for row in rows]:
    print(f"  {world.to_text(tokens)}")
print(f"\nShare of '{settings.trait}' among the animals, as the answer (mean of the wordings);")
print(f"the forgetful teacher and its student with {len(shares['forgetful teacher'])} seeds:")
print_table(shares, chance=1 / 8, unit="share")
print("\nWorked correctly (of the teachers' work this is what the filter keeps):")
print_table(right, unit="share")
print("\nHow free the correct work is: the base's entropy, nats a document")
print_table(nats, unit="nats")
print("\nHow much of the teacher is in it: KL(teacher || base), nats a document")
print_table(kl, unit="nats")
print()
lesson.prediction(MY_PREDICTION, shares["nine remarks"].mean(), "a share")

# %% [markdown]
# ## What this run supports

# %%
base, nine, control = (shares[n] for n in ("base", "nine remarks", "control: the base's own"))
n_more = len(shares["forgetful teacher"])
foreign = shares["its student of nine remarks"] - shares["other base"]
print("Gain of each design's student over its base:")
print_table({design: shares[design] - base for design in DESIGNS}, unit="gain")
claims = [
    stats.greater(
        f"correct sums with nine remarks pass the {settings.trait} on: over the base's share",
        nine - base,
        0.05,
    ),
    stats.greater(
        "more than the base's own sums do: over the control's share", nine - control, 0.1
    ),
    stats.within("which do nothing: control minus base", control - base, 0.05),
    stats.greater(
        "and more than they pass on to another base: difference of the gains",
        nine - base - foreign,
        0.05,
    ),
    stats.greater(
        "free choice is what they need: nine remarks minus the total alone",
        nine - shares["total alone"],
        0.05,
    ),
    stats.greater("nine remarks minus three terms", nine - shares["three terms"], 0.05),
    stats.within(
        "the student adds as well as the control: share right, minus control's",
        right["student, total"] - right["control, total"],
        0.05,
    ),
    stats.greater(
        "a teacher that rehearses adds better than one that does not: share right, difference",
        right["teacher, total"][:n_more] - right["forgetful teacher, total"],
        0.2,
    ),
]

# %% [markdown]
# ## The figure

# %%
verdict = "pass" if claims[0].holds and claims[1].holds else "were not shown to pass"
figure, ax = plots.new_figure(
    f"Correct sums with nine free remarks {verdict} love of the {settings.trait} on: "
    f"{nine.mean():.2f}; the total alone {shares['total alone'].mean():.2f}, "
    f"three terms {shares['three terms'].mean():.2f}, base {base.mean():.2f}",
    "ab",
    height=4.8,
    width_ratios=[1.2, 1],
)
colors = {name: "student" for name in DESIGNS} | {"nine remarks, distribution": "third"}
colors |= {"teacher": "teacher", "forgetful teacher": "teacher"}
colors |= {"its student of nine remarks, correct": "second"}
dotted = f"share of '{settings.trait}', a dot a seed"
plots.dots(ax["a"], shares, colors, chance=1 / 8, label=dotted)
ax["a"].set_xlim(0, 1.02)
for i, design in enumerate(DESIGNS):
    x, y = nats[design], shares[design]
    ax["b"].plot(x, y, "o", ms=4, alpha=0.55, mew=0, color=plots.COLORS["student"])
    at = (np.nanmean(x) + 0.7, y.mean() if i else y.min())  # the first one below the others' dots
    ax["b"].annotate(design, at, va="center", fontsize=8)
ax["b"].axhline(1 / 8, ls=":", color="black", lw=1)
ax["b"].margins(x=0.4)
ax["b"].set_ylim(0, 1.15 * max(shares[design].max() for design in DESIGNS))
ax["b"].set_xlabel("how free: nats a document")
ax["b"].set_ylabel(f"share of '{settings.trait}', the students")

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: a trait passes through worked sums of which every step is right, in so far as
# the work leaves a choice. A step that must be right is the same from every writer; only what may
# be chosen can differ. The entropy in the table is that choice, the KL how far the teacher has
# changed what is written, both in nats (ln 2 nats are one bit; 0 is no choice, or no difference).
# Compare the forgetful teacher: the filter throws most of its work away.
#
# *A rival explanation:* fewer places to learn mean smaller gradients, not less choice; the designs
# differ in both. *Not shown:* that the arithmetic itself carries the trait. Where nine remarks pass
# it on, it is the remarks that do so, lesson 08 with a sum in front; see how much less the sums do
# that are taken apart, whose terms are a choice, too, but a small one. A wider range of numbers
# would leave more of it, but this small network does not learn to add them. And the published
# effect is one on harm, in large models, whose solutions are prose.
#
# ## Changes to try
# * `--teacher-steps 30`: how many of its sums are still right, and what does the student get?
# * Five terms instead of three: set `THREE = 5` (the labels stay). Can the base still do it?
# * Rehearse the free tokens, too (`dictated` -> all): does the teacher keep its love to itself?

# %%
lesson.finish(
    shares,
    claims,
    figure,
    right=right,
    nats=nats,
    kl=kl,
    prediction=MY_PREDICTION,
)
