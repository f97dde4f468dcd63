"""A solution of exercise 15; the check is the exercise's own."""

import runpy
from pathlib import Path

from sublim_mini.first.losses import aux_mse_loss, kl
from sublim_mini.first.mlp import apply_mlp, class_logits


def held_loss(params, batch, start, weight):
    inputs = batch[0]
    theirs, own = (class_logits(apply_mlp(p, inputs)) for p in (start, params))
    return aux_mse_loss(params, batch) + weight * kl(theirs, own)


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](held_loss)
    print("All checks pass.")
