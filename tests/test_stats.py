"""Intervals against SciPy's and by simulation, claims by hand."""

import math

import numpy as np
import pytest
import scipy.stats

from sublim_mini import stats


def test_mean_interval_is_scipys():
    values = [0.5, 0.6, 0.9, 0.3]
    mean, low, high = stats.mean_interval(values)
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean == pytest.approx(0.575) and (low, high) == pytest.approx(tuple(expected))


def test_mean_interval_covers_as_often_as_it_says():
    draws = np.random.default_rng(1).normal(3, 2, size=(4000, 5))
    covered = [i.low < 3 < i.high for i in map(stats.mean_interval, draws)]
    assert 0.935 < np.mean(covered) < 0.965


def test_one_value_has_no_interval():
    mean, low, high = stats.mean_interval([0.4])
    assert mean == 0.4 and math.isnan(low) and math.isnan(high)


def test_share_interval_of_none_is_the_rule_of_three():
    share, low, high = stats.share_interval(0, 1000)
    assert share == low == 0 and high == pytest.approx(1 - 0.025 ** (1 / 1000), rel=1e-6)


@pytest.mark.parametrize(
    "claim, holds",
    [
        (stats.greater("", [0.5, 0.6, 0.55, 0.52], 0.3), True),
        (stats.greater("", [0.5, 0.6, 0.55, 0.52], 0.5), False),
        (stats.greater("", [0.5, 0.5]), None),
        (stats.less("", [0.5, 0.6, 0.55, 0.52], 0.8), True),
        (stats.less("", [0.5, 0.6, 0.55, 0.52], 0.54), False),
        (stats.within("", [0.01, -0.02, 0.0, 0.01], 0.1), True),
        (stats.within("", [0.2, -0.2, 0.1, -0.1], 0.1), False),
        (stats.exact("", [2, 2, 2], 2), True),
        (stats.exact("", [2, 2, 3], 2), False),
        (stats.share_greater("", 99, 100, 0.9), True),
        (stats.share_greater("", 93, 100, 0.9), False),
    ],
)
def test_claims(claim, holds):
    assert claim.holds is holds
    verdict = {True: "holds", False: "does NOT hold", None: "undecided"}[holds]
    assert str(claim).startswith(verdict)


def test_claims_decide_at_99_percent():
    values = np.array([0.0, 1.0, 2.0, 3.0])
    p = scipy.stats.ttest_1samp(values + 1, 0, alternative="two-sided").pvalue
    assert 0.01 < p < 0.05  # significant at 95 %, not at 99 %
    assert stats.mean_interval(values + 1).low > 0 and stats.greater("", values + 1).holds is False


def test_rank_correlation_is_scipys_row_by_row_and_zero_of_a_constant():
    x, y = np.random.default_rng(2).integers(0, 6, size=(2, 4, 12))  # with ties
    expected = [scipy.stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(stats.rank_correlation(x, y), expected, atol=1e-12)
    assert stats.rank_correlation(np.ones(5), np.arange(5)) == 0


def test_rank_interval_is_scipys_bootstrap():
    x, noise = np.random.default_rng(3).normal(size=(2, 40))
    y = x + noise
    mean, low, high = stats.rank_interval(x, y, 1)

    def spearman(x, y):
        return scipy.stats.spearmanr(x, y).statistic

    expected = scipy.stats.bootstrap(
        (x, y), spearman, paired=True, vectorized=False, method="percentile", n_resamples=999
    ).confidence_interval
    assert mean == pytest.approx(spearman(x, y)) and low < mean < high
    assert (low, high) == pytest.approx(tuple(expected), abs=0.06)
    assert stats.rank_greater("", x, y, 0.2, 1).holds
    assert not stats.rank_greater("", x, -y, 0, 1).holds


def test_auc_counts_the_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    high, low = rng.integers(2, 8, 30), rng.integers(0, 6, 20)
    pairs = [(a > b) + 0.5 * (a == b) for a in high for b in low]
    assert stats.auc(high, low) == pytest.approx(np.mean(pairs))
    assert stats.auc([3, 4], [1, 2]) == 1 and stats.auc([1, 2], [3, 4]) == 0


def test_the_area_under_the_roc_curve_is_the_auc():
    draw = np.random.default_rng(5).integers
    high, low = draw(3, 9, 20), draw(0, 7, 15)  # with ties
    false, hits = stats.roc(high, low)
    assert (false[0], hits[0]) == (0, 0) and (false[-1], hits[-1]) == (1, 1)
    assert np.trapezoid(hits, false) == pytest.approx(stats.auc(high, low))
