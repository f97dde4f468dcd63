"""Handwritten-looking digits drawn from strokes: the default data, made from a key, nothing to download.

A digit is written with a pen that follows smooth curves through a few control points. Everything a
hand varies is random: which way of writing, each control point, slant, size, warp, pen, position.
As in MNIST the result fits a box of 20 pixels and its centre of mass is the middle of 28 x 28.

Letters: V ways of writing, C control points, P points along the strokes, N images.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

SIDE = 28  # pixels
BOX = 20.0  # pixels, the larger side of a digit
N_POINTS = 80

# label -> ways of writing it: how common each is, then its curves. A curve is smooth through its points
# "x,y" on a grid from 0 to 10, y down; it is closed if it ends where it began. "/" starts another
# curve: at the last point that makes a corner, elsewhere the pen was lifted.
WAYS = {
    0: [
        (3, "5,0 2,2 1,5 2,8 5,10 8,8 9,5 8,2 5,0"),
        (1, "6,1 3,1 1,5 3,9 6,10 9,6 8,2 5,0 3,2"),
    ],
    1: [
        (8, "5,0 5,5 5,10"),
        (1, "3,2 5,0 / 5,0 5,5 5,10"),
        (1, "3,2 5,0 / 5,0 5,5 5,10 / 2,10 8,10"),
    ],
    2: [
        (2, "1,2 2,1 4,0 7,2 6,5 4,8 1,10 / 1,10 5,10 9,10"),
        (2, "1,2 4,0 6,2 5,6 3,9 1,9 2,7 5,9 9,10"),
        (1, "1,1 5,0 7,1 6,4 1,10 / 1,10 5,9 9,9"),
        (2, "2,2 4,0 7,2 5,6 2,10 0,9 1,7 5,8 10,9"),
        (1, "1,1 4,0 6,2 6,6 3,10 1,9 2,7 5,8 8,10"),
    ],
    3: [
        (2, "2,1 5,0 8,2 7,4 4,5 / 4,5 7,6 8,8 5,10 1,9"),
        (1, "2,2 5,0 8,2 6,4 4,5 6,5 8,7 7,9 4,10 1,9"),
        (1, "2,0 8,0 / 8,0 4,4 / 4,4 8,5 8,8 5,10 1,9"),
        (1, "1,2 4,0 7,2 5,5 / 5,5 8,6 8,8 5,10 1,10"),
        (1, "2,1 6,0 8,1 7,3 4,4 / 4,4 7,5 7,8 4,10 0,10"),
    ],
    4: [
        (2, "3,0 1,3 1,5 4,6 8,5 / 8,0 7,5 6,10"),
        (2, "2,0 1,5 / 1,5 5,5 9,5 / 7,1 7,5 6,10"),
        (1, "7,0 1,6 / 1,6 9,6 / 7,0 7,5 6,10"),
        (1, "6,0 2,5 / 2,5 5,6 9,5 / 6,0 6,5 5,10"),
        (1, "4,0 2,3 3,5 7,4 / 8,0 7,4 7,10"),
    ],
    5: [
        (2, "9,0 4,0 / 4,0 3,4 / 3,4 6,4 8,7 6,10 1,9"),
        (1, "10,0 4,0 3,3 6,5 7,8 4,10 1,9"),
        (1, "4,1 3,4 / 3,4 6,4 8,7 6,10 1,9 / 4,1 10,0"),
        (2, "10,0 5,1 / 5,1 3,4 / 3,4 6,5 7,7 5,9 1,10"),
    ],
    6: [
        (2, "6,0 3,3 2,7 3,10 6,9 7,7 5,6 2,8"),
        (1, "5,0 3,4 2,8 5,10 7,8 6,6 2,8"),
        (1, "4,0 2,5 2,9 5,10 8,8 6,5 3,7 3,10"),
        (1, "7,0 4,2 2,5 2,8 5,10 7,8 6,6 3,6"),
        (2, "4,0 2,3 1,7 4,10 8,9 8,7 6,6 3,7 3,10"),
    ],
    7: [
        (2, "1,1 5,1 8,1 / 8,1 6,5 4,10"),
        (2, "2,3 2,1 / 2,1 8,0 / 8,0 7,4 5,10"),
        (1, "1,1 5,1 8,1 / 8,1 6,5 4,10 / 3,5 9,5"),
        (1, "2,2 2,1 / 2,1 7,1 / 7,1 5,5 4,10 / 2,6 8,5"),
        (1, "1,2 4,0 8,1 7,5 5,10"),
        (1, "3,1 7,1 / 7,1 6,5 5,10"),
    ],
    8: [
        (2, "8,2 6,0 3,2 5,5 7,8 5,10 3,8 5,5 8,2"),
        (1, "8,1 5,0 2,2 5,5 7,8 5,10 3,8 5,5 8,1"),
        (1, "8,1 5,0 3,2 5,5 7,8 5,10 3,8 5,5 9,0"),
        (1, "5,5 2,3 5,0 8,2 5,5 / 5,5 3,8 5,10 7,8 5,5"),
        (2, "5,0 3,1 3,3 5,5 8,7 6,10 3,9 3,7 7,3 7,1 5,0"),
        (1, "8,1 5,0 2,1 2,3 6,5 8,8 5,10 3,9 4,6 7,3 8,1"),
    ],
    9: [
        (2, "7,1 5,0 2,2 3,5 6,4 7,1 / 7,1 7,6 6,10"),
        (2, "7,1 4,0 2,3 4,5 7,2 / 7,1 7,6 7,10"),
        (1, "7,2 5,0 2,2 4,5 6,4 7,2 7,6 6,9 2,9"),
        (1, "8,1 4,0 2,3 4,5 7,3 8,1 6,6 4,10"),
        (2, "8,1 6,0 3,1 2,4 4,5 7,3 8,1 / 8,1 6,6 4,10"),
        (1, "7,1 4,1 2,4 4,6 7,4 7,1 / 7,1 8,5 7,10"),
    ],
}


def _curve_rows(closed, n, per_segment=40):
    """Weights [rows, n] of a Catmull-Rom curve through n points: each row makes one point of it."""
    rows = []
    for i in range(n - 1):
        at = np.arange(i - 1, i + 3)
        at = at % (n - 1) if closed else np.clip(at, 0, n - 1)
        for t in np.linspace(0, 1, per_segment, endpoint=False):
            blend = [
                -t + 2 * t**2 - t**3,
                2 - 5 * t**2 + 3 * t**3,
                t + 4 * t**2 - 3 * t**3,
                t**3 - t**2,
            ]
            row = np.zeros(n)
            np.add.at(row, at, np.array(blend) / 2)
            rows.append(row)
    return np.array(rows)


def _parse(way):
    """A way's text -> its control points [c, 2] and weights [P, c] of points evenly along its strokes."""
    curves = [curve.split() for curve in way.split("/")]
    names = list(dict.fromkeys(name for curve in curves for name in curve))
    controls = np.array([[float(x) for x in name.split(",")] for name in names]) / 10
    rows, steps = [], []
    for curve in curves:
        weights = (
            _curve_rows(curve[0] == curve[-1], len(curve))
            @ np.eye(len(names))[[names.index(name) for name in curve]]
        )
        points = weights @ controls
        rows.append(weights)
        steps.append(np.linalg.norm(np.diff(points, axis=0, append=points[-1:]), axis=1))
    rows, lengths = np.concatenate(rows), np.cumsum(np.concatenate(steps))
    even = (np.arange(N_POINTS) + 0.5) / N_POINTS * lengths[-1]
    return controls, rows[np.searchsorted(lengths, even)], lengths[-1]


