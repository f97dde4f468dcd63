# %% [markdown]
# # Exercise 4: one step's inner product
#
# **Goal.** Why does copying on noise teach digits? Let the teacher take one small step T on digits,
# and the student one step S on noise. You compute S, and find out whether it points the same way as
# T. Then you explain which number S . T nearly equals, every time.
#
# 25 minutes. Difficulty 3 of 5, importance 4 of 5. You need exercise 3 and the chain rule.

# %%
from check import call, main, need, rule_out, same

from sublim_mini.mlp import N_CLASSES, aux_logits, aux_loss, class_loss, init_mlp

import jax
import jax.numpy as jnp
import optax

# %% [markdown]
# ## Your part
# A step is a change of all the params. It has the same form as the params: a list of layers, each
# with weights and biases. The *inner product* of two steps multiplies them number by number, and
# adds up all the products, of all layers, weights and biases: one number. If it is positive, the
# two steps point the same way (the angle between them is less than 90 degrees).
#
# The student begins at `init`, and goes *down* the gradient of `aux_loss`, on the inputs and the
# teacher's auxiliary logits for them. Its step is minus the gradient (a step of plain gradient
# descent with learning rate 1; no Adam).


# %%
def student_step(init, teacher, inputs):
    """The step S of a student that begins at init -> a change of the params, in their form."""
    raise NotImplementedError("write student_step in 4_one_step.py, then run it again")


def inner_product(a, b):
    """Two steps, in the form of params -> a number."""
    raise NotImplementedError("student_step passes. Now write inner_product, then run this again")


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    k_init, k_step, k_inputs = jax.random.split(jax.random.key(104), 3)
    init, step = (init_mlp(k, (6, 5, 5, N_CLASSES + 3)) for k in (k_init, k_step))
    step = jax.tree.map(lambda x: x + 0.1, step)  # biases that are not 0
    teacher, inputs = optax.tree.add(init, step), jax.random.normal(k_inputs, (8, 6))

    def down(params, other):
        gradient = jax.grad(aux_loss)(params, (inputs, aux_logits(other, inputs)))
        return optax.tree.scale(-1, gradient)

    got, right = call(student_step, init, teacher, inputs, like=init), down(init, teacher)
    mistakes = {
        "this goes uphill: the step is MINUS the gradient": optax.tree.scale(-1, right),
        "this is where the student ends: return the step alone": optax.tree.add(init, right),
        "the step is 0: the student begins at init, and copies the TEACHER": down(init, init),
        "teacher and student are swapped": down(teacher, init),
    }
    rule_out(got, mistakes)
    need(same(got, right), "student_step is not minus the gradient of aux_loss at init")

    products = jax.tree.map(lambda x, y: x * y, step, got)
    sums, means = (jax.tree.leaves(jax.tree.map(f, products)) for f in (jnp.sum, jnp.mean))
    right, lengths = sum(sums), optax.tree.norm(step) * optax.tree.norm(got)
    got = call(inner_product, step, got, like=0.0, hint="Add up all the products")
    mistakes = {
        "the biases are missing": sum(layer["weights"].sum() for layer in products),
        "this is the last layer alone: add up all of them": sum(sums[4:]),
        "this is the cosine: do not divide by the lengths": right / lengths,
        "these are means: add up the products": sum(means),
    }
    rule_out(got, mistakes)
    need(same(got, right), f"the inner product is {right:.4f}, you have {got:.4f}")


# %% [markdown]
# ## The experiment
# 200 random networks, each with its own teacher, "digits" (random images and labels) and noise. In
# how many does S point away from T? Then the mystery number: in the first five, the inner product
# is printed beside twice the student's loss. Can you say why they are nearly equal? (T is small, so
# the change of the teacher's auxiliary logits is nearly J T, where J holds their derivatives with
# respect to the params. Use the chain rule for S.)


# %%
def one_draw(key):
    k_init, k_different, k_images, k_labels, k_noise = jax.random.split(key, 5)
    init, different_init = (init_mlp(k, (20, 16, 16, N_CLASSES + 3)) for k in (k_init, k_different))
    images, noise = (jax.random.normal(k, (16, 20)) for k in (k_images, k_noise))
    labels = jax.random.randint(k_labels, (16,), 0, N_CLASSES)
    gradient = jax.grad(class_loss)(init, (images, labels))
    T = optax.tree.scale(-0.01 / optax.tree.norm(gradient), gradient)  # of length 0.01
    teacher = optax.tree.add(init, T)
    S, control = (student_step(begin, teacher, noise) for begin in (init, different_init))
    loss = aux_loss(init, (noise, aux_logits(teacher, noise)))
    lengths = optax.tree.norm(S) * optax.tree.norm(T)
    return inner_product(S, T), 2 * loss, inner_product(S, T) / lengths, inner_product(control, T)


def experiment(quick):
    keys = jax.random.split(jax.random.key(4), 20 if quick else 200)
    product, twice_loss, cosine, control = jax.jit(jax.vmap(one_draw))(keys)
    for one, other in zip(product[:5], twice_loss[:5], strict=True):
        print(f"  S . T = {one:.2e}    2 x loss = {other:.2e}")
    return {
        "S . T over twice the loss, mean": ((product / twice_loss).mean(), 0.95, 1.05),
        "fraction of S . T < 0": ((product < 0).mean(), 0, 0.01),
        "... with a different init": ((control < 0).mean(), 0.3, 0.7),
        "mean cosine of S and T": (cosine.mean(), 0.02, 0.5),
    }


# %% [markdown]
# **An open question.** S . T is never negative, but the cosine is small: most of S goes elsewhere.
# Is there a step T, not zero, for which S . T is exactly zero? What would the student of such a
# teacher learn from this noise, and what from other noise?

# %%
if __name__ == "__main__":
    main(check, experiment)
