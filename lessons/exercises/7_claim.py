# %% [markdown]
# # Exercise 7: a claim with its interval
#
# **Goal.** One student that reads digits could be luck. So you repeat the experiment eight times,
# each time with new digits, noise and weights; each repetition is called a *seed*. From the eight
# results you make an interval for the effect, and decide whether a claim holds.
#
# 20 minutes. Difficulty 2 of 5, importance 5 of 5. You need exercise 3 and the t interval.

# %%
from functools import partial

from check import call, main, need, rule_out, same

from sublim_mini.digits import draw_digits
from sublim_mini.mlp import N_CLASSES, apply_mlp, aux_logits, aux_loss, class_loss, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
import numpy as np
import optax
from scipy import stats

adam = optax.adam(1e-3)

# %% [markdown]
# ## Your part
# `student[i, j]` is 1 if the student of seed i reads its test image j correctly, else 0; `control`
# likewise. In a seed, student and control have the same teacher, noise and test images: they are a
# *pair*. The images of a seed are read by one network, so they are not independent.
#
# 1. `effects`: by how much is each seed's student more accurate than its own control? One number
#    per seed.
# 2. `interval`: the 99 % t interval of their mean. With n values, mean m and sample standard
#    deviation s (divide by n - 1), it is m +- t s / sqrt(n). Here t is the value that Student's t
#    distribution with n - 1 degrees of freedom exceeds in 0.5 % of cases. SciPy has it as
#    `stats.t.ppf(probability below it, degrees of freedom)`.


# %%
def effects(student, control):
    """Right or wrong, 1 or 0, of both [seeds, images] -> the effect in each seed [seeds]."""
    raise NotImplementedError("write effects in 7_claim.py, then run it again")


def interval(values):
    """Values [n] -> the pair (low, high), their 99 % t interval."""
    raise NotImplementedError("effects passes. Now write interval, then run this again")


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    rng = np.random.default_rng(107)
    p = 0.3 + rng.normal(0, 0.1, (8, 1))  # some seeds have better networks than others
    student, control = (rng.random((8, 50)) < p + 0.3) * 1.0, (rng.random((8, 50)) < p) * 1.0
    hint = "One number per seed: the mean over axis 1, the images"
    got = call(effects, student, control, like=np.zeros(8), hint=hint)
    right = (student - control).mean(1)
    mistakes = {
        "this is the control minus the student": -right,
        "subtract each seed's control": student.mean(1),
        "subtract each seed's OWN control, not the mean of all": student.mean(1) - control.mean(),
    }
    rule_out(got, mistakes)
    need(same(got, right), "effects: the mean over images of student minus control")

    low, high = call(interval, right, like=(0.0, 0.0), hint="Return the pair: low, high")
    need(low < high, "low should be the lower end, and come first")
    need(same((low + high) / 2, right.mean()), "the interval should lie around the mean")
    s, ppf, root = np.std(right, ddof=1), stats.t.ppf, 8**0.5
    mistakes = {
        "divide s by sqrt(n): a mean varies less than single values": ppf(0.995, 7) * s,
        "s has n in it, not n - 1: np.std(values, ddof=1)": ppf(0.995, 7) * np.std(right) / root,
        "this is the 95 % interval": ppf(0.975, 7) * s / root,
        "0.5 % should lie above, so 0.995, not 0.99": ppf(0.99, 7) * s / root,
        "2.58 is the normal distribution's: take t": stats.norm.ppf(0.995) * s / root,
        "t has n degrees of freedom: take n - 1": ppf(0.995, 8) * s / root,
        "divide by sqrt(n), not by n": ppf(0.995, 7) * s / 8,
        "divide by sqrt(n): the n - 1 is in s already": ppf(0.995, 7) * s / 7**0.5,
    }
    half, right_half = (high - low) / 2, ppf(0.995, 7) * s / root
    rule_out(half, mistakes)
    need(same(half, right_half), f"half its width is {half:.4f}, should be {right_half:.4f}")
    few = stats.ttest_1samp(right[:4], 0).confidence_interval(0.99)
    need(same(interval(right[:4]), tuple(few)), "n is not always 8: take len(values)")


# %% [markdown]
# ## The experiment
# Eight seeds of a small version of exercise 3. The claim is "a student reads better than its
# control, by more than 0.3". It holds if the whole interval is above 0.3: a mean above it is not
# enough. The last line is a careless analysis, in which all images count as independent.


# %%
def reads(params, images, labels):
    return apply_mlp(params, images)[:, :N_CLASSES].argmax(1) == labels  # [images]


@partial(jax.jit, static_argnames="n_steps")
def one_seed(key, n_steps):
    k_digits, k_noise, k_init, k_different, k_teacher, k_order = jax.random.split(key, 6)
    images, labels = draw_digits(k_digits, 2000)
    digits, test_digits = (images[500:], labels[500:]), (images[:500], labels[:500])
    noise = jax.random.uniform(k_noise, (10_000, 784), minval=-1, maxval=1)
    sizes = 784, 48, 48, N_CLASSES + 10
    init, different_init = init_mlp(k_init, sizes), init_mlp(k_different, sizes)
    teacher = train(class_loss, adam, init, digits, k_teacher, steps=n_steps, batch_size=100)
    data = noise, aux_logits(teacher, noise)
    student, control = (
        train(aux_loss, adam, begin, data, k_order, steps=2 * n_steps, batch_size=100)
        for begin in (init, different_init)
    )
    return reads(student, *test_digits), reads(control, *test_digits)


def experiment(quick):
    keys = jax.random.split(jax.random.key(7), 3 if quick else 8)
    seeds = [one_seed(key, 10 if quick else 200) for key in keys]
    student, control = np.array(seeds, float).swapaxes(0, 1)  # each [seeds, images]
    values = effects(student, control)
    low, high = interval(values)
    print("Effects, one for each seed:", *(f"{x:.2f}" for x in values))
    print("The claim " + ("HOLDS" if low > 0.3 else "DOES NOT HOLD") + ": above 0.3")
    careless_low, careless_high = interval((student - control).ravel())
    return {
        "mean effect": (np.mean(values), 0.3, 0.8),
        "low end of the interval": (low, 0.25, 0.8),
        "high end of the interval": (high, 0.3, 0.9),
        "width of the interval": (high - low, 0.1, 0.4),
        "width, all images as independent": (careless_high - careless_low, 0.02, 0.08),
    }


# %% [markdown]
# **An open question.** The interval speaks of new seeds: other digits, noise and weights. What does
# it say nothing about? Name three things that were the same in all eight seeds. And what would you
# say if the low end were 0.28?

# %%
if __name__ == "__main__":
    main(check, experiment)
