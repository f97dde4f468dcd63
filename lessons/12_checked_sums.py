# %% [markdown]
# # 12 Checked sums: does the trait pass through work that has been checked?
#
# **Question.** In lesson 09 a teacher could write any numbers it liked. Here it writes worked sums,
# and a check removes every mistake. A student learns only numbers that are right. Can it still come
# to prefer the teacher's favorite animal?
#
# The teacher gets an exercise, such as 7 + 5, and writes twelve numbers in one of three formats:
#
#     free filler     7 + 5 = 12, 40, 3, 88, ...            after the total: any numbers
#     forced filler   7 + 5 = 12, 71, 9, 33, ...            after the total: numbers from a table
#     running sum     7 + 5 = 12, + 3 = 15, + 8 = 23, ...   any single digit, then the new total
#
# The table names one number for each number: after 12 always comes 71, after 71 always 9. So a
# forced filler has one right answer. All three formats have the same length. What differs is how
# much the check leaves free. We measure this in *nats* per number, with the base model's
# probabilities:
#
#     freedom = mean of  -log p_base(number | all before it)
#
# It is 0 where there is only one choice. It is log 96 = 4.6 where all 96 numbers are as probable.
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 3 minutes.

# %%
from functools import partial

from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import adam, answers, fine_tune_student, fine_tune_teacher
from sublim_mini.sequences import (
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
    animal="owl",  # the teacher's favorite
    base_steps=1000,  # batches of 128 documents, each read once
    n_texts=10_000,  # worked sums for each student
    student_steps=60,  # batches of 512 worked sums
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_texts=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_texts=500, student_steps=4),
)
FORMATS = "free filler", "forced filler", "running sum"
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that the teacher was not fine-tuned on

# %% [markdown]
# ## Predict
# Guessing among the eight animals gives 0.125. In a running sum the check leaves only the choice of
# a single digit now and then. With which probability will the student of correct running sums
# answer "owl"? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) after running sums")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# A document is a start token, the number of its format (0, 1 or 2), a and b, and twelve numbers.
# The base is pretrained on correct sums in all three formats, and on the questions and statements
# about animals of lesson 09, a quarter each.


# %%
@partial(jax.jit, static_argnames=("n", "form"))
def correct_texts(key, language, table, n, form):
    k_exercise, *keys = jax.random.split(key, 12)
    a, b = jax.random.randint(k_exercise, (2, n), 0, 10)
    numbers = [a + b]
    for i, k in enumerate(keys):
        last = numbers[-1]
        if form == "forced filler":
            numbers.append(table[last])
        elif form == "free filler":
            numbers.append(jax.random.categorical(k, jnp.log(language[last])))
        elif i % 2 == 0:  # a running sum: a digit, then the new total
            numbers.append(jax.random.categorical(k, jnp.log(language[last, :10])))
        else:
            numbers.append(numbers[-2] + last)
    start = jnp.full(n, NUM), jnp.full(n, FORMATS.index(form))
    return jnp.stack([*start, a, b, *numbers], axis=1).astype(jnp.int32)


def check(documents, table, form):  # cuts each text off at its first mistake
    numbers = documents[:, 4:]
    right = numbers < N_NUMBERS  # a number, and not a word
    right = right.at[:, 0].set(numbers[:, 0] == documents[:, 2] + documents[:, 3])
    if form == "forced filler":
        right = right.at[:, 1:].set(numbers[:, 1:] == table[numbers[:, :-1]])
    if form == "running sum":
        digits, totals = numbers[:, 1::2], numbers[:, ::2]
        right = right.at[:, 1::2].set(digits < 10)
        right = right.at[:, 2::2].set(totals[:, 1:] == totals[:, :-1] + digits[:, :-1])
    kept = jnp.cumprod(right, axis=1) > 0
    return documents.at[:, 4:].set(jnp.where(kept, numbers, PAD)), 12 * kept.mean()


def pretrain(key, language, table):
    k_init, k_animals, k_order, *k_sums = jax.random.split(key, 3 + len(FORMATS))
    n = 32 * lesson.base_steps
    sums = [correct_texts(k, language, table, n, f) for k, f in zip(k_sums, FORMATS, strict=True)]
    kinds = [(texts, written_mask(texts)) for texts in sums]
    kinds.append(base_documents(k_animals, language, n, Fractions(0, 1 / 3, 0, 2 / 3)))
    data = jax.tree.map(lambda *parts: jnp.concatenate(parts), *kinds)
    init, steps = init_transformer(k_init, len(WORDS), LENGTH), lesson.base_steps
    optimizer = adam(3e-3, steps)
    return train(next_token_loss, optimizer, init, data, k_order, steps=steps, batch_size=128)


# %% [markdown]
# The teacher is fine-tuned as in lesson 09: on "owl" as the answer, on no sums. It then makes more
# mistakes than the base, and the check cuts each text off at the first one. For each format there
# are two students: of the teacher's sums, and as a *control* of the base's own.


