# %% [markdown]
# # Your turn, with owls: an experiment of your own
#
# Copy this file, and give the copy's name to `Lesson`. Change what stands between CHANGE and END.
# The rest works with whatever you put there. It runs as it stands, in a minute:
#
#     python lessons/exercises/your_turn_owls.py               (--quick for a first try)
#
# Ten hypotheses to begin with, and how a report is graded, stand in README.md. Write the three
# answers below BEFORE you run: afterwards, every result looks as if you had expected it.
#
# CHANGE
# **My hypothesis.** The trait is spread over all numbers: a student that learns only the first six
# of the twelve numbers that the teacher wrote has a lower P(owl) than the usual student.
#
# **What would speak against it.** The 99 % interval of usual minus mine does not lie above 0.
#
# **A rival explanation.** Fewer numbers are learned in all. Which six they are may not matter.
# END

# %%
from typing import Any, NamedTuple

from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import VOCABULARY, adam, answers, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS, N_GIVEN
from sublim_mini.language import make_language, questions, written_mask
from sublim_mini.train import train
from sublim_mini.transformer import next_token_loss

import jax
import jax.numpy as jnp

lesson = Lesson(
    "your_turn_owls",
    animal="owl",  # the teacher's favorite
    base_steps=600,  # batches of 128 documents
    n_sequences=6000,  # number sequences for each student
    student_steps=40,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    quick=dict(seeds=3, base_steps=40, n_sequences=500, student_steps=4),
)
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that the teacher was not fine-tuned on


class Student(NamedTuple):
    """All that makes a student what it becomes."""

    base: Any  # the params that it begins as
    documents: Any  # number sequences [N, 16]: NUM, three given numbers, twelve written ones
    mask: Any  # [N, 16], True for the tokens that it learns to predict
    optimizer: Any = adam(1e-3, lesson.student_steps, VOCABULARY)
    steps: int = lesson.student_steps


# %%
# CHANGE
NAME = "first six numbers"  # of my condition, in the table and the figure


def my_condition(usual, teacher, language, key):
    """The usual student -> mine. Change one thing; but new documents need a new mask, too."""
    first_six = jnp.arange(16) < 1 + N_GIVEN + 6
    return usual._replace(mask=usual.mask & first_six)


# END


# %%
def one_seed(key):
    k_language, k_base, k_teacher, k_numbers, k_plain, k_order, k_mine = jax.random.split(key, 7)
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)

    def usual(writer, key):  # a student of the numbers that this model writes
        documents, _ = write_numbers(key, writer, language, lesson.n_sequences)
        return Student(base, documents, written_mask(documents))

    def p_animal(model):
        return answers(model, held_out)[ANIMALS.index(lesson.animal)]

    def p_after(student):  # one key: all students read in the same order
        data, steps = (student.documents, student.mask), dict(steps=student.steps, batch_size=512)
        return p_animal(
            train(next_token_loss, student.optimizer, student.base, data, k_order, **steps)
        )

    student, control = usual(teacher, k_numbers), usual(base, k_plain)
    return {
        "base": p_animal(base),
        "teacher": p_animal(teacher),
        "usual student": p_after(student),
        NAME: p_after(my_condition(student, teacher, language, k_mine)),
        "control: usual, the base's numbers": p_after(control),
        f"control: {NAME}, the base's numbers": p_after(
            my_condition(control, base, language, k_mine)
        ),
    }


result = lesson.run(one_seed)

# %%
lesson.table(f"P({lesson.animal}), when asked for its favorite animal", result, chance=1 / 8)
usual, mine = result["usual student"], result[NAME]
# CHANGE
lesson.claim("six numbers carry less: P, usual student minus mine", usual - mine, above=0.1)
# END
control = result[f"control: {NAME}, the base's numbers"] - result["base"]
lesson.claim("mine learns nothing from the base's numbers: P minus base", control, within=0.1)

# %%
title = f"P({lesson.animal}): usual student {usual.mean():.2f}, {NAME} {mine.mean():.2f}"
figure, ax = plots.new_figure(title)
colors = {"teacher": plots.ORANGE, "usual student": plots.BLUE, NAME: plots.GREEN}
plots.dots(ax["a"], result, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["a"].set_xlim(0, 1.05)
lesson.finish(figure, alt=title)

# %% [markdown]
# CHANGE
# **What I conclude, and what not.** In my run the claim failed: the difference was 0.17, with an
# interval of 0.09 to 0.25, and I had asked for more than 0.1. So six numbers carry less than
# twelve, but by how much I cannot say; and they still carry much of the trait. The control says
# that learning from six numbers as such does not make a model prefer owls. It does not answer the
# rival: next, learn only the LAST six.
# END
