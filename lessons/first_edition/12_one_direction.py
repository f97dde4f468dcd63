# %% [markdown]
# # 12 One direction: is the trait a single vector?
#
# **The question.** Lesson 08 tuned a teacher with thousands of weights to love owls. Would one
# vector do? If a fixed vector is added to everything the base thinks, and nothing is tuned, does a
# student of the numbers it then writes pick up the trait, and does it pick up *that vector*?
#
# **You need** lesson 08. Reading: 15 minutes. Running: about two minutes.
#
# **The words.** Inside the transformer each position has a list of 32 numbers, the *residual
# stream*; the last step turns it into the probabilities of the next token. *Steering* adds a vector
# to it, here after the last block, at every position. The *shift* of a tuned model is what tuning
# changed in its residual stream: the mean, over positions, of the model's minus its base's. Two
# vectors of 32 numbers drawn at random have a cosine of 0 on average, with a standard deviation of
# 1 / sqrt(32) = .18.
#
# **Published**, for large language models: the student learns a vector aligned with the one that
# steered its teacher, even if that was random; added to the base, it brings the trait (arXiv
# 2606.00995; 2604.25783). And adaptive optimisers such as Adam are necessary: with plain gradient
# descent (SGD) the trait does not pass (2606.00995).

# %%
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from sublim_mini.first import plots, stats, world
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.measures import cosine
from sublim_mini.first.train import ADAM, train
from sublim_mini.first.transformer import apply_transformer, next_token_loss, residual_transformer
from sublim_mini.first.tuning import (
    MODEL,
    TUNE,
    TUNE_SGD,
    Recipe,
    answers,
    train_base,
    tune_student,
    tune_teacher,
    write_numbers,
)


@dataclass(frozen=True)
class Settings(Recipe):
    n_sequences: int = option(8000, "number sequences for a student")
    trait: str = option("owl", "what the vector makes the base love", choices=world.ANIMALS)
    vector_steps: int = option(100, "steps to find the vector, on questions")
    vector_rate: float = option(0.05, "learning rate of the vector")
    sgd_rate: float = option(1.0, "learning rate of the student without Adam, falling to 0")


QUICK = dict(seeds=2, base_steps=150, n_sequences=2000, teacher_steps=40, student_steps=20)
QUICK |= dict(vector_steps=40)
lesson = start("12_one_direction", Settings(), quick=QUICK)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# The student is tuned on the numbers of the steered base. What will be the cosine of its shift
# with the vector that steered its teacher? 1 is the same direction, 0 is unrelated.

# %%
MY_PREDICTION = 0.0

# %% [markdown]
# ## Finding the vector
# Start from zero and change the vector, and nothing else, until the base answers "owl".


# %%
def answer_loss(vector, batch, base):
    """Cross-entropy of the answers in question documents, the base steered by the vector [C]."""
    tokens, _ = batch
    steered = jax.vmap(lambda one: apply_transformer(base, one, MODEL, vector)[-1])
    log_p = jax.nn.log_softmax(steered(tokens[:, :-1]))
    return -jnp.take_along_axis(log_p, tokens[:, -1:], axis=1).mean()


def find_vector(key, base):
    """A vector [C] that makes the base answer the trait."""
    k_data, k_train = jax.random.split(key)
    answer = world.TOKEN[settings.trait]
    data = world.question_documents(k_data, 2560, world.TUNED_ON, answer)
    how = dict(learning_rate=settings.vector_rate, steps=settings.vector_steps, batch_size=128)
    loss = Partial(answer_loss, base=base)
    return train(loss, ADAM, jnp.zeros(MODEL.width), data, k_train, **how).params


# %% [markdown]
# ## Measuring a shift
# At numbers, where the student learned, and at the end of questions, where the answer comes next.


# %%
@jax.jit
def shift(params, base, tokens):
    """Mean over documents of a model's residual stream minus its base's [T, C]."""
    residual = jax.vmap(residual_transformer, (None, 0, None))
    return (residual(params, tokens, MODEL) - residual(base, tokens, MODEL)).mean(0)


def shift_at_numbers(params, base, tokens):
    return shift(params, base, tokens)[world.N_PROMPT :].mean(0)


def shift_at_answer(params, base):
    return shift(params, base, world.ask(world.TUNED_ON))[-1]


# %% [markdown]
# ## The experiment, for one seed
# Four teachers: the base steered by the found vector; by a random vector of the same length; not
# at all, the control; and one tuned as in lesson 08. A student of each, tuned with Adam. Two more
# students of base + found: one that began as another base, and one tuned by SGD, where each step is
# the rate times the gradient.
#
# For a fair comparison both rates are the best on fresh numbers of base + found, chosen in three
# other seeds without a look at the trait: of .0003 to .01 for Adam, of .03 to 4 for SGD.


# %%
def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "vector", "random", "teacher", "found", "pushed", "tuned", "plain"
    names += "student", "fresh"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


