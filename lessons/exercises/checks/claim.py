"""Exercise 7: effects, interval and verdict."""

import numpy as np
from scipy import stats

from .core import call, need, rule_out, same


def check(space):
    rng = np.random.default_rng(701)
    p = 0.3 + rng.normal(0, 0.1, (8, 1))  # some seeds have better networks than others
    student, control = (rng.random((8, 50)) < p + 0.3) * 1.0, (rng.random((8, 50)) < p) * 1.0
    _effects(space["effects"], student, control)
    _interval(space["interval"], (student - control).mean(axis=1))
    _verdict(space["verdict"])


def _effects(effects, student, control):
    right = (student - control).mean(axis=1)
    hint = "One number for each seed: the mean over the images, axis=1."
    got = call(effects, student, control, like=right, hint=hint)
    mistakes = {
        "this is the control minus the student": -right,
        "subtract each seed's control": student.mean(axis=1),
        "subtract each seed's OWN control, not the mean of all": student.mean(axis=1)
        - control.mean(),
        "this is a ratio: subtract": student.mean(axis=1) / control.mean(axis=1),
        "the sign is lost: a student may be worse than its control": abs(right),
        "this counts images where only the student is right: subtract": (student > control).mean(1),
        "this counts images where the two differ: subtract": (student != control).mean(1),
        "this is the sum over the images: take the mean": 50 * right,
    }
    if same(right, abs(right)):
        del mistakes["the sign is lost: a student may be worse than its control"]
    rule_out(got, {f"effects: {message}.": value for message, value in mistakes.items()})
    need(same(got, right), "effects: it should be the mean over images of student minus control.")
    got = effects(control, student)
    need(same(got, -right), "effects: the sign is lost: a student may be worse than its control.")


def _interval(interval, values):
    low, high = call(interval, values, like=(0.0, 0.0), hint="Return the pair: low, high.")
    need(low < high, "interval: the lower end comes first: low, high.")
    message = "interval: it should lie around the mean: mean - half, mean + half."
    need(same((low + high) / 2, values.mean()), message)
    s, ppf, root = np.std(values, ddof=1), stats.t.ppf, 8**0.5
    right = ppf(0.995, 7) * s / root
    mistakes = {
        "divide s by sqrt(n): a mean varies less than one value": ppf(0.995, 7) * s,
        "s is divided by n, not n - 1: np.std(values, ddof=1)": right * (7 / 8) ** 0.5,
        "this is the 95 % interval": ppf(0.975, 7) * s / root,
        "this is the 90 % interval": ppf(0.95, 7) * s / root,
        "0.5 % lies above t, so 0.995 below, not 0.99": ppf(0.99, 7) * s / root,
        "2.58 is the normal distribution's: take t": stats.norm.ppf(0.995) * s / root,
        "1.96 is the normal distribution's, at 95 %: take t": stats.norm.ppf(0.975) * s / root,
        "t has n degrees of freedom: take n - 1": ppf(0.995, 8) * s / root,
        "divide by sqrt(n), not by n": ppf(0.995, 7) * s / 8,
        "divide by sqrt(n): the n - 1 is in s already": ppf(0.995, 7) * s / 7**0.5,
        "s is the standard deviation, not the variance": ppf(0.995, 7) * s**2 / root,
        "t is missing": s / root,
        "these are the lowest and the highest value": (max(values) - min(values)) / 2,
        "it is half as wide as it should be": right / 2,
        "it is twice as wide as it should be": 2 * right,
    }  # fmt: skip
    half = (high - low) / 2
    rule_out(half, {f"interval: {message}.": value for message, value in mistakes.items()})
    need(same(half, right), f"interval: half its width is {half:.4f}, where {right:.4f} is right.")
    few = tuple(stats.ttest_1samp(values[:4], 0).confidence_interval(0.99))
    need(same(interval(values[:4]), few), "interval: there are not always 8 values: len(values).")


def _verdict(verdict):
    words = "holds", "refuted", "undecided"
    cases = (
        (0.4, 0.6, 0.3, "holds", "all of it lies above the margin"),
        (0.1, 0.2, 0.3, "refuted", "all of it lies below the margin"),
        (0.2, 0.4, 0.3, "undecided", "the margin lies inside, though the middle lies at it"),
        (0.25, 0.6, 0.3, "undecided", "the margin lies inside, though the middle lies above it"),
        (0.1, 0.35, 0.3, "undecided", "the margin lies inside, though the middle lies below it"),
        (0.1, 0.2, 0.0, "holds", "the margin is 0, not always 0.3"),
        (-0.3, -0.1, -0.2, "undecided", "the margin lies inside"),
    )
    for low, high, margin, right, why in cases:
        got = verdict(low, high, margin)
        need(got is not None, f"verdict({low}, {high}, {margin}) returns nothing (None).")
        need(got in words, f"verdict returns {got!r}: it should be one of the words {words}.")
        message = f"verdict({low}, {high}, {margin}) is {got!r}, not {right!r}: {why}."
        need(got == right, message)
