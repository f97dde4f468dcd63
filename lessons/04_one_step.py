# %% [markdown]
# # 04 One step: which way does a student's first step point?
#
# **Question.** In lesson 02 a student took 600 steps on noise and came to read digits. Now let a
# teacher take just one small step T from its initialization. A student with the same initialization
# takes one gradient step S toward copying the teacher's outputs, on inputs of any kind. Must S
# point the teacher's way?
#
#     S . T = sum over all weights of (change by S) x (change by T)
#
#     S . T > 0    S points the teacher's way: the angle is less than 90 degrees
#     S . T < 0    S points away from it
#
# **You need** gradients and the chain rule. Reading: 15 minutes. Running: 10 seconds.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.mlp import N_CLASSES, apply_mlp, class_loss, init_mlp

import jax
import jax.numpy as jnp
import numpy as np
import optax

# S . T is about as small as T squared. Rounding to 32 bits could turn its sign; 64 bits do not.
jax.config.update("jax_enable_x64", True)

lesson = Lesson(
    "04_one_step",
    seed=1038689,  # of the display run: the hash of the commit that froze this lesson
    draws=25,  # random draws per seed
    step_length=1e-5,  # of the teacher's step T
    inputs=16,  # inputs that the student sees
    width=16,  # units in each of the two hidden layers
    n_aux=3,  # auxiliary logits
    limits=dict(draws=(1, 1000), inputs=(1, 1000), width=(1, 200), n_aux=(2, 100)),
    quick=dict(seeds=2),
)

# %% [markdown]
# ## Predict
# We will draw 200 random networks, teachers, inputs and losses, each student with its teacher's
# initialization. A cosine of 1 means that S points exactly as T does, 0 that it is at a right
# angle, and -1 that it points straight back. What will be the *mean* of the 200 cosines? Run the
# lesson with `--predict`, followed by your number.

# %%
lesson.predict("mean cosine, same init")  # in a notebook: , number

# %% [markdown]
# ## By hand: a network with 8 weights
# Two inputs, two hidden units (ReLU), a class output c and an auxiliary output a; no biases.
#
#     hidden 1 = 1 x1 + 1 x2      c =  1 hidden 1 - 2 hidden 2
#     hidden 2 = 1 x1 - 1 x2      a = -1 hidden 1 + 1 hidden 2
#
# To raise c on the image (2, 1), the teacher takes a step of 0.01 times the gradient of c. The
# student sees only the noise input (1, 0), and takes a gradient step on (a - teacher's a)^2 / 2.
#
# 1. On the image the hidden units are 3 and 1. So T is 0.01 times (2, 1) in the weights of
#    hidden 1, (-4, -2) in those of hidden 2, (3, 1) in those of c and (0, 0) in those of a.
# 2. On the noise both hidden units are 1, so a is 0. After T they are 1.02 and 0.96, and a is
#    -0.06. So the gap that the student closes is g = -0.06.
# 3. On the noise the gradient of a is J = (-1, 0), (1, 0), (0, 0), (1, 1), in the same order. The
#    student's step is S = g J. The sign of g decides whether S goes along J or against it.
# 4. J . T = -0.02 - 0.04 = -0.06. That is the gap again, for J . T is how much T changes a. (It is
#    exact here: T leaves the two weights of a alone, and both units stay on.)
# 5. So S . T = g (J . T) = g g = 0.0036. It is a square: g may be negative, g g may not.


# %%
def outputs(weights, x):
    """8 weights and two inputs -> the class output and the auxiliary output."""
    hidden = jax.nn.relu(weights[:4].reshape(2, 2) @ x)
    return weights[4:].reshape(2, 2) @ hidden


def aux_error(weights, noise, target):
    return (outputs(weights, noise)[1] - target) ** 2 / 2


image, noise = jnp.array([2.0, 1.0]), jnp.array([1.0, 0.0])
init = jnp.array([1.0, 1, 1, -1, 1, -2, -1, 1])
different_init = jnp.array([2.0, -1, 2, 1, -1, 1, 2, -1])
T = 0.01 * jax.jacobian(outputs)(init, image)[0]
teacher_a = outputs(init + T, noise)[1]
S = -jax.grad(aux_error)(init, noise, teacher_a)
S_different = -jax.grad(aux_error)(different_init, noise, teacher_a)
gap = teacher_a - outputs(init, noise)[1]
np.testing.assert_allclose([gap, S @ T], [-0.06, 0.0036], rtol=1e-3)  # as on the blackboard

print("\n8 weights:             hidden 1       hidden 2       class          auxiliary")
rows = {
    "init": init,
    "teacher's step T": T,
    "student's step S": S,
    "S, different init": S_different,
}
for name, row in rows.items():
    numbers = "   ".join(f"{a:5.2f}, {b:5.2f}" for a, b in row.reshape(4, 2) + 0.0)  # no "-0.0"
    print(f"  {name:17} {numbers}")
