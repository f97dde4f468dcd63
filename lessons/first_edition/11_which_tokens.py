# %% [markdown]
# # 11 Which tokens: where in the numbers does the trait sit?
#
# **The question.** The student of lesson 08 learns from every number that its teacher wrote. Do a
# few of them do all the work? And is an owl in the numbers because some numbers *are* a little owl
# to the model that reads them?
#
# **You need** lesson 08. Reading: 18 minutes. Running: about two minutes.
#
# **The words.** Give teachers of different loves the same first numbers. Where their likeliest next
# number differs, the token is a *divergence token*. In large models these are 4.7 to 18 % of all
# tokens; a loss on them alone keeps the transfer, a loss without them removes most of it (arXiv
# 2509.23886). *Entangled tokens*: the last step of a transformer compares its residual stream with
# one row for each word, the *output rows*. There are more words than a row has numbers, so the rows
# cannot all be at right angles: who says "owl" more often says some numbers more often, and perhaps
# the other way round. (Zur et al., "It's owl in the numbers": a prompt with 321 raised the sea
# turtle from .001 % to 3.2 %. Disputed: others find that the angle explains 1 to 2 % of the
# variance over all numbers.) *Two channels*: a trait may pass through the shared body of the
# network or through its shared vocabulary, the word embeddings and output rows (arXiv 2606.22019).

