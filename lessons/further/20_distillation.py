# %% [markdown]
# # 20 Distillation: what do a teacher's soft outputs say that labels do not?
#
# **Question.** A label says: this is a 7. A trained network says more: surely a 7, a little like a
# 2, hardly like a 6. A student network is shown nine of the ten digits, never a 3. Can a teacher's
# answers for these nine teach the student the tenth?
#
# A network ends in *logits* z, one for each class. The softmax turns them into probabilities. A
# *temperature* T above 1 flattens these, so that small ones can be seen:
#
#     p_T(c) = exp(z_c / T) / sum over classes k of exp(z_k / T)
#
#     hard label           probability 1 for the right class, 0 for the others
#     soft target at T     p_T of the teacher
#     student's loss       KL(p || q) = sum over c of p(c) log(p(c) / q(c)),
#                          p is the teacher's and q the student's, both at T; 0 if p = q
#
# To train a student on soft targets is called *distillation* (Hinton, Vinyals and Dean 2015).
# Teacher and student begin with different random weights here.
#
# **You need** to know what a neural network is. Reading: 6 minutes. Running: 20 seconds.

# %%
from functools import partial

from sublim_mini import InputError
from sublim_mini.course.lesson import Lesson
from sublim_mini.course.plots import BLUE, GRAY, ORANGE
from sublim_mini.mlp import N_CLASSES, accuracy, apply_mlp, class_loss, init_mlp, kl
from sublim_mini.train import train

import jax
import numpy as np
import optax

lesson = Lesson(
    "20_distillation",
    seed=0x95656F,
    digits=True,
    withheld=tuple("3012456789"),  # the digit of which the students see no image
    temperature=4.0,  # T of the third student; the second has T = 1
    width=96,  # units in each of the two hidden layers
    steps=400,  # of training, in batches of 100, for each network
    quick=dict(seeds=2, steps=60),
)
adam = optax.adam(1e-3)
withheld, hot = int(lesson.withheld), f"soft targets, T = {lesson.temperature:g}"

# %% [markdown]
# ## Predict
# *Recall* of a digit is the fraction of its images that a network answers correctly. A student of
# hard labels has never been told to answer "3", so its recall of 3 will be 0. What is the recall of
# a student that was given soft targets at T = 4 for the same images? Run the lesson with
# `--predict`, followed by your number.

# %%
lesson.predict(hot, "recall of the withheld digit")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# Each seed repeats everything with digits and weights of its own: a teacher of all ten digits, then
# four students of the same images of nine digits. The fourth student is a control. Its targets are
# soft at T = 4, too, but each image gets the *average* target of its digit. This says how much 8s
# look like 3s, and not which 8s do.


# %%
def soft_loss(temperature, params, batch):
    images, teacher_logits = batch
    return kl(teacher_logits, apply_mlp(params, images), temperature)


soft_at_1, soft_at_t = partial(soft_loss, 1.0), partial(soft_loss, lesson.temperature)


def one_seed(key):
    k_digits, k_teacher_init, k_init, k_teacher, k_student = jax.random.split(key, 5)
    (images, labels), (test_images, test_labels) = lesson.digits(k_digits)
    sizes = 784, lesson.width, lesson.width, N_CLASSES
    teacher_init, init = init_mlp(k_teacher_init, sizes), init_mlp(k_init, sizes)

    def fit(loss, init, data, key):
        return train(loss, adam, init, data, key, steps=lesson.steps, batch_size=100)

    teacher = fit(class_loss, teacher_init, (images, labels), k_teacher)

    shown = np.flatnonzero(labels != withheld)[:8_500]  # equally many for each seed
    is_withheld = test_labels == withheld
    if not len(shown) or is_withheld.all() or not is_withheld.any():
        raise InputError(f"needs images of the digit {withheld} and of others")
    images, labels = images[shown], labels[shown]
    logits = apply_mlp(teacher, images)
    p = np.asarray(jax.nn.softmax(logits / lesson.temperature))
    average = np.stack([p[labels == d].mean(0) if d in labels else p[0] for d in range(10)])
    average_logits = lesson.temperature * np.log(average[labels] + 1e-12)  # softmax at T: average
    students = {  # one init and one key: all see the same images in the same order
        "hard labels": fit(class_loss, init, (images, labels), k_student),
        "soft targets, T = 1": fit(soft_at_1, init, (images, logits), k_student),
        hot: fit(soft_at_t, init, (images, logits), k_student),
        "average target of the digit": fit(soft_at_t, init, (images, average_logits), k_student),
    }
    results = {"accuracy": {}, "recall": {}, "false positives": {}}
    for name, params in {"teacher": teacher, **students}.items():
        says_withheld = apply_mlp(params, test_images).argmax(-1) == withheld
        results["accuracy"][name] = accuracy(params, test_images, test_labels)
        results["recall"][name] = says_withheld[is_withheld].mean()
        results["false positives"][name] = says_withheld[~is_withheld].mean()
    # the image shown below: the teacher is right, and most nearly says "withheld"
    correct = logits.argmax(-1) == labels
    example = np.where(correct, jax.nn.softmax(logits)[:, withheld], -1).argmax()
    return results | {"label": labels[example], "logits": logits[example]}


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, what a soft target looks like. Of the first seed's training images that the teacher gets
# right, this is the one that it finds most like a 3.

