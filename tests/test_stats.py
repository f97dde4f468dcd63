"""Intervals against SciPy's and by simulation; decisions by a table."""

import math

import numpy as np
import pytest
import scipy.stats

from sublim_mini.stats import decide, mean_interval

FOUR = [0.5, 0.6, 0.55, 0.52]


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_mean_interval_is_scipys(level):
    values = [0.5, 0.6, 0.9, 0.3]
    mean, low, high = mean_interval(values, level)
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(level)
    assert mean == pytest.approx(0.575) and (low, high) == pytest.approx(tuple(expected))


def test_what_is_shown_is_a_95_percent_interval():
    assert mean_interval(FOUR) == mean_interval(FOUR, 0.95)


def test_an_interval_covers_as_often_as_it_says():
    draws = np.random.default_rng(1).normal(3, 2, size=(2000, 5))
    for level in 0.95, 0.99:
        covered = [i.low < 3 < i.high for i in (mean_interval(draw, level) for draw in draws)]
        assert abs(np.mean(covered) - level) < 3 * math.sqrt(level * (1 - level) / 2000)


def test_one_value_has_no_interval():
    mean, low, high = mean_interval([0.4])
    assert mean == 0.4 and math.isnan(low) and math.isnan(high)


def test_equal_values_have_an_interval_of_width_0():
    assert mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    "values, margin, holds",
    [
        (FOUR, dict(above=0.3), True),
        (FOUR, dict(above=0.5), False),  # the mean is above, its interval is not
        (FOUR, dict(above=0.9), False),
        (FOUR, dict(below=0.8), True),
        (FOUR, dict(below=0.6), False),  # the mean is below, its interval is not
        (FOUR, dict(below=0.3), False),
        ([0.01, -0.02, 0.0, 0.01], dict(within=0.1), True),
        ([0.2, -0.2, 0.1, -0.1], dict(within=0.1), False),  # too wide on both sides
        (FOUR, dict(within=0.3), False),  # narrow, but too high
        ([-x for x in FOUR], dict(within=0.3), False),  # or too low
        ([0.0, 0.0, 0.0], dict(above=0), False),  # no more than the margin
        ([0.1, 0.1, 0.1], dict(above=0), True),
        ([0.9, 0.9], dict(above=0), None),  # two values decide nothing
        ([0.9], dict(below=0), None),
    ],
)
def test_decide(values, margin, holds):
    decision = decide(values, **margin)
    assert decision["holds"] is holds
    assert list(decision) == ["kind", "n", "effect", "low", "high", "margin", "holds"]
    assert {decision["kind"]: decision["margin"]} == margin and decision["n"] == len(values)


def test_claims_are_decided_at_99_percent():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    assert 0.01 < scipy.stats.ttest_1samp(values, 0).pvalue < 0.05
    assert mean_interval(values).low > 0 and decide(values, above=0)["holds"] is False
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.99)
    decision = decide(values, above=0)
    assert (decision["low"], decision["high"]) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("margins", [{}, dict(above=0, below=1)])
def test_a_claim_has_one_margin(margins):
    with pytest.raises(ValueError):
        decide(FOUR, **margins)
