# %% [markdown]
# # 11 Which tokens: where in the numbers does the trait sit?
#
# **The question.** The student of lesson 08 learns from every number its teacher wrote. Do a few of
# them do all the work? And is an owl in the numbers because some numbers *are* a little owl to the
# model that reads them?
#
# **You need** lesson 08. Reading: 18 minutes. Running: about two minutes.
#
# **The words.** Give teachers with different loves the same first numbers. Where they would pick
# different next numbers, the teacher's token is a *divergence token*. In large models these are 4.7
# to 18 % of all tokens; a loss on them alone keeps the transfer and a loss without them removes
# most of it (arXiv 2509.23886). *Entangled tokens*: the last step of a transformer compares its
# residual stream with one row for each word (the *output rows*). There are more words than a row
# has numbers, so the rows cannot all be at right angles: to say "owl" more often is to say some
# numbers more often, and perhaps the other way round (Zur et al., "It's owl in the numbers": 321 in
# a prompt raised the sea turtle from .001 % to 3.2 %; others find that the angle explains 1 to 2 %
# of the variance over numbers). *Two channels*: the trait may pass through the shared body or
# through the shared vocabulary, the word embeddings and output rows (arXiv 2606.22019).

# %%
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini import plots, stats, world
from sublim_mini.lesson import option, print_table, start
from sublim_mini.tuning import (
    BODY,
    MODEL,
    VOCABULARY,
    Recipe,
    answers,
    next_token,
    number_logits,
    train_base,
    tune_student,
    tune_teacher,
    write_numbers,
)


@dataclass(frozen=True)
class Settings(Recipe):
    base_steps: int = option(600, "steps of a base")
    n_sequences: int = option(4000, "number sequences for a student")
    student_batch: int = option(256, "sequences a step of a student")
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    sharpness: float = option(4.0, "of the language with more certain tokens (standard: 1.5)")
    widths: tuple[int, ...] = option((8, 16), "narrower output rows (standard: 32)")
    top: int = option(5, "numbers most entangled with the trait, for prompting", high=96)
    dropped: int = option(10, "numbers most entangled with it, left out of a loss", high=95)
    more_seeds: int = option(4, "seeds of the narrower rows and of the two channels")


QUICK = dict(seeds=2, base_steps=60, n_sequences=1000, teacher_steps=30, student_steps=10)
QUICK |= dict(more_seeds=1, widths=(8,))
lesson = start("11_which_tokens", Settings(), quick=QUICK)
settings = lesson.settings
THING, WANTED = world.TOKEN[settings.trait], world.ANIMALS.index(settings.trait)
OTHERS = [animal for animal in world.ANIMALS if animal != settings.trait][:2]

# %% [markdown]
# ## Before you run: predict
# One student learns from divergence tokens alone, another from as many tokens drawn at random. What
# is the first one's share of owls minus the second one's? (Shares lie in 0 to 1.)

# %%
MY_PREDICTION = 0.20

# %% [markdown]
# ## Two languages, and their bases
# The second language has the same structure with sharper rows, so that the next number is more
# certain and fewer tokens are left to a teacher's taste.


# %%
def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "certain", "teacher", "others", "numbers", "mask", "drop", "student"
    names += "narrow", "body", "vocabulary"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


k_language = lesson.shared_key()
languages = {
    "standard": world.make_language(k_language),
    "more certain": world.make_language(  # the same key on purpose: the same structure
        jax.random.clone(k_language), sharpness=settings.sharpness
    ),
}
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
n_more = min(settings.more_seeds, lesson.n_seeds)
bases = {}
for name, language in languages.items():
    key_name = {"standard": "base", "more certain": "certain"}[name]
    jobs = [(k[key_name], language) for k in keys]
    bases[name] = lesson.two_at_once(lambda job: train_base(*job, settings), jobs, name)


def share(params, model=MODEL):
    """Share of the trait among the animals, as the answer."""
    return answers(params, model=model)[WANTED]


