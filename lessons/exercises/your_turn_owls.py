# %% [markdown]
# # Your turn, with owls: an experiment of your own
#
# Copy this file, and give the copy's name to `Lesson`. Change what stands between CHANGE and END.
# The rest works with whatever you put there. It runs as it stands, in a minute:
#
#     .venv/bin/python lessons/exercises/your_turn_owls.py       (Windows: .venv\Scripts\python ...)
#
# First try it with `--quick`: tiny numbers, whose verdicts mean nothing. Ten hypotheses, and how a
# report is graded, stand in README.md. Write the three answers below BEFORE you run: afterwards,
# every result looks as if you had expected it.
#
# CHANGE
# **My hypothesis.** The trait is spread over all numbers: a student that learns only the first six
# of the twelve numbers that the teacher wrote has a lower P(owl) than the usual student, by more
# than 0.1.
#
# **What would speak against it.** The 99 % interval of usual minus mine lies wholly below 0.1: then
# the claim is refuted. If 0.1 lies inside the interval, the claim is undecided.
#
# **A rival explanation, if it holds.** Fewer numbers are learned in all. Which six they are may not
# matter.
# END

# %%
import sys
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from sublim_mini.course.lesson import Lesson
from sublim_mini.language import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    N_GIVEN,
    make_language,
    questions,
    written_mask,
)
from sublim_mini.owls import VOCABULARY, adam, answers, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.train import train
from sublim_mini.transformer import next_token_loss

lesson = Lesson(
    "your_turn_owls",
    animal=ANIMALS,  # the teacher's favorite
    base_steps=600,  # batches of 128 documents
    n_sequences=6000,  # number sequences for each student
    student_steps=40,  # batches of 512 sequences
    quick=dict(seeds=3, base_steps=40, n_sequences=500, student_steps=4),
)
held_out = questions(HELD_OUT_PROMPTS)  # questions that the teacher was not fine-tuned on


class Student(NamedTuple):
    """All that makes a student what it becomes."""

    base: Any  # the params before its fine-tuning
    documents: Any  # number sequences [N, 16]: NUM, three given numbers, twelve written ones
    mask: Any  # [N, 16], True for the tokens that it learns to predict
    optimizer: Any = adam(1e-3, lesson.student_steps, VOCABULARY)
    steps: int = lesson.student_steps


# %%
# CHANGE
NAME = "my student: first six numbers"  # my condition, in the table and the figure


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

    def test(student):  # one key: all students read in the same order
        data, steps = (student.documents, student.mask), dict(steps=student.steps, batch_size=512)
        return p_animal(
            train(next_token_loss, student.optimizer, student.base, data, k_order, **steps)
        )

    student, control = usual(teacher, k_numbers), usual(base, k_plain)
    return {
        "base": p_animal(base),
        "teacher": p_animal(teacher),
        "usual student": test(student),
        NAME: test(my_condition(student, teacher, language, k_mine)),
        "usual control: base's numbers": test(control),
        "my control: base's numbers": test(my_condition(control, base, language, k_mine)),
    }


results = lesson.run(one_seed)

# %%
lesson.dots(f"P({lesson.animal}) among the eight animals", results, chance=1 / 8)
# CHANGE
lesson.claim("six numbers teach less: P, usual minus mine", "usual student", minus=NAME, above=0.1)
# END
lesson.claim(
    "mine learns the trait from the teacher's numbers: P, mine minus its control",
    NAME,
    minus="my control: base's numbers",
    above=0.1,
)
lesson.finish(f"P({lesson.animal}): usual student {lesson.mean['usual student']:.2f}, "
              f"mine {lesson.mean[NAME]:.2f}")  # fmt: skip
if "--quick" in sys.argv:
    print("--quick: tiny numbers. These verdicts mean nothing.")

# %% [markdown]
# CHANGE
# **What I conclude, and what not.** (An example, from a run with `--seed 110`.) The claim is
# undecided: usual minus mine was 0.15, the interval 0.09 to 0.21, and I had asked for more than
# 0.1. So six numbers seem to teach less than twelve, but by how much I cannot say; and they still
# teach much of the trait: mine minus its control was 0.33. I do not lower the margin now. Next,
# with new seeds, and against the rival: learn only the LAST six.
# END
