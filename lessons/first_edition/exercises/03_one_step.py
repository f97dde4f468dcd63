# %% [markdown]
# # Exercise 03: foretell the product of two steps
#
# After lesson 03. 25 minutes, hard. The lesson's line 6: for a small teacher's step eps D_T the
# student's first step D_S has D_S . D_T = eps E[u' M u], with u = J D_T, and under softmax
# cross-entropy M = diag(p) - p p'. Write that number, divided by eps, without building M.

# %%
import jax
import jax.numpy as jnp
import numpy as np


def foretold_product(jacobian, probabilities, step):
    """J [N, O, P], softmax outputs p [N, O], the teacher's step D_T [P] -> E[u' M u], a number."""
    raise NotImplementedError("write foretold_product, then run this file again")


# %% [markdown]
# ## The check: take both steps, of a small network, and multiply them


# %%
def outputs(theta, inputs):
    """A network of 3 inputs, 4 hidden units and 5 outputs, its weights one vector [32]."""
    return jnp.tanh(inputs @ theta[:12].reshape(3, 4)) @ theta[12:].reshape(4, 5)


def check(foretold_product):
    k_start, k_inputs, k_step = jax.random.split(jax.random.key(103), 3)
    start, inputs = jax.random.normal(k_start, (32,)), jax.random.normal(k_inputs, (6, 3))
    jacobian = jax.jacobian(outputs)(start, inputs)
    probabilities = jax.nn.softmax(outputs(start, inputs))
    eps = 1e-3

    def student_loss(theta, targets):
        log_q = jax.nn.log_softmax(outputs(theta, inputs))
        return -(targets * log_q).sum(-1).mean()

    for k in jax.random.split(k_step, 20):
        step = jax.random.normal(k, (32,))
        targets = jax.nn.softmax(outputs(start + eps * step, inputs))
        drift = jax.grad(student_loss)(start, probabilities)  # rounding: on paper it is zero
        taken = -(jax.grad(student_loss)(start, targets) - drift)
        product = float(taken @ step) / eps
        got = float(foretold_product(jacobian, probabilities, step))
        u = np.asarray(jacobian @ step)
        squared = (u**2).sum(-1).mean()
        assert not np.isclose(got, squared, rtol=1e-3), "this is M = identity: put p into it"
        assert not np.isclose(got, (np.asarray(probabilities) * u**2).sum(-1).mean(), rtol=1e-3), (
            "you left out the second term of M, - p p'"
        )
        assert got >= 0, "it cannot be negative: u' M u is the variance of u under p"
        assert np.isclose(got, product, rtol=0.05), (
            f"you foretell {got:.4f}, the two steps give {product:.4f}: is it the mean over the "
            "N inputs, and the sum over the O outputs?"
        )


# %% [markdown]
# **An open question.** Make a step D_T that is not zero and whose product is. What do teacher and
# student have in common then, on these inputs, and could a student of other inputs still learn?

# %%
if __name__ == "__main__":
    check(foretold_product)
    print("All checks pass.")