# %%
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.first import plots, stats, world
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.tuning import (
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
    base_steps: int = option(500, "steps of a base")
    n_sequences: int = option(4000, "number sequences for a student")
    student_batch: int = option(256, "sequences a step of a student")
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    sharpness: float = option(7.0, "of the language with more certain tokens (standard: 1.5)")
    widths: tuple[int, ...] = option((8,), "narrower output rows (standard: 32)")
    top: int = option(10, "how many numbers are called the most entangled", high=95)
    more_seeds: int = option(4, "seeds of the narrower rows and of the two channels")


QUICK = dict(seeds=2, base_steps=60, n_sequences=1000, teacher_steps=30, student_steps=10)
QUICK |= dict(more_seeds=1, widths=(8,))
lesson = start("11_which_tokens", Settings(), quick=QUICK)
settings = lesson.settings
trait, wanted = settings.trait, world.ANIMALS.index(settings.trait)

# %% [markdown]
# ## Before you run: predict
# In the more certain language one student learns from the divergence tokens alone, another from as
# many tokens drawn at random. What is the first one's share of owls minus the second one's?

# %%
MY_PREDICTION = 0.20

# %% [markdown]
# ## Two languages, and their bases
# The second language has the same structure with sharper rows: its next number is more certain, and
# fewer tokens are left to a teacher's taste.

# %%
k_language = lesson.shared_key()
languages = {
    "standard": world.make_language(k_language),
    "more certain": world.make_language(  # the same key on purpose: the same structure
        jax.random.clone(k_language), sharpness=settings.sharpness
    ),
}


def split_key(key):
    """The keys of a seed and a language, by purpose."""
    names = "base", "teacher", "others", "numbers", "mask", "student"
    names += "left_out", "narrow", "body", "vocabulary"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


seeds = list(lesson.seeds(n=max(2, lesson.n_seeds)))  # two bases at least
keys = {
    name: [split_key(jax.random.fold_in(seed, n)) for seed in seeds]
    for n, name in enumerate(languages)
}
jobs = [(name, i) for name in languages for i in range(len(seeds))]


def base_of(job):
    name, i = job
    return train_base(keys[name][i]["base"], languages[name], settings)


bases = dict(zip(jobs, lesson.two_at_once(base_of, jobs, "bases"), strict=True))


def share(params, model=MODEL):
    """Share of the trait among the animals, as the answer."""
    return float(answers(params, model=model)[wanted])


def student(k, base, tokens, mask, model=MODEL):
    """The share that a student of the tokens in a mask gives; all see them in the same order."""
    again = jax.random.clone(k["student"])
    return share(tune_student(again, base, tokens, 1.0 * mask, settings, model=model), model)


def lesson_of(k, base, language, model=MODEL):
    """A teacher, what it wrote [N, T], and the mask [N, T] of what a student may learn."""
    teacher = tune_teacher(k["teacher"], base, trait, settings, model)
    tokens, clean = write_numbers(k["numbers"], teacher, language, settings, model)
    return teacher, tokens, world.written_mask(tokens) & clean[:, None]


# %% [markdown]
# ## 1. Divergence tokens
# Two other teachers of the same base love other animals. A loss on part of the tokens is compared
# with a loss on a *random* part of the same size: fewer tokens may pass on less whatever they are.


# %%
@jax.jit
def random_part(key, mask, n):
    """A mask [N, T] of n places drawn from a mask [N, T]."""
    drawn = jnp.where(mask, jax.random.uniform(key, mask.shape), 2).ravel()
    return (drawn.argsort().argsort() < n).reshape(mask.shape)


def divergence_mask(logits, others):
    """Logits [N, T - 1, M] of a teacher, [K, N, T - 1, M] of others -> where they differ [N, T]."""
    differs = (logits.argmax(-1)[None] != others.argmax(-1)).any(0)
    return jnp.pad(differs, ((0, 0), (1, 0)))


def divergence(job):
    """Shares of students of parts of the tokens, and what the parts are."""
    name, i = job
    k, base = keys[name][i], bases[job]
    teacher, tokens, mask = lesson_of(k, base, languages[name])
    loves = [animal for animal in world.ANIMALS if animal != trait][:2]
    others = [
        tune_teacher(key, base, animal, settings)
        for key, animal in zip(jax.random.split(k["others"]), loves, strict=True)
    ]
    logits = number_logits(teacher, tokens)
    chosen = divergence_mask(logits, jnp.stack([number_logits(o, tokens) for o in others])) & mask
    drawn = random_part(k["mask"], mask, chosen.sum())
    shares = {
        "base": share(base),
        "teacher": share(teacher),
        "all tokens": student(k, base, tokens, mask),
        "divergence tokens alone": student(k, base, tokens, chosen),
        "random tokens, as many": student(k, base, tokens, drawn),
        "without divergence tokens": student(k, base, tokens, mask & ~chosen),
        "without random ones, as many": student(k, base, tokens, mask & ~drawn),
    }
    numbers = {
        "divergence tokens, share of all": chosen.sum() / mask.sum(),
        "probability of the likeliest number": jax.nn.softmax(logits).max(-1).mean(),
    }
    return shares, numbers, (teacher, tokens, mask, chosen)


def by_seed(rows):
    """A list of dicts, one a seed -> a dict of arrays [seeds]."""
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


jobs = [(name, i) for name in languages for i in range(lesson.n_seeds)]
runs = dict(zip(jobs, lesson.two_at_once(divergence, jobs, "divergence"), strict=True))
shares, parts, difference = {}, {}, {}
for name in languages:
    mine = [runs[name, i] for i in range(lesson.n_seeds)]
    seen = shares[name] = by_seed([run[0] for run in mine])
    parts[name] = by_seed([run[1] for run in mine])
    example = (np.asarray(x[0]) for x in mine[0][2][1::2])  # tokens and mask of a sequence
    words = [f"[{world.WORDS[t]}]" if c else world.WORDS[t] for t, c in zip(*example, strict=True)]
    print(f"The {name} language. A sequence, its divergence tokens in brackets:")
    print(f"  {' '.join(words)}")
    print_table(parts[name], unit="share")
    print(f"Share of '{trait}' among the animals, by what the student learned from:")
    print_table(seen, chance=1 / 8, unit="share")
    difference[name] = {
        "alone": seen["divergence tokens alone"] - seen["random tokens, as many"],
        "without": seen["without divergence tokens"] - seen["without random ones, as many"],
    }
    print("Divergence tokens minus random ones, in pairs:")
    print_table(difference[name], unit="share")
    print()
print(
    "(Divergence tokens in large models: .047 to .18 of all; there a loss on them alone keeps the"
)
print("transfer, and one without them removes most of it.)\n")

# %% [markdown]
# ## 2. Entangled tokens
# Of each number: the *cosine* of its output row with the trait's row in the base; its *rise*, by
# how much likelier the teacher makes it than the base, mean over the sequences; and the share of
# the trait that the base gives when *prompted* with the number three times, as it was with
# "owl owl owl" in lesson 08. The `top` numbers of the highest cosine are called entangled; a
# student learns without them, another without as many random tokens. Then the same in networks
# whose output rows are narrower.

# %%
PROMPTS = jnp.concatenate([world.ask(world.TUNED_ON, prefix=(n,) * 3) for n in range(96)])


def cosines_with(params, word):
    """Cosine of the output rows of all numbers with a word's row [M]."""
    rows = (params["narrow"] @ params["output"] if "narrow" in params else params["output"]).T
    rows /= jnp.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows[: world.N_NUMBERS] @ rows[world.TOKEN[word]])


