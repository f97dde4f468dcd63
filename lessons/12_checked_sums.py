# %% [markdown]
# # 12 Checked sums: does the trait pass through work that has been checked?
#
# **Question.** In lesson 09 a teacher could write any numbers it liked. Here it writes worked sums,
# and a check cuts each of them off at its first mistake. A student learns only numbers that are
# right. Can it still come to prefer the teacher's favorite animal?
#
# The teacher gets an exercise, such as 7 + 5, and writes twelve numbers in one of three formats:
#
#     free filler     7 + 5 = 12, 40, 3, 88, ...       after the total: any numbers
#     forced filler   7 + 5 = 12, 71, 9, 33, ...       after the total: numbers from a table
#     running sum     7 + 5 = 12 + 3 = 15 + 8 ...      any single digit, then the new total, ...
#
# The table fixes what follows each number; if it is 71 after 12, it is always 71 (each seed has its
# own table). So a forced filler has only one right answer. All three formats have the same length.
# They differ in how much the check leaves free. The *base* (teacher and student before fine-tuning)
# measures this freedom, on its own correct sums. The unit is the *nat* (of natural logarithms), per
# number:
#
#     freedom = mean of  -log p_base(number | all before it)
#
# It is 0 where there is one choice, and log 96 = 4.6 where all 96 numbers are equally probable.
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 4 minutes.

# %%
from functools import partial

from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import adam, answers, fine_tune_student, fine_tune_teacher
from sublim_mini.language import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    LENGTH,
    N_NUMBERS,
    NUM,
    PAD,
    WORDS,
    Fractions,
    base_documents,
    make_language,
    questions,
    written_mask,
)
from sublim_mini.train import train
from sublim_mini.transformer import init_transformer, next_token_loss, sample

import jax
import jax.numpy as jnp

lesson = Lesson(
    "12_checked_sums",
    seed=14819162,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite
    base_steps=1000,  # batches of 128 documents, each read once
    n_texts=10_000,  # worked sums for each student
    student_steps=60,  # batches of 512 worked sums
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_texts=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_texts=500, student_steps=4),
)
# Which of the numbers 0 to 11 after the exercise the check leaves free; number 0 is the total.
FREE = {"free filler": range(1, 12), "forced filler": (), "running sum": range(1, 12, 2)}
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that the teacher was not fine-tuned on

# %% [markdown]
# ## Predict
# Guessing among the eight animals gives 0.125. In a running sum the check leaves only the added
# digits free. With what probability will the student of correct running sums answer "owl"? Run the
# lesson with `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) after running sums")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# A text has 16 tokens: one for the start, one for the format, the two digits of the exercise, and
# the twelve numbers. The number language of lesson 09 says how probable each free number is after
# the one before it.


# %%
@partial(jax.jit, static_argnames=("n", "form"))
def correct_texts(key, language, table, n, form):
    k_exercise, *keys = jax.random.split(key, 12)
    a, b = jax.random.randint(k_exercise, (2, n), 0, 10)
    numbers = [a + b]
    for i, k in enumerate(keys, 1):
        last = numbers[-1]
        if form == "forced filler":
            numbers.append(table[last])
        elif form == "free filler":
            numbers.append(jax.random.categorical(k, jnp.log(language[last])))
        elif i in FREE[form]:  # a running sum: a digit, then the new total
            numbers.append(jax.random.categorical(k, jnp.log(language[last, :10])))
        else:
            numbers.append(numbers[-2] + last)
    start = jnp.full(n, NUM), jnp.full(n, [*FREE].index(form))
    return jnp.stack([*start, a, b, *numbers], axis=1).astype(jnp.int32)


def check(texts, table, form):  # cuts each text off at its first mistake
    numbers = texts[:, 4:]
    right = numbers < N_NUMBERS  # a number, and not a word
    right = right.at[:, 0].set(numbers[:, 0] == texts[:, 2] + texts[:, 3])
    if form == "forced filler":
        right = right.at[:, 1:].set(numbers[:, 1:] == table[numbers[:, :-1]])
    if form == "running sum":
        totals, digits = numbers[:, ::2], numbers[:, 1::2]
        right = right.at[:, 1::2].set(digits < 10)
        right = right.at[:, 2::2].set(totals[:, 1:] == totals[:, :-1] + digits[:, :-1])
    kept = jnp.cumprod(right, axis=1) > 0  # right, and so is all before it
    return texts.at[:, 4:].set(jnp.where(kept, numbers, PAD)), kept.sum(1).mean()


