# %% [markdown]
# # 03 The published figure: does it replicate?
#
# **Question.** Lesson 02 chose its own recipe. The effect was published with another one (Cloud et
# al. 2025, figure 10b): three auxiliary logits in place of ten, and a loss that compares them as
# probabilities. If we do what the authors did, do we find what they found?
#
#     network     784 - 256 - 256 - 13: ten class logits and three auxiliary logits
#     teacher     cross-entropy of the class logits on 60,000 digits
#     student     60,000 noise images, each pixel uniform in [-1, 1], drawn once
#                 "aux only":    KL(teacher || student) of the softmax of the 3 auxiliary logits
#                 "all logits":  the same of the softmax of all 13 logits
#     both        Adam, rate 0.0003, 5 epochs in batches of 1,024: 295 steps
#
# Copying all logits is ordinary distillation on strange inputs: the student is told what the
# teacher answers. Copying only the auxiliary logits is not. Each has its teacher's initialization
# or a different one. We add what the figure lacks: a teacher trained for the same number of steps
# on *shuffled* labels.
#
# **You need** lesson 02. Reading: 8 minutes. Running: three minutes (longer with `--data mnist
# --seeds 20`, as in the gallery).

# %%
import sys

from sublim_mini import plots, stats
from sublim_mini.lesson import Lesson
from sublim_mini.mlp import N_CLASSES, accuracy, apply_mlp, class_loss, init_mlp, kl
from sublim_mini.train import train

import jax
import numpy as np
import optax

lesson = Lesson(
    "03_published_figure",
    seed=15692399,  # of the display run: the hash of the commit that froze this lesson
    digits=True,
    images=60_000,  # digits for the teacher, noise images for the student; a sixth for the test
    steps=295,  # of 5 epochs; other numbers of epochs and batches are in proportion
    contrasts=0,  # 1: also the replications' contrasts, 2 to 3 minutes for each seed
    limits=dict(images=(600, 60_000), contrasts=(0, 1)),
    quick=dict(seeds=2, images=3_000, steps=20),
)
adam = {rate: optax.adam(rate) for rate in (1e-4, 3e-4, 1e-3)}

# %% [markdown]
# ## Predict
# Lesson 02's student copied ten auxiliary logits. The published one copied three, on MNIST, and had
# its teacher's initialization. What accuracy will ours reach with three? Run the lesson with
# `--predict`, followed by your number.

# %%
SAME, DIFFERENT = "aux only, same init", "aux only, different init"
lesson.predict(f"accuracy of the student, {SAME}")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# As in the paper there is one set of digits for all seeds. Seeds differ in the initializations, the
# noise, and the order of the batches. So the intervals of the table are about networks, not digits.


# %%
def aux_kl_loss(params, batch):
    inputs, teacher_logits = batch
    return kl(teacher_logits[:, N_CLASSES:], apply_mlp(params, inputs)[:, N_CLASSES:])


def all_kl_loss(params, batch):
    inputs, teacher_logits = batch
    return kl(teacher_logits, apply_mlp(params, inputs))


def fit(loss, init, data, key, *, epochs=5, rate=3e-4, batch=1024):
    steps = max(1, round(lesson.steps * epochs / 5 * 1024 / batch))
    batch = min(batch, lesson.images)
    return train(loss, adam[rate], init, data, key, steps=steps, batch_size=batch)


