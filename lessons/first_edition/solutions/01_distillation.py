"""A solution of exercise 01; the check is the exercise's own."""

import runpy
from pathlib import Path

import jax
import jax.numpy as jnp


def distillation_loss(teacher_logits, student_logits, temperature):
    log_p = jax.nn.log_softmax(teacher_logits / temperature)
    log_q = jax.nn.log_softmax(student_logits / temperature)
    return (jnp.exp(log_p) * (log_p - log_q)).sum(1).mean()


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](distillation_loss)
    print("All checks pass.")
