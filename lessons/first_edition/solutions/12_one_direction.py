"""A solution of exercise 12; the check is the exercise's own."""

import runpy
from pathlib import Path

import jax.numpy as jnp


def alignment(base, teacher, student):
    a, b = (teacher - base).mean(0), (student - base).mean(0)
    lengths = jnp.linalg.norm(a) * jnp.linalg.norm(b)
    return jnp.where(lengths > 0, a @ b / jnp.where(lengths > 0, lengths, 1), 0)


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](alignment)
    print("All checks pass.")
