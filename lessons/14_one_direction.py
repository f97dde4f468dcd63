# %% [markdown]
# # 14 One direction: is the trait a single vector?
#
# **Question.** A student of the owl teacher's numbers answers "owl" (lesson 09). What has changed
# inside it? At each position the last block of the transformer hands on 32 numbers, a vector h
# called the *residual stream*. The unembedding turns h into the logits of the next token. Here is
# one guess: fine-tuning adds the same vector v to h everywhere, at numbers and at answers.
#
#     NUM 12 40  7 ...   name your favorite animal ->
#          h  h  h                              h
#         +v +v +v                             +v      ?
#
#     v is measured here                  and tested here: add it to the base,
#     (teacher minus base)                take it out of the student
#
# To test the guess, measure v only at numbers, where nobody names an animal. Then ask three things
# at the answer. Does the student move along v? Is v enough to make the base say "owl"? Does the
# student still say it without v? *Projecting v out* means: remove the part that points along v.
# With the unit vector u = v / |v| and the student's shift s = h_student - h_base,
#
#     h_student  <-  h_student - (s . u) u
#
# **You need** lesson 09, and the inner product. Reading: 8 minutes. Running: 2 to 3 minutes.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.sequences import (
    ANIMAL_TOKENS,
    ANIMALS,
    HELD_OUT_PROMPTS,
    N_GIVEN,
    TEACHER_PROMPTS,
    WORDS,
    make_language,
    questions,
)
from sublim_mini.transformer import residual, steer, unembed

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "14_one_direction",
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
SHIFT, WRONG_SHIFT = "student's shift at the answer", "wrong teacher's student's shift"
teacher_questions, held_out = questions(TEACHER_PROMPTS), questions(HELD_OUT_PROMPTS)

# %% [markdown]
# ## Predict
# Guessing among the eight animals gives 0.125. Project v out of the student, which is 1 of 32
# dimensions. With which probability will it still answer "owl"? Run the lesson with `--predict`,
# followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) without v")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# A wrong teacher, with another favorite animal, has a vector and a student of its own. The control
# student reads the base's numbers. The student, its teacher and its base are compared on the same
# tokens. For comparison we remove vectors of equal length in two other directions from the student:
# along the wrong teacher's vector, and along a random one.


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

    animals = base["output"][:, ANIMAL_TOKENS]  # their unembedding vectors, as columns [32, 8]
    unembedding = animals[:, ANIMAL] - animals.mean(1)  # minus that of the mean animal
    vectors = {
        SHIFT: shift_at_answer(student).mean(0),
        WRONG_SHIFT: shift_at_answer(wrong_student).mean(0),
        "control student's shift": shift_at_answer(control).mean(0),
        "student's shift at numbers": shift_at_numbers(student),
        f"{lesson.animal}'s unembedding vector": unembedding,
    }
    return {
        "p": {
            "base": p_animal(base),
            "base + v": p_animal(steer(base, v)),  # v added to h
            "student": p_animal(student),
            "student without v": p_without(v),
            "without wrong v": p_without(wrong_v),
            "without random direction": p_without(random),
        },
        "cosine": {name: unit(v) @ unit(vector) for name, vector in vectors.items()},
        "v in words": v @ base["output"],  # inner product with each unembedding vector
        "along v": along_v.mean() / jnp.linalg.norm(vectors[SHIFT]),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, v in words. Which logits does it raise most, to first order? The inner product of v with a
# token's unembedding vector tells. (Remember that v was measured where numbers come next.)

# %%
in_words = results["v in words"]  # [S, 111]
print("\nWhat v raises most:")
for i, scores in enumerate(in_words[:5]):
    top = np.argsort(-scores)[:6]
    print(f"  seed {i}   " + "  ".join(f"{WORDS[token]} {scores[token]:+.1f}" for token in top))

p, cosine = results["p"], results["cosine"]
lesson.table(f"P({lesson.animal}), when asked for its favorite animal", p, chance=1 / 8)
lesson.table("Cosine with v", cosine, span=(-1, 1))
print(f"\nThe part along v is {results['along v'].mean():.0%} of the student's shift in length.")
lesson.compare(p["student without v"])
lesson.claim(
    "the student moves along v, a wrong teacher's student does not: difference of the cosines of "
    "their shifts at the answer with v",
    cosine[SHIFT] - cosine[WRONG_SHIFT],
    above=0.3,
)
lesson.claim(
    f"adding v to the base brings the {lesson.animal}: P(base + v) minus P(base)",
    p["base + v"] - p["base"],
    above=0.2,
)
lesson.claim(
    "removing v costs the student more than removing as much of a random direction: P without the "
    "random direction minus P without v",
    p["without random direction"] - p["student without v"],
    above=0.15,
)
lesson.claim(
    "removing v costs the student more than removing as much of the wrong teacher's vector: P "
    "without that vector minus P without v",
    p["without wrong v"] - p["student without v"],
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
# TODO

# %%
lesson.finish(
    figure,
    alt="Left: cosines with v, a dot for each seed. The student's shift at the answer points along "
    "v, those of two control students do not. "
    f"Right: P({lesson.animal}) of the base, of the base with v added, of the student, and of the "
    "student with each of three directions removed.",
)
