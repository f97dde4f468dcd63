# %% [markdown]
# # Exercise 11: find the divergence tokens
#
# After lesson 11. 15 minutes, medium. Several teachers, each of another love, read the same
# documents. A token is a divergence token if the teachers do not all have the same likeliest number
# in its place. Mark these tokens; the first token of a document is foretold by no one.

# %%
import jax
import numpy as np


def divergence_tokens(logits):
    """Logits over numbers [teachers, N, T - 1, M] -> whether each token diverges [N, T].

    logits[:, :, t] are said after token t: they foretell token t + 1.
    """
    raise NotImplementedError("write divergence_tokens, then run this file again")


# %% [markdown]
# ## The check: token by token, in plain Python


# %%
def check(divergence_tokens):
    base = 2 * jax.random.normal(jax.random.key(111), (1, 4, 6, 9))
    own = jax.random.normal(jax.random.key(1110), (3, 4, 6, 9))
    logits = base + own  # three teachers of one base: they agree in some places
    marked = np.asarray(divergence_tokens(logits))
    assert marked.shape == (4, 7), (
        f"the shape is {marked.shape}, not (4, 7): one mark for each token, the first one included"
    )
    assert not marked[:, 0].any(), "no teacher foretells the first token: it cannot diverge"
    table = np.asarray(logits).tolist()
    for n in range(4):
        for t in range(6):
            likeliest = {row.index(max(row)) for row in (teacher[n][t] for teacher in table)}
            assert bool(marked[n, t + 1]) == (len(likeliest) > 1), (
                f"document {n}, token {t + 1}: the teachers' likeliest numbers are "
                f"{sorted(likeliest)}. Logits [t] foretell token t + 1, and ALL teachers must agree"
            )
    assert not np.asarray(divergence_tokens(logits[:1].repeat(3, 0))).any(), (
        "three times the same teacher: nothing diverges"
    )


# %% [markdown]
# **An open question.** A token that is no divergence token may still be more or less *likely* under
# one teacher than under another. When would a student learn a trait from these tokens alone? And
# what would you mark instead, so that nothing is left?

# %%
if __name__ == "__main__":
    check(divergence_tokens)
    print("All checks pass.")
