"""Figures that can be read from the last row, by the check that each lesson's figure passes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from quick_run import check_figure

from sublim_mini import plots

NAMES = (
    "teacher",
    "student, same initialization",
    "student, different initialization",
    "student of the y + 3 teacher",
    "... counted against y + 3",
    "untrained",
)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 8])
def test_dots_and_curves(rng, n):
    figure, ax = plots.new_figure("A student reads 88 % of the digits. " * 3, "ab")
    rows = {name: rng.uniform(0, 1, n) for name in NAMES}
    colors = {"teacher": plots.ORANGE, "untrained": plots.RED}
    plots.dots(ax["a"], rows, colors, chance=0.1, published={"teacher": 0.9})
    ax["a"].set_title("accuracy on test digits")
    close_together = {name: np.full((n, 4), 0.5 + 0.001 * i) for i, name in enumerate(NAMES)}
    plots.curves(ax["b"], [0, 10, 20, 30], close_together, colors, {"chance": 0.1})
    plots.predictions(ax["b"], 30, [0.3, 0.7])
    check_figure(figure)


def test_curves_that_end_at_the_top(rng):
    figure, ax = plots.new_figure("title")
    lines = {name: np.full((3, 2), 1 - 0.001 * i) for i, name in enumerate(NAMES)}
    plots.curves(ax["a"], [0, 600], lines, levels={"chance": 0.1, "of the teacher": 0.99})
    check_figure(figure)


def test_images_and_thumbnails(rng):
    figure, ax = plots.new_figure("title", "abc")
    pixels = rng.uniform(-1, 1, (4, 784))
    plots.images(ax["a"], pixels, ["-0.1 +0.8 +0.0"] * 4, columns=1)
    plots.images(ax["b"], pixels, ["one", "two\nlines", "3", "4"], columns=2)
    plots.thumbnail(ax["c"], ["class head"])
    check_figure(figure)


def test_dots_show_each_seed_the_mean_and_its_interval():
    figure, ax = plots.new_figure("title")
    plots.dots(ax["a"], {"one": [0.1, 0.2, 0.6]}, chance=0.1)
    points = [list(line.get_xdata()) for line in ax["a"].lines]
    assert [0.1, 0.2, 0.6] in points and [pytest.approx(0.3)] in points
    assert [text.get_text() for text in ax["a"].texts] == ["0.30", " chance"]


def small(figure, ax):
    ax.text(0.5, 0.5, "small", fontsize=15)


def cut_off(figure, ax):
    figure.text(0.98, 0.5, "at the edge")


def overlapping(figure, ax):
    ax.text(0.5, 0.5, "one text")
    ax.text(0.52, 0.5, "another text")


def other_color(figure, ax):
    ax.plot([0, 1], color="purple")


def other_size(figure, ax):
    figure.set_size_inches(8, 5)


@pytest.mark.parametrize(
    "spoil, said",
    [
        (small, "'small' has 15"),
        (cut_off, "'at the edge' is cut off"),
        (overlapping, "overlap"),
        (other_color, "not of the palette"),
        (other_size, "pixels"),
    ],
)
def test_the_check_finds_what_it_looks_for(spoil, said):
    figure, ax = plots.new_figure("title")
    check_figure(figure)
    spoil(figure, ax["a"])
    with pytest.raises(AssertionError, match=said):
        check_figure(figure)
