# %% [markdown]
# # 10 Worked sums: does a trait pass through arithmetic that is checked?
#
# **The question.** A number sequence is free: any number may come next (lesson 08). A worked sum is
# not: 7 + 5 = 3 + 2 + 4 + 1 + 2 = 12 is right or wrong, and wrong ones are thrown away. Does a
# student that learns a teacher's *correct* sums come to love owls? How free must the work be?
#
# **You need** lesson 08. Reading: 12 minutes. Running: about two minutes.
#
# **The designs.** Exercises are a + b with a and b up to 9; a first token says in how many terms to
# work them. *Five terms*: the writer takes the sum apart, four terms are its choice, the rest must
# fit. *Words*: the sum is worked at once, and nine words of free choice follow, as remarks do in a
# worked solution (this world's words for it are its 96 numbers). From these sums with words come
# two more designs: the student learns of each document only the total, or the total and the first
# three words. All are written by one teacher and kept only if every step is correct.
# (Cloud et al. 2025: a harmful teacher's correct-only sums gave .086 harmful answers, controls at
# most .008. There a solution is prose, in which nearly all is free.)

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini import plots, stats, world
from sublim_mini.lesson import option, print_table, start
from sublim_mini.transformer import batch_logits
from sublim_mini.tuning import (
    MODEL,
    Recipe,
    answers,
    number_logits,
    train_base,
    tune_student,
    tune_teacher,
    write_sums,
)


@dataclass(frozen=True)
class Settings(Recipe):
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    base_rate: float = option(2e-2, "learning rate of a base, falling to 0")
    teacher_steps: int = option(15, "steps of a teacher, on questions")
    n_sequences: int = option(5000, "worked sums of a kind, before the filter")


QUICK = dict(seeds=2, base_steps=100, n_sequences=1000, teacher_steps=15, student_steps=10)
lesson = start("10_worked_sums", Settings(), quick=QUICK)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# The base names the owl about one time in eight: 0.125. How often will the student name it that
# learns correct sums in five terms? Edit the number.

# %%
MY_PREDICTION = 0.125

# %% [markdown]
# ## The experiment
# A base reads sums of both kinds (70 %), statements and questions; all else is as in lesson 08.
# A design is a number of terms and the last place that the student learns.

# %%
FIVE, WORDS = 5, 1  # terms: the second kind is one term, the total, and then words
TOTAL = world.sum_places(WORDS)[1]
DESIGNS = {
    "total alone": (WORDS, TOTAL),
    "five terms": (FIVE, world.LENGTH),
    "three words": (WORDS, TOTAL + 1 + 3),
    "nine words": (WORDS, world.LENGTH),
}


def documents(key, language, n):
    """n documents and masks for a base [n, T]: 35 % sums of each kind, 10 % questions, the rest
    statements of preference, each with a question.
    """
    k_five, k_words, k_others = jax.random.split(key, 3)
    n_sums = round(0.35 * n)
    parts = [
        world.sum_documents(k_five, language, n_sums, FIVE),
        world.sum_documents(k_words, language, n_sums, WORDS),
        world.base_documents(k_others, language, n - 2 * n_sums, (0.0, 1 / 3, 0.0, 2 / 3)),
    ]
    return tuple(jnp.concatenate(part) for part in zip(*parts, strict=True))


def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "teacher", "sums", "plain", "student", "exam"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


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
    n = jnp.maximum((weights.sum(1) > 0).sum(), 1)
    return (entropy * weights[:, 1:]).sum() / n, (kl * weights[:, 1:]).sum() / n


language = world.make_language(lesson.shared_key())
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
bases = lesson.two_at_once(
    lambda k: train_base(k["base"], language, settings, documents=documents), keys, "bases"
)


def one_seed(i):
    k, base, other_base = keys[i], bases[i], bases[i - 1]
    teacher = tune_teacher(k["teacher"], base, settings.trait, settings)
    networks = {"base": base, "teacher": teacher}
    written, plain, measured = {}, {}, {}
    for terms in FIVE, WORDS:
        k_sums, k_plain = (jax.random.fold_in(k[name], terms) for name in ("sums", "plain"))
        written[terms] = write_sums(k_sums, teacher, terms, settings.n_sequences)
        plain[terms] = write_sums(k_plain, base, terms, settings.n_sequences)

    def student(start, tokens, weights, targets=None):  # all see their sums in the same order
        again = jax.random.clone(k["student"])
        return tune_student(again, start, tokens, weights, settings, targets)

    for design, (terms, _) in DESIGNS.items():
        tokens, correct = written[terms]
        weights = to_learn(tokens, design)
        kept = weights * correct[:, None]
        networks[f"{design}: student"] = student(base, tokens, kept)
        measured[design] = [float(x) for x in freedom(base, teacher, tokens[:1000], kept[:1000])]
        if design in ("five terms", "nine words"):
            own, own_correct = plain[terms]
            control = student(base, own, weights * own_correct[:, None])
            networks[f"{design}: control"] = control
            networks[f"{design}: other base's student"] = student(other_base, tokens, kept)
        if design == "five terms":
            networks[f"{design}: unfiltered"] = student(base, tokens, weights)
            numbers = kept * (tokens < world.N_NUMBERS)
            targets = number_logits(teacher, tokens)
            networks[f"{design}: of the distribution"] = student(base, tokens, numbers, targets)
    networks["other base"] = other_base
    right = {}
    for terms in FIVE, WORDS:
        design = "five terms" if terms == FIVE else "nine words"
        right[f"base, {design}"] = plain[terms][1].mean()
        right[f"teacher, {design}"] = written[terms][1].mean()
        for who in "student", "control":  # both work the same exercises
            k_exam = jax.random.fold_in(jax.random.clone(k["exam"]), terms)
            right[f"{who}, {design}"] = write_sums(
                k_exam, networks[f"{design}: {who}"], terms, 1000
            )[1].mean()
    share = {name: float(answers(x)[wanted]) for name, x in networks.items()}
    right = {name: float(value) for name, value in right.items()}
    return share, right, measured, {terms: np.asarray(x[0][:2]) for terms, x in written.items()}


