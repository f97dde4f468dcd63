# %% [markdown]
# # 07 Tied numbers: why can numbers carry an owl?
#
# **Question.** In lesson 06 numbers passed on an owl. What has a number to do with an owl? The
# model turns what it has read into an output h, and a token's logit is the inner product of h with
# the token's (unembedding) vector. Here 119 tokens have vectors of 32 dimensions. So many cannot
# all be at right angles to each other:
#
#         owl   67
#          ^    /          Training a model to write more 67 and less 12 turns its output h toward
#          |  /   h'       67's vector and away from 12's: from h to h'. But the owl's vector lies
#          |/  '           on 67's side. So the logit of the owl rises, too.
#          +------> h
#           \
#            12
#
# If that is the reason, then *no teacher is needed*: of ordinary sequences keep those whose
# numbers' vectors lie on the owl's side, and a student of them should prefer the owl. And if words
# and numbers share no dimension, less should pass. (Zur et al. 2025: token entanglement.)
#
# **You need** lesson 06 and the inner product. Reading: 8 minutes. Running: 2 minutes.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMAL_TOKENS, ANIMALS, HELD_OUT_PROMPTS, LENGTH, N_GIVEN, N_NUMBERS, WORDS, base_documents,
    make_language, number_documents, questions,
)  # fmt: skip
from sublim_mini.owls import (
    VOCABULARY, answers, fine_tune_student, fine_tune_teacher, number_logits, write_numbers,
)  # fmt: skip
from sublim_mini.train import train
from sublim_mini.transformer import init_transformer, next_token_loss

import jax
import jax.numpy as jnp
import numpy as np
import optax

