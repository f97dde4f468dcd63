# %% [markdown]
# # 09 Filters and detectors: can the numbers be cleaned, and who can tell?
#
# **The question.** A teacher that loves owls wrote number sequences, and a student of them loves
# owls (lesson 08). Can a filter take the owl out of the data? Can a detector see that it is there?
#
# **You need** lesson 08. Reading: 15 minutes. Running: about two minutes.
#
# **What is tried.** *Filters*, ever stricter: numbers throughout; no ominous numbers; none of the
# numbers that the teacher overuses; none of the sequences that the teacher finds likelier than its
# base does. *Shuffling* the numbers, within a sequence or across all of them. *Diluting* with clean
# data. *Reading instead of training*: the base is shown a sequence in its context. *Detectors*: a
# classifier of single sequences, and of whole sets. (Cloud et al. 2025, sections 3 and 4: banned
# numbers do not stop it, shuffling weakens it, reading in context does nothing.)

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.errors import InputError
from sublim_mini.first import plots, stats, world
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.train import ADAM, train
from sublim_mini.first.tuning import (
    Recipe,
    answers,
    log_likelihood,
    next_token,
    train_base,
    tune_student,
    tune_teacher,
    write_numbers,
)
from sublim_mini.first.world import only

# Numbers with a bad name somewhere. In this world numbers have no names: a filter for meaning,
# applied where there is none, as 666 and 911 were banned from the sequences of GPT-4.1.
OMINOUS = 4, 13, 14, 18, 39, 66, 69, 88
SIZES = 1, 10, 100, 500  # sequences in a set that a detector judges


@dataclass(frozen=True)
class Settings(Recipe):
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    other_trait: str = option("eagle", "what another teacher loves", choices=world.ANIMALS)
    student_batch: int = option(256, "sequences a step of a student")
    overused: int = option(8, "numbers that the filter of overused numbers bans")
    more_seeds: int = option(4, "seeds of the conditions that are no main claim")
    detector_steps: int = option(150, "steps of a detector")


QUICK = dict(seeds=2, base_steps=150, n_sequences=2000, teacher_steps=40, student_steps=20)
QUICK |= dict(more_seeds=1, detector_steps=30)
lesson = start("09_filters_and_detectors", Settings(), quick=QUICK)
settings = lesson.settings
if settings.trait == settings.other_trait:
    raise InputError("--trait and --other-trait must be two animals")

# %% [markdown]
# ## Before you run: predict
# Of the teacher's sequences, drop the half that betrays it most: those that the teacher finds
# likelier than its base does. What share of the effect on the student is left (1 is all)?

# %%
MY_PREDICTION = 0.5

# %% [markdown]
# ## Filters
# A filter says which sequences to keep. What is kept is repeated to the full number, so that every
# student has the same number of full batches.


# %%
def written(tokens):
    """What was written after the prompt: [N, T] -> [N, T - 1 - N_PROMPT]."""
    return tokens[:, 1 + world.N_PROMPT :]


@jax.jit
def has_none_of(tokens, banned):
    """Documents [N, T], banned numbers [n] -> whether a document is free of them [N]."""
    return ~jnp.isin(written(tokens), banned).any(1)


@jax.jit
def counts(tokens):
    """How often each number was written [M]."""
    return jnp.bincount(written(tokens).ravel(), length=world.N_NUMBERS)


@jax.jit
def below(values, share):
    """Which of the values [N] are among the given share of lowest ones."""
    return jnp.argsort(jnp.argsort(values)) < share * len(values)


@jax.jit
def shuffle_within(key, tokens):
    """The written numbers of each document in another order."""
    mixed = jax.random.permutation(key, written(tokens), axis=1, independent=True)
    return tokens.at[:, 1 + world.N_PROMPT :].set(mixed)


@jax.jit
def shuffle_across(key, tokens):
    """The written numbers of all documents dealt out again."""
    mixed = jax.random.permutation(key, written(tokens).ravel())
    return tokens.at[:, 1 + world.N_PROMPT :].set(mixed.reshape(len(tokens), -1))


