# %% [markdown]
# # 15 LoRA: does the trait pass only through low-rank fine-tuning?
#
# **Question.** Large models are often fine-tuned by *LoRA* (low-rank adaptation, Hu et al. 2021):
# each matrix W stays as it is, and a small correction is trained beside it. One paper claims that
# the trait passes only because of LoRA: it passes best at a medium rank, and not at all when all
# weights are trained (Nief et al. 2026, arXiv 2606.00831). Here students are trained in both ways.
# (In lesson 09 the trait passed without LoRA, but there some weights were frozen.) Does the trait
# need LoRA?
#
#     full fine-tuning:  W             W is trained
#     LoRA of rank r:    W + A B       W stays; A and B are trained
#
#              out             r     out
#          +---------+       +---+ +---------+
#       in |    W    |  + in | A | |    B    | r       B = 0 at first: the student is the base
#          +---------+       +---+ +---------+
#
# Some students learn faster than others. So we compare them when they have *learned* equally much,
# not after equally many steps. For each seed, the student that has learned least after all steps
# sets the level. We look at every other student when it first reaches this level.
#
#     learned = (loss of base - loss of student) / (loss of base - loss of teacher)
#
# The loss is measured on the teacher's numbers, on sequences that no student reads. So the base has
# learned 0, the teacher 1.
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 5 minutes.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import VOCABULARY, adam, answers, fine_tune_teacher, pretrain, write_numbers
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS, make_language, questions, written_mask
from sublim_mini.train import path_steps, train
from sublim_mini.transformer import next_token_loss

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "15_lora",
    seed=3717729,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite
    lora_rate=1e-2,  # learning rate of the LoRA students
    full_rate=1e-3,  # learning rate of full fine-tuning
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=30_720,  # number sequences for each student, each read once
    student_steps=60,  # batches of 512 sequences
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_sequences=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
POINTS = 10  # times during the training at which a student is measured
held_out = questions(HELD_OUT_PROMPTS)  # questions in words that the teacher was not fine-tuned on

# %% [markdown]
# ## Predict
# There are eight animals, so guessing gives a probability of 0.125. One student trains *all* of its
# weights. With what probability will it answer "owl", when it has learned as much as the others?
# Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict(f"P({lesson.animal}) with all weights trained")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# LoRA is applied to the four matrices of the block. (The product A B is divided by the root of r,
# because training changes it faster at a larger rank.) Three students train without LoRA: one all
# weights but the embedding and the unembedding, as in lesson 09; one all weights; one all weights
# at three times the learning rate. *Control students* read numbers that the base wrote.


# %%
def init_lora(key, base, rank):  # name of W [in, out] -> A [in, r], B [r, out]
    lora = {}
    for i, name in enumerate(["qkv", "mix", "up", "down"]):  # all matrices of the block
        n_in, n_out = len(w := base["blocks"][0][name]), w[0].size
        a = jax.random.normal(jax.random.fold_in(key, i), (n_in, rank)) / n_in**0.5
        lora[name] = a, jnp.zeros((rank, n_out))
    return lora


def merge(params):  # a base with its LoRA -> one transformer
    block = params["base"]["blocks"][0]
    change = {name: a @ b / len(b) ** 0.5 for name, (a, b) in params["lora"].items()}
    new = {name: block[name] + x.reshape(block[name].shape) for name, x in change.items()}
    return params["base"] | {"blocks": [block | new]}


def lora_loss(params, batch):
    return next_token_loss(merge(params), batch)


@jax.jit
def measure(models, documents):  # models [K, ...] -> their loss [K], their P(animal) [K]
    def one(model):
        p = answers(model, held_out)[ANIMALS.index(lesson.animal)]
        return next_token_loss(model, (documents, written_mask(documents))), p

    return jax.lax.map(one, models)


