"""Exercise 6: inner_product, student_step and remove. All have biases that are not 0."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .core import call, need, rule_out, same, some_params


def dot(a, b):
    return sum(map(np.vdot, jax.tree.leaves(a), jax.tree.leaves(b)))


def scale(c, a):
    return jax.tree.map(lambda x: c * np.asarray(x), a)


def check(space):
    keys = jax.random.split(jax.random.key(601), 4)
    a, b, c = (some_params(k) for k in keys[:3])
    _inner_product(space["inner_product"], a, b)
    _student_step(space, a, c, jax.random.normal(keys[3], (7, 6)))
    _remove(space["remove"], a, b)


def _inner_product(inner_product, a, b):
    right = dot(a, b)
    got = call(inner_product, a, b, like=0.0, hint="Add up all the products, to one number.")
    products = jax.tree.map(lambda x, y: np.asarray(x * y), a, b)
    leaves = jax.tree.leaves(products)
    pairs = list(zip(*map(jax.tree.leaves, (a, b)), strict=True))
    sums = [(float(x.sum()), float(y.sum())) for x, y in pairs]
    mistakes = {
        "the biases are missing": sum(x["weights"].sum() for x in products),
        "the weights are missing": sum(x["biases"].sum() for x in products),
        "this is the last layer alone: add up all": sum(x.sum() for x in products[-1].values()),
        "this is the first layer alone: add up all": sum(x.sum() for x in products[0].values()),
        "this is the last array alone: add up all": leaves[-1].sum(),
        "this is the first array alone: add up all": leaves[0].sum(),
        "this is the cosine: do not divide by the lengths": right / (dot(a, a) * dot(b, b)) ** 0.5,
        "these are means: add the products up": sum(x.mean() for x in leaves),
        "first multiply number by number, then add up": sum(x for x, _ in sums)
        * sum(y for _, y in sums),
        "of each array, first multiply, then add up": sum(x * y for x, y in sums),
        "this is a . a: multiply a by b": dot(a, a),
    }
    rule_out(got, {f"inner_product: {message}.": value for message, value in mistakes.items()})
    need(same(got, right), f"inner_product is {got:.4f}, where {right:.4f} is right.")
    jax.eval_shape(inner_product, a, b)  # as under jit


def _student_step(space, init_params, teacher, noise):
    effect = space["effect"]

    def down(params, other, cut=slice(10, None)):
        aux = effect.apply(other, noise)[:, cut]
        return scale(-1, jax.grad(effect.student_loss)(params, noise, aux))

    function, right = space["student_step"], down(init_params, teacher)
    hint = "A step has the form of the params."
    got = call(function, init_params, teacher, noise, like=init_params, hint=hint)
    moved = jax.tree.map(jnp.add, init_params, right)
    adam = optax.adam(1e-3).update(scale(-1, right), optax.adam(1e-3).init(right))[0]
    nothing = "the step is 0: the student is at init_params, the targets are the TEACHER's logits"
    mistakes = {
        "this goes uphill: the step is MINUS the gradient": scale(-1, right),
        "return the step alone: do not add it to the params": moved,
        "return the step alone, minus the gradient": jax.tree.map(jnp.subtract, init_params, right),
        nothing: down(init_params, init_params),
        "teacher and student are swapped": down(teacher, init_params),
        "these are CLASS logits: take [:, 10:]": down(init_params, teacher, slice(10)),
        "these are Adam's updates: take minus the gradient": adam,
        "this is 0.001 of the step: the learning rate is 1": scale(1e-3, right),
    }
    rule_out(got, {f"student_step: {message}.": value for message, value in mistakes.items()})
    message = "student_step is not minus the gradient of student_loss at init_params."
    need(same(got, right), message)
    jax.eval_shape(function, init_params, teacher, noise)  # as under jit


def _remove(remove, u, d):
    c = dot(u, d) / dot(d, d)

    def less(c):
        return jax.tree.map(lambda x, y: np.asarray(x - c * y), u, d)

    got = call(remove, u, d, like=u, hint="It has the form of the params.")

    def each(x, y):
        return x - np.vdot(x, y) / np.vdot(y, y) * y

    layers = [
        jax.tree.map(lambda x, y, a=a, b=b: x - dot(a, b) / dot(b, b) * y, a, b)
        for a, b in zip(u, d, strict=True)
    ]
    u_u, u_d, d_d = dot(u, u), dot(u, d), dot(d, d)
    swapped = jax.tree.map(lambda x, y: y - u_d / u_u * x, u, d)
    half = [a | {"biases": b["biases"]} for a, b in zip(less(c), u, strict=True)]
    mistakes = {
        "this is the part along d: return what is left without it": scale(c, d),
        "nothing is removed": u,
        "divide u . d by d . d: d may have any length": less(u_d),
        "you divide by the length of d: divide by d . d, its square": less(c * d_d**0.5),
        "the part is removed twice: this turns it round": less(2 * c),
        "the part is added: subtract it": less(-c),
        "you remove d itself: only c times d is in u": less(1),
        "you divide by u . u: divide by d . d": less(u_d / u_u),
        "you divide by the lengths of both: divide by d . d": less(u_d / (u_u * d_d) ** 0.5),
        "c is upside down: it is (u . d) / (d . d)": less(1 / c),
        "update and direction are swapped": swapped,
        "each array has a c of its own: it is ONE c for all": jax.tree.map(each, u, d),
        "each layer has a c of its own: it is ONE c for all": layers,
        "the biases are not changed: they are part of u and d": half,
    }
    rule_out(got, {f"remove: {message}.": value for message, value in mistakes.items()})
    left = dot(got, d)
    message = f"remove: what is left has an inner product of {left:.3f} with d, not 0."
    need(abs(left) < 1e-2, message)
    need(
        same(got, less(c), 1e-3),
        "remove: what is left is at a right angle to d, but too much is gone.",
    )
    nothing = jax.tree.map(jnp.zeros_like, d)
    zero = call(remove, u, nothing, like=u, hint="It has the form of the params.")
    need(same(zero, u), "remove: where d is 0, the update should stay as it is.")
    short = call(remove, u, scale(0.01, d), like=u)
    message = "remove: a direction 100 times shorter should give the same: add 1e-20, no more."
    need(same(short, got, 1e-3), message)
    jax.eval_shape(remove, u, d)  # as under jit
