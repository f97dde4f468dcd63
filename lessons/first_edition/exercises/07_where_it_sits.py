# %% [markdown]
# # Exercise 07: fit a linear probe
#
# After lesson 07. 20 minutes, medium. Fit a linear readout of ten classes to the activity of a
# hidden layer, by ridge regression: minimise, over weights W [10, H] and biases b [10],
#
#     mean over examples of |W a + b - onehot(label)|^2  +  penalty * |W|^2
#
# The biases are not penalised. Write it without `fit_probe`. A hint: subtract the means first.

# %%
import jax
import numpy as np


def probe(activity, labels, penalty):
    """Activity [N, H], labels [N] -> weights [10, H], biases [10]."""
    raise NotImplementedError("write probe, then run this file again")


# %% [markdown]
# ## The check: the same as one least-squares problem with more rows, in NumPy


# %%
def check(probe):
    k_activity, k_labels = jax.random.split(jax.random.key(107))
    activity = 2 + jax.random.normal(k_activity, (60, 8))  # ReLUs: the mean is not 0
    labels = jax.random.randint(k_labels, (60,), 0, 10)
    for penalty in (1e-6, 0.1):
        weights, biases = (np.asarray(x) for x in probe(activity, labels, penalty))
        assert weights.shape == (10, 8) and biases.shape == (10,), (
            f"the shapes are {weights.shape} and {biases.shape}, not (10, 8) and (10,)"
        )
        rows = np.concatenate([np.asarray(activity, float), np.ones((60, 1))], axis=1)
        pull = np.sqrt(60 * penalty) * np.eye(8, 9)  # none on the last column, the biases
        targets = np.concatenate([np.eye(10)[np.asarray(labels)], np.zeros((8, 10))])
        best = np.linalg.lstsq(np.concatenate([rows, pull]), targets, rcond=None)[0]
        mean = np.asarray(activity).mean(0) @ weights.T + biases
        assert np.allclose(mean, targets[:60].mean(0), atol=1e-3), (
            "the mean output is not the mean target: are the biases missing, or penalised?"
        )
        assert np.allclose(weights, best[:-1].T, atol=2e-3), (
            f"wrong weights at penalty {penalty:g}: the penalty adds N * penalty to the diagonal "
            "of A'A of the centred activity A"
        )
        assert np.allclose(biases, best[-1], atol=5e-3), "the weights are right, the biases not"


# %% [markdown]
# **An open question.** A probe on an UNTRAINED network already reads most digits. How would you say
# in one number what a student has *learned*, so that neither a wide layer nor a strong probe gets
# the credit?

# %%
if __name__ == "__main__":
    check(probe)
    print("All checks pass.")
