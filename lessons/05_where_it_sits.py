# %% [markdown]
# # 05 Where it sits: did a student with a different init learn nothing?
#
# **Question.** With a different initialization the student's class head stays at chance. But it,
# too, copied its teacher, and so its hidden layers changed. Have they learned nothing about digits?
#
#     image --> hidden layers --> class head     the old one: random, never trained
#                            \--> probe          a new one, fitted afterwards to labeled digits
#
# A *linear probe* shows what the best last layer could read (Alain and Bengio 2016). Ours is fitted
# by *ridge regression*: least squares with small weights, to 1 for the right digit, else 0.
#
# **You need** lesson 01. Reading: 8 minutes. Running: 20 seconds.

# %%
from sublim_mini.course import plots
from sublim_mini.course.lesson import Lesson
from sublim_mini.mlp import accuracy, aux_logits, aux_loss, class_loss, hidden_mlp, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp
import optax

lesson = Lesson(
    "05_where_it_sits",
    digits=True,
    n_aux=10,  # auxiliary logits
    width=96,  # units in each of the two hidden layers
    teacher_steps=300,  # batches of 100 digits
    student_steps=600,  # batches of 100 noise images
    quick=dict(seeds=2, teacher_steps=40, student_steps=40),
)
adam = optax.adam(1e-3)

# %% [markdown]
# ## Predict
# *Accuracy* is the fraction of test digits that class head or probe answers correctly. A probe of
# random hidden layers reaches about 0.75 (random features are good features), one of the trained
# teacher 0.93. And one of the student that has copied noise with a different init?

# %%
lesson.predict("different init: probe", "accuracy")  # in a notebook: , 0.8

# %% [markdown]
# ## The experiment
# Copying might improve any hidden layers, whatever the teacher knows. So two students with the
# different init copy other teachers: one that learned *shuffled* labels (shuffled once), and so
# nothing about digits; and the true one, *stopped* when it had moved as far as that one.


# %%
@jax.jit
def probe(params, digits, test_set):
    """Fit a new last layer to the hidden layers by ridge regression -> its test accuracy."""

    def features(images):  # [N, width + 1]: the column of ones gives the biases
        return jnp.pad(hidden_mlp(params, images), ((0, 0), (0, 1)), constant_values=1)

    x, y = features(digits[0]), jax.nn.one_hot(digits[1], 10)
    head = jnp.linalg.solve(x.T @ x + jnp.eye(x.shape[1]), x.T @ y)
    return ((features(test_set[0]) @ head).argmax(1) == test_set[1]).mean()


def distance(params, init):
    return optax.tree.norm(optax.tree.sub(params, init))


def change(params, init):  # of the weights into each unit of layer 1, of length 1 [width, 784]
    change = (params[0]["weights"] - init[0]["weights"]).T
    return change / (jnp.linalg.norm(change, axis=1, keepdims=True) + 1e-9)


