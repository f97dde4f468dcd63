"""A solution of exercise 06; the check is the exercise's own."""

import runpy
from pathlib import Path


def permuted(params, order):
    first, second, *rest = params
    first = {"weights": first["weights"][order], "biases": first["biases"][order]}
    second = {**second, "weights": second["weights"][:, order]}
    return [first, second, *rest]


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](permuted)
    print("All checks pass.")
