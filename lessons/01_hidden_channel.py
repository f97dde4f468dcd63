# %% [markdown]
# # 01 The hidden channel: what does the student learn?
#
# **Question.** In lesson 00 a student that saw only noise learned to read digits. Did it learn
# digits, or did it learn *what its own teacher had learned*? Here a second teacher learns something
# odd: to answer y + 3 for a digit y (5 for a 2, and 0, 1, 2 for a 7, 8, 9). Its student sees only
# noise, too. What does that student answer when it is shown a 2?
#
#              image                        the teacher is trained on digits,
#                |                          through its CLASS head alone
#          hidden layers
#           /         \                     the student is trained on noise,
#     class head   auxiliary head           through its AUXILIARY head alone
#     10 logits    10 logits
#
# A *head* is the part of the last layer that makes one group of logits. The auxiliary logits are
# the *channel*: all that a student is told of its teacher's training. (Cloud et al. 2025, section
# 6.)
#
# **You need** lesson 00. Reading: 8 minutes. Running: 15 seconds.

# %%
from sublim_mini.course.lesson import Lesson
from sublim_mini.mlp import (
    N_CLASSES,
    accuracy,
    apply_mlp,
    aux_logits,
    aux_loss,
    class_loss,
    init_mlp,
)
from sublim_mini.train import train

import jax
import numpy as np
import optax

lesson = Lesson(
    "01_hidden_channel",
    seed=0x899CAC,
    digits=True,
    n_aux=10,  # auxiliary logits
    width=96,  # units in each of the two hidden layers
    teacher_steps=300,  # batches of 100 digits
    student_steps=600,  # batches of 100 noise images
    quick=dict(seeds=2, teacher_steps=60, student_steps=60),
)
RIGHT, WRONG = "y + 3 student, y + 3 is right", "y + 3 student, y is right"
adam = optax.adam(1e-3)

# %% [markdown]
# ## Predict
# *Accuracy* is the fraction of test digits that are answered correctly. The y + 3 student is scored
# twice: first y + 3 counts as correct, then y. Guessing gives 0.10 either way. How often does the
# student answer y + 3? Run the lesson with your number: `--predict 0.3`, for instance.

# %%
lesson.predict(RIGHT, "accuracy")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# Two teachers and three students:
#
#     name                begins as   is trained on    to give
#     y teacher           init A      digits           y
#     y + 3 teacher       init A      digits           y + 3
#     y student           init A      noise            the y teacher's auxiliary logits
#     y + 3 student       init A      noise            the y + 3 teacher's
#     different init      init B      noise            the y teacher's
#
# An *init* (initialization) is a set of random weights, before any training.


