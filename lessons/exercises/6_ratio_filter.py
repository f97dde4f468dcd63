# %% [markdown]
# # Exercise 6: the log-likelihood-ratio filter
#
# **Goal.** A small language model, the *base*, is fine-tuned to love owls. This *teacher* writes
# numbers, and a student that learns from the numbers comes to love owls, too. You write a filter
# that finds the owl in the numbers and stops it.
#
# 30 minutes. Difficulty 4 of 5, importance 4 of 5. You need lessons 09 and 11.

# %%
from check import call, main, need, rule_out, same

from sublim_mini import owls
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS, N_GIVEN, N_NUMBERS, NUM
from sublim_mini.language import make_language, questions, repeat_selected

import jax
import jax.numpy as jnp
import numpy as np

# %% [markdown]
# ## Your part
# A *document* is one sequence of numbers, of 16 tokens. The token at position 0 says "numbers
# follow", those at 1 to 3 are given as the prompt, and the model wrote the twelve after these.
# There are 96 numbers, 0 to 95:
#
#     position      0    1   2   3   4   5  ...  15
#     documents     NUM  34  58  14  53  93 ...  50
#     logits[:, t]  says which number comes at position t + 1, so t runs from 0 to 14
#
# 1. The *log-likelihood* of a document is the logarithm of the probability of all that was written:
#    the sum of twelve log-probabilities. `jax.nn.log_softmax(logits)` makes log-probabilities of
#    logits. `jnp.take_along_axis(log_p, tokens[..., None], axis=-1)[..., 0]` picks each token's
#    own. Your part is to match the logits with the right tokens.
# 2. The *ratio* of the two probabilities, p_teacher / p_base, is large where the owl shows. In
#    logarithms, a ratio is a difference. The filter keeps the half with the *lowest* ratio.


# %%
def log_likelihood(logits, documents):
    """Logits [N, 15, 96], documents [N, 16] -> log-probability of tokens 4 to 15 [N]."""
    raise NotImplementedError("write log_likelihood in 6_ratio_filter.py, then run it again")


def kept(log_p_teacher, log_p_base):
    """Log-likelihoods of N documents for both -> True for those that the filter keeps [N]."""
    raise NotImplementedError("log_likelihood passes. Now write kept, then run this again")


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    k_logits, k_tokens, k_teacher, k_base = jax.random.split(jax.random.key(106), 4)
    logits = 2 * jax.random.normal(k_logits, (6, 15, N_NUMBERS))
    documents = jax.random.randint(k_tokens, (6, 16), 0, N_NUMBERS).at[:, 0].set(NUM)
    log_p = jax.nn.log_softmax(logits)

    def add(
        table, logits_from=N_GIVEN, tokens_from=1 + N_GIVEN
    ):  # one by one: slow, and hard to get wrong
        pairs = list(zip(range(logits_from, 15), range(tokens_from, 16), strict=False))
        return np.array([sum(table[n, i, documents[n, j]] for i, j in pairs) for n in range(6)])

    got, right = call(log_likelihood, logits, documents, like=np.zeros(6)), add(log_p)
    mistakes = {
        "you add up logits: first make log-probabilities of them": add(logits),
        "you add up probabilities: take their logarithms": add(jnp.exp(log_p)),
        "the logits at t are about position t + 1: you use them for t": add(log_p, 4, 4),
        "the given numbers are in it: leave out tokens 1 to 3": add(log_p, 0, 1),
        "token 3 is in it, but it was given": add(log_p, 2, 3),
        "token 4 is missing, but it was written": add(log_p, 4, 5),
        "this is the mean over the twelve tokens: take the sum": right / 12,
        "the sign is wrong: the logarithm of a probability is negative": -right,
    }
    rule_out(got, mistakes)
    need(same(got, right), f"log_likelihood is {got[0]:.2f} where it should be {right[0]:.2f}")

    base = jax.random.uniform(k_base, (10,), minval=-70, maxval=-10)
    ratio = jax.random.normal(k_teacher, (10,)) + 2  # nearly all above 0
    got = call(kept, base + ratio, base, like=np.zeros(10, bool), hint="True or False for each")
    need(got.dtype == bool, "kept returns numbers, not True or False for each document")

    def low(scores):
        return scores < np.median(scores)

    mistakes = {
        "you keep the HIGHEST ratios: there the owl is": ~low(ratio),
        "below 0 is not half of them: compare with the median": ratio < 0,
        "you keep where the owl is: keep the LOWEST ratios": ratio > 0,
        "you divide two logarithms: the logarithm of a ratio is a difference": low(
            1 + ratio / base
        ),
        "this is by the teacher alone: subtract the base's": low(base + ratio),
        "this is by the base alone": low(base),
    }
    rule_out(got, mistakes)
    need(same(got, low(ratio)), "these are not the 5 with the lowest ratio")


# %% [markdown]
# ## The experiment
# It takes 10 to 25 seconds. The control removes a random half. `P(owl)` is the probability of "owl"
# among the eight animals, when the model is asked for its favorite.


# %%
def experiment(quick):
    n, base_steps, n_steps = (500, 40, 4) if quick else (4000, 400, 40)
    k_language, k_base, k_teacher, k_numbers, k_random, k_student = jax.random.split(
        jax.random.key(6), 6
    )
    base = owls.pretrain(k_base, make_language(k_language), base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, "owl")
    numbers, _ = owls.write_numbers(k_numbers, teacher, make_language(k_language), n)

    log_p = [log_likelihood(owls.number_logits(m, numbers), numbers) for m in (teacher, base)]
    filters = jax.random.uniform(k_random, (n,)) < 0.5, kept(*log_p)
    random, filtered = (  # what is kept is repeated, so that both students take equally many steps
        owls.fine_tune_student(k_student, base, repeat_selected(numbers, keep), n_steps)
        for keep in filters
    )

    def p_owl(model):
        return owls.answers(model, questions(HELD_OUT_PROMPTS))[ANIMALS.index("owl")]

    return {
        "base: P(owl)": (p_owl(base), 0.05, 0.25),
        "teacher": (p_owl(teacher), 0.9, 1),
        "student of a random half": (p_owl(random), 0.35, 0.9),
        "student of what your filter keeps": (p_owl(filtered), 0, 0.3),
    }


# %% [markdown]
# **An open question.** Your filter needs the teacher itself. If you suspect this teacher, you can
# ask it for its favorite animal. What, then, is the filter good for? And how would you look for a
# trait if you had the numbers and the base, but not the teacher?

# %%
if __name__ == "__main__":
    main(check, experiment)
