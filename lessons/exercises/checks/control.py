"""Exercise 5: shared_layers, draw and stopped_at."""

import jax
import jax.numpy as jnp
import numpy as np

from .core import NotYet, call, need, replaced, same, some_params


def check(space):
    _shared_layers(space["shared_layers"])
    _draw(space)
    _stopped_at(space)


def _shared_layers(shared_layers):
    k_one, k_other = jax.random.split(jax.random.key(501))
    one, other = some_params(k_one, (6, 5, 5, 20)), some_params(k_other, (6, 5, 5, 20))
    for a in (*one, *other):
        a["biases"] = jnp.zeros_like(a["biases"])  # as before training

    def permuted(layer):
        return layer | {"weights": jnp.roll(layer["weights"], 1)}

    def first_row(a, b):
        return a | {"weights": a["weights"].at[0].set(b["weights"][0])}

    shifted = [a | {"weights": a["weights"] + 0.3} for a in one]
    cases = (
        (other, [], "they share no layer. Are biases compared? They are 0 in both"),
        ([dict(a) for a in one], [0, 1, 2], "one is a copy of the other"),
        ([*other[:2], dict(one[2])], [2], "their LAST layers are equal, and no others"),
        ([dict(one[0]), *other[1:]], [0], "their FIRST layers are equal, and no others"),
        (
            [permuted(a) for a in one],
            [],
            "their weights have equal sums, but in another order: compare each number",
        ),
        (
            [first_row(a, b) for a, b in zip(other, one, strict=True)],
            [],
            "only SOME of their weights are equal: compare all of a layer's, (a == b).all()",
        ),
        (shifted, [], "their weights differ by 0.3: equal is equal"),
    )  # fmt: skip
    for mixed, right, what in cases:
        got = shared_layers(one, mixed)
        need(got is not None, "shared_layers returns nothing (None): return the list.")
        kind = "shared_layers should return a list of numbers such as [0, 2]"
        try:
            numbers = [int(i) for i in got]
        except TypeError:
            raise NotYet(f"{kind}, not a {type(got).__name__}.") from None
        answers = len(numbers) == 3 and all(
            isinstance(i, bool | np.bool_) or hasattr(i, "dtype") for i in got
        )
        need(not answers, f"{kind}, not True or False for each layer.")
        need(numbers == right, f"shared_layers gives {numbers}, not {right}: {what}.")


def _draw(space):
    def small_uniform(key, shape, *arguments, **names):
        return uniform(key, (min(shape[0], 50), *shape[1:]), *arguments, **names)

    draw, effect, uniform = space["draw"], space["effect"], jax.random.uniform
    k_one, k_other = jax.random.split(jax.random.key(502))
    like = jnp.zeros((50, 784)), effect.init(k_one), effect.init(k_one)
    with replaced(vars(jax.random), uniform=small_uniform):
        hint = "Return noise, init_params, different."
        _, init_params, different = call(draw, k_one, like=like, hint=hint)
        _, other_init, other_different = draw(k_other)
    alike = _alike(init_params, different)
    message = (
        f"draw: the two inits have (nearly) the same numbers in the layers {alike}. There are two "
        "bugs: which keys does the second split give, and what is the last layer of `different`?"
    )
    need(not alike, message)
    need(
        _proper(init_params) and _proper(different),
        "draw: both inits should be as effect.init(key) makes them.",
    )
    message = "does not depend on the key: make it from a key that is split from `key`."
    need(not _alike(init_params, other_init), f"draw: the teacher's init {message}")
    need(not _alike(different, other_different), f"draw: the different init {message}")
    crossed = _alike(init_params, other_different) or _alike(different, other_init)
    need(not crossed, "draw: one network's init comes from a key that is fixed.")


def _alike(one, other):
    """The layers whose weights are correlated: equal, scaled, or with something small added."""

    def correlation(a, b):
        return np.corrcoef(np.ravel(a["weights"]), np.ravel(b["weights"]))[0, 1]

    pairs = enumerate(zip(one, other, strict=True))
    return [i for i, (a, b) in pairs if abs(correlation(a, b)) > 0.2]


def _proper(params):
    """Whether these weights have the spread that exercise 1 asks for."""
    spread = [np.std(p["weights"]) * len(p["weights"]) ** 0.5 for p in params]
    shift = [abs(np.mean(p["weights"])) + abs(np.asarray(p["biases"])).max() for p in params]
    return np.allclose(spread, 1, atol=0.1) and np.allclose(shift, 0, atol=0.02)


def _stopped_at(space):
    """A make-believe student whose loss falls from 0.8 by a tenth with every 10 steps."""
    asked = []

    def distill(teacher, params, noise, steps):
        asked.append((steps, params))
        tired = (
            "stopped_at does not stop: does `steps` grow, and is the new student's loss compared?"
        )
        need(len(asked) < 100, tired)
        return jax.tree.map(lambda x: x + steps, params)

    def student_loss(params, noise, teacher_aux):
        need(jnp.shape(teacher_aux) == (7, 10), "stopped_at: teacher_aux is apply(...)[:, 10:].")
        need(
            not same(teacher_aux, jnp.zeros((7, 10))),
            "stopped_at: the targets are the TEACHER's logits.",
        )
        steps = (params[0]["weights"] - begin[0]["weights"]).mean()
        return 0.8 * 0.9 ** (steps / 10)

    def apply(params, noise):
        return jnp.zeros((7, 20)) if same(params, begin) else jnp.ones((7, 20))

    k_begin, k_teacher, k_noise = jax.random.split(jax.random.key(503), 3)
    begin, teacher = some_params(k_begin), some_params(k_teacher)
    noise = jax.random.normal(k_noise, (7, 6))
    fakes = dict(distill=distill, student_loss=student_loss, apply=apply)
    with replaced(vars(space["effect"]), **fakes):
        stop = space["stopped_at"]
        got = call(stop, 0.41, teacher, begin, noise, like=begin, hint="Return the params.")
    first = [params for _, params in asked]
    taken = float((got[0]["weights"] - begin[0]["weights"]).mean())
    by_teacher = any(same(p, teacher) for p in [got, *first])
    need(not by_teacher, "stopped_at: the student gets the teacher's params.")
    again = (
        "stopped_at: train from init_params each time: distill(teacher, init_params, noise, steps)."
    )
    need(all(same(p, begin) for p in first), again)
    losses = "(The losses after 0, 10, 20 ... steps: 0.8, 0.72, 0.648 ...; level: 0.41.)"
    fraction = "stopped_at compares fractions of the first loss: compare the losses themselves."
    need(abs(taken - 90) > 1, fraction)
    meant = "70 is right, the first multiple of 10 with a loss of at most `level`"
    need(abs(taken - 70) < 1, f"stopped_at stops after {taken:.0f} steps; {meant}. {losses}")
    asked.clear()
    with replaced(vars(space["effect"]), **fakes):
        got = stop(0.9, teacher, begin, noise)
    taken = float((got[0]["weights"] - begin[0]["weights"]).mean())
    need(taken < 11, "stopped_at: if the loss is below `level` at once, no steps are needed.")
