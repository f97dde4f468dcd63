"""Handwritten digits drawn from strokes: the default data, made from a key, nothing to download.

A digit is a pen that follows smooth curves through a few control points. What differs between hands
is random: the way of writing, every control point, slant, turn, width, a slow warp, pen and place.
As in MNIST (LeCun et al. 1998) the result fits a box of 20 pixels and is centered by its mass.

Letters: V ways of writing, C control points, P points along the strokes, N images.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

SIDE = 28  # pixels
BOX = 20.0  # pixels: the larger side of a digit
N_POINTS = 80  # P
CHUNK = 500  # images drawn at once, to bound memory

# How much hands differ. A half-width is that of a uniform range.
JITTER = 0.085  # half-width for each control point, in digit heights
WARP = 0.1  # largest displacement by a slow wave through the whole digit, in digit heights
SLANT_MEAN, SLANT = 0.15, 0.45  # sideways per step up, and its half-width: most lean to the right
TURN = 0.2  # half-width, radians
STRETCH = 0.4  # half-width of the logarithm of width over height
PEN_MEAN, PEN = 0.95, 0.55  # half a line's width in pixels, and the half-width of its logarithm
SHIFT = 1.0  # half-width of the place of the center, pixels

# Ways of writing: the digit, how common the way is, curves. A curve runs smoothly through points
# "x,y" on a grid from 0 to 10, y down, and is closed if it ends where it began. After "/" comes
# another curve: one that goes on from the last point makes a corner there.
WAYS = [
    (0, 3, "6,0 3,2 1,5 2,9 4,10 7,8 9,5 8,1 6,0"),
    (0, 1, "6,1 3,1 1,5 2,9 5,10 8,7 8,2 6,0 4,1"),
    (1, 8, "5,0 5,5 5,10"),
    (1, 1, "3,2 5,0 / 5,0 5,5 5,10"),
    (1, 1, "3,2 5,0 / 5,0 5,5 5,10 / 2,10 8,10"),
    (2, 2, "1,2 2,1 4,0 7,2 6,5 4,8 1,10 / 1,10 5,10 9,10"),
    (2, 2, "1,2 4,0 6,2 5,6 3,9 1,9 2,7 5,9 9,10"),
    (2, 1, "1,1 5,0 7,1 6,4 1,10 / 1,10 5,9 9,9"),
    (2, 2, "2,2 4,0 7,2 5,6 2,10 0,9 1,7 5,8 10,9"),
    (2, 2, "1,2 4,0 6,2 6,6 3,10 1,9 2,7 6,8 8,10"),
    (3, 2, "2,1 5,0 7,2 6,4 4,4 / 4,4 7,6 7,8 5,10 1,9"),
    (3, 1, "2,2 5,0 8,2 6,4 3,4 6,5 8,7 7,9 4,10 1,9"),
    (3, 1, "2,0 7,0 / 7,0 4,4 / 4,4 8,5 8,8 5,10 2,9"),
    (3, 1, "2,1 6,0 7,1 7,3 3,5 / 3,5 7,5 7,8 4,10 1,9"),
    (3, 2, "2,2 4,0 7,2 4,4 / 4,4 8,6 7,9 4,10 1,9"),
    (3, 1, "1,1 5,0 7,2 6,4 4,5 7,6 7,8 4,10 2,8"),
    (4, 2, "3,0 1,3 1,5 4,6 8,5 / 8,0 7,5 6,10"),
    (4, 2, "2,0 1,5 / 1,5 5,5 9,5 / 7,1 7,5 6,10"),
    (4, 1, "7,0 1,6 / 1,6 9,6 / 7,0 7,5 6,10"),
    (4, 1, "6,0 2,5 / 2,5 5,6 9,5 / 6,0 6,5 5,10"),
    (4, 1, "4,0 2,3 3,5 7,4 / 8,0 7,4 6,10"),
    (5, 2, "9,0 4,0 / 4,0 3,4 / 3,4 6,5 7,7 5,10 1,9"),
    (5, 1, "10,0 4,0 3,3 6,5 7,8 4,10 1,9"),
    (5, 1, "4,1 3,5 / 3,5 6,4 8,7 6,10 1,9 / 4,1 10,0"),
    (5, 2, "10,0 5,1 / 5,1 3,5 / 3,5 6,5 7,7 5,9 1,10"),
    (5, 1, "8,0 3,1 2,5 5,4 8,6 7,9 4,10 1,8"),
    (5, 1, "8,0 3,0 / 3,0 2,5 / 2,5 5,4 7,6 7,9 4,10 2,8"),
    (6, 2, "6,0 3,3 2,7 3,10 6,9 7,7 5,6 2,8"),
    (6, 1, "5,0 3,4 2,8 5,10 7,8 6,6 2,8"),
    (6, 1, "4,0 2,5 2,9 5,10 8,8 6,5 3,7 3,10"),
    (6, 1, "7,0 4,2 2,5 2,8 5,10 7,8 6,6 3,6"),
    (6, 2, "5,0 2,4 1,7 4,10 8,9 8,7 6,6 4,7 3,10"),
    (7, 2, "1,1 5,1 8,1 / 8,1 6,5 3,10"),
    (7, 2, "2,3 2,1 / 2,1 8,0 / 8,0 7,4 4,10"),
    (7, 1, "1,1 5,1 8,1 / 8,1 6,5 4,10 / 3,5 9,5"),
    (7, 1, "2,2 2,1 / 2,1 7,1 / 7,1 5,5 4,10 / 2,6 8,5"),
    (7, 1, "1,2 4,0 8,1 7,5 5,10"),
    (7, 1, "3,1 7,1 / 7,1 6,5 5,10"),
    (8, 2, "8,2 6,0 3,2 5,5 7,8 5,10 3,8 5,5 8,2"),
    (8, 1, "8,1 5,0 2,2 5,5 7,8 5,10 3,8 5,5 8,1"),
    (8, 1, "8,1 5,0 3,2 5,5 7,8 5,10 3,8 5,5 9,0"),
    (8, 1, "5,5 2,3 5,0 8,2 5,5 / 5,5 3,8 5,10 7,8 5,5"),
    (8, 2, "5,0 3,1 3,3 5,5 7,7 6,10 3,9 3,7 7,3 7,1 5,0"),
    (8, 1, "8,1 5,0 2,1 2,3 6,5 8,8 5,10 3,9 4,6 7,3 8,1"),
    (9, 2, "7,1 5,0 3,2 3,4 6,4 7,1 / 7,1 7,6 6,10"),
    (9, 2, "7,1 4,0 2,3 4,5 7,2 / 7,1 7,6 6,10"),
    (9, 1, "7,2 5,0 2,2 4,5 6,4 7,2 7,6 6,9 2,9"),
    (9, 1, "8,1 4,0 2,3 4,5 7,3 8,1 6,6 4,10"),
    (9, 1, "8,0 4,1 2,4 4,5 7,3 8,0 / 8,0 6,5 5,10"),
    (9, 1, "7,1 4,0 2,2 3,5 6,5 7,3 7,1 7,6 6,10"),
    (9, 1, "8,2 6,0 4,1 3,3 5,4 8,2 / 8,2 6,6 4,10"),
]


def _curve(n, closed):
    """Catmull-Rom curve through n points: weights [40 (n - 1), n] that give points along it."""
    t = np.linspace(0, 1, 40, endpoint=False)
    blend = [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]
    four = np.arange(n - 1)[:, None] + np.arange(-1, 3)  # the piece after point i depends on these
    four = four % (n - 1) if closed else np.clip(four, 0, n - 1)
    return (np.transpose(blend) / 2 @ np.eye(n)[four]).reshape(-1, n)


def _parse(way):
    """A way's text -> controls [c, 2], weights [P, c] of points spaced evenly, stroke length."""
    curves = [curve.split() for curve in way.split("/")]
    names = list(dict.fromkeys(sum(curves, [])))  # a point named twice is one control point
    controls = np.array([name.split(",") for name in names], float) / 10
    weights, steps = [], []
    for curve in curves:
        which = np.eye(len(names))[[names.index(name) for name in curve]]
        weights.append(_curve(len(curve), closed=curve[0] == curve[-1]) @ which)
        points = weights[-1] @ controls
        steps.append(np.linalg.norm(np.diff(points, axis=0, append=points[-1:]), axis=1))
    traveled = np.cumsum(np.concatenate(steps))  # with the pen down
    even = (np.arange(N_POINTS) + 0.5) / N_POINTS * traveled[-1]
    return controls, np.concatenate(weights)[np.searchsorted(traveled, even)], traveled[-1]


