"""Figures that can be read from the last row, by the check that each lesson's figure passes."""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from quick_run import check_figure, drawn_texts

from sublim_mini.course import plots

NAMES = (
    "teacher",
    "student, the teacher's initialization",
    "student, different initialization",
    "student of the y + 3 teacher",
    "control",
    "untrained",
)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def draw(*panels, path, title="A student reads 88 % of the digits. " * 3, mark=lambda ax: None):
    return plots.draw_figure(title, [(panel, 1) for panel in panels], path, mark)


@pytest.mark.parametrize("n", [1, 2, 8])
def test_dots_and_curves_with_predictions(rng, n, tmp_path):
    rows = {name: rng.uniform(0, 1, n) for name in NAMES}
    close_together = {name: np.full((n, 4), 0.5 + 0.001 * i) for i, name in enumerate(NAMES)}
    lines = partial(plots.curves, x=[0, 10, 20, 30], lines=close_together, levels={"chance": 0.1})
    mark = partial(plots.predictions, row=NAMES[1], values=[0.3, 0.7])
    check_figure(
        draw(partial(plots.dots, rows=rows, chance=0.1), lines, path=tmp_path / "a", mark=mark)
    )


def test_curves_that_end_at_the_top_and_images(rng, tmp_path):
    lines = {name: np.full((3, 2), 1 - 0.001 * i) for i, name in enumerate(NAMES)}
    levels = {"chance": 0.1, "of the teacher": 0.99}
    pixels = partial(plots.images, pixels=rng.uniform(-1, 1, (4, 784)), title="all that it sees")
    curves = partial(plots.curves, x=[0, 600], lines=lines, levels=levels)
    captions = ["-0.1 +0.8 +0.0"] * 4
    check_figure(draw(partial(pixels, captions=captions, columns=1), curves, path=tmp_path / "a"))


def test_what_two_panels_share_is_said_once(tmp_path):
    panel = partial(plots.dots, crosses=("published", [0.3]), words={"one": "row"})
    rows = {"one": [0.1, 0.2]}, {"one": [0.1, 0.9]}
    figure = draw(*(partial(panel, rows=r) for r in rows), path=tmp_path / "a")
    texts = [text for text, *_ in drawn_texts(figure)]
    assert texts.count("row") == 1 and sum("× published" in text for text in texts) == 1
    (low, high), other = (ax.get_xlim() for ax in figure.axes)
    assert (low, high) == other and low < 0 and high > 1  # the axis of fractions


def test_clouds_are_named_beside_their_points(rng, tmp_path):
    x = {name: rng.uniform(i, i + 0.1, 4) for i, name in enumerate(NAMES)}
    y = {name: rng.uniform(0, 0.1, 4) for name in NAMES}

    def panel(ax):
        ax.set(xlim=(-4, 10), ylim=(0, 1))
        plots.clouds(ax, x, y, dict.fromkeys(NAMES, plots.BLUE), NAMES[:3])

    check_figure(draw(panel, path=tmp_path / "a"))


def test_names_move_apart_and_stay_in_order(rng):
    middles, half = rng.uniform(0, 1, 9), rng.uniform(0.02, 0.06, 9)
    moved, order = plots.apart(middles, half, 1), middles.argsort()
    gaps = np.diff(moved[order]) - half[order][1:] - half[order][:-1]
    assert gaps.min() > -1e-9 and moved.max() < 1 + 1e-9
    assert list(plots.apart([0.1, 0.5], [0.1, 0.1], 1)) == [0.1, 0.5]


def test_lines_are_about_equally_long():
    assert plots.fill("a title has one word too many", 26) == "a title has one\nword too many"
    assert plots.fill("one y + 3", 6) == "one\ny\u00a0+\u00a03" and plots.fill("", 9) == ""


def test_dots_show_each_seed_the_mean_and_its_interval(tmp_path):
    rows = {"one": [0.1, 0.2, 0.6]}
    ax = draw(partial(plots.dots, rows=rows, chance=0.1), path=tmp_path / "a").axes[0]
    points = [list(line.get_xdata()) for line in ax.lines]
    assert [0.1, 0.2, 0.6] in points and [pytest.approx(0.3)] in points
    assert {"0.30", " chance"} <= {text.get_text() for text in ax.texts}


def test_a_prediction_stands_on_its_row_only(tmp_path):
    for row, n in ("two", 1), ("elsewhere", 0):
        mark = partial(plots.predictions, row=row, values=[0.3])
        rows = {"one": [0.1, 0.2], "two": [0.5, 0.6]}
        ax = draw(partial(plots.dots, rows=rows), path=tmp_path / "a", mark=mark).axes[0]
        marks = [line for line in ax.lines if line.get_marker() == "^"]
        assert len(marks) == n and all(0.8 < mark.get_ydata()[0] < 1.5 for mark in marks)


def test_colors_have_one_meaning():
    meanings = {"y + 3 student": plots.BLUE, "student, different init": plots.RED}
    meanings |= {"control": plots.GRAY, "the teacher": plots.ORANGE, "base": plots.GRAY}
    meanings |= {"student of the teacher's numbers": plots.BLUE, "owl": plots.BLACK}
    assert {name: plots.color_of(name) for name in meanings} == meanings
    assert plots.color_of("owl", {"owl": plots.RED}) == plots.RED


SPOILED = {
    "'small' has 15": lambda ax: ax.text(0.5, 0.5, "small", fontsize=15),
    "'at the edge' is cut off": lambda ax: ax.figure.text(0.98, 0.5, "at the edge"),
    "overlap": lambda ax: [ax.text(x, 0.5, f"a text at {x}") for x in (0.5, 0.52)],
    "not of the palette": lambda ax: ax.plot([0, 1], color="purple"),
    "'pale' is too pale": lambda ax: ax.text(0.5, 0.5, "pale", color=plots.LIGHT),
    "pixels": lambda ax: ax.figure.set_size_inches(8, 5),
}


@pytest.mark.parametrize("said", SPOILED)
def test_the_check_finds_what_it_looks_for(said, tmp_path):
    check_figure(draw(lambda ax: None, path=tmp_path / "a"))
    with pytest.raises(AssertionError, match=said):
        check_figure(draw(SPOILED[said], path=tmp_path / "a"))