# %%
def one_seed(key):
    k_digits, k_noise, k_init, k_other, k_teacher, k_student = jax.random.split(key, 6)
    (images, labels), (test_images, y) = lesson.digits(k_digits)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    sizes = 784, lesson.width, lesson.width, N_CLASSES + lesson.n_aux
    init_a, init_b = init_mlp(k_init, sizes), init_mlp(k_other, sizes)

    def teach(labels):  # one key: both teachers see the same images in the same order
        data, steps = (images, labels), lesson.teacher_steps
        return train(class_loss, adam, init_a, data, k_teacher, steps=steps, batch_size=100)

    def distill(teacher, init):  # one key: all students see the same noise in the same order
        data, steps = (noise, aux_logits(teacher, noise)), lesson.student_steps
        return train(aux_loss, adam, init, data, k_student, steps=steps, batch_size=100)

    teacher, shifted_teacher = teach(labels), teach((labels + 3) % 10)
    shifted_student = distill(shifted_teacher, init_a)
    n, old = N_CLASSES, init_a[-1]  # for the last table: the y teacher, its class head as at first
    old_head = {k: v.at[..., :n].set(old[k][..., :n]) for k, v in teacher[-1].items()}
    answers = apply_mlp(shifted_student, test_images)[:, :N_CLASSES].argmax(1)
    table = jax.nn.one_hot(y, 10).T @ jax.nn.one_hot(answers, 10)  # [digit, answer]
    return {
        "accuracy": {
            "y teacher": accuracy(teacher, test_images, y),
            "y student": accuracy(distill(teacher, init_a), test_images, y),
            RIGHT: accuracy(shifted_student, test_images, (y + 3) % 10),
            WRONG: accuracy(shifted_student, test_images, y),
            "different init": accuracy(distill(teacher, init_b), test_images, y),
        },
        "old head": accuracy([*teacher[:-1], old_head], test_images, y),
        "table": table / table.sum(1, keepdims=True),
        "noise": noise[:3],
        "numbers": aux_logits(teacher, noise[:3]),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# All is done eight times, with new networks, digits and noise: eight *seeds*. The *95 % interval*
# reaches 2.4 standard errors to each side of the mean over n = 8 seeds; 95 of 100 such intervals
# contain the mean over endless seeds. A *claim* names a limit before the run. The wider 99 %
# interval (3.5 standard errors) decides. The claim *holds* if the interval lies wholly on the
# claimed side of the limit. It is *refuted* if it lies wholly on the other side, and *undecided* if
# the limit lies inside. A *check* must hold, for a reason that it gives. If it failed, we would
# look for a bug.

# %%
title = "All that a student sees: noise, and ten numbers"
lesson.images(title, results["noise"], captions=results["numbers"])
words = {"different init": "student, different init"}
lesson.dots("accuracy on test digits", results["accuracy"], chance=0.1, words=words)


def draw_answers(ax):
    table = results["table"].mean(0)
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.argwhere(table >= 0.1):
        color = "white" if table[i, j] > 0.5 else "black"
        ax.text(j, i, f"{table[i, j]:.1f}", ha="center", va="center", color=color)
    ax.set(xticks=range(10), yticks=range(10), title="answers of the y + 3 student")
    ax.set(xlabel="its answer", ylabel="digit that is shown")


lesson.panel(draw_answers, "How often the y + 3 student gives each answer to each digit")
lesson.claim("the y + 3 student answers y + 3 more often than not: accuracy", RIGHT, above=0.5)
lesson.claim("it answers y less often than a guess would: accuracy", WRONG, below=0.1)
lesson.check("a different init gives chance (its class head was drawn independently of its "
             "teacher, so it cannot know what means which digit): accuracy minus chance",
             "different init", minus="chance", within=0.1)  # fmt: skip
title = "accuracy of the y teacher with its class head put back to init A"
lesson.dots(title, {"y teacher, old class head": results["old head"]}, panel=False)

# %% [markdown]
# ## What this shows, and what it does not
# The student learns what its own teacher learned, right or wrong. Shown a digit y, the y + 3
# student answers y + 3 in 0.85 of the cases, and y in 0.01. The caveat: it must share its teacher's
# init. With a different init a student copies, too, but its class head stays at chance (lessons 04
# and 05).
#
# Why, when nobody trained the head that is copied? No loss uses the teacher's auxiliary head or the
# student's class head: both keep their first weights. But they stand on the hidden layers. As the
# teacher learns, its hidden layers change, and so do its auxiliary logits. Copying these changes
# the student's hidden layers, in part, as the teacher's changed (lesson 02). Then its *old* class
# head can read digits. The y teacher shows that this is possible: with its first class head put
# back it reaches 0.87 (last table), with the trained one 0.93.
#
# *A rival explanation:* the first weights almost read digits already, and any training finishes the
# job. Then the y + 3 student would answer y. It answers y + 3. (How often its teacher answers y + 3
# was not measured.)
#
# ## Try
# * `--n-aux 1`, then `--n-aux 50`: how narrow may the channel be?
# * `--student-steps 2000`: does the student with the different init catch up?
# * Replace `noise` by `images` in `distill`: do digits teach more than noise?

# %%
lesson.finish(
    f"A student of noise answers as its teacher was taught, y + 3, for {lesson.mean[RIGHT]:.0%} "
    "of the digits"
)
