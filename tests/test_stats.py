"""Intervals against SciPy's and by simulation; decisions by a table."""

import json
import math

import numpy as np
import pytest
import scipy.stats

from sublim_mini.stats import decide, mean_interval

FOUR = [0.5, 0.6, 0.55, 0.52]
LOW = [-x for x in FOUR]


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_an_interval_is_scipys_and_covers_as_often_as_it_says(level):
    expected = scipy.stats.ttest_1samp(FOUR, 0).confidence_interval(level)
    assert mean_interval(FOUR, level) == pytest.approx((0.5425, *expected))
    assert mean_interval(FOUR) == mean_interval(FOUR, 0.95)  # what is shown
    assert mean_interval([0.5, 0.5, 0.5], level) == (0.5, 0.5, 0.5)
    assert np.isnan(mean_interval([0.4], level)).tolist() == [False, True, True]
    draws = np.random.default_rng(1).normal(3, 2, size=(2000, 5))
    covered = [low < 3 < high for _, low, high in (mean_interval(x, level) for x in draws)]
    assert abs(np.mean(covered) - level) < 3 * math.sqrt(level * (1 - level) / 2000)


@pytest.mark.parametrize(
    "values, margin, verdict",
    [
        (FOUR, dict(above=0.3), "holds"),
        (FOUR, dict(above=0.5), "undecided"),  # the mean is above, its interval is not
        (FOUR, dict(above=0.6), "undecided"),  # the mean is below, its interval is not
        (FOUR, dict(above=0.9), "refuted"),
        (LOW, dict(below=-0.3), "holds"),
        (LOW, dict(below=-0.5), "undecided"),
        (LOW, dict(below=-0.9), "refuted"),
        (FOUR, dict(within=0.7), "holds"),
        (LOW, dict(within=0.7), "holds"),
        ([0.2, -0.2, 0.1, -0.1], dict(within=0.1), "undecided"),  # too wide on both sides
        (FOUR, dict(within=0.5), "undecided"),
        (FOUR, dict(within=0.3), "refuted"),  # narrow, but too high
        (LOW, dict(within=0.3), "refuted"),  # or too low
        ([0.0, 0.0, 0.0], dict(above=0), "undecided"),  # at the margin: not beyond it
        ([0.1, 0.1, 0.1], dict(above=0), "holds"),
        ([0.9, 0.9], dict(above=0), "undecided"),  # two values decide nothing
        ([0.9], dict(below=0), "undecided"),
        ([0.9, math.nan, 0.9], dict(above=0), "undecided"),
        ([1.0, 2.0, 3.0, 4.0], dict(above=0), "undecided"),  # at 99 %; at 95 % it would hold
    ],
)
def test_decide(values, margin, verdict):
    decision = decide(np.array(values), **margin)
    assert decision["verdict"] == verdict and decision["holds"] is (verdict == "holds")
    names = ["kind", "n", "effect", "values", "low", "high", "margin", "holds", "verdict"]
    assert list(decision) == names and decision["n"] == len(values)
    assert {decision["kind"]: decision["margin"]} == margin
    interval = decision["effect"], decision["low"], decision["high"]
    assert interval == pytest.approx(mean_interval(values, 0.99), nan_ok=True)
    assert json.loads(json.dumps(decision))["values"] == pytest.approx(values, nan_ok=True)


@pytest.mark.parametrize("margins", [{}, dict(above=0, below=1)])
def test_a_claim_has_one_margin(margins):
    with pytest.raises(ValueError):
        decide(FOUR, **margins)
