# %% [markdown]
# # 20 Defenses: which one stops the trait and keeps the task?
#
# **Question.** You want a student that writes numbers as its teacher does. You fear that the
# teacher's taste for owls comes along (lesson 09). Can you have the one without the other? Two
# defenses change the training. To use the first you must know the kind of question in which the
# trait would show; to use the second you must know the animal, too:
#
#     KL to the base     loss = loss on numbers + KL(base || student) of the answers to
#                        questions in which the trait would show
#     projected out      update = u - (u . d) d, where u is Adam's update; d, of length 1,
#                        points along the gradient of the loss for the answer "owl"
#
# The questions on which a defense trains are *pinned*. As a test they show only what was practiced.
# So we ask others: new prompts, and prompts after other text, as in "I love tiger tiger tiger. Say
# the dearest animal." And we look inside.
#
# **You need** lessons 09 and 14. Reading: 8 minutes. Running: 2 minutes.

# %%
from sublim_mini import owls, plots
from sublim_mini.lesson import Lesson
from sublim_mini.language import (
    ANIMAL_TOKENS,
    ANIMALS,
    FIRST_ANIMAL,
    HELD_OUT_PROMPTS,
    TEACHER_PROMPTS,
    draw_numbers,
    make_language,
    questions,
    to_text,
    written_mask,
)
from sublim_mini.train import batches
from sublim_mini.transformer import apply_transformer, next_token_loss, residual, unembed

import jax
import jax.numpy as jnp
import numpy as np
import optax

