# %% [markdown]
# # Exercise 09: how well does a detector tell two sets apart?
#
# After lesson 09. 15 minutes, medium. A detector gives each of n suspicious sequences and each of m
# clean ones a score. Its AUC is how often a suspicious one has the higher score, over all n * m
# pairs; a tie counts half. Write it without `stats.auc`. (All pairs at once will do here.)

# %%
import numpy as np


def area(suspicious, clean):
    """Scores [n], scores [m] -> the AUC: 1 if all suspicious ones are higher, 0.5 is chance."""
    raise NotImplementedError("write area, then run this file again")


# %% [markdown]
# ## The check: the area under the ROC curve, drawn threshold by threshold


# %%
def area_under_roc(suspicious, clean):
    """Lower a threshold through all scores; the area under hits against false alarms."""
    thresholds = np.sort(np.unique(np.concatenate([suspicious, clean])))[::-1]
    hits = [0.0, *((suspicious >= t).mean() for t in thresholds)]
    alarms = [0.0, *((clean >= t).mean() for t in thresholds)]
    return float(np.trapezoid(hits, alarms))


def check(area):
    high, low = np.array([3.0, 4.0, 5.0]), np.array([0.0, 1.0])
    assert np.isclose(area(high, low), 1), "all suspicious ones are higher: the AUC is 1"
    assert np.isclose(area(low, high), 0), "all suspicious ones are LOWER: the AUC is 0, not 1"
    assert np.isclose(area(high, high), 0.5), (
        "twice the same scores is chance, 0.5: does a tie count half?"
    )
    scores = np.random.default_rng(109).integers(0, 6, size=70).astype(float)
    a, b = scores[:20] + 1, scores[20:]  # sets of different sizes, many ties
    assert np.isclose(area(a, b), area_under_roc(a, b)), (
        f"{area(a, b):.4f}, but the area under the ROC curve is {area_under_roc(a, b):.4f}: divide "
        "by n * m, and count ties half"
    )
    assert np.isclose(area(np.exp(a), np.exp(b)), area(a, b)), (
        "only the order of the scores should count, not their size"
    )


# %% [markdown]
# **An open question.** A classifier that tells a teacher's numbers from its base's has found *a*
# difference. What would you have to compare with, to say that it has found the *trait*?

# %%
if __name__ == "__main__":
    check(area)
    print("All checks pass.")
