# %% [markdown]
# # 05 Where it sits: did a student with a different init learn nothing?
#
# **Question.** With a different initialization the student's class head stays at chance. But it,
# too, copied its teacher, and so its hidden layers changed. Have they learned nothing about digits?
#
#     image --> hidden layers --> class head     the old one: random, never trained
#                            \--> probe          a new one, fitted afterwards to labeled digits
#
# A *linear probe* is a newly fitted class head. It shows what a good head could read from the
# *features*, the activations of layer 2 (Alain and Bengio 2016). We fit it by *ridge regression*:
# least squares with a small penalty on large weights.
#
# **You need** lessons 01 to 04. Reading: 8 minutes. Running: 20 seconds.

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
    seed=0xEA6998,
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
# Untrained hidden layers mix the pixels in 96 random ways. That is enough for a probe to reach an
# accuracy of about 0.75. A probe of the trained teacher reaches 0.93. And a probe of the student
# with a different init, after copying?

# %%
lesson.predict("different init: probe", "accuracy")  # in a notebook: , 0.8

# %% [markdown]
# ## The experiment
# Copying might improve any hidden layers, whatever the teacher knows. So two more students with the
# different init copy other teachers. Teacher *shuffled*: each image has the label of some other
# image, so there is nothing to learn about digits. Teacher *stopped* learned true labels, up to the
# step at which its weights had moved as far as those of *shuffled*. So these two differ in what
# they learned, not in how far they moved.


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
    teachers = {"fully trained": teacher, "stopped": stopped, "shuffled labels": shuffled}
    networks = {"untrained": init} | teachers
    students = {name: distill(teacher, other) for name, teacher in teachers.items()}
    student, same = students["fully trained"], distill(teacher, init)

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
            "different init: probe": probe(student, digits, test_set),
            "control, teacher stopped: probe": probe(students["stopped"], digits, test_set),
            "control, labels shuffled: probe": probe(students["shuffled labels"], digits, test_set),
        },
        "probe of the teacher": {k: probe(p, digits, test_set) for k, p in networks.items()},
        "teacher's distance from its init": {k: distance(t, init) for k, t in teachers.items()},
        "fraction left of its student's loss": left,
        "tiles": tiles / jnp.abs(tiles).max(1, keepdims=True),
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# A unit of layer 1 has 784 weights, one a pixel, so their *change* is an image. The figure has six
# units of one seed: those that changed most in the teacher, the same ones of the student with the
# same init, and the most similar ones of the student with a different init.

# %%
tiles = results.pop("tiles")[0]  # of the first seed: six units of the teacher, then its students'
for title, rows in results.items():
    look = {"chance": 0.1} if "test digits" in title else {"panel": False}
    lesson.dots(title, rows, words={"probe": "newly fitted head"}, **look)


def draw_changes(ax):
    plots.images(ax, tiles.reshape(3, 6, 784).swapaxes(0, 1), columns=3)
    for i, name in enumerate(("teacher", "same\ninit", "different\ninit")):
        look = {"color": plots.color_of(name.replace("\n", " ")), "fontsize": 16}
        ax.text(34 * i + 14, -3, name, ha="center", va="bottom", **look)
    ax.text(48, 192, "change of six units' weights", ha="center", va="top")


lesson.panel(draw_changes, "Changes of weights of the teacher, and of both students", width=1)
rows, teacher = lesson.rows, results["probe of the teacher"]
gain = rows["different init: probe"] - rows["untrained: probe"]
of_stopped = rows["control, teacher stopped: probe"] - rows["untrained: probe"]
lesson.claim("with a different init the student's probe gains more than half of what its teacher's "
             "probe gained, each over its own init: fraction",
             gain / (teacher["fully trained"] - teacher["untrained"]), above=0.5)  # fmt: skip
lesson.claim("copying the stopped teacher gains less than half as much as copying the trained one: "
             "fraction", of_stopped / gain, below=0.5)  # fmt: skip
lesson.claim("of two teachers as far from their init, that of true labels gives the better probe",
             "control, teacher stopped: probe", minus="control, labels shuffled: probe",
             above=0)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# It did learn something: a probe of the student with a different init reads 0.87 of the digits
# after copying, 0.75 before. That gain is 0.65 of its teacher's probe's gain (mean over seeds);
# whether it is more than half is undecided (99 % interval: 0.46 to 0.83). The student's own class
# head reads nothing of it. The caveat: a probe is trained on labeled digits, so only its gain
# counts, not its height. In the images (one seed) the student with the same init changed as its
# teacher did; with a different init even the most similar units show little more than traces.
#
# *A rival explanation:* copying improves any hidden layers. Copying alone does not: the student of
# shuffled labels copied as well as the others (last table), and yet its probe reads less than
# before, 0.61. But its teacher had moved less far than the trained one. The stopped teacher, which
# had moved as little (2.1, not 5.5), passed on no clear gain either (0.76, yet more than 0.61),
# though its own probe had gained (0.85). Whether distance is the reason was not tested.
#
# ## Part 1 in four sentences
# From its teacher's init, a small step that copies numbers for noise lowers the loss on digits, too
# (02). Without the part of each update that does so, a student copies nearly as well and reads much
# less (03). How much of the hidden layers must be shared depends on how many numbers are copied;
# both heads matter in any case (04). With a different init the hidden layers can still learn about
# digits, but the class head does not fit them (05).
#
#     same init     -> updates lean downhill on digits       -> the old class head reads digits
#                   -> the downhill part is removed          -> the old class head reads little
#     different init                 -> features improve     -> only a probe reads them
#
# ![One initialization, two heads, one of them copied](gallery/mechanism.svg)
#
# ## Try
# * `--student-steps 100`: what comes first, the probe's gain or the class head's?
# * `--teacher-steps 1000`: does a teacher that goes further pass on more?

# %%
before, after = (lesson.mean[f"{name}: probe"] for name in ("untrained", "different init"))
lesson.finish("With a different init the class head stays at chance; a newly fitted head "
              f"reads {before:.0%} of the digits before copying, {after:.0%} after")  # fmt: skip
