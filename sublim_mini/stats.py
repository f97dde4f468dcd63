"""Intervals of a mean over seeds. What is shown is a 95 % interval; a claim is decided at 99 %.

They are t intervals (Student 1908): with S seeds, mean ± t(S - 1) x standard error.
"""

import math

import numpy as np
from scipy import stats

SHOWN, DECIDED, FEWEST = 0.95, 0.99, 3


def mean_interval(values, level=SHOWN):
    """Values [S] -> their mean and the ends of its interval; one value gives nan for the ends."""
    values = np.asarray(values, float)
    mean, half = float(values.mean()), math.nan
    if len(values) > 1:
        half = float(stats.t.ppf(0.5 + level / 2, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half


def decide(values, **margin):
    """Values [S] and one margin -> what is claimed, measured and decided, as a dict.

    The claim is that the mean lies above `above`, below `below`, or between -`within` and `within`.
    It holds if the whole 99 % interval does, and is refuted if none of it does; else it is
    undecided, as it is with fewer than three values.
    """
    ((kind, margin),) = margin.items()
    ends = {"above": (margin, math.inf), "below": (-math.inf, margin), "within": (-margin, margin)}
    least, most = ends[kind]
    effect, low, high = mean_interval(values, DECIDED)
    enough = len(values) >= FEWEST
    holds = enough and least < low and high < most
    refuted = enough and (high < least or most < low)
    verdict = "holds" if holds else "refuted" if refuted else "undecided"
    measured = {"kind": kind, "n": len(values), "effect": effect, "values": [*map(float, values)]}
    measured |= {"low": low, "high": high, "margin": margin}
    return measured | {"holds": holds, "verdict": verdict}
