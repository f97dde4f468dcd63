"""A multi-layer perceptron with two heads in its last layer: class logits and auxiliary logits.

The first 10 outputs are the class logits, one for each digit. The others are the auxiliary logits,
which no label ever touches. Letters: N examples, O outputs.

Another network needs an init and an apply: params, inputs [N, 784] -> logits [N, O]. Give its apply
to the losses: `partial(class_loss, apply=apply_cnn)`, made once.
"""

from functools import partial

import jax
import jax.numpy as jnp
import optax

N_CLASSES = 10


def init_mlp(key, sizes):
    """Weights [in, out] ~ N(0, 1/sqrt(in)), biases 0, for layers of these sizes (Cloud et al.)."""
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        {"weights": jax.random.normal(k, (n_in, n_out)) / n_in**0.5, "biases": jnp.zeros(n_out)}
        for k, n_in, n_out in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def hidden_mlp(params, x):
    """Inputs [N, 784] -> activations of the last hidden layer [N, width]."""
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["weights"] + layer["biases"])
    return x


def apply_mlp(params, x):
    """Inputs [N, 784] -> all logits [N, O]: 10 class logits, then the auxiliary logits."""
    return hidden_mlp(params, x) @ params[-1]["weights"] + params[-1]["biases"]


def class_loss(params, batch, apply=apply_mlp):
    """A teacher's loss: mean cross-entropy (nats) of the class logits; batch: (images, labels)."""
    images, labels = batch
    class_logits = apply(params, images)[:, :N_CLASSES]
    return optax.softmax_cross_entropy_with_integer_labels(class_logits, labels).mean()


def aux_logits(params, x, apply=apply_mlp):
    """Inputs [N, 784] -> the auxiliary logits alone [N, O - 10]: all that a student copies."""
    return apply(params, x)[:, N_CLASSES:]


def aux_loss(params, batch, apply=apply_mlp):
    """A student's loss: mean squared error; batch: (inputs, the teacher's auxiliary logits)."""
    inputs, targets = batch
    return ((aux_logits(params, inputs, apply) - targets) ** 2).mean()


@partial(jax.jit, static_argnames="apply")
def accuracy(params, images, labels, apply=apply_mlp):
    """Fraction of images [N, 784] whose largest class logit is that of the label [N].

    It is nan for a network that has diverged: logits that are not finite answer nothing.
    """
    class_logits = apply(params, images)[:, :N_CLASSES]
    correct = (class_logits.argmax(-1) == labels).mean()
    return jnp.where(jnp.isfinite(class_logits).all(), correct, jnp.nan)


def kl(teacher_logits, student_logits, temperature=1.0):
    """Mean over examples of KL(teacher || student), nats; logits [N, O] are over a temperature."""
    log_p, log_q = (jax.nn.log_softmax(x / temperature) for x in (teacher_logits, student_logits))
    return (jnp.exp(log_p) * (log_p - log_q)).sum(-1).mean()
