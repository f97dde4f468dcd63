# %% [markdown]
# # 03 Many steps: is the small part along digits the cause?
#
# **Question.** One step of copying is not opposed to the teacher's (lesson 02). But a student takes
# 600, and each goes mostly *across* the direction in which the loss on digits falls: only 2 or 3 %
# of its length lies along it. Is that small part what makes the student read? Take it away from
# every update, and see.
#
#     u       the student's update, by Adam
#     d       the direction, of length 1, in which the loss on digits falls most steeply
#     u . d   the part of u along d, a number
#     u - (u . d) d      the update without that part: it neither lowers nor raises that loss
#
# **You need** lessons 01 and 02. Reading: 8 minutes. Running: 40 seconds.

# %%
from sublim_mini.course.lesson import Lesson
from sublim_mini.mlp import N_CLASSES, accuracy, aux_logits, aux_loss, class_loss, init_mlp
from sublim_mini.train import batches, train

import jax
import jax.numpy as jnp
import numpy as np
import optax

lesson = Lesson(
    "03_many_steps",
    digits=True,
    n_aux=10,  # auxiliary logits
    width=96,  # units in each of the two hidden layers
    teacher_steps=300,  # batches of 100 digits
    student_steps=600,  # batches of 100 noise images
    quick=dict(seeds=2, teacher_steps=60, student_steps=40),
)
adam = optax.adam(1e-3)

# %% [markdown]
# ## A projection, by hand
# An update u = (3, 4) and a direction d = (1, 0). The part of u along d is u . d = 3. Without it
# the update is (3, 4) - 3 (1, 0) = (0, 4). If d were (0.6, 0.8), all of u would lie along d.

# %%
u, d = np.array([3.0, 4.0]), np.array([1.0, 0.0])
print(f"\nu . d = {u @ d:.0f}, and u without its part along d is {u - (u @ d) * d}")

# %% [markdown]
# ## Predict
# There are two students, as in lesson 01: of the y teacher and of the y + 3 teacher. Each is
# measured by what its *own* teacher learned (accuracy; chance is 0.10). From every update of the
# y student we take away the part along the direction for y. What will its accuracy be, if it is
# 0.85 when nothing is taken away? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict("y student, without y", "accuracy")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# Two by two: from the updates of either student we take away the part along the direction for y
# (digits with their true labels), or that for y + 3 (the same digits, labels shifted). The other
# student's direction is the control: it is as steep, comes from the same images, and also means
# "be more sure". One more control is the gradient of the student's *own* loss on other noise; from
# each update a part is removed that is as long as the one along y.


# %%
def unit(vector):
    return optax.tree.scale(1 / optax.tree.norm(vector), vector)


def downhill(params, images, labels):  # in the hidden layers: no head decides here
    gradient = jax.grad(class_loss)(params, (images, labels))
    return unit(optax.tree.scale(-1, [*gradient[:-1], optax.tree.zeros_like(gradient[-1])]))


@jax.jit
def distill(init, noise, digits, key, removed):
    """A student -> its weights, and its mean parts along y and y + 3 (where |u| is 1).

    removed  which direction is taken away: 0 none, 1 y, 2 y + 3, 3 own loss on other noise
    """
    k_noise, k_digits, k_other = jax.random.split(key, 3)
    steps = lesson.student_steps
    rows = [batches(k, len(x[0]), steps, 100)
            for k, x in ((k_noise, noise), (k_digits, digits), (k_other, noise))]  # fmt: skip

    def step(state, rows):
        params, opt_state = state
        noise_batch, (images, y), other = (
            jax.tree.map(lambda x: x[r], data)
            for r, data in zip(rows, (noise, digits, noise), strict=True)
        )
        gradient = jax.grad(aux_loss)(params, noise_batch)
        u, opt_state = adam.update(gradient, opt_state, params)
        d_y, d_y3 = downhill(params, images, y), downhill(params, images, (y + 3) % 10)
        d_own = unit(jax.grad(aux_loss)(params, other))
        along_y, along_y3 = optax.tree.vdot(u, d_y), optax.tree.vdot(u, d_y3)
        own = jnp.sign(optax.tree.vdot(u, d_own)) * jnp.abs(along_y)
        for i, (part, d) in enumerate([(along_y, d_y), (along_y3, d_y3), (own, d_own)], 1):
            u = optax.tree.sub(u, optax.tree.scale(jnp.where(removed == i, part, 0), d))
        parts = jnp.stack([along_y, along_y3]) / optax.tree.norm(u)
        return (optax.apply_updates(params, u), opt_state), parts

    (params, _), parts = jax.lax.scan(step, (init, adam.init(init)), tuple(rows))
    return params, parts.mean(0)


def one_seed(key):
    k_digits, k_noise, k_init, k_teacher, k_student = jax.random.split(key, 5)
    digits, (test_images, y) = lesson.digits(k_digits)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    init = init_mlp(k_init, (784, lesson.width, lesson.width, N_CLASSES + lesson.n_aux))
    measured = {"accuracy": {}, "loss left": {}, "part along y": {}, "part along y + 3": {}}
    for name, shift in ("y student", 0), ("y + 3 student", 3):
        data, steps = (digits[0], (digits[1] + shift) % 10), lesson.teacher_steps
        teacher = train(class_loss, adam, init, data, k_teacher, steps=steps, batch_size=100)
        copied = noise, aux_logits(teacher, noise)
        removals = ["", ", without y", ", without y + 3"] + [", without another part"] * (not shift)
        for i, removal in enumerate(removals):  # one key: all students see the same noise
            student, parts = distill(init, copied, digits, k_student, i)
            row = name + removal
            measured["accuracy"][row] = accuracy(student, test_images, (y + shift) % 10)
            measured["loss left"][row] = aux_loss(student, copied) / aux_loss(init, copied)
            measured["part along y"][row], measured["part along y + 3"][row] = parts
    return measured


results = lesson.run(one_seed)

# %% [markdown]
# ## The result

# %%
lesson.dots("accuracy, by what its own teacher learned", results["accuracy"], chance=0.1)
for title in "part along y", "part along y + 3", "loss left":
    rows = {name: 100 * values for name, values in results[title].items()}
    lesson.dots(f"{title}, in percent", rows, panel=False)
lesson.claim(
    "without the part along y, more than half of what the y student gained over chance is gone",
    2 * (results["accuracy"]["y student, without y"] - 0.1),
    minus=results["accuracy"]["y student"] - 0.1,
    below=0,
)
lesson.claim(
    "so for the y + 3 student and the part along y + 3",
    2 * (results["accuracy"]["y + 3 student, without y + 3"] - 0.1),
    minus=results["accuracy"]["y + 3 student"] - 0.1,
    below=0,
)
cross = "y student, without y + 3", "y + 3 student, without y"
lesson.claim(
    "the other student's direction does not matter: accuracy lost by removing it, the larger of two",
    np.max([results["accuracy"][r.split(",")[0]] - results["accuracy"][r] for r in cross], axis=0),
    below=0.1,
)
lesson.finish("x")