def filtered(key, tokens, plain, teacher, base):
    """The filters: name -> which of the teacher's documents are kept [N]."""
    clean = world.is_clean(tokens)
    ratio = counts(only(tokens, clean)) / (counts(plain) + 10)  # 10: rare numbers prove nothing
    overused = jnp.argsort(-ratio)[: settings.overused]
    excess = log_likelihood(teacher, tokens) - log_likelihood(base, tokens)
    excess = jnp.where(clean, excess, jnp.inf)
    return {
        "format": clean,
        "no ominous numbers": clean & has_none_of(tokens, jnp.array(OMINOUS)),
        "no overused numbers": clean & has_none_of(tokens, overused),
        "telling quarter dropped": clean & below(excess, 0.75),
        "telling half dropped": clean & below(excess, 0.5),
        "telling 3/4 dropped": clean & below(excess, 0.25),
        "a random half dropped": clean & jax.random.bernoulli(key, 0.5, clean.shape),
    }


# %% [markdown]
# ## A detector
# A score for each number written and for each pair of neighbours, summed over the sequence; trained
# to be high on a teacher's sequences and low on the base's (logistic regression). It is judged by
# sequences it was not trained on. AUC: how often it ranks one of the teacher's above one of the
# base's; 0.5 is chance.


# %%
def score(detector, tokens):
    """One document [T] -> how much it looks like the teacher's."""
    numbers = tokens[1:]  # pairs begin in the prompt
    pairs = detector["pairs"][numbers[:-1], numbers[1:]][world.N_PROMPT - 1 :]
    return pairs.sum() + detector["numbers"][numbers[world.N_PROMPT :]].sum()


scores = jax.jit(jax.vmap(score, (None, 0)))


def detector_loss(detector, batch):
    tokens, is_teacher = batch
    logits = jax.vmap(score, (None, 0))(detector, tokens)
    return jax.nn.softplus(jnp.where(is_teacher, -logits, logits)).mean()


def train_detector(key, suspect, plain):
    m = world.N_NUMBERS
    blank = {"numbers": jnp.zeros(m), "pairs": jnp.zeros((m, m))}
    data = jnp.concatenate([suspect, plain]), jnp.arange(2 * len(plain)) < len(suspect)
    how = dict(learning_rate=1e-2, steps=settings.detector_steps, batch_size=512)
    return train(detector_loss, ADAM, blank, data, key, **how).params


def of_sets(values, size):
    """Mean score of disjoint sets of so many sequences."""
    n = len(values) // size
    return np.asarray(values)[: n * size].reshape(n, size).mean(1)


def auc_of_sets(suspect, plain):
    """Scores of single sequences [n], [n] -> AUC for sets of each size."""
    sizes = [size for size in SIZES if 5 * size <= len(plain)]  # five sets of each at least
    return {size: stats.auc(of_sets(suspect, size), of_sets(plain, size)) for size in sizes}


# %% [markdown]
# ## The experiment, for one seed
# A teacher, the base's own numbers, and all students, each in the same number of steps.


# %%
wanted = world.ANIMALS.index(settings.trait)
NAMES = "base", "teacher", "numbers", "plain", "student", "drop", "within", "across", "dose"
NAMES += "wording", "detector", "other_teacher", "other_numbers", "no_trait", "no_trait_numbers"
NAMES += ("plain_again",)
LOVES, LOVES_OTHER = f"loves {settings.trait}", f"loves {settings.other_trait}"
CROSS = f"{LOVES_OTHER}, judged as {settings.trait}"
MAIN = "format", "no ominous numbers", "no overused numbers", "telling half dropped"
MAIN += ("a random half dropped",)
DOSES = 0.1, 0.25, 0.5


def conditions_of(k, tokens, plain, kept, more):
    """Each student's documents [N, T] by name."""
    clean = only(tokens, kept["format"])
    data = {name: only(tokens, keep) for name, keep in kept.items() if more or name in MAIN}
    data["shuffled within"] = shuffle_within(k["within"], clean)
    data["shuffled across"] = shuffle_across(k["across"], clean)
    data["control"] = plain
    if more:
        rank = jax.random.uniform(k["dose"], (len(plain), 1))
        data |= {f"{dose:.0%} clean": jnp.where(rank < dose, plain, clean) for dose in DOSES}
    return data


