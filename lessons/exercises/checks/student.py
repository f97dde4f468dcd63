"""Exercise 4: student_loss, distill and experiment."""

import jax
import jax.numpy as jnp
import numpy as np

from .core import call, logits_of, need, replaced, rule_out, same, some_params


def check(space):
    effect = space["effect"]
    keys = jax.random.split(jax.random.key(401), 5)
    init_params, teacher = some_params(keys[0]), some_params(keys[1])
    noise, images = jax.random.normal(keys[2], (7, 6)), jax.random.normal(keys[3], (7, 6))
    targets = jax.random.normal(keys[4], (7, 10))
    _loss(effect.student_loss, init_params, noise, targets)
    _distill(effect, teacher, init_params, noise)
    _experiment(effect, images, noise)


def _loss(loss, params, noise, targets):
    logits, targets = logits_of(params, noise), np.asarray(targets)
    difference = logits[:, 10:] - targets
    square = difference**2
    hint = "Take the mean over all N x 10 numbers."
    got = call(loss, params, noise, jnp.asarray(targets), like=0.0, hint=hint)
    first, soft = logits[:, :10] - targets, jax.nn.softmax(logits[:, 10:]) - targets
    mistakes = {
        "these are the FIRST ten logits, of the classes: take [:, 10:]": (first**2).mean(),
        "this is the sum of the squares: take the mean": square.sum(),
        "a sum over the ten logits: take the mean over all numbers": square.sum() / 7,
        "a sum over the images: take the mean over all numbers": square.sum() / 10,
        "you take the mean first: square first": difference.mean() ** 2,
        "the square is missing": difference.mean(),
        "the square is missing; and it is the teacher's minus the student's": -difference.mean(),
        "these are absolute values: take squares": abs(difference).mean(),
        "this is the square root of it": square.mean() ** 0.5,
        "this is the length (norm): take the mean of the squares": square.sum() ** 0.5,
        "this is half of it": square.mean() / 2,
        "the sign is wrong: a mean of squares is positive": -square.mean(),
        "softmax is no part of it: compare the logits": (soft**2).mean(),
    }
    rule_out(got, {f"student_loss: {message}.": value for message, value in mistakes.items()})
    message = f"student_loss is {got:.4f}, where {square.mean():.4f} is right."
    need(same(got, square.mean()), message)
    jax.eval_shape(loss, params, noise, targets)  # as under jit
    gradient = jax.grad(loss)(params, noise, jnp.asarray(targets))[-1]["weights"]
    need(np.any(gradient), "student_loss: the value is right, but it has no gradient: use jnp.")
    need(not np.any(gradient[:, :10]), "student_loss: the class logits' weights get a gradient.")


def spy():
    """A stand-in for `train`, whose n-th call adds n to all params; and a list of its calls."""
    calls = []

    def train(loss, params, inputs, targets, steps, batch_size=100):
        order = "the arguments of train are loss, params, inputs, targets, steps, in this order."
        need(callable(loss), f"the first argument of train is the loss, without ( ): {order}")
        need(isinstance(params, list | tuple | dict) and isinstance(steps, int), order)
        calls.append((loss, params, inputs, targets, steps, batch_size))
        return jax.tree.map(lambda x: x + len(calls), params)

    return train, calls


def _distill(effect, teacher, init_params, noise):
    train, calls = spy()
    with replaced(vars(effect), train=train):
        effect.distill(teacher, init_params, noise, 60)
        need(calls, "distill trains nothing: call your train.")
        need(len(calls) == 1, "distill calls train more than once.")
        examine(calls.pop(), effect, teacher, init_params, noise, 60, "distill")
        got = call(effect.distill, teacher, init_params, noise, 60, like=init_params)
    need(same(got, jax.tree.map(lambda x: x + 1, init_params)), "distill: return what train gives.")


