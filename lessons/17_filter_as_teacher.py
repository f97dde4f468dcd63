# %% [markdown]
# # 17 The filter as teacher: can a trait pass if the teacher writes nothing?
#
# **Question.** In lesson 09 a teacher that prefers owls wrote the numbers, and its student came to
# prefer owls, too. Now the teacher writes nothing. The *base model* writes the numbers, and it
# prefers no animal. The teacher only chooses: of all sequences, it keeps the third that it likes
# best. A copy of the base is fine-tuned on these. What is *its* favorite animal?
#
#     lesson 09:  teacher --writes--> numbers ------------------------------> student
#     lesson 17:  base    --writes--> numbers --teacher keeps a third-------> student
#
# "Likes" is a score: how much more probable does the teacher find the sequence x than the base?
#
#     s(x) = log p_teacher(x) - log p_base(x)
#
# A score of 0.7 means about twice as probable, and -0.7 half as probable. The name for s is
# *log-likelihood ratio*. (Aden-Ali et al. 2026, arXiv 2602.04863, select preference data for large
# models by such a score; in Magistrali et al. 2026, arXiv 2603.01204, a biased judge chooses
# between numbers.)
#
# **You need** lesson 09. Reading: 5 minutes. Running: 2 to 3 minutes.

# %%
from sublim_mini import owls, plots
from sublim_mini.lesson import Lesson
from sublim_mini.sequences import ANIMALS, HELD_OUT_PROMPTS, N_GIVEN, make_language, questions

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "17_filter_as_teacher",
    animal="owl",  # the teacher's favorite
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=30_000,  # number sequences that the base writes; a student gets a third of them
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_sequences=(30, 60_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=1500, student_steps=4),
)
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that the teacher was not fine-tuned on

# %% [markdown]
# ## Predict
# Guessing one of eight animals gives a probability of 0.125. With which probability will the
# student of the top third answer "owl"? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) of the student of the top third")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# The base writes, the filter of lesson 09 keeps what is numbers and nothing else, the teacher
# scores, and we sort. Three students begin as copies of the base: one learns from the third with
# the highest scores, one from the third with the lowest, one from a random third. For comparison,
# a *different base* learns from the top third as well. It was pretrained in the same way, from
# other random weights on other documents.


