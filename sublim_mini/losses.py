"""The losses: each is a mean over examples of one number.

Letters: N examples, K classes, O all logits (classes first, then auxiliary).
"""

import jax
import jax.numpy as jnp

from .mlp import apply_mlp, aux_logits, class_logits


def cross_entropy(logits, labels):
    """Logits [N, K], labels [N] -> mean negative log-probability of the label, in nats."""
    log_p = jax.nn.log_softmax(logits)
    return -jnp.take_along_axis(log_p, labels[:, None], axis=1).mean()


def kl(target_logits, logits, temperature=1.0):
    """Mean KL(target || model) of two sets of logits [N, K], both divided by the temperature."""
    log_p = jax.nn.log_softmax(target_logits / temperature)
    log_q = jax.nn.log_softmax(logits / temperature)
    return (jnp.exp(log_p) * (log_p - log_q)).sum(-1).mean()


def squared_error(targets, outputs):
    """Mean over examples [N, K] of the mean squared difference."""
    return ((targets - outputs) ** 2).mean()


# The same as losses of (params, batch), for `train`. A batch is (inputs, labels) or (inputs, the
# teacher's logits [N, O] on them).


def class_loss(params, batch):
    """Cross-entropy of the class logits: how a teacher learns digits."""
    images, labels = batch
    return cross_entropy(class_logits(apply_mlp(params, images)), labels)


def aux_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over the auxiliary logits alone (Cloud et al. 2025, section 5)."""
    inputs, teacher_logits = batch
    return kl(aux_logits(teacher_logits), aux_logits(apply_mlp(params, inputs)), temperature)


def aux_mse_loss(params, batch):
    """Squared error on the auxiliary logits alone."""
    inputs, teacher_logits = batch
    return squared_error(aux_logits(teacher_logits), aux_logits(apply_mlp(params, inputs)))


def all_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over all logits, classes and auxiliary in one softmax."""
    inputs, teacher_logits = batch
    return kl(teacher_logits, apply_mlp(params, inputs), temperature)


def class_kl_loss(params, batch, temperature=1.0):
    """KL(teacher || student) over the class logits: ordinary distillation (Hinton et al. 2015)."""
    inputs, teacher_logits = batch
    return kl(class_logits(teacher_logits), class_logits(apply_mlp(params, inputs)), temperature)