def examine(call, effect, teacher, init_params, noise, steps, where):
    """What a student was trained with: is it what it should be?"""
    loss, params, inputs, targets, n_steps, _ = call
    message = f"{where}: the student is trained by teacher_loss: it should be student_loss."
    need(loss is not effect.teacher_loss, message)
    need(loss is effect.student_loss, f"{where}: train the student by student_loss.")
    need(
        not same(params, teacher),
        f"{where}: the student gets the trained teacher: give it init_params.",
    )
    need(same(params, init_params), f"{where}: the student's first params are not init_params.")
    logits, own = logits_of(teacher, noise), logits_of(init_params, noise)
    need(not same(inputs, targets), f"{where}: inputs and targets are the same.")
    swapped = same(inputs, logits[:, 10:]) and same(targets, noise)
    need(not swapped, f"{where}: swapped: the noise is the input, the teacher's logits the target.")
    need(
        same(inputs, noise), f"{where}: the student's inputs should be the noise, and nothing else."
    )
    mistakes = {
        "all 20 logits are copied: the auxiliary ones alone, [:, 10:]": logits,
        "the CLASS logits are copied: the auxiliary ones are [:, 10:]": logits[:, :10],
        "the student copies itself: the targets should be the TEACHER's": own[:, 10:],
        "[10:] takes rows: columns are [:, 10:]": logits[10:],
    }
    rule_out(targets, {f"{where}: {message}.": value for message, value in mistakes.items()})
    message = f"{where}: the targets should be the teacher's auxiliary logits of the noise."
    need(same(targets, logits[:, 10:]), message)
    need(n_steps == steps, f"{where}: the student takes {n_steps} steps, where {steps} are asked.")


def _experiment(effect, images, noise):
    labels, key, steps = jnp.array([3, 1, 4, 1, 5, 9, 2]), jax.random.key(402), 30
    sizes, init = (6, 5, 4, 20), effect.init
    keys = []

    def small(key, sizes_asked=None):
        keys.append(key)
        return init(key, sizes)

    small.__name__ = small.__qualname__ = "init"

    begin = init(key, sizes)
    train, calls = spy()
    hint = "Return three networks: init, teacher, student."
    with replaced(vars(effect), train=spy()[0], init=small):
        other = jax.random.key(403)
        got = effect.experiment(images, labels, noise, other, steps)
        alone = isinstance(got, list | tuple) and isinstance(got[0], dict)
        need(not alone, "experiment returns one network: return three, init, teacher, student.")
        others = [jax.random.key_data(k).tolist() for k in keys]
        keys.clear()
    with replaced(vars(effect), train=train, init=small):
        like = (begin, begin, begin)
        got = call(effect.experiment, images, labels, noise, key, steps, like=like, hint=hint)
    fixed = [jax.random.key_data(k).tolist() for k in keys] == others and keys
    need(not fixed, "experiment: the init does not depend on the key that is given: init(key).")
    need(keys, "experiment: make the first params by init(key).")
    teachers = [c for c in calls if c[0] is effect.teacher_loss]
    students = [c for c in calls if c[0] is effect.student_loss]
    need(teachers, "experiment: no teacher is trained, by train(teacher_loss, ...).")
    need(students, "experiment: no student is trained: call distill.")
    need(len(teachers) == len(students) == 1, "experiment: one teacher and one student, no more.")
    _, first, inputs, targets, n_steps, _ = teachers[0]
    need(same(inputs, images), "experiment: the teacher's inputs should be the images.")
    need(same(targets, labels), "experiment: the teacher's targets should be the labels.")
    message = f"experiment: the teacher takes {n_steps} steps, where steps = {steps} is given."
    need(n_steps == steps, message)
    own = students[0][1]
    teacher = jax.tree.map(lambda x: x + 1, first)
    need(
        not same(own, teacher),
        "experiment: the student gets the trained teacher's params: give it the init.",
    )
    message = "experiment: teacher and student have different inits: call init once, use it twice."
    need(same(own, first), message)
    message = "experiment: the student sees digits: it should see nothing but noise."
    need(not same(students[0][2], images), message)
    message = "experiment: the student copies the untrained network: give distill the teacher."
    need(not same(students[0][3], logits_of(first, noise)[:, 10:]), message)
    examine(students[0], effect, teacher, first, noise, 2 * steps, "experiment")
    order = "experiment: return init, teacher, student, in this order."
    student = jax.tree.map(lambda x: x + 2, own)
    need(same(got[0], first) and same(got[1], teacher) and same(got[2], student), order)
