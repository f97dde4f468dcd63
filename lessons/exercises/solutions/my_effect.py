"""The solutions of exercises 1 to 4."""

import jax
import jax.numpy as jnp
import optax

SIZES = 784, 96, 96, 20
optimizer = optax.adam(1e-3)


def init(key, sizes=SIZES):
    params = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        key, k = jax.random.split(key)
        weights = jax.random.normal(k, (n_in, n_out)) / n_in**0.5
        params.append({"weights": weights, "biases": jnp.zeros(n_out)})
    return params


def apply(params, x):
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["weights"] + layer["biases"])
    return x @ params[-1]["weights"] + params[-1]["biases"]


def teacher_loss(params, images, labels):
    log_p = jax.nn.log_softmax(apply(params, images)[:, :10])
    return -log_p[jnp.arange(len(labels)), labels].mean()


def accuracy(params, images, labels):
    return (apply(params, images)[:, :10].argmax(axis=1) == labels).mean()


def step(loss, params, state, inputs, targets):
    gradient = jax.grad(loss)(params, inputs, targets)
    updates, state = optimizer.update(gradient, state, params)
    return optax.apply_updates(params, updates), state


fast_step = jax.jit(step, static_argnums=0)


def train(loss, params, inputs, targets, steps, batch_size=100):
    state = optimizer.init(params)
    for i in range(steps):
        first = i * batch_size % len(inputs)
        rows = slice(first, first + batch_size)
        params, state = fast_step(loss, params, state, inputs[rows], targets[rows])
    return params


def student_loss(params, noise, teacher_aux):
    return ((apply(params, noise)[:, 10:] - teacher_aux) ** 2).mean()


def distill(teacher, init_params, noise, steps):
    teacher_aux = apply(teacher, noise)[:, 10:]
    return train(student_loss, init_params, noise, teacher_aux, steps)


def experiment(images, labels, noise, key, steps=300):
    init_params = init(key)
    teacher = train(teacher_loss, init_params, images, labels, steps)
    student = distill(teacher, init_params, noise, 2 * steps)
    return init_params, teacher, student
