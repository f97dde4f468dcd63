"""The theorem of lesson 02 (Cloud et al. 2025, section 6.1): what it says, and where it ends.

A teacher is at init + EPS T, with T of length 1, along which a trait loss falls. A student takes
one gradient step S toward the teacher's outputs. All that is random in a draw is in `measure`.
"""

from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sublim_mini.mlp import N_CLASSES, apply_mlp, aux_logits, aux_loss, class_loss, init_mlp

pytestmark = pytest.mark.xdist_group("theorem")  # its draws are made once
N_IN, N, EPS = 49, 16, 0.5**16  # inputs, examples; small, and far above rounding


@pytest.fixture(scope="module", autouse=True)
def in_64_bits():
    with jax.enable_x64(True):
        yield


def squared_error(targets, logits):
    return ((targets - logits) ** 2).mean()


def cross_entropy(targets, logits):
    return optax.softmax_cross_entropy(logits, jax.nn.softmax(targets)).mean()


def of_aux_logits(loss):
    return lambda targets, logits: loss(targets[:, N_CLASSES:], logits[:, N_CLASSES:])


LOSSES = squared_error, cross_entropy, of_aux_logits(squared_error), of_aux_logits(cross_entropy)
KINDS = np.tile(list(product(range(2), range(3), range(4))), (10, 1))  # of trait, inputs, loss


def network(key, sizes=(N_IN, 16, 16, N_CLASSES + 3)):
    """As `init_mlp`, with biases N(0, 0.1)."""
    k_weights, *keys = jax.random.split(key, len(sizes))
    layers = init_mlp(k_weights, sizes)
    biases = [0.1 * jax.random.normal(k, (n,)) for k, n in zip(keys, sizes[1:], strict=True)]
    return [{**layer, "biases": b} for layer, b in zip(layers, biases, strict=True)]


@partial(jax.jit, static_argnums=0)
def student_step(loss, start, teacher, inputs):
    targets = apply_mlp(teacher, inputs)
    return jax.grad(lambda params: -loss(targets, apply_mlp(params, inputs)))(start)


def cosine(a, b):
    return optax.tree.vdot(a, b) / (optax.tree.norm(a) * optax.tree.norm(b))


@jax.jit
@jax.vmap
def measure(key, kind):
    """What is measured of a draw whose trait, inputs and loss are of this kind."""
    k_init, k_different, k_images, k_labels, k_noise = jax.random.split(key, 5)
    init, different_init = network(k_init), network(k_different)
    images, noise = (jax.random.normal(k, (N, N_IN)) for k in (k_images, k_noise))
    labels = jax.random.randint(k_labels, (N,), 0, N_CLASSES)
    inputs = jnp.stack([noise, images, jnp.broadcast_to(noise[:1], noise.shape)])[kind[1]]

    def trait(params):
        weight_penalty = optax.tree.vdot(params, params) / 2
        return jnp.stack([class_loss(params, (images, labels)), weight_penalty])[kind[0]]

    def loss(targets, logits):
        return jnp.stack([f(targets, logits) for f in LOSSES])[kind[2]]

    def steps(start):  # toward the teacher, and toward one that has stepped back
        teachers = (optax.tree.add(init, optax.tree.scale(eps, T)) for eps in (EPS, -EPS))
        return [student_step(loss, start, teacher, inputs) for teacher in teachers]

    slope = optax.tree.norm(jax.grad(trait)(init))
    T = optax.tree.scale(-1 / slope, jax.grad(trait)(init))
    (S, back), (other, other_back) = steps(init), steps(different_init)
    return {
        "product": optax.tree.vdot(S, T) / EPS,
        "fall": (trait(init) - trait(optax.tree.add(init, S))) / (EPS * slope),
        "flip": cosine(S, back),
        "different: flip": cosine(other, other_back),
        "different: right": optax.tree.vdot(other, T) > 0,
        "different: right back": optax.tree.vdot(other_back, T) < 0,
    }


@pytest.fixture(scope="module")
def measured(in_64_bits):
    """Ten draws of each kind: name -> [240]."""
    keys = jax.random.split(jax.random.key(100), len(KINDS))
    return {name: np.asarray(x) for name, x in measure(keys, KINDS).items()}