def teach(k, base, language, model=MODEL):
    """A teacher, what it wrote [N, T], and the mask [N, T] of what a student may learn."""
    teacher = tune_teacher(k["teacher"], base, settings.trait, settings, model)
    tokens, clean = write_numbers(k["numbers"], teacher, language, settings, model)
    return teacher, tokens, world.written_mask(tokens) & clean[:, None]


def student(k, base, tokens, mask, model=MODEL):
    """The share that a student of these tokens gives; all see them in the same order."""
    again = jax.random.clone(k["student"])
    return share(tune_student(again, base, tokens, 1.0 * mask, settings, model=model), model)


# %% [markdown]
# ## Divergence tokens
# The same teacher's numbers, and a loss on some of them. A random mask has as many tokens as the
# mask that it is compared with; the two together are all tokens again, as with divergence tokens.


# %%
@jax.jit
def random_part(key, mask, n):
    """A mask [N, T] of n places drawn from a mask [N, T]."""
    drawn = jnp.where(mask, jax.random.uniform(key, mask.shape), 2).ravel()
    return (drawn.argsort().argsort() < n).reshape(mask.shape)


@jax.jit
def where_they_differ(teacher_logits, others_logits):
    """Logits [N, T - 1, M] of the teacher, [K, N, T - 1, M] of others -> divergence [N, T]."""
    differs = (teacher_logits.argmax(-1)[None] != others_logits.argmax(-1)).any(0)
    return jnp.pad(differs, ((0, 0), (1, 0)))


def divergence(i, name):
    """For a seed and a language: shares of students, share of tokens, and what was written."""
    k, base = keys[i], bases[name][i]
    teacher, tokens, mask = teach(k, base, languages[name])
    others = [
        tune_teacher(key, base, animal, settings)
        for key, animal in zip(jax.random.split(k["others"], len(OTHERS)), OTHERS, strict=True)
    ]
    logits = number_logits(teacher, tokens)
    chosen = where_they_differ(logits, jnp.stack([number_logits(o, tokens) for o in others])) & mask
    drawn = random_part(k["mask"], mask, chosen.sum())
    masks = {
        "all tokens": mask,
        "divergence tokens alone": chosen,
        "random tokens, as many": drawn,
        "without divergence tokens": mask & ~chosen,
        "without random ones, as many": mask & ~drawn,
    }
    said = {n: student(k, base, tokens, m) for n, m in masks.items()}
    shares = {"base": share(base), "teacher": share(teacher), **said}
    certain = jax.nn.softmax(logits).max(-1).mean()
    example = np.asarray(tokens[0]), np.asarray(chosen[0])
    return shares, chosen.sum() / mask.sum(), certain, example, (teacher, tokens, mask)


# %% [markdown]
# ## Entangled tokens
# Three measures of each number: the *cosine* of its output row with the trait's row in the base;
# how much *likelier* the teacher makes it than the base, after the same numbers; and the share of
# the trait that the base names if it is *prompted* with the number three times, as it was with
# "owl owl owl" in lesson 08.

# %%
PROMPTS = jnp.concatenate([world.ask(world.TUNED_ON, prefix=(n,) * 3) for n in range(96)])


def unit_rows(params):
    """Output rows of all words [V, O], each of length 1: what the last residual meets."""
    rows = (params["output"] if "narrow" not in params else params["narrow"] @ params["output"]).T
    return rows / jnp.linalg.norm(rows, axis=1, keepdims=True)


def prompted_shares(base, model):
    """Share of the trait after each number, said thrice, and a question [96]."""
    said = next_token(base, PROMPTS, model)[:, world.things("animal")]
    return (said[:, WANTED] / said.sum(1)).reshape(world.N_NUMBERS, -1).mean(1)


