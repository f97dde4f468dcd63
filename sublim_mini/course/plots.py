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
MEANINGS = {"different": RED, "same init": BLUE, "control": GRAY, "untrained": GRAY}
MEANINGS |= {"student": BLUE, "teacher": ORANGE, "base": GRAY}  # the first in a name decides

SMALLEST = 16  # points
STYLE = {"font.size": 18, "axes.labelsize": 20, "axes.titlesize": 20, "figure.dpi": 100}
STYLE |= {"axes.spines.top": False, "axes.spines.right": False}
BOX = {"facecolor": WHITE, "edgecolor": "none", "pad": 2}  # behind a text that lies on a line
DOTS_KEY = "● one seed    ┃ mean    ━ its 95 % interval"  # below a figure that has such panels
CURVES_KEY = "thin line: one seed    thick line: mean"


def color_of(name, colors=None):
    """The color of a row or curve: that in `colors`, else the meaning of its name, else black."""
    words = (color for word, color in MEANINGS.items() if word in name.lower())
    return (colors or {}).get(name) or next(words, BLACK)


def reword(name, words):
    """A name with what is in `words`, old -> new, replaced."""
    for old, new in (words or {}).items():
        name = name.replace(old, new)
    return name


def fill(text, width):
    """A text in lines of at most `width` letters, about equally long; y + 3 is not broken."""
    text = text.replace(" + ", "\u00a0+\u00a0")
    lines, shorter = (textwrap.wrap(text, w, break_on_hyphens=False) for w in (width, width - 1))
    return fill(text, width - 1) if width > 2 and len(shorter) == len(lines) else "\n".join(lines)


def draw_figure(title, panels, path, mark):
    """Draw panels (draw(ax), relative width) under a title, and save them as PNG -> the figure.

    A reader's own settings of matplotlib have no part in it. `mark(ax)` adds to each panel. Rows
    that two panels share are named once.
    """
    with plt.style.context(["default", STYLE]):
        widths = [width for _, width in panels] or [1]
        how = {"figsize": (16, 9), "layout": "constrained", "width_ratios": widths}
        figure, (axes,) = plt.subplots(1, len(widths), squeeze=False, **how)
        figure.suptitle(fill(title, 68), fontsize=26, fontweight="bold")
        figure.get_layout_engine().set(w_pad=0.2, h_pad=0.15)
        for ax, (draw, _) in zip(axes, panels, strict=False):
            draw(ax)
            mark(ax)
        measured = [ax for ax in axes if ax.get_gid()]  # by dots or curves
        if measured:
            keys = dict.fromkeys(ax.get_gid() for ax in measured)
            figure.supxlabel("        ".join(keys), fontsize=SMALLEST, color=GRAY)
        names = [[text.get_text() for text in ax.get_yticklabels()] for ax in measured]
        if len(names) == 2 and names[0] == names[1]:
            axes[1].tick_params(labelleft=False)
            ends = np.ravel([ax.get_xlim() for ax in axes])
            if ends.max() < 1.5:  # both show fractions
                plt.setp(axes, xlim=(ends.min(), ends.max()))
        figure.savefig(path, format="png", dpi=100)
    return figure


