"""The losses: each is one number, a mean over examples.

Letters: N examples, K classes, O all logits (classes first, then auxiliary); ... is N, or nothing.
"""

import jax
import jax.numpy as jnp

from .mlp import apply_one, aux_logits, class_logits


def cross_entropy(logits, labels):
    """Logits [..., K], labels [...] -> mean negative log-probability of the label, in nats."""
    log_p = jax.nn.log_softmax(logits)
    said = jax.nn.one_hot(labels, logits.shape[-1], dtype=log_p.dtype)
    return -(said * log_p).sum(-1).mean()


def kl(target_logits, logits, temperature=1.0):
    """Mean KL(target || model) of two sets of logits [..., K], both divided by the temperature."""
    log_p = jax.nn.log_softmax(target_logits / temperature)
    log_q = jax.nn.log_softmax(logits / temperature)
    return (jnp.exp(log_p) * (log_p - log_q)).sum(-1).mean()


def squared_error(targets, outputs):
    """Mean over examples [..., K] of the mean squared difference."""
    return ((targets - outputs) ** 2).mean()


# The same as losses of (params, batch), for `train`. A batch is (inputs, labels) or (inputs, the
# teacher's logits [N, O] on them). Each is written for one example.


def class_loss(params, batch):
    """Cross-entropy of the class logits: how a teacher learns digits."""

    def one(image, label):
        return cross_entropy(class_logits(apply_one(params, image)), label)

    return jax.vmap(one)(*batch).mean()


def aux_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over the auxiliary logits alone (Cloud et al. 2025, section 5)."""

    def one(x, teacher_logits):
        return kl(aux_logits(teacher_logits), aux_logits(apply_one(params, x)), temperature)

    return jax.vmap(one)(*batch).mean()


def aux_mse_loss(params, batch):
    """Squared error on the auxiliary logits alone."""

    def one(x, teacher_logits):
        return squared_error(aux_logits(teacher_logits), aux_logits(apply_one(params, x)))

    return jax.vmap(one)(*batch).mean()


def all_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over all logits, classes and auxiliary in one softmax."""

    def one(x, teacher_logits):
        return kl(teacher_logits, apply_one(params, x), temperature)

    return jax.vmap(one)(*batch).mean()


def class_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over the class logits: ordinary distillation (Hinton et al. 2015)."""

    def one(x, teacher_logits):
        return kl(class_logits(teacher_logits), class_logits(apply_one(params, x)), temperature)

    return jax.vmap(one)(*batch).mean()