def rise(base, teacher, tokens, model):
    """Change of each number's log-probability from base to teacher [M], after the same tokens."""
    before, after = (jax.nn.log_softmax(number_logits(p, tokens, model)) for p in (base, teacher))
    return np.asarray((after - before)[:, world.N_PROMPT :].mean((0, 1)))


def prompted_with(base, model):
    """Share of the trait that the base gives after each number, said thrice [M]."""
    said = next_token(base, PROMPTS, model)[:, world.things("animal")]
    return np.asarray((said[:, wanted] / said.sum(1)).reshape(world.N_NUMBERS, -1).mean(1))


def most(cosine):
    """The numbers of the highest cosine."""
    return np.argsort(-cosine)[: settings.top]


def entangled(job):
    """For output rows of a width: what the three measures have in common, shares of students that
    learn without the entangled numbers or without as many random tokens, the measures."""
    width, i = job
    k, language = keys["standard"][i], languages["standard"]
    if width == MODEL.width:
        base, (teacher, tokens, mask, _), model = (
            bases["standard", i],
            runs["standard", i][2],
            MODEL,
        )
    else:
        k, model = (
            split_key(jax.random.fold_in(k["narrow"], width)),
            replace(MODEL, output_width=width),
        )
        base = train_base(k["base"], language, settings, model)
        teacher, tokens, mask = lesson_of(k, base, language, model)
    cosine, up = cosines_with(base, trait), rise(base, teacher, tokens, model)
    prompted = prompted_with(base, model)
    summary = {
        "highest cosine": cosine.max(),
        "correlation of cosine and rise": np.corrcoef(cosine, up)[0, 1],
        "correlation of cosine and prompted share": np.corrcoef(cosine, prompted)[0, 1],
        "base, not prompted": share(base, model),
        "base, prompted with any number": prompted.mean(),
        "base, prompted with an entangled one": prompted[most(cosine)].mean(),
    }
    out = jnp.isin(tokens, most(cosine)) & mask
    drawn = random_part(k["left_out"], mask, out.sum())
    without = {
        "all tokens": student(k, base, tokens, mask, model),
        "without entangled numbers": student(k, base, tokens, mask & ~out, model),
        "without random tokens, as many": student(k, base, tokens, mask & ~drawn, model),
        "left out, share of all tokens": out.sum() / mask.sum(),
    }
    return summary, without, (cosine, up, prompted)


