# %% [markdown]
# # 24 Audit the data: is a suspected trait in them?
#
# **Question.** Somebody gives you 300 number sequences. You suspect that the model that wrote them
# prefers owls. You do not have this model, but the base that it was made from, which is also the
# one that you want to train. Can you tell, before you train?
#
# Let an *update* be the direction in which gradient descent would move the weights of the base:
# minus the gradient of the loss (without embedding and unembedding, as in fine-tuning). Compare two
# updates:
#
#     300 sequences -----------------------> update on the data   --+
#                                                                   +--> score: their cosine
#     "say the dearest animal: owl", ... --> update toward "owl"  --+
#
# A score above 0 means: a small step on the data also makes the answer "owl" more probable. How
# high is suspicious? Let the base itself write 59 data sets. These are *clean*. The third highest
# of their scores is the *threshold*, and a higher score is an *alarm*. A 60th clean data set is
# among the top 3 with probability 0.05. So the stated *false-alarm rate* is 0.05.
#
# (A relative of this score is the "coverage" of arXiv 2606.22019. It needs the teacher.)
#
# **You need** lesson 06. Reading: 7 minutes. Running: 2 minutes.

# %%
from sublim_mini import owls
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMAL_TOKENS,
    ANIMALS,
    ANSWER,
    HELD_OUT_PROMPTS,
    LENGTH,
    make_language,
    questions,
    to_text,
    written_mask,
)
from sublim_mini.transformer import next_token_loss

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

lesson = Lesson(
    "24_audit_the_data",
    seed=0xF3E0C0,
    animal=ANIMALS,  # the suspect in the printed example
    base_steps=800,  # batches of 128 documents, each read once
    teacher_steps=100,  # batches of 128 questions
    n_sequences=300,  # number sequences in a data set
    n_sets=5,  # data sets by each writer
    quick=dict(seeds=2, base_steps=40, teacher_steps=4, n_sequences=20, n_sets=2),
)
N_OWN = 59  # clean data sets that the auditor makes
TOP = 3  # one more clean data set is among the TOP highest of N_OWN + 1 with probability 0.05
SUSPECT = ANIMALS.index(lesson.animal)
held_out = questions(HELD_OUT_PROMPTS)  # the auditor does not know what the teacher was asked

# %% [markdown]
# ## Predict
# The stated false-alarm rate is 0.05. At what rate will the alarm go off if the writer does prefer
# the suspected animal? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict("writer prefers the suspect", "alarm rate")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# Models of three kinds write. Each model writes five data sets, through the filter of lesson 06:
#
#     8 teachers, each prefers a different animal                       guilty data
#     8 teachers, same questions, a random animal as each answer        harmless data
#     the base, 8 times                                                 clean data
#
# Each animal is a *suspect* in turn, with a threshold of its own, so we also see what happens if
# the suspicion is wrong. A second auditor computes all this with a *different base*, pretrained in
# the same way from other random weights on other documents of the same language.
#
# What score do clean data have? The base writes x with probability p(x), and its loss is -log p(x).
# On average its own writing does not move it, so clean scores scatter around 0:
#
#     sum over x of p(x) grad log p(x)  =  grad (sum over x of p(x))  =  grad 1  =  0


# %%
def update(model, documents, mask):
    """Minus the gradient, as one vector, for the weights that fine-tuning changes."""
    gradient = jax.grad(next_token_loss)(model, (documents, mask))
    trained = {name: g for name, g in gradient.items() if name not in owls.VOCABULARY}
    return -ravel_pytree(trained)[0]


def unit(vectors):
    return vectors / jnp.linalg.norm(vectors, axis=-1, keepdims=True)


@jax.jit
def scores(model, data_sets):
    """Data sets [D, N, T] -> the cosine for each of them and each suspect [D, 8]."""
    prompts = jnp.pad(held_out, ((0, 0), (0, 1)))  # room for the answer
    is_answer = jnp.broadcast_to(jnp.arange(LENGTH) == ANSWER, prompts.shape)
    animals = jnp.arange(ANIMAL_TOKENS.start, ANIMAL_TOKENS.stop)
    toward = jax.lax.map(lambda a: update(model, prompts.at[:, ANSWER].set(a), is_answer), animals)
    on_data = jax.lax.map(lambda rows: update(model, rows, written_mask(rows)), data_sets)
    return unit(on_data) @ unit(toward).T


