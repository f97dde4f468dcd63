r"""Exercise 7: a claim, and three verdicts.                    25 minutes, difficulty 3 of 5

One student that reads digits could be luck. So your exercise 4 runs eight times, each time with
new digits, noise and weights; each repetition is called a *seed*. You make an interval of the
eight results, and decide about the claim "a student is more accurate than its control, by more
than 0.3". The control is a student of the same teacher whose untrained params come from another
key.

    .venv/bin/python lessons/exercises/7_claim.py          (Windows: .venv\Scripts\python ...)
    (`--given` takes exercises 1 to 4 from the package)

`student[i, j]` is 1 if the student of seed i answers its test image j correctly, else 0; `control`
likewise. In a seed, student and control have the same teacher, noise and test images: they are a
*pair*. The images of a seed are answered by one network, so they are not independent of each
other.

1. `effects(student, control)`: by how much is each seed's student more accurate than its own
   control?
2. `interval(values)`: the 99 % t interval of their mean. With n values, mean m and sample standard
   deviation s (divide by n - 1), it is m +- t s / sqrt(n). Here t is the number that Student's t
   distribution with n - 1 degrees of freedom exceeds in 0.5 % of cases.
3. `verdict(low, high, margin)` of a claim "more than margin": "holds" if the whole interval lies
   above the margin, "refuted" if all of it lies below, else "undecided".

    np.std(values, ddof=1)                        # divides by n - 1
    stats.t.ppf(probability_below, n - 1)         # the t below which this fraction of cases lies

About 7 lines. Stuck? `--hint 1`.
"""

import jax
import numpy as np
from checks import effect, main
from scipy import stats  # noqa: F401  (for your code)

from sublim_mini.digits import draw_digits


def effects(student, control):
    """1 or 0 for each answer, both [seeds, images] -> the effect in each seed [seeds]."""
    raise NotImplementedError


def interval(values):
    """Values [n] -> the pair (low, high), their 99 % t interval."""
    raise NotImplementedError


def verdict(low, high, margin):
    """The ends of an interval, the margin of a claim "more than" -> one of the three words."""
    raise NotImplementedError


PREDICT = "mean effect (accuracy, student minus control)"


def one_seed(key, steps):
    """Exercise 4 and its control -> whether each answers 500 test images correctly [2, 500]."""
    k_digits, k_noise, k_init, k_different = jax.random.split(key, 4)
    images, labels = draw_digits(k_digits, 3500)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    _, teacher, student = effect.experiment(images[500:], labels[500:], noise, k_init, steps)
    control = effect.distill(teacher, effect.init(k_different), noise, 2 * steps)
    answers = [effect.apply(p, images[:500])[:, :10].argmax(axis=1) for p in (student, control)]
    return [(answer == labels[:500]) * 1.0 for answer in answers]


def run(quick):
    """Eight seeds, the claim, and how wide the interval of a careless analysis would be."""
    keys = jax.random.split(jax.random.key(8), 3 if quick else 8)
    seeds = np.array([one_seed(key, 10 if quick else 200) for key in keys])
    student, control = seeds[:, 0], seeds[:, 1]  # each [seeds, images]
    values = effects(student, control)
    low, high = interval(values)
    print("Effects, one for each seed:", *(f"{x:.2f}" for x in values))
    for margin in (0.3, float(np.mean(values)), 0.9):
        print(f'"more than {margin:.2f}": {verdict(low, high, margin)}')
    careless_low, careless_high = interval((student - control).ravel())
    return {
        PREDICT: (np.mean(values), 0.55, 0.9),
        "low end of the interval": (low, 0.45, 0.85),
        "high end of the interval": (high, 0.6, 1),
        "width of the interval": (high - low, 0.05, 0.35),
        "width, all images as independent": (careless_high - careless_low, 0.02, 0.06),
    }


# An open question. The interval speaks of new seeds: other digits, noise and weights. What does it
# say nothing about? Name three things that were the same in all eight seeds. And what would you
# say, and do, if the low end were 0.28?

if __name__ == "__main__":
    main(globals())