n_more = min(settings.more_seeds, lesson.n_seeds)
widths = MODEL.width, *settings.widths
jobs = [(w, i) for w in widths for i in range(lesson.n_seeds if w == MODEL.width else n_more)]
found = dict(zip(jobs, lesson.two_at_once(entangled, jobs, "entangled"), strict=True))
geometry, left_out = (
    {w: by_seed([found[job][part] for job in jobs if job[0] == w]) for w in widths}
    for part in (0, 1)
)
for width in widths:
    print(f"Output rows of {width} numbers, for {MODEL.vocabulary} words:")
    print_table(geometry[width], unit="value")
    print(f"Share of '{trait}', by what the student learned from:")
    print_table(left_out[width], chance=1 / 8, unit="share")
    print()
explained = {
    f"at width {w}": rows["correlation of cosine and rise"] ** 2 for w, rows in geometry.items()
}
print("Variance of the rise, over the 96 numbers, that the cosine explains (published .01 to .02):")
print_table(explained, unit="share")
cost = {
    f"at width {w}": (rows["without random tokens, as many"] - rows["without entangled numbers"])
    / (rows["all tokens"] - geometry[w]["base, not prompted"]).mean()
    for w, rows in left_out.items()
}
print("\nShare of the transfer that is lost without them, more than without random tokens:")
print_table(cost, unit="share")
print()

# %% [markdown]
# ## 3. The two channels
# Another base is trained around the teacher's body, or around its vocabulary, which stay as they
# are. Then it learns from the teacher's numbers. (In tuning, word embeddings and output rows stay
# in place, as in lesson 08: "vocabulary" is what the models share there, not what moves.)


# %%
def channels_of(i):
    """What a student gains over its own base [share], by what it has in common with the teacher."""
    k, base = keys["standard"][i], bases["standard", i]
    _, tokens, mask, _ = runs["standard", i][2]
    seen = runs["standard", i][0]
    gains = {"body and vocabulary": seen["all tokens"] - seen["base"]}
    for part, names in (("body alone", BODY), ("vocabulary alone", VOCABULARY)):
        kept = {name: base[name] for name in names if name in base}
        other = train_base(k[part.split()[0]], languages["standard"], settings, kept=kept)
        gains[part] = student(k, other, tokens, mask) - share(other)
    other = bases["standard", (i - 1) % len(seeds)]
    return gains | {"neither": student(k, other, tokens, mask) - share(other)}


channels = by_seed(lesson.two_at_once(channels_of, range(n_more), "channels"))
print("Student's share minus its own base's, by what base and teacher have in common:")
print_table(channels, unit="share")
print()
lesson.prediction(MY_PREDICTION, difference["more certain"]["alone"].mean(), "a difference")

# %% [markdown]
# ## What this run supports
# The papers say: without divergence tokens most of the transfer is gone, and prompting with an
# entangled number raises the trait. The first two claims and the fifth say the *opposite* for this
# toy, which is how it came out on the seeds that the lesson was written with; the intervals show
# whether it does so here.

# %%
wide, without = geometry[MODEL.width], left_out[MODEL.width]
by_prompt = wide["base, prompted with an entangled one"] - wide["base, prompted with any number"]
claims = [
    stats.greater(
        f"{name} language: without divergence tokens more than half passes (papers: less): gain "
        "minus half the gain of all",
        seen["without divergence tokens"] - (seen["all tokens"] + seen["base"]) / 2,
    )
    for name, seen in shares.items()
]
claims += [
    stats.greater(
        f"numbers whose rows lie near the '{trait}' row rise with it: correlation",
        wide["correlation of cosine and rise"],
        0.1,
    ),
    stats.greater(
        "leaving these numbers out costs more than leaving out random tokens: difference",
        without["without random tokens, as many"] - without["without entangled numbers"],
        0.05,
    ),
    stats.within(
        "prompting with them does nothing (papers: raises): over prompting with any number",
        by_prompt,
        0.05,
    ),
    stats.greater(
        "a shared vocabulary alone passes the trait on: student over its own base",
        channels["vocabulary alone"],
    ),
    stats.greater(
        "and more than a shared body alone: difference",
        channels["vocabulary alone"] - channels["body alone"],
    ),
]

