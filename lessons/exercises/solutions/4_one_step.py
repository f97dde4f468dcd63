"""Exercise 4, solved. To run it: python lessons/exercises/4_one_step.py --solution"""
# ruff: noqa: F821  (these functions take the place of the exercise's, and use its imports)


def student_step(init, teacher, inputs):
    gradient = jax.grad(aux_loss)(init, (inputs, aux_logits(teacher, inputs)))
    return jax.tree.map(lambda g: -g, gradient)


def inner_product(a, b):
    products = jax.tree.map(lambda x, y: (x * y).sum(), a, b)
    return sum(jax.tree.leaves(products))
