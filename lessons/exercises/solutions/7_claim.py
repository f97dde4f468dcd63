"""Exercise 7, solved. To run it: python lessons/exercises/7_claim.py --solution"""
# ruff: noqa: F821  (these functions take the place of the exercise's, and use its imports)


def effects(student, control):
    return (student - control).mean(axis=1)


def interval(values):
    n = len(values)
    half = stats.t.ppf(0.995, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    return np.mean(values) - half, np.mean(values) + half
