"""The functions of 6_why.py, which go in the place of those there."""
# ruff: noqa: F821


def inner_product(a, b):
    return sum((x * y).sum() for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def student_step(init_params, teacher, noise):
    teacher_aux = effect.apply(teacher, noise)[:, 10:]
    gradient = jax.grad(effect.student_loss)(init_params, noise, teacher_aux)
    return jax.tree.map(lambda g: -g, gradient)


def remove(update, direction):
    c = inner_product(update, direction) / (inner_product(direction, direction) + 1e-20)
    return jax.tree.map(lambda u, d: u - c * d, update, direction)