# %%
label, logits = results["label"][0], results["logits"][0]
soft = {t: np.asarray(jax.nn.softmax(logits / t)) for t in (1.0, lesson.temperature)}
print(f"\nA training image of digit {label}. What is each student told?")
print(f"{'class':20}" + "".join(f"{d:6d}" for d in range(10)))
print(f"{'hard label':20}" + "".join(f"{d == label:6d}" for d in range(10)))
for t, p in soft.items():
    print(f"{f'soft target, T = {t:g}':20}" + "".join(f"{x:6.2f}" for x in p))

accuracies, colors = results["accuracy"], dict.fromkeys(results["recall"], BLUE)
colors |= {"teacher": ORANGE, "average target of the digit": GRAY}
title = f"recall: fraction of the {withheld}s that are answered {withheld}"
lesson.dots(title, results["recall"], colors=colors)
lesson.dots("accuracy on test images of all ten digits", accuracies, chance=0.1, panel=False)
lesson.dots(f"false-positive rate: fraction of the other digits answered {withheld}",
            results["false positives"], panel=False)  # fmt: skip
lesson.claim(f"a digit that was never shown is learned: recall, {hot}, minus that of hard labels",
             hot, minus="hard labels", above=0.2)  # fmt: skip
lesson.claim(f"accuracy on all ten digits rises too: {hot}, minus hard labels",
             accuracies[hot], minus=accuracies["hard labels"], above=0.02)  # fmt: skip
lesson.claim(f"single images matter: recall, {hot}, minus that of the average target of the digit",
             hot, minus="average target of the digit", above=0.2)  # fmt: skip


def draw_targets(ax):
    for shift, (t, p), color in zip((-0.2, 0.2), soft.items(), ("black", ORANGE), strict=True):
        ax.barh(np.arange(10) + shift, p, height=0.4, color=color)
        ax.text(0.97, 4.5 + 3 * shift, f"T = {t:g}", color=color, ha="right", fontsize=24)
    ax.set(yticks=range(10), xlim=(0, 1), ylim=(9.6, -0.6), xlabel="probability", ylabel="class")
    ax.set_title(f"the teacher's soft targets for one image of {label}")


lesson.panel(draw_targets, "Bars of a teacher's probabilities of the ten digits for one image")

# %% [markdown]
# ## What this shows, and what it does not
# Soft targets say much more than labels: with T = 4 the student answers 0.85 of the 3s, with hard
# labels none. The caveat: unlike in lesson 01, nothing is hidden here. The teacher has seen 3s, and
# the student copies what its class logits say. The targets of other digits give some probability to
# the 3, and so tell which images look like one.
#
# *A rival explanation:* the student is less sure of the nine digits and answers the tenth wherever
# it is in doubt. Who always answers "3" has a recall of 1. But of the *other* digits it answers
# only 0.01 as "3" (its false-positive rate). And the average target is just as soft, but its
# student never answers "3": with one target for all 8s it cannot learn what makes an image more
# like a 3.
#
# Teacher and student have different initializations here, and it does not matter. In lesson 01 the
# teacher tells its student nothing about digits, and there it does.
#
# ## Try
# * `--withheld 1`, `--withheld 0`: which digits can be learned from the others, and which not?
# * `--temperature 20`: can T be too high?
# * Replace `images[shown]` in the students' data by uniform noise, as in lesson 01: is that enough?

# %%
mean = lesson.mean
lesson.finish(f"A digit that was never shown, {withheld}, is learned from soft targets: recall "
              f"{mean[hot]:.2f}, with hard labels {mean['hard labels']:.2f}")  # fmt: skip