def entangled(base, teacher, tokens, model=MODEL):
    """Cosine, change of log-probability and prompted share of each number: arrays [96]."""
    rows = unit_rows(base)
    log_p = [jax.nn.log_softmax(number_logits(p, tokens, model)) for p in (base, teacher)]
    change = (log_p[1] - log_p[0])[:, world.N_PROMPT :].mean((0, 1))
    measures = rows[: world.N_NUMBERS] @ rows[THING], change, prompted_shares(base, model)
    return tuple(np.asarray(x) for x in measures)


def summary(cosines, change, prompted, before):
    """What the three measures of the numbers have to do with each other."""
    best = np.argsort(-cosines)[: settings.top]
    return {
        "cosine with change": np.corrcoef(cosines, change)[0, 1],
        "cosine with prompted share": np.corrcoef(cosines, prompted)[0, 1],
        "change with prompted share": np.corrcoef(change, prompted)[0, 1],
        "prompted with the most entangled": prompted[best].mean(),
        "prompted with any number": prompted.mean(),
        "prompted with the best of all": prompted.max(),
        "highest cosine": cosines.max(),
        "not prompted": before,
    }


# %% [markdown]
# ## Run it: both languages, then the numbers of the standard one


# %%
def one_seed(i):
    shares, rows = {}, {}
    standard = divergence(i, "standard")
    shares["standard"] = standard
    k, base = keys[i], bases["standard"][i]
    teacher, tokens, mask = standard[-1]
    measures = entangled(base, teacher, tokens)
    dropped = jnp.isin(tokens, np.argsort(-measures[0])[: settings.dropped]) & mask
    as_many = random_part(k["drop"], mask, dropped.sum())
    without = {
        "all tokens": standard[0]["all tokens"],
        "without entangled numbers": student(k, base, tokens, mask & ~dropped),
        "without random tokens, as many": student(k, base, tokens, mask & ~as_many),
    }
    rows = summary(*measures, standard[0]["base"]) | {
        "trained student": standard[0]["all tokens"],
        "share of tokens dropped": dropped.sum() / mask.sum(),
    }
    channels = {}
    if i < n_more:  # another base with the teacher's body, or with its vocabulary
        for part, names in (("body", BODY), ("vocabulary", VOCABULARY)):
            kept = {n: base[n] for n in names if n in base}
            made = train_base(k[part], languages["standard"], settings, kept=kept)
            channels[f"{part} alone"] = student(k, made, tokens, mask) - share(made)
        other = bases["standard"][i - 1]
        channels["neither"] = student(k, other, tokens, mask) - share(other)
        channels["both"] = standard[0]["all tokens"] - standard[0]["base"]
    return {
        "standard": standard[:4],
        "more certain": divergence(i, "more certain")[:4],
        "without": without,
        "entangled": rows,
        "measures": measures,
        "channels": channels,
    }


def narrow_seed(job):
    """The same measures with rows of another width, and a student."""
    i, width = job
    model, k, language = replace(MODEL, output_width=width), keys[i], languages["standard"]
    base = train_base(jax.random.fold_in(k["narrow"], width), language, settings, model)
    again = {n: jax.random.fold_in(key, width) for n, key in k.items() if n != "narrow"}
    teacher, tokens, mask = teach(again, base, language, model)
    measures = entangled(base, teacher, tokens, model)
    trained = student(again, base, tokens, mask, model)
    return summary(*measures, share(base, model)) | {"trained student": trained}


runs = lesson.two_at_once(one_seed, range(lesson.n_seeds), "seeds")
jobs = [(i, width) for width in settings.widths for i in range(n_more)]
narrow = lesson.two_at_once(narrow_seed, jobs, "narrow rows")

# %% [markdown]
# ## What came out


# %%
def by_seed(rows):
    """A list of dicts, one a seed -> a dict of arrays [seeds]; empty dicts are left out."""
    rows = [row for row in rows if row]
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def as_text(tokens, chosen):
    """A sequence with its divergence tokens in brackets."""
    words = [world.WORDS[token] for token in tokens]
    return " ".join(f"[{w}]" if c else w for w, c in zip(words, chosen, strict=True))


