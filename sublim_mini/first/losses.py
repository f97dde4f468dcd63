"""The losses: each is one number, a mean over examples.

Letters: N examples, K classes, O all logits (classes first, then auxiliary); ... is N, or nothing.
"""

import jax
import jax.numpy as jnp

from .mlp import aux_logits, class_logits, logit_columns


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


# The same as losses of (params, batch), for `train`. A batch is (inputs [N, I], labels [N]) or
# (inputs, the teacher's logits [N, O] on them).


def _mean_loss(one, params, batch):
    """Mean over the batch of one(student's logits [O], label or teacher's logits [O])."""
    inputs, targets = batch
    return jax.vmap(one, (1, 0))(logit_columns(params, inputs), targets).mean()


def class_loss(params, batch):
    """Cross-entropy of the class logits: how a teacher learns digits."""

    def one(logits, label):
        return cross_entropy(class_logits(logits), label)

    return _mean_loss(one, params, batch)


def aux_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over the auxiliary logits alone (Cloud et al. 2025, section 5)."""

    def one(logits, teacher_logits):
        return kl(aux_logits(teacher_logits), aux_logits(logits), temperature)

    return _mean_loss(one, params, batch)


def aux_mse_loss(params, batch):
    """Squared error on the auxiliary logits alone."""

    def one(logits, teacher_logits):
        return squared_error(aux_logits(teacher_logits), aux_logits(logits))

    return _mean_loss(one, params, batch)


def all_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over all logits, classes and auxiliary in one softmax."""

    def one(logits, teacher_logits):
        return kl(teacher_logits, logits, temperature)

    return _mean_loss(one, params, batch)


def class_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over the class logits: ordinary distillation (Hinton et al. 2015)."""

    def one(logits, teacher_logits):
        return kl(class_logits(teacher_logits), class_logits(logits), temperature)

    return _mean_loss(one, params, batch)
