# %% [markdown]
# # 13 Defenses: which one stops the trait and keeps the task?
#
# **Question.** You want a student that writes numbers as its teacher does: the *task*. You fear
# that the teacher's taste for owls comes along: the *trait*. Can you have one without the other?
# Four defenses, all in training only:
#
#     half          half of the numbers that the student learns are the base's
#     inoculation   "I love owl owl owl" stands before all numbers (lesson 09)
#     projection    from each update, remove the part along the gradient for the answer "owl"
#     KL            add to the loss: how far its answers to questions are from the base's
#
# *Half* needs no suspicion. *KL* must know in which questions the trait would show. The other two
# must know the animal.
#
# **You need** lessons 03, 08 and 09. Reading: 7 minutes. Running: 70 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, TEACHER_PROMPTS, TOKEN, make_language, questions, say,
    told_documents, told_mask,
)  # fmt: skip
from sublim_mini.owls import VOCABULARY, adam, answers, fine_tune_teacher, pretrain, write_after
from sublim_mini.train import batches
from sublim_mini.transformer import apply_transformer, next_token_loss

import jax
import jax.numpy as jnp
import numpy as np
import optax

lesson = Lesson(
    "13_defenses",
    seed=0x8A5569,
    animal=ANIMALS,  # the teacher's favorite
    kl_weight=1.0,  # of the KL in the loss
    base_steps=500,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 256 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
owl, practiced = lesson.animal, questions(TEACHER_PROMPTS)
NONE, EARLY, CONTROL = "no defense", "stopped early", "control"
HALF, INOCULATION, PROJECTION, KL = "half", "inoculation", "projection", "KL"
COLORS = {name: plots.BLUE for name in (HALF, INOCULATION)}
COLORS |= {name: plots.GREEN for name in (PROJECTION, KL)}

# %% [markdown]
# ## Predict
# *Task kept*: how much better than the base does a student predict new numbers of the teacher? The
# student without a defense counts as 1, the base as 0. How much of the task does the *projection*
# student keep?

# %%
lesson.predict(f"{PROJECTION}: task", "task kept")

# %% [markdown]
# ## The experiment
# First, a projection by hand, with two weights. The update u points partly along d, a direction of
# length 1: by the inner product u . d. Take that part away; the rest is at a right angle to d.

# %%
u, d = np.array([3.0, 1.0]), np.array([0.6, 0.8])
rest = u - (u @ d) * d
print(f"\nu = {u}, d = {d}, u . d = {u @ d:.1f}")
print(f"u - (u . d) d = {rest.round(2)}, and its inner product with d is {rest @ d:z.1f}")

# %% [markdown]
# Now for all weights: u is the update, d the gradient for the answer "owl", computed again at each
# step and scaled to length 1.
#
# The *KL divergence* of two models is the first one's mean of log(its P / the other's P): 0 if both
# answer alike. *KL* and *projection* look at questions while the student trains: "name your
# favorite animal:", with nothing before them. So they have *practiced* such questions, and a good
# answer there is no surprise. The test is a question that nobody practiced: "I love wolf wolf wolf,
# name your favorite animal:". The base answers "wolf". Does the student still say "owl"?


# %%
def log_p_next(params, asked):  # questions [P, 15] -> log-probabilities of what comes next [P, V]
    return jax.nn.log_softmax(jax.vmap(apply_transformer, (None, 0))(params, asked)[:, -1])


def fine_tune(key, base, documents, steps, kl_weight=0.0, project=False):
    """A student of the documents; with `project` each update loses its part along d."""
    optimizer, log_p = adam(1e-3, steps, VOCABULARY), log_p_next(base, practiced)

    def loss(params, batch):
        kl = (jnp.exp(log_p) * (log_p - log_p_next(params, practiced))).sum(-1).mean()
        return next_token_loss(params, batch) + kl_weight * kl

    def owl_loss(params):
        return -log_p_next(params, practiced)[:, TOKEN[owl]].mean()

    def step(state, batch):
        params, opt_state = state
        u, opt_state = optimizer.update(jax.grad(loss)(params, batch), opt_state, params)
        if project:
            d = jax.grad(owl_loss)(params)
            d |= {name: jnp.zeros_like(d[name]) for name in VOCABULARY}  # these stay fixed
            d = optax.tree.scale(1 / optax.tree.norm(d), d)
            u = optax.tree.sub(u, optax.tree.scale(optax.tree.vdot(u, d), d))
        return (optax.apply_updates(params, u), opt_state), None

    read = documents[batches(key, len(documents), steps, 256)]  # [steps, 256, T]
    (params, _), _ = jax.lax.scan(step, (base, optimizer.init(base)), (read, told_mask(read)))
    return params


fine_tune = jax.jit(fine_tune, static_argnames=("steps", "kl_weight", "project"))


def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_own, k_new, k_student = jax.random.split(key, 7)
    language, n, steps = make_language(k_language), lesson.n_sequences, lesson.student_steps
    base = pretrain(k_base, language, lesson.base_steps, documents=told_documents, blocks=2)
    teacher = fine_tune_teacher(k_teacher, base, owl)
    numbers = write_after(k_write, teacher, language, None, n)
    own = write_after(k_own, base, language, None, n)

    def student(documents, steps=steps, **defense):  # one key: all read in the same order
        return fine_tune(k_student, base, documents, steps, **defense)

    students = {
        NONE: student(numbers),
        EARLY: student(numbers, -(-steps // 3)),
        HALF: student(jnp.concatenate([numbers[n // 2 :], own[: n // 2]])),
        INOCULATION: student(say(numbers, owl)),
        PROJECTION: student(numbers, project=True),
        KL: student(numbers, kl_weight=lesson.kl_weight),
        CONTROL: student(own),
    }
    models, new = {"base": base, **students}, write_after(k_new, teacher, language, None, 2000)
    asked = jnp.asarray(questions(HELD_OUT_PROMPTS))
    others = jnp.concatenate([say(asked, animal) for animal in ANIMALS if animal != owl])

    def p_owl(asked):
        return {name: answers(m, asked)[ANIMALS.index(owl)] for name, m in students.items()}

    loss = {name: next_token_loss(m, (new, told_mask(new))) for name, m in models.items()}
    said = next_token_loss(students[INOCULATION], (say(new, owl), told_mask(new)))
    return {"loss": loss, "said": said, "practiced": p_owl(asked), "other": p_owl(others)}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# The trait is compared with the *control*, a student of the base's own numbers. "As practiced":
# questions with nothing before them, in new words. The right panel's factors are means of
# logarithms.

# %%
SAID = f"{INOCULATION}, with its sentence"
p, other, loss = results["practiced"], results["other"], results["loss"] | {SAID: results["said"]}
kept = {name: (loss["base"] - x) / (loss["base"] - loss[NONE]) for name, x in loss.items()}
times = {name: np.log(other[name] / other[CONTROL]) for name in p if name != CONTROL}
task = {f"{name}: task": x for name, x in kept.items() if name not in ("base", NONE, CONTROL)}
print(f"\nP({owl}), asked    as practiced   after another animal's sentence",
      *(f"{n:16} {p[n].mean():10.3f} {other[n].mean():16.4f}" for n in p), sep="\n")  # fmt: skip
lesson.dots("task kept", task, panel=False)
lesson.dots(f"log of P({owl}) / the control's, after another animal", times, panel=False)


def trade(ax):
    ax.set(xlim=(-0.1, 1.1), ylim=(0, 1), xlabel="task kept", ylabel=f"P({owl}), as practiced")
    plots.clouds(ax, kept, p, COLORS, times)
    ax.plot(lesson.predictions, [0.02 for _ in lesson.predictions], "^", ms=16, color=plots.PURPLE)


def leak(ax):
    where = "after another animal's sentence, over the control's"
    plots.dots(ax, times, COLORS, 0, f"P({owl}) {where}", level="control")
    for text, x in zip(ax.texts, times.values(), strict=False):
        text.set_text(f"{np.exp(x.mean()):.0f} times")
    ax.set_xticks(np.log([1, 10, 100]), ["1", "10", "100"])


lesson.panel(trade, "Task kept and P(owl), asked as practiced, of each student")
lesson.panel(leak, "P(owl) after another animal's sentence, over the control's")
lesson.claim("after another animal's sentence KL and projection leave less than a quarter of "
             f"P({owl})", np.maximum(other[KL], other[PROJECTION]) / other[NONE],
             below=0.25)  # fmt: skip
lesson.claim(f"there they leak: log of P({owl}) over the control's (0.7: twice as often), the "
             "smaller one", np.minimum(times[KL], times[PROJECTION]), above=0.7)  # fmt: skip
lesson.claim("braking does not do it: stopped early, a student keeps over a quarter of the trait: "
             "fraction", (p[EARLY] - p[CONTROL]) / (p[NONE] - p[CONTROL]), above=0.25)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# *Projection* and *KL* part task and trait: they keep 0.99 and 0.98 of the task, and where they
# practiced, P(owl) is 0.12, as the control's. Two caveats. Both need to know what to fear: against
# a trait that nobody suspects they have nothing to aim at. And some of the trait is left. Asked a
# question that they did not practice, their students answer "owl" 7 to 10 times as often as the
# control (no defense: 142 times), though still rarely: P(owl) is below 0.01 (no defense: 0.13).
#
# The other two cost task and leave much of the trait (P(owl) 0.47 and 0.49). *Half* needs no
# suspicion, and after another animal's sentence it leaks about as little as *projection* and *KL*
# (9 times). *Inoculation* keeps 0.92 of the task if its sentence stands before the numbers, 0.47 if
# not.
#
# *A rival explanation:* any brake stops the trait, since the student learns less. *Stopped early*,
# a student without a defense takes a third of the steps, and its learning rate falls to 0 over
# these. It keeps less of the task (0.93) than with *projection* or *KL*, and most of the trait
# (0.60, not 0.84). So to learn less is not enough.
#
# On real digits (MNIST), projecting out the gradient stopped the transfer (arXiv 2604.25779). Not
# tested: further training of a defended student, and large models.
#
# ## Try
# * `--kl-weight 10` or `0.1`. Does a stronger KL leak less where it did not practice?
# * Let the KL practice after other animals' sentences, too. Which question can still test it?

# %%
share, more = kept[KL].mean(), np.exp(times[KL].mean())
lesson.finish(f"With KL a student keeps {share:.0%} of the task; asked what it did not practice, "
              f"it answers {owl} {more:.0f} times as often as the control")  # fmt: skip
