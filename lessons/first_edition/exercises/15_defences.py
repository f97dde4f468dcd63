# %% [markdown]
# # Exercise 15: hold a student to its start
#
# After lesson 15. 15 minutes, medium. A defence: the student's loss is the squared error on the
# auxiliary logits, plus a weight times KL(start || student) of the class logits on the same inputs.
# So it may follow the teacher as long as it goes on *classifying* as its start did.

# %%
import jax
import numpy as np
from scipy.special import softmax
from scipy.stats import entropy

from sublim_mini.first.losses import aux_mse_loss
from sublim_mini.first.measures import add
from sublim_mini.first.mlp import N_CLASSES, apply_mlp, init_mlp


def held_loss(params, batch, start, weight):
    """Params, (inputs [N, I], teacher's logits [N, O]), the start's params, weight -> a number."""
    raise NotImplementedError("write held_loss, then run this file again")


# %% [markdown]
# ## The check: SciPy's relative entropy; and what the penalty does to the very first step


# %%
def check(held_loss):
    k_start, k_move, k_inputs, k_teacher = jax.random.split(jax.random.key(115), 4)
    sizes = [6, 8, N_CLASSES + 3]
    start = init_mlp(k_start, sizes)
    student = add(start, init_mlp(k_move, sizes), 0.3)
    inputs = jax.random.normal(k_inputs, (5, 6))
    batch = inputs, jax.random.normal(k_teacher, (5, N_CLASSES + 3))
    plain = float(aux_mse_loss(student, batch))
    assert np.isclose(held_loss(student, batch, start, 0.0), plain, rtol=1e-4), (
        "with weight 0 it should be the squared error on the auxiliary logits"
    )
    at_start = held_loss(start, batch, start, 5.0) - aux_mse_loss(start, batch)
    assert abs(at_start) < 1e-5, "at the start itself there should be no penalty"

    p, q = (softmax(np.asarray(apply_mlp(m, inputs))[:, :N_CLASSES], 1) for m in (start, student))
    added = (float(held_loss(student, batch, start, 2.0)) - plain) / 2
    assert not np.isclose(added, entropy(q, p, axis=1).mean(), rtol=1e-3), (
        "this is KL(student || start): the weights are the start's probabilities"
    )
    assert np.isclose(added, entropy(p, q, axis=1).mean(), rtol=1e-3), (
        f"the penalty is {added:.4f}, not {entropy(p, q, axis=1).mean():.4f}: the class logits "
        "alone, and the mean over examples"
    )
    held = jax.grad(held_loss)(start, batch, start, 100.0)
    free = jax.grad(aux_mse_loss)(start, batch)
    far = max(np.abs(a - b).max() for a, b in zip(*map(jax.tree.leaves, (held, free)), strict=True))
    assert far < 1e-3, "at the start the penalty should have no gradient, however large its weight"


# %% [markdown]
# **An open question.** You have just checked that the penalty has no gradient at the start: it
# cannot stop the first step, which lesson 03 says already points the teacher's way. What, then, can
# it stop? And on inputs of which kind should it be computed?

# %%
if __name__ == "__main__":
    check(held_loss)
    print("All checks pass.")
