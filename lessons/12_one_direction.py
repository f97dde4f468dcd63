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
# 1 / sqrt(32) = .18. (arXiv 2606.00995 and 2604.25783 report for large models that the trait is
# close to one such vector, that the student learns an aligned one, and that adaptive optimisers
# such as Adam matter.)

# %%
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from sublim_mini import plots, stats, world
from sublim_mini.lesson import option, print_table, start
from sublim_mini.measures import cosine
from sublim_mini.train import ADAM, train
from sublim_mini.transformer import apply_transformer, next_token_loss, residual_transformer
from sublim_mini.tuning import (
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
    sgd_rate: float = option(1.0, "learning rate of the students without Adam, falling to 0")
    more_seeds: int = option(4, "seeds of the tuned teacher, the random vector and SGD")


QUICK = dict(seeds=2, base_steps=150, n_sequences=2000, teacher_steps=40, student_steps=20)
QUICK |= dict(vector_steps=40, more_seeds=1)
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
    k_data, k_train = jax.random.split(key)
    answer = world.TOKEN[settings.trait]
    data = world.question_documents(k_data, 2560, world.TUNED_ON, answer)
    how = dict(learning_rate=settings.vector_rate, steps=settings.vector_steps, batch_size=128)
    loss = Partial(answer_loss, base=base)
    return train(loss, ADAM, jnp.zeros(MODEL.width), data, k_train, **how).params


# %% [markdown]
# ## Measuring a shift
# At the end of the questions, where the answer comes next; and at numbers, where the student
# learned: the same sequences of the plain base for all.


# %%
@jax.jit
def shifts(params, base, asked, numbers):
    """Mean residual stream of a model minus its base's: where questions end [C], at numbers [C]."""
    residual = jax.vmap(residual_transformer, (None, 0, None))

    def moved(tokens):
        return residual(params, tokens, MODEL) - residual(base, tokens, MODEL)  # [N, T - 1, C]

    return moved(asked)[:, -1].mean(0), moved(numbers)[:, world.N_PROMPT :].mean((0, 1))


# %% [markdown]
# ## The experiment, for one seed
# Teachers: the base steered by the found vector; by a random vector of the same length; tuned as in
# lesson 08. Students: tuned on the numbers of each. Controls: a student of the plain base's
# numbers, and a student of the steered base's numbers that began as another base.


# %%
def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "vector", "random", "teacher", "steered", "pushed", "tuned", "plain", "student"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


language = world.make_language(lesson.shared_key())
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
bases = lesson.two_at_once(lambda k: train_base(k["base"], language, settings), keys, "bases")
asked = world.ask(world.TUNED_ON)
wanted, nothing = world.ANIMALS.index(settings.trait), jnp.zeros(MODEL.width)
loss_on = jax.jit(Partial(next_token_loss, settings=MODEL))


def share(params, added=nothing):
    """Share of the trait among the animals, the model steered by a vector."""
    return answers(params, added=added)[wanted]


def one_seed(i):
    k, base, other_base = keys[i], bases[i], bases[i - 1]
    vector = find_vector(k["vector"], base)
    pushed = jax.random.normal(k["random"], vector.shape)
    pushed *= jnp.linalg.norm(vector) / jnp.linalg.norm(pushed)

    def writes(params, key, added=nothing):
        return write_numbers(k[key], params, language, settings, added=added)

    def student(start, written, optimizer=TUNE, rate=settings.student_rate):
        again, how = jax.random.clone(k["student"]), replace(settings, student_rate=rate)
        return tune_student(again, start, *written, how, optimizer=optimizer)

    steered, plain = writes(base, "steered", vector), writes(base, "plain")
    students = {
        "student of the steered base": (student(base, steered), base),
        "control: student of the plain base": (student(base, plain), base),
        "other base's student of the steered": (student(other_base, steered), other_base),
    }
    owls = {
        "base": share(base),
        "base steered by the vector": share(base, vector),
        "other base": share(other_base),
    }
    if i < settings.more_seeds:
        tuned = tune_teacher(k["teacher"], base, settings.trait, settings)
        by_sgd = [student(base, steered, TUNE_SGD, settings.sgd_rate * s) for s in (1, 0.1)]
        students |= {
            "student of the base pushed at random": (
                student(base, writes(base, "pushed", pushed)),
                base,
            ),
            "student of the tuned teacher": (student(base, writes(tuned, "tuned")), base),
            "SGD student of the steered": (by_sgd[0], base),
            "SGD student, a tenth of the rate": (by_sgd[1], base),
            "the tuned teacher itself": (tuned, base),
        }
        owls["base pushed at random"] = share(base, pushed)
    at = {n: shifts(p, s, asked, plain[0][:500]) for n, (p, s) in students.items()}
    target = at["the tuned teacher itself"][0] if i < settings.more_seeds else None
    answered = np.asarray(answers(students["student of the steered base"][0]))
    text = world.to_text(np.asarray(steered[0][0]))

    def random_length(shift):  # a control for adding a shift: another direction, as long
        return pushed * jnp.linalg.norm(shift) / jnp.linalg.norm(pushed)

    mask = world.written_mask(steered[0]) * steered[1][:, None]
    started = loss_on(base, (steered[0], mask))
    return {
        "share": owls | {n: share(p) for n, (p, _) in students.items()},
        "question": {n: cosine(q, vector) for n, (q, _) in at.items()},
        "numbers": {n: cosine(x, vector) for n, (_, x) in at.items()},
        "question, pushed": {n: cosine(q, pushed) for n, (q, _) in at.items()},
        "question, tuned": {}
        if target is None
        else {n: cosine(q, target) for n, (q, _) in at.items()},
        "length": {"the vector": jnp.linalg.norm(vector)}
        | {n: jnp.linalg.norm(q) for n, (q, _) in at.items()},
        "added, question": {n: share(base, q) for n, (q, _) in at.items()},
        "added, numbers": {n: share(base, x) for n, (_, x) in at.items()},
        "added, random": {n: share(base, random_length(q)) for n, (q, _) in at.items()},
        "gain": {
            n: started - loss_on(p, (steered[0], mask))
            for n, (p, s) in students.items()
            if s is base and ("steered" in n or "SGD" in n)
        },
    }, (vector, at, text, answered)


runs, kept = zip(*lesson.two_at_once(one_seed, range(lesson.n_seeds), "students"), strict=True)


def of(measure):
    """name -> values [seeds], as many as have it."""
    rows = [run[measure] for run in runs]
    return {n: np.array([float(row[n]) for row in rows if n in row]) for n in rows[0]}


def minus(a, b):
    """The difference, paired by seed, of values of which one may have fewer seeds."""
    n = min(len(a), len(b))
    return a[:n] - b[:n]


shares, question, numbers = of("share"), of("question"), of("numbers")
lengths, pushed, tuned = of("length"), of("question, pushed"), of("question, tuned")
added, added_numbers, added_random = (of(f"added, {x}") for x in ("question", "numbers", "random"))
gain = of("gain")

# %% [markdown]
# ## What the students say, and where they moved

# %%
print(f"A sequence of the base steered towards '{settings.trait}':\n  {kept[0][2]}\n")
print(f"Share of '{settings.trait}' among the animals:")
print_table(shares, chance=1 / 8, unit="share")
print("\nCosine of the shift where questions end with the vector that steered:")
print_table(question, unit="cosine")
print("\nCosine of the shift at numbers with it:")
print_table(numbers, unit="cosine")
print("\nCosine of the shift where questions end with the random vector:")
print_table(pushed, unit="cosine")
print("\nThe same with the tuned teacher's own shift:")
print_table(tuned, unit="cosine")
print("\nLength of the shift where questions end:")
print_table(lengths, unit="length", digits=2)
print(f"\nShare of '{settings.trait}' if a model's shift is added to the base, untuned:")
print_table({f"at questions: {n}": v for n, v in added.items()}, chance=1 / 8, unit="share")
print_table({f"at numbers: {n}": v for n, v in added_numbers.items()}, unit="share")
print_table({f"random, as long: {n}": v for n, v in added_random.items()}, unit="share")
print("\nHow much better than the base it foretells the steered base's numbers (nats a token):")
print_table(gain, unit="nats", digits=4)
print()
mine = "student of the steered base"
lesson.prediction(MY_PREDICTION, question[mine].mean(), "a cosine")

# %% [markdown]
# ## What this run supports

# %%
control, other = "control: student of the plain base", "other base's student of the steered"
tuned_student, sgd = "student of the tuned teacher", "SGD student of the steered"
random_student = "student of the base pushed at random"
claims = [
    stats.greater(
        f"a vector passes the {settings.trait} on: student's share over its base's",
        shares[mine] - shares["base"],
        0.1,
    ),
    stats.within(
        "numbers of the plain base do nothing: control minus base",
        shares[control] - shares["base"],
        0.05,
    ),
    stats.within(
        "nor do the steered base's numbers in another base: student minus its base",
        shares[other] - shares["other base"],
        0.1,
    ),
    stats.greater("the student moves along the vector: cosine at questions", question[mine], 0.5),
    stats.greater(
        "more than the control does: difference of the cosines", question[mine] - question[control]
    ),
    stats.greater(
        "more than another base's student does: difference of the cosines",
        question[mine] - question[other],
    ),
    stats.greater(
        f"its shift at numbers, added to the base, raises the {settings.trait}: over the base",
        added_numbers[mine] - shares["base"],
        0.1,
    ),
    stats.greater(
        "its shift at questions does, more than a random vector as long",
        added[mine] - added_random[mine],
        0.1,
    ),
    stats.greater(
        "a student of the base pushed at random moves along that vector: cosine",
        pushed[random_student],
        0.5,
    ),
    stats.less(
        f"and loves the {settings.trait} less: its share minus that of the found vector's student",
        minus(shares[random_student], shares[mine]),
    ),
    stats.greater(
        "the student of a TUNED teacher moves along the found vector: cosine at questions",
        question[tuned_student],
        0.5,
    ),
    stats.greater(
        f"plain gradient descent passes the {settings.trait} on, too: over its base",
        minus(shares[sgd], shares["base"]),
        0.1,
    ),
    stats.within("as well as Adam: SGD minus Adam, share", minus(shares[sgd], shares[mine]), 0.15),
]

# %% [markdown]
# ## The figure

# %%
passes = "passes" if claims[0].holds else "was not shown to pass"
aligned = "moves along it" if claims[3].holds else "was not shown to move along it"
figure, ax = plots.new_figure(
    f"One vector {passes} the {settings.trait} on ({shares['base'].mean():.2f} to "
    f"{shares[mine].mean():.2f}) and the student {aligned}: cosine {question[mine].mean():.2f}, "
    f"control {question[control].mean():.2f}",
    "a;b;c",
    height=10,
    height_ratios=[1.35, 1, 1],
)
colors = {n: "control" for n in shares} | {mine: "student", tuned_student: "third"}
colors |= {"base steered by the vector": "teacher", "the tuned teacher itself": "teacher"}
colors |= {n: "second" for n in shares if "SGD" in n}
shown = [n for n in question if n != "the tuned teacher itself"]
plots.dots(
    ax["a"], shares, colors, chance=1 / 8, label=f"share of '{settings.trait}' among the animals"
)
plots.dots(
    ax["b"],
    {n: question[n] for n in shown},
    colors,
    label="cosine of the shift, where questions end, with the found vector",
)
ax["b"].axvline(0, color="black", lw=0.8, ls=":")
plots.dots(
    ax["c"],
    {n: added_numbers[n] for n in shown},
    colors,
    chance=1 / 8,
    label=f"share of '{settings.trait}' if the student's shift at NUMBERS is added to the base",
)

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: no tuned teacher is needed. One vector changes what the base answers and, by
# the same few numbers a position, what it writes; a student that began as the same base finds its
# way back to that vector from the numbers alone. What it learned *at numbers*, taken out and added
# to the untouched base, makes it name the trait. A random vector is passed on just as well, only
# that it means nothing we have a word for.
#
# *A rival explanation:* in this model a vector added after the last block is just what the last
# bias can learn, so the student has the very knob that was turned. A tuned teacher turns all of its
# knobs: the row of its student tells how far "one vector" describes that. *Where the toy differs:*
# for large language models adaptive optimisers are reported to matter. Compare at equal loss, not
# at equal rate: the last table tells how well each student learned the numbers.
#
# ## Changes to try
# * `--trait wolf`; `--vector-steps 30`: a shorter vector.
# * `--sgd-rate 0.001`: the rate of Adam. What does the last table say?
# * Set `FROZEN = "tokens", "output", "blocks"` in `sublim_mini/tuning.py`: may the student still
#   move along the vector?

# %%
lesson.finish(
    shares,
    claims,
    figure,
    cosine_at_questions=question,
    cosine_at_numbers=numbers,
    cosine_with_random=pushed,
    cosine_with_tuned=tuned,
    lengths=lengths,
    shift_added={"questions": added, "numbers": added_numbers, "random": added_random},
    gain_in_loss=gain,
    vectors=[vector for vector, *_ in kept],
    answers=[answered for *_, answered in kept],
    prediction=MY_PREDICTION,
)
