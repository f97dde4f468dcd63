# %% [markdown]
# # Exercise 05: noise that lives in k dimensions
#
# After lesson 05. 20 minutes, medium. Make n images of noise that all lie in the same k random
# dimensions of the 784, and whose pixels are as spread out as uniform noise in [-1, 1]: the mean of
# their squares is 1/3. Write it without `confined_noise`.

# %%
import jax
import numpy as np


def noise_in(key, n, k):
    """n images [n, 784] in a k-dimensional subspace; another key, another subspace."""
    raise NotImplementedError("write noise_in, then run this file again")


# %% [markdown]
# ## The check: singular values, counted


# %%
def check(noise_in):
    key, other_key = jax.random.split(jax.random.key(105))
    images = np.asarray(noise_in(key, 400, 10))
    assert images.shape == (400, 784), f"the shape is {images.shape}, not (400, 784)"
    sizes = np.linalg.svd(images, compute_uv=False)
    used = int((sizes > 1e-3 * sizes[0]).sum())
    assert used == 10, f"these images span {used} dimensions, not 10"
    assert (np.abs(images).max(0) > 0).mean() > 0.99, (
        "some pixels are always 0: the k dimensions should be directions, not k of the pixels"
    )
    assert sizes[9] > 0.3 * sizes[0], "the k directions differ too much in size"
    spread = (images**2).mean()
    assert 0.28 < spread < 0.39, (
        f"the mean square of the pixels is {spread:.3f}, not about 1/3: scale by k, or else a low "
        "dose of dimensions is a low dose of everything"
    )
    images_again = np.asarray(noise_in(jax.random.clone(key), 400, 10))
    assert (images == images_again).all(), "the same key should give the same images"
    both = np.concatenate([images, np.asarray(noise_in(other_key, 400, 10))])
    assert np.linalg.matrix_rank(both, tol=1e-3 * sizes[0]) == 20, (
        "another key should have a subspace of its own"
    )


# %% [markdown]
# **An open question.** Real images, too, lie near few dimensions. If you could choose the k
# dimensions, knowing the start but not the teacher, which would carry most? And knowing what the
# teacher learned, but not how?

# %%
if __name__ == "__main__":
    check(noise_in)
    print("All checks pass.")