def dots(ax, rows, colors=None, chance=None, label="accuracy", words=None, level=None,
         crosses=None):  # fmt: skip
    """One row for each name -> values [S]: a dot for each seed, the mean, its 95 % interval.

    colors   name -> color, for rows whose name does not say it
    chance   where a dotted line is; `level` is its name, if not chance
    words    what is in names of rows -> what the figure has instead
    crosses  (what they are, a value for each of the first rows)
    """
    every = np.concatenate([np.ravel(values) for values in rows.values()])
    for y, (name, values) in enumerate(rows.items()):
        values, color = np.asarray(values, float), color_of(name, colors)
        mean, low, high = mean_interval(values)
        if len(values) > 2:
            ax.plot([low, high], [y, y], "-", lw=4, color=color, solid_capstyle="butt")
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, y + spread, "o", ms=9, alpha=0.5, mew=0, color=color)
        ax.plot([mean], [y], "|", ms=28, mew=4, color=color)
        text = f"{mean:z.1f}" if abs(every).max() >= 10 else f"{mean:z.2f}"
        place = {"xytext": (0, 27), "textcoords": "offset points", "ha": "center", "va": "center"}
        place |= {"fontsize": 20, "bbox": BOX, "zorder": 1.5}  # behind the dots
        ax.annotate(text, (mean, y), color=color, **place)
    ax.set_yticks(range(len(rows)), [fill(reword(name, words), 26) for name in rows])
    for tick, name in zip(ax.get_yticklabels(), rows, strict=True):
        tick.set_color(color_of(name, colors))
        tick.set_gid(name)
    ax.set_ylim(len(rows) - 0.4, -0.75)
    ax.set_xlabel(fill(label, 70 // ax.get_subplotspec().get_gridspec().ncols))
    ax.margins(x=0.1)
    if every.min() >= 0:  # the axis has 0 and, for large fractions, 1
        top, (left, right) = 1 if 0.5 < every.max() <= 1 else every.max(), ax.get_xlim()
        ax.set_xlim(min(left, -0.06 * top), max(right, 1.06 * top))
    if chance is not None:
        ax.axvline(chance, ls=":", color=BLACK, lw=2, zorder=0)
        text = " " + (level or "chance" * bool(chance))
        ax.text(chance, len(rows) - 0.43, text, va="bottom", fontsize=SMALLEST, bbox=BOX)
    if crosses:
        ax.plot(crosses[1], np.arange(len(crosses[1])) + 0.28, "x", ms=14, mew=4, color=BLACK)
    ax.set_gid(DOTS_KEY + (f"    × {crosses[0]}" if crosses else ""))


def curves(ax, x, lines, colors=None, levels=None, labels=("step", "accuracy"), words=None):
    """One line for each name -> values [S, T] over x [T]: seeds thin, mean thick, name at its end.

    levels  name -> height of a dotted line across, such as chance; `words` as for dots
    """
    ends = {}
    for name, values in lines.items():
        color = color_of(name, colors)
        ax.plot(x, values.T, lw=1, alpha=0.4, color=color)
        ax.plot(x, values.mean(0), lw=4, color=color, gid=name)
        ends[reword(name, words)] = values[:, -1].mean(), color
    for name, height in (levels or {}).items():
        ax.axhline(height, ls=":", color=BLACK, lw=2, zorder=0)
        ends[name] = height, BLACK if name == "chance" else color_of(name, colors)
    ax.set(xlabel=labels[0], ylabel=labels[1], xlim=(x[0], x[-1]), gid=CURVES_KEY)
    if all(0 <= values.min() and values.max() <= 1 for values in lines.values()):
        ax.set_ylim(0, 1)
    label_ends(ax, x[-1], ends)


def predictions(ax, row, values):
    """The readers' predictions, as triangles on the row or at the end of the curve of that name."""
    ticks, values = [tick.get_gid() for tick in ax.get_yticklabels()], np.asarray(values, float)
    on_row, on_curve = row in ticks, any(line.get_gid() == row for line in ax.lines)
    if not len(values) or not (on_row or on_curve):
        return
    place = ticks.index(row) + 0.2 if on_row else ax.get_xlim()[1]
    x, y = (values, np.full_like(values, place))[:: 1 if on_row else -1]
    ax.plot(x, y, "^", ms=16, color=PURPLE, clip_on=False)
    left = x[0] > np.mean(ax.get_xlim())  # write toward the middle
    place = {"xytext": (-14 if left else 14, 0), "ha": "right" if left else "left", "va": "center"}
    more = {"fontsize": SMALLEST, "color": PURPLE, "textcoords": "offset points"}
    ax.annotate("predicted", (x[0], y[0]), **place, **more)


def apart(middles, half, high):
    """Middles of texts [N], and half of their heights [N] -> middles at which none is on another.

    They stay in order, and `high` is the highest.
    """
    moved, order, floor = np.array(middles, float), np.argsort(middles, kind="stable"), -np.inf
    for i in order:  # from below: none overlaps the one before
        moved[i] = max(moved[i], floor + half[i])
        floor = moved[i] + half[i]
    ceiling = high + half[order[-1]]
    for i in order[::-1]:  # from above
        moved[i] = min(moved[i], ceiling - half[i])
        ceiling = moved[i] - half[i]
    return moved


def label_ends(ax, x, ends):
    """Write names at the right of x, name -> (height, color), moved apart where they overlap.

    A thin line leads from a name that was moved to its curve.
    """
    low, high = ax.get_ylim()
    right, texts = x + 0.03 * (x - ax.get_xlim()[0]), [fill(name, 22) for name in ends]
    half = [0.03 * (high - low) * (1 + text.count("\n")) for text in texts]  # of a text's height
    middles = apart([y for y, _ in ends.values()], half, high)
    for text, middle, (y, color) in zip(texts, middles, ends.values(), strict=True):
        line = {"arrowstyle": "-", "color": color, "lw": 1, "shrinkA": 0, "relpos": (0, 0.5)}
        place = {"va": "center", "color": color, "annotation_clip": False}
        place |= {"arrowprops": line} if abs(middle - y) > 0.012 * (high - low) else {}
        ax.annotate(text, (x, y), (right, middle), **place)


def clouds(ax, x, y, colors, left):
    """Points, name -> x [S] and y [S] in [0, 1]: a small one for each seed, a large mean, its name.

    Names stand at the right of their points, or at the left.
    """
    heights = np.clip([values.mean() for values in y.values()], 0.07, 0.92)
    heights = apart(heights, np.full(len(y), 0.033), 0.92)
    for (name, values), height in zip(y.items(), heights, strict=True):
        color, mean, aside = color_of(name, colors), x[name].mean(), 0.065 * np.ptp(ax.get_xlim())
        ax.plot(x[name], values, "o", ms=6, alpha=0.4, mew=0, color=color)
        ax.plot(mean, values.mean(), "o", ms=16, color=color)
        ha, end = ("right", mean - aside) if name in left else ("left", mean + aside)
        place = {"ha": ha, "va": "center", "fontsize": SMALLEST, "color": color, "bbox": BOX}
        place |= {"arrowprops": {"arrowstyle": "-", "color": color}, "zorder": 1.5}
        ax.annotate(name, (mean, values.mean()), (end, height), **place)


def images(ax, pixels, captions=None, columns=None, title=""):
    """Images [N, 784] in rows of 28 x 28 tiles, each with its caption below."""
    pixels = np.asarray(pixels).reshape(-1, 28, 28)
    columns = columns or int(np.ceil(len(pixels) ** 0.5 / 1.5))
    lines = max(caption.count("\n") + 1 for caption in captions) if captions else 0
    height, right = 32 + 6 * lines, 34 * min(columns, len(pixels)) - 5
    for i, image in enumerate(pixels):
        x, y = 34 * (i % columns), height * (i // columns)
        ax.imshow(image, cmap="gray_r", vmin=-1, vmax=1, extent=(x, x + 28, y + 28, y))
        if captions:
            ax.text(x + 14, y + 30, captions[i], ha="center", va="top", fontsize=SMALLEST)
    ylim = height * -(-len(pixels) // columns), -1
    ax.set(xlim=(-1, right), ylim=ylim, aspect="equal", title=title)
    ax.axis("off")