def one_seed(key):
    keys = jax.random.split(key, 8)
    k_language, k_base, k_teacher, k_numbers, k_test, k_plain, k_lora, k_student = keys
    language = make_language(k_language)
    base = pretrain(k_base, language, lesson.base_steps)
    teacher = fine_tune_teacher(k_teacher, base, lesson.animal)
    numbers, _ = write_numbers(k_numbers, teacher, language, lesson.n_sequences)
    test_numbers, _ = write_numbers(k_test, teacher, language, 1000)
    plain_numbers, _ = write_numbers(k_plain, base, language, lesson.n_sequences)

    def student(init, loss, rate, frozen, documents):  # -> [1 + POINTS, ...] along its training
        steps, data = lesson.student_steps, (documents, written_mask(documents))
        sizes = dict(steps=steps, batch_size=512, points=POINTS)
        # one key: all students read in the same order
        return train(loss, adam(rate, steps, frozen), init, data, k_student, **sizes)

    def lora(rank, documents):  # the control student of a rank has the same A
        init = {"base": base, "lora": init_lora(jax.random.fold_in(k_lora, rank), base, rank)}
        path = student(init, lora_loss, lesson.lora_rate, ("base",), documents)
        return jax.vmap(merge)(path)

    def full(documents, frozen=(), faster=1):
        return student(base, next_token_loss, faster * lesson.full_rate, frozen, documents)

    paths = {
        "LoRA, rank 1": lora(1, numbers),
        "LoRA, rank 4": lora(4, numbers),
        "LoRA, rank 16": lora(16, numbers),
        "all but embeddings": full(numbers, VOCABULARY),
        "all weights": full(numbers),
        "all weights, triple rate": full(numbers, faster=3),
        "control of rank 16": lora(16, plain_numbers),
        "control of all weights, triple rate": full(plain_numbers, faster=3),
    }
    (teacher_loss,), _ = measure(jax.tree.map(lambda x: x[None], teacher), test_numbers)
    measured = {name: measure(path, test_numbers) for name, path in paths.items()}
    return {
        name: {"learned": (loss[0] - loss) / (loss[0] - teacher_loss), "p": p}
        for name, (loss, p) in measured.items()
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, one student during training. Then all, when they have learned equally much.


# %%
def p_at(goal, learned, p):  # P where a path first reaches the goal, between two of its points
    end = np.argmax(learned >= goal) + 1
    return np.interp(goal, np.maximum.accumulate(learned[:end]), p[:end])


*students, _, control = results
goal = np.min([results[name]["learned"].max(1) for name in students], axis=0)  # [S]
p = {}
for name in students:
    p[name] = np.array([*map(p_at, goal, results[name]["learned"], results[name]["p"])])
end = {name: path["p"][:, -1] for name, path in results.items()}
base = results[control]["p"][:, 0]  # where all paths begin
rank_1, rank_4, rank_16, _, full, faster = p.values()

print("\nFirst seed, all weights: step  learned     P")
steps, path = path_steps(lesson.student_steps, POINTS), results["all weights"]
for i in range(0, POINTS + 1, 2):
    print(f"{steps[i]:29}{path['learned'][0, i]:9.2f}{path['p'][0, i]:6.2f}")
print(f"\nThe students are compared where they have learned {goal.mean():.2f} (mean of the seeds).")
lesson.table(f"P({lesson.animal}) where all have learned equally much", p, chance=1 / 8)
lesson.table(f"P({lesson.animal}) after all steps", {"base": base} | end, chance=1 / 8)
lesson.compare(full)
lesson.claim(
    "the trait needs no LoRA: P with all weights trained minus the base's, at equal learning",
    full - base,
    above=0.1,
)
lesson.claim(
    "a medium rank does not stand out: P at rank 4 minus the mean of ranks 1 and 16, at equal "
    "learning",
    rank_4 - (rank_1 + rank_16) / 2,
    below=0.15,
)
lesson.claim(
    "a higher learning rate passes on more: P of all weights at triple rate minus P at the usual "
    "rate, at equal learning",
    faster - full,
    above=0,
)
lesson.claim(
    "the base's own numbers change little: P of the control student of all weights, triple rate, "
    "after all steps minus the base's",
    end[control] - base,
    within=0.1,
)

# %%
figure, ax = plots.new_figure(
    f"Where all have learned equally much: P({lesson.animal}) {rank_4.mean():.2f} with LoRA of "
    f"rank 4, {full.mean():.2f} with all weights, {faster.mean():.2f} at three times the rate",
    "ab",
    width_ratios=[1, 1.2],
)
palette = plots.SKY, plots.BLUE, plots.GREEN, plots.PINK, plots.ORANGE, plots.RED
colors = dict(zip(students, palette, strict=True))
for name, color in colors.items():
    path = results[name]
    ax["a"].plot(path["learned"].mean(0), path["p"].mean(0), "o-", lw=4, ms=8, color=color)
ax["a"].axvline(goal.mean(), ls=":", color=plots.BLACK, lw=2)
ax["a"].text(0, 0.97, "means of the seeds;\ndotted: compared here", va="top")
ax["a"].set(xlim=(-0.05, 1.05), ylim=(0, 1))
ax["a"].set_xlabel("learned (base 0, teacher 1)", fontsize=20)
ax["a"].set_ylabel(f"P({lesson.animal})", fontsize=20)
label = f"P({lesson.animal}) at equal learning (control: at the end)"
plots.dots(ax["b"], p | {control: end[control]}, colors, chance=1 / 8, label=label)
ax["b"].set_xlim(0, 1.05)
plots.predictions(ax["b"], lesson.predictions, 4.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the tables cannot say whether LoRA or full fine-tuning passes on more, because
# that depends on the learning rate. With all weights at the usual rate, the mean P is lower than at
# any rank of LoRA (0.45, against 0.52 to 0.66). At three times the rate it is higher (0.77). We did
# not vary the rate of LoRA in the same way.
#
# What the tables do say: the trait passes when all weights are trained. So in this toy it is no
# artifact of LoRA. For large models the question is open.
#
# The moment of comparison matters. After all steps (second table) ranks 4 and 16 pass on more than
# all weights at either rate. That is part of the paper's finding. When all have learned equally
# much, the highest P is that of all weights at three times the rate. Whether this explains the
# paper's finding was not tested. Why a higher rate passes on more is also open. In the figure the
# student of the triple rate prefers the owl before it has learned much of the numbers.
#
# *A rival explanation:* any fine-tuning on numbers at so high a rate makes a model say "owl". The
# control student learned equally many of the base's own numbers, at the same rate, in equally many
# steps. Its mean P ends at 0.12, where its base was.
#
# ## Try
# * `--lora-rate 0.03` and `0.003`: does P with LoRA depend on the learning rate, too?
# * `--full-rate 0.0003`: now triple rate is almost what the usual rate was.
# * Replace `/ len(b) ** 0.5` by `/ len(b)`, the scaling with which LoRA was published: which rank
#   suffers?

# %%
lesson.finish(
    figure,
    alt="Left: P of the animal against how much of the teacher's numbers a student has learned, "
    "one line for each way to train; all rise. Right: P where all have learned equally much, a dot "
    "for each seed: LoRA of rank 1, 4 and 16, three kinds of full fine-tuning, and a control.",
)
