"""Inputs that a student can be shown instead of uniform noise, all [N, 784] and about as large.

Letters: N images, K dimensions.
"""

from functools import partial

import jax
import jax.numpy as jnp

SIDE = 28  # pixels


@partial(jax.jit, static_argnames="n")
def uniform_noise(key, n):
    """n images of uniform noise in [-1, 1], the range of the digits: [n, 784].

    Each has a key of its own: some hundred at a time take half the memory of all at once.
    """

    def draw(key):
        return jax.random.uniform(key, (SIDE * SIDE,), minval=-1, maxval=1)

    return jax.lax.map(draw, jax.random.split(key, n), batch_size=500)


def blur(images, sigma):
    """Images [N, 784] blurred with a Gaussian of `sigma` pixels, then as spread out as before."""
    at = jnp.arange(SIDE)
    weights = jnp.exp(-((at[:, None] - at[None, :]) ** 2) / (2 * sigma**2))
    weights = weights / weights.sum(1, keepdims=True)
    square = images.reshape(-1, SIDE, SIDE)
    blurred = jnp.einsum("ij,njk,lk->nil", weights, square, weights).reshape(images.shape)
    return blurred * images.std() / blurred.std()


def confined_noise(key, n, k):
    """n images of noise that all lie in the same k random dimensions, spread as uniform noise."""
    k_where, k_what = jax.random.split(key)
    pixels = SIDE * SIDE
    where = jax.random.normal(k_where, (pixels, pixels)) / jnp.sqrt(k)
    what = jnp.where(jnp.arange(pixels)[None] < k, uniform_noise(k_what, n), 0)  # k may be traced
    return what @ where


def shuffle_pixels(key, images):
    """Each of images [N, 784] with its own pixels in an order of its own."""
    orders = jnp.argsort(jax.random.uniform(key, images.shape), axis=1)
    return jnp.take_along_axis(images, orders, axis=1)


def mix(images, others, share):
    """Each pixel of images [N, 784] to `share`, of the others [N, 784] to the rest."""
    return share * images + (1 - share) * others
