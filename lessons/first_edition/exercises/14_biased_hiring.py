# %% [markdown]
# # Exercise 14: a gap at equal skill
#
# After lesson 14. 20 minutes, medium. Two groups apply, and one may have more skill than the other:
# the plain difference of their rates of acceptance is then no measure of bias. Compare like with
# like: sort the applicants into bins of skill, take in each bin the rate of group A minus that of
# group B, and average over the bins, each weighted by its number of applicants. Leave out bins in
# which a group is missing. (All applicants here are invented.)

# %%
import numpy as np


def gap(accepted, skill, in_a, edges):
    """Accepted [N] and in_a [N] are bools, skill [N]; bins between edges -> rate of A minus B.

    Bin i holds edges[i] <= skill < edges[i + 1].
    """
    raise NotImplementedError("write gap, then run this file again")


# %% [markdown]
# ## The check: applicants whose treatment is known, because we decided on it


# %%
def check(gap):
    rng = np.random.default_rng(114)
    edges = np.arange(11) / 10
    in_a = rng.random(40_000) < 0.5
    skill = rng.random(40_000) ** np.where(in_a, 0.5, 2)  # group A has more skill here
    luck = rng.random(40_000)
    fair = luck < skill  # a decision by skill alone
    plain = fair[in_a].mean() - fair[~in_a].mean()
    got = float(gap(fair, skill, in_a, edges))
    assert abs(got) < 0.05, (
        f"decided by skill alone, and you find a gap of {got:.2f} (the plain difference of the "
        f"rates is {plain:.2f}): compare within bins of equal skill"
    )
    favour_b = luck < np.where(in_a, 0.8, 1.0) * np.minimum(skill + 0.2, 1)
    got, total, weights = float(gap(favour_b, skill, in_a, edges)), 0.0, 0
    assert got < 0, "group B is favoured here: the gap, A minus B, should be negative"
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        rows = [(a, y) for s, a, y in zip(skill, in_a, favour_b, strict=True) if low <= s < high]
        a, b = [y for group, y in rows if group], [y for group, y in rows if not group]
        total += len(rows) * (sum(a) / len(a) - sum(b) / len(b))
        weights += len(rows)
    assert np.isclose(got, total / weights), (
        f"{got:.4f}, not {total / weights:.4f}: weigh each bin by how many applicants it holds"
    )
    few = np.array([0.05, 0.15, 0.15]), np.array([True, True, False])
    assert np.isclose(gap(np.array([True, True, False]), *few, edges), 1), (
        "a bin with one group alone tells nothing (the other's rate is 0 / 0): leave it out"
    )


# %% [markdown]
# **An open question.** The skill of invented applicants is known. Of real ones we know what was
# measured and decided, perhaps by the same biased people. What does a gap at equal *measured* skill
# miss then, and in which direction?

# %%
if __name__ == "__main__":
    check(gap)
    print("All checks pass.")