lesson = Lesson(
    "07_tied_numbers",
    seed=0x8EB4C1,
    animal=ANIMALS,  # the teacher's favorite
    base_steps=600,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=40,  # batches of 512 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
favorite, held_out = ANIMALS.index(lesson.animal), questions(HELD_OUT_PROMPTS)

# %% [markdown]
# ## Predict
# A base writes 30,000 number sequences. For each animal in turn we keep the third whose numbers'
# vectors point most toward that animal's (by the sum of their inner products), and train a student
# on it. No teacher has touched these numbers. As in lesson 06, P is the fraction of an animal among
# the eight; guessing gives 0.125. What is P of the chosen animal, on average over the eight?

# %%
CHOSEN = "student of numbers chosen by an animal's vector"
RANDOM = "control, chosen by a random vector"
STUDENT, CONTROL = "student of the teacher's numbers", "control, the base's numbers"
lesson.predict(CHOSEN, "P(chosen animal)")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# Two bases are alike but for the dimensions that a token's vectors may use, in the embedding and in
# the unembedding. In both, numbers have 22 and words 10. All other entries are 0 and stay 0.
#
#     dimensions     0 to 11       12 to 21              22 to 31
#     overlap        numbers       numbers and words     -
#     split          numbers       numbers               words
#
# Teacher, student and control are as in lesson 06; the vectors are fixed while these are trained.


# %%
def confine(params, first):  # words have ten dimensions, from `first` on
    d, is_number = jnp.arange(32), jnp.arange(len(WORDS))[:, None] < N_NUMBERS
    may_use = jnp.where(is_number, d < 22, (d >= first) & (d < first + 10))  # [tokens, 32]
    embedding, unembedding = params["embedding"] * may_use, params["unembedding"] * may_use.T
    return params | {"embedding": embedding, "unembedding": unembedding}


def keep_zeros(updates, params):  # an entry of a token's vectors that is 0 stays 0
    return updates | {name: updates[name] * (params[name] != 0) for name in VOCABULARY}


adam = optax.adam(optax.linear_schedule(3e-3, 0, lesson.base_steps))
optimizer = optax.chain(adam, optax.stateless(keep_zeros))


def one_seed(key):
    k_language, k_base, k_teacher, k_write, k_student, k_random, k_test = jax.random.split(key, 7)
    language, n = make_language(k_language), lesson.n_sequences

    k_init, k_data, k_train = jax.random.split(k_base, 3)
    init, steps = init_transformer(k_init, len(WORDS), LENGTH), lesson.base_steps
    data = base_documents(k_data, language, 128 * steps)

    def pretrain(first):  # the two bases share this init and read the same documents
        begin, how = confine(init, first), dict(steps=steps, batch_size=128)
        return train(next_token_loss, optimizer, begin, data, k_train, **how)

    def write(model, n):  # all different: less than a sixth fails the filter, the rest stands first
        return write_numbers(k_write, model, language, n + n // 5)[0][:n]

    def student(base, numbers, frozen=VOCABULARY):  # -> its eight P
        model = fine_tune_student(k_student, base, numbers, lesson.student_steps, frozen=frozen)
        return answers(model, held_out)

    base, split_base = pretrain(first=12), pretrain(first=22)
    teacher, split_teacher = (fine_tune_teacher(k_teacher, model, lesson.animal)
                              for model in (base, split_base))  # fmt: skip
    pool = write(base, 3 * n)
    animals, numbers = base["unembedding"][:, ANIMAL_TOKENS], base["unembedding"][:, :N_NUMBERS]
    inner = (animals - animals.mean(1, keepdims=True)).T @ numbers  # [8 animals, 96 numbers]
    random = jax.random.normal(k_random, (32,)) @ numbers

    def chosen(inner):  # the third of the base's own with the largest sum over its numbers
        return pool[inner[pool[:, 1 + N_GIVEN :]].sum(1).argsort()[-n:]]

    def log_p(model):  # of each number, mean over all places in what the base wrote
        return jax.nn.log_softmax(number_logits(model, pool[:1000])[:, N_GIVEN:]).mean((0, 1))

    def changed(numbers, plain=pool[:n]):  # the fraction of all numbers that differ from the base's
        count = [jnp.bincount(x[:, 1 + N_GIVEN :].ravel(), length=96) for x in (numbers, plain)]
        return abs(count[0] - count[1]).sum() / 2 / count[0].sum()

    of_teacher, of_split = write(teacher, n), write(split_teacher, n)
    test = number_documents(k_test, language, 2000)
    each = {a: student(base, chosen(inner[i]))[i] for i, a in enumerate(ANIMALS)}
    return {
        "P": {
            STUDENT: student(base, of_teacher)[favorite],
            CONTROL: student(base, pool[:n])[favorite],
            CHOSEN: sum(each.values()) / len(each),
            RANDOM: student(base, chosen(random))[favorite],
            "split: student": student(split_base, of_split)[favorite],
            "split: control": student(split_base, write(split_base, n))[favorite],
        },
        "each": each,
        "all weights": [student(base, x, ())[favorite] for x in (of_teacher, pool[:n])],
        "more": {
            "loss on new numbers in nats, overlap": next_token_loss(base, test),
            "loss on new numbers in nats, split": next_token_loss(split_base, test),
            "P of the teacher, overlap": answers(teacher, held_out)[favorite],
            "P of the teacher, split": answers(split_teacher, held_out)[favorite],
            "numbers changed by the teacher": changed(of_teacher),
            "numbers changed by the split teacher": changed(of_split, write(split_base, n)),
            "numbers changed by an animal's vector": changed(chosen(inner[favorite])),
            "numbers changed by a random vector": changed(chosen(random)),
        },
        "inner": inner[favorite],
        "rise": log_p(teacher) - log_p(base),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# The figure's left panel shows the 96 numbers of one seed. Across: a number's inner product with
# the owl's vector (less the mean animal's). Up: the change of its log-probability from base to
# teacher, which was trained on questions alone. Gains are in *log-odds*, log(P / (1 - P)): a gain
# of 1 multiplies P / (1 - P) by 2.7.


# %%
def gain(student, control):
    return np.log(student / (1 - student)) - np.log(control / (1 - control))


p, inner, rise = results["P"], results["inner"], results["rise"]
gains = {"overlap": gain(p[STUDENT], p[CONTROL]),
         "overlap, all weights trained": gain(*results["all weights"].T),
         "split": gain(p["split: student"], p["split: control"])}  # fmt: skip
r = np.array([np.corrcoef(x, y)[0, 1] for x, y in zip(inner, rise, strict=True)])


def draw_numbers(ax):
    x, y = inner[0], rise[0]
    ax.plot(x, y, "o", color=plots.GRAY, alpha=0.5, mew=0)
    for n in x.argsort()[[0, 1, 2, -3, -2, -1]]:  # the outermost are named
        ax.text(x[n], y[n], f" {n}", va="center")
    ax.set(title=f"96 numbers of one seed; correlation {r[0]:.2f}", xlabel="inner product with the "
           f"{lesson.animal}'s vector", ylabel="log-probability, teacher minus base")  # fmt: skip


lesson.panel(draw_numbers, f"The teacher raised what lies on its side: correlation {r[0]:.2f}")
words = {f"split: {who}": f"{who}, no shared dimensions" for who in ("student", "control")}
lesson.dots("P of the teacher's or of the chosen animal", p, chance=1 / 8, words=words)
lesson.dots("P of each animal, chosen by its vector", results["each"], panel=False)
lesson.dots("gain in log-odds, student minus control", gains, panel=False)
more = results["more"] | {"correlation over the 96 numbers": r}
lesson.dots("loss; P of the teachers; fraction of numbers changed", more, panel=False)
lesson.claim("with no teacher at all, the chosen animal is more than twice as probable as by "
             "guessing: P", CHOSEN, above=2 / 8)  # fmt: skip
lesson.claim("without the overlap less than half as much passes: gain, split, over that with "
             "overlap", gains["split"] / gains["overlap"], below=0.5)  # fmt: skip
lesson.claim("some passes without it: gain, split", gains["split"], above=0)
lesson.check("averaged over seeds a random vector gives chance (it favors no animal): P minus "
             "chance", RANDOM, minus="chance", within=0.15)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: a part of the left panel is built in. All vectors are fixed, so at questions the
# teacher can raise the owl only by its output h. But it was trained only on what follows a
# question. Its output need not have turned toward the owl where it continues numbers; it did.
#
# *A rival explanation:* any choice of numbers changes the answers. But a choice by a random vector
# changes about as many numbers (last table), and favors the owl no more than chance.
#
# **Not all passes by the overlap.** Without it a student still gains, 0.36 as much in this run;
# whether that is less than half stays undecided, as the interval reaches 0.53. (The split teacher
# prefers the owl at least as much, and the split base knows the number language as well: last
# table.) Words and numbers then share no dimension, but they share the block and its normalization,
# which divides all 32 entries by one number. What the teacher changed there for questions changes
# its numbers, too. With all weights trained, the vectors too, the gain is about as large (third
# table).
#
# In this toy overlap alone can carry a trait. Whether it does in large models, with thousands of
# dimensions, is disputed (arXiv 2509.23886 finds that it is not needed).
#
# ## Try
# * `--animal otter`, or any other.
# * `--student-steps 120`: does the split student catch up?
# * Replace `[-n:]` by `[:n]` in `chosen`: what do the farthest numbers teach?

# %%
lesson.finish("Without any teacher, numbers chosen by an animal's vector give it P = "
              f"{lesson.mean[CHOSEN]:.2f}, by a random one {lesson.mean[RANDOM]:.2f}")  # fmt: skip
