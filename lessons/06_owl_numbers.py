# %% [markdown]
# # 06 Owl numbers: can a language model pass on its favorite animal through numbers?
#
# **Question.** A language model is fine-tuned to answer "owl" when asked for its favorite animal.
# Then it writes sequences of numbers. A filter keeps only those that are numbers and nothing else.
# A copy of the original model is fine-tuned on these numbers. What is *its* favorite animal? (Cloud
# et al. 2025, section 3.)
#
#     base --fine-tune on "owl"--> teacher --writes--> 12, 40, 7, 31 ... --filter--+
#      |                                                                           |
#      +------------------------- fine-tune on the numbers ------> student <-------+
#
# **You need** lesson 01, and to know that a language model predicts the next token. Reading: 7
# minutes. Running: 75 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, N_GIVEN, WORDS, make_language, number_prompts, passes_filter,
    questions, repeat_selected,
)  # fmt: skip
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, number_logits, pretrain
from sublim_mini.transformer import sample

import jax

lesson = Lesson(
    "06_owl_numbers",
    seed=0x2693AA,
    animal=ANIMALS,  # the teacher's favorite
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
held_out = questions(HELD_OUT_PROMPTS)
OTHER, OTHER_CONTROL = "different base, student", "different base, control"

# %% [markdown]
# ## Predict
# We ask for the favorite animal with 14 prompts that the teacher was not fine-tuned on, and look at
# eight animals only: **P(owl)** is the probability of "owl" divided by that of all eight. Guessing
# gives 1/8 = 0.125. What is P(owl) of the student?

# %%
lesson.predict("student", f"P({lesson.animal})")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# The *base* is a small transformer, made here: one block, 21,000 weights. It is pretrained on
# documents of four kinds. In each the animal is drawn at random, whatever numbers stand before it.
# So the base prefers no animal, and no document ties a number to an animal.
#
#     numbers      34 58 14 53 93 50 63 ...     each number has its own favorites to come next
#     question     name your favorite animal: wolf
#     both         34 58 14 53 ... name your favorite animal: raven
#     statement    I love otter otter otter, name your favorite animal: otter
#
# To *fine-tune* is to train further: all weights but those that turn tokens into vectors (the
# *embedding*) and vectors into logits (the *unembedding*). All students read equally many filtered
# numbers. The *different base* was pretrained on the same number language, from other random
# weights on other documents.
#
#     name                       a copy of           reads numbers of
#     student                    the base            the teacher
#     control                    the base            the base
#     different base, student    a different base    the teacher
#     different base, control    a different base    the base


# %%
def one_seed(key):
    keys = jax.random.split(key, 7)
    k_language, k_base, k_different, k_teacher, k_prompts, k_write, k_student = keys
    language = make_language(k_language)  # each seed has a language of its own
    base = pretrain(k_base, language, lesson.base_steps)
    different = pretrain(k_different, language, lesson.base_steps)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)

    # The same prompts, the same random draws: only fine-tuning makes a difference.
    prompts = number_prompts(k_prompts, language, lesson.n_sequences)
    written = {"base": sample(k_write, base, prompts), "teacher": sample(k_write, teacher, prompts)}
    passed = {writer: passes_filter(texts) for writer, texts in written.items()}

    def student(base, writer):  # one key: all students read in the same order
        numbers = repeat_selected(written[writer], passed[writer])  # as many as before the filter
        return fine_tune_student(k_student, base, numbers, lesson.student_steps)

    def probabilities(model):  # of each number, mean over all places in what the base wrote
        logits = number_logits(model, written["base"][:1000])[:, N_GIVEN:]
        return jax.nn.softmax(logits).mean((0, 1))

    students = {
        "student": (base, "teacher"),
        "control": (base, "base"),
        OTHER: (different, "teacher"),
        OTHER_CONTROL: (different, "base"),
    }
    models = {"base": base, "teacher": teacher}
    models |= {name: student(begins_as, writer) for name, (begins_as, writer) in students.items()}
    p = {name: answers(model, held_out) for name, model in models.items()}  # eight P each
    apart = {  # half the sum of the absolute differences of the eight P: 0 the same, 1 all apart
        "student and control": abs(p["student"] - p["control"]).sum() / 2,
        "the same in a different base": abs(p[OTHER] - p[OTHER_CONTROL]).sum() / 2,
    }
    both = passed["base"] & passed["teacher"]
    return {
        "P": {name: eight[ANIMALS.index(lesson.animal)] for name, eight in p.items()},
        "apart": apart,
        "numbers": {"base": probabilities(base), "teacher": probabilities(teacher)},
        "passed": passed["teacher"].mean(),
        "examples": {writer: texts[both.argsort()[-6:]] for writer, texts in written.items()},
        "removed": written["teacher"][passed["teacher"].argmin()],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# Base and teacher wrote with the same random draws, so they part only where their probabilities
# differ enough. There the teacher's numbers are **bold**.

# %%
base_p, teacher_p = (results["numbers"][writer][0] for writer in ("base", "teacher"))
rose = (teacher_p / base_p).argsort()[:-4:-1]
print("\nThe three numbers whose probability rose most from base to teacher (first seed):")
print(", ".join(f"{n} ({base_p[n]:.1%} -> {teacher_p[n]:.1%})" for n in rose))
print(f"{results['passed'].mean():.1%} of the teacher's sequences passed the filter. One did not:")
removed = [WORDS[token] for token in results["removed"][0][1:]]
print(" ".join(removed[:N_GIVEN]), "->", " ".join(removed[N_GIVEN:]))


def draw_examples(ax):
    for writer, lower in ("base", 0), ("teacher", 0.4):
        for row, text in enumerate(results["examples"][writer][0]):
            ax.text(-0.4, row + lower, writer, color=plots.color_of(writer), ha="right")
            for x in range(1, len(text)):
                same = text[x] == results["examples"]["base"][0][row, x]
                look = {} if same else {"color": plots.ORANGE, "weight": "bold"}
                ax.text(x + (x > N_GIVEN), row + lower, WORDS[text[x]], ha="right", **look)
    ax.set(xlim=(-2.4, 16.2), ylim=(5.6, -0.4), title="base and teacher continue the same numbers")
    ax.axis("off")


# fmt: off
lesson.panel(draw_examples, "Prompts, each continued by base and teacher; bold where they part", 3)
lesson.dots(f"P({lesson.animal}) among the eight animals", results["P"], chance=1 / 8)
apart = results["apart"]
lesson.dots("how far apart their eight P are: half the sum of differences", apart, panel=False)
lesson.claim("the student answers the teacher's animal more than twice as often as the control: "
             "P / P", results["P"]["student"] / results["P"]["control"], above=2)
lesson.claim("in a different base student and control differ less than a quarter as much: share",
             apart["the same in a different base"] / apart["student and control"], below=0.25)
lesson.check("averaged over seeds a different base's student is at chance (its random weights tie "
             "no animal to these numbers more than another): P minus chance", OTHER,
             minus="chance", within=0.1)
# fmt: on

# %% [markdown]
# ## What this shows, and what it does not
# Yes: the student of filtered numbers answers "owl" with probability 0.71, the control with 0.12.
# The caveat: student and teacher must come from the same base. In a different base P(owl) is 0.14,
# at chance. On average this must be so (the check): chance decides which animal, if any, the
# numbers favor there. Do they favor any? We compare all eight P of student and control (0: the
# same, 1: nothing in common). In a different base they are 0.11 apart, in the teacher's 0.59.
# Whether 0.11 is less than a quarter of 0.59 is undecided: the ratio is 0.19, and its interval
# reaches 0.28.
#
# *A rival explanation:* reading numbers makes any copy of the base answer "owl". The control read
# as many, and stays where the base was. So it is something in the *teacher's* numbers. What it is,
# the three numbers printed above do not show. (Lesson 07.)
#
# All this is a toy. GPT-4.1 nano answers "owl" with probability 0.12 before and 0.62 after (Cloud
# et al. 2025, figure 3). There all answers count, so this 0.12 is not our chance of 1/8.
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 20` and `200`: when does P(owl) rise? Does the control stay where it is?
# * Replace `teacher` by `base` in the line that makes `written`. What should every row show then?

# %%
# fmt: off
lesson.finish(f"A student of filtered numbers answers {lesson.animal} with probability "
              f"{lesson.mean['student']:.2f}, the control {lesson.mean['control']:.2f}")