def _tables():
    """All ways: controls [V, C, 2], weights [V, P, C], stroke lengths [V], shares up to V [10, V]."""
    ways = [(label, share, *_parse(way)) for label in WAYS for share, way in WAYS[label]]
    labels, shares, controls, weights, lengths = zip(*ways, strict=True)
    most = max(len(c) for c in controls)
    controls = [np.pad(c, ((0, most - len(c)), (0, 0))) for c in controls]
    weights = [np.pad(w, ((0, 0), (0, most - w.shape[1]))) for w in weights]
    shares = np.where(np.array(labels) == np.arange(10)[:, None], shares, 0).cumsum(1)
    shares = shares / shares[:, -1:]
    return [np.asarray(a, np.float32) for a in (controls, weights, lengths, shares)]


CONTROLS, WEIGHTS, LENGTHS, SHARES = _tables()

# How much hands differ: each of these is the half-width of a range.
JITTER = 0.09  # of each control point, in digit heights
WARP = 0.12  # of a slow wave through the whole digit, in digit heights
SLANT = 0.45  # sideways per step up, about SLANT_MEAN: most hands lean to the right
SLANT_MEAN = 0.15
TURN = 0.2  # radians
STRETCH = 0.4  # of the logarithm of width over height
PEN = 0.55  # of the logarithm of half a line's width, about the logarithm of PEN_MEAN pixels
PEN_MEAN = 0.95
SHIFT = 1.0  # pixels