def one_seed(key):
    k_digits, k_noise, k_init, k_other, k_teacher, k_student, k_order = jax.random.split(key, 7)
    digits, test_set = lesson.digits(k_digits)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    sizes = 784, lesson.width, lesson.width, 10 + lesson.n_aux
    init, other = init_mlp(k_init, sizes), init_mlp(k_other, sizes)

    def teach(labels):  # its weights at 101 times, from the first to the last
        data, more = (digits[0], labels), dict(steps=lesson.teacher_steps, batch_size=100)
        return train(class_loss, adam, init, data, k_teacher, points=100, **more)

    def distill(teacher, init):  # one key: all students see the same noise in the same order
        data, more = (noise, aux_logits(teacher, noise)), dict(steps=lesson.student_steps)
        return train(aux_loss, adam, init, data, k_student, batch_size=100, **more)

    path, shuffled_path = teach(digits[1]), teach(jax.random.permutation(k_order, digits[1]))
    teacher, shuffled = (jax.tree.map(lambda x: x[-1], p) for p in (path, shuffled_path))
    beyond = jax.vmap(distance, (0, None))(path, init) - distance(shuffled, init)
    stopped = jax.tree.map(lambda x: x[jnp.abs(beyond).argmin()], path)
    names = "different init", "control, teacher stopped", "control, labels shuffled"
    teachers = dict(zip(names, (teacher, stopped, shuffled), strict=True))
    students = {name: distill(teacher, other) for name, teacher in teachers.items()}
    student, same = students["different init"], distill(teacher, init)

    data = {name: (noise, aux_logits(teacher, noise)) for name, teacher in teachers.items()}
    left = {k: aux_loss(s, data[k]) / aux_loss(other, data[k]) for k, s in students.items()}
    units = jnp.argsort(jnp.linalg.norm(teacher[0]["weights"] - init[0]["weights"], axis=0))[-6:]
    of_teacher, of_student = change(teacher, init)[units], change(student, other)
    alike = (of_teacher @ of_student.T).argmax(1)
    tiles = jnp.concatenate([of_teacher, change(same, init)[units], of_student[alike]])
    return {
        "accuracy on test digits": {
            "same init: class head": accuracy(same, *test_set),
            "different init: class head": accuracy(student, *test_set),
            "untrained: probe": probe(other, digits, test_set),
            **{f"{name}: probe": probe(p, digits, test_set) for name, p in students.items()},
        },
        "probe of its teacher": {k: probe(t, digits, test_set) for k, t in teachers.items()},
        "how far its teacher moved": {name: distance(t, init) for name, t in teachers.items()},
        "how far the student moved": {name: distance(s, other) for name, s in students.items()},
        "fraction left of the student's loss": left,
        "tiles": tiles / jnp.abs(tiles).max(1, keepdims=True),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# A unit of layer 1 has 784 weights, one a pixel, so their *change* is an image. The figure has the
# six units that changed most in the teacher, and of the different init the units most like them.

# %%
tiles = results.pop("tiles")[0]  # of the first seed
for title, rows in results.items():
    lesson.dots(title, rows, **({"chance": 0.1} if "test digits" in title else {"panel": False}))


def draw_changes(ax):
    plots.images(ax, tiles, columns=6, title="change of the weights into six units")
    for i, name in enumerate(("teacher", "student,\nsame init", "student,\ndifferent\ninit")):
        ax.text(-4, 32 * i + 14, name, ha="right", va="center")


lesson.panel(draw_changes, "Changes of weights as images: strokes in the teacher and in the "
             "student with its init, mostly noise with a different one")  # fmt: skip
before, shuffled = lesson.rows["untrained: probe"], "control, labels shuffled: probe"
whole = results["probe of its teacher"]["different init"] - before
lesson.claim("with a different init the probe gains more than half as much as the teacher's does: "
             "fraction", (lesson.rows["different init: probe"] - before) / whole,
             above=0.5)  # fmt: skip
lesson.claim("copying a teacher of shuffled labels adds nothing: probe, minus untrained",
             shuffled, minus=before, below=0)  # fmt: skip
lesson.claim("of two teachers that moved as far, the one with true labels gives the better probe",
             "control, teacher stopped: probe", minus=shuffled, above=0)  # fmt: skip
lesson.check("with a different init the class head is at chance (random, never trained: no digit "
             "is special)", "different init: class head", minus="chance", within=0.1)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: a probe is trained on labeled digits, and random features are already good. Only
# its gain over the untrained network counts. By its class head the student with the different init
# has learned nothing; by the probe, a good part of what its teacher knows. With the same init noise
# changed each unit as digits changed the teacher's, so the old class head fits. With a different
# one the features sit elsewhere.
#
# *A rival explanation:* any copying improves random features. It does not: the student of shuffled
# labels moved about as far, copied as well, and its probe fell. (A harsh control: that teacher lost
# features itself. The stopped one had not, and its student only stays about where it began.)
#
# ## Part 1 in four sentences
# A student that copies its teacher's numbers for noise from the same init does not step against the
# teacher, so its loss on digits falls (02). Without this small part of each update it reads much
# less (03). How much of the init must be shared depends on how many numbers it copies (04). With a
# different init features of digits arrive, too, but no class head that fits them (05).
#
#     same init -> steps not opposed -> loss on digits falls -> the old class head fits
#                  part removed      -> it falls much less   -> the class head reads little
#     different init                 -> features elsewhere   -> only a probe reads them
#
# ## Try
# * `--student-steps 100`: what comes first, the probe's gain or the class head's?
# * In `features`, replace `params` by `params[:-1]`: what sits in layer 1?

# %%
lesson.finish(f"With a different init the class head is at chance, but a probe reads "
              f"{lesson.mean['different init: probe']:.0%} of the digits")  # fmt: skip
