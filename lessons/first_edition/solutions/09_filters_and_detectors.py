"""A solution of exercise 09; the check is the exercise's own."""

import runpy
from pathlib import Path

import numpy as np


def area(suspicious, clean):
    a, b = np.asarray(suspicious)[:, None], np.asarray(clean)[None, :]
    return ((a > b) + 0.5 * (a == b)).mean()


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](area)
    print("All checks pass.")