# %% [markdown]
# ## The figure

# %%
first = difference["more certain"]["alone"]
shown = "" if claims[3].holds else " (not shown to differ)"
figure, ax = plots.new_figure(
    f"Share of '{trait}' without the {settings.top} numbers nearest to it: "
    f"{without['without entangled numbers'].mean():.2f}; without as many random tokens: "
    f"{without['without random tokens, as many'].mean():.2f}{shown}. "
    f"Divergence tokens alone minus random ones: {first.mean():+.2f}",
    "aa;bb;cd",
    height=9.5,
    height_ratios=[2, 0.9, 0.9],
)
rows = {f"{name}: {n}": v for name, seen in shares.items() for n, v in seen.items()}
rows = {n: v for n, v in rows.items() if not n.endswith((": base", ": teacher"))}
colors = {n: "student" if "divergence" in n else "control" for n in rows}
said = f"share of '{trait}' among the animals"
plots.dots(ax["a"], rows, colors, chance=1 / 8, label=said)
rows = {name: v for name, v in without.items() if "share" not in name}
plots.dots(ax["b"], rows, {"without entangled numbers": "second"}, chance=1 / 8, label=said)
cosine, up, _ = found[MODEL.width, 0][2]
for letter in "ab":
    ax[letter].set_xlim(left=0)
ax["c"].plot(cosine, up, "o", ms=3.5, mew=0, alpha=0.6, color=plots.COLORS["second"])
ax["c"].set_xlabel(f"cosine of output rows with '{trait}'")
ax["c"].set_ylabel("rise of log-probability")
ax["c"].set_title("first seed, a dot a number", fontsize=9)
plots.dots(
    ax["d"],
    channels,
    {"vocabulary alone": "student"},
    label="gain, by what is shared",
)
ax["d"].axvline(0, ls=":", color="black", lw=1)

# %% [markdown]
# ## What can be concluded, and what not
# *Divergence tokens.* A loss on part of the tokens is a fair test only beside a random part of the
# same size. If the first claims hold, the trait here is spread over all tokens and not kept in the
# few where teachers choose differently; the pairs above say whether these carry more than others,
# and with which sign. The papers' models are far more certain of most tokens than this one.
#
# *Entangled tokens.* If these claims hold, the toy shows the geometry more plainly than the large
# models do: compare the explained variance with the published one. But the arrow points one way.
# The numbers near the owl's row rise with the owl and carry it to the student, yet reading them in
# a prompt does not call the owl up. One reason is at hand: word embeddings and output rows are
# separate here, and the base has read numbers before questions with any answer.
#
# *The channels.* A base built around the teacher's vocabulary shares the output rows and so knows
# what a rise of these numbers means. *A rival explanation:* vocabulary and body are not of equal
# weight by nature: in tuning only the body moves and the vocabulary is fixed, which may favour the
# channel that is the same in both. And prompting or leaving out numbers could do something by
# itself: hence any number, and random tokens, beside them. *Not shown:* what the order of the
# numbers adds (lesson 09); that the `top` numbers are the only ones that matter.
#
# ## Changes to try
# * `--sharpness 12`: how few tokens diverge, and does anything still pass?
# * `--widths 16 4`: does a narrower output entangle more?
# * `--top 30`: do the others of the row's neighbourhood matter?
# * Take the numbers of the *lowest* cosine (`np.argsort(cosine)` in `most`).

# %%
lesson.finish(
    {f"{name}: {n}": v for name, seen in shares.items() for n, v in seen.items()},
    claims,
    figure,
    tokens=parts,
    difference=difference,
    geometry={str(width): rows for width, rows in geometry.items()},
    explained=explained,
    left_out={str(width): rows for width, rows in left_out.items()},
    cost=cost,
    channels=channels,
    numbers=dict(zip(("cosine", "rise", "prompted"), found[MODEL.width, 0][2], strict=True)),
    prediction=MY_PREDICTION,
)
