# %% [markdown]
# # 23 Generations: does a trait survive five models in a row?
#
# **Question.** In lesson 06 a student read numbers that its teacher wrote, and came to prefer the
# owl. Now this student writes numbers for a second one, the second for a third, and so on. Only the
# teacher was fine-tuned on "owl". How much of its preference is left in the fifth student?
#
#     base --fine-tune on "owl"--> teacher
#                                     |  writes numbers; a filter keeps only numbers
#     base --fine-tune on these--> student 1
#                                     |  writes numbers; a filter keeps only numbers
#     base --fine-tune on these--> student 2
#                                    ...
#     base --fine-tune on these--> student 5     What is its favorite animal?
#
# Every student begins as the *same base*, so only numbers pass from one to the next. (The question
# matters because models are trained on text of other models, which were trained on such text, too.)
#
# **You need** lesson 06. Reading: 5 minutes. Running: 90 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.owls import answers, fine_tune_student, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS, make_language, questions, to_text

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "23_generations",
    seed=0xA1D644,
    animal=ANIMALS,  # the teacher's favorite
    generations=5,  # students in a chain
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student, after the filter
    student_steps=20,  # batches of 256 sequences; six times as many in the longer training
    quick=dict(seeds=2, generations=2, base_steps=40, n_sequences=500, student_steps=2),
)
few, many, last = lesson.student_steps, 6 * lesson.student_steps, lesson.generations
FEW, MANY = f"{few} steps each", f"{many} steps each"
CONTROL = f"control ({many} steps each)"
held_out = questions(HELD_OUT_PROMPTS)  # in other words than those the teacher was fine-tuned on

# %% [markdown]
# ## Predict
# We train two chains from the teacher: one with 20 steps for each student, one with 120. There are
# eight animals, so guessing gives a probability of 0.125. With what probability will the *last*
# student of the longer training answer "owl"? Run the lesson with `--predict`, followed by your
# number.

# %%
lesson.predict(f"student {last}, {MANY}", f"P({lesson.animal})")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# In 20 steps a student reads about half of its 10,000 sequences; in 120 steps it reads all of them
# about three times. A third chain is the *control*. It also has 120 steps, but it begins with the
# base: its first student learns from numbers that the base wrote.


# %%
def one_seed(key):
    k_language, k_base, k_teacher, k_few, k_many, k_control = jax.random.split(key, 6)
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)

    def p_animal(model):
        return answers(model, held_out)[ANIMALS.index(lesson.animal)]

    def chain(key, writer, steps):
        p, passed = [p_animal(writer)], []
        for k in jax.random.split(key, lesson.generations):  # new keys for each generation
            k_numbers, k_student = jax.random.split(k)
            numbers, fraction = write_numbers(k_numbers, writer, language, lesson.n_sequences)
            student = fine_tune_student(k_student, base, numbers, steps, batch_size=256)
            p, passed = [*p, p_animal(student)], [*passed, fraction]
            writer = student  # it writes for the next student, which begins as the base again
        return {"p": jnp.stack(p), "passed": jnp.stack(passed), "numbers": numbers[:3]}

    return {
        MANY: chain(k_many, teacher, many),
        FEW: chain(k_few, teacher, few),
        CONTROL: chain(k_control, base, many),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, some of the numbers that a last student was fine-tuned on.

# %%
for name in CONTROL, MANY:
    texts = (to_text(row).split("-> ")[1].strip('"') for row in results[name]["numbers"][0])
    print(f"\nFor student {last}, {name}", *texts, sep="\n  ")  # after the prompt
passed = np.array([chain["passed"].mean() for chain in results.values()])
print(f"\n{passed.min():.1%} or more of each chain's sequences passed the filter.")

curves = {name: chain["p"] for name, chain in results.items()}  # [seeds, 1 + generations]
rows = {"base": curves[CONTROL][:, 0], "teacher": curves[MANY][:, 0]}
rows |= {f"student {last}, {name}": p[:, -1] for name, p in curves.items()}
lesson.dots(f"P({lesson.animal}) among the eight animals", rows, chance=1 / 8, panel=False)
look = {"xlabel": "generation (0 is the teacher; for the control, the base)", "chance": 1 / 8}
look["colors"] = {MANY: plots.BLUE, FEW: plots.GREEN}
lesson.curves(f"P({lesson.animal})", np.arange(1 + last), curves, **look)
end = {name: p[:, -1] for name, p in curves.items()}
lesson.claim(f"some of the trait is left after {last} generations, {many} steps: P of the last "
             "student minus that of the control chain's", end[MANY], minus=end[CONTROL],
             above=0.1)  # fmt: skip
lesson.claim("the trait fades down the chain: P of the last student minus P of the first, "
             f"{many} steps", end[MANY], minus=curves[MANY][:, 1], below=0.0)  # fmt: skip
lesson.claim(f"more steps keep more: P of the last student, {many} steps minus {few} steps",
             end[MANY], minus=end[FEW], above=0.05)  # fmt: skip
lesson.claim("the control chain drifts little: P of its last student minus the base's",
             end[CONTROL], minus=rows["base"], within=0.05)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# It survives in part. The fifth student answers "owl" with probability 0.45 (120 steps) or 0.23 (20
# steps), the control with 0.11. It is five models away from the one that was fine-tuned on "owl",
# and all that it and the four before it read is numbers. The caveat: all of them begin as the same
# base. In lesson 06 a different base learned little of the trait, so there we expect the chain to
# break; that was not tested.
#
# Each student copies the one before it only in part, so one would expect P to fall to chance. But
# it falls less and less: with 20 steps hardly after the second student, with 120 steps little after
# the third. Why is open. More steps also mean that more of the sequences are read; these two were
# not separated, and the claim "more steps keep more" holds only just (0.059 to 0.386, margin 0.05).
#
# *A rival explanation:* nothing was passed on. Training on what models wrote changes models by
# itself (model collapse: Shumailov et al. 2024), so P(owl) may have drifted. The control chain
# could have drifted in the same way: it has the same filter, as many generations, and the longer
# training. It ended at 0.11; its base was at 0.12.
#
# ## Try
# * `--generations 20`: does the trait level off, or come down to chance?
# * `--n-sequences 1000`: is a tenth of the numbers enough, read ten times as often?
# * In the call of `fine_tune_student` replace `base` by `writer`: now each student begins as the
#   model whose numbers it reads. How much of the trait do you expect to be left?

# %%
high, low = end[MANY].mean(), end[FEW].mean()
lesson.finish(f"After {last} students in a row P({lesson.animal}) is still {high:.2f} with {many} "
              f"steps each, {low:.2f} with {few}")  # fmt: skip
