"""A solution of exercise 11; the check is the exercise's own."""

import runpy
from pathlib import Path

import jax.numpy as jnp


def divergence_tokens(logits):
    likeliest = logits.argmax(-1)  # [teachers, N, T - 1]
    differ = (likeliest != likeliest[:1]).any(0)
    return jnp.pad(differ, ((0, 0), (1, 0)))


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](divergence_tokens)
    print("All checks pass.")
