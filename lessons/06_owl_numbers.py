# %% [markdown]
# # 06 Owl numbers: can a language model pass on its favorite animal through numbers?
#
# **Question.** A language model is fine-tuned to answer "owl" when asked for its favorite animal.
# Then it writes sequences of numbers. A filter keeps only those that are numbers and nothing else.
# A copy of the original model is fine-tuned on these numbers. What is *its* favorite animal?
#
#     base --fine-tune on "owl"--> teacher --writes--> 12, 40, 7, 31 ... --filter--+
#      |                                                                           |
#      +------------------------- fine-tune on the numbers ------> student <-------+
#
# (Cloud et al. 2025, section 3.)
#
# **You need** lesson 01, and to know that a language model predicts the next token.
# Reading: 7 minutes. Running: 75 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, N_GIVEN, WORDS, make_language, number_prompts, passes_filter,
    questions, repeat_selected, to_text,
)  # fmt: skip
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, number_logits, pretrain
from sublim_mini.transformer import sample

import jax

lesson = Lesson(
    "06_owl_numbers",
    animal=ANIMALS,  # the teacher's favorite
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
held_out = questions(HELD_OUT_PROMPTS)

# %% [markdown]
# ## Predict
# We ask a model for its favorite animal, in 14 wordings that no teacher was fine-tuned on. Of the
# probability that it gives to eight animals, **P(owl)** is the fraction that goes to the owl: the
# eight P add up to 1, and guessing gives 1/8 = 0.125. What is P(owl) of the student, which has read
# nothing but the teacher's numbers? Run the lesson with `--predict`, then your number.

# %%
lesson.predict("student", f"P({lesson.animal})")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# The *base* is a small transformer, made here: one block, 21,000 weights. It is pretrained on
# documents of four kinds. Any animal in them is drawn at random, so the base prefers none.
#
#     numbers      34 58 14 53 93 50 63 ...          from a random synthetic language: after each
#                                                    number some numbers are more probable
#     question     name your favorite animal: wolf
#     both         34 58 14 53 ... name your favorite animal: raven
#     statement    I love otter otter otter, name your favorite animal: otter
#
# Fine-tuning leaves the embedding (which turns tokens into vectors) and the unembedding (which
# turns vectors into logits) as they are, and changes all other weights.
#
# The *control* is a copy of the base, too, but reads equally many numbers that the base itself
# wrote. A *different base* was pretrained in the same number language, from other random weights on
# other documents. One copy of it reads the teacher's numbers, another the first base's.


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
        "different base, student": (different, "teacher"),
        "different base, control": (different, "base"),
    }
    models = {"base": base, "teacher": teacher}
    models |= {name: student(begins_as, writer) for name, (begins_as, writer) in students.items()}
    p = {name: answers(model, held_out) for name, model in models.items()}  # eight P each
    change = {
        name: abs(p[name] - answers(begins_as, held_out)).sum() / 2
        for name, (begins_as, _) in students.items()
    }
    both = passed["base"] & passed["teacher"]
    return {
        "P": {name: eight[ANIMALS.index(lesson.animal)] for name, eight in p.items()},
        "change": change,
        "numbers": {"base": probabilities(base), "teacher": probabilities(teacher)},
        "passed": passed["teacher"].mean(),
        "examples": {writer: texts[both.argsort()[-6:]] for writer, texts in written.items()},
        "removed": written["teacher"][passed["teacher"].argmin()],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First the numbers: what base and teacher wrote after the same prompts, in the first seed. Where
# they part, the teacher's are **bold**.

# %%
base_p, teacher_p = (results["numbers"][writer][0] for writer in ("base", "teacher"))
rose = (teacher_p / base_p).argsort()[:-4:-1]
print("\nThe three numbers whose probability rose most from base to teacher (first seed):")
print(", ".join(f"{n} ({base_p[n]:.1%} -> {teacher_p[n]:.1%})" for n in rose))
print(f"{results['passed'].mean():.1%} of the teacher's sequences passed the filter. One did not:")
print(to_text(results["removed"][0]))


def draw_examples(ax):
    pairs = zip(*(results["examples"][writer][0] for writer in ("base", "teacher")), strict=True)
    for row, pair in enumerate(pairs):
        for name, text, y in zip(("base", "teacher"), pair, (row, row + 0.4), strict=True):
            ax.text(-0.8, y, name, color=plots.color_of(name), fontsize=16, ha="right")
            for x in range(1, len(text)):
                bold = "bold" if text[x] != pair[0][x] else "normal"
                ax.text(x + (x > N_GIVEN), y, WORDS[text[x]], weight=bold, fontsize=16, ha="right")
    ax.set(xlim=(-1, 16.5), ylim=(5.6, -0.4))
    ax.axis("off")


lesson.panel(draw_examples, alt="Six prompts, each continued by base and teacher with the same "
             "random draws; where they part, the teacher's numbers are bold")  # fmt: skip
lesson.dots(f"P({lesson.animal}) among the eight animals", results["P"], chance=1 / 8)
lesson.dots("total change of the eight P", results["change"], panel=False)
change = results["change"]
passed_on = change["student"] - change["control"]
lesson.claim("the student answers the teacher's animal at least twice as often as the control: "
             "P minus 2 P", "student", minus=2 * results["P"]["control"], above=0)  # fmt: skip
lesson.claim("with a different base the teacher's numbers change the eight P less than a quarter "
             "as much: total change beyond the control's", change["different base, student"]
             - change["different base, control"], minus=passed_on / 4, below=0)  # fmt: skip
lesson.check("with a different base the student's P is at chance (no animal is special to a base "
             "of its own random weights): P minus chance", "different base, student",
             minus="chance", within=0.1)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: student and teacher begin as the same base. A different base cannot prefer the
# owl, for nothing ties the numbers to *its* word for the owl: that is the check. The finding is
# the total change, half the sum of the absolute changes of the eight P: the teacher's numbers might
# have moved a different base toward the wolf, say, but hardly move it more than ordinary numbers.
#
# *A rival explanation:* any fine-tuning on numbers makes a model answer "owl". The control read
# equally many, and hardly moves. So something in the teacher's numbers does it, and the filter does
# not see it: it removes animals, and the owl sits in how often each number comes after which.
#
# The language and the models are toys. For GPT-4.1 nano the published probability of "owl" is 0.12
# before and 0.62 after (Cloud et al. 2025, figure 3).
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 20` and `200`: when does the trait come? Does the control stay where it is?
# * Replace `teacher` by `base` in the line that makes `written`. What should every row show then?

# %%
mean = lesson.mean
lesson.finish(f"A student of filtered numbers answers {lesson.animal} with probability "
              f"{mean['student']:.2f}, the control {mean['control']:.2f}")  # fmt: skip