print(f"  S . T = {S @ T:.4f} = gap squared = {gap**2:.4f}")
print(f"  S . T for one different init: {S_different @ T:.2f}")
c = [float(outputs(weights, image)[0]) for weights in (init, init + S)]
print(f"  class output for the image, which the student never saw: {c[0]:.2f}, after S {c[1]:.2f}")

# %% [markdown]
# ## The proof in ten lines
# The same for any network; skip it at first reading. Here f(w) are the outputs to be copied, at
# weights w; J their derivatives with respect to the weights; p the softmax of f; J' and p' the
# transposes of J and p; E the mean over the student's inputs; O(2) terms as small as the square of
# T, O(3) its cube.
#
#      1.  g = f(w + T) - f(w)                   the gap that the student sees
#      2.  g = J T + O(2)                        the teacher's step has made it
#      3.  S = E[J' r],  r = -d loss / d f       the student's step, by the chain rule
#      4.  S . T = E[r . (J T)]                  its inner product with T
#      5.  r = M g,  M = 2 (or 1, as above)      for squared error
#      6.  r = softmax(f + g) - p = M g + O(2)   for softmax cross-entropy: M = diag(p) - p p'
#      7.  g . M g = 2 (g . g), or the variance of g under p: sums of squares, never negative
#      8.  S . T = E[g . M g] + O(3)             so it is not negative, for a small T that changes f
#      9.  if T = -e grad L, with a small e      S lowers the loss L as well, by S . T / e + O(2)
#     10.  g = f(w) - f(v) + J T + O(2)          with a different init v, most of the gap is not T's
#
# This holds for any inputs, and for any small T that changes f (for softmax: not all outputs
# alike). If a student copies only the auxiliary outputs, f means these.
#
# ## The experiment
# There are eight seeds of 25 draws. Each draw has its own networks, its own kind of step for the
# teacher, and inputs and a loss for the student. One of three losses is that of Cloud et al.:
# softmax cross-entropy over the auxiliary logits alone.


# %%
def squared_error(logits, targets):
    return ((logits - targets)[:, N_CLASSES:] ** 2).mean()


def softmax_all(logits, targets):
    return optax.softmax_cross_entropy(logits, jax.nn.softmax(targets)).mean()


def softmax_aux(logits, targets):
    return softmax_all(logits[:, N_CLASSES:], targets[:, N_CLASSES:])


def cosine(a, b):
    return optax.tree.vdot(a, b) / (optax.tree.norm(a) * optax.tree.norm(b))


def one_draw(key):
    k_init, k_other, k_images, k_noise, k_labels, k_any, k_kinds = jax.random.split(key, 7)
    sizes = 20, lesson.width, lesson.width, N_CLASSES + lesson.n_aux
    init, different_init = init_mlp(k_init, sizes), init_mlp(k_other, sizes)
    images = jax.random.normal(k_images, (lesson.inputs, 20))
    noise = jax.random.uniform(k_noise, images.shape, minval=-1, maxval=1)
    labels = jax.random.randint(k_labels, (lesson.inputs,), 0, N_CLASSES)
    i, j, k = jax.random.randint(k_kinds, (3,), 0, jnp.array([2, 3, 3]))  # the kind of T, x, loss

    learned = optax.tree.scale(-1, jax.grad(class_loss)(init, (images, labels)))
    anything = init_mlp(k_any, sizes)  # a step that no loss has asked for
    T = jax.tree.map(lambda *kinds: jnp.stack(kinds)[i], learned, anything)
    T = optax.tree.scale(lesson.step_length / optax.tree.norm(T), T)
    x = jnp.stack([noise, images, jnp.broadcast_to(noise[0], noise.shape)])[j]

    def student_step(start, teacher):
        def loss(params):
            logits, targets = apply_mlp(params, x), apply_mlp(teacher, x)
            losses = squared_error, softmax_all, softmax_aux
            return jnp.stack([loss(logits, targets) for loss in losses])[k]

        return optax.tree.scale(-1, jax.grad(loss)(start))

    teacher, flipped = optax.tree.add(init, T), optax.tree.sub(init, T)
    measured = {}
    for name, start in ("same init", init), ("different init", different_init):
        S = student_step(start, teacher)
        measured[name] = {"cosine": cosine(S, T), "flip": cosine(S, student_step(start, flipped))}
    return measured


draw_many = jax.jit(jax.vmap(one_draw))  # 25 draws at once


def one_seed(key):
    return draw_many(jax.random.split(key, lesson.draws))


results = lesson.run(one_seed)

# %% [markdown]
# ## The result

# %%
same, different = results["same init"], results["different init"]  # each [seeds, draws]
rows = {}
for name, measured in ("same init", same), ("different init", different):
    rows[f"cosine of S and T, {name}"] = measured["cosine"].mean(1)
    rows[f"fraction of S . T < 0, {name}"] = (measured["cosine"] < 0).mean(1)
    rows[f"cosine of S for T and S for -T, {name}"] = measured["flip"].mean(1)
