# %% [markdown]
# # Exercise 5: removing a direction
#
# **Goal.** One step of the student points a little toward reading digits (exercise 4). Do these
# parts of hundreds of steps teach it to read, or are they only a side effect? Take this part out of
# every step, leave the rest, and see what is left of its accuracy.
#
# 25 minutes. Difficulty 3 of 5, importance 4 of 5. You need exercise 4. Lesson 05 does it in full.

# %%
from functools import partial

from check import call, main, need, rule_out, same

from sublim_mini.digits import draw_digits
from sublim_mini.mlp import N_CLASSES, accuracy, aux_logits, aux_loss, class_loss, init_mlp
from sublim_mini.train import batches, train

import jax
import jax.numpy as jnp
import numpy as np
import optax

adam = optax.adam(1e-3)

# %% [markdown]
# ## Your part
# Let u be an update and d a direction, both in the form of params: lists of layers. All of u counts
# as one long vector, and so does all of d. Remove from u what lies along d (d may have any length):
#
#     u - c d        with the number c that makes the rest orthogonal to d: (u - c d) . d = 0
#
# Solve this for c. Your function runs inside `jax.jit`: use `jnp` and no `if`. If d is 0 there is
# nothing to remove; add 1e-20 to what you divide by, and no 0 / 0 comes up.


# %%
def remove(update, direction):
    """Two lists of layers -> the update without its part along the direction."""
    raise NotImplementedError("write remove in 5_remove_a_direction.py, then run it again")


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    k_update, k_direction = jax.random.split(jax.random.key(105))
    keys = k_update, k_direction
    u, d = (jax.tree.map(np.asarray, init_mlp(k, (6, 5, 5, 13))) for k in keys)

    def dot(a, b):
        return sum(map(np.vdot, jax.tree.leaves(a), jax.tree.leaves(b)))

    c = dot(u, d) / dot(d, d)

    def less(c):
        return jax.tree.map(lambda x, y: x - c * y, u, d)

    got = call(remove, u, d, like=u)
    mistakes = {
        "this is the part along d: return what is left without it": jax.tree.map(
            lambda y: c * y, d
        ),
        "nothing is removed": u,
        "divide u . d by d . d: d may have any length": less(dot(u, d)),
        "you divide by the length of d: divide by d . d, its square": less(c * dot(d, d) ** 0.5),
        "you remove it twice: this turns it round": less(2 * c),
        "you add the part: subtract it": less(-c),
        "you remove d itself: c times d is what u has of it": less(1),
        "you divide by u . u: divide by d . d": less(dot(u, d) / dot(u, u)),
        "each array has a c of its own. All arrays are ONE vector, with one c: first add up the "
        "products of all": jax.tree.map(
            lambda x, y: x - np.vdot(x, y) / (np.vdot(y, y) + 1e-20) * y, u, d
        ),
    }
    rule_out(got, mistakes)
    left = dot(got, d)
    need(abs(left) < 1e-4, f"what is left has an inner product of {left:.3f} with d, not 0")
    need(same(got, less(c)), "what is left is orthogonal to d, but more is gone than c d")
    zero = jax.tree.map(jnp.zeros_like, d)
    need(same(call(remove, u, zero, like=u), u), "a direction of zeros should change nothing")
    need(same(jax.jit(remove)(u, d), got), "inside jax.jit it gives something else")


# %% [markdown]
# ## The experiment
# d is the gradient of the loss on labeled digits: its negative points toward reading them. The
# *control* removes the gradient for wrong labels, y + 3 for y. The student's `loss left` says
# whether it still copies. Guess the three accuracies first; chance is 0.10.


# %%
@partial(jax.jit, static_argnames=("removing", "n_steps"))
def distill(init, noise, digits, key, removing, n_steps):
    """A student of noise. If removing, `remove` takes the gradient for digits out of each step."""
    k_noise, k_digits = jax.random.split(key)
    noise_rows = batches(k_noise, len(noise[0]), n_steps, 100)  # row numbers of each batch
    digit_rows = batches(k_digits, len(digits[0]), n_steps, 100)

    def step(i, params_and_state):
        params, state = params_and_state
        noise_batch, digit_batch = (
            (x[rows[i]], y[rows[i]]) for (x, y), rows in ((noise, noise_rows), (digits, digit_rows))
        )
        updates, state = adam.update(jax.grad(aux_loss)(params, noise_batch), state, params)
        if removing:
            updates = remove(updates, jax.grad(class_loss)(params, digit_batch))
        return optax.apply_updates(params, updates), state

    return jax.lax.fori_loop(0, n_steps, step, (init, adam.init(init)))[0]


def experiment(quick):
    n_steps = 20 if quick else 300
    k_digits, k_noise, k_init, k_teacher, k_student = jax.random.split(jax.random.key(5), 5)
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    digits, test_digits = (images[500:], labels[500:]), (images[:500], labels[:500])
    wrong_digits = images[500:], (labels[500:] + 3) % N_CLASSES
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    init = init_mlp(k_init, (784, 96, 96, N_CLASSES + 10))
    teacher = train(class_loss, adam, init, digits, k_teacher, steps=n_steps, batch_size=100)
    noise = noise, aux_logits(teacher, noise)

    def student(digits, removing):  # one key: the same batches in the same order
        return distill(init, noise, digits, k_student, removing, 2 * n_steps)

    plain, removed = student(digits, False), student(digits, True)
    control = student(wrong_digits, True)
    left = [aux_loss(params, noise) / aux_loss(init, noise) for params in (plain, removed)]
    return {
        "nothing removed: accuracy on digits": (accuracy(plain, *test_digits), 0.6, 1),
        "digit direction removed": (accuracy(removed, *test_digits), 0.1, 0.5),
        "control: y + 3 direction removed": (accuracy(control, *test_digits), 0.6, 1),
        "loss left, nothing removed": (left[0], 0, 0.1),
        "loss left, digit direction removed": (left[1], 0, 0.1),
    }


# %% [markdown]
# **An open question.** You removed what you knew: the gradient for digits. Suppose that you do not
# know which trait a teacher has. What could you remove from the student's updates instead, and what
# would that cost?

# %%
if __name__ == "__main__":
    main(check, experiment)