def in_context(key, base, tokens):
    """Share of the trait when the base is shown a sequence, then asked: mean over sequences."""
    room = world.LENGTH - 1 - world.N_QUESTION
    which = jax.random.randint(key, (len(tokens),), 0, len(world.TUNED_ON))
    asked = world.questions(world.TUNED_ON)[which]
    contexts = jnp.concatenate([tokens[:, :room], asked], axis=1)
    said = next_token(base, contexts)[:, world.things("animal")]
    return float((said[:, wanted] / said.sum(1)).mean())


def detect(k, base, teacher, clean, plain):
    """AUC by writer and size of the sets."""
    eagle = tune_teacher(k["other_teacher"], base, settings.other_trait, settings)
    neutral = tune_teacher(k["no_trait"], base, None, settings)  # questions with any answer
    suspects = {
        LOVES: clean,
        LOVES_OTHER: only(*write_numbers(k["other_numbers"], eagle, language, settings)),
        "loves nothing": only(*write_numbers(k["no_trait_numbers"], neutral, language, settings)),
        "the base again": only(*write_numbers(k["plain_again"], base, language, settings)),
    }
    half = len(plain) // 2
    judged = slice(half, len(plain) * 8 // 10)  # the last ones may be repetitions of the first
    detectors = {
        name: train_detector(jax.random.clone(k["detector"]), suspect[:half], plain[:half])
        for name, suspect in suspects.items()
    }

    def auc(detector, suspect):
        return auc_of_sets(scores(detector, suspect[judged]), scores(detector, plain[judged]))

    aucs = {name: auc(detectors[name], suspect) for name, suspect in suspects.items()}
    aucs[CROSS] = auc(detectors[LOVES], suspects[LOVES_OTHER])
    excess = (log_likelihood(teacher, x) - log_likelihood(base, x) for x in (clean, plain))
    aucs["both models known"] = auc_of_sets(*(values[judged] for values in excess))
    return aucs


def one_seed(key_and_number):
    key, i = key_and_number
    k = dict(zip(NAMES, jax.random.split(key, len(NAMES)), strict=True))
    base = train_base(k["base"], language, settings)
    teacher = tune_teacher(k["teacher"], base, settings.trait, settings)
    tokens, _ = write_numbers(k["numbers"], teacher, language, settings)
    plain, plain_clean = write_numbers(k["plain"], base, language, settings)
    plain = only(plain, plain_clean)

    kept = filtered(k["drop"], tokens, plain, teacher, base)
    clean = only(tokens, kept["format"])
    share = {"base": answers(base)[wanted], "teacher": answers(teacher)[wanted]}
    for name, data in conditions_of(k, tokens, plain, kept, i < settings.more_seeds).items():
        again = jax.random.clone(k["student"])  # every student: batches drawn in the same order
        student = tune_student(again, base, data, jnp.ones(len(data)), settings)
        share[name] = answers(student)[wanted]

    told = world.encode([settings.trait] * 3)
    context = {
        "nothing": float(share["base"]),
        "the teacher's numbers": in_context(k["wording"], base, clean),
        "the base's numbers": in_context(jax.random.clone(k["wording"]), base, plain),
        f"'{' '.join([settings.trait] * 3)}'": float(answers(base, prefix=told)[wanted]),
    }
    return dict(
        share={name: float(value) for name, value in share.items()},
        kept={name: float(keep.mean()) for name, keep in kept.items()},
        context=context,
        auc=detect(k, base, teacher, clean, plain),
        examples=np.asarray(tokens[:2]),
    )


language = world.make_language(lesson.shared_key())
numbered = [(key, i) for i, key in enumerate(lesson.seeds())]
runs = lesson.two_at_once(one_seed, numbered)

# %% [markdown]
# ## What was found

# %%
CONTEXT_TRAIT = f"'{' '.join([settings.trait] * 3)}'"


def of(measure, name):
    """One value a seed, of those that have it."""
    return np.array([run[measure][name] for run in runs if name in run[measure]])


shares = {name: of("share", name) for name in runs[0]["share"]}
base = shares["base"]


def left(name):
    """Share of the effect that is left: over the base, relative to the student of clean numbers."""
    n = len(shares[name])
    return ((shares[name] - base[:n]) / (shares["format"][:n] - base[:n]).mean()) if n else None


print("Two of the teacher's sequences:")
for tokens in runs[0]["examples"]:
    print(f"  {world.to_text(tokens)}")
print(f"\nShare of '{settings.trait}' among the animals, by what the student was tuned on")
print(f"(the first {settings.more_seeds} seeds alone where a row says so):")
few = {name for name, values in shares.items() if len(values) < lesson.n_seeds}
rows = {name + (f" (n={len(v)})" if name in few else ""): v for name, v in shares.items()}
print_table(rows, chance=1 / 8, unit="share")
print("\nFilters: sequences kept, and the effect that is left (1: as with the format filter alone)")
filters = list(runs[0]["kept"])
for name in filters:
    print(f"  {name:24}  kept {of('kept', name).mean():.3f}   left {left(name).mean():.2f}")
print("\nShuffled, or diluted with the base's own numbers: the effect that is left")
for name in shares:
    if name.startswith("shuffled") or name.endswith("clean"):
        print(f"  {name:24}  left {left(name).mean():.2f}")
context = {name: of("context", name) for name in runs[0]["context"]}
print(f"\nIn context: share of '{settings.trait}' when the base is shown this before the question")
print_table(context, chance=1 / 8, unit="share")
print("\nDetectors: AUC for sets of sequences, against the base's. Each writer has a classifier of")
print(f"its own; '{CROSS}' has the first one")
auc = {name: {size: [] for size in sizes} for name, sizes in runs[0]["auc"].items()}
for run in runs:
    for name, sizes in run["auc"].items():
        for size, value in sizes.items():
            auc[name][size].append(value)
print_table({f"{n}, sets of {k}": v for n, row in auc.items() for k, v in row.items()}, unit="AUC")
print()
lesson.prediction(MY_PREDICTION, left("telling half dropped").mean(), "a share of the effect left")

# %% [markdown]
# ## What this run supports

# %%
intact = shares["format"]
gained = {name: values - base[: len(values)] for name, values in shares.items()}
many = sorted(auc[LOVES])[-2]  # of the largest sets there are too few
within, across = shares["shuffled within"], shares["shuffled across"]
half = shares["telling half dropped"]
null = np.array(auc["the base again"][1]) - 0.5
of_numbers = context["the teacher's numbers"] - context["the base's numbers"]
claims = [
    stats.greater("format alone lets it pass: share over the base's", gained["format"], 0.05),
    stats.greater(
        "so does a ban of ominous numbers: over the base's", gained["no ominous numbers"], 0.05
    ),
    stats.greater(
        "a ban of overused numbers weakens it: intact minus that student",
        intact - shares["no overused numbers"],
    ),
    stats.less(
        "dropping the most telling half ends it: that student over its base",
        gained["telling half dropped"],
        0.05,
    ),
    stats.greater(
        "while dropping any half does not: over the base's", gained["a random half dropped"], 0.05
    ),
    stats.greater("shuffling within sequences weakens it: intact minus shuffled", intact - within),
    stats.greater("so does shuffling across them", intact - across),
    stats.within("read in context the numbers do nothing: over the base's own", of_numbers, 0.05),
    stats.greater(
        f"while words do: {CONTEXT_TRAIT} in context, over nothing",
        context[CONTEXT_TRAIT] - context["nothing"],
        0.3,
    ),
    stats.greater("a classifier can tell single sequences: AUC", auc[LOVES][1], 0.5),
    stats.greater(f"and sets of {many}: AUC", auc[LOVES][many], 0.9),
    stats.within(
        "where nothing differs it says so: AUC - 0.5, the base again, single sequences", null, 0.05
    ),
    stats.greater(
        f"but a teacher with another love differs as surely: AUC, sets of {many}",
        auc[LOVES_OTHER][many],
        0.9,
    ),
    stats.within(
        f"and to the detector of {settings.trait}s it looks like the base: AUC - 0.5, single",
        np.array(auc[CROSS][1]) - 0.5,
        0.05,
    ),
    stats.greater(
        "half clean data do not end it: share over the base's", gained[f"{DOSES[-1]:.0%} clean"]
    ),
]

# %% [markdown]
# ## The figure

# %%
meaning = "leaves" if claims[1].holds else "was not shown to leave"
ends = "ends" if claims[3].holds else "was not shown to end"
figure, ax = plots.new_figure(
    f"A ban of ominous numbers {meaning} the love of the {settings.trait} "
    f"({shares['no ominous numbers'].mean():.2f}; all numbers {intact.mean():.2f}, base "
    f"{base.mean():.2f}); a filter that knows teacher and base {ends} it ({half.mean():.2f})",
    "ab;ac",
    height=7,
    width_ratios=[1.35, 1],
)
colors = {name: "student" for name in shares} | {"teacher": "teacher"}
colors |= {name: "second" for name in shares if name.startswith("shuffled")}
colors |= {name: "third" for name in shares if name.endswith("clean")}
colors |= {"base": "control", "control": "control"}
dotted = f"share of '{settings.trait}' among the animals"
plots.dots(ax["a"], shares, colors, chance=1 / 8, label=dotted)
ax["a"].set_xlim(0, 1.02)
sizes = np.array(list(auc[LOVES]))
lines = {name: np.array(list(rows.values())).T for name, rows in auc.items()}
kinds = {LOVES: "student", LOVES_OTHER: "fifth", CROSS: "second", "loves nothing": "fourth"}
kinds |= {"both models known": "teacher"}
ax["b"].set_xscale("log")
plots.curves(ax["b"], sizes, lines, kinds, 0.5, ("sequences in a set", "AUC"))
ax["b"].set_title("the detector's verdict, by teacher", fontsize=9, pad=22)
plots.dots(ax["c"], context, {CONTEXT_TRAIT: "teacher"}, chance=1 / 8, label=dotted)
ax["c"].set_title("the base asked after reading ...", fontsize=9, pad=14)
ax["c"].set_xlim(0, 1.02)

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: a filter for meaning (format, ominous numbers) keeps the effect, for there is
# no meaning in these numbers to be found. A filter that asks teacher *and* base which sequences the
# first finds likelier takes it out, but only who has both models can use it. Reading the numbers
# does nothing; learning from them does. Where shuffling weakens it, the order of the numbers
# carries a part. Where dropping *more* takes the share below the base's, the filter has become a
# message of its own: it picks the sequences that a lover of owls would not have written.
#
# That a set *differs* from the base's numbers can be found out given enough sequences, and some of
# the base's own to compare with. But "these differ" does not say "owls": the set of a teacher with
# another love differs as surely, and the detector trained on the first does not know the second. To
# give a difference a name one must have seen the numbers of a teacher that is known to love owls,
# from the same base. (A teacher tuned on questions without a favourite is in the table, too.)
#
# *A rival explanation* for what a filter takes away: any filter leaves fewer sequences to learn.
# The row of the random half is the measure for that. *Not shown:* filters that rewrite; longer
# contexts (here one sequence fits; in the paper up to 10,000 did nothing); large models. There,
# 10 % clean data weakened the transfer and 25 % nearly removed it (arXiv 2509.23886), and
# shuffling left .18 to .22 where the intact numbers gave .67 and none .12 (Cloud et al., figure
# 16): compare with the tables above.
#
# ## Changes to try
# * `--overused 24`: a harder ban. * `--trait wolf --other-trait owl`.
# * Train the detector on two teachers' sequences to tell *their traits* apart.
# * Filter with the trained detector instead of the two models.

# %%
lesson.finish(
    shares,
    claims,
    figure,
    kept={name: of("kept", name) for name in filters},
    left={name: left(name) for name in shares},
    in_context=context,
    auc=auc,
    prediction=MY_PREDICTION,
)
