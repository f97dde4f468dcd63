"""A multi-layer perceptron as pure functions on a list of layers, and its two heads.

Letters: N examples, I inputs, H hidden units, O outputs. The last layer gives the class logits and,
in the rows after them, the auxiliary logits: numbers without a meaning, that no label ever touches.
"""

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

N_CLASSES = 10


def init_mlp(key, sizes):
    """Layers of widths `sizes`: weights [O, I] ~ N(0, 1/sqrt(I)), biases 0 (Cloud et al. 2025)."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        {
            "weights": jax.random.normal(k, (n_out, n_in)) / jnp.sqrt(n_in),
            "biases": jnp.zeros(n_out),
        }
        for k, n_in, n_out in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def add_noise(key, params, std):
    """Params with a normal number of standard deviation `std` added to each weight and bias."""
    flat, restore = ravel_pytree(params)
    return restore(flat + std * jax.random.normal(key, flat.shape))


def hidden_columns(params, inputs):
    """Inputs [N, I] -> activity of the last hidden layer after its ReLU [H, N]."""
    x = inputs.T  # features first, a column an example, which trains faster
    for layer in params[:-1]:
        x = jax.nn.relu(layer["weights"] @ x + layer["biases"][:, None])
    return x


def logit_columns(params, inputs):
    """Inputs [N, I] -> all logits [O, N]: class logits first, auxiliary logits after them."""
    return params[-1]["weights"] @ hidden_columns(params, inputs) + params[-1]["biases"][:, None]


def hidden_mlp(params, inputs):
    """Inputs [N, I] -> activity of the last hidden layer [N, H]."""
    return hidden_columns(params, inputs).T


def apply_mlp(params, inputs):
    """Inputs [N, I] -> all logits [N, O]."""
    return logit_columns(params, inputs).T


def class_logits(logits):
    """All logits [..., O] -> class logits [..., 10]."""
    return logits[..., :N_CLASSES]


def aux_logits(logits):
    """All logits [..., O] -> auxiliary logits [..., O - 10]."""
    return logits[..., N_CLASSES:]


def clear_class_rows(grads):
    """A tree like params with 0 in the class rows of the last layer."""
    last = jax.tree.map(lambda x: x.at[:N_CLASSES].set(0), grads[-1])
    return [*grads[:-1], last]


def predict(params, images):
    """Images [N, 784] -> the class with the largest logit [N]."""
    return class_logits(apply_mlp(params, images)).argmax(-1)


def accuracy(params, images, labels):
    """Share of images [N, 784] whose predicted class is the label [N]."""
    return (predict(params, images) == labels).mean()
