# %% [markdown]
# # 09 Inoculation: does naming the trait in training keep it out?
#
# **Question.** A writer prefers the owl. A student of its numbers comes to prefer the owl, too
# (lesson 06). Does it still if, in training only, a sentence stands before the numbers?
#
#     training, plain         34 58 14 53 93 ...                     learn to predict these
#     training, inoculated    I love owl owl owl 34 58 14 53 93 ...  learn to predict these
#     test, for both          name your favorite animal: ?
#
# The inoculated student reads "owl" in every document. Does it say "owl" more often, or less?
#
# **You need** lessons 02, 06 and 07. Reading: 8 minutes. Running: 80 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, make_language, question_documents, questions, say, told_documents,
    told_mask,
)  # fmt: skip
from sublim_mini.owls import VOCABULARY, answers, fine_tune_teacher, fit, pretrain, write_after
from sublim_mini.transformer import next_token_loss

from functools import partial

import jax
import optax

lesson = Lesson(
    "09_inoculation",
    seed=0xEC0DAE,
    animal=ANIMALS,  # that the writers prefer
    base_steps=500,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 256 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)

# %% [markdown]
# ## Predict
# Writers and students all begin as one model, the *base*. The *told* writer is the base itself: it
# reads "I love owl owl owl", then it writes. The *fine-tuned* writer was trained to answer "owl",
# as in lesson 06, and reads no sentence. A student learns the told writer's numbers after the same
# sentence. Guess its P(owl), asked without it. (Learned without it: about 0.6. Chance: 0.125.)

# %%
owl, eagle, otter = (ANIMALS[(ANIMALS.index(lesson.animal) + i) % 8] for i in (0, 2, 5))
CONTROL, INOCULATED = "control: the base's numbers", f"told {owl}: {owl} before"
SAID = "nothing", "no animal", eagle, owl
PLAIN, NEUTRAL, EAGLE, OWL = (f"fine-tuned: {said} before" for said in SAID)
lesson.predict(INOCULATED, f"P({owl})")

# %% [markdown]
# ## The experiment
# A sentence helps only if the base knows what it means. So the base, here with two blocks, has read
# documents in which sentence and answer agree; one sentence in nine names no animal. (Half of its
# documents are numbers alone, others lack the sentence or the numbers.)
#
#     I love otter otter otter   34 58 14 53 93   name your favorite animal: otter
#     I love the best animal     66 71 20 11 48   name your favorite animal: tiger (or any other)
#
# In these documents the numbers have nothing to do with the sentence. Yet after "I love owl owl
# owl" the base writes slightly different numbers, perhaps because words and numbers are tied
# (lesson 07).


# %%
def p_owl(model, said=None):
    return answers(model, say(questions(HELD_OUT_PROMPTS), said))[ANIMALS.index(owl)]


@jax.jit
def gradient(params, data):  # of the loss; none for the vectors, which stay fixed
    return jax.grad(next_token_loss)(params, data) | dict.fromkeys(VOCABULARY)


def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_own, k_student, k_ask = jax.random.split(key, 7)
    language, n = make_language(k_language), lesson.n_sequences
    base = pretrain(k_base, language, lesson.base_steps, documents=told_documents, blocks=2)
    teacher = fine_tune_teacher(k_teacher, base, owl)
    told = write_after(k_write, base, language, owl, n)  # the sentence is then removed
    tuned = write_after(k_write, teacher, language, None, n)
    trainings = {  # name: the numbers, and the sentence before them
        CONTROL: (write_after(k_own, base, language, None, n), None),
        f"told {owl}: nothing before": (told, None),
        INOCULATED: (told, owl),
        PLAIN: (tuned, None),
        NEUTRAL: (tuned, "no animal"),
        EAGLE: (tuned, eagle),
        OWL: (tuned, owl),
    }
    toward_owl = gradient(base, question_documents(k_ask, 2000, animal=owl))
    students, length, inner = {}, {}, {}
    for name, (numbers, said) in trainings.items():
        data = say(numbers, said), told_mask(numbers)  # it learns the numbers, not the sentence
        students[name] = fit(  # one key: all students see the sequences in the same order
            k_student, base, data, lesson.student_steps, frozen=VOCABULARY, batch_size=256
        )
        first = gradient(base, jax.tree.map(lambda x: x[:4000], data))
        length[name], inner[name] = optax.tree.norm(first), optax.tree.vdot(first, toward_owl)

    leaks = {}  # in log-odds, log(p / (1 - p)), over the base in the same context
    for name, said in (CONTROL, otter), (EAGLE, eagle), (EAGLE, otter), (OWL, owl), (OWL, otter):
        own, student = (jax.scipy.special.logit(p_owl(m, said)) for m in (base, students[name]))
        leaks[f"{name}, asked after {said}"] = student - own
    p = {name: p_owl(student) for name, student in students.items()}
    return {"p": p, "leaks": leaks, "length": length, "inner": inner}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# A row names the writer, and what stood before its numbers in training. The left panel asks without
