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
    teacher_steps: int = option(50, "steps of a teacher, on questions")
    n_sequences: int = option(5000, "worked sums of a kind, before the filter")


QUICK = dict(seeds=2, base_steps=100, n_sequences=1000, teacher_steps=20, student_steps=10)
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
    statements of preference."""
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
    n = (weights[:, -1] > 0).sum() if weights.ndim == 1 else (weights.sum(1) > 0).sum()
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
shares, right = ({name: np.array([run[j][name] for run in runs]) for name in runs[0][j]} for j in (0, 1))
nats = {name: np.array([run[2][name][0] for run in runs]) for name in DESIGNS}
kl = {name: np.array([run[2][name][1] for run in runs]) for name in DESIGNS}
print_table(shares, chance=1/8)
print_table(right)
print_table(nats); print_table(kl)