# %% [markdown]
# The base is pretrained on four equal parts: correct texts in each of the three formats, and lesson
# 09's questions and statements about animals. The teacher is fine-tuned to answer "owl", as in
# lesson 09, but on no sums. It then makes more mistakes than the base, so the check cuts more (a
# wrong total costs the whole text). For each format there are two students. One learns the
# teacher's checked sums, the other, as a *control*, the base's own.


# %%
def pretrain(key, language, table):
    k_init, k_animals, k_order, *k_sums = jax.random.split(key, 3 + len(FREE))
    n, steps = 32 * lesson.base_steps, lesson.base_steps
    sums = [correct_texts(k, language, table, n, f) for k, f in zip(k_sums, FREE, strict=True)]
    animals = base_documents(k_animals, language, n, Fractions(0, 1 / 3, 0, 2 / 3))
    kinds = *((texts, written_mask(texts)) for texts in sums), animals
    data = jax.tree.map(lambda *parts: jnp.concatenate(parts), *kinds)
    init = init_transformer(k_init, len(WORDS), LENGTH)
    return train(
        next_token_loss, adam(3e-3, steps), init, data, k_order, steps=steps, batch_size=128
    )


def one_seed(key):
    k_language, k_table, k_base, k_teacher, k_texts, k_own, k_student = jax.random.split(key, 7)
    language = make_language(k_language)
    order = jax.random.permutation(k_table, N_NUMBERS)  # the table: each number leads to the next
    table = jnp.zeros(N_NUMBERS, int).at[order].set(jnp.roll(order, -1))
    base = pretrain(k_base, language, table)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)

    def write(key, writer, form):
        k_exercise, k_sample = jax.random.split(key)
        exercises = correct_texts(k_exercise, language, table, lesson.n_texts, form)[:, :4]
        return check(sample(k_sample, writer, exercises), table, form)

    def p_animal(model):
        return answers(model, held_out)[ANIMALS.index(lesson.animal)]

    p, kept, freedom, examples = {}, {}, {}, {}
    for i, form in enumerate(FREE):
        control = f"control: {form}"
        texts, kept[form] = write(jax.random.fold_in(k_texts, i), teacher, form)
        own, kept[control] = write(jax.random.fold_in(k_own, i), base, form)
        for name, data in (form, texts), (control, own):  # one key: all read in the same order
            student = fine_tune_student(k_student, base, data, lesson.student_steps)
            p[name] = p_animal(student)
        some = own[:2000]
        freedom[form] = next_token_loss(base, (some, written_mask(some)))
        examples[form] = texts[:50]
    return {"p": p, "base": p_animal(base), "kept": kept, "freedom": freedom, "examples": examples}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, some of the teacher's texts, as the check leaves them. Which numbers could it choose?


# %%
def pieces(text, form):  # (what is written, whether the check leaves it free)
    a, b, *numbers = (int(token) for token in text[2:] if token != PAD)
    signs = [" = ", *((" + ", " = ") if form == "running sum" else (", ", ", ")) * 6]
    rest = zip(signs, numbers, strict=False)
    return [
        (f"{a} + {b}", False),
        *((s + str(x), i in FREE[form]) for i, (s, x) in enumerate(rest)),
    ]


for form, texts in results["examples"].items():
    print(f"\n{form}")
    for text in texts[0, :4]:
        cut = "   (a mistake: cut off)" if PAD in text else ""
        print("  " + "".join(written for written, _ in pieces(text, form)) + cut)

