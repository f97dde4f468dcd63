"""A solution of exercise 02; the check is the exercise's own."""

import runpy
from pathlib import Path

from sublim_mini.first.mlp import N_CLASSES, apply_mlp


def aux_only_loss(params, batch):
    inputs, teacher_logits = batch
    logits = apply_mlp(params, inputs)
    return ((teacher_logits[:, N_CLASSES:] - logits[:, N_CLASSES:]) ** 2).mean()


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](aux_only_loss)
    print("All checks pass.")
