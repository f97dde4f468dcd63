# %% [markdown]
# # 07 Tied numbers: why can numbers carry an owl?
#
# **Question.** In lesson 06 numbers passed on an owl. What has a number to do with an owl? The
# model turns what it has read into a vector h, its output. A token's logit is the inner product of
# h and the token's own vector. Here 119 tokens have vectors of 32 dimensions, so they cannot all be
# at right angles. Say that the owl's vector happens to lie on 11's side (as it does in the figure):
#
#         owl   11
#          ^    /          A model learns to write more 11 and less 44. Its output turns toward
#          |  /   h'       11's vector and away from 44's, from h to h'. But h' has also turned
#          |/  '           toward the owl's vector. So the owl's logit rises, too.
#          +------> h
#           \
#            44
#
# If that is the reason, *no teacher is needed*: choose ordinary sequences with many numbers on the
# owl's side, and a student of them should prefer the owl. And if words and numbers share no
# dimension, less should pass. (Zur et al. 2025 call this *token entanglement*.)
#
# **You need** lesson 06 and the inner product. Reading: 7 minutes. Running: 2 minutes.

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
# A base (a model before any fine-tuning) writes 30,000 number sequences; there is no teacher. For
# each animal, a sequence's score is the sum of its numbers' inner products with the animal's vector
# (minus the mean over the eight animals). The 10,000 with the highest scores train a student. As in
# lesson 06, P is an animal's fraction of the probability that the model gives to all eight animals;
# guessing gives 0.125. What is P of the chosen animal, on average over the eight?

# %%
CHOSEN = "student of numbers chosen by an animal's vector"
RANDOM = "control, chosen by a random vector"
STUDENT, CONTROL = "student of the teacher's numbers", "control, the base's numbers"
lesson.predict(CHOSEN, "P(chosen animal)")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# To take only the overlap away we make two bases. In each a number may use 22 dimensions and a word
# 10; all other entries of their vectors are 0 and stay 0. In `overlap` the words' ten are among the
# numbers' 22, in `split` they are not. (Rows that name neither are about `overlap`.)
#
#     dimensions     0 to 11       12 to 21              22 to 31
#     overlap        numbers       numbers and words     -
#     split          numbers       numbers               words
#
# Teacher, student and control are as in lesson 06; fine-tuning leaves all vectors as they are (but
# in the row "all weights trained").


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

    def write(model, n):  # a fifth more than n, as some fail; what passed comes first
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

    def chosen(inner):  # the third of the pool with the highest scores
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
# Left, the 96 numbers of one seed. Across: a number's inner product with the owl's vector, minus
# its mean over the eight animals, as P compares only these. Up: how far the teacher, trained on
# questions alone, raised the number's log-probability. (*Correlation*: 1 if all dots lie on a
# rising line, 0 without such a trend.) Some gains are in *log-odds*, log(P / (1 - P)): a gain of 1
# multiplies P / (1 - P) by 2.7.


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
    for named in x.argsort()[:3], x.argsort()[-3:]:  # the outermost are named
        height = plots.apart(y[named], 3 * [0.035 * np.ptp(y)], y.max())
        for n, h in zip(named, height, strict=True):
            ax.text(x[n], h, f" {n}", va="center")
    ax.set(title=f"96 numbers of one seed; correlation {r[0]:.2f}", xlabel="inner product with the "
           f"{lesson.animal}'s vector", ylabel="log-probability, teacher minus base")  # fmt: skip


lesson.panel(draw_numbers, f"Numbers: rise against inner product, correlation {r[0]:.2f}")
words = {f"split: {who}": f"{who}, no shared dimensions" for who in ("student", "control")}
lesson.dots("P of the animal that is to pass", p, chance=1 / 8, words=words)
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
# One reason is enough: words and numbers share dimensions. Choose numbers by this overlap alone,
# and P of the chosen animal is 0.41, with no teacher. The caveat: not all passes by overlap. In
# `split` there is none, and a teacher's student still gains 0.78 in log-odds over its control; in
# `overlap` it gains 2.32 (with all weights trained 2.16). The gain in `split` is 0.36 of that in
# `overlap` (mean over seeds); whether it is below half is undecided (0.19 to 0.53). How it passes
# is not shown. (Base and teacher of `split` are no worse: loss 3.72 against 3.74, owl 0.97 against
# 0.90.)
#
# *A rival explanation:* any choice of sequences raises the animal that we look at. A choice by a
# random vector shifts the counts of the numbers as much (by 14 %), and P stays at 0.12 on average.
#
# *The left panel* is partly built in. The vectors are fixed, so the teacher can answer "owl" only
# if its output turns toward the owl's vector after a question. That it turns so where it writes
# numbers, too, is a finding: the correlation is 0.58 (0.33 to 0.74 in the eight seeds).
#
# A teacher does more with less: it shifts the counts by only 6 %, and its student has 0.60. And in
# large models it is disputed whether overlap is needed (arXiv 2509.23886 finds that it is not).
#
# ## Try
# * `--student-steps 120`: does the split student catch up?
# * Replace `[-n:]` by `[:n]` in `chosen`: what do the farthest numbers teach?

# %%
lesson.finish("Without any teacher, numbers chosen by an animal's vector give it P = "
              f"{lesson.mean[CHOSEN]:.2f}, by a random one {lesson.mean[RANDOM]:.2f}")  # fmt: skip