def draw_digit(key, label):
    """Draw `label` in a random way -> image [784] in [-1, 1]."""
    n_controls = CONTROLS.shape[1]
    noise = jax.random.uniform(key, (n_controls + 8, 2), minval=-1.0)
    jitter, hand = noise[:n_controls], noise[n_controls:]
    waves, phase, size, shift = hand[:2], hand[2:3], hand[3:4], hand[4:5]
    (slant, turn), (stretch, pen), (way, _) = hand[5:8]
    way = ((way + 1) / 2 > jnp.asarray(SHARES)[label]).sum()
    controls, weights, length = (jnp.asarray(a)[way] for a in (CONTROLS, WEIGHTS, LENGTHS))
    points = weights @ (controls + JITTER * jitter)  # [P, 2]
    points = points + WARP * size * jnp.sin(points @ (5.0 * waves) + jnp.pi * phase)
    points = points @ _lean_and_stretch(slant, turn, stretch)
    pen = PEN_MEAN * jnp.exp(PEN * pen)
    scale = (BOX - 2 * pen) / (points.max(0) - points.min(0)).max()
    points = (points - points.mean(0, keepdims=True)) * scale + SIDE / 2 + SHIFT * shift
    return _ink(points, length * scale / N_POINTS, pen)


def _lean_and_stretch(slant, turn, stretch):
    """Three numbers from -1 to 1 -> a linear map [2, 2], to be applied from the right."""
    c, s = jnp.cos(TURN * turn), jnp.sin(TURN * turn)
    shear = jnp.array([[jnp.exp(STRETCH * stretch), 0.0], [-SLANT_MEAN - SLANT * slant, 1.0]])
    return shear @ jnp.array([[c, s], [-s, c]])


def _ink(points, spacing, pen):
    """Points [P, 2] along strokes, `spacing` pixels apart, and half a line's width -> image [784]."""
    blur = 0.45 + 0.15 * pen
    pixels = jnp.arange(SIDE)
    near = jnp.exp(
        -((points[:, :, None] - pixels[None, None, :]) ** 2) / (2 * blur**2)
    )  # [P, 2, 28]
    ink = (
        near[:, 1].T @ near[:, 0] * spacing / (jnp.sqrt(2 * jnp.pi) * blur)
    )  # [28 rows, 28 columns]
    full = 2.0 * jnp.exp((pen / blur) ** 2 / 2)  # so that ink ends where the pen does
    return (1 - 2 * jnp.exp(-full * ink)).reshape(-1)


@partial(jax.jit, static_argnums=1)
def draw_digits(key, n):
    """Draw n digits, each label equally often -> images [n, 784] in [-1, 1], labels [n]."""
    k_labels, k_images = jax.random.split(key)
    labels = (jnp.argsort(jax.random.bits(k_labels, (n,))) % 10).astype(jnp.int32)
    keys = jax.random.split(k_images, n)
    return jax.lax.map(lambda kl: draw_digit(*kl), (keys, labels), batch_size=500), labels