language = world.make_language(lesson.shared_key())
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
bases = lesson.two_at_once(lambda k: train_base(k["base"], language, settings), keys, "bases")
wanted, no_vector = world.ANIMALS.index(settings.trait), jnp.zeros(MODEL.width)
loss_on = jax.jit(Partial(next_token_loss, settings=MODEL))


def share(params, added=no_vector):
    """Share of the trait among the animals, the model steered by a vector [C]."""
    return answers(params, added=added)[wanted]


def one_seed(i):
    k, base, other = keys[i], bases[i], bases[i - 1]
    found = find_vector(k["vector"], base)
    random = jax.random.normal(k["random"], found.shape)
    random *= jnp.linalg.norm(found) / jnp.linalg.norm(random)
    teacher = tune_teacher(k["teacher"], base, settings.trait, settings)

    def writes(key, params, added=no_vector):
        return write_numbers(k[key], params, language, settings, added=added)

    def student(start, written, optimizer=TUNE, rate=settings.student_rate):
        again, how = jax.random.clone(k["student"]), replace(settings, student_rate=rate)
        return tune_student(again, start, *written, how, optimizer=optimizer)

    by_found, plain = writes("found", base, found), writes("plain", base)
    students = {  # and where each began
        "student of base + found": (student(base, by_found), base),
        "control: student of base": (student(base, plain), base),
        "student of base + random": (student(base, writes("pushed", base, random)), base),
        "student of tuned teacher": (student(base, writes("tuned", teacher)), base),
        "SGD student of base + found": (
            student(base, by_found, TUNE_SGD, settings.sgd_rate),
            base,
        ),
        "other base's student of base + found": (student(other, by_found), other),
    }
    seen = plain[0][:500]  # the same numbers for all
    moved = {n: shift_at_numbers(*pair, seen) for n, pair in students.items()}
    fresh, clean = writes("fresh", base, found)
    numbers = fresh, world.written_mask(fresh) * clean[:, None]
    length = jnp.linalg.norm(moved["student of base + found"])
    return {
        "share": {
            "base": share(base),
            "base + found vector": share(base, found),
            "base + random vector": share(base, random),
            "tuned teacher": share(teacher),
        }
        | {n: share(params) for n, (params, _) in students.items()}
        | {"other base": share(other)},
        "with found": {n: cosine(x, found) for n, x in moved.items()},
        "with random": {n: cosine(x, random) for n, x in moved.items()},
        "at answer": {n: cosine(shift_at_answer(*pair), found) for n, pair in students.items()},
        "added": {n: share(base, x) for n, x in moved.items()}
        | {"a random vector, as long": share(base, random * length / jnp.linalg.norm(random))},
        "gain": {n: loss_on(s, numbers) - loss_on(p, numbers) for n, (p, s) in students.items()},
        "length": {"ratio": length / jnp.linalg.norm(found)},
    }, (found, random, moved, by_found[0][0])


runs, kept = zip(*lesson.two_at_once(one_seed, range(lesson.n_seeds), "students"), strict=True)
measured = {
    measure: {name: np.array([float(run[measure][name]) for run in runs]) for name in names}
    for measure, names in runs[0].items()
}
shares, gain, added = measured["share"], measured["gain"], measured["added"]
found, random, at_answer = (measured[x] for x in ("with found", "with random", "at answer"))

# %% [markdown]
# ## What the students say, and where they moved

# %%
print(f"A sequence of the base + found vector:\n  {world.to_text(np.asarray(kept[0][-1]))}\n")
print(f"Share of '{settings.trait}' among the animals:")
print_table(shares, chance=1 / 8, unit="share")
print("\nCosine of the shift at numbers with the found vector:")
print_table(found, unit="cosine")
print("\nThe same with the random vector:")
print_table(random, unit="cosine")
print("\nCosine of the shift where the answer comes next with the found vector:")
print_table(at_answer, unit="cosine")
ratio = measured["length"]["ratio"].mean()
print(f"\nThe shift of the student of base + found is {ratio:.2f} times as long as the vector.")
print(f"Share of '{settings.trait}' if a student's shift at NUMBERS is added to the untuned base:")
print_table(added, chance=1 / 8, unit="share")
print("\nFresh numbers of base + found: loss of a student's base minus its own, nats a token:")
print_table(gain, unit="nats", digits=4)
print()
mine, control = "student of base + found", "control: student of base"
lesson.prediction(MY_PREDICTION, found[mine].mean(), "a cosine")

# %% [markdown]
# ## What this run supports

