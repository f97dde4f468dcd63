"""Run a lesson once, and check on the way what its results do not show.

    python tests/quick_run.py lessons/01_hidden_channel.py --quick

Its figure must satisfy `check_figure`, and no two networks of it may begin alike: an initialization
shared by accident fakes the effect that all lessons are about.
"""

import io
import runpy
import sys
from contextlib import ExitStack, redirect_stdout
from itertools import combinations
from pathlib import Path
from unittest import mock

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from sublim_mini import mlp, transformer
from sublim_mini.course import lesson, plots
from sublim_mini.course.script import Output

RIM = 6  # pixels that a text's box is higher than its letters
LEAST_CONTRAST = 4.5  # of a text, to white or, within an image, to what is behind it


def drawn_texts(figure):
    """The texts that are drawn, which tick labels out of sight are not -> [(text, its box)]."""
    texts, draw = [], Text.draw
    figure.draw_without_rendering()  # lays the axes out, once: as in a lesson's own run
    figure.set_layout_engine("none")

    def noting(text, renderer):
        if text.get_visible() and text.get_text().strip():
            texts.append((text.get_text(), text, Text.get_window_extent(text, renderer)))
        draw(text, renderer)

    with mock.patch.object(Text, "draw", noting):
        figure.draw_without_rendering()
    return texts


def colors_of(artist):
    """The opaque or half-opaque colors [RGBA] of an artist; images have their own."""
    getters = "get_color", "get_facecolor", "get_edgecolor"
    markers = "get_markerfacecolor", "get_markeredgecolor"
    for getter in getters + markers * (getattr(artist, "get_marker", str)() not in ("None", "")):
        lineless = getter == "get_color" and getattr(artist, "get_linestyle", str)() == "None"
        if hasattr(artist, getter) and not lineless:
            color = getattr(artist, getter)()
            several = np.ndim(color) == 2 or isinstance(color, list)
            yield from (to_rgba(one) for one in (color if several else [color]))


def contrast(color):
    """The contrast of a color to white (WCAG 2)."""
    rgb = np.array(to_rgba(color)[:3])
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05)


def check_figure(figure, palette=plots.PALETTE):
    """Raise AssertionError unless the figure can be read from the last row of a lecture room."""
    pixels = figure.get_size_inches() * figure.dpi
    assert tuple(pixels.round()) == (1600, 900), f"the figure has {pixels} pixels"
    texts = drawn_texts(figure)
    for name, text, box in texts:
        assert text.get_fontsize() >= 16, f"{name!r} has {text.get_fontsize()} points"
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 1600 and box.y1 <= 900
        assert inside, f"{name!r} is cut off by the edge: {box}"
        on_white = text.axes is None or not text.axes.images
        if palette and on_white:
            assert contrast(text.get_color()) >= LEAST_CONTRAST, f"{name!r} is too pale"
    for (one, _, a), (two, _, b) in combinations(texts, 2):
        over = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(over) <= RIM, f"{one!r} and {two!r} overlap by {over} pixels"
    allowed = [to_rgba(color)[:3] for color in palette or ()]
    for artist in figure.findobj(lambda a: a.get_visible()) if palette else ():
        for *rgb, alpha in colors_of(artist):
            assert alpha == 0 or tuple(rgb) in allowed, f"{artist} has {rgb}, not of the palette"


def check_inits(heads, remade=None):
    """Raise AssertionError if two of these first numbers of weight matrices [8] are equal.

    remade  params that a lesson has made again on purpose, and so has initialized twice
    """
    heads = [tuple(np.asarray(head).tolist()) for head in heads]
    drawn = [head for head in heads if len(set(head)) > 1]  # ones and zeros were not drawn
    allowed = sum(leaf.ndim > 1 for leaf in jax.tree.leaves(remade))
    shared = len(drawn) - len(set(drawn))
    assert shared == allowed, f"initializations share {shared} weight matrices, not {allowed}"


def noting_inits(init, heads):
    """`init`, with the first numbers of each weight matrix that it returns added to `heads`."""

    def note(leaf):
        heads.append(np.asarray(leaf).ravel()[:8])

    def noting(*arguments, **more):
        params = init(*arguments, **more)
        for leaf in jax.tree.leaves(params):
            if leaf.ndim > 1:
                jax.debug.callback(note, leaf)  # inside jit or vmap too
        return params

    return noting


def main(script, *flags):
    """Run a lesson in this process, which stays as it was -> what it printed."""
    from sublim_mini import owls, talk

    one_page = Path(script).stem == "00_one_page"  # it has its own plot
    heads, savefig = [], Figure.savefig

    def checked_savefig(figure, *arguments, **more):
        check_figure(figure, None if one_page else plots.PALETTE)
        savefig(figure, *arguments, **more)

    inits = [(mlp, "init_mlp")]
    inits += [(module, "init_transformer") for module in (transformer, owls, talk)]
    patches = [
        mock.patch.object(module, name, noting_inits(getattr(module, name), heads))
        for module, name in inits
    ]
    patches += [
        mock.patch.object(Figure, "savefig", checked_savefig),
        mock.patch.object(lesson, "handle_errors", lambda lesson: None),
        mock.patch.object(sys, "argv", [script, *flags]),
        redirect_stdout(output := Output(io.StringIO())),
    ]
    x64 = jax.config.jax_enable_x64
    with ExitStack() as stack:
        stack.callback(jax.config.update, "jax_enable_x64", x64)
        stack.callback(plt.close, "all")
        for patch in patches:
            stack.enter_context(patch)
        names = runpy.run_path(script, run_name="__main__")
        jax.effects_barrier()
    check_inits(heads, names.get("remade"))
    uses_networks = "init_mlp" in names or "pretrain" in names or "owls" in names
    assert heads or not uses_networks or one_page, "no initialization was seen"
    return output.text


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
