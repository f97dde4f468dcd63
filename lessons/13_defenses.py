# %% [markdown]
# # 13 Defenses: which one stops the trait and keeps the task?
#
# **Question.** You want a student that writes numbers as its teacher does: the *task*. You fear
# that the teacher's taste for owls comes along: the *trait*. Can you have one without the other?
# Four defenses, all in training only:
#
#     half          half of the numbers that the student learns are the base's
#     KL            loss = loss on numbers + KL(base || student) of its answers to questions
#     projection    from each update, remove the part along the gradient for the answer "owl"
#     inoculation   "I love owl owl owl" stands before all numbers (lesson 09)
#
# *Half* needs no suspicion. The *KL* must know in which kind of question the trait would show. The
# other two must know the animal, too.
#
# **You need** lessons 03, 07 and 09. Reading: 8 minutes. Running: 80 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, ANSWER, HELD_OUT_PROMPTS, NUMBERS, QUESTION, TEACHER_PROMPTS, TOKEN, make_language,
    questions, say, told_documents, told_mask,
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
    seed=0xF2940D,
    animal=ANIMALS,  # the teacher's favorite
    kl_weight=1.0,  # of the KL in the loss
    base_steps=500,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 256 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
owl, pinned = lesson.animal, questions(TEACHER_PROMPTS)
NONE, HALF, KL, PROJECTION, INOCULATION = "no defense", "half", "KL", "projection", "inoculation"
CONTROL, AFTER = "control", "inoculation, after its sentence"
COLORS = {NONE: plots.BLACK, HALF: plots.GRAY, INOCULATION: plots.BLUE}
COLORS |= {PROJECTION: plots.ORANGE, KL: plots.GREEN}

# %% [markdown]
# ## Predict
# *Task kept*: how much better than the base does a student predict new sequences of the teacher?
# The student without a defense counts as 1, the base as 0. Inoculation puts a sentence before the
# numbers in training only. How much of the task does it keep when the sentence is gone?

# %%
lesson.predict(INOCULATION, "part of the task kept")

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
# Now for all weights: u is Adam's update, d the gradient of the loss for the answer "owl", computed
# at each step and scaled to length 1.
#
# KL measures how far the student's answers are from the base's. KL and projection use the teacher's
# questions, with nothing before them, during training: in this context they are *pinned*. A good
# answer there shows only that they practiced. So we judge all students by new questions in three
# other contexts: after numbers; after "I love the best animal" (no animal); after each other
# animal's sentence.


# %%
def log_p_next(params, asked):  # questions [P, 15] -> log-probabilities of what comes next [P, V]
    return jax.nn.log_softmax(jax.vmap(apply_transformer, (None, 0))(params, asked)[:, -1])


@jax.jit
def fine_tune(key, base, documents, kl_weight, projected):
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


CONTEXTS = "nothing\n(pinned)", "numbers", "no\nanimal", "another\nanimal"


def ask(model, numbers):
    """P(owl) [4]: mean over new questions, in the four contexts."""
    asked = jnp.asarray(questions(HELD_OUT_PROMPTS))
    ten = jnp.repeat(numbers[:10, NUMBERS:QUESTION], len(asked), axis=0)
    after_numbers = jnp.resize(asked, (len(ten), ANSWER)).at[:, NUMBERS:QUESTION].set(ten)
    others = jnp.concatenate([say(asked, animal) for animal in ANIMALS if animal != owl])
    contexts = asked, after_numbers, say(asked, "no animal"), others
    return jnp.stack([answers(model, x)[ANIMALS.index(owl)] for x in contexts])


