r"""Exercise 2: the teacher's loss.                             15 minutes, difficulty 2 of 5

The teacher learns to read digits. Its *loss* says how wrong its class logits are; training makes
the loss small. Write `teacher_loss` and `accuracy` in my_effect.py, then run

    .venv/bin/python lessons/exercises/2_teacher.py        (Windows: .venv\Scripts\python ...)

`teacher_loss(params, images, labels)`. For each image, `jax.nn.log_softmax` turns the ten class
logits into the logarithms of ten probabilities. Take the one of the image's label; the loss is
minus its mean over the images (the *cross-entropy*). The auxiliary logits are no part of it: this
is what "no label names them" means.

`accuracy(params, images, labels)` is the fraction of images for which the label has the largest
class logit.

The JAX that you need:

    logits[:, :10]                  # the first ten columns (logits[:10] are ten rows)
    jax.nn.log_softmax(logits)      # along the last axis
    a[jnp.arange(len(b)), b]        # of row 0 the column b[0], of row 1 the column b[1], ...
    a.argmax(axis=1)                # of each row the column with the largest number

3 lines. Stuck? `--hint 1`.
"""

import jax
from checks import effect, main

from sublim_mini.digits import draw_digits

PREDICT = "loss of an untrained network"


def run(quick):
    """Before training. A network that gives each digit the probability 1/10 has loss ln(10)."""
    k_digits, k_init = jax.random.split(jax.random.key(2))
    images, labels = draw_digits(k_digits, 100 if quick else 2000)
    params = effect.init(k_init)
    gradient = jax.grad(effect.teacher_loss)(params, images, labels)[-1]["weights"]
    return {
        PREDICT: (effect.teacher_loss(params, images, labels), 2.1, 3.2),
        "accuracy of an untrained network": (effect.accuracy(params, images, labels), 0, 0.25),
        "largest gradient of a class weight": (abs(gradient[:, :10]).max(), 0.01, 1),
        "largest gradient of an auxiliary one": (abs(gradient[:, 10:]).max(), 0, 0),
    }


# An open question. The auxiliary logits are no part of the loss, and their weights get no gradient.
# Will the auxiliary logits of an image be the same after training as before?

if __name__ == "__main__":
    main(globals())
