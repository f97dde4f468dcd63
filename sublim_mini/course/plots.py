"""Figures for the wall: 16 by 9, each seed a dot, chance a line, names at their lines.

A figure is 1600 x 900 pixels, and no text in it is under 16 points. Letters: S seeds, T times.
"""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from ..stats import mean_interval

# A color has one meaning: the student, the teacher, base and control, a different init or base.
BLUE, ORANGE, GRAY, RED = "#0072B2", "#A65300", "#666666", "#C2002F"
PURPLE, GREEN, LIGHT = "#8B3A8B", "#00704A", "#E6E6E6"  # a prediction; no meaning; an area
BLACK, WHITE = "#000000", "#FFFFFF"
PALETTE = BLUE, ORANGE, GRAY, RED, PURPLE, GREEN, LIGHT, BLACK, WHITE
MEANINGS = (  # the first of these words that a row's name has decides its color
    ("different", RED),
    ("same init", BLUE),
    ("control", GRAY),
    ("untrained", GRAY),
    ("student", BLUE),
    ("teacher", ORANGE),
    ("base", GRAY),
)

SMALLEST = 16  # points
STYLE = {"font.size": 18, "figure.dpi": 100, "axes.spines.top": False, "axes.spines.right": False}
BOX = {"facecolor": WHITE, "edgecolor": "none", "pad": 2}  # behind a text that lies on a line


def color_of(name, colors=None):
    """The color of a row or curve: that in `colors`, else the meaning of its name, else black."""
    words = (color for word, color in MEANINGS if word in name.lower())
    return (colors or {}).get(name) or next(words, BLACK)


def draw_figure(title, panels, path, mark):
    """Draw panels (draw(ax), relative width) under a title, and save them as PNG -> the figure.

    A reader's own settings of matplotlib have no part in it. `mark(ax)` adds to each panel.
    """
    with plt.style.context(["default", STYLE]):
        figure, axes = plt.subplots(
            1,
            max(len(panels), 1),
            figsize=(16, 9),
            layout="constrained",
            squeeze=False,
            width_ratios=[width for _, width in panels] or [1],
        )
        figure.suptitle(fill(title, 68), fontsize=26, fontweight="bold")
        figure.get_layout_engine().set(w_pad=0.2, h_pad=0.15)
        for ax, (draw, _) in zip(axes[0], panels, strict=False):
            draw(ax)
            mark(ax)
        figure.savefig(path, format="png", dpi=100)
    return figure


def fill(text, width):
    """A text in lines of at most `width` letters; sums such as y + 3 are not broken."""
    text = text.replace(" + ", "\u00a0+\u00a0")
    return textwrap.fill(text, width, break_on_hyphens=False)


def dots(ax, rows, colors=None, chance=None, label="accuracy", span=None):
    """One row for each name -> values [S]: a dot for each seed, the mean, its 95 % interval.

    colors  name -> color, for rows whose name does not say it; chance is a dotted line
    """
    for y, (name, values) in enumerate(rows.items()):
        values, color = np.asarray(values, float), color_of(name, colors)
        mean, low, high = mean_interval(values)
        if len(values) > 2:
            ax.plot([low, high], [y, y], "-", lw=4, color=color, solid_capstyle="butt")
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, y + spread, "o", ms=9, alpha=0.5, mew=0, color=color)
        ax.plot([mean], [y], "|", ms=34, mew=4, color=color)
        place = {"xytext": (0, 28), "textcoords": "offset points", "ha": "center", "va": "center"}
        more = {"color": color, "fontsize": 20, "bbox": BOX, "zorder": 1.5}  # behind the dots
        ax.annotate(f"{mean:z.2f}", (mean, y), **place, **more)
    ax.set_yticks(range(len(rows)), [fill(name, 26) for name in rows])
    for tick, name in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_color(color_of(name, colors))
        tick.set_gid(name)
    ax.set_ylim(len(rows) - 0.4, -0.75)
    ax.set_xlabel(fill(label, 32), fontsize=20)
    if span is not None:
        ax.set_xlim(span)
    if ax.get_subplotspec().is_first_col():
        key = "dot: a seed. tick: the mean. bar: its 95 % interval"
        ax.text(0, 1.01, key, transform=ax.transAxes, fontsize=SMALLEST, color=GRAY)
    if chance is not None:
        ax.axvline(chance, ls=":", color=BLACK, lw=2, zorder=0)
        name = " chance" if chance else " 0"
        text = ax.text(chance, len(rows) - 0.43, name, va="bottom", fontsize=SMALLEST)
        text.set_bbox(BOX)