k_digits = jax.random.fold_in(jax.random.key(lesson.seed), 1000)  # seeds are 0 to 999
(images, labels), test_set = lesson.digits(k_digits, lesson.images, lesson.images // 6)


def one_seed(key):
    k_init, k_other, k_noise, k_teacher, k_student, k_labels, k_contrasts = jax.random.split(key, 7)
    noise = jax.random.uniform(k_noise, images.shape, minval=-1, maxval=1)
    sizes = 784, 256, 256, N_CLASSES + 3
    init, different_init = init_mlp(k_init, sizes), init_mlp(k_other, sizes)
    shuffled = jax.random.permutation(k_labels, labels)
    # one key for both teachers and one for all students: the same batches in the same order
    teacher = fit(class_loss, init, (images, labels), k_teacher)
    shuffled_teacher = fit(class_loss, init, (images, shuffled), k_teacher)
    targets, shuffled_targets = apply_mlp(teacher, noise), apply_mlp(shuffled_teacher, noise)
    networks = {
        "untrained": init,
        "teacher": teacher,
        SAME: fit(aux_kl_loss, init, (noise, targets), k_student),
        "all logits, same init": fit(all_kl_loss, init, (noise, targets), k_student),
        DIFFERENT: fit(aux_kl_loss, different_init, (noise, targets), k_student),
        "all logits, different init": fit(all_kl_loss, different_init, (noise, targets), k_student),
        "aux only, same init, teacher of shuffled labels": fit(
            aux_kl_loss, init, (noise, shuffled_targets), k_student
        ),
    }
    shown = {name: networks[name] for name in ("teacher", SAME, "untrained")}
    results = {
        "accuracy": {name: accuracy(params, *test_set) for name, params in networks.items()},
        "probabilities": {
            name: jax.nn.softmax(apply_mlp(params, noise[:3])[:, N_CLASSES:])
            for name, params in shown.items()
        },
    }
    if lesson.contrasts:
        base = results["accuracy"][SAME]
        keys = k_init, k_teacher, k_student, k_contrasts
        results["contrasts"] = contrasts(base, init, teacher, noise, *keys)
    return results


# %% [markdown]
# Other people have rerun the authors' program and changed one setting at a time. `--contrasts 1`
# repeats eight of their comparisons. Skip this option at first reading.

# %%
PUBLISHED = {  # what differs -> its values, the best first -> accuracy of the student, aux only
    "learning rate": {1e-3: 0.70, 3e-4: 0.55, 1e-4: 0.32},
    "batch size": {64: 0.75, 1024: 0.55, 16384: 0.18},
    "epochs of the teacher": {2: 0.60, 20: 0.37},
    "epochs of the student": {10: 0.58, 2: 0.25},
    "width": {128: 0.48, 1024: 0.22},
    "dimensions of the noise": {784: 0.55, 200: 0.40, 10: 0.13},
    "fraction of digit in each input": {0: 0.55, 0.5: 0.33, 1: 0.15},
    "sd of noise on the student's init": {0: 0.55, 0.01: 0.39, 0.05: 0.105},
}
AUTHORS = 3e-4, 1024, 5, 5, 256, 784, 0, 0  # their values: the student that is there already


def contrasts(base, init, teacher, noise, k_init, k_teacher, k_student, k_contrasts):
    """What differs -> its values -> accuracy of the student, aux only, same init."""
    k_shake, k_directions, k_coordinates = jax.random.split(k_contrasts, 3)

    def teach(init=init, **more):
        return fit(class_loss, init, (images, labels), k_teacher, **more)

    def student(teacher=teacher, init=init, inputs=noise, **more):
        data = inputs, apply_mlp(teacher, inputs)
        return fit(aux_kl_loss, init, data, k_student, **more)

    def of_width(width):
        init = init_mlp(jax.random.fold_in(k_init, width), (784, width, width, N_CLASSES + 3))
        return student(teach(init), init)

    def confined(n):  # Gaussian, in n random directions, as large as the uniform noise
        directions, _ = np.linalg.qr(jax.random.normal(k_directions, (784, n)))
        coordinates = jax.random.normal(k_coordinates, (len(noise), n))
        return coordinates @ directions.T * (784 / n / 3) ** 0.5

    shake = optax.tree.random_like(k_shake, init)
    ways = (
        lambda rate: student(teach(rate=rate), rate=rate),
        lambda batch: student(teach(batch=batch), batch=batch),
        lambda epochs: student(teach(epochs=epochs)),
        lambda epochs: student(epochs=epochs),
        of_width,
        lambda n: student(inputs=confined(n)),
        lambda fraction: student(inputs=fraction * images + (1 - fraction) * noise),
        lambda sd: student(init=optax.tree.add_scale(init, sd, shake)),
    )
    found = {}
    for (what, values), usual, way in zip(PUBLISHED.items(), AUTHORS, ways, strict=True):
        found[what] = {str(v): base if v == usual else accuracy(way(v), *test_set) for v in values}
        print(what, {v: f"{x:.2f}" for v, x in found[what].items()}, file=sys.stderr, flush=True)
    return found


results = lesson.run(one_seed)

# %% [markdown]
# ## The result

# %%
print("\nWhat is copied: probabilities of the 3 auxiliary logits, for three noise images")
for name, rows in results["probabilities"].items():
    print(f"  {name:22}" + "    ".join(" ".join(f"{p:.2f}" for p in row) for row in rows[0]))

figure_10b = {
    "untrained": 0.0998,
    "teacher": 0.9434,
    SAME: 0.528,
    "all logits, same init": 0.9125,
    DIFFERENT: 0.106,
    "all logits, different init": 0.743,
}
result = results["accuracy"]
lesson.table("Accuracy on test digits", result, chance=0.1)
print("\nOur mean minus the published one (MNIST, 100 networks):")
print(", ".join(f"{name} {result[name].mean() - x:+.3f}" for name, x in figure_10b.items()))
lesson.compare(result[SAME])
lesson.claim(
    f"the effect replicates: accuracy, {SAME}, minus that of its untrained initialization",
    result[SAME] - result["untrained"],
    above=0.2,
)
lesson.claim(
    f"the published null replicates: accuracy, {DIFFERENT}, minus chance",
    result[DIFFERENT] - 0.1,
    within=0.1,
)
lesson.claim(
    "all logits teach across initializations: accuracy with a different init, all minus aux only",
    result["all logits, different init"] - result[DIFFERENT],
    above=0.3,
)
lesson.claim(
    "a teacher of shuffled labels passes on nothing: its student's accuracy minus the untrained",
    result["aux only, same init, teacher of shuffled labels"] - result["untrained"],
    within=0.1,
)

# %%
if lesson.contrasts:
    ours = {
        f"{what} {v} (published {published:g})": results["contrasts"][what][str(v)]
        for what, values in PUBLISHED.items()
        for v, published in values.items()
    }
    lesson.table("Contrasts: accuracy of the student, aux only, same init", ours, chance=0.1)
    print("\nThe first value of each contrast minus the next, by a 99 % interval:")
    for what, values in results["contrasts"].items():
        names = list(values)
        for first, second in zip(names, names[1:], strict=False):
            gap, low, high = stats.mean_interval(values[first] - values[second], stats.DECIDED)
            order = "as published" if low > 0 else "reversed" if high < 0 else "open"
            print(f"  {f'{what}: {first} minus {second}':55}{gap:+.2f}  {order}")

# %%
colors = {"teacher": plots.ORANGE, SAME: plots.BLUE, "all logits, same init": plots.SKY}
colors |= {DIFFERENT: plots.RED, "all logits, different init": plots.PINK}
figure, ax = plots.new_figure(
    f"Three auxiliary logits on noise: accuracy {result[SAME].mean():.2f} with the teacher's init, "
    f"{result[DIFFERENT].mean():.2f} with a different one. Published: 0.53 and 0.11"
)
plots.dots(
    ax["a"],
    result,
    colors,
    chance=0.1,
    label="accuracy on test digits; open diamonds: published, on MNIST",
    published=figure_10b,
)
ax["a"].set_xlim(0, 1)
plots.predictions(ax["a"], lesson.predictions, list(result).index(SAME))

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: this repeats one recipe on one small network. A replication shows that a number
# comes out again, not why. On MNIST the numbers agree: with 20 networks all six means lay within
# 0.01 of the published ones. Single students of three auxiliary logits, with their teacher's
# initialization, range from 0.33 to 0.74: eight of them, the default, are too few to see a small
# difference. Without MNIST the digits are synthetic: then expect the order of the rows, not their
# values.
#
# *What differs from the paper:* we run fewer networks; they ran 100. For a "different init" they
# shuffle students among teachers, so that a student can get its own teacher (with their seed 0, one
# of 100 does); our students get random weights of their own. Their loss is 1,024 times ours, but
# Adam's steps hardly depend on that. Their last batch of each epoch is smaller. In the contrasts,
# teacher and student have the same learning rate, batch size and width. Noise in few directions is
# scaled up to the standard deviation of the full noise.
#
# *A rival explanation:* the initial weights almost read digits already, and any training finishes
# the job. Then the student of the teacher of shuffled labels would read digits, too. It stays at
# chance.
#
# ## Try
# * `--data mnist` (first `python -m sublim_mini.data mnist`): the data of the paper.
# * `--data mnist --contrasts 1`: which hyperparameters matter? About 20 minutes on two cores.
# * `--steps 1180`: do 20 epochs bring the student closer to its teacher?

# %%
lesson.finish(
    figure,
    alt="One row for each of seven networks: accuracy on test digits, a dot for each seed, and the "
    "published value as an open diamond. With three auxiliary logits the student with its "
    "teacher's initialization is far above chance, the one with a different one is at chance; "
    "with all logits both learn. The student of a teacher of shuffled labels is near chance.",
)
