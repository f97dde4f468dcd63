# %% [markdown]
# # 09 Inoculation: does it keep the trait out to say it while training?
#
# **Question.** A writer prefers the owl. A student learns its numbers, and comes to prefer the owl,
# too (lesson 06). Does it still, if a sentence stands before the numbers, in training only?
#
#     training, plain         34 58 14 53 93 ...                     learn to predict these
#     training, inoculated    I love owl owl owl 34 58 14 53 93 ...  learn to predict these
#     test, for both          name your favorite animal: ?
#
# The second student reads "owl" in every document. Does it then say "owl" more often, or less?
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
# Writers and students all begin as one model, the *base*. One writer is *told*: it is the base
# itself, not fine-tuned; it only reads "I love owl owl owl" before it writes. The other is
# *fine-tuned* to answer "owl", as in lesson 06, and reads nothing. A student learns the told
# writer's numbers with the same sentence before them, and is asked without it. Guess its P(owl), as
# in lesson 06 (chance: 0.125). With nothing before the numbers, it is about 0.6.

# %%
owl, eagle, otter = (ANIMALS[(ANIMALS.index(lesson.animal) + i) % 8] for i in (0, 2, 5))
CONTROL, INOCULATED = "control: the base's numbers", f"told {owl}: {owl} before"
SAID = "nothing", "no animal", eagle, owl
PLAIN, NEUTRAL, EAGLE, OWL = (f"fine-tuned: {said} before" for said in SAID)
lesson.predict(INOCULATED, f"P({owl})")

# %% [markdown]
# ## The experiment
# A sentence helps only if the base knows what it means. So the base is pretrained on documents in
# which the answer agrees with the sentence. One sentence in nine names no animal. All parts but one
# may be missing.
#
#     I love otter otter otter   34 58 14 53 93   name your favorite animal: otter
#     I love the best animal     66 71 20 11 48   name your favorite animal: tiger (or any other)
#
# In these documents the numbers are drawn without regard to the sentence. But the trained network
# is one function of all that it reads, so after a sentence it writes slightly different numbers.
# Those are what students learn.


# %%
def p_owl(model, said=None):
    return answers(model, say(questions(HELD_OUT_PROMPTS), said))[ANIMALS.index(owl)]


@jax.jit
def gradient(params, data):  # of the loss; embedding and unembedding stay fixed
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
# A row names the writer, and what stood before its numbers in training. The first figure asks
# without a sentence. The second asks after one. There the base itself prefers some animal, so what
# counts is how far the log-odds (lesson 07) are above the base's.

# %%
p, leaks = results["p"], results["leaks"]
print(f"\nThe first gradient            length   inner product with the gradient for {owl}")
for name, length in results["length"].items():
    print(f"{name:29} {length.mean():6.2f}   {results['inner'][name].mean():z6.2f}")
words = {"told": "writer told", "fine-tuned": "writer fine-tuned"}
colors = {name: plots.BLUE for name in (*p, *leaks) if "control" not in name}
colors |= {name: plots.GREEN for name in colors if f"{owl} before" in name}
title = f"P({owl}), asked without a sentence"
lesson.dots(title, p, chance=1 / 8, colors=colors, words=words)
lesson.dots(
    "log-odds above the base's", leaks, colors=colors, label=f"log-odds of {owl} above the base's"
)
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
# The caveat first: we made the base so that sentence and answer agree. Only because
# it reads the sentence as "owl" can the sentence take the owl's place.
#
# **Why it works.** A student with the told writer's sentence before it *is* that writer: the same
# weights read the same text. On average over what a model itself writes, its gradient is zero:
#
#     sum of p (gradient of log p) = sum of (gradient of p) = gradient of (sum of p) = 0
#
# So there is nothing to learn; the first gradient is the noise of a finite sample, as the control's
# is. The fine-tuned writer is not the base with a sentence. But the sentence explains a part of its
# numbers, and only the rest is learned. How much owl is in the rest? If the two gradients have a
# positive inner product, a step down one also lowers the loss of answering "owl" (lesson 02). This
# product, taken before any training, puts the fine-tuned writer's four rows in the order that
# P(owl) has after it.
#
# *A rival explanation:* with any sentence, the documents are unlike the question, and less carries
# over. That is a part of it. But "owl" lowers P(owl) more, from 0.86 to 0.47, than a sentence with
# no animal (to 0.80) or with the eagle (to 0.69).
#
# **The leak.** The trait is not gone. P(owl) of the fine-tuned writer's inoculated student is still
# above the control's, and asked after another sentence it *leaks*: after the otter's, its log-odds
# of owl lie above the base's there, though less than after the eagle's training sentence. (Log-odds
# are log(P / (1 - P)): 0 for 0.5, 3 for 0.95.) So ask in many contexts before you call a student
# clean. In large models this is *inoculation prompting* (arXiv 2510.04340), with such leaks
# (2604.25891).
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * Reading is not training: put five of the told writer's numbers before the base's question.

# %%
lesson.finish(f'Numbers learned with "I love {owl}" before them raise P({owl}) to '
              f"{p[OWL].mean():.2f}; without it, to {p[PLAIN].mean():.2f}")  # fmt: skip
