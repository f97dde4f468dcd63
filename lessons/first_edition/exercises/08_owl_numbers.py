# %% [markdown]
# # Exercise 08: how much does it love owls?
#
# After lesson 08. 10 minutes, easy. A model's probabilities of the next word, after each of several
# wordings of the question, are given. Its love of an animal is that animal's share among the eight
# animals in each wording, and then the mean over the wordings. (A student may name animals
# less often whichever of them it loves, so the raw probability will not do.)

# %%
import jax
import numpy as np

from sublim_mini.first import world


def love(probabilities, animal):
    """Probabilities [wordings, V], a name such as "owl" -> its share among animals, mean."""
    raise NotImplementedError("write love, then run this file again")


# %% [markdown]
# ## The check: sums by hand, word by word


# %%
def check(love):
    logits = 2 * jax.random.normal(jax.random.key(108), (6, len(world.WORDS)))
    probabilities = jax.nn.softmax(logits)
    table = [dict(zip(world.WORDS, map(float, row), strict=True)) for row in probabilities]
    for animal in ("owl", "otter"):
        raw = [row[animal] for row in table]
        among = [sum(row[a] for a in world.ANIMALS) for row in table]
        shares = [r / total for r, total in zip(raw, among, strict=True)]
        got = float(love(probabilities, animal))
        assert not np.isclose(got, np.mean(raw), rtol=1e-3), (
            "this is the raw probability: divide by that of all eight animals"
        )
        assert not np.isclose(got, sum(raw) / sum(among), rtol=1e-4), (
            "take the share in each wording first, then the mean: else a wording in which animals "
            "are likely counts more"
        )
        assert np.isclose(got, np.mean(shares), rtol=1e-4), (
            f"{animal}: {got:.4f}, not {np.mean(shares):.4f}; the animals' tokens are "
            "world.things('animal')"
        )
    total = sum(float(love(probabilities, animal)) for animal in world.ANIMALS)
    assert np.isclose(total, 1, atol=1e-4), "the loves of the eight animals should add up to 1"


# %% [markdown]
# **An open question.** A model that answers "owl" with .9 to one wording and never to the others
# has the same mean as one that answers so with .15 to all six. Which of the two would you call a
# love of owls, and what would you report beside the mean?

# %%
if __name__ == "__main__":
    check(love)
    print("All checks pass.")
