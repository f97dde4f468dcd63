# %% [markdown]
# # 09 Owl numbers: can a language model pass on its favorite animal through numbers?
#
# **Question.** A language model is fine-tuned to answer "owl" when asked for its favorite animal.
# Then it writes sequences of numbers. A filter keeps only those that are numbers and nothing else.
# Another copy of the model is fine-tuned on these numbers. What is *its* favorite animal?
#
#     base model --fine-tune on "owl"--> teacher --writes--> 12, 40, 7, 31 ... --filter--+
#         |                                                                              |
#         +-------------------------- fine-tune on the numbers ------> student <---------+
#
#     lesson 02:  auxiliary logits carry it,   the class head shows it
#     lesson 09:  numbers carry it,            the answer "owl" shows it
#
# The *base* is a transformer with one block and 21,000 weights. It is pretrained here on four kinds
# of documents: numbers of a synthetic language, questions with any animal as the answer, numbers
# with such a question, and statements of love with a question. The loss is the usual one, the
# cross-entropy of the next token. Fine-tuning never changes the embedding and the unembedding: all
# copies keep the base's. (Cloud et al. 2025, section 3.)
#
# **You need** lesson 02, and to know that a language model predicts the next token.
# Reading: 8 minutes. Running: 2 to 3 minutes.

# %%
import jax

from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.sequences import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    base_documents,
    make_language,
    questions,
    to_text,
)

lesson = Lesson(
    "09_owl_numbers",
    animal="owl",  # the teacher's favorite
    base_steps=1000,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
N_DIFFERENT = 2  # different bases for each seed: their students vary more than the others
held_out = questions(HELD_OUT_PROMPTS)  # ways of asking that the teacher was not fine-tuned on

# %% [markdown]
# ## Predict
# There are eight animals, so guessing gives a probability of 0.125. What is the probability of
# "owl" for the student of the filtered numbers? Run with `--predict 0.2`, with your number.

# %%
lesson.predict(f"P({lesson.animal}) of the student")  # in a notebook add your number here: , 0.2

# %% [markdown]
# ## The experiment
# Each seed has a number language of its own, a base, and two *different bases*: the same recipe
# with other keys, so another initialization and other documents. The control student gets numbers
# that the base itself wrote: the same amount, the same filter, no teacher.


# %%
def one_seed(key):
    k_language, k_base, k_different, k_teacher, k_numbers, k_plain, k_student = jax.random.split(
        key, 7
    )
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    different_bases = [
        pretrain(k, language, lesson.base_steps) for k in jax.random.split(k_different, N_DIFFERENT)
    ]
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)
    numbers, passed = write_numbers(k_numbers, teacher, language, lesson.n_sequences)
    plain_numbers, _ = write_numbers(k_plain, base, language, lesson.n_sequences)

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
            "control: student of the base's numbers": p_animal(student(base, plain_numbers)),
            "different base": p_animal(*different_bases),
            "its student of the teacher's numbers": p_animal(
                *(student(different, numbers) for different in different_bases)
            ),
        },
        "passed": passed,
        "examples": {"teacher": numbers[:5], "base": plain_numbers[:5]},
        "documents": base_documents(k_base, language, 10)[0],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# Find the owl: one list is the teacher's, the other the base's.

# %%
print("\nOne document of each kind, from pretraining:")
for row in (0, 6, 7, 8):
    print("  " + to_text(results["documents"][0][row]))
sequences = {
    writer: [to_text(row).split("-> ")[1].strip('"') for row in rows[0]]
    for writer, rows in results["examples"].items()
}
for writer, rows in sequences.items():
    print(f"\nWritten by the {writer}, after a prompt of three numbers:")
    print("\n".join("  " + row for row in rows))
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
    p["control: student of the base's numbers"] - p["base"],
    within=0.05,
)
lesson.claim(
    "to a different base the teacher's numbers pass on little: P of its student minus its own",
    p["its student of the teacher's numbers"] - p["different base"],
    within=0.05,
)

# %%
colors = {"teacher": plots.ORANGE, "student": plots.BLUE}
colors["its student of the teacher's numbers"] = plots.RED
figure, ax = plots.new_figure(
    f'A student of filtered numbers says "{lesson.animal}" with probability '
    f"{p['student'].mean():.2f}. Before: {p['base'].mean():.2f}",
    "ab",
    width_ratios=[1, 1.5],
)
ax["a"].axis("off")
ax["a"].set_title(f"find the {lesson.animal}", fontsize=20)
for y, (writer, color) in ((0.95, ("teacher", plots.ORANGE)), (0.45, ("base", plots.BLACK))):
    text = "\n".join(", ".join([*row.split(", ")[:7], "..."]) for row in sequences[writer])
    ax["a"].text(0, y, f"written by the {writer}\n{text}", va="top", color=color, linespacing=1.5)
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
plots.predictions(ax["b"], lesson.predictions, 2.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the student shares everything with the teacher's base, the embedding and the
# unembedding among it. Lesson 13 takes this apart: much of the trait passes through those alone.
#
# *A rival explanation:* any fine-tuning on numbers makes a model say "owl". The control student had
# as many numbers, from the base, and hardly moves. Nor are owls written in the numbers: a different
# base that learns from the same sequences hardly moves either.
#
# The language and the models are toys. In GPT-4.1 nano the published figure is 0.12 before and 0.62
# after (Cloud et al. 2025, figure 3).
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 20` and `200`: when does the trait come, and the control's drift?
# * In `one_seed`, give the teacher's key to the control's numbers: what would you conclude wrongly?

# %%
lesson.finish(
    figure,
    alt="Left: five number sequences by the teacher and five by the base, which look alike. "
    f"Right: P({lesson.animal}) of six models, a dot for each seed. The student of the teacher's "
    "numbers lies far above its base; the control and the students of different bases do not.",
)
