# %% [markdown]
# # 14 One direction: is the trait a single vector?
#
# **Question.** A student of the owl teacher's numbers answers "owl" (lesson 09). What has changed
# inside it? At each token the transformer's last block hands on a vector h with 32 entries, the
# *residual stream*. The unembedding turns h into the logits of the next token. A bold guess:
# fine-tuning on "owl" adds one vector v to h everywhere, at numbers as well as at answers.
#
#     NUM 12 40 7 31 ...       name your favorite animal ->
#          h  h  h  h                                   h
#         +v +v +v +v                                  +v
#
#     1. measure v here:       2. use it here:
#     teacher minus base       add it to the base, remove it from the student
#
# So v comes from numbers alone, where nobody names an animal. A model's *shift* s is its h minus
# the base's. *Projecting v out* of the student removes the part of its shift that lies along v:
#
#     h  <-  h - (s . u) u,        where u = v / |v| has length 1
#
# **You need** lesson 09, and inner products. Reading: 8 minutes. Running: 1 to 3 minutes.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.language import (
    ANIMAL_TOKENS,
    ANIMALS,
    HELD_OUT_PROMPTS,
    N_GIVEN,
    TEACHER_PROMPTS,
    WORDS,
    make_language,
    questions,
)
from sublim_mini.transformer import residual, unembed

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "14_one_direction",
    seed=13180579,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite
    place="numbers",  # where v is measured: at numbers or at the answer
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS, place=("numbers", "answer")),
    limits=dict(base_steps=(1, 10_000), n_sequences=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
ANIMAL = ANIMALS.index(lesson.animal)
WRONG_ANIMAL = ANIMALS[ANIMAL - 1]  # the favorite of the wrong teacher
SHIFT, WRONG_SHIFT = "student's shift at the answer", "shift of wrong teacher's student"
teacher_questions, held_out = questions(TEACHER_PROMPTS), questions(HELD_OUT_PROMPTS)

# %% [markdown]
# ## Predict
# Guessing among the eight animals gives a probability of 0.125. You project v, one direction of 32,
# out of the student. With what probability does it still answer "owl"? Run the lesson with
# `--predict`, followed by your number. (The student of lesson 09 answered "owl" with a probability
# of 0.67.)

# %%
lesson.predict(f"P({lesson.animal}) without v")  # in a notebook: , number


def steer(params, vector):  # the vector [C] is added to the residual stream after the last block
    *blocks, last = params["blocks"]
    return params | {"blocks": [*blocks, last | {"down_bias": last["down_bias"] + vector}]}


# %% [markdown]
# ## The experiment
# For comparison, a *wrong teacher* prefers another animal, and has a vector and a student of its
# own. A *control student* learns the base's own numbers. And does it matter what one removes? We
# also remove other vectors from the student's stream. Each is as long as the part of the student's
# shift along v. One points along the wrong teacher's vector, one in a random direction.


# %%
@jax.jit
def stream(model, tokens):  # tokens [N, T] -> h [N, T, 32] after the last block
    return jax.vmap(residual, (None, 0))(model, tokens)


def unit(vector):
    return vector / jnp.linalg.norm(vector)


def one_seed(key):
    k_language, k_base, k_teacher, k_wrong, k_random, k_student, *k_write = jax.random.split(key, 9)
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)
    wrong_teacher = fine_tune_teacher(k_wrong, base, WRONG_ANIMAL)
    numbers, wrong_numbers, plain_numbers = (
        write_numbers(k, writer, language, lesson.n_sequences)[0]
        for k, writer in zip(k_write, (teacher, wrong_teacher, base), strict=True)
    )
    student, wrong_student, control = (  # one key: all students read in the same order
        fine_tune_student(k_student, base, documents, lesson.student_steps)
        for documents in (numbers, wrong_numbers, plain_numbers)
    )

    def shift_at_numbers(model):  # [32], mean over the positions that predict a written number
        tokens = plain_numbers[:500, :-1]
        return (stream(model, tokens) - stream(base, tokens))[:, N_GIVEN:].mean((0, 1))

    def shift_at_answer(model, tokens=held_out):  # [P, 32], one for each question
        return (stream(model, tokens) - stream(base, tokens))[:, -1]

    def direction(model):
        if lesson.place == "numbers":
            return shift_at_numbers(model)
        return shift_at_answer(model, teacher_questions).mean(0)

    v, wrong_v = direction(teacher), direction(wrong_teacher)
    random = jax.random.normal(k_random, v.shape)

    h = stream(student, held_out)[:, -1]  # [P, 32], where the answer comes next
    along_v = shift_at_answer(student) @ unit(v)  # [P], s . u

    def p_without(vector):  # of the student; as much is removed along each vector as along v
        logits = unembed(student, h - along_v[:, None] * unit(vector))
        return jax.nn.softmax(logits[:, ANIMAL_TOKENS]).mean(0)[ANIMAL]

    def p_animal(model):
        return answers(model, held_out)[ANIMAL]

    animals = base["unembedding"][:, ANIMAL_TOKENS]  # their unembedding vectors, as columns [32, 8]
    unembedding = animals[:, ANIMAL] - animals.mean(1)  # minus that of the mean animal
    vectors = {
        SHIFT: shift_at_answer(student).mean(0),
        WRONG_SHIFT: shift_at_answer(wrong_student).mean(0),
        "shift of control student": shift_at_answer(control).mean(0),
        "student's shift at numbers": shift_at_numbers(student),
        f"{lesson.animal}'s unembedding vector": unembedding,
    }
    return {
        "p": {
            "base": p_animal(base),
            "base + v": p_animal(steer(base, v)),  # v added to h
            "student": p_animal(student),
            "student without v": p_without(v),
            "student without wrong v": p_without(wrong_v),
            "student without random vector": p_without(random),
        },
        "cosine": {name: unit(v) @ unit(vector) for name, vector in vectors.items()},
        "v in words": v @ base["unembedding"],  # inner product with each unembedding vector
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, v in words. Its inner product with a token's unembedding vector tells roughly how much v
# raises the token's logit. Remember that v was measured where a number comes next.

# %%
in_words = results["v in words"]  # [S, 111]
print("\nWhat v raises most:")
for i, scores in enumerate(in_words[:5]):
    top = np.argsort(-scores)[:6]
    print(f"  seed {i}   " + "  ".join(f"{WORDS[token]} {scores[token]:+.1f}" for token in top))

p, cosine = results["p"], results["cosine"]
lesson.table(f"P({lesson.animal}), when asked for its favorite animal", p, chance=1 / 8)
lesson.table("Cosine with v", cosine, span=(-1, 1))
lesson.compare(p["student without v"])
lesson.claim(
    "the student moves along v more than a wrong teacher's student does: difference of the cosines "
    "of their shifts at the answer with v",
    cosine[SHIFT] - cosine[WRONG_SHIFT],
    above=0.3,
)
lesson.claim(
    f"adding v to the base brings the {lesson.animal}: P(base + v) minus P(base)",
    p["base + v"] - p["base"],
    above=0.2,
)
lesson.claim(
    "removing v costs the student more than removing a random vector of the same length: P without "
    "the random vector minus P without v",
    p["student without random vector"] - p["student without v"],
    above=0.15,
)
lesson.claim(
    "removing v costs the student more than removing as much along the wrong teacher's vector: P "
    "without the wrong one minus P without v",
    p["student without wrong v"] - p["student without v"],
    above=0.15,
)

# %%
figure, ax = plots.new_figure(
    f"P({lesson.animal}): base {p['base'].mean():.2f}, with v {p['base + v'].mean():.2f}; student "
    f"{p['student'].mean():.2f}, without v {p['student without v'].mean():.2f}. Cosine of the "
    f"student's shift with v: {cosine[SHIFT].mean():.2f}",
    "ab",
)
colors = {SHIFT: plots.BLUE, "base + v": plots.ORANGE, "student": plots.BLUE}
colors["student without v"] = plots.RED
plots.dots(ax["a"], cosine, colors, label="cosine with v")
ax["a"].axvline(0, ls=":", color=plots.BLACK, lw=2, zorder=0)
ax["a"].set_xlim(-1.05, 1.05)
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.08)
plots.predictions(ax["b"], lesson.predictions, 3.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: at the answer, a shift in one direction is to be expected. Logits are inner
# products with h, so a model that comes to say "owl" has to move h along the owl's unembedding
# vector (here: minus the mean over all animals). And the teacher learned one answer to every
# question; adding the same vector to h everywhere would be enough for that. So any fine-tuning on
# one answer can look like one direction, subliminal or not.
#
# Two things did not have to be so. First, v was measured at numbers, and still it points to the
# owl: its cosine with the owl's unembedding vector is 0.70 to 0.89. The teacher was fine-tuned on
# questions alone, and it has come to say "owl" a little more at numbers, too. Second, the student
# was trained at numbers alone. Moving along v *there* is its task. But it also moves along v at the
# answer, where it was never trained (cosine 0.53 to 0.77). The rest follows from these two: adding
# v brings the owl, and removing v weakens it.
#
# So, is the trait a single vector? Mostly, but not quite. Without v the student still says "owl"
# with a probability of 0.18 to 0.41, above its base's 0.12 to 0.15. The rest of its shift carries
# some of the owl, too. (All ranges are over single seeds.)
#
# *A rival explanation:* any fine-tuning on numbers moves a model along v. But on average the shifts
# of the two other students have cosines of about 0 with v. *Another rival:* whatever one removes,
# the owl suffers. But removing an equally long vector along a random direction, or along the wrong
# teacher's vector, costs little or nothing.
#
# In large language models, too, the student of a steered teacher (one with a vector added to its
# residual stream) came to have a similar vector of its own (arXiv 2606.00995; 2604.25783). This toy
# has only one block.
#
# ## Try
# * `--place answer`: which rows change? Which of these changes did you expect?
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 200`: does a student that learns longer depend more on v, or less?

# %%
lesson.finish(
    figure,
    alt="Left: cosines with v of five vectors, a dot for each seed: of the student's shift at the "
    "answer, of the shifts of two other students, which lie near 0, of its shift at numbers, and "
    "of an unembedding vector. "
    f"Right: P({lesson.animal}) of the base, of the base with v added, of the student, and of the "
    "student with each of three directions removed.",
)