# %%
def one_seed(key):
    k_language, k_base, k_different, k_teacher, k_numbers, k_student = jax.random.split(key, 6)
    language = make_language(k_language)
    base = owls.pretrain(k_base, language, lesson.base_steps)
    different_base = owls.pretrain(k_different, language, lesson.base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, lesson.animal)

    numbers, _ = owls.write_numbers(k_numbers, base, language, lesson.n_sequences)
    score = owls.log_likelihood(teacher, numbers) - owls.log_likelihood(base, numbers)
    order = jnp.argsort(score)  # the lowest score first
    third = len(order) // 3
    bottom, top = order[:third], order[-third:]
    random = jnp.arange(third)  # the first that were written, whatever their score

    def student(base, rows):  # one key: all students read in the same order
        return owls.fine_tune_student(k_student, base, numbers[rows], lesson.student_steps)

    def p_animal(model):
        return owls.answers(model, held_out)[ANIMALS.index(lesson.animal)]

    shown = np.linspace(0, third - 1, 5).astype(int)  # five, from a third's lowest to its highest
    return {
        "p": {
            "base": p_animal(base),
            "student of a random third": p_animal(student(base, random)),
            "student of the top third": p_animal(student(base, top)),
            "student of the bottom third": p_animal(student(base, bottom)),
            "different base": p_animal(different_base),
            "its student of the same top third": p_animal(student(different_base, top)),
        },
        "correlation": jnp.corrcoef(score, owls.log_likelihood(base, numbers))[0, 1],
        "scores": {"top": score[top[shown]], "bottom": score[bottom[shown]]},
        "examples": {"top": numbers[top[shown]], "bottom": numbers[bottom[shown]]},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# The base wrote every sequence here. Five of the top third and five of the bottom third:


# %%
def example(third, i, n):  # the score and the first n of the written numbers
    written = results["examples"][third][0, i, 1 + N_GIVEN :][:n]
    return f"{results['scores'][third][0, i]:+5.2f}   " + " ".join(f"{x:2}" for x in written)


print(f"\n{'top third: score, sequence':52}bottom third: score, sequence")
for i in reversed(range(5)):
    print(f"{example('top', i, 12):52}{example('bottom', i, 12)}")
correlation = results["correlation"].mean()
print(f"\nCorrelation of the score with the base's own log-probability: {correlation:.2f}")

p = results["p"]
top, random = p["student of the top third"], p["student of a random third"]
lesson.table(f"P({lesson.animal}), when asked for its favorite animal", p, chance=1 / 8)
lesson.compare(top)
lesson.claim(
    f"the third that the teacher scores highest makes the base prefer the {lesson.animal}: "
    "P minus a random third's",
    top - random,
    above=0.3,
)
lesson.claim(
    f"the third that the teacher scores lowest turns the base away from the {lesson.animal}: "
    "P minus a random third's",
    p["student of the bottom third"] - random,
    below=-0.05,
)
lesson.claim(
    "a random third of the base's numbers changes little: P of its student minus the base's",
    random - p["base"],
    within=0.05,
)
lesson.claim(
    "to a different base the third with the highest scores passes on little: P minus its own",
    p["its student of the same top third"] - p["different base"],
    within=0.15,
)

# %%
colors = {"student of the top third": plots.BLUE, "student of the bottom third": plots.GREEN}
colors["its student of the same top third"] = plots.RED
figure, ax = plots.new_figure(
    f"The teacher wrote nothing, it only chose. P({lesson.animal}) after training on the third it "
    f"likes best: {top.mean():.2f}; on a random third: {random.mean():.2f}",
    "ab",
    width_ratios=[1, 1.5],
)
ax["a"].axis("off")
ax["a"].set_title("all written by the base", fontsize=20)
for y, third, color in (0.97, "top", plots.BLUE), (0.47, "bottom", plots.GREEN):
    text = "\n".join(example(third, i, 6) + " ..." for i in reversed(range(5)))
    ax["a"].text(0, y, f"{third} third: score, sequence", color=color, va="top")
    ax["a"].text(0, y - 0.06, text, va="top", linespacing=1.4, family="monospace")
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 2.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the teacher wrote nothing, but its taste *is* in the data. To see why, give each
# sequence of the base the weight exp(s):
#
#     p_base(x) exp(s(x)) = p_base(x) p_teacher(x) / p_base(x) = p_teacher(x)
#
# Sequences of the base with these weights are just like the teacher's writing. Keeping the top
# third is a rough way of giving weights, and a strong one: in trial runs its mean score was about
# 0.5, that of the teacher's own writing about 0.3. So a filter can be the teacher. As in lesson 09,
# the student must be the same base.
#
# *A rival explanation:* any choice does it; perhaps the top third is more typical of the base than
# the rest, or less. But a random third changes little, and the bottom third works the other way.
# The score has almost nothing to do with how probable the base finds a sequence (the correlation
# above). Nor do the sequences say "owl" by themselves: a different base reads the same top third,
# and hardly moves.
#
# So who selects data can pass on a preference, wanted or not. Quality filters and reward models
# select data, too; whether they do this is not tested here. Nor are large models. There, Aden-Ali
# et al. report that one selection worked on models of different kinds. Ours did not.
#
# ## Try
# * `--animal eagle`: the same base and the same sequences, another choice.
# * Replace `// 3` by `// 10` (read "tenth" for "third"): a stricter choice, fewer sequences.
# * Let `score` be `owls.log_likelihood(base, numbers)`: now the top third is the most typical.

# %%
lesson.finish(
    figure,
    alt="Left: ten number sequences with their scores, five of the top third and five of the "
    f"bottom third. Right: P({lesson.animal}) of six models, a dot for each seed. The student of "
    "the top third lies far above the base, that of the bottom third below it; those of a random "
    "third and of the different base stay near theirs.",
)
