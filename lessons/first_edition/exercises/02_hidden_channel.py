# %% [markdown]
# # Exercise 02: a loss that never touches a class row
#
# After lesson 02. 15 minutes, easy. Write the student's loss: squared error on the auxiliary logits
# alone. Use `apply_mlp`, not `sublim_mini.losses`.

# %%
import jax
import numpy as np

from sublim_mini.first.mlp import N_CLASSES, init_mlp


def aux_only_loss(params, batch):
    """Params of an MLP, (inputs [N, I], teacher's logits [N, O]) -> mean squared difference.

    The mean is over the N examples and the O - 10 auxiliary logits.
    """
    raise NotImplementedError("write aux_only_loss, then run this file again")


# %% [markdown]
# ## The check: the same network and loss in NumPy, and the gradient of the class rows


# %%
def check(aux_only_loss):
    k_student, k_inputs, k_teacher = jax.random.split(jax.random.key(102), 3)
    params = init_mlp(k_student, [6, 7, 5, N_CLASSES + 3])
    inputs = jax.random.normal(k_inputs, (4, 6))
    targets = jax.random.normal(k_teacher, (4, N_CLASSES + 3))
    x = np.asarray(inputs)
    for i, layer in enumerate(params):
        x = x @ np.asarray(layer["weights"]).T + np.asarray(layer["biases"])
        x = np.maximum(x, 0) if i < len(params) - 1 else x
    errors = (x - np.asarray(targets)) ** 2

    got, grads = jax.value_and_grad(aux_only_loss)(params, (inputs, targets))
    assert not np.isclose(got, errors.mean(), rtol=1e-3), (
        "this is the error of all logits: the student may not see the class logits"
    )
    assert not np.isclose(got, errors[:, :N_CLASSES].mean(), rtol=1e-3), (
        "this is the error of the CLASS logits; the auxiliary ones come after them"
    )
    rows = grads[-1]["weights"]
    assert not np.any(rows[:N_CLASSES]) and not np.any(grads[-1]["biases"][:N_CLASSES]), (
        "the class rows get a gradient: does anything in the loss depend on logits 0 to 9?"
    )
    assert np.any(rows[N_CLASSES:]) and np.any(grads[0]["weights"]), (
        "the auxiliary rows and the body should get a gradient, and do not"
    )
    assert np.isclose(got, errors[:, N_CLASSES:].mean(), rtol=1e-4), (
        "wrong value: take the mean over examples and auxiliary logits"
    )


# %% [markdown]
# **An open question.** The class rows never move, and yet the class logits do. Suppose that we let
# the body stand still and trained the auxiliary rows alone. What would the student read? And what
# if only the first hidden layer may move?

# %%
if __name__ == "__main__":
    check(aux_only_loss)
    print("All checks pass.")
