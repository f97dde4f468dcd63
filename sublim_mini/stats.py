"""Intervals of a mean over seeds. What is shown is a 95 % interval; a claim is decided at 99 %.

They are t intervals (Student 1908): with S seeds, mean ± t(S - 1) x standard error.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

SHOWN, DECIDED, FEWEST = 0.95, 0.99, 3


class Interval(NamedTuple):
    """A mean and the ends of its interval; the ends are nan where one value gives none."""

    mean: float
    low: float
    high: float


def mean_interval(values, level=SHOWN):
    """Values [S] -> their mean with its t interval."""
    values = np.asarray(values, float)
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, np.nan, np.nan)
    half = float(stats.t.ppf(0.5 + level / 2, len(values) - 1) * stats.sem(values))
    return Interval(mean, mean - half, mean + half)


def decide(values, *, above=None, below=None, within=None):
    """Values [S] and one of three margins -> what is claimed, measured and decided, as a dict.

    The claim is that the mean lies above `above`, below `below`, or between -`within` and `within`.
    It holds if the whole 99 % interval does, and is refuted if none of it does; else it is
    undecided, as it is with fewer than three values.
    """
    margins = {"above": above, "below": below, "within": within}
    ((kind, margin),) = ((k, m) for k, m in margins.items() if m is not None)
    effect, low, high = mean_interval(values, DECIDED)
    holds, refuted = {
        "above": lambda: (low > margin, high < margin),
        "below": lambda: (high < margin, low > margin),
        "within": lambda: (-margin < low and high < margin, high < -margin or low > margin),
    }[kind]()
    enough = len(values) >= FEWEST
    verdict = "holds" if enough and holds else "refuted" if enough and refuted else "undecided"
    return {
        "kind": kind,
        "n": len(values),
        "effect": effect,
        "values": [float(x) for x in values],
        "low": low,
        "high": high,
        "margin": margin,
        "holds": verdict == "holds",
        "verdict": verdict,
    }
