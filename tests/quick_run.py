"""Run a lesson once, and check on the way what its results do not show.

    python tests/quick_run.py lessons/02_hidden_channel.py --quick

Its figure must satisfy `check_figure`, and no two networks of it may begin alike: an initialization
shared by accident fakes the effect that all lessons are about.
"""

import importlib.util
import runpy
import sys
from itertools import combinations
from pathlib import Path

import jax
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from sublim_mini import plots

RIM = 6  # pixels that a text's box is higher than its letters


def drawn_texts(figure):
    """The texts that are drawn, which tick labels out of sight are not -> [(text, its box)]."""
    texts, draw = [], Text.draw
    figure.canvas.draw()  # lays the axes out, once: as in a lesson's own run
    figure.set_layout_engine("none")

    def noting(text, renderer):
        if text.get_visible() and text.get_text().strip():
            texts.append((text.get_text(), text, Text.get_window_extent(text, renderer)))
        draw(text, renderer)

    Text.draw = noting
    try:
        figure.canvas.draw()
    finally:
        Text.draw = draw
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


def check_figure(figure, palette=plots.PALETTE):
    """Raise AssertionError unless the figure can be read from the last row of a lecture room."""
    pixels = figure.get_size_inches() * figure.dpi
    assert tuple(pixels.round()) == (1600, 900), f"the figure has {pixels} pixels"
    texts = drawn_texts(figure)
    for name, text, box in texts:
        assert text.get_fontsize() >= 16, f"{name!r} has {text.get_fontsize()} points"
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 1600 and box.y1 <= 900
        assert inside, f"{name!r} is cut off by the edge: {box}"
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
    heads, savefig = [], Figure.savefig
    for module in "mlp", "transformer":
        if importlib.util.find_spec(f"sublim_mini.{module}"):
            module = importlib.import_module(f"sublim_mini.{module}")
            for name in [n for n in vars(module) if n in ("init_mlp", "init_transformer")]:
                setattr(module, name, noting_inits(getattr(module, name), heads))
    one_page = Path(script).stem == "00_one_page"  # it has its own plot

    def checked_savefig(figure, *arguments, **more):
        check_figure(figure, None if one_page else plots.PALETTE)
        savefig(figure, *arguments, **more)

    Figure.savefig = checked_savefig
    sys.argv = [script, *flags]
    names = runpy.run_path(script, run_name="__main__")
    jax.effects_barrier()
    check_inits(heads, names.get("remade"))
    assert heads or one_page or "sublim_mini.mlp" not in sys.modules, "no initialization was seen"


if __name__ == "__main__":
    main(*sys.argv[1:])
