"""Exercise 1: init and apply."""

import jax
import jax.numpy as jnp
import numpy as np

from .core import call, logits_of, need, rule_out, same, some_params


def check(space):
    _init(space["effect"].init)
    _apply(space["effect"].apply)


def _init(init):
    key, other = jax.random.split(jax.random.key(101))
    sizes = n_in, n_out, _, _ = 400, 900, 400, 900  # large: the spread is known to one percent
    raw = init(key, sizes)
    one_dict = isinstance(raw, list) and len(raw) == 3 and raw[0] is raw[1]
    need(not one_dict, "init: all layers are one and the same dict: make a new one for each.")
    inside = isinstance(raw, list) and len(raw) == 1
    hint = "Does `return` stand inside the loop?" if inside else "Weights are [in, out]."
    like = jax.eval_shape(lambda key: some_params(key, sizes), key)
    params = call(init, key, sizes, like=like, hint=hint)
    zero = all(not np.any(layer["biases"]) for layer in params)
    need(zero, "init: the biases should be 0 before training: jnp.zeros(n_out).")
    one, _, three = (np.asarray(layer["weights"]) for layer in params)
    spread, mean = one.std(), one.mean()
    need(spread > 1e-6, "init: all weights are equal: draw them by jax.random.normal.")
    need(abs(mean) < 0.1 * spread, "init: the mean of the weights is not 0: draw them from normal.")
    for wrong, what in {
        1: "not divided by sqrt(n_in)",
        1 / n_in: "divided by n_in: divide by its square root",
        1 / (2 * n_in): "divided by 2 n_in: n_in ** 1/2 is (n_in ** 1) / 2, so write n_in**0.5",
        1 / n_out**0.5: "divided by sqrt(n_out): divide by sqrt(n_in)",
        n_in**0.5: "multiplied by sqrt(n_in): divide by it",
        (2 / n_in) ** 0.5: "sqrt(2 / n_in), as some do: here it is 1 / sqrt(n_in)",
    }.items():
        need(abs(spread / wrong - 1) > 0.03, f"init: the spread of the weights is {what}.")
    right = 1 / n_in**0.5
    message = (
        f"init: with {n_in} inputs the spread is {spread:.3f}, not 1/sqrt(n_in) = {right:.3f}."
    )
    need(abs(spread * n_in**0.5 - 1) < 0.03, message)
    tails = ((one / spread) ** 4).mean()  # 3 for a normal distribution, 1.8 for a uniform one
    need(abs(tails - 3) < 0.2, "init: the weights are not from jax.random.normal.")
    message = "init: two layers got the same numbers: each needs a key of its own."
    need(not np.allclose(one, three), message)
    again = init(other, sizes)[0]["weights"]
    need(not np.allclose(one, again), "init: the weights do not depend on the key that is given.")


def _apply(apply):
    k_params, k_x = jax.random.split(jax.random.key(103))
    params, x = some_params(k_params), jax.random.normal(k_x, (7, 6))
    right = logits_of(params, x)
    hints = {
        (7, 5): "Does `return` stand inside the loop?",
        (7, 4): "Is the last layer, params[-1], missing?",
    }
    got = call(apply, params, x, like=right, hint=hints.get(jnp.shape(apply(params, x)), ""))

    def by(inner=lambda z: np.maximum(z, 0), last=lambda z: z, bias=1, first=lambda z: z):
        z = first(np.asarray(x))
        for i, layer in enumerate(params):
            z = z @ np.asarray(layer["weights"]) + bias * np.asarray(layer["biases"])
            z = last(z) if i == 2 else inner(z)
        return z

    def relu(z):
        return np.maximum(z, 0)

    after = np.asarray(x)
    for i, layer in enumerate(params):
        after = after @ np.asarray(layer["weights"])
        after = (after if i == 2 else relu(after)) + np.asarray(layer["biases"])
    mistakes = {
        "apply: the ReLU is missing in the hidden layers.": by(inner=lambda z: z),
        "apply: no ReLU in the LAST layer: logits may be negative.": by(last=relu),
        "apply: ReLU stands in the last layer, and is missing in the hidden ones.": by(
            inner=lambda z: z, last=relu
        ),
        "apply: the biases are missing.": by(bias=0),
        "apply: first add the biases, then take the ReLU.": after,
        "apply: softmax is no part of it: return the logits.": jax.nn.softmax(right),
        "apply: log_softmax is no part of it: return the logits.": jax.nn.log_softmax(right),
        "apply: the inputs themselves get no ReLU.": by(first=relu),
        "apply: take the ReLU, not tanh.": by(inner=np.tanh),
        "apply: take the ReLU, not the sigmoid.": by(inner=lambda z: 1 / (1 + np.exp(-z))),
    }
    rule_out(got, mistakes)
    need(same(got, right), "apply: the logits are wrong. In each hidden layer: relu(x @ w + b).")
    jax.eval_shape(apply, params, x)  # as under jit
    gradient = jax.grad(lambda p: (apply(p, x) ** 2).sum())(params)
    need(all(np.any(g) for g in jax.tree.leaves(gradient)), "apply has no gradient: use jnp.")
