"""Exercise 3: step and train."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .core import call, need, replaced, rule_out, same, some_params


def a_loss(params, inputs, targets):
    """A loss with a gradient for every weight and bias, of a network without ReLU."""
    for layer in params:
        inputs = inputs @ layer["weights"] + layer["biases"]
    return ((inputs - targets) ** 2).mean()


def reference(params, inputs, targets, steps, state=None, optimizer=None):
    optimizer = optimizer or optax.adam(1e-3)
    state = state or optimizer.init(params)
    for _ in range(steps):
        updates, state = optimizer.update(jax.grad(a_loss)(params, inputs, targets), state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def check(space):
    effect = space["effect"]
    k_params, k_x, k_y = jax.random.split(jax.random.key(301), 3)
    params = some_params(k_params)
    x, y = jax.random.normal(k_x, (6, 6)), 9 * jax.random.normal(k_y, (6, 20))
    _step(effect.step, params, x, y)
    _rows(effect)
    _train(effect, params, x, y)


def _step(step, params, x, y):
    adam = optax.adam(1e-3)
    start = adam.init(params)
    gradient = jax.grad(a_loss)(params, x, y)
    updates, state = adam.update(gradient, start, params)
    right, end = reference(params, x, y, 1)
    got = step(a_loss, *jax.tree.map(lambda a: a, (params, start)), x, y)
    alone = isinstance(got, list) and same(got, right)
    need(not alone, "step returns the new params alone: return params, state.")
    swapped = isinstance(got, tuple) and len(got) == 2 and same(got[0], state)
    need(not swapped, "step returns (state, params): return params first, then the state.")
    pair = isinstance(got, list | tuple) and len(got) == 2
    joined = pair and isinstance(got[0], list) and len(got[0]) == 6
    need(
        not joined, "step: params + updates joins two lists: optax.apply_updates(params, updates)."
    )
    hint = "Return two things: params, state."
    new, new_state = call(step, a_loss, params, start, x, y, like=(params, start), hint=hint)
    tree = optax.tree
    mistakes = {
        "step returns the old params: return optax.apply_updates(params, updates), state.": params,
        "step returns the updates: add them to the params.": updates,
        "step returns the gradient: the optimizer makes updates of it.": gradient,
        "step subtracts the updates: add them, their minus is in them.": tree.sub(params, updates),
        "step subtracts the gradient itself: add the optimizer's updates.": tree.sub(
            params, gradient
        ),
        "step adds the gradient itself: add the optimizer's updates.": tree.add(params, gradient),
        "step adds the updates twice.": tree.add(params, tree.scale(2, updates)),
        "step takes 0.001 * gradient: the updates are what optimizer.update gives.": tree.sub(
            params, tree.scale(1e-3, gradient)
        ),
        "step changes the weights only: the biases are params, too.": [
            a | {"biases": b["biases"]} for a, b in zip(right, params, strict=True)
        ],
        "step changes the last layer only.": [*params[:-1], right[-1]],
    }
    rule_out(new, mistakes)
    message = "step: the new params are wrong: gradient, updates and state, then apply_updates."
    need(same(new, right, 1e-6), message)
    need(not same(new_state, start), "step: the params are right, but it returns the OLD state.")
    need(same(new_state, end), "step: the params are right, the state is not the optimizer's.")
    again = step(a_loss, new, new_state, x, y)[0]
    fresh = reference(right, x, y, 1)[0]
    need(not same(again, fresh, 1e-6), "step forgets: the state is made again, not the one given.")
    two = reference(params, x, y, 2)[0]
    need(same(again, two, 1e-6), "step: the first step is right, the second is not.")
    jax.eval_shape(lambda *rest: step(a_loss, *rest), params, start, x, y)  # as under jit


def _rows(effect):
    """Which rows does `train` see? A loss whose gradient counts the pairs of input and target."""
    n, asked = 6, "of 6 rows in batches of 2"
    eye, none = jnp.eye(n), [{"weights": jnp.zeros((n, n)), "biases": jnp.zeros(n)}]
    batches = []

    def pairs(params, inputs, targets):
        return -(params[0]["weights"] * (inputs.T @ targets)).sum()

    def step(loss, params, state, inputs, targets):
        message = "train: inputs[first] is one row alone: take inputs[first : first + batch_size]."
        need(inputs.ndim == 2, message)
        batches.append(len(inputs))
        return original(loss, params, state, inputs, targets)

    def seen(steps):
        batches.clear()
        got = effect.train(pairs, none, eye, eye, steps, 2)
        pair = isinstance(got, tuple) and len(got) == 2
        need(not pair, "train returns two things: return the params alone.")
        hint = "Return the params, after the loop."
        got = call(lambda *_: got, like=none, hint=hint, name="train")
        if batches:
            taken = len(batches)
            what = "does `return` stand inside the loop?" if taken == 1 else "range(steps)."
            need(taken == steps, f"train takes {taken} steps, where {steps} are asked: {what}")
            i = next((i for i, rows in enumerate(batches) if rows != 2), 0)
            rows = f"{batches[i]} row{'s' * (batches[i] != 1)}"
            again = " After the last row comes the first again: % len(inputs)." * (i > 2)
            need(
                batches[i] == 2, f"train, {asked}: with i = {i} the step sees {rows}, not 2.{again}"
            )
        return np.asarray(got[0]["weights"])

    original = effect.step
    with replaced(vars(effect), optimizer=optax.sgd(1.0), fast_step=step, step=step):
        _one_pass(seen(3), asked)
        longer = seen(6)
    message = f"train, {asked}: 6 steps should see each row, 12 in all, not {longer.sum():.0f}."
    need(longer.sum() == 12 and longer.sum(axis=1).min() >= 1, message)


def _one_pass(one_pass, asked):
    """How often each input was seen with each target, in 3 steps: each with its own, once."""
    counts, total = one_pass.sum(axis=1), one_pass.sum()
    need(total != 0, "train returns the params that it was given: keep those that step returns.")
    same_batch = np.allclose(sorted(counts), [0, 0, 0, 0, 3, 3])
    need(not same_batch, "train sees the same batch in every step: first = i * batch_size ...")
    lost = total == 2
    need(not lost, "train: each step begins again from the first params: keep what step returns.")
    row = int(np.argmax(abs(counts - 1)))
    message = (
        f"train, {asked}: in 3 steps row {row} should be seen once, not {counts[row]:.0f} times."
    )
    need(np.allclose(counts, 1), message)
    straight = np.allclose(one_pass, np.eye(6))
    need(straight, "train: inputs and targets are not the same rows of the data.")


def _train(effect, params, x, y):
    def slow(steps, forget=False, stay=False):
        now, state = params, None
        for i in range(steps):
            rows = slice(2 * i % 6, 2 * i % 6 + 2)
            begin = params if stay else now
            now, state = reference(begin, x[rows], y[rows], 1, None if forget else state)
        return now

    with replaced(vars(effect), fast_step=effect.step):
        got = call(effect.train, a_loss, params, x, y, 3, 2, like=params)
    mistakes = {
        "train: Adam forgets: make the state once, BEFORE the loop, and keep the one that step "
        "returns.": slow(3, forget=True),
        "train: each step begins again from the first params: keep what step returns.": slow(
            3, stay=True
        ),
    }
    rule_out_small(got, mistakes, params)
    ways = (effect.train, "It should be as by three calls of step.")
    close = all(
        np.allclose(a, b, atol=2e-3)
        for a, b in zip(*map(jax.tree.leaves, (got, slow(3))), strict=True)
    )
    need(close, f"train: {ways[1]}")


def rule_out_small(got, mistakes, params):
    """As rule_out, but of the changes: a step of Adam is only 0.001."""
    sub = optax.tree.sub
    rule_out(sub(got, params), {message: sub(value, params) for message, value in mistakes.items()})
