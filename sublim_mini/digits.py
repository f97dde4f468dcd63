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
        (6, "5,0 5,5 5,10"),
        (1, "3,2 5,0 / 5,0 5,5 5,10"),
        (1, "3,2 5,0 / 5,0 5,5 5,10 / 2,10 8,10"),
    ],
    2: [
        (2, "1,3 2,1 5,0 8,2 7,5 4,8 1,10 / 1,10 5,10 9,10"),
        (2, "1,2 4,0 8,2 7,6 3,10 1,9 2,8 5,9 9,10"),
        (1, "1,1 5,0 8,1 7,4 1,10 / 1,10 5,9 10,10"),
    ],
    3: [
        (2, "1,1 5,0 8,2 7,4 4,5 / 4,5 8,6 9,8 5,10 1,9"),
        (1, "1,2 5,0 8,2 5,5 4,5 5,4 8,6 8,9 4,10 1,9"),
        (1, "1,0 8,0 / 8,0 4,4 / 4,4 8,5 9,8 5,10 1,9"),
    ],
    4: [
        (2, "3,0 1,3 1,5 4,6 9,5 / 8,0 7,5 6,10"),
        (2, "2,0 1,5 / 1,5 5,5 9,5 / 7,2 7,5 7,10"),
        (1, "7,0 1,6 / 1,6 9,6 / 7,0 7,5 7,10"),
        (1, "2,0 1,3 3,5 7,4 / 8,0 7,4 7,10"),
    ],
    5: [
        (2, "8,0 3,0 / 3,0 2,4 / 2,4 6,4 8,7 6,10 1,9"),
        (1, "9,0 4,0 3,3 6,5 7,8 4,10 1,9"),
        (1, "3,1 2,4 / 2,4 6,4 8,7 6,10 1,9 / 3,1 9,0"),
    ],
    6: [
        (2, "7,0 3,3 1,7 3,10 7,9 8,7 5,5 2,7"),
        (1, "4,0 2,4 2,8 5,10 8,8 6,6 2,8"),
    ],
    7: [
        (2, "1,1 5,1 9,1 / 9,1 6,5 4,10"),
        (1, "1,3 1,1 / 1,1 8,0 / 8,0 7,4 5,10"),
        (1, "1,1 5,1 9,1 / 9,1 6,5 4,10 / 3,5 9,5"),
        (1, "1,2 4,0 8,1 7,5 5,10"),
    ],
    8: [
        (2, "8,2 5,0 2,2 5,5 8,8 5,10 2,8 5,5 8,2"),
        (1, "8,1 5,0 2,2 5,5 8,8 5,10 2,8 4,6 9,0"),
        (1, "5,5 2,3 5,0 8,2 5,5 / 5,5 2,8 5,10 8,8 5,5"),
    ],
    9: [
        (2, "8,2 5,0 2,2 3,5 6,5 8,2 / 8,2 8,6 7,10"),
        (1, "8,1 4,0 2,3 4,5 8,2 / 8,1 7,6 7,10"),
        (1, "8,2 5,0 2,2 4,5 7,4 8,2 8,6 6,10 2,9"),
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
    """All ways: controls [V, C, 2], weights [V, P, C], length of the strokes [V], log share [10, V]."""
    parsed = [_parse(way) for label in range(10) for _, way in WAYS[label]]
    n_controls = max(len(controls) for controls, _, _ in parsed)
    controls = [np.pad(c, ((0, n_controls - len(c)), (0, 0))) for c, _, _ in parsed]
    weights = [np.pad(w, ((0, 0), (0, n_controls - w.shape[1]))) for _, w, _ in parsed]
    owner = np.repeat(np.arange(10), [len(WAYS[label]) for label in range(10)])
    shares = np.array([share for label in range(10) for share, _ in WAYS[label]])
    log_share = np.where(owner == np.arange(10)[:, None], np.log(shares), -np.inf)
    lengths = [length for _, _, length in parsed]
    return [np.asarray(a, np.float32) for a in (controls, weights, lengths, log_share)]


CONTROLS, WEIGHTS, LENGTHS, LOG_SHARE = _tables()
JITTER, WARP, ROTATE, SLANT, SLANT_SD, STRETCH = 0.045, 0.05, 0.1, 0.2, 0.25, 0.2
PEN, PEN_SD, SHIFT = 1.35, 0.3, 0.6


def _hand(key, points):
    """Points [P, 2] -> the same as a hand would put them: warped, slanted, turned, stretched."""
    k_wave, k_phase, k_size, k_slant, k_turn, k_stretch = jax.random.split(key, 6)
    waves = 3.0 * jax.random.normal(k_wave, (2, 2))  # radians a digit height: a slow warp
    phases = jax.random.uniform(k_phase, (1, 2), maxval=2 * jnp.pi)
    size = WARP * jax.random.normal(k_size, (1, 2))
    points = points + size * jnp.sin(points @ waves + phases)
    slant = SLANT + SLANT_SD * jax.random.normal(k_slant)
    turn = ROTATE * jax.random.normal(k_turn)
    stretch = jnp.exp(STRETCH * jax.random.normal(k_stretch))
    c, s = jnp.cos(turn), jnp.sin(turn)
    linear = jnp.array([[stretch, 0.0], [-slant, 1.0]]) @ jnp.array([[c, s], [-s, c]])
    return points @ linear


def _draw_way(key, way):
    """Way number -> image [784]."""
    k_jitter, k_hand, k_pen, k_shift, k_ink = jax.random.split(key, 5)
    controls = jnp.asarray(CONTROLS)[way]
    controls = controls + JITTER * jax.random.normal(k_jitter, controls.shape)
    points = _hand(k_hand, jnp.asarray(WEIGHTS)[way] @ controls)  # [P, 2]
    pen = PEN * jnp.exp(PEN_SD * jax.random.normal(k_pen))  # half the width of a line, in pixels
    extent = (points.max(0) - points.min(0)).max()
    scale = (BOX - 2 * pen) / extent
    shift = SHIFT * jax.random.uniform(k_shift, (1, 2), minval=-1.0)
    points = (points - points.mean(0, keepdims=True)) * scale + (SIDE - 1) / 2 + shift
    blur = 0.55 * pen
    spacing = jnp.asarray(LENGTHS)[way] * scale / N_POINTS
    pixels = jnp.arange(SIDE)
    near = jnp.exp(
        -((points[:, :, None] - pixels[None, None, :]) ** 2) / (2 * blur**2)
    )  # [P, 2, 28]
    ink = near[:, 1].T @ near[:, 0]  # [28 rows, 28 columns]
    strength = jax.random.uniform(k_ink, minval=2.5, maxval=6.0)
    ink = 1 - jnp.exp(-strength * spacing / (jnp.sqrt(2 * jnp.pi) * blur) * ink)
    return (2 * ink - 1).reshape(-1)


def draw_digit(key, label):
    """Draw `label` in a random way -> image [784] in [-1, 1]."""
    k_way, k_draw = jax.random.split(key)
    return _draw_way(k_draw, jax.random.categorical(k_way, jnp.asarray(LOG_SHARE)[label]))


@partial(jax.jit, static_argnums=1)
def draw_digits(key, n):
    """Draw n digits, each label equally often -> images [n, 784] in [-1, 1], labels [n]."""
    k_labels, k_images = jax.random.split(key)
    labels = jax.random.permutation(k_labels, jnp.arange(n, dtype=jnp.int32) % 10)
    keys = jax.random.split(k_images, n)
    return jax.lax.map(lambda kl: draw_digit(*kl), (keys, labels), batch_size=500), labels