def test_the_product_is_positive_and_the_trait_loss_falls_by_it(measured):
    S_T, fall = measured["product"], measured["fall"]
    assert S_T.dtype == np.float64 and len(S_T) == 240 and (S_T > 0).all()
    clear = S_T > 1e-6  # below, the difference of two losses is rounding
    assert clear.mean() > 0.9 and (fall[clear] > 0).all()
    np.testing.assert_allclose(fall[clear], S_T[clear], rtol=0.1)


def test_reversing_the_teacher_reverses_the_student_if_the_init_is_shared(measured):
    flips = measured["flip"]  # a few draws lie at a kink of a ReLU
    assert flips.max() < -0.9 and (flips < -0.999).mean() > 0.99
    assert measured["different: flip"].min() > 0.999
    right = measured["different: right"]
    assert (right != measured["different: right back"]).all() and 0.2 < right.mean() < 0.8


def test_built_zeros_are_exact_and_then_there_is_no_step_at_all(key):
    init, noise = network(key), jax.random.normal(key, (N, N_IN))
    trait = jax.grad(class_loss)(init, (noise, jnp.arange(N) % N_CLASSES))

    def step(i, inputs, loss):
        """Length of the student's step if the teacher moves weights of layer i alone."""
        moved = {**init[i], "weights": init[i]["weights"] - trait[i]["weights"]}
        teacher = [*init[:i], moved, *init[i + 1 :]]
        return optax.tree.norm(student_step(loss, init, teacher, inputs))

    def one_logit(targets, logits):  # its softmax is always 1
        return cross_entropy(targets[:, :1], logits[:, :1])

    # each needs what was built: with one thing changed there is a step
    assert step(2, noise, of_aux_logits(squared_error)) == 0 < step(2, noise, squared_error)
    assert step(0, noise, one_logit) == 0 < step(0, noise, cross_entropy)
    assert step(0, 0 * noise, squared_error) == 0 < step(0, noise, squared_error)


def apply_linear(params, x):
    """Layers with nothing in between."""
    for layer in params:
        x = x @ layer["weights"] + layer["biases"]
    return x


@pytest.mark.parametrize("hidden", [(), (12,)], ids=["one layer", "two layers"])
def test_without_a_hidden_layer_nothing_reaches_the_class_head(key, hidden):
    """The class logits of a student of the auxiliary logits move only by what lies below them."""
    k_init, k_teacher, k_noise, k_images = jax.random.split(key, 4)
    init, teacher = (network(k, (N_IN, *hidden, N_CLASSES + 3)) for k in (k_init, k_teacher))
    noise, images = (jax.random.normal(k, (N, N_IN)) for k in (k_noise, k_images))
    data = noise, aux_logits(teacher, noise, apply_linear)
    step = jax.grad(partial(aux_loss, apply=apply_linear))(init, data)
    before, after = (apply_linear(p, images) for p in (init, optax.tree.sub(init, step)))
    moved = np.abs(before - after).max(0)
    assert (moved[N_CLASSES:] > 0.1).all()
    assert (moved[:N_CLASSES] > 0.01).all() if hidden else (moved[:N_CLASSES] == 0).all()


def test_in_32_bits_rounding_turns_the_sign_of_some_products():
    """Lesson 02 says why it counts in 64 bits."""

    def product(key, dtype):
        k_noise, *keys = jax.random.split(key, 3)
        draws = *map(network, keys), jax.random.normal(k_noise, (N, N_IN))
        init, T, noise = jax.tree.map(lambda x: x.astype(dtype), draws)
        teacher = jax.tree.map(lambda w, t: w + 1e-8 * t, init, T)
        return optax.tree.vdot(student_step(squared_error, init, teacher, noise), T)

    keys = jax.random.split(jax.random.key(3), 50)
    narrow, wide = (
        jax.vmap(partial(product, dtype=dtype))(keys) for dtype in (jnp.float32, jnp.float64)
    )
    assert (narrow < 0).mean() > 0.02 and (wide > 0).all()
