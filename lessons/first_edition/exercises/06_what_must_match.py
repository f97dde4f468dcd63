# %% [markdown]
# # Exercise 06: another point in weight space, the same function
#
# After lesson 06. 15 minutes, medium. Put the units of the first hidden layer in another order:
# unit i of the new network is unit order[i] of the old one. Its outputs must stay as they are.

# %%
import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.first.mlp import apply_mlp, init_mlp


def permuted(params, order):
    """Params of an MLP, order [H] of its first hidden units -> params of the same function."""
    raise NotImplementedError("write permuted, then run this file again")


# %% [markdown]
# ## The check: unit by unit, and by the outputs


# %%
def check(permuted):
    k_params, k_biases, k_inputs = jax.random.split(jax.random.key(106), 3)
    params = init_mlp(k_params, [5, 6, 4, 3])
    params[0]["biases"] = jax.random.normal(k_biases, (6,))
    before = jax.tree.map(np.array, params)
    inputs = jax.random.normal(k_inputs, (7, 5))
    order = jnp.array([3, 0, 5, 1, 2, 4])
    moved = permuted(params, order)
    assert jax.tree.map(np.shape, moved) == jax.tree.map(np.shape, params), "a shape has changed"
    for i, source in enumerate(order):
        weights = moved[0]["weights"][i]
        assert np.array_equal(weights, before[0]["weights"][source]), (
            f"unit {i} should have the weights of unit {source}: a unit is a ROW of weights [O, I]"
        )
        assert moved[0]["biases"][i] == before[0]["biases"][source], "the biases move as well"
    assert np.allclose(apply_mlp(moved, inputs), apply_mlp(before, inputs), atol=1e-5), (
        "the outputs changed: what reads the units must be put in order too. In the next layer "
        "they are the COLUMNS of the weights"
    )
    assert np.array_equal(moved[2]["weights"], before[2]["weights"]), "the last layer should stay"
    same = jax.tree.map(np.array_equal, jax.tree.map(np.array, params), before)
    assert all(jax.tree.leaves(same)), "do not change the params you were given: make new ones"


# %% [markdown]
# **An open question.** Lesson 06 asks whether a student whose start was permuted like this still
# hears its teacher. A published attempt to bring two different networks together permutes the
# units of one until they match the other's best. Would that open the channel between two starts?

# %%
if __name__ == "__main__":
    check(permuted)
    print("All checks pass.")
