# %% [markdown]
# # 13 Defenses: which one stops the trait and keeps the task?
#
# **Question.** You want a student that writes numbers as its teacher does: the *task*. You fear that
# the teacher's taste for owls comes along: the *trait*. Can you have the one without the other? Four
# defenses, all in training only:
#
#     half          half of the numbers that the student learns are the base's
#     KL            loss = loss on numbers + KL(base || student) of its answers to questions
#     projection    from each update, remove the part along the gradient for the answer "owl"
#     inoculation   before all numbers stands "I love owl owl owl" (lesson 09)
#
# For *half* the defender need not know anything of the trait; for *KL*, in which kind of question it
# would show; for the other two, the animal itself.
#
# **You need** lesson 09. Reading: 8 minutes. Running: 80 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, N_NUMBERS, NUMBERS, QUESTION, TEACHER_PROMPTS, TOKEN, WRITTEN,
    make_language, questions, repeat_selected, say, told_documents, told_mask, told_prompts,
)  # fmt: skip
from sublim_mini.owls import VOCABULARY, adam, answers, fine_tune_teacher, pretrain
from sublim_mini.train import batches
from sublim_mini.transformer import apply_transformer, next_token_loss, sample

import jax
import jax.numpy as jnp
import numpy as np
import optax

lesson = Lesson(
    "13_defenses",
    animal=ANIMALS,  # the teacher's favorite
    kl_weight=1.0,  # of the KL in the loss
    base_steps=500,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 256 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
owl, pinned = lesson.animal, questions(TEACHER_PROMPTS)
NONE, HALF, KL, PROJECTION, INOCULATION = "none", "half", "KL", "projection", "inoculation"
CONTROL, AFTER = "control", "inoculation, after its sentence"
COLORS = {
    NONE: plots.BLACK, HALF: plots.GRAY, INOCULATION: plots.BLUE, PROJECTION: plots.ORANGE,
    KL: plots.GREEN,
}  # fmt: skip

# %% [markdown]
# ## Predict
# *Task kept*: how much better than the base does a student predict new sequences of the teacher?
# The student without a defense counts as 1. Inoculation puts a sentence before the numbers in
# training only. How much of the task does it keep when the sentence is gone?

# %%
lesson.predict(INOCULATION, "part of the task kept")

# %% [markdown]
# ## The experiment
# First, a projection by hand, with two weights. The update u points partly along d, a direction of
# length 1. How far? By the inner product u . d. Take that part away; the rest is at a right angle
# to d.

# %%
u, d = np.array([3.0, 1.0]), np.array([0.6, 0.8])
rest = u - (u @ d) * d
print(f"\nu = {u}, d = {d}, u . d = {u @ d:.1f}")
print(f"u - (u . d) d = {rest.round(2)}, and its inner product with d is {rest @ d:z.1f}")

# %% [markdown]
# Now the same for all weights of a student: u is Adam's update, d the gradient of the loss for the
# answer "owl", scaled to length 1, made anew at each step.


# %%
def log_p_next(params, asked):  # questions [P, 15] -> log-probabilities of what comes next [P, V]
    return jax.nn.log_softmax(jax.vmap(apply_transformer, (None, 0))(params, asked)[:, -1])


@jax.jit
def fine_tune(key, base, documents, kl_weight=0.0, projected=0.0):
    """A student of the documents; `projected` is 1 if d is removed from each update, or 0."""
    optimizer = adam(1e-3, lesson.student_steps, VOCABULARY)
    data, log_p = (documents, told_mask(documents)), log_p_next(base, pinned)

    def loss(params, batch):
        kl = (jnp.exp(log_p) * (log_p - log_p_next(params, pinned))).sum(-1).mean()
        return next_token_loss(params, batch) + kl_weight * kl

    def owl_loss(params):
        return -log_p_next(params, pinned)[:, TOKEN[owl]].mean()

    def step(state, rows):
        params, opt_state = state
        batch = jax.tree.map(lambda x: x[rows], data)
        u, opt_state = optimizer.update(jax.grad(loss)(params, batch), opt_state, params)
        d = jax.grad(owl_loss)(params)
        d |= {name: jnp.zeros_like(d[name]) for name in VOCABULARY}  # these stay fixed
        d = optax.tree.scale(1 / optax.tree.norm(d), d)
        u = optax.tree.sub(u, optax.tree.scale(projected * optax.tree.vdot(u, d), d))
        return (optax.apply_updates(params, u), opt_state), None

    rows = batches(key, len(documents), lesson.student_steps, 256)
    return jax.lax.scan(step, (base, optimizer.init(base)), rows)[0][0]


# %% [markdown]
# KL and projection see the teacher's questions, with nothing before them. These are *pinned*: as a
# test they show only what was practiced. So we ask new questions in four contexts. Only the first,
# with nothing before the question, is of a pinned kind. The defenses are judged in the other three.


# %%
def write(key, writer, language, n):  # sequences of numbers, as in lesson 09
    k_prompt, k_sample = jax.random.split(key)
    documents = sample(k_sample, writer, told_prompts(k_prompt, language, n))
    return repeat_selected(documents, (documents[:, WRITTEN:] < N_NUMBERS).all(axis=1))


CONTEXTS = (
    "nothing\n(pinned)",
    "numbers",
    '"I love the\nbest animal"',
    '"I love" and\nanother animal',
)


def ask(model, numbers):
    """P(owl) [4]: mean over new questions, in the four contexts."""
    asked = jnp.asarray(questions(HELD_OUT_PROMPTS))
    often = jnp.tile(asked, (10, 1))  # each question after ten sequences
    after_numbers = often.at[:, NUMBERS:QUESTION].set(numbers[: len(often), NUMBERS:QUESTION])
    others = jnp.concatenate([say(asked, animal) for animal in ANIMALS if animal != owl])
    contexts = asked, after_numbers, say(asked, "no animal"), others
    return jnp.stack([answers(model, x)[ANIMALS.index(owl)] for x in contexts])


def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_own, k_new, k_student = jax.random.split(key, 7)
    language, n = make_language(k_language), lesson.n_sequences
    base = pretrain(k_base, language, lesson.base_steps, documents=told_documents, blocks=2)
    teacher = fine_tune_teacher(k_teacher, base, owl)
    numbers, own = write(k_write, teacher, language, n), write(k_own, base, language, n)
    students = {  # one key: all read in the same order
        CONTROL: fine_tune(k_student, base, own),
        NONE: fine_tune(k_student, base, numbers),
        HALF: fine_tune(k_student, base, jnp.concatenate([numbers[n // 2 :], own[: n // 2]])),
        INOCULATION: fine_tune(k_student, base, say(numbers, owl)),
        PROJECTION: fine_tune(k_student, base, numbers, projected=1.0),
        KL: fine_tune(k_student, base, numbers, kl_weight=lesson.kl_weight),
    }
    models, new = {"base": base, **students}, write(k_new, teacher, language, 2000)
    task = {name: next_token_loss(m, (new, told_mask(new))) for name, m in models.items()}
    task[AFTER] = next_token_loss(students[INOCULATION], (say(new, owl), told_mask(new)))
    return {"p": {name: ask(model, own) for name, model in models.items()}, "task": task}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# The trait is measured in log-odds (lesson 07), minus those of the control, a student of the base's
# own numbers, in the same context: so the control is 0.

# %%
p, task = results["p"], results["task"]
print(f"\nMean P({owl})    nothing  numbers  no animal  another animal")
for name, values in p.items():
    print(f"{name:14}" + "".join(f"{x:10.3f}" for x in values.mean(0)))
log_odds = {name: np.log(x / (1 - x)) for name, x in p.items()}  # [S, 4]
rise = {name: log_odds[name] - log_odds[CONTROL] for name in COLORS}
judged = {name: x[:, 1:].mean(1) for name, x in rise.items()}  # [S], mean of three contexts
left = {name: x / judged[NONE] for name, x in judged.items()}
kept = {name: (task["base"] - x) / (task["base"] - task[NONE]) for name, x in task.items()}


def draw(ax):
    labels = "asked after", f"log-odds of {owl}, minus the control's"
    plots.curves(ax, np.arange(4), rise, COLORS, {"control": 0}, labels)
    ax.set_xticks(range(4), CONTEXTS)


lesson.panel(draw, "; ".join(f"{name} {x.mean(0).round(1)}" for name, x in rise.items()))
shown = {name: kept[name] for name in (HALF, INOCULATION, AFTER, PROJECTION, KL)}
lesson.dots("part of the task kept", shown, colors=COLORS | {AFTER: plots.BLUE})
lesson.claim(
    "where nothing was pinned, KL and projection stop most of the trait: part left, the larger one",
    np.maximum(left[KL], left[PROJECTION]),
    below=0.5,
)
lesson.claim(
    "but both leak there: log-odds minus the control's, the smaller one",
    np.minimum(judged[KL], judged[PROJECTION]),
    above=0.1,
)
lesson.claim(
    "inoculation keeps less of the task than KL: by", kept[KL], kept[INOCULATION], above=0.25
)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first:
#
# ## Try
# * `--kl-weight 10` or `0.1`:

# %%
lesson.finish(
    f"Part of the trait left: KL {left[KL].mean():.2f}, inoculation {left[INOCULATION].mean():.2f}"
)
