"""Student inputs against SciPy, ranks and sorted pixels."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from sublim_mini.inputs import blur, confined_noise, mix, shuffle_pixels, uniform_noise


def test_blur_is_a_gaussian_filter_with_the_old_spread(key):
    images = uniform_noise(key, 3)
    blurred = np.asarray(blur(images, 1.0)).reshape(3, 28, 28)
    middle = slice(6, -6)  # SciPy treats the border in another way
    scipy = ndimage.gaussian_filter(np.asarray(images).reshape(3, 28, 28), (0, 1, 1), truncate=8)
    ratio = blurred[:, middle, middle] / scipy[:, middle, middle]
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)
    assert np.isclose(blurred.std(), images.std(), rtol=1e-4)


def test_confined_noise_has_k_dimensions_and_the_spread_of_uniform_noise(key):
    noise = np.asarray(confined_noise(key, 500, 20))
    assert np.linalg.matrix_rank(noise, tol=1e-3) == 20
    assert abs(noise.std() - 1 / np.sqrt(3)) < 0.05


def test_shuffled_pixels_are_the_same_pixels_each_image_in_its_own_order(key):
    images = jnp.tile(jnp.arange(784.0)[None], (2, 1))
    shuffled = np.asarray(shuffle_pixels(key, images))
    np.testing.assert_array_equal(np.sort(shuffled), images)
    assert (shuffled[0] != shuffled[1]).mean() > 0.9


def test_mix_is_all_of_one_or_all_of_the_other(key):
    a, b = (uniform_noise(k, 2) for k in jax.random.split(key))
    np.testing.assert_array_equal(mix(a, b, 1.0), a)
    np.testing.assert_array_equal(mix(a, b, 0.0), b)
    np.testing.assert_allclose(mix(a, b, 0.25), 0.25 * a + 0.75 * b, rtol=1e-6)