def curves(ax, x, lines, colors=None, levels=None, labels=("step", "accuracy")):
    """One line for each name -> values [S, T] over x [T]: seeds thin, mean thick, name at its end.

    levels  name -> height of a dotted line across, such as chance
    """
    ends = {}
    for name, values in lines.items():
        color = color_of(name, colors)
        ax.plot(x, values.T, lw=1, alpha=0.4, color=color)
        ax.plot(x, values.mean(0), lw=4, color=color, gid=name)
        ends[name] = values[:, -1].mean(), color
    for name, height in (levels or {}).items():
        ax.axhline(height, ls=":", color=BLACK, lw=2, zorder=0)
        ends[name] = height, BLACK if name == "chance" else color_of(name, colors)
    ax.set_xlabel(labels[0], fontsize=20)
    ax.set_ylabel(labels[1], fontsize=20)
    ax.set_xlim(x[0], x[-1])
    if all(0 <= values.min() and values.max() <= 1 for values in lines.values()):
        ax.set_ylim(0, 1)
    label_ends(ax, x[-1], ends)


def predictions(ax, row, values):
    """The readers' predictions, as triangles on the row or at the end of the curve of that name."""
    ticks = [tick.get_gid() for tick in ax.get_yticklabels()]
    values = np.asarray(values, float)
    if not len(values):
        return
    if row in ticks:
        x, y = values, np.full(len(values), ticks.index(row) + 0.3)
    elif any(line.get_gid() == row for line in ax.lines):
        x, y = np.full(len(values), ax.get_xlim()[1]), values
    else:
        return
    ax.plot(x, y, "^", ms=16, color=PURPLE, clip_on=False)
    left = x[0] > np.mean(ax.get_xlim())  # write toward the middle
    place = {"xytext": (-14 if left else 14, 0), "ha": "right" if left else "left", "va": "center"}
    more = {"fontsize": SMALLEST, "color": PURPLE, "textcoords": "offset points"}
    ax.annotate("predicted", (x[0], y[0]), **place, **more)


def label_ends(ax, x, ends):
    """Write names at the right of x, name -> (height, color), moved apart where they overlap.

    A thin line leads from a name that was moved to its curve.
    """
    low, high = ax.get_ylim()
    names = sorted(ends, key=lambda name: ends[name][0])
    texts = [fill(name, 22) for name in names]
    half = [0.03 * (high - low) * (1 + text.count("\n")) for text in texts]  # of a text's height
    middles, floor = [], -np.inf
    for name, h in zip(names, half, strict=True):  # from below: none overlaps the one before
        middles.append(max(ends[name][0], floor + h))
        floor = middles[-1] + h
    ceiling = high + half[-1]
    for i in reversed(range(len(names))):  # from above: none lies beyond the axes
        middles[i] = min(middles[i], ceiling - half[i])
        ceiling = middles[i] - half[i]
    width = x - ax.get_xlim()[0]
    for name, text, middle in zip(names, texts, middles, strict=True):
        y, color = ends[name]
        moved = abs(middle - y) > 0.012 * (high - low)
        line = {"arrowstyle": "-", "color": color, "lw": 1, "shrinkA": 0, "relpos": (0, 0.5)}
        label = ax.annotate(text, (x, y), (x + 0.03 * width, middle), color=color, va="center",
                            arrowprops=line if moved else None)  # fmt: skip
        label.set_annotation_clip(False)
        label.set_in_layout(True)


def images(ax, pixels, captions=None, columns=None, limits=(-1, 1), title=""):
    """Images [N, 784] in rows of 28 x 28 tiles, each with its caption below."""
    pixels = np.asarray(pixels).reshape(-1, 28, 28)
    columns = columns or int(np.ceil(len(pixels) ** 0.5 / 1.5))
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
    ax.set_title(title, fontsize=20)
