"""Exercise 5, solved. To run it: python lessons/exercises/5_remove_a_direction.py --solution"""
# ruff: noqa: F821  (these functions take the place of the exercise's, and use its imports)


def remove(update, direction):
    def inner_product(a, b):
        return sum(jax.tree.leaves(jax.tree.map(lambda x, y: (x * y).sum(), a, b)))

    c = inner_product(update, direction) / (inner_product(direction, direction) + 1e-20)
    return jax.tree.map(lambda u, d: u - c * d, update, direction)