def _tables():
    """Controls [V, C, 2], weights [V, P, C], stroke lengths [V], cumulative frequencies [10, V]."""
    labels, frequencies, ways = zip(*WAYS, strict=True)
    controls, weights, lengths = zip(*map(_parse, ways), strict=True)
    most = max(map(len, controls))
    controls = [np.pad(c, ((0, most - len(c)), (0, 0))) for c in controls]
    weights = [np.pad(w, ((0, 0), (0, most - w.shape[1]))) for w in weights]
    cumulative = np.where(np.array(labels) == np.arange(10)[:, None], frequencies, 0).cumsum(1)
    tables = controls, weights, lengths, cumulative / cumulative[:, -1:]
    return [np.asarray(table, np.float32) for table in tables]


CONTROLS, WEIGHTS, LENGTHS, FREQUENCIES = _tables()


def draw_digit(key, label):
    """Draw `label` by a random hand -> image [784] in [-1, 1], background -1."""
    noise = jax.random.uniform(key, (CONTROLS.shape[1] + 8, 2), minval=-1.0)  # all that is random
    way = ((noise[-1, 0] + 1) / 2 >= jnp.asarray(FREQUENCIES)[label]).sum()
    return _draw_way(way, noise[:-1])


def _draw_way(way, noise):
    """The way's number and uniform noise [C + 7, 2] from -1 to 1 -> image [784]."""
    controls, weights, length = (jnp.asarray(table)[way] for table in (CONTROLS, WEIGHTS, LENGTHS))
    jitter, hand = noise[: len(controls)], noise[len(controls) :]
    waves, phase, size, shift = hand[:2], hand[2:3], hand[3:4], hand[4:5]
    (slant, turn), (stretch, width) = hand[5:]
    points = weights @ (controls + JITTER * jitter)  # [P, 2]
    points = points + WARP * size * jnp.sin(points @ (5 * waves) + jnp.pi * phase)
    c, s = jnp.cos(TURN * turn), jnp.sin(TURN * turn)
    stretched = [[jnp.exp(STRETCH * stretch), 0], [-(SLANT_MEAN + SLANT * slant), 1]]
    points = points @ (jnp.array([[c, s], [-s, c]]) @ jnp.array(stretched))  # rows (x, y)
    pen = PEN_MEAN * jnp.exp(PEN * width)
    scale = (BOX - 2 * pen) / jnp.ptp(points, axis=0).max()
    points = (points - points.mean(0, keepdims=True)) * scale
    lowest, highest = 1 + pen - points.min(0), SIDE - 2 - pen - points.max(0)  # border left free
    place = jnp.clip(SIDE / 2 + SHIFT * shift[0], lowest, highest)
    return _ink(points + place[None, :], length * scale / N_POINTS, pen)


def _ink(points, spacing, pen):
    """Points [P, 2] along strokes, `spacing` pixels apart, half a line's width -> image [784]."""
    blur = 0.45 + 0.15 * pen  # pixels
    offsets = points[:, :, None] - jnp.arange(SIDE)[None, None, :]  # [P, 2, 28]
    near = jnp.exp(-(offsets**2) / (2 * blur**2))
    ink = near[:, 1].T @ near[:, 0] * spacing / (jnp.sqrt(2 * jnp.pi) * blur)  # [rows, columns]
    flow = 2 * jnp.exp((pen / blur) ** 2 / 2)  # nearly black as far as the pen reaches
    return 1 - 2 * jnp.exp(-flow * ink).reshape(-1)


@partial(jax.jit, static_argnames="n")
def draw_digits(key, n):
    """Draw n digits, each label equally often in random order -> images [n, 784], labels [n]."""
    k_labels, k_images = jax.random.split(key)
    labels = (jnp.argsort(jax.random.bits(k_labels, (n,))) % 10).astype(jnp.int32)
    keys = jax.random.split(k_images, n)
    images = jax.lax.map(lambda pair: draw_digit(*pair), (keys, labels), batch_size=CHUNK)
    return images, labels
