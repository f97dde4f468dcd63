"""Drawn digits: what every image must satisfy, and that they can be read."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import digits

WAYS = [(label, way) for label in digits.WAYS for way in range(len(digits.WAYS[label]))]
N = 4 * digits.CHUNK + 3  # four chunks and a rest


@pytest.fixture(scope="module")
def drawn():
    """Images [N, 784] and their labels [N], as NumPy arrays."""
    images, labels = digits.draw_digits(jax.random.key(100), N)
    return np.asarray(images), np.asarray(labels)


def test_shapes_types_and_range(drawn):
    images, labels = drawn
    assert images.shape == (N, 784) and images.dtype == np.float32
    assert labels.shape == (N,) and labels.dtype == np.int32
    assert images.min() == -1 and 0.9 < images.max() <= 1


def test_labels_are_balanced_and_in_random_order(drawn):
    _, labels = drawn
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10 and counts.max() - counts.min() <= 1
    assert len(set(labels[:20])) > 5 and (labels[:10] != labels[10:20]).any()


def test_same_key_same_digits_other_key_other_digits(drawn):
    again, labels = digits.draw_digits(jax.random.key(100), N)
    np.testing.assert_array_equal(again, drawn[0])
    np.testing.assert_array_equal(labels, drawn[1])
    other, _ = digits.draw_digits(jax.random.key(101), N)
    assert (np.abs(np.asarray(other) - drawn[0]).max(1) > 0.5).all()


def test_no_two_digits_are_the_same(drawn):
    assert len(np.unique(drawn[0], axis=0)) == N


def test_many_are_what_one_draws(drawn):
    images, labels = drawn
    keys = jax.random.split(jax.random.split(jax.random.key(100))[1], N)
    draw = jax.jit(digits.draw_digit)
    for i in (0, N // 2, N - 1):
        np.testing.assert_allclose(images[i], draw(keys[i], labels[i]), atol=1e-4)


@pytest.fixture(scope="module")
def by_way():
    """100 images of every way of writing [V, 100, 28, 28]."""
    n_rows = digits.CONTROLS.shape[1] + 7
    noise = jax.random.uniform(jax.random.key(103), (100, n_rows, 2), minval=-1.0)
    draw = jax.vmap(jax.vmap(digits._draw_way, (None, 0)), (0, None))
    return np.asarray(jax.jit(draw)(jnp.arange(len(WAYS)), noise)).reshape(len(WAYS), 100, 28, 28)


def test_every_way_stays_inside_the_frame(by_way):
    ink = (by_way + 1) / 2
    border = np.maximum(ink[:, :, [0, -1]].max((2, 3)), ink[:, :, :, [0, -1]].max((2, 3)))
    assert border.max() < 0.1


def test_every_way_has_a_sane_amount_of_ink_in_the_middle(by_way):
    ink = (by_way + 1) / 2
    assert 0.02 < ink.mean((2, 3)).min() and ink.mean((2, 3)).max() < 0.4
    assert (ink.max((2, 3)) > 0.7).all()
    where = np.arange(28) - digits.SIDE / 2
    for axis in (2, 3):  # the center of mass, in pixels from the middle
        center = (ink.sum(axis) * where).sum(2) / ink.sum((2, 3))
        assert np.abs(center).max() < digits.SHIFT + 2 and np.abs(center.mean()) < 0.5


def test_every_way_is_chosen_for_its_label_only():
    rows = np.diff(digits.FREQUENCIES, axis=1, prepend=0)
    for label, row in enumerate(rows):
        frequencies = np.array([frequency for frequency, _ in digits.WAYS[label]])
        mine = [owner == label for owner, _ in WAYS]
        np.testing.assert_allclose(row[mine], frequencies / frequencies.sum(), atol=1e-6)
        assert (row[np.logical_not(mine)] == 0).all()


def test_strokes_pass_through_their_control_points():
    controls, weights, length = digits._parse("0,0 10,0 / 10,0 10,10")
    np.testing.assert_allclose(controls, [[0, 0], [1, 0], [1, 1]])
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert length == pytest.approx(2, rel=0.05)
    points = weights @ controls
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert steps == pytest.approx(length / digits.N_POINTS, rel=1.0)
    assert np.abs(points - [1, 0]).sum(1).min() < 0.05  # the corner is sharp


def test_a_slanted_stroke_leans_to_the_right_and_y_points_down():
    points = jnp.array([[0.0, -1.0], [0.0, 1.0]]) @ digits._linear_map(1.0, 0.0, 0.0)
    assert points[0, 0] > points[1, 0] and points[0, 1] < points[1, 1]


def test_ink_against_a_plain_loop():
    points = np.array([[5.0, 9.0], [5.5, 9.2], [20.0, 11.0]], np.float32)
    spacing, pen = 0.5, 1.2
    blur = 0.45 + 0.15 * pen
    expected = np.zeros((28, 28))
    for row in range(28):
        for column in range(28):
            squares = ((points - [column, row]) ** 2).sum(1)
            ink = np.exp(-squares / (2 * blur**2)).sum() * spacing / (np.sqrt(2 * np.pi) * blur)
            expected[row, column] = 1 - 2 * np.exp(-2 * np.exp((pen / blur) ** 2 / 2) * ink)
    np.testing.assert_allclose(digits._ink(points, spacing, pen), expected.ravel(), atol=1e-5)


def test_nearest_mean_reads_held_out_digits(drawn):
    images, labels = drawn
    means = np.stack([images[:1500][labels[:1500] == label].mean(0) for label in range(10)])
    distances = ((images[1500:, None] - means[None]) ** 2).sum(2)
    assert 0.6 < (distances.argmin(1) == labels[1500:]).mean() < 0.95  # readable, but not too easy
