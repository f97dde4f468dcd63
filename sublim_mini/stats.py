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
    """Values [S] and one of three margins -> a dict: kind, n, effect, low, high, margin, holds.

    The claim holds if the 99 % interval of the mean lies above `above`, below `below`, or between
    -`within` and `within`. Fewer than three values decide nothing: then `holds` is None.
    """
    margins = {"above": above, "below": below, "within": within}
    ((kind, margin),) = ((k, m) for k, m in margins.items() if m is not None)
    effect, low, high = mean_interval(values, DECIDED)
    holds = {
        "above": lambda: low > margin,
        "below": lambda: high < margin,
        "within": lambda: -margin < low and high < margin,
    }[kind]()
    n = len(values)
    return {
        "kind": kind,
        "n": n,
        "effect": effect,
        "low": low,
        "high": high,
        "margin": margin,
        "holds": bool(holds) if n >= FEWEST else None,
    }