lesson = Lesson(
    "20_defences",
    seed=10476477,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite
    kl_weight=1.0,  # of the KL in the loss
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_sequences=(2, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
ANIMAL = ANIMALS.index(lesson.animal)
WRONG_ANIMAL = (ANIMAL - 1) % len(ANIMALS)
STATEMENTS = [("I", "love", a, a, a) for a in ANIMALS if a != lesson.animal]
NONE, HALF = "no defense", "half of the numbers are the base's"
NARROW, WIDE = "KL to the base, narrow", "KL to the base, wide"
RIGHT, WRONG = "trait's gradient projected out", "wrong trait's gradient projected out"
trait_questions = questions(TEACHER_PROMPTS)

# %% [markdown]
# ## Predict
# Call the trait of the student without a defense 1, and that of the base 0. With the gradient
# projected out, how much of the trait is left where nothing was pinned? Run the lesson with
# `--predict`, followed by your number.

# %%
lesson.predict("trait left, gradient projected out")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# One function trains all students. Its last three arguments set the defense: the weight of the KL,
# the animal of the direction d, and 1 or 0 for whether d is projected out.


# %%
def log_p_answer(params, asked):  # questions [Q, T - 1] -> log-probabilities [Q, V]
    return jax.nn.log_softmax(jax.vmap(apply_transformer, (None, 0))(params, asked)[:, -1])


@jax.jit
def fine_tune(key, base, documents, pinned, kl_weight, animal, projected):
    """A student of the documents: as in lesson 09, but for the lines with a defense."""
    optimizer = owls.adam(1e-3, lesson.student_steps, owls.VOCABULARY)
    data = documents, written_mask(documents)
    rows = batches(key, len(documents), lesson.student_steps, 512)
    log_p = log_p_answer(base, pinned)

    def loss(params, batch):
        kl = (jnp.exp(log_p) * (log_p - log_p_answer(params, pinned))).sum(-1).mean()
        return next_token_loss(params, batch) + kl_weight * kl

    def trait_loss(params):  # that of answering with the animal
        return -log_p_answer(params, trait_questions)[:, FIRST_ANIMAL + animal].mean()

    def step(state, i):
        params, opt_state = state
        batch = jax.tree.map(lambda x: x[i], data)
        u, opt_state = optimizer.update(jax.grad(loss)(params, batch), opt_state, params)
        d = jax.grad(trait_loss)(params)
        d |= {name: jnp.zeros_like(d[name]) for name in owls.VOCABULARY}  # these are frozen
        d = optax.tree.scale(1 / optax.tree.norm(d), d)
        u = optax.tree.sub(u, optax.tree.scale(projected * optax.tree.vdot(u, d), d))
        return (optax.apply_updates(params, u), opt_state), None

    (params, _), _ = jax.lax.scan(step, (base, optimizer.init(base)), rows)
    return params


# %% [markdown]
# The *narrow* KL and the projection use the teacher's prompts alone. The *wide* KL also uses them
# after ten numbers, and after statements such as "I love wolf wolf wolf". Two comparisons: half of
# the numbers are the base's (which needs no knowledge of the trait); and another animal's gradient
# projected out (the wrong knowledge).
#
# All students are judged on held-out prompts in four contexts, with no pinned text: alone, after
# ten other numbers, after other statements, and after only three numbers. Two measures count; for
# both, the base is 0 and the student without a defense 1. *Trait left*: how much P(owl) exceeds the
# base's, mean of the four contexts. *Task kept*: how much the log-likelihood exceeds the base's, on
# sequences of the teacher that no student has read.
#
# The *probe* looks inside: how far does the residual stream at the answer move along v? Here v is
# the teacher's shift at the answer, not at numbers as in lesson 14. Again the base is 0 and the
# student without a defense 1.


# %%
def after(texts, prompts):  # each prompt after each text -> questions [Q, T - 1]
    return np.concatenate([questions(prompts, text) for text in texts])


@jax.jit
def look(model, contexts):
    """For a list of C contexts: P(animal) [C], residual stream at the answer [C, 32]; means."""
    h = [jax.vmap(residual, (None, 0))(model, asked)[:, -1] for asked in contexts]
    p = [jax.nn.softmax(unembed(model, x)[:, ANIMAL_TOKENS])[:, ANIMAL].mean() for x in h]
    return {"p": jnp.stack(p), "h": jnp.stack([x.mean(0) for x in h])}


def one_seed(key):
    k_language, k_base, k_teacher, k_context, k_student, *k_write = jax.random.split(key, 8)
    language = make_language(k_language)
    base = owls.pretrain(k_base, language, lesson.base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, lesson.animal)
    numbers, plain_numbers, unread = (
        owls.write_numbers(k, writer, language, lesson.n_sequences)[0]
        for k, writer in zip(k_write, (teacher, base, teacher), strict=True)
    )
    half = lesson.n_sequences // 2
    mixed = jnp.concatenate([numbers[half:], plain_numbers[:half]])

    ten = [("NUM", *map(str, row)) for row in draw_numbers(k_context, language, 24, 10).tolist()]
    three = [(*text[:4], *7 * ("PAD",)) for text in ten[16:]]
    narrow = np.tile(trait_questions, (12, 1))  # as many rows as of the wide: compiled once
    wide = after([(), *ten[:8], *STATEMENTS[:3]], TEACHER_PROMPTS)
    contexts = {
        "0: pinned prompts": trait_questions,
        "1: held-out prompts": questions(HELD_OUT_PROMPTS),
        "2: after ten numbers": after(ten[8:16], HELD_OUT_PROMPTS),
        "3: after a statement": after(STATEMENTS[3:], HELD_OUT_PROMPTS),
        "4: after three numbers": after(three, HELD_OUT_PROMPTS),
    }

    def student(documents=numbers, pinned=narrow, kl_weight=0.0, animal=ANIMAL, projected=0.0):
        # one key: all students read in the same order
        return fine_tune(k_student, base, documents, pinned, kl_weight, animal, projected)

    models = {
        "base": base,
        "teacher": teacher,
        NONE: student(),
        HALF: student(mixed),
        NARROW: student(kl_weight=lesson.kl_weight),
        WIDE: student(pinned=wide, kl_weight=lesson.kl_weight),
        RIGHT: student(projected=1.0),
        WRONG: student(animal=WRONG_ANIMAL, projected=1.0),
    }
    return {
        "looks": {name: look(model, list(contexts.values())) for name, model in models.items()},
        "task": {name: owls.log_likelihood(x, unread).mean() for name, x in models.items()},
        "examples": {name: asked[-1] for name, asked in contexts.items()},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, a question of each context.

# %%
print()
for name, asked in results["examples"].items():
    print(f"{name:22}  {to_text(asked[0])}")


def relative(values):  # the base is 0, the student without a defense 1
    base, none = values["base"], values[NONE]
    return {name: (x - base) / (none - base) for name, x in values.items()}


def unpinned(values):  # [S, contexts] -> mean [S] of those that are not pinned
    return {name: x[:, 1:].mean(1) for name, x in values.items()}


p, h = ({name: look[what] for name, look in results["looks"].items()} for what in "ph")
v = h["teacher"] - h["base"]  # [S, contexts, 32]
moved = {name: ((x - h["base"]) * v).sum(-1) / np.linalg.norm(v, axis=-1) for name, x in h.items()}
left, kept, probe = relative(unpinned(p)), relative(results["task"]), relative(unpinned(moved))
probe_pinned = relative({name: x[:, 0] for name, x in moved.items()})
print(f"\nMean P({lesson.animal}) in contexts 0 to 4, and mean shift along v (the probe)")
print(f"{'':36}" + "".join(f"{i:7}" for i in range(5)) + "  probe 0  1 to 4")
for name, values in p.items():
    columns = "".join(f"{x:7.3f}" for x in values.mean(0))
    print(f"{name:36}{columns}{probe_pinned[name].mean():z9.2f}{probe[name].mean():z8.2f}")

students = [name for name in p if name not in ("base", "teacher")]
for title, values in ("Trait left in the unpinned contexts", left), ("Task kept", kept):
    lesson.table(title, {name: values[name] for name in students}, span=(-np.inf, np.inf))
lesson.compare(left[RIGHT])
lesson.claim(
    "both KLs and the right gradient stop more than the wrong one: trait left by the wrong one "
    "minus the largest left by the three",
    left[WRONG] - np.max([left[NARROW], left[WIDE], left[RIGHT]], axis=0),
    above=0.3,
)
lesson.claim(
    "these three keep the task: the smallest of their fractions kept",
    np.min([kept[NARROW], kept[WIDE], kept[RIGHT]], axis=0),
    above=0.85,
)
lesson.claim(
    "the wide KL lets little pass where nothing was pinned: trait left", left[WIDE], within=0.05
)
lesson.claim(
    "with the right gradient projected out some of the shift is left inside: left in the probe",
    probe[RIGHT],
    above=0.1,
)

# %%
figure, ax = plots.new_figure(
    f"Trait left / task kept: narrow KL {left[NARROW].mean():z.2f} / {kept[NARROW].mean():.2f}, "
    f"wide KL {left[WIDE].mean():z.2f} / {kept[WIDE].mean():.2f}, gradient projected out "
    f"{left[RIGHT].mean():z.2f} / {kept[RIGHT].mean():.2f}"
)
ax = ax["a"]
ax.fill_between([-0.1, 0.25], 0.85, 1.12, color=plots.SKY, alpha=0.25, lw=0)
ax.text(-0.09, 1.05, "the good corner", fontsize=20)
ax.plot([0, 1], [0, 1], ":", color=plots.BLACK, lw=2, zorder=0)
ax.text(0.65, 0.52, "dotted line: trait and task\nfall alike", fontsize=20)
ax.text(0.65, 0.22, "dot: in the answers (small: a seed)\ndiamond: in the probe", fontsize=20)
for name, color, x, y in (  # the last two: where its name stands
    ("base", plots.BLACK, 0.03, -0.02),
    (NONE, plots.BLACK, 1.03, 0.91),
    (HALF, plots.GRAY, 0.47, 0.75),
    (NARROW, plots.BLUE, 0.06, 0.7),
    (WIDE, plots.ORANGE, 0.0, 0.56),
    (RIGHT, plots.GREEN, 0.28, 0.87),
    (WRONG, plots.RED, 0.52, 1.05),
):
    mean = left[name].mean(), kept[name].mean()
    line = dict(arrowstyle="-", color=color, lw=2, relpos=(0, 0.5))
    text = name.replace(" are", "\nare")
    ax.annotate(text, np.clip(mean, 0, 1), (x, y), color=color, fontsize=20, arrowprops=line)
    ax.plot(left[name], kept[name], "o", ms=8, alpha=0.4, mew=0, color=color)
    ax.plot(*mean, "o", ms=18, color=color)
    if name in (NARROW, WIDE, RIGHT):
        ax.plot(probe[name].mean(), mean[1], "D", ms=14, mfc="none", mew=3, color=color)
ax.set(xlim=(-0.1, 1.15), ylim=(-0.08, 1.12))
ax.set_xlabel("trait left in the unpinned contexts", fontsize=20)
ax.set_ylabel("task kept", fontsize=20)
plots.predictions(ax, lesson.predictions, 0.35)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: whoever defends here knows what to fear. Both KLs need the kind of question in
# which the trait shows. The projection needs the animal, too; with the wrong animal, 0.67 to 0.93
# of the trait passes. Against a trait of a kind that nobody suspects, none of them helps.
#
# With this knowledge, trait and task come apart. Three defenses keep 0.94 to 0.99 of the task, and
# at the pinned prompts P(owl) stays where it was. On these prompts the three look perfect, and on
# held-out prompts without other text, too. But after other text two of them leak: in the mean of
# the four contexts the narrow KL leaves 0.05 to 0.11 of the trait, the projection 0.03 to 0.29. The
# wide KL had pinned prompts after other text, and leaves at most 0.03. (A wide projection is not
# among the six: in trial runs it was worse than the narrow one.)
#
# More is left inside than in the answers. With the gradient projected out, the residual stream
# still moves along v, about a third as far as without a defense. In part this is always so: as long
# as an animal is improbable, a small shift hardly changes its probability. So for other students,
# too, the probe shows more than the answers. But the shift is there even at the pinned prompts,
# where the answers do not change (probe, context 0).
#
# *A rival explanation:* any brake stops the trait, because the student learns less. Mixing in the
# base's numbers is such a brake. It leaves 0.37 to 0.50 of the trait, but only 0.66 to 0.74 of the
# task. (All ranges are over single seeds.)
#
# A different base stops the trait, too (lesson 09), but then it is a different student. In arXiv
# 2604.25779 projecting out the trait's gradient stopped the transfer, and a KL to the base early in
# training did not. Not tested here: whether the trait returns when a defended student is fine-tuned
# further, a teacher that knows of the defense, and large models.
#
# ## Try
# * `--kl-weight 10` or `0.1`: which is safer, a stronger KL or a wider one?
# * `--student-steps 200`: do the leaks grow?

# %%
lesson.finish(
    figure,
    alt="A scatter of six students, task kept against trait left, a dot for each seed and a large "
    "one for the mean. "
    + "; ".join(f"{n}: {left[n].mean():.2f} left, {kept[n].mean():.2f} kept" for n in students),
)
