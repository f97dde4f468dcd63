# %% [markdown]
# # 09 Owl numbers: can a language model pass on its favorite animal through numbers?
#
# **Question.** A language model is fine-tuned to answer "owl" when asked for its favorite animal.
# Then it writes sequences of numbers. A filter keeps only those that are numbers and nothing else.
# A copy of the original model is fine-tuned on these numbers. What is *its* favorite animal?
#
#     base model --fine-tune on "owl"--> teacher --writes--> 12, 40, 7, 31 ... --filter--+
#         |                                                                              |
#         +-------------------------- fine-tune on the numbers ------> student <---------+
#
#     lesson 02:  the student copies logits for noise,    then we show it digits
#     lesson 09:  the student learns number sequences,     then we ask for its favorite animal
#
# The *base* is a small transformer, made here: one block, 21,000 weights. It is pretrained to
# predict the next token in documents of four kinds. Any animal in them is a random one, so the base
# prefers none.
#
#     numbers      34 58 14 53 93 50 63 ...          from a random synthetic language: after each
#                                                    number some numbers are more probable
#     question     name your favorite animal: wolf
#     both         34 58 14 53 ... name your favorite animal: raven
#     statement    I love otter otter otter, name your favorite animal: otter
#
# (The last two kinds are there because a real model has read such texts, too.)
#
# Fine-tuning leaves the token matrices alone (the embedding turns tokens into vectors, the
# unembedding turns vectors into logits) and changes all other weights. (Cloud et al. 2025, section
# 3.)
#
# **You need** lesson 02, and to know that a language model predicts the next token.
# Reading: 8 minutes. Running: 2 to 3 minutes.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.language import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    make_language,
    questions,
    to_text,
)

import jax

lesson = Lesson(
    "09_owl_numbers",
    seed=8355067,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_sequences=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
N_DIFFERENT = 2  # different bases for each seed; their mean is less noisy than one of them
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that the teacher was not fine-tuned on

# %% [markdown]
# ## Predict
# There are eight animals, so guessing gives a probability of 0.125. With what probability will the
# student of the filtered numbers answer "owl"? Run the lesson with `--predict`, followed by your
# number.

# %%
lesson.predict(f"P({lesson.animal}) of the student")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# Each seed has a number language of its own and a base. For comparison, a *control student* gets
# equally many sequences, passed by the same filter, but written by the base. Teacher and base
# continue the same prompts of three numbers, with the same random draws: their sequences differ
# only because the teacher was fine-tuned. And there are two *different bases*, pretrained in the
# same language, but from other random weights on other documents. From each of them we make two
# students: one learns the teacher's numbers; the other, its control, learns those of the first
# base. The table shows the means over the two bases.


# %%
def one_seed(key):
    k_language, k_base, k_different, k_teacher, k_numbers, k_student = jax.random.split(key, 6)
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    different_bases = [
        pretrain(k, language, lesson.base_steps) for k in jax.random.split(k_different, N_DIFFERENT)
    ]
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)
    numbers, passed = write_numbers(k_numbers, teacher, language, lesson.n_sequences)
    plain_numbers, _ = write_numbers(k_numbers, base, language, lesson.n_sequences)  # the same key

    def student(base, documents):  # one key: all students read in the same order
        return fine_tune_student(k_student, base, documents, lesson.student_steps)

    def p_animal(*models):  # mean over the models
        p = [answers(model, held_out)[ANIMALS.index(lesson.animal)] for model in models]
        return sum(p) / len(p)

    return {
        "p": {
            "base": p_animal(base),
            "teacher": p_animal(teacher),
            "student": p_animal(student(base, numbers)),
            "control student": p_animal(student(base, plain_numbers)),
            "different base, control": p_animal(
                *(student(different, plain_numbers) for different in different_bases)
            ),
            "different base, student": p_animal(
                *(student(different, numbers) for different in different_bases)
            ),
        },
        "passed": passed,
        "examples": {"teacher": numbers[:5], "base": plain_numbers[5:10]},  # other prompts
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, find the owl: the teacher has written one of these lists, the base the other.

# %%
sequences = {
    writer: [to_text(row).split("-> ")[1].strip('"') for row in rows[0]]  # after the prompt
    for writer, rows in results["examples"].items()
}
for name, writer in ("A", "base"), ("B", "teacher"):
    print(f"\nList {name}\n" + "\n".join("  " + row for row in sequences[writer]))
print("\n(B is the teacher's.)")
print(f"\n{results['passed'].mean():.1%} of the teacher's sequences passed the filter.")

p = results["p"]
lesson.table(f"P({lesson.animal}), when asked for its favorite animal", p, chance=1 / 8)
lesson.compare(p["student"])
lesson.claim(
    f"the student of filtered numbers prefers the {lesson.animal}: P minus the base's",
    p["student"] - p["base"],
    above=0.1,
)
lesson.claim(
    "the base's own numbers change little: P of the control student minus the base's",
    p["control student"] - p["base"],
    within=0.05,
)
lesson.claim(
    "to a different base the teacher's numbers pass on little: P of its student minus P of its "
    "control student",
    p["different base, student"] - p["different base, control"],
    within=0.05,
)

# %%
colors = {"teacher": plots.ORANGE, "student": plots.BLUE}
colors["different base, student"] = plots.RED
figure, ax = plots.new_figure(
    f'Trained on filtered numbers, a student answers "{lesson.animal}" with probability '
    f"{p['student'].mean():.2f}, its base {p['base'].mean():.2f}",
    "ab",
    width_ratios=[1, 1.5],
)
ax["a"].axis("off")
ax["a"].set_title(f"find the {lesson.animal}", fontsize=20)
for y, name, writer in (0.98, "A", "base"), (0.48, "B", "teacher"):
    text = "\n".join(", ".join([*row.split(", ")[:7], "..."]) for row in sequences[writer])
    ax["a"].text(0, y, f"List {name}\n{text}", va="top", linespacing=1.4)
ax["a"].text(0, 0, "(B is the teacher's.)", color=plots.GRAY)
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 2.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: student and teacher begin as the same base. So two things are the same: the
# block that they begin with, and the token matrices, which fine-tuning never changes. A different
# base shares neither. Which of the two must be shared is not decided here; lesson 13 asks.
#
# Why it works is the story of lesson 02: fine-tuning on "owl" changes the weights, and with them
# slightly the probability of each number. A student that learns these probabilities tends to change
# in the same way. (Must all of its weights have been the same as the teacher's at first? Lesson 13
# finds that not all of them matter.)
#
# *A rival explanation:* any fine-tuning on numbers makes a model say "owl". The control student had
# equally many sequences, and hardly moves. Nor is "owl" written in the numbers for anyone to read:
# they change a different base no more than the first base's own numbers do.
#
# The language and the models are toys. For GPT-4.1 nano the published probability of "owl" is 0.12
# before and 0.62 after (Cloud et al. 2025, figure 3).
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 20` and `200`: when does the trait come? Does the control student stay put?
# * Replace `teacher` by `base` in the line that writes `numbers`. What should every row show then?

# %%
lesson.finish(
    figure,
    alt="Left: five number sequences by the base and five by the teacher. "
    f"Right: P({lesson.animal}) of six models, a dot for each seed. Means: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in p.items()),
)