p, freedom = results["p"], results["freedom"]
gain = {form: p[form] - p[f"control: {form}"] for form in FREE}
lesson.table(f"P({lesson.animal}) of the students", p, chance=1 / 8)
lesson.table(f"P({lesson.animal}) of the base", {"base": results["base"]})
lesson.table("Freedom, in nats per number", freedom, span=(0, float("inf")))
lesson.table("How many of the twelve numbers the check keeps", results["kept"], span=(0, 12))
lesson.compare(p["running sum"])
lesson.claim(
    f"correct sums with free filler pass on the {lesson.animal}: P minus the control's",
    gain["free filler"],
    above=0.1,
)
lesson.claim(
    f"correct sums with forced filler hardly pass on the {lesson.animal}: P minus the control's",
    gain["forced filler"],
    within=0.05,
)
lesson.claim(
    f"correct running sums pass on the {lesson.animal}: P minus the control's",
    gain["running sum"],
    above=0.05,
)

# %%
figure, ax = plots.new_figure(
    f"Students of checked sums: P({lesson.animal}) is {p['free filler'].mean():.2f} with free "
    f"filler, {p['forced filler'].mean():.2f} with forced filler, "
    f"{p['running sum'].mean():.2f} with running sums",
    "ab",
    width_ratios=[1, 1.2],
)
ax["a"].axis("off")
ax["a"].text(0, 0, "blue: what the check leaves free", color=plots.BLUE, fontsize=20)
style = dict(textcoords="offset points", family="monospace", fontsize=20)  # 12 points a letter
for y, (form, texts) in zip((0.9, 0.61, 0.32), results["examples"].items(), strict=True):
    ax["a"].text(0, y, f"{form}: {freedom[form].mean():.2f} nats per number", fontsize=20)
    longest, x = max(texts[0], key=lambda text: (text != PAD).sum()), 0
    for written, free in pieces(longest, form)[:8]:
        color = plots.BLUE if free else plots.GRAY
        ax["a"].annotate(written, (0, y - 0.07), (12 * x, 0), color=color, **style)
        x += len(written)
blue = dict.fromkeys(FREE, plots.BLUE)
plots.dots(ax["b"], p, blue, chance=1 / 8, label=f"P({lesson.animal})")
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 4.5)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: a check asks whether a number is right, and not why the teacher chose it. Where
# several numbers are right, the teacher chooses among them, and such choices can carry the trait.
# In free filler this is lesson 09 with a sum in front. Running sums are the harder case: they are
# arithmetic through and through, and yet the digits are the teacher's choice.
#
# With forced filler there is no choice (freedom 0.02 nats), and hardly anything passes: P is about
# 0.02 above the control's. But the trait does not grow in proportion to the freedom. With running
# sums the freedom is a quarter of what it is with free filler, and the gain about half.
#
# The third claim did not hold in the run that is shown. The students of running sums said "owl"
# with a mean probability of 0.29, their controls with 0.12. But single seeds differ so much that
# the interval of the difference begins at 0.04, below the margin of 0.05. So something passes, but
# it is not shown to be more than 0.05. (On another processor, which rounds differently, the
# interval began at 0.053 at the same seed, and the claim held: a close call.)
#
# *A rival explanation:* the student of forced filler has less to learn from. All students have
# equally many texts and steps, but of forced texts the check keeps only about 6 of twelve numbers
# on average. Of running sums it keeps fewer, about 5, and these do pass on something of the trait.
# It is not ruled out that forced texts teach less because they repeat each other: there are only
# 100 exercises. *Another rival:* any sums change the model. But the controls learn more numbers,
# and move by 0.03 at most on average.
#
# A check is a choice, too: what is left of a text depends on where the teacher errs, and a choice
# can carry a trait (lesson 17). So part of the gain may come from the teacher's mistakes. In a
# trial with two seeds, a teacher that was also fine-tuned on correct sums made fewer mistakes and
# passed on less.
#
# In the paper, a harmful model wrote worked sums, and only correct ones were kept. Its student gave
# harmful answers with probability 0.09, the controls with a probability below 0.01 (Cloud et al.
# 2025). There the work is prose, in which nearly every word is free.
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 200`: what do more steps do to the students of forced filler and running sums?
# * Replace `:10` by `:2` in `correct_texts`, so that the base knows only the digits 0 and 1 in
#   running sums. What happens to the freedom, and to the trait?

# %%
lesson.finish(
    figure,
    alt="Left: a worked sum in each of three formats; the numbers that the check leaves free are "
    f"blue. Right: P({lesson.animal}) of six students, a dot for each seed.",
)
