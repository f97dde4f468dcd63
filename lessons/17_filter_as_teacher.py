# %% [markdown]
# # 17 The filter as teacher: can a trait pass if the teacher writes nothing?
#
# **Question.** In lesson 09 a teacher that prefers owls wrote the numbers, and its student came to
# prefer owls, too. Now the teacher writes nothing. The base model, which prefers no animal, writes
# the numbers. The teacher only chooses: of all sequences it keeps the one third that it likes best.
# A copy of the base is fine-tuned on this third. What is the copy's favorite animal?
#
#     lesson 09:  teacher --writes--> numbers ------------------------------> student
#     lesson 17:  base    --writes--> numbers --teacher keeps a third-------> student
#
# A score says how much the teacher likes a sequence x. It is the *log-likelihood ratio*:
#
#     s(x) = log p_teacher(x) - log p_base(x)
#
# A score of 0.7 means: to the teacher, x is about twice as probable as to the base. At -0.7 it is
# half as probable. (Aden-Ali et al. 2026, arXiv 2602.04863, select preference data for large models
# by such a score. In Magistrali et al. 2026, arXiv 2603.01204, a biased judge chooses between
# numbers that an unbiased model wrote.)
#
# **You need** lesson 09. Reading: 5 minutes. Running: 2 to 4 minutes.

# %%
from sublim_mini import owls, plots
from sublim_mini.lesson import Lesson
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS, N_GIVEN, make_language, questions

import jax
import jax.numpy as jnp

lesson = Lesson(
    "17_filter_as_teacher",
    seed=2536221,  # of the display run: the hash of the commit that froze this lesson
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
# Guessing one of eight animals gives a probability of 0.125. With what probability will the
# student of the top third answer "owl"? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) of the student of the top third")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# The base writes. The filter of lesson 09 keeps numbers and nothing else. The teacher gives each
# sequence its score, and we sort. Three students are copies of the base: one learns from the third
# with the highest scores, one from the third with the lowest, one from a random third. A fourth
# student is a copy of a *different base*, and learns from the same top third. That base was
# pretrained in the same way, but from other random weights on other documents of the language.


# %%
def one_seed(key):
    k_language, k_base, k_different, k_teacher, k_numbers, k_student = jax.random.split(key, 6)
    language = make_language(k_language)
    base = owls.pretrain(k_base, language, lesson.base_steps)
    different_base = owls.pretrain(k_different, language, lesson.base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, lesson.animal)

    numbers, _ = owls.write_numbers(k_numbers, base, language, lesson.n_sequences)
    log_p_base = owls.log_likelihood(base, numbers)
    score = owls.log_likelihood(teacher, numbers) - log_p_base
    order = jnp.argsort(score)  # lowest score first
    third = len(order) // 3
    bottom, top = order[:third], order[-third:]
    random = jnp.arange(third)  # those written first, whatever their scores

    def student(base, rows):  # one key: the same shuffles for all students
        return owls.fine_tune_student(k_student, base, numbers[rows], lesson.student_steps)

    def p_animal(model):
        return owls.answers(model, held_out)[ANIMALS.index(lesson.animal)]

    shown = jnp.linspace(third - 1, 0, 5).astype(int)  # five, from a third's highest to its lowest
    return {
        "p": {
            "base": p_animal(base),
            "student of a random third": p_animal(student(base, random)),
            "student of the top third": p_animal(student(base, top)),
            "student of the bottom third": p_animal(student(base, bottom)),
            "different base": p_animal(different_base),
            "its student of the same top third": p_animal(student(different_base, top)),
        },
        "correlation": jnp.corrcoef(score, log_p_base)[0, 1],
        "scores": {"top": score[top[shown]], "bottom": score[bottom[shown]]},
        "examples": {"top": numbers[top[shown]], "bottom": numbers[bottom[shown]]},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# The base wrote all of these. Each line is a sequence's score and its twelve numbers.

# %%
examples = {}
for third, scores in results["scores"].items():
    rows = zip(scores[0], results["examples"][third][0], strict=True)  # the first seed's
    texts = [" ".join([f"{s:+5.2f}  ", *(f"{x:2}" for x in row[1 + N_GIVEN :])]) for s, row in rows]
    print(f"\n{third} third, from its highest score to its lowest\n" + "\n".join(texts))
    examples[third] = "\n".join(text[:25] + " ..." for text in texts)
correlation = results["correlation"].mean()
print(f"\nCorrelation of the score with the base's own log-probability: {correlation:.2f}")

p = results["p"]
top, random = p["student of the top third"], p["student of a random third"]
lesson.table(f"P({lesson.animal}), when asked for its favorite animal", p, chance=1 / 8)
lesson.compare(top)
lesson.claim(
    f"the third that the teacher scores highest makes the base prefer the {lesson.animal}: "
    "P of its student minus that of a random third's",
    top - random,
    above=0.3,
)
lesson.claim(
    f"the third that the teacher scores lowest turns the base away from the {lesson.animal}: "
    "P of its student minus that of a random third's",
    p["student of the bottom third"] - random,
    below=-0.05,
)
lesson.claim(
    "a random third of the base's numbers changes little: P of its student minus the base's",
    random - p["base"],
    within=0.05,
)
lesson.claim(
    "to a different base the top third passes on little: P of its student minus its own",
    p["its student of the same top third"] - p["different base"],
    within=0.1,
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
    ax["a"].text(0, y, f"{third} third: score, sequence", color=color, va="top")
    ax["a"].text(0, y - 0.06, examples[third], va="top", linespacing=1.4, family="monospace")
plots.dots(ax["b"], p, colors, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 2.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: a copy of the same base learned this, and a different base did not (lesson 13
# asks what must be the same). And although the teacher wrote nothing, its taste *is* in the data.
# To see why, give each sequence of the base the weight exp(s). The probability of the base cancels:
#
#     p_base(x) exp(s(x)) = p_base(x) p_teacher(x) / p_base(x) = p_teacher(x)
#
# Weighted like this, the base's sequences are distributed as the teacher's own would be. Keeping
# the top third is cruder: weight 1 or 0. But it can tilt the data further than the teacher's own
# writing does. In two trial runs the top third had a higher mean score than the teacher's own
# sequences, and its student answered "owl" more often than a student of those.
#
# *A rival explanation:* any score has this effect, for example how typical a sequence is of the
# base. But the score has almost nothing to do with how probable the base finds a sequence (the
# correlation above), and the bottom third works the other way. Nor do the sequences spell "owl" for
# anyone: different bases had a P(owl) of 0.12 to 0.14 before they learned from the same top third,
# and of 0.07 to 0.19 afterwards; on average it did not change.
#
# So whoever selects data can pass on a preference, wanted or not. Quality filters and reward models
# select data, too. We tested neither these nor large models. For large models, Aden-Ali et al.
# report that the same selected data worked on different kinds of models. Ours did not work on a
# different base.
#
# ## Try
# * `--animal eagle`: the same base and the same sequences, another choice.
# * Replace `// 3` by `// 10` (and read "tenth" for "third"): a stricter choice, and
#   fewer sequences, each read more often.
# * Let `score` be `log_p_base`: now the top third is the most typical.

# %%
lesson.finish(
    figure,
    alt="Left: ten number sequences with their scores, five of the top third and five of the "
    f"bottom third. Right: P({lesson.animal}) of six models, a dot for each seed. Means: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in p.items()),
)
