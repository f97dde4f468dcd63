"""Figures for the wall: 16 by 9, each seed a dot, chance a line, labels at the lines.

A figure is 1600 x 900 pixels, and no text in it is under 16 points. Letters: S seeds, T times.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from .stats import mean_interval

# Okabe and Ito (2008): told apart by color-blind readers too.
BLUE, ORANGE, GRAY, RED, GREEN = "#0072B2", "#E69F00", "#767676", "#D55E00", "#009E73"
PINK, SKY, BLACK, WHITE = "#CC79A7", "#56B4E9", "#000000", "#FFFFFF"
PALETTE = BLUE, ORANGE, GRAY, RED, GREEN, PINK, SKY, BLACK, WHITE

SMALLEST = 16  # points
plt.rcParams.update(
    {"font.size": 18, "figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False}
)


def new_figure(title, layout="a", **more):
    """A figure with its numbers as title -> (figure, letter of the layout -> axes)."""
    figure, axes = plt.subplot_mosaic(
        layout, figsize=(16, 9), dpi=100, layout="constrained", **more
    )
    figure.suptitle(textwrap.fill(title, 72), fontsize=26, fontweight="bold")
    figure.get_layout_engine().set(w_pad=0.2, h_pad=0.15)
    return figure, axes


def dots(ax, rows, colors=None, chance=None, label="accuracy", published=None):
    """One row for each name -> values [S]: a dot for each seed, the mean, its 95 % interval.

    colors     name -> color; others are gray
    chance     drawn as a dotted line
    published  name -> a figure from the literature, drawn as an open diamond
    """
    for y, (name, values) in enumerate(rows.items()):
        values, color = np.asarray(values, float), (colors or {}).get(name, GRAY)
        mean, low, high = mean_interval(values)
        if len(values) > 2:
            ax.plot([low, high], [y, y], "-", lw=4, color=color, solid_capstyle="butt")
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, y + spread, "o", ms=9, alpha=0.5, mew=0, color=color)
        ax.plot([mean], [y], "|", ms=34, mew=4, color=color)
        ax.text(mean, y - 0.36, f"{mean:z.2f}", color=color, fontsize=20, ha="center", va="center")
        if published and name in published:
            ax.plot(published[name], y, "D", ms=14, mfc="none", mec=BLACK, mew=2)
    ax.set_yticks(range(len(rows)), [textwrap.fill(name, 26) for name in rows])
    for tick, name in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_color((colors or {}).get(name, BLACK))
    ax.set_ylim(len(rows) - 0.4, -0.75)
    ax.set_xlabel(label, fontsize=20)
    if chance is not None:
        ax.axvline(chance, ls=":", color=BLACK, lw=2, zorder=0)
        ax.text(chance, len(rows) - 0.43, " chance", va="bottom", fontsize=SMALLEST)


def curves(ax, x, lines, colors=None, levels=None, labels=("step", "accuracy"), span=(0, 1)):
    """One line for each name -> values [S, T] over x [T]: seeds thin, mean thick, name at its end.

    levels  name -> height of a dotted line across, such as chance
    span    the ends of the axis of heights; None leaves them to the data
    """
    ends = {}
    for name, values in lines.items():
        values, color = np.asarray(values, float), (colors or {}).get(name, GRAY)
        ax.plot(x, values.T, lw=1, alpha=0.4, color=color)
        ax.plot(x, values.mean(0), lw=4, color=color)
        ends[name] = values[:, -1].mean(), color
    for name, height in (levels or {}).items():
        ax.axhline(height, ls=":", color=BLACK, lw=2, zorder=0)
        ends[name] = height, BLACK
    ax.set_xlabel(labels[0], fontsize=20)
    ax.set_ylabel(labels[1], fontsize=20)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(span)
    label_ends(ax, x[-1], ends)


def predictions(ax, x, y):
    """The readers' predictions as triangles at x and y: one is a list of them, one a number."""
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    if not x.size:
        return  # an empty line has a place too, at the corner of the figure
    ax.plot(x, y, "^", ms=16, color=PINK, clip_on=False)
    left = x[0] > np.mean(ax.get_xlim())  # write toward the middle
    place = {"xytext": (-14 if left else 14, 0), "ha": "right" if left else "left", "va": "center"}
    ax.annotate("predicted", (x[0], y[0]), textcoords="offset points", color=PINK, **place)


def label_ends(ax, x, ends):
    """Write names at the right of x, name -> (height, color), moved apart where they overlap."""
    low, high = ax.get_ylim()
    names = sorted(ends, key=lambda name: ends[name][0])
    texts = [textwrap.fill(name, 22) for name in names]
    half = [0.03 * (high - low) * (1 + text.count("\n")) for text in texts]  # of a text's height
    middles, floor = [], -np.inf
    for name, h in zip(names, half, strict=True):  # from below: none overlaps the one before
        middles.append(max(ends[name][0], floor + h))
        floor = middles[-1] + h
    ceiling = high + half[-1]
    for i in reversed(range(len(names))):  # from above: none lies beyond the axes
        middles[i] = min(middles[i], ceiling - half[i])
        ceiling = middles[i] - half[i]
    for name, text, middle in zip(names, texts, middles, strict=True):
        y, color = ends[name]
        place = x + 0.02 * (x - ax.get_xlim()[0]), middle
        label = ax.annotate(text, (x, y), xytext=place, color=color, va="center")
        label.set_annotation_clip(False)
        label.set_in_layout(True)


def images(ax, pixels, captions=None, columns=None, limits=(-1, 1)):
    """Images [N, 784] in rows of 28 x 28 tiles, each with its caption below."""
    pixels = np.asarray(pixels).reshape(-1, 28, 28)
    columns = columns or len(pixels)
    lines = max(caption.count("\n") + 1 for caption in captions) if captions else 0
    height = 32 + 6 * lines
    for i, image in enumerate(pixels):
        x, y = 34 * (i % columns), height * (i // columns)
        ax.imshow(
            image, cmap="gray_r", vmin=limits[0], vmax=limits[1], extent=(x, x + 28, y + 28, y)
        )
        if captions:
            ax.text(x + 14, y + 30, captions[i], ha="center", va="top", fontsize=SMALLEST)
    ax.set_xlim(-1, 34 * min(columns, len(pixels)) - 5)
    ax.set_ylim(height * -(-len(pixels) // columns), -1)
    ax.set_aspect("equal")
    ax.axis("off")


# Where each part of the network is drawn: x, y, width, height.
PARTS = {
    "hidden layer 1": (0, 0.2, 0.6, 0.6),
    "hidden layer 2": (0.8, 0.2, 0.6, 0.6),
    "class head": (1.6, 0.55, 0.6, 0.4),
    "auxiliary head": (1.6, 0.05, 0.6, 0.4),
}


def thumbnail(ax, shared, color=BLUE, x=0.0, y=0.0, scale=1.0):
    """The network as four boxes, drawn at (x, y): the parts named in `shared` are filled.

    shared  names from `PARTS`
    """
    for part, (left, bottom, width, height) in PARTS.items():
        ax.add_patch(
            Rectangle(
                (x + scale * left, y + scale * bottom),
                scale * width,
                scale * height,
                facecolor=color if part in shared else WHITE,
                edgecolor=BLACK,
                lw=2,
            )
        )
