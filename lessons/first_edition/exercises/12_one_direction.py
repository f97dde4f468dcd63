# %% [markdown]
# # Exercise 12: do two models shift the same way?
#
# After lesson 12. 10 minutes, easy. Three models read the same documents: a base, a teacher and a
# student tuned from it. The shift of a tuned model is the mean over documents of its hidden
# activity minus the base's. How well is the student's shift aligned with the teacher's?

# %%
import jax
import numpy as np


def alignment(base, teacher, student):
    """Hidden activity [N, C] of three models -> cosine of the two shifts (0 if one is zero)."""
    raise NotImplementedError("write alignment, then run this file again")


# %% [markdown]
# ## The check: shifts that were built with a known angle


# %%
def check(alignment):
    k_base, k_wobble = jax.random.split(jax.random.key(112))
    base = 5 + jax.random.normal(k_base, (200, 16))  # activity with a large common part
    wobble = jax.random.normal(k_wobble, (200, 16))
    wobble = wobble - wobble.mean(0, keepdims=True)  # differs by document, no shift
    one, other = np.eye(16, dtype=np.float32)[:2]
    for angle in (0.0, 1.0, np.pi / 2, np.pi):
        toward = np.cos(angle) * one + np.sin(angle) * other
        teacher, student = base + 0.5 * one[None], base + wobble + 0.1 * toward[None]
        got = float(alignment(base, teacher, student))
        if angle > 0:
            assert got < 0.99, (
                "the two shifts differ, and you find them alike: subtract the base's activity "
                "before you compare, for all three have a large part in common"
            )
        assert np.isclose(got, np.cos(angle), atol=1e-2), (
            f"{got:.3f}, not {np.cos(angle):.3f}: take the mean over documents FIRST, then one "
            "cosine of two vectors; a mean of cosines is lowered by whatever differs by document"
        )
    assert float(alignment(base, teacher, base)) == 0, (
        "a student that did not move has no direction: return 0, not nan"
    )


# %% [markdown]
# **An open question.** Two vectors of 32 numbers drawn at random have a cosine of about 0 with a
# standard deviation of .18. But are *random* vectors what a shift must be compared with? What does
# a student of numbers without any trait shift by, and how would you use it?

# %%
if __name__ == "__main__":
    check(alignment)
    print("All checks pass.")