lesson.table("The student's first step, each seed the mean of its draws", rows, span=(-1, 1))
print(f"\nSmallest of the {same['cosine'].size} cosines, same init: {same['cosine'].min():.5f}")
lesson.compare(same["cosine"])
lesson.claim(
    "same initialization: fraction of draws whose step does not point away from the teacher's",
    (same["cosine"] >= 0).mean(1),
    above=0.99,
)
lesson.claim(
    "different initialization: mean cosine of the student's step with the teacher's",
    different["cosine"].mean(1),
    within=0.05,
)
lesson.claim(
    "same initialization: if the teacher's step is reversed, so is the student's; cosine of the "
    "student's two steps",
    same["flip"].mean(1),
    below=-0.99,
)
lesson.claim(
    "different initialization: if the teacher's step is reversed, the student's is not; cosine of "
    "the student's two steps",
    different["flip"].mean(1),
    above=0.99,
)

# %%
n_same, n_different = ((measured["cosine"] < 0).sum() for measured in (same, different))
figure, ax = plots.new_figure(
    f"Steps that point away from the teacher's: {n_same} of {same['cosine'].size}. "
    f"With a different initialization: {n_different}",
    "ab",
)
# The plane through T (to the right) and S; what lies outside it is projected onto it.
right = T / jnp.linalg.norm(T)
up = S - (S @ right) * right
plane = jnp.stack([right, up / jnp.linalg.norm(up)])
arrows = {
    "teacher's step T": (T, plots.ORANGE),
    "student's step S,\nsame init": (S, plots.BLUE),
    "student's step,\ndifferent init": (S_different, plots.RED),
}
ax["a"].axvspan(0, 1.5, color=plots.SKY, alpha=0.25)
ax["a"].axvline(0, color=plots.BLACK, lw=2, ls=":")
for name, (step, color) in arrows.items():
    x, y = plane @ step / jnp.linalg.norm(step)
    ax["a"].annotate("", (x, y), (0, 0), arrowprops=dict(color=color, width=5, headwidth=20))
    ax["a"].text(x, y + 0.05, name, color=color, ha="center", va="bottom", fontsize=20)
ax["a"].plot(0, 0, "o", ms=18, color=plots.BLACK)
ax["a"].text(0.05, -0.06, "initialization", va="top")
ax["a"].text(0.75, -0.45, "the side on which\nS must lie", ha="center", color=plots.BLUE)
ax["a"].set(xlim=(-1, 1.5), ylim=(-0.6, 1.3), aspect="equal", xticks=[], yticks=[])
ax["a"].set_title("the network with 8 weights,\ndirections of its steps")
lines = ("same init", same, plots.BLUE), ("different init", different, plots.RED)
for i, (name, measured, color) in enumerate(lines):
    columns = i * (lesson.seeds + 2) + np.arange(lesson.seeds)
    ax["b"].plot(columns, measured["cosine"], "o", color=color, ms=9, alpha=0.5, mew=0)
    ax["b"].text(columns.mean(), 1.02, name, color=color, fontsize=22, ha="center")
ax["b"].axhline(0, color=plots.BLACK, lw=2, ls=":")
ax["b"].text(columns.mean(), -0.4, "below the line:\naway from the teacher", ha="center")
ax["b"].set(xticks=[], ylim=(-1, 1.15))
ax["b"].set_xlabel("random draws, a column for each seed", fontsize=20)
ax["b"].set_ylabel("cosine of the two steps", fontsize=20)
plots.predictions(ax["b"], lesson.seeds, lesson.predictions)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: an angle below 90 degrees may be nearly 90. With the same initialization the
# mean cosine is about 0.2, and the smallest are close to 0: most of the student's step goes across
# the teacher's. And the theorem is about one small gradient step: whether hundreds of large steps
# by Adam keep the direction must be measured (lesson 05).
#
# *A rival explanation:* both steps go where this network's gradients are large, whatever the
# teacher did. Then S would stay the same when T is reversed. But S is reversed as well. With a
# different initialization S does stay the same: it closes the gap between two initializations (line
# 10), and T adds little to that gap. But it adds something: over many steps even such a student can
# learn something of what its teacher has learned (lesson 08).
#
# ## Try
# * `--step-length 1`, then 10: how large may the teacher's step be before S . T is negative?
# * `--inputs 1` and `--n-aux 50`: when does S point more nearly along T?
# * Set `jax_enable_x64` to False. How many products does rounding alone make negative?

# %%
lesson.finish(
    figure,
    alt="Left: from one point, the initialization, an arrow for the teacher's step; the student's "
    "arrow with the same initialization lies within 90 degrees of it, the one with a different "
    "initialization does not. Right: the cosine of the two steps for each random draw, a column of "
    "dots for each seed; with the same initialization none lies below 0, with a different one "
    "they scatter on both sides of 0.",
)
