"""Exercise 2: teacher_loss and accuracy."""

import jax
import jax.numpy as jnp
import numpy as np

from .core import call, logits_of, need, rule_out, same, some_params


def by_hand(logits):
    """Params of a network whose logits are these numbers, whatever it is shown."""
    return [{"weights": jnp.zeros((6, 20)), "biases": jnp.asarray(logits)}]


def check(space):
    effect = space["effect"]
    k_params, k_x = jax.random.split(jax.random.key(201))
    params, x = some_params(k_params), jax.random.normal(k_x, (7, 6))
    labels = jnp.array([3, 1, 4, 1, 5, 9, 2])
    _loss(effect.teacher_loss, params, x, labels)
    _accuracy(effect.accuracy, params, x, labels)


def _loss(loss, params, x, labels):
    logits, rows = logits_of(params, x), np.arange(7)

    def of_labels(table):
        return np.asarray(table)[rows, labels]

    log_p = jax.nn.log_softmax(logits[:, :10])
    own, every = of_labels(log_p), np.asarray(jax.nn.log_softmax(logits))
    late = jax.nn.log_softmax(logits[:, 10:])
    down = jax.nn.log_softmax(logits[:, :10], axis=0)
    right, one_hot = -own.mean(), np.eye(10)[labels]
    nine = -np.asarray(jax.nn.log_softmax(logits[:, :9]))[rows, np.minimum(labels, 8)].mean()
    hint = "Take the mean over the images."
    got = call(loss, params, x, labels, like=0.0, hint=hint)
    columns = "log_p[labels] takes ROWS: log_p[jnp.arange(N), labels] takes of each row one column"
    many = "log_p[:, labels] takes 7 columns of every row: log_p[jnp.arange(N), labels] takes one"
    cut = "softmax over all 20 logits: first take the class logits, [:, :10] ([:10] are rows)"
    mistakes = {
        "the minus is missing: a loss is small when p is large": -right,
        "this is the sum over the images: take the mean": 7 * right,
        "these are the LAST ten logits: the class logits are [:, :10]": -of_labels(late).mean(),
        cut: -of_labels(every).mean(),
        "this is the mean over all ten classes: of each row take its label's": -log_p.mean(),
        many: -log_p[:, labels].mean(),
        columns: -np.asarray(log_p)[np.minimum(labels, 6)].mean(),
        "these are probabilities, not their logarithms: log_softmax": -np.exp(own).mean(),
        "softmax, then minus: the logarithm is missing": np.exp(own).mean(),
        "these are logits: log_softmax makes log-probabilities": -of_labels(logits).mean(),
        "the mean belongs outside the logarithm": -np.log(np.exp(own).mean()),
        "this is the fraction of wrong answers: take -log p": (
            logits[:, :10].argmax(1) != labels
        ).mean(),
        "these are squares: take -log p": ((np.exp(log_p) - one_hot) ** 2).mean(),
        "these are squares: take -log p of the label": ((np.exp(log_p) - one_hot) ** 2).sum() / 7,
        "[:, :9] are nine columns: take ten, [:, :10]": nine,
        "the largest class is not always the label: log_p[row, label]": -log_p.max(axis=1).mean(),
        "the softmax is over the images: it is over the classes, axis=-1": -of_labels(down).mean(),
    }
    rule_out(got, {f"teacher_loss: {message}.": value for message, value in mistakes.items()})
    example = loss(by_hand(np.zeros(20)), x, labels)
    message = "teacher_loss: if all logits are 0, each p is 1/10, and the loss is log(10) = 2.303"
    need(same(example, np.log(10)), f"{message}, not {example:.3f}.")
    need(same(got, right), f"teacher_loss is {got:.4f}, where {right:.4f} is right.")
    jax.eval_shape(loss, params, x, labels)  # as under jit
    gradient = jax.grad(loss)(params, x, labels)[-1]["weights"]
    need(
        not np.any(gradient[:, 10:]), "teacher_loss: the auxiliary logits' weights get a gradient."
    )
    need(np.any(gradient[:, :10]), "teacher_loss: the class logits' weights get no gradient.")


def _accuracy(accuracy, params, x, labels):
    logits = np.array([0, 3, 1, 0, 2, 1, 0, 0, 0, 1, 9, 8, 0, 0, 0, 0, 0, 0, 0, -9.0])
    mixed = [{"weights": jnp.zeros((6, 20)).at[0, 4].set(4.0), "biases": jnp.asarray(logits)}]
    x = jnp.zeros((7, 6)).at[:, 0].set(jnp.array([5.0, 0, 6, 0, 0, 0, 0]))  # rows 0, 2: a 4
    right = 3 / 7  # the answers are 4 1 4 1 1 1 1
    got = call(accuracy, mixed, x, labels, like=0.0, hint="Take the mean over the images.")
    mistakes = {
        "this counts the right answers: take the mean": 3,
        "this is the fraction of WRONG answers": 4 / 7,
        "this is in percent: a fraction is from 0 to 1": 100 * right,
        "this is the largest of all 20 logits: first take [:, :10] ([:10] are rows)": 1 / 7,
    }
    rule_out(got, {f"accuracy: {message}.": value for message, value in mistakes.items()})
    columns = "the answer is the COLUMN of the largest of ten, [:, :10], by argmax(axis=1)"
    need(got != 0, f"accuracy is 0 where 3/7 is right: {columns}.")
    answers = "with the answers 4 1 4 1 1 1 1 to 3 1 4 1 5 9 2"
    need(same(got, right), f"accuracy: {answers} it is 3/7, not {got:.3f}.")
    more = logits_of(params, x)[:, :10].argmax(axis=1)
    need(same(accuracy(params, x, more), 1), "accuracy: with all answers right it should be 1.")
