# %% [markdown]
# # Exercise 04: take one direction out of an update
#
# After lesson 04. 15 minutes, medium. Remove from an update what lies along the digit gradient, but
# only where the two agree (their product is positive). Both are trees of arrays, and count as one
# long vector. Use `jax.tree.map` or `ravel_pytree`, not `sublim_mini.measures`.

# %%
import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from sublim_mini.first.mlp import init_mlp


def without(update, direction):
    """Two trees of the same shapes -> the update, its part along the direction removed."""
    raise NotImplementedError("write without, then run this file again")


# %% [markdown]
# ## The check: a least-squares fit of the update by the direction leaves what should be left


# %%
def check(without):
    k_update, k_direction = jax.random.split(jax.random.key(104))
    update, direction = (init_mlp(k, [4, 3, 2]) for k in (k_update, k_direction))
    if np.dot(*(ravel_pytree(tree)[0] for tree in (update, direction))) < 0:
        update = jax.tree.map(lambda x: -x, update)  # from here on the two agree
    flat, along = (np.asarray(ravel_pytree(tree)[0], float) for tree in (update, direction))
    left = flat - along * np.linalg.lstsq(along[:, None], flat, rcond=None)[0]

    got = without(update, direction)
    assert jax.tree.structure(got) == jax.tree.structure(update), "return a tree like the update"
    got = np.asarray(ravel_pytree(got)[0])
    inner = float(got @ along) / np.linalg.norm(along) ** 2
    assert abs(inner) < 1e-4, (
        f"{inner:.2f} of the direction is left: divide the product by direction . direction"
    )
    assert np.allclose(got, left, atol=1e-4), (
        "the result is orthogonal, but more is gone than the one direction: is it taken out of "
        "each array on its own? All arrays together are one vector"
    )
    against = jax.tree.map(lambda x: -x, update)
    kept = ravel_pytree(without(against, direction))[0]
    assert np.allclose(kept, -flat, atol=1e-6), (
        "where the update points away from the direction, it should stay as it is"
    )
    zero = jax.tree.map(lambda x: 0 * x, direction)
    assert np.allclose(ravel_pytree(without(update, zero))[0], flat), (
        "a direction of zeros should change nothing (and not give nan)"
    )


# %% [markdown]
# **An open question.** You can only take out a direction that you know. If the trait were one you
# never thought of, what could you project out instead, and what would it cost?

# %%
if __name__ == "__main__":
    check(without)
    print("All checks pass.")
