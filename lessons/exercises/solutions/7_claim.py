"""The functions of 7_claim.py, which go in the place of those there."""
# ruff: noqa: F821


def effects(student, control):
    return (student - control).mean(axis=1)


def interval(values):
    n, m = len(values), np.mean(values)
    half = stats.t.ppf(0.995, n - 1) * np.std(values, ddof=1) / n**0.5
    return m - half, m + half


def verdict(low, high, margin):
    if low > margin:
        return "holds"
    return "refuted" if high < margin else "undecided"