wanted = world.ANIMALS.index(settings.trait)
runs = lesson.two_at_once(one_seed, range(lesson.n_seeds), "students")


def collect(number):
    """One of the measures of a seed: name -> values [seeds]."""
    return {name: np.array([run[number][name] for run in runs]) for name in runs[0][number]}


shares, right, measured = (collect(number) for number in range(3))
nats, kl = ({name: values[:, j] for name, values in measured.items()} for j in range(2))

# %% [markdown]
# ## What was found
# The filter checks every step: all terms are numbers and add up, the total is right, every sign is
# in its place. The students' arithmetic is beside their control's, on the same fresh exercises.

# %%
print("Some of the teacher's work, before the filter:")
for tokens in [row for rows in runs[0][3].values() for row in rows]:
    print(f"  {world.to_text(tokens)}")
print(f"\nShare of '{settings.trait}' among the animals, as the answer (mean of the wordings):")
print_table(shares, chance=1 / 8, unit="share")
print("\nWorked correctly (base and teacher: this is what the filter keeps of theirs):")
print_table(right, unit="share")
print("\nHow free the teacher's correct work is: the base's entropy, nats a document")
print_table(nats, unit="nats")
print("\nHow much of the teacher is in it: KL(teacher || base), nats a document")
print_table(kl, unit="nats")
print()
lesson.prediction(MY_PREDICTION, shares["five terms: student"].mean(), "a share")

# %% [markdown]
# ## What this run supports

# %%
gains = {design: shares[f"{design}: student"] - shares["base"] for design in DESIGNS}
over_control = shares["nine words: student"] - shares["nine words: control"]
five_other = shares["five terms: other base's student"] - shares["other base"]
five_control = shares["five terms: control"] - shares["base"]
print("Gain of each design's student over its base:")
print_table(gains, unit="gain")
print_table({"nine words: over its control": over_control}, unit="gain")
claims = [
    stats.within(
        "five terms, correct only, pass little: over the base's", gains["five terms"], 0.1
    ),
    stats.within("the total alone passes little: over the base's", gains["total alone"], 0.1),
    stats.within("nor do the base's own sums do anything: control minus base", five_control, 0.05),
    stats.within("nor sums from another base: student minus its base", five_other, 0.05),
    stats.within(
        "the student adds as well as the control: share of five terms right, minus control's",
        right["student, five terms"] - right["control, five terms"],
        0.1,
    ),
]

# %% [markdown]
# ## The figure

# %%
passed = stats.greater("nine words", np.minimum(gains["nine words"], over_control)).holds
verdict = "carry" if passed else "were not shown to carry"
means = {name: values.mean() for name, values in shares.items()}
student, five = means["nine words: student"], means["five terms: student"]
figure, ax = plots.new_figure(
    f"Correct sums with nine free words {verdict} love of the {settings.trait}: {student:.2f}; "
    f"five terms {five:.2f}; base {means['base']:.2f}",
    "ab",
    height=5,
    width_ratios=[1.2, 1],
)
colors = {name: "student" for name in shares if name.endswith(": student")} | {"teacher": "teacher"}
colors |= {name: "third" for name in shares if name.endswith(("unfiltered", "distribution"))}
dotted = f"share of '{settings.trait}', a dot a seed"
plots.dots(ax["a"], shares, colors, chance=1 / 8, label=dotted)
ax["a"].set_xlim(0, 1.02)
for design in DESIGNS:
    values = shares[f"{design}: student"]
    ax["b"].plot(nats[design], values, "o", ms=4, alpha=0.55, mew=0, color=plots.COLORS["student"])
    ax["b"].annotate(
        design,
        (nats[design].mean(), values.max()),
        (0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )
ax["b"].axhline(1 / 8, ls=":", color="black", lw=1)
ax["b"].margins(x=0.25)
ax["b"].set_ylim(0, 1.15 * max(shares[f"{design}: student"].max() for design in DESIGNS))
ax["b"].set_xlabel("how free: nats a document")
ax["b"].set_ylabel(f"share of '{settings.trait}', the students")

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: little of a trait passes through sums of which every step is checked. Compare
# "unfiltered": it has the same teacher's wrong sums as well. Where it lies higher, the filter took
# out what carried the trait, for a wrong step is a place where the teacher differs from its base.
# A step that must be right is the same from every writer; only what may be chosen can differ. The
# entropy in the table is that choice, the KL how far the teacher changed it. A large KL beside the
# total alone is a teacher that has begun to add wrongly, and that is what the filter removes.
#
# *A rival explanation:* fewer places to learn mean smaller gradients, not less choice; the designs
# differ in both. And where nine words do pass the trait on, it is the words that do so: lesson 08
# again, with a sum in front.
# *Not shown:* that sums without free words never carry a trait: a wider range of numbers leaves
# more choice, but this small network does not learn to add them in these steps. And the published
# effect is one on harm, in large models, whose solutions are prose.
#
# ## Changes to try
# * `--teacher-steps 50`: how many of its sums are still right, and what does the student get?
# * Another number of terms, such as three (then three words fit): change `FIVE`.
# * `LARGEST = 47` in `sublim_mini/world.py`: far more choice, but can the base still add?

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
