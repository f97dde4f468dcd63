r"""Exercise 1: the network.                                    20 minutes, difficulty 2 of 5

You build subliminal learning from nothing. A *teacher* network will learn to read digits, a
*student* network will see only noise, and learn to read them, too. Both are the network that you
write now. Write it in my_effect.py; then run this file from the folder of the project:

    .venv/bin/python lessons/exercises/1_network.py        (Linux, macOS)
    .venv\Scripts\python lessons\exercises\1_network.py    (Windows)

The network. 784 pixels go in, 20 numbers come out, the *logits*: first ten *class logits*, one for
each digit, then ten *auxiliary logits*, which no label names. Between them are two hidden layers
of 96 units. Each layer has weights w [inputs, outputs] and biases b [outputs].

    hidden layer    x becomes relu(x @ w + b)     jax.nn.relu(z) is the larger of z and 0
    last layer      logits = x @ w + b            negative logits are fine: no relu

`init(key, sizes)` makes the params: for 4 sizes, a list of 3 layers. The biases are 0. The weights
are random: normal, with mean 0 and standard deviation 1/sqrt(n), where n is the number of the
layer's inputs. `apply(params, x)` gives the logits.

The JAX that you need. Random numbers are made from a *key*, and the same key makes the same
numbers. So each layer needs a key of its own.

    k_1, k_2, k_3 = jax.random.split(key, 3)    # makes three new keys of one
    jax.random.normal(k_1, (784, 96))           # an array of this shape: mean 0, deviation 1
    jnp.zeros(96)                               # JAX's NumPy: jnp

About 9 lines in all. Stuck? Add `--hint 1`, then 2 and 3.
"""

import jax
from checks import effect, main

from sublim_mini.digits import draw_digits

PREDICT = "digits that it answers correctly"


def run(quick):
    """An untrained network is shown digits. Its answer is the largest of its class logits."""
    k_digits, k_init = jax.random.split(jax.random.key(1))
    images, labels = draw_digits(k_digits, 100 if quick else 2000)
    logits = effect.apply(effect.init(k_init), images)
    return {
        PREDICT: ((logits[:, :10].argmax(axis=1) == labels).mean(), 0, 0.25),
        "standard deviation of its logits": (logits.std(), 0.3, 1.2),
    }


# An open question. What would happen to the logits of a network of ten such layers if the weights
# had standard deviation 1, not 1/sqrt(n)?

if __name__ == "__main__":
    main(globals())
