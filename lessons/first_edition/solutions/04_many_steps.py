"""A solution of exercise 04; the check is the exercise's own."""

import runpy
from pathlib import Path

import jax.numpy as jnp
from jax.flatten_util import ravel_pytree


def without(update, direction):
    flat, restore = ravel_pytree(update)
    along = ravel_pytree(direction)[0]
    share = (flat @ along) / jnp.maximum(along @ along, 1e-30)
    return restore(flat - jnp.maximum(share, 0) * along)


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](without)
    print("All checks pass.")
