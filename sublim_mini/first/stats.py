"""Intervals and claims: every statement of a lesson is computed here from its values, one a seed.

Intervals are t intervals of a mean (Student 1908), exact binomial ones of a share (Clopper and
Pearson 1934), percentiles of a bootstrap for a rank correlation. What is shown is a 95 % interval;
what is decided is decided at 99 %, and by three values or more.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

SHOWN, DECIDED, FEWEST = 0.95, 0.99, 3


class Interval(NamedTuple):
    """A mean (or share) and its interval; the ends are nan when one value gives none."""

    mean: float
    low: float
    high: float

    def __str__(self):
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def mean_interval(values, level=SHOWN):
    """Values [n] -> their mean with its t interval."""
    values = np.asarray(values, float)
    mean = values.mean()
    if len(values) < 2:
        return Interval(float(mean), np.nan, np.nan)
    half = stats.t.ppf(0.5 + level / 2, len(values) - 1) * stats.sem(values)
    return Interval(float(mean), float(mean - half), float(mean + half))


def share_interval(k, n, level=SHOWN):
    """k of n -> the share with its exact binomial interval."""
    low, high = stats.binomtest(int(k), int(n)).proportion_ci(level)
    return Interval(k / n, float(low), float(high))


def auc(high, low):
    """How often one of `high` [n] lies above one of `low` [m], ties counted half: 0.5 is chance.

    The area under the ROC curve, by ranks (Mann and Whitney 1947).
    """
    n, m = len(high), len(low)
    ranks = stats.rankdata(np.concatenate([high, low]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def roc(high, low):
    """Shares of `low` [m] and of `high` [n] that are flagged, from none to all: the ROC curve."""
    thresholds = np.sort(np.unique(np.concatenate([high, low])))[::-1]
    shares = [[np.mean(np.asarray(x) >= t) for t in thresholds] for x in (low, high)]
    return tuple(np.array([0.0, *share]) for share in shares)


def rank_correlation(x, y):
    """Spearman's rank correlation of x [..., n] and y [..., n]; 0 if either does not vary."""
    x, y = (stats.rankdata(values, axis=-1) for values in (x, y))
    x, y = (ranks - ranks.mean(-1, keepdims=True) for ranks in (x, y))
    lengths = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.where(lengths > 0, (x * y).sum(-1) / np.where(lengths > 0, lengths, 1), 0.0)


def rank_interval(x, y, seed, level=SHOWN):
    """The rank correlation of x [n] and y [n]; its interval by drawing pairs again (Efron 1979)."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    again = np.random.default_rng(seed).integers(len(x), size=(4999, len(x)))
    drawn = rank_correlation(x[again], y[again])
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(float(rank_correlation(x, y)), float(low), float(high))


class Claim(NamedTuple):
    """A statement, what was measured for it, and whether it holds (None: too few values)."""

    text: str
    kind: str  # greater, less, within, exact
    unit: str  # seed, draw, setting: what one of the n values is
    n: int
    effect: float
    low: float  # the 99 % interval that decides
    high: float
    margin: float
    holds: bool | None

    def __str__(self):
        verdict = {True: "holds", False: "does NOT hold", None: f"undecided, n under {FEWEST}"}
        bound = {"greater": "above", "less": "below", "within": "within ±", "exact": "exactly"}
        return (
            f"{verdict[self.holds]}: {self.text}\n    {self.effect:.3f}, 99 % interval "
            f"{self.low:.3f} to {self.high:.3f}, to be {bound[self.kind]} {self.margin:g} "
            f"(n = {self.n} {self.unit}s)"
        )


def greater(text, values, margin=0.0, unit="seed"):
    """The claim that the mean of values [n] lies above the margin."""
    return _decide(text, "greater", unit, len(values), mean_interval(values, DECIDED), margin)


def less(text, values, margin=0.0, unit="seed"):
    """The claim that the mean of values [n] lies below the margin."""
    return _decide(text, "less", unit, len(values), mean_interval(values, DECIDED), margin)


def within(text, values, margin, unit="seed"):
    """The claim that the mean of values [n] is about zero: its interval lies within ± margin."""
    return _decide(text, "within", unit, len(values), mean_interval(values, DECIDED), margin)


def exact(text, values, expected=0.0, unit="seed"):
    """The claim that each of values [n] is exactly what is expected."""
    values = np.asarray(values, float)
    seen = Interval(values.mean(), values.min(), values.max())
    return _decide(text, "exact", unit, len(values), seen, expected)


def share_greater(text, k, n, margin, unit="draw"):
    """The claim that the share k of n lies above the margin."""
    return _decide(text, "greater", unit, n, share_interval(k, n, DECIDED), margin)


def rank_greater(text, x, y, margin, seed, unit="setting"):
    """The claim that the rank correlation of x [n] and y [n] lies above the margin."""
    return _decide(text, "greater", unit, len(x), rank_interval(x, y, seed, DECIDED), margin)


def _decide(text, kind, unit, n, interval, margin):
    mean, low, high = (float(x) for x in interval)
    holds = {
        "greater": low > margin,
        "less": high < margin,
        "within": -margin < low and high < margin,
        "exact": low == high == margin,
    }[kind]
    return Claim(text, kind, unit, n, mean, low, high, margin, holds if n >= FEWEST else None)