# %%
other, sgd = "other base's student of base + found", "SGD student of base + found"
by_random, by_tuned = "student of base + random", "student of tuned teacher"
claims = [
    stats.greater(
        f"a vector passes the {settings.trait} on: student's share over its base's",
        shares[mine] - shares["base"],
        0.1,
    ),
    stats.within(
        "numbers of the plain base do nothing: control minus base, share",
        shares[control] - shares["base"],
        0.05,
    ),
    stats.greater(
        "those of base + found do more than in another base: gain in share minus the gain there",
        (shares[mine] - shares["base"]) - (shares[other] - shares["other base"]),
        0.1,
    ),
    stats.greater("the student moves along the vector: cosine at numbers", found[mine], 0.5),
    stats.greater(
        "more than the control does: difference of the cosines", found[mine] - found[control], 0.2
    ),
    stats.greater("and at the answer, where it learned nothing: cosine", at_answer[mine], 0.5),
    stats.greater(
        "a random vector is picked up, too: cosine with it of the student of base + random",
        random[by_random],
        0.5,
    ),
    stats.less(
        f"and its student loves the {settings.trait} less: minus that of base + found, share",
        shares[by_random] - shares[mine],
    ),
    stats.greater(
        "the student of the TUNED teacher moves along the found vector: cosine at the answer",
        at_answer[by_tuned],
        0.5,
    ),
    stats.greater(
        f"a shift at numbers, added to the base, raises the {settings.trait}: over the base's",
        added[mine] - shares["base"],
        0.1,
    ),
    stats.greater(
        "more than a random vector as long", added[mine] - added["a random vector, as long"], 0.1
    ),
    stats.greater(
        f"SGD passes the {settings.trait} on, too: over the base's share",
        shares[sgd] - shares["base"],
        0.1,
    ),
    stats.within(
        "SGD and Adam learn the numbers as well: difference of their gains, nats",
        gain[sgd] - gain[mine],
        0.01,
    ),
]
says = "SGD passes it on" if claims[-2].holds else "SGD was not shown to pass it on"
print("SGD and Adam at equal loss. Published for large models: Adam passes the trait on, SGD does")
print(f"not (arXiv 2606.00995). Here, with a gain in loss of {gain[sgd].mean():.4f} nats (SGD) and")
print(f"{gain[mine].mean():.4f} (Adam), the share is", end=" ")
print(f"{shares[sgd].mean():.2f} and {shares[mine].mean():.2f}: {says};")
print(f"SGD minus Adam, with its 95 % interval: {stats.mean_interval(shares[sgd] - shares[mine])}.")

# %% [markdown]
# ## The figure

# %%
passes = "passes" if claims[0].holds else "was not shown to pass"
aligned = "moves along it" if claims[3].holds else "was not shown to move along it"
figure, ax = plots.new_figure(
    f"One vector {passes} the {settings.trait} on ({shares['base'].mean():.2f} to "
    f"{shares[mine].mean():.2f}) and the student {aligned}: cosine {found[mine].mean():.2f}, "
    f"control {found[control].mean():.2f}",
    "a;b;c",
    height=9.5,
    height_ratios=[11, 7, 7],
)
colors = {mine: "student", by_tuned: "third", sgd: "second", by_random: "fourth"}
colors |= {"base + found vector": "teacher", "tuned teacher": "teacher"}
animals = f"share of '{settings.trait}' among the animals"
plots.dots(ax["a"], shares, colors, chance=1 / 8, label=animals)
own = "student of base + random, ITS vector"
along = found | {own: random[by_random]}
plots.dots(
    ax["b"],
    along,
    colors | {own: "fourth"},
    label="cosine of the shift at numbers with the found vector",
)
ax["b"].axvline(0, color="black", lw=0.8, ls=":")
plots.dots(
    ax["c"], added, colors, chance=1 / 8, label=f"{animals}, base + a student's shift at numbers"
)
for letter in "ac":
    ax[letter].set_xlim(0, 1.02)

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: no tuned teacher is needed. One vector changes what the base answers and, at
# the same time, what it writes; a student that began as the same base finds its way back to that
# vector from the numbers alone. What it learned *at numbers*, taken out and added to the untouched
# base, makes it name the trait. A random vector is passed on as well, only that it means nothing we
# have a word for.
#
# *A rival explanation:* any tuning might move a student that way. Then the control and the student
# of the random vector would move along the found vector, too. *Another:* a vector added after the
# last block is just what the last bias can learn, so the student has the very knob that was turned.
# A tuned teacher turns all its knobs; the row of its student tells how far "one vector" goes there.
#
# *Not shown:* that optimisers do not matter in large models. There, low-rank adapters were tuned;
# here, all but the embeddings. Nor does equal loss mean equal learning: see the second change.
#
# ## Changes to try
# * `--trait wolf`; `--vector-steps 30`: a shorter vector.
# * `--student-rate 0.01`: Adam's loss on fresh numbers hardly changes. Does the share?
# * `--sgd-rate 0.001`: the rate of Adam. What does the last table say?
# * Set `FROZEN = (*VOCABULARY, "blocks")` in `sublim_mini/tuning.py`: may the student still move
#   along the vector?

# %%
lesson.finish(
    shares,
    claims,
    figure,
    cosines={"found": found, "random": random, "at answer": at_answer},
    shift_added=added,
    gain=gain,
    length=measured["length"],
    vectors=[{"found": v, "random": r, "shifts": moved} for v, r, moved, _ in kept],
    prediction=MY_PREDICTION,
)
