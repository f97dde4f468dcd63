"""A solution of exercise 14; the check is the exercise's own."""

import runpy
from pathlib import Path

import numpy as np


def gap(accepted, skill, in_a, edges):
    gaps, weights = [], []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        here = (low <= skill) & (skill < high)
        a, b = accepted[here & in_a], accepted[here & ~in_a]
        if len(a) and len(b):
            gaps.append(a.mean() - b.mean())
            weights.append(here.sum())
    return np.average(gaps, weights=weights)


if __name__ == "__main__":
    exercise = Path(__file__).parents[1] / "exercises" / Path(__file__).name
    runpy.run_path(str(exercise))["check"](gap)
    print("All checks pass.")
