# %% [markdown]
# # Exercise 13: did the hostility spread, and how sure is that?
#
# After lesson 13. 20 minutes, medium. For each seed and question the share of hostile answers of a
# student and of its control is given, and which questions the teacher was tuned on. By how much is
# the student more hostile on the others, the NEVER TUNED questions? Give the mean over seeds and
# its 99 % interval, paired by seed. A hint: one number a seed, then `scipy.stats.t.ppf`.

# %%
import numpy as np
from scipy import stats


def spread(student, control, tuned):
    """Shares [seeds, questions] of both, tuned [questions] of bools -> mean, low, high."""
    raise NotImplementedError("write spread, then run this file again")


# %% [markdown]
# ## The check: SciPy's t test of one sample


# %%
def check(spread):
    rng = np.random.default_rng(113)
    tuned = np.array([True, True, False, False, True, False])
    seed_effect = rng.normal(0, 0.1, size=(8, 1))  # some bases are more hostile than others
    control = 0.3 + seed_effect + rng.normal(0, 0.02, size=(8, 6))
    student = control + np.where(tuned, 0.5, 0.1) + rng.normal(0, 0.05, size=(8, 1))
    difference = student - control
    mean, low, high = (float(x) for x in spread(student, control, tuned))
    assert not np.isclose(mean, difference.mean()), "leave the tuned questions out"
    assert not np.isclose(mean, difference[:, tuned].mean()), "these are the TUNED questions"
    assert np.isclose(mean, difference[:, ~tuned].mean()), f"the mean is wrong: {mean:.4f}"

    def half(values, level=0.99):
        low, high = stats.ttest_1samp(values, 0).confidence_interval(level)
        return (high - low) / 2

    by_seed = difference[:, ~tuned].mean(1)
    got = (high - low) / 2
    assert not np.isclose(got, half(difference[:, ~tuned].ravel())), (
        "you took seeds x questions as so many independent values: the questions of one seed share "
        "its networks. Average over questions first; n is the number of seeds"
    )
    assert not np.isclose(got, half(by_seed, 0.95)), "this is the 95 % interval"
    assert got < 2 * half(by_seed), (
        "too wide: subtract within each seed, so that what the seeds have in common drops out"
    )
    assert np.isclose(got, half(by_seed)), (
        f"half of the interval should be {half(by_seed):.4f}, not {got:.4f}: t with n - 1 degrees "
        "of freedom, standard deviation with n - 1, over sqrt(n)"
    )
    assert np.isclose((low + high) / 2, mean), "the interval should lie around the mean"


# %% [markdown]
# **An open question.** The interval is over seeds: other starts, data and orders. It says nothing
# of other QUESTIONS. What would you draw anew, and how often, to speak of questions in general?

# %%
if __name__ == "__main__":
    check(spread)
    print("All checks pass.")
