"""A solution of exercise 07; the check is the exercise's own."""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp


def probe(activity, labels, penalty):
    targets = jax.nn.one_hot(labels, 10)
    mean, target_mean = activity.mean(0), targets.mean(0)
    a, y = activity - mean[None], targets - target_mean[None]
    ridge = len(labels) * penalty * jnp.eye(a.shape[1])
    weights = jnp.linalg.solve(a.T @ a + ridge, a.T @ y).T
    return weights, target_mean - weights @ mean


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](probe)
    print("All checks pass.")