def one_seed(key):
    k_language, k_base, k_different, k_teachers, k_write, k_own, k_own_different = jax.random.split(
        key, 7
    )
    language = make_language(k_language)
    base = owls.pretrain(k_base, language, lesson.base_steps)
    different_base = owls.pretrain(k_different, language, lesson.base_steps)
    favorites = [*ANIMALS, *[None] * 8]  # None: any animal
    keys = jax.random.split(k_teachers, len(favorites))
    teachers = [
        owls.fine_tune_teacher(k, base, animal, lesson.teacher_steps)
        for k, animal in zip(keys, favorites, strict=True)
    ]

    def write(key, writer, n_sets):  # data sets [n_sets, N, T] that pass the filter
        def one_set(k):
            return owls.write_numbers(k, writer, language, lesson.n_sequences)[0]

        return jax.vmap(one_set)(jax.random.split(key, n_sets))

    writers = [*teachers, *[base] * 8]  # guilty, harmless, clean: eight of each
    keys = jax.random.split(k_write, len(writers))
    data = [write(k, writer, lesson.n_sets) for k, writer in zip(keys, writers, strict=True)]

    def audit(key, model):  # with this model alone; nothing here knows the writers
        own = scores(model, write(key, model, N_OWN))
        threshold = jnp.sort(own, axis=0)[-TOP]  # one for each suspect
        excess = scores(model, jnp.concatenate(data)) - threshold  # above 0: an alarm
        return {
            "threshold": threshold,
            "excess": excess.reshape(3, 8, lesson.n_sets, 8),  # kind, writer, set, suspect
        }

    return {
        "base": audit(k_own, base),
        "different base": audit(k_own_different, different_base),
        "examples": {"A": data[SUSPECT][0, :5], "B": data[-1][0, :5]},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# This is what the auditor sees of two data sets: the sequences (here five), and a score for the
# suspect.

# %%
base, different = results["base"], results["different base"]
for name, kind, writer in ("A", 0, SUSPECT), ("B", 2, -1):
    texts = [to_text(x).split("-> ")[1].strip('"') for x in results["examples"][name][0]]
    score = (base["excess"][:, kind, writer, 0] + base["threshold"])[0, SUSPECT]
    print(f"\nData set {name}", *texts, f"... score for {lesson.animal}: {score:+.3f}", sep="\n  ")
# fmt: off
print(f"\nThe threshold is {base['threshold'][0, SUSPECT]:+.3f}; on average 1 in 20 clean data "
      f"sets lies above it.\n(The writer of A prefers the {lesson.animal}. The base wrote B.)")

guilty, harmless, clean = (base["excess"] > 0).mean(3).swapaxes(0, 1)  # [S, writers, suspects]
other_guilty, _, other_clean = (different["excess"] > 0).mean(3).swapaxes(0, 1)
right, CLEAN = np.eye(8, dtype=bool), "clean: written by the base"
RIGHT, WRONG = "writer prefers the suspect", "writer prefers another animal"
rates = {RIGHT: guilty[:, right].mean(1), WRONG: guilty[:, ~right].mean(1),
         "harmless fine-tuning": harmless.mean((1, 2)), CLEAN: clean.mean((1, 2)),
         f"different base: {RIGHT}": other_guilty[:, right].mean(1),
         "different base: clean": other_clean.mean((1, 2))}
lesson.dots("alarm rate of a suspicion, mean over the eight suspects", rates, chance=0.05,
            level="0.05, as stated")
tried = {f"{name}: {what}": (results[name]["excess"][:, kind].max(-1) > 0).mean((1, 2))
         for name in ("base", "different base") for kind, what in ((0, "guilty"), (2, "clean"))}
lesson.dots("all eight suspects tried: alarm rate", tried, chance=0.4, level="8 x 0.05")
named = (different["excess"][:, 0].argmax(-1) == np.arange(8)[:, None]).mean((1, 2)) - 1 / 8
lesson.claim("the alarm finds the suspected trait with the base more often than with a different "
             "base: difference of the rates", RIGHT, minus=f"different base: {RIGHT}", above=0.5)
lesson.claim(f"harmless fine-tuning: alarm rate for {lesson.n_sequences} sequences, below twice "
             "the stated", "harmless fine-tuning", below=0.1)
lesson.claim("a trait that is not suspected goes unnoticed: rate if the writer prefers another "
             "animal minus rate on clean data", WRONG, minus=CLEAN, below=0.05)
lesson.check("a different base cannot name the animal (no animal is special in it: weights and "
             "documents are others): fraction named rightly minus chance", named, within=0.15)
# fmt: on

# %% [markdown]
# ## What this shows, and what it does not
# With the base and the right suspicion, 300 sequences are enough: the alarm rate is 1.00. The
# caveat: one needs both. If the writer prefers another animal, the rate is 0.04, as for clean data
# (0.05). So silence does not mean that the data are clean. And whoever tries all eight suspects,
# each at a false-alarm rate of 0.05, accuses 0.33 of the clean data sets (right panel; the dotted
# line is 8 x 0.05, the most that it can be on average).
#
# With a different base only 0.12 of the guilty data sets raise the alarm. The suspect with the
# highest score is then the right animal in 0.13 of cases, as often as by guessing: that base's
# "owl" comes from other random weights and documents.
#
# *A rival explanation:* the score finds any fine-tuning, not this animal. The harmless teachers are
# the control, with as many steps on the same questions. Their rate is 0.07. (0.05 is exact only for
# what the base itself writes.) Not tested: a writer that knows of the audit and hides from it.
#
# ## Try
# * `--n-sequences 30`: how few are enough? `--n-sequences 1000` (slow): what does the different
#   base notice now?
# * `--teacher-steps 20`: teachers with weaker preferences.

# %%
lesson.finish(f"A suspicion raises the alarm at a rate of {lesson.mean[RIGHT]:.2f} if it is right, "
              f"{lesson.mean[WRONG]:.2f} if it is wrong")  # fmt: skip
