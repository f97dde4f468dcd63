"""Figures as functions of an axis and data: a seed is a dot, chance a line, labels at the lines."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from .stats import mean_interval

# Okabe & Ito (2008): told apart by colour-blind readers too.
COLORS = {
    "student": "#0072B2",
    "teacher": "#E69F00",
    "control": "#767676",
    "second": "#D55E00",
    "third": "#009E73",
    "fourth": "#CC79A7",
    "fifth": "#56B4E9",
}


plt.rcParams.update({"font.size": 9, "figure.dpi": 100, "savefig.dpi": 150})


def new_figure(title, layout="a", height=4.2, **ratios):
    """A figure 8 inches wide with its finding as title, and its axes by letter of the layout."""
    figure, axes = plt.subplot_mosaic(layout, figsize=(8, height), layout="constrained", **ratios)
    figure.suptitle(textwrap.fill(title, 88), fontsize=11, fontweight="bold")
    for ax in axes.values():
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def dots(ax, conditions, colors=None, chance=None, label="accuracy", published=None):
    """A row for each condition, name -> values [S]: each seed a dot, mean and 95 % interval a bar.

    colors     name -> key of `COLORS`; others are grey
    chance     drawn as a dotted line
    published  name -> figure from the literature, drawn as an open diamond
    """
    names = list(conditions)
    for row, name in enumerate(names):
        values = np.asarray(conditions[name], float)
        color = COLORS[(colors or {}).get(name, "control")]
        spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, row + spread, "o", ms=4, alpha=0.55, mew=0, color=color)
        mean, low, high = mean_interval(values)
        if len(values) > 2:  # an interval of two seeds would fill the figure
            ax.plot([low, high], [row, row], "-", lw=2, color=color)
        ax.plot([mean], [row], "|", ms=14, mew=2.5, color=color)
        if published and name in published:
            ax.plot(published[name], row, "D", ms=6, mfc="none", mec="black")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.6)
    ax.set_xlabel(label)
    if chance is not None:
        ax.axvline(chance, ls=":", color="black", lw=1)
        ax.annotate(
            "chance",
            (chance, 1),
            xycoords=("data", "axes fraction"),
            fontsize=8,
            ha="center",
            va="bottom",
        )


def curves(ax, x, series, colors=None, chance=None, labels=("step", "accuracy")):
    """A line for each name -> values [S, T] over x [T]: seeds thin, mean thick, name at its end."""
    ends = {}
    for name, values in series.items():
        values = np.asarray(values, float)
        color = COLORS[(colors or {}).get(name, "control")]
        ax.plot(x, values.T, lw=0.6, alpha=0.35, color=color)
        ax.plot(x, values.mean(0), lw=2, color=color)
        ends[name] = (values[:, -1].mean(), color)
    if chance is not None:
        ax.axhline(chance, ls=":", color="black", lw=1)
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    label_ends(ax, x[-1], ends)


def label_ends(ax, x, ends, fontsize=8):
    """Write names at the right of x, name -> (y, colour), moved apart where they would overlap."""
    low, high = ax.get_ylim()
    gap = 0.14 * (high - low) / ax.bbox.height * ax.figure.dpi  # a line of text
    at = -np.inf
    for name, (y, color) in sorted(ends.items(), key=lambda item: item[1][0]):
        at = max(y, at + gap)
        ax.annotate(
            f"  {name}",
            (x, y),
            (x, at),
            color=color,
            fontsize=fontsize,
            va="center",
            annotation_clip=False,
        ).set_in_layout(True)


def pictures(ax, images, captions=None, columns=None, limits=(-1, 1)):
    """Images [N, 784] as one row (or more) of 28 x 28 tiles, with captions [N] below each."""
    images = np.asarray(images).reshape(-1, 28, 28)
    columns = columns or len(images)
    rows = -(-len(images) // columns)
    step_y = 34 if captions is None else 44
    for i, image in enumerate(images):
        x, y = 32 * (i % columns), step_y * (i // columns)
        ax.imshow(
            image, cmap="gray_r", vmin=limits[0], vmax=limits[1], extent=(x, x + 28, y + 28, y)
        )
        if captions is not None:
            ax.text(x + 14, y + 30, captions[i], ha="center", va="top", fontsize=7)
    ax.set_xlim(-2, 32 * columns)
    ax.set_ylim(step_y * rows, -2)
    ax.set_aspect("equal")
    ax.axis("off")


def heatmap(ax, rows, columns, title="", digits=2):
    """Shares in 0 to 1, name -> values [C], as a table of shaded cells with their numbers."""
    values = np.array(list(rows.values()), float)
    ax.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if value > 0.6 else "black"
        text = f"{value:.{digits}f}".lstrip("0")
        ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=7)
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_title(title, fontsize=9)
