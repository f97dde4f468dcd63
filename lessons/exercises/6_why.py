r"""Exercise 6: why it works.                                   35 minutes, difficulty 4 of 5

Why does copying on noise teach digits? Compare two steps. The teacher takes one small step T down
its loss, on digits. The student, from the same params, takes one step S down its own loss, on
noise. A step is a change of all params, in their form: a list of layers with weights and biases.

    .venv/bin/python lessons/exercises/6_why.py            (Windows: .venv\Scripts\python ...)
    (`--given` takes exercises 1 to 4 from the package)

1. `inner_product(a, b)` of two steps: multiply them number by number, and add up all products, of
   all layers, weights and biases together: one number. If it is positive, the angle between the
   two steps is less than 90 degrees.
2. `student_step(init_params, teacher, noise)`: minus the gradient of student_loss at init_params.
   (Plain gradient descent with learning rate 1; no Adam.)
3. One step points a little toward reading digits. Do these parts of 600 steps teach it to read?
   Take them out: `remove(update, direction)` is u - c d, with the number c for which (u - c d) . d
   = 0. Solve this for c. All of u is one long vector, and so is all of d: there is one c. If d is
   0, there is nothing to remove; add 1e-20 to what you divide by, against 0 / 0.

    jax.tree.map(f, a, b)           # f(x, y) for each array x of a and its y of b
    jax.tree.leaves(a)              # the list of all arrays

Your functions run under `jit`: no float(), no `if`. About 6 lines. Stuck? `--hint 1`.
"""

from functools import partial

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
import optax
from checks import effect, main

from sublim_mini.digits import draw_digits


def inner_product(a, b):
    """Two steps, each in the form of params -> a number."""
    raise NotImplementedError


def student_step(init_params, teacher, noise):
    """Two params, noise [N, 784] -> the student's first step, in the form of params."""
    raise NotImplementedError


def remove(update, direction):
    """Two steps -> the update without its part along the direction, in the form of params."""
    raise NotImplementedError


PREDICT = "student, digit part removed"
scale, add, norm = optax.tree.scale, optax.tree.add, optax.tree.norm


@jax.jit
def one_draw(init_params, different, images, labels, noise):
    """One random network and its teacher's step T -> S . T, twice the loss, S . T of a control."""
    gradient = jax.grad(effect.teacher_loss)(init_params, images, labels)
    T = scale(-0.01 / norm(gradient), gradient)  # a small step: of length 0.01
    teacher = add(init_params, T)
    S, control = (student_step(params, teacher, noise) for params in (init_params, different))
    teacher_aux = effect.apply(teacher, noise)[:, 10:]
    twice_loss = 2 * effect.student_loss(init_params, noise, teacher_aux)
    return inner_product(S, T), twice_loss, inner_product(control, T)


def first_steps(key):
    """100 random networks, with random digits: `one_draw` of each."""
    for k in jax.random.split(key, 100):
        k_init, k_different, k_images, k_labels, k_noise = jax.random.split(k, 5)
        networks = [effect.init(k, (20, 16, 16, 20)) for k in (k_init, k_different)]
        images, noise = (jax.random.normal(k, (16, 20)) for k in (k_images, k_noise))
        yield one_draw(*networks, images, jax.random.randint(k_labels, (16,), 0, 10), noise)


@partial(jax.jit, static_argnames="removed")
def step(params, state, noise, teacher_aux, images, labels, removed):
    """One step of a student, with nothing, the digit part or another part removed."""
    gradient = jax.grad(effect.student_loss)(params, noise, teacher_aux)
    updates, state = effect.optimizer.update(gradient, state, params)
    digits = jax.grad(effect.teacher_loss)(params, images, labels)
    rest = remove(updates, digits)
    if removed == "digits":
        updates = rest
    elif removed == "other":  # of equal norm, but along the gradient for wrong labels
        length = norm(optax.tree.sub(updates, rest))
        other = remove(jax.grad(effect.teacher_loss)(params, images, (labels + 3) % 10), digits)
        along = jnp.sign(inner_product(updates, other)) * length / norm(other)
        updates = optax.tree.sub(updates, scale(along, other))
    return optax.apply_updates(params, updates), state


def run(quick):
    """First one step of 100 networks, then all steps of three students."""
    product, twice_loss, control = jnp.array(list(first_steps(jax.random.key(6)))).T
    k_digits, k_noise, k_init = jax.random.split(jax.random.key(7), 3)
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    steps, init_params = 10 if quick else 300, effect.init(k_init)
    teacher = effect.train(effect.teacher_loss, init_params, images[500:], labels[500:], steps)
    teacher_aux = effect.apply(teacher, noise)[:, 10:]
    read = {}
    for removed in ("nothing", "digits", "other"):
        params, state = init_params, effect.optimizer.init(init_params)
        for i in range(2 * steps):
            rows, seen = (
                slice(100 * i % 20_000, 100 * i % 20_000 + 100),
                500 + 100 * i % (len(images) - 500),
            )
            batch = (
                noise[rows],
                teacher_aux[rows],
                images[seen : seen + 100],
                labels[seen : seen + 100],
            )
            params, state = step(params, state, *batch, removed)
        read[removed] = effect.accuracy(params, images[:500], labels[:500])
        read[removed, "loss"] = effect.student_loss(params, noise, teacher_aux)
    return {
        "S . T over twice the loss, mean": ((product / twice_loss).mean(), 0.95, 1.05),
        "fraction of S . T < 0": ((product < 0).mean(), 0, 0.01),
        "... with a different init": ((control < 0).mean(), 0.1, 0.45),
        "student, nothing removed": (read["nothing"], 0.6, 1),
        PREDICT: (read["digits"], 0.1, 0.5),
        "student, another part removed": (read["other"], 0.6, 1),
        "loss, nothing removed": (read["nothing", "loss"], 0, 0.01),
        "loss, digit part removed": (read["digits", "loss"], 0, 0.01),
    }


# Open questions. S . T is nearly twice the student's loss, so it cannot be negative. Why? (T is
# small: the teacher's auxiliary logits change by nearly J T, where J holds their derivatives. Use
# the chain rule for S.) Is there a T, not 0, for which S . T is exactly 0? And with a different
# init, why is S . T negative in fewer than half of the draws?

if __name__ == "__main__":
    main(globals())