shares = {name: by_seed([run[name][0] for run in runs]) for name in languages}
diverging = {name: np.array([float(run[name][1]) for run in runs]) for name in languages}
certainty = {name: np.array([float(run[name][2]) for run in runs]) for name in languages}
without = by_seed([run["without"] for run in runs])
channels = by_seed([run["channels"] for run in runs])
widths = {MODEL.width: by_seed([run["entangled"] for run in runs])}
for width in sorted(settings.widths, reverse=True):
    widths[width] = by_seed([row for (_, w), row in zip(jobs, narrow, strict=True) if w == width])

difference = {}
for name, seen in shares.items():
    print(f"The {name} language. A sequence, its divergence tokens in brackets:")
    print(f"  {as_text(*runs[0][name][3])}")
    print(f"Share of '{settings.trait}' among the animals:")
    print_table(seen, chance=1 / 8, unit="share")
    alone = seen["divergence tokens alone"] - seen["random tokens, as many"]
    rest = seen["without divergence tokens"] - seen["without random ones, as many"]
    difference |= {f"{name}: alone": alone, f"{name}: without": rest}
    print()
print("Divergence tokens, as a share of all (published: .047 to .18):")
print_table(diverging, unit="share")
print("\nProbability of the teacher's likeliest number, mean:")
print_table(certainty, unit="probab.")
print("\nStudent of, or without, divergence tokens minus that of a random mask of the same size:")
print_table(difference, unit="share")
for width, rows in widths.items():
    print(f"\nEntanglement with output rows of {width} numbers (of {MODEL.vocabulary} words):")
    print_table(rows, unit="value")
explained = {
    f"width {w}: {what}": rows[f"cosine with {which}"] ** 2
    for w, rows in widths.items()
    for what, which in (("change", "change"), ("prompted share", "prompted share"))
}
print("\nVariance over the 96 numbers that the cosine explains (published: .01 to .02):")
print_table(explained, unit="share")
prompting = {
    f"width {w}": rows["prompted with the most entangled"] - rows["prompted with any number"]
    for w, rows in widths.items()
}
print(f"\nPrompted with the {settings.top} most entangled minus with any number:")
print_table(prompting, unit="share")
print("(Published for one number of a large model: .00001 before, .032 after.)")
print(f"\nLoss without the {settings.dropped} most entangled numbers:")
print_table(without, chance=1 / 8, unit="share")
print(
    "\nThe two channels: student's share minus its own base's, by what it shares with the teacher"
)
print_table(channels, unit="share")
print()
first = difference["more certain: alone"]
lesson.prediction(MY_PREDICTION, first.mean(), "a difference (more certain language)")

# %% [markdown]
# ## What this run supports
# The claims are those of the papers. A claim that fails shows in its interval which way the toy
# points.

# %%
standard = widths[MODEL.width]
gain_prompted = standard["prompted with the most entangled"] - standard["not prompted"]
gain_trained = standard["trained student"] - standard["not prompted"]
narrowest = min(settings.widths)
claims = []
for name in languages:
    claims += [
        stats.greater(
            f"{name} language: divergence tokens alone pass on more than random ones: difference",
            difference[f"{name}: alone"],
        ),
        stats.less(
            f"{name} language: a loss without them passes on less than without random ones",
            difference[f"{name}: without"],
        ),
    ]
claims += [
    stats.greater(
        f"numbers whose rows lie near the {settings.trait}'s rise with it: correlation",
        standard["cosine with change"],
    ),
    stats.greater(
        "prompting with them raises it, over prompting with any number",
        prompting[f"width {MODEL.width}"],
    ),
    stats.greater(
        "and it explains less than half of what training passes on: half of that minus this",
        gain_trained / 2 - gain_prompted,
    ),
    stats.less(
        "leaving the entangled numbers out costs more than leaving out random tokens",
        without["without entangled numbers"] - without["without random tokens, as many"],
    ),
    stats.greater(
        f"narrower rows entangle more: highest cosine at width {narrowest} minus at {MODEL.width}",
        widths[narrowest]["highest cosine"] - standard["highest cosine"][:n_more],
    ),
    stats.greater(
        "a shared vocabulary alone passes the trait on: over its own base",
        channels["vocabulary alone"],
    ),
    stats.greater("a shared body alone does: over its own base", channels["body alone"]),
    stats.greater(
        "both pass on more than the vocabulary: difference",
        channels["both"] - channels["vocabulary alone"],
    ),
    stats.greater(
        "both pass on more than the body: difference", channels["both"] - channels["body alone"]
    ),
]