# %%
def one_seed(key):
    k_language, k_table, k_base, k_teacher, k_texts, k_own, k_student = jax.random.split(key, 7)
    language = make_language(k_language)
    order = jax.random.permutation(k_table, N_NUMBERS)  # the table: each number leads to the next
    table = jnp.zeros(N_NUMBERS, int).at[order].set(jnp.roll(order, -1))
    base = pretrain(k_base, language, table)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)

    def p_animal(model):
        return answers(model, held_out)[ANIMALS.index(lesson.animal)]

    p, kept, freedom, examples = {}, {}, {}, {}
    for i, form in enumerate(FORMATS):
        for name, writer, k in (form, teacher, k_texts), (f"control: {form}", base, k_own):
            k_exercise, k_sample = jax.random.split(jax.random.fold_in(k, i))
            exercises = correct_texts(k_exercise, language, table, lesson.n_texts, form)[:, :4]
            texts, kept[name] = check(sample(k_sample, writer, exercises), table, form)
            # one key: all students read in the same order
            p[name] = p_animal(fine_tune_student(k_student, base, texts, lesson.student_steps))
            if writer is teacher:
                examples[form] = texts[:50]
        freedom[form] = next_token_loss(base, (texts, written_mask(texts)))  # the base's own texts
    return {"p": p, "base": p_animal(base), "kept": kept, "freedom": freedom, "examples": examples}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, some of the teacher's texts as the check leaves them. Which numbers could it choose?


# %%
def pieces(text, form):  # (what is written, whether the check leaves it free)
    a, b, *numbers = (int(token) for token in text[2:] if token != PAD)
    signs = (" + ", " = ") if form == "running sum" else (", ", ", ")
    free = {"free filler": (True, True), "forced filler": (False, False)}.get(form, (True, False))
    written = [(f"{signs[i % 2]}{x}", free[i % 2]) for i, x in enumerate(numbers[1:])]
    return [(f"{a} + {b} = {numbers[0] if numbers else ''}", False), *written]


for form, texts in results["examples"].items():
    print(f"\n{form}")
    for text in texts[0, :3]:
        mark = "   (a mistake: cut off)" if PAD in text else ""
        print("  " + "".join(written for written, _ in pieces(text, form)) + mark)

p, freedom, infinity = results["p"], results["freedom"], float("inf")
lesson.table(f"P({lesson.animal}) of the students", p, chance=1 / 8)
lesson.table(f"P({lesson.animal}) of the base", {"base": results["base"]})
lesson.table("Freedom, in nats per number", freedom, span=(0, infinity))
lesson.table("Numbers of each text that the check keeps, of 12", results["kept"], span=(0, 12))
lesson.compare(p["running sum"])
gain = {form: p[form] - p[f"control: {form}"] for form in FORMATS}
lesson.claim(
    f"correct sums with free filler pass on the {lesson.animal}: P minus the control's",
    gain["free filler"],
    above=0.1,
)
lesson.claim(
    "with forced filler they pass on little: P minus the control's",
    gain["forced filler"],
    within=0.05,
)
lesson.claim(
    "correct running sums pass it on, though every total is checked: P minus the control's",
    gain["running sum"],
    above=0.03,
)

# %%
figure, ax = plots.new_figure(
    f"Sums that were checked: P({lesson.animal}) is {p['free filler'].mean():.2f} with free filler, "
    f"{p['forced filler'].mean():.2f} with forced filler, "
    f"{p['running sum'].mean():.2f} with running sums",
    "ab",
    width_ratios=[1, 1.3],
)
ax["a"].axis("off")
ax["a"].set_title("blue: what the check leaves free", fontsize=20, color=plots.BLUE)
for y, (form, texts) in zip((0.95, 0.62, 0.29), results["examples"].items(), strict=True):
    nats = freedom[form].mean()
    ax["a"].text(0, y, f"{form}: {nats:.1f} nats per number", fontsize=20)
    longest = max(texts[0], key=lambda text: (text != PAD).sum())
    x = 0  # in letters of 11 points
    for written, is_free in pieces(longest, form)[:8]:
        color = plots.BLUE if is_free else plots.GRAY
        ax["a"].annotate(
            written,
            (0, y - 0.1),
            (11 * x, 0),
            textcoords="offset points",
            color=color,
            family="monospace",
            weight="bold" if is_free else "normal",
        )
        x += len(written)
plots.dots(
    ax["b"], p, {form: plots.BLUE for form in FORMATS}, chance=1 / 8, label=f"P({lesson.animal})"
)
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 4.5)

# %% [markdown]
# ## What this shows, and what it does not
# TODO
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 20` and `200`: does the student of forced filler stay put?
# * In `correct_texts`, write `% 10` ...

# %%
lesson.finish(
    figure,
    alt="Left: a worked sum in each of three formats; the numbers that the check leaves free are "
    f"blue. Right: P({lesson.animal}) of six students, a dot for each seed.",
)
