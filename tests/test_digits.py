"""Drawn digits: what every image must satisfy, and that they can be read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import digits

KEY, N = jax.random.key(100), 2 * digits.CHUNK + 3  # two chunks and a rest
LABELS, FREQUENCIES, _ = map(np.array, zip(*digits.WAYS, strict=True))


@pytest.fixture(scope="module")
def drawn():
    """Images [N, 784] and their labels [N], as NumPy arrays."""
    return tuple(map(np.asarray, digits.draw_digits(KEY, N)))


def test_digits_are_balanced_in_random_order_and_follow_from_the_key(drawn):
    images, labels = drawn
    assert images.shape == (N, 784) and images.dtype == np.float32
    assert labels.shape == (N,) and labels.dtype == np.int32
    assert images.min() == -1 and 0.9 < images.max() <= 1
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10 and counts.max() - counts.min() <= 1
    assert len(set(labels[:20])) > 5 and (labels[:10] != labels[10:20]).any()
    np.testing.assert_array_equal(digits.draw_digits(KEY, N)[0], images)
    other, _ = digits.draw_digits(jax.random.key(101), N)
    assert len(np.unique(np.concatenate([images, other]), axis=0)) == 2 * N


def test_many_are_what_one_draws(drawn):
    images, labels = drawn
    keys = jax.random.split(jax.random.split(KEY)[1], N)
    draw = jax.jit(digits.draw_digit)
    for i in (0, N // 2, N - 1):
        np.testing.assert_allclose(images[i], draw(keys[i], labels[i]), atol=1e-4)


def test_ways_are_drawn_for_their_label_as_often_as_the_table_says(monkeypatch):
    monkeypatch.setattr(digits, "_draw_way", lambda way, noise: way)
    labels = np.arange(20_000) % 10
    ways = jax.vmap(digits.draw_digit)(jax.random.split(KEY, len(labels)), labels)
    np.testing.assert_array_equal(LABELS[ways], labels)
    expected = 2000 * FREQUENCIES / np.bincount(LABELS, FREQUENCIES)[LABELS]
    assert (np.abs(np.bincount(ways, minlength=len(LABELS)) - expected) < 5 * expected**0.5).all()


def test_every_way_has_a_sane_amount_of_ink_inside_the_frame_and_leans_to_the_right():
    noise = jax.random.uniform(KEY, (50, digits.CONTROLS.shape[1] + 7, 2), minval=-1.0)
    noise = noise.at[0].set(0)  # the way itself
    draw = jax.jit(jax.vmap(jax.vmap(digits._draw_way, (None, 0)), (0, None)))
    ink = (np.asarray(draw(jnp.arange(len(LABELS)), noise)).reshape(-1, 50, 28, 28) + 1) / 2
    assert ink[:, :, [0, -1]].max() < 0.1 and ink[:, :, :, [0, -1]].max() < 0.1
    assert 0.02 < ink.mean((2, 3)).min() and ink.mean((2, 3)).max() < 0.4
    assert (ink.max((2, 3)) > 0.7).all()
    where = np.arange(28) - digits.SIDE / 2
    x, y = ((ink.sum(axis) * where).sum(2) / ink.sum((2, 3)) for axis in (2, 3))
    for center in x, y:  # of mass, in pixels from the middle
        assert np.abs(center).max() < digits.SHIFT + 2 and np.abs(center.mean()) < 0.5
    one, seven = (ink[list(LABELS).index(label), 0] for label in (1, 7))
    assert one[6].argmax() > one[21].argmax()  # it leans to the right
    assert seven.sum(1).argmax() < 14  # y points down: its bar is at the top


def test_every_random_number_of_a_hand_moves_the_digit():
    way = (digits.WEIGHTS != 0).any(1).sum(1).argmax()  # with the most control points
    rows = digits.CONTROLS.shape[1] + 7
    noise = 0.3 + 0.4 * np.eye(2 * rows + 1, 2 * rows).reshape(-1, rows, 2)  # one number each
    images = np.asarray(jax.jit(jax.vmap(digits._draw_way, (None, 0)))(way, noise))
    assert (np.abs(images[:-1] - images[-1]).max(1) > 0.05).all()


def test_strokes_pass_through_their_control_points():
    controls, weights, length = digits._parse("0,0 10,0 / 10,0 10,10")
    np.testing.assert_allclose(controls, [[0, 0], [1, 0], [1, 1]])
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert length == pytest.approx(2, rel=0.05)
    points = weights @ controls
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps == pytest.approx(length / digits.N_POINTS, rel=1.0)
    assert np.abs(points - [1, 0]).sum(1).min() < 0.05  # the corner is sharp


def test_ink_is_a_plain_loop():
    points = np.array([[5.0, 9.0], [5.5, 9.2], [20.0, 11.0]], np.float32)
    spacing, pen = 0.5, 1.2
    blur, expected = 0.45 + 0.15 * pen, np.zeros((28, 28))
    for row, column in np.ndindex(28, 28):
        squares = ((points - [column, row]) ** 2).sum(1)
        ink = np.exp(-squares / (2 * blur**2)).sum() * spacing / (np.sqrt(2 * np.pi) * blur)
        expected[row, column] = 1 - 2 * np.exp(-2 * np.exp((pen / blur) ** 2 / 2) * ink)
    np.testing.assert_allclose(digits._ink(points, spacing, pen), expected.ravel(), atol=1e-5)


def test_nearest_mean_reads_new_digits(drawn):
    images, labels = drawn
    means = np.stack([images[:700][labels[:700] == label].mean(0) for label in range(10)])
    distances = ((images[700:, None] - means[None]) ** 2).sum(2)
    assert 0.6 < (distances.argmin(1) == labels[700:]).mean() < 0.95  # readable, but not too easy
