"""My own subliminal learning, from nothing. Exercises 1 to 4 ask for it; exercises 5 to 8 use it.

Replace each line `raise NotImplementedError` by your code. The files 1_network.py to 4_student.py
say what to write. Run them, not this file.

N examples. A network's *params* are a list of its layers, each a dict of two arrays:
{"weights": [inputs of the layer, outputs of the layer], "biases": [outputs of the layer]}.
"""

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
import optax

# ---- Exercise 1: the network ----

SIZES = 784, 96, 96, 20  # pixels, two hidden layers, 10 class logits + 10 auxiliary logits


def init(key, sizes=SIZES):
    """A key, the sizes of the layers -> params before training."""
    raise NotImplementedError


def apply(params, x):
    """Params, inputs [N, 784] -> logits [N, 20]."""
    raise NotImplementedError


# ---- Exercise 2: the teacher ----


def teacher_loss(params, images, labels):
    """Params, images [N, 784], labels [N] -> mean cross-entropy of the class logits, a number."""
    raise NotImplementedError


def accuracy(params, images, labels):
    """Params, images [N, 784], labels [N] -> the fraction of images answered correctly."""
    raise NotImplementedError


# ---- Exercise 3: the loop ----

optimizer = optax.adam(1e-3)


def step(loss, params, state, inputs, targets):
    """One step of training on loss(params, inputs, targets) -> new params, new state."""
    raise NotImplementedError


fast_step = jax.jit(step, static_argnums=0)  # your step, compiled: call this one in the loop


def train(loss, params, inputs, targets, steps, batch_size=100):
    """Params after `steps` steps, each on the next `batch_size` rows of inputs and targets.

    N is a multiple of batch_size. After the last row comes the first again.
    """
    raise NotImplementedError


# ---- Exercise 4: the student ----


def student_loss(params, noise, teacher_aux):
    """Params, noise [N, 784], the teacher's auxiliary logits [N, 10] -> mean squared error."""
    raise NotImplementedError


def distill(teacher, init_params, noise, steps):
    """The params of a student: trained from init_params to copy the teacher on noise."""
    raise NotImplementedError


def experiment(images, labels, noise, key, steps=300):
    """-> three params: the init of both, the teacher (`steps` steps), the student (2 * steps)."""
    raise NotImplementedError