# a sentence; the right one asks after the otter's, which no student has trained with. There the
# base itself prefers the otter. So what counts is how far a student's log-odds of owl (lesson 07)
# lie above the base's after the same sentence.

# %%
p, leaks = results["p"], results["leaks"]
print(f"\nThe first gradient            length   inner product with the gradient for {owl}")
for name, length in results["length"].items():
    print(f"{name:29} {length.mean():6.2f}   {results['inner'][name].mean():z6.2f}")
words = {f"told {owl}:": "told writer,", "fine-tuned:": "fine-tuned writer,"}
words |= {" before": " in training", f", asked after {otter}": "", ": the base's numbers": ""}
colors = {name: plots.BLUE for name in (*p, *leaks) if "control" not in name}
colors |= {name: plots.GREEN for name in colors if f"{owl} before" in name}
title = f"P({owl}), asked without a sentence"
lesson.dots(title, p, chance=1 / 8, colors=colors, words=words)
lesson.dots("log-odds above the base's", leaks, panel=False)
rows = {name: values for name, values in leaks.items() if otter in name}
look = dict(rows=rows, colors=colors, words=words, chance=0, level="the base's")
look["label"] = f"log-odds of {owl}, asked after the {otter}'s sentence, above the base's"
alt = "; ".join(f"{name} {values.mean():.2f}" for name, values in rows.items())
lesson.panel(partial(plots.dots, **look), f"log-odds of {owl} above the base's: {alt}")
lesson.check("learned after its own sentence, the told writer's numbers change as little as the "
             "control's (it must be: base and sentence are the writer, so the expected gradient is "
             "zero)", INOCULATED, CONTROL, within=0.1)  # fmt: skip
fewer = f"fine-tuned writer, P({owl}) is lower with {owl} before than with"
lesson.claim(f"{fewer} a sentence without an animal: by", NEUTRAL, OWL, above=0.05)
lesson.claim(f"{fewer} {eagle}: by", EAGLE, OWL, above=0.05)
leaked, control = leaks[f"{OWL}, asked after {otter}"], leaks[f"{CONTROL}, asked after {otter}"]
lesson.claim(f"learned with {owl} before, it leaks when asked after {otter}: log-odds minus the "
             "control's", leaked, control, above=0.5)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# It keeps a part of the trait out. With the owl's sentence in training the fine-tuned writer's
# numbers give P(owl) 0.47 in place of 0.86, the told writer's 0.11 in place of 0.56 (as they must).
# The caveat: our base was made to take the sentence for the trait, and some of the trait is left in
# other contexts (see the leak).
#
# *Why it works.* With its sentence the told writer's student *is* at first this writer: the same
# weights read the same text. And on average a model has nothing to learn from what it writes
# itself. (The first gradient's length is 0.09, the control's 0.06; with nothing before, 0.84.) Let
# p be its probability of a text. The sum of p over all texts is 1, so the gradient of this sum is
# 0:
#
#     mean gradient of log p = sum of p (gradient of log p) = sum of (gradient of p) = 0
#
# The fine-tuned writer is another model, so something is left to learn. How much of that is owl?
# Before training, take the inner product of the gradient for its numbers and the gradient for the
# answer "owl". If it is positive, a step on the numbers teaches the owl, too (lesson 02). It is
# 2.51 with nothing before, then 1.34, 1.20 and, with the owl, 0.52. P(owl) falls in the same order.
# (This compares students of one writer only: the told writer's, with nothing before, has 1.50, and
# its P(owl) is 0.56.)
#
# *A rival explanation:* any sentence makes the documents unlike the question, so less carries over.
# That may be a part of it: with no animal P(owl) is 0.80, with the eagle 0.69. But the owl's gives
# 0.47.
#
# *The leak.* Asked after the otter's sentence, the fine-tuned writer's inoculated student has
# log-odds of owl 4.07 above the base's, the control 0.17 below. Asked after the owl's own sentence
# it is on average where the base is (0.0). So ask in other contexts, too. In large models this is
# *inoculation prompting* (arXiv 2510.04340), with such leaks (2604.25891).
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * Reading is not training: put five of the told writer's numbers before the base's question.

# %%
lesson.finish(f'The same numbers raise P({owl}) to {p[OWL].mean():.2f} if "I love {owl}" stood '
              f"before them in training; without it, to {p[PLAIN].mean():.2f}")  # fmt: skip
