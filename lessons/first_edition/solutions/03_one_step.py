"""A solution of exercise 03; the check is the exercise's own."""

import runpy
from pathlib import Path


def foretold_product(jacobian, probabilities, step):
    u = jacobian @ step  # [N, O]
    mean = (probabilities * u).sum(1)  # [N]
    variance = (probabilities * u**2).sum(1) - mean**2
    return variance.mean()


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](foretold_product)
    print("All checks pass.")
