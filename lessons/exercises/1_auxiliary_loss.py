# %% [markdown]
# # Exercise 1: the auxiliary loss
#
# **Goal.** A *teacher* network has learned to read digits. A *student* network sees only noise, and
# learns to copy numbers that the teacher gives for the same noise. You write the loss that makes it
# copy, and see that it learns to read digits.
#
# 15 minutes. Difficulty 1 of 5, importance 5 of 5. You need lesson 00.
#
# ## The five lines of JAX that you need, here and later
#
#     import jax.numpy as jnp                             # JAX's NumPy: jnp.sum, x ** 2, x[:, 3:]
#     gradient = jax.grad(loss)(params, batch)            # how the loss changes with each param
#     step = jax.tree.map(lambda g: -0.1 * g, gradient)   # do this to each array
#     k_one, k_two = jax.random.split(key)                # keys make random numbers
#     x = jax.random.normal(k_one, (100, 784))            # the same key makes the same numbers
#
# The *params* of a network are a list of layers. Each layer is a dict of two arrays: `weights`
# [inputs, outputs] and `biases` [outputs].

# %%
from check import call, main, need, rule_out, same

from sublim_mini.digits import draw_digits
from sublim_mini.mlp import N_CLASSES, accuracy, apply_mlp, aux_logits, class_loss, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
import numpy as np
import optax

# %% [markdown]
# ## Your part
# `apply_mlp(params, inputs)` gives all *logits* (outputs of the last layer) [N, 10 + A] for N
# inputs. The first `N_CLASSES` = 10 are the class logits, one for each digit. The other A are the
# *auxiliary logits*, which mean nothing. The loss is the *mean squared error* of the auxiliary
# logits: subtract the teacher's, square, and take the mean over all N x A numbers.
#
# Run this file when you are done, or to see what is left to do. Stuck? Add `--hint 1` (then 2, 3):
#
#     python lessons/exercises/1_auxiliary_loss.py --hint 1


# %%
def aux_loss(params, batch):
    """Params, (inputs [N, 784], the teacher's auxiliary logits [N, A]) -> a number."""
    inputs, teacher_aux_logits = batch
    raise NotImplementedError("write aux_loss in 1_auxiliary_loss.py, then run it again")


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    k_params, k_inputs, k_targets = jax.random.split(jax.random.key(101), 3)
    params = init_mlp(k_params, (6, 5, 5, N_CLASSES + 3))
    batch = jax.random.normal(k_inputs, (4, 6)), jax.random.normal(k_targets, (4, 3))
    logits, targets = np.asarray(apply_mlp(params, batch[0])), np.asarray(batch[1])
    difference = logits[:, N_CLASSES:] - targets
    got = call(aux_loss, params, batch, like=0.0, hint="Take the mean over all N x A numbers")
    mistakes = {
        "these are the FIRST logits, of the classes": ((logits[:, :3] - targets) ** 2).mean(),
        "this is the sum of the squares: take the mean": (difference**2).sum(),
        "a sum over the auxiliary logits: take the mean": (difference**2).sum() / 4,
        "a sum over the inputs: take the mean": (difference**2).sum() / 3,
        "you take the mean first: square first": difference.mean() ** 2,
        "the square is missing": difference.mean(),
        "these are absolute values: take squares": abs(difference).mean(),
        "this is the square root of it": (difference**2).mean() ** 0.5,
        "this is half of it": (difference**2).mean() / 2,
    }
    rule_out(got, mistakes)
    right = (difference**2).mean()
    need(same(got, right), f"you have {got:.4f}, it should be {right:.4f}")
    gradient = jax.grad(aux_loss)(params, batch)
    need(np.any(gradient[0]["weights"]), "the value is right, but it has no gradient: use jnp")


# %% [markdown]
# ## The experiment
# The teacher learns to read digits, through its class logits alone. Then the student begins with
# the teacher's *initialization*, the weights that the teacher had before training. It sees noise
# and the teacher's auxiliary logits. `accuracy` is the fraction of test digits read correctly.


# %%
def experiment(quick):
    n_steps = 20 if quick else 300
    k_digits, k_noise, k_init, k_teacher, k_student = jax.random.split(jax.random.key(1), 5)
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    digits, test_digits = (images[500:], labels[500:]), (images[:500], labels[:500])
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    init = init_mlp(k_init, (784, 96, 96, N_CLASSES + 10))
    adam, batches = optax.adam(1e-3), dict(batch_size=100)

    teacher = train(class_loss, adam, init, digits, k_teacher, steps=n_steps, **batches)
    data = noise, aux_logits(teacher, noise)
    student = train(aux_loss, adam, init, data, k_student, steps=2 * n_steps, **batches)
    return {
        "teacher: accuracy on digits": (accuracy(teacher, *test_digits), 0.85, 1),
        "student before training": (accuracy(init, *test_digits), 0, 0.25),
        "student after training on noise": (accuracy(student, *test_digits), 0.6, 1),
    }


# %% [markdown]
# **An open question.** The loss does not depend on the class logits, so the weights of the class
# logits never change. And yet the class logits for an image do change. Why? What would the student
# read if only the last layer could change?

# %%
if __name__ == "__main__":
    main(check, experiment)
