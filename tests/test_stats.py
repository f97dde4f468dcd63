"""Intervals against SciPy's and by simulation; decisions by a table."""

import json
import math

import numpy as np
import pytest
import scipy.stats

from sublim_mini.stats import decide, mean_interval

FOUR = [0.5, 0.6, 0.55, 0.52]


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_mean_interval_is_scipys(level):
    mean, low, high = mean_interval(FOUR, level)
    expected = scipy.stats.ttest_1samp(FOUR, 0).confidence_interval(level)
    assert mean == pytest.approx(0.5425) and (low, high) == pytest.approx(tuple(expected))
    assert mean_interval(FOUR) == mean_interval(FOUR, 0.95)  # what is shown
    assert mean_interval([0.5, 0.5, 0.5], level) == (0.5, 0.5, 0.5)
    assert np.isnan(mean_interval([0.4], level)).tolist() == [False, True, True]


def test_an_interval_covers_as_often_as_it_says():
    draws = np.random.default_rng(1).normal(3, 2, size=(2000, 5))
    for level in 0.95, 0.99:
        covered = [i.low < 3 < i.high for i in (mean_interval(draw, level) for draw in draws)]
        assert abs(np.mean(covered) - level) < 3 * math.sqrt(level * (1 - level) / 2000)


@pytest.mark.parametrize(
    "values, margin, verdict",
    [
        (FOUR, dict(above=0.3), "holds"),
        (FOUR, dict(above=0.5), "undecided"),  # the mean is above, its interval is not
        (FOUR, dict(above=0.6), "undecided"),  # the mean is below, its interval is not
        (FOUR, dict(above=0.9), "refuted"),
        (FOUR, dict(below=0.8), "holds"),
        (FOUR, dict(below=0.6), "undecided"),
        (FOUR, dict(below=0.3), "refuted"),
        ([0.01, -0.02, 0.0, 0.01], dict(within=0.1), "holds"),
        ([0.2, -0.2, 0.1, -0.1], dict(within=0.1), "undecided"),  # too wide on both sides
        (FOUR, dict(within=0.5), "undecided"),
        (FOUR, dict(within=0.3), "refuted"),  # narrow, but too high
        ([-x for x in FOUR], dict(within=0.3), "refuted"),  # or too low
        ([0.0, 0.0, 0.0], dict(above=0), "undecided"),  # at the margin: not beyond it
        ([0.1, 0.1, 0.1], dict(above=0), "holds"),
        ([0.9, 0.9], dict(above=0), "undecided"),  # two values decide nothing
        ([0.9, 0.9], dict(below=0), "undecided"),
        ([0.9], dict(below=0), "undecided"),
        ([0.9, math.nan, 0.9], dict(above=0), "undecided"),
    ],
)
def test_decide(values, margin, verdict):
    decision = decide(np.array(values), **margin)
    assert decision["verdict"] == verdict and decision["holds"] is (verdict == "holds")
    names = ["kind", "n", "effect", "low", "high", "margin", "holds", "verdict", "values"]
    assert list(decision) == names and decision["n"] == len(values)
    assert {decision["kind"]: decision["margin"]} == margin
    assert json.loads(json.dumps(decision))["values"] == pytest.approx(values, nan_ok=True)


def test_claims_are_decided_at_99_percent():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert mean_interval(values).low > 0 and decide(values, above=0)["holds"] is False
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.99)
    decision = decide(values, above=0)
    assert (decision["low"], decision["high"]) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("margins", [{}, dict(above=0, below=1)])
def test_a_claim_has_one_margin(margins):
    with pytest.raises(ValueError):
        decide(FOUR, **margins)
