# %% [markdown]
# # Exercise 01: write the loss of distillation
#
# After lesson 01. 10 minutes, easy. Write KL(teacher || student), both at temperature T, in JAX,
# and without `sublim_mini.losses`. Then run this file: it checks your function.

# %%
import jax
import numpy as np
from scipy.special import softmax
from scipy.stats import entropy


def distillation_loss(teacher_logits, student_logits, temperature):
    """Logits [N, K] of both, T -> mean over the N examples of KL(teacher || student), in nats."""
    raise NotImplementedError("write distillation_loss, then run this file again")


# %% [markdown]
# ## The check: SciPy's relative entropy, and the gradient as it follows on paper


# %%
def check(distillation_loss):
    k_teacher, k_student = jax.random.split(jax.random.key(101))
    teacher, student = (3 * jax.random.normal(k, (5, 10)) for k in (k_teacher, k_student))
    assert abs(distillation_loss(teacher, teacher, 4.0)) < 1e-5, (
        "a student that agrees with its teacher should have loss 0: is this a cross-entropy?"
    )
    for t in (1.0, 4.0):
        p, q = softmax(np.asarray(teacher) / t, 1), softmax(np.asarray(student) / t, 1)
        got = float(distillation_loss(teacher, student, t))
        assert not np.isclose(got, entropy(q, p, axis=1).mean(), rtol=1e-3), (
            "this is KL(student || teacher): the weights are the teacher's probabilities"
        )
        assert not np.isclose(got, entropy(p, q, axis=1).sum(), rtol=1e-3), (
            "take the mean over examples, not the sum"
        )
        assert np.isclose(got, entropy(p, q, axis=1).mean(), rtol=1e-3), (
            f"wrong at T = {t:g}: do you divide BOTH logits by T, before the softmax?"
        )
        grads = jax.grad(distillation_loss, 1)(teacher, student, t)
        assert np.allclose(grads, (q - p) / (t * len(p)), atol=1e-5), (
            "the value is right, its gradient by the student's logits is not (q - p) / (T N)"
        )


# %% [markdown]
# **An open question.** The gradient above is (q - p) / T for each example, and p and q come close
# to each other as T grows. What would you multiply the loss by, so that a hot teacher pulls about
# as hard as a cool one? Is it the same factor for a teacher that is sure and for one that is not?

# %%
if __name__ == "__main__":
    check(distillation_loss)
    print("All checks pass.")