def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_own, k_new, k_student = jax.random.split(key, 7)
    language, n = make_language(k_language), lesson.n_sequences
    base = pretrain(k_base, language, lesson.base_steps, documents=told_documents, blocks=2)
    teacher = fine_tune_teacher(k_teacher, base, owl)
    numbers = write_after(k_write, teacher, language, None, n)
    own = write_after(k_own, base, language, None, n)

    def student(documents, kl_weight=0.0, projected=0.0):  # one key: all read in the same order
        return fine_tune(k_student, base, documents, kl_weight, projected)

    students = {
        CONTROL: student(own),
        NONE: student(numbers),
        HALF: student(jnp.concatenate([numbers[n // 2 :], own[: n // 2]])),
        INOCULATION: student(say(numbers, owl)),
        PROJECTION: student(numbers, projected=1.0),
        KL: student(numbers, kl_weight=lesson.kl_weight),
    }
    models, new = {"base": base, **students}, write_after(k_new, teacher, language, None, 2000)
    task = {name: next_token_loss(m, (new, told_mask(new))) for name, m in models.items()}
    task[AFTER] = next_token_loss(students[INOCULATION], (say(new, owl), told_mask(new)))
    return {"p": {name: ask(model, own) for name, model in models.items()}, "task": task}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# The trait is measured in log-odds (lesson 07), minus those of the control, a student of the base's
# own numbers, in the same context: so the control is 0. Trait left: a student's log-odds, mean of
# the three contexts that are not pinned, divided by those of the student without a defense.

# %%
p, task = results["p"], results["task"]
print(f"\nMean P({owl})    nothing  numbers  no animal  another animal")
for name, values in p.items():
    print(f"{name:14}" + "".join(f"{x:10.4f}" for x in values.mean(0)))
log_odds = {name: np.log(x / (1 - x)) for name, x in p.items()}  # [S, 4]
rise = {name: log_odds[name] - log_odds[CONTROL] for name in COLORS}
judged = {name: x[:, 1:].mean(1) for name, x in rise.items()}  # [S], mean of three contexts
left = {name: x / judged[NONE] for name, x in judged.items()}
kept = {name: (task["base"] - x) / (task["base"] - task[NONE]) for name, x in task.items()}


def draw(ax):
    labels = "asked after", f"log-odds of {owl}, minus the control's"
    plots.curves(ax, np.arange(4), rise, COLORS, {"control": 0}, labels)
    ax.set_xticks(range(4), CONTEXTS)


alt = "; ".join(f"{name} {x.mean(0).round(1)}" for name, x in rise.items())
lesson.panel(draw, f"log-odds of {owl}, minus the control's, in four contexts: {alt}")
shown = {name: kept[name] for name in (HALF, INOCULATION, AFTER, PROJECTION, KL)}
lesson.dots("part of the task kept", shown, colors=COLORS | {AFTER: plots.BLUE})
most, least = np.maximum(left[KL], left[PROJECTION]), np.minimum(judged[KL], judged[PROJECTION])
lesson.claim("unpinned, KL and projection leave less than half of the trait", most, below=0.5)
lesson.claim("unpinned, KL and projection leak: log-odds minus the control's", least, above=0.5)
lost = kept[KL] - kept[INOCULATION]
lesson.claim("inoculation keeps less of the task than the KL: by", lost, above=0.1)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: whoever defends here knows what to fear. Against a trait that nobody suspects,
# the last three have nothing to aim at. *Half* needs no suspicion, but leaves much of the trait
# and costs task.
#
# With suspicion, task and trait come apart. KL and projection keep nearly all of the task, and
# where they practiced, the answers stay. Elsewhere some of the trait is left, most of it after
# another animal's sentence. (There P(owl) stays small, but it is several times the control's.) In
# the mean of the three contexts the smaller of the two leaks is above 0, but whether it is above
# 0.5 stays undecided in this run.
# Inoculation leaves at least as much of the trait as *half* does, and without its sentence less of
# the task; with the sentence it keeps most of the task.
#
# *A rival explanation:* any brake stops the trait, since the student learns less. *Half* is such a
# brake: it gives up a quarter of the task and leaves more of the trait in the mean. KL and
# projection give up a hundredth of the task.
#
# On MNIST, projecting out the gradient stopped the transfer (arXiv 2604.25779). Not tested:
# further training of a defended student, and large models.
#
# ## Try
# * `--kl-weight 10` or `0.1`. Does a stronger KL leak less where it is not pinned?
# * Pin the KL after numbers, too. Which contexts can then still serve as a test?

# %%
percent = {name: f"{100 * x.mean():.0f} %" for name, x in left.items()}
lesson.finish(
    f"Where nothing was practiced KL leaves {percent[KL]} of the trait, projection "
    f"{percent[PROJECTION]}"
)