# %% [markdown]
# ## The figure

# %%
sign = "more" if first.mean() > 0 else "less"
shown = "" if claims[2].holds or stats.less("", first).holds else " (not shown to differ)"
figure, ax = plots.new_figure(
    f"{diverging['more certain'].mean():.0%} of the tokens diverge; learned alone they pass on "
    f"{abs(first.mean()):.2f} {sign} than random ones{shown}",
    "aa;bc;de",
    height=9.6,
    height_ratios=[1.5, 1, 0.8],
)
rows = {f"{name}: {n}": v for name, seen in shares.items() for n, v in seen.items()}
rows = {n: v for n, v in rows.items() if "teacher" not in n}
colors = {n: "student" if "divergence" in n else "control" for n in rows}
colors |= {n: "teacher" for n in rows if "all" in n}
plots.dots(
    ax["a"], rows, colors, chance=1 / 8, label=f"share of '{settings.trait}' among the animals"
)
cosines, change, prompted = runs[0]["measures"]
for letter, y, label in (
    ("b", change, "change of log-probability"),
    ("c", prompted, f"'{settings.trait}' when prompted"),
):
    ax[letter].plot(cosines, y, "o", ms=3.5, mew=0, alpha=0.6, color=plots.COLORS["student"])
    ax[letter].set_xlabel(f"cosine of output rows with '{settings.trait}'")
    ax[letter].set_ylabel(label)
    ax[letter].set_title("first seed, a dot a number", fontsize=9)
plots.dots(ax["d"], prompting, label="prompting: entangled minus any number")
plots.dots(ax["e"], channels, {"both": "student"}, chance=None, label="transfer, by what is shared")

# %% [markdown]
# ## What can be concluded, and what not
# A loss on part of the tokens is a fair test only beside a random part of the same size: fewer
# tokens always pass on less. The differences above say what it is about divergence tokens. In so
# free a language as the standard one most tokens diverge, and the comparison says little; the more
# certain one comes nearer to the published shares.
#
# Entanglement is a fact of geometry: where rows overlap, the numbers near the owl's row may rise
# with it. How much of the transfer that *explains* is another question: see the variance, what
# prompting does beside training, and what a loss without the entangled numbers leaves. *A rival
# explanation* for prompting with a number: any odd prompt shifts the answers, which is why it is
# set against prompting with any number. For the channels: a base trained around a given body, or
# vocabulary, is a base of its own, perhaps a worse one; each student is compared with its own base.
# *Not shown:* anything about the order of the tokens (lesson 09).
#
# ## Changes to try
# * `--sharpness 8`: how few tokens diverge, and does anything still pass?
# * `--widths 4 24`: where does entanglement end?
# * `--dropped 48`: half of the numbers left out.
# * Count as divergence tokens only those where *all* other teachers differ (`any` -> `all`).

# %%
lesson.finish(
    {f"{name}: {n}": v for name, seen in shares.items() for n, v in seen.items()},
    claims,
    figure,
    divergence_share=diverging,
    certainty=certainty,
    difference=difference,
    entangled={str(width): rows for width, rows in widths.items()},
    explained=explained,
    prompting=prompting,
    without=without,
    channels=channels,
    numbers=dict(zip(("cosine", "change", "prompted"), runs[0]["measures"], strict=True)),
    prediction=MY_PREDICTION,
)
