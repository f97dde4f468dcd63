"""The theorem of lesson 04 (Cloud et al. 2025, section 6.1): what it says, and where it ends.

A teacher is at init + eps T, with T of length 1. A student takes one gradient step S toward the
teacher's outputs. Letters: D draws, E values of eps, P params, N inputs.
"""

from functools import partial
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from sublim_mini.mlp import N_CLASSES, apply_mlp, aux_logits, aux_loss, class_loss, init_mlp
from sublim_mini.train import train

pytestmark = pytest.mark.xdist_group("theorem")  # its draws are costly: made in one process
N_IN, N_AUX, N = 49, 3, 16
EPS = 0.5 ** np.arange(25)
SMALL = 16  # EPS[16] is small for all draws, and far above rounding


@pytest.fixture(scope="module", autouse=True)
def in_64_bits():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def aux(logits):
    return logits[:, N_CLASSES:]


def squared_error(targets, logits):
    return ((targets - logits) ** 2).mean()


def cross_entropy(targets, logits):
    return optax.softmax_cross_entropy(logits, jax.nn.softmax(targets)).mean()


LOSSES = {
    "squared error, all logits": squared_error,
    "squared error, auxiliary logits": lambda t, z: squared_error(aux(t), aux(z)),
    "cross-entropy, all logits": cross_entropy,
    "cross-entropy, auxiliary logits": lambda t, z: cross_entropy(aux(t), aux(z)),
}
TRAITS = {
    "class loss": lambda p, draw: class_loss(p, draw["images"]),
    "class loss on other inputs": lambda p, draw: class_loss(p, draw["others"]),
    "weight penalty": lambda p, draw: optax.tree.vdot(p, p) / 2,
    "random function": lambda p, draw: optax.tree.vdot(draw["waves"], jax.tree.map(jnp.sin, p)),
}
KINDS = np.array(list(product(range(len(TRAITS)), range(3), range(len(LOSSES)))))


def network(key, sizes):
    """As `init_mlp`, with biases N(0, 0.1)."""
    keys = jax.random.split(key, len(sizes))
    layers = init_mlp(keys[-1], sizes)
    biases = [0.1 * jax.random.normal(k, x["biases"].shape) for k, x in zip(keys, layers)]  # noqa: B905
    return [{**layer, "biases": b} for layer, b in zip(layers, biases, strict=True)]


@partial(jax.jit, static_argnames="hidden")
@partial(jax.vmap, in_axes=(0, 0, None))
def make_draws(key, kind, hidden):
    """All that is random: networks, the data of a trait loss, and what the student sees."""
    keys = jax.random.split(key, 8)
    nets = [network(k, (N_IN, *hidden, N_CLASSES + N_AUX)) for k in keys[:3]]
    images = jax.random.normal(keys[3], (N, N_IN))
    noise, others = jax.random.uniform(keys[4], (2, N, N_IN), minval=-1, maxval=1)
    labels, other_labels = jax.random.randint(keys[5], (2, N), 0, N_CLASSES)
    point = jnp.broadcast_to(noise[:1], noise.shape)
    return {
        "kind": kind,
        "init": nets[0],
        "different init": nets[1],
        "waves": nets[2],
        "images": (images, labels),
        "others": (others, other_labels),
        "inputs": jnp.stack([noise, images, point])[kind[1]],
    }


def linear_step(loss, params, inputs, direction):
    """F times a direction, E[J' M J] direction, without forming F."""
    here, pull_back = jax.vjp(lambda p: apply_mlp(p, inputs), params)
    pushed = jax.jvp(lambda p: apply_mlp(p, inputs), (params,), (direction,))[1]
    weighed = jax.jvp(jax.grad(partial(loss, here)), (here,), (pushed,))[1]
    return pull_back(weighed)[0]


def measure(draw, eps):
    """What is measured of one draw at each eps [E]: name -> [E]."""

    def trait(w):
        return jnp.stack([f(unravel(w), draw) for f in TRAITS.values()])[draw["kind"][0]]

    def loss(targets, logits):
        return jnp.stack([f(targets, logits) for f in LOSSES.values()])[draw["kind"][2]]

    init, unravel = ravel_pytree(draw["init"])
    different_init = ravel_pytree(draw["different init"])[0]
    value, gradient = jax.value_and_grad(trait)(init)
    slope = jnp.linalg.norm(gradient)
    T = -gradient / slope
    linear = ravel_pytree(linear_step(loss, draw["init"], draw["inputs"], unravel(T)))[0]

    def student_step(start, teacher):
        def student_loss(w):
            outputs = (apply_mlp(unravel(x), draw["inputs"]) for x in (teacher, w))
            return loss(*outputs)

        return -jax.grad(student_loss)(start)

    def at(eps):
        teachers = jnp.stack([init + eps * T, init - eps * T])
        starts = jnp.stack([init, different_init])
        steps = jax.vmap(jax.vmap(student_step, (None, 0)), (0, None))(starts, teachers)
        (step, step_back), (other, other_back) = steps
        return {
            "product": step @ T / eps,
            "fall": (value - trait(init + step)) / (eps * slope),
            "rounding": jnp.abs(value) / (eps * slope) * jnp.finfo(value.dtype).eps,
            "flip": cosine(step, step_back),
            "different: flip": cosine(other, other_back),
            "different: product": other @ T,
            "different: product back": -other_back @ T,
            "error": jnp.linalg.norm(step / eps - linear) / jnp.linalg.norm(linear),
        }

    return jax.vmap(at)(eps)


def cosine(a, b):
    return a @ b / (jnp.linalg.norm(a) * jnp.linalg.norm(b))


measure_all = jax.jit(jax.vmap(measure, (0, None)))


@pytest.fixture(scope="module", params=[(16,), (16, 16)], ids=["1 hidden", "2 hidden"])
def draws(request, in_64_bits):
    """18 draws of each trait loss, inputs and loss of the student: 864 for each architecture."""
    return draw_all(request.param)


def draw_all(hidden):
    kinds = np.tile(KINDS, (18, 1))
    return make_draws(jax.random.split(jax.random.key(100), len(kinds)), kinds, hidden)


@pytest.fixture(scope="module")
def measured(draws):
    return {name: np.asarray(x) for name, x in measure_all(draws, EPS).items()}  # each [D, E]


def settled(values, change=0.05, halvings=3):
    """Values [D, E] -> where `halvings` more halvings of eps change each draw's little: [D]."""
    steady = np.abs(np.diff(values)) <= change * np.abs(values[:, 1:])
    runs = np.lib.stride_tricks.sliding_window_view(steady, halvings, axis=1).all(-1)
    assert runs.any(1).all(), "the value of a draw has not settled"
    return runs.argmax(1) + halvings


def pick(values, at):
    """Values [D, E] at each draw's own eps [D]."""
    return values[np.arange(len(values)), at]


def test_the_product_is_never_negative_for_any_loss_trait_or_inputs(measured):
    products = pick(measured["product"], settled(measured["product"]))
    assert len(products) == 18 * len(KINDS) and (products > 0).all()
    assert (measured["product"][:, SMALL:] > 0).all()  # nor for any smaller eps


def test_the_trait_loss_falls_where_rounding_lets_it_be_seen(measured):
    products = pick(measured["product"], settled(measured["product"]))
    at = settled(measured["fall"][:, :SMALL])  # smaller eps: rounding of a difference of losses
    falls, clear = pick(measured["fall"], at), products > 1000 * pick(measured["rounding"], at)
    assert clear.mean() > 0.9 and (falls[clear] > 0).all()
    np.testing.assert_allclose(falls[clear], products[clear], rtol=0.3)  # by the product, line 9


def test_reversing_the_teacher_reverses_the_student_if_the_init_is_shared(measured):
    flips = measured["flip"][:, SMALL]  # a few draws lie at a kink of a ReLU
    assert flips.max() < -0.9 and (flips < -0.999).mean() > 0.998
    assert measured["different: flip"][:, SMALL].min() > 0.999


def test_with_a_different_init_the_sign_is_right_for_one_of_T_and_minus_T(measured):
    right, right_back = (
        measured[f"different: {name}"][:, SMALL] > 0 for name in ("product", "product back")
    )
    assert (right != right_back).all() and 0.2 < right.mean() < 0.8


def test_the_step_is_eps_F_T_with_an_error_in_proportion_to_eps(measured):
    fitted = slice(6, 19)
    eps, errors = EPS[fitted], measured["error"][:, fitted]
    visible = (errors > 1e3 * np.finfo(float).eps / eps).all(1)  # elsewhere it is only rounding
    slopes = np.array([np.polyfit(np.log(eps), np.log(e), 1)[0] for e in errors[visible]])
    assert visible.mean() > 0.5 and abs(slopes.mean() - 1) < 0.1
    assert measured["error"][:, SMALL].max() < 0.01


def test_32_bits_make_products_negative():
    wide = jnp.float64
    narrow, eps = jax.tree.map(
        lambda x: x.astype(jnp.float32) if x.dtype == wide else x,
        (draw_all((16, 16)), jnp.asarray(EPS)),
    )
    products = np.asarray(measure_all(narrow, eps)["product"])
    assert products.dtype == np.float32
    assert (products[:, -1] < 0).mean() > 0.02  # in 64 bits none is, by the first test


ZERO = {
    "the teacher moves its class head alone, the student copies the auxiliary logits": 0,
    "one auxiliary logit under a softmax, which is always 1": 1,
    "the student sees only the image 0, the teacher moves first weights alone": 2,
}


@pytest.mark.parametrize("case", ZERO.values(), ids=ZERO.keys())
def test_built_zeros_are_exact_and_then_there_is_no_step_at_all(case, key):
    k_net, k_images, k_noise, k_labels = jax.random.split(key, 4)
    init = network(k_net, (N_IN, 16, 16, N_CLASSES + N_AUX))
    images, noise = (jax.random.normal(k, (N, N_IN)) for k in (k_images, k_noise))
    labels = jax.random.randint(k_labels, (N,), 0, N_CLASSES)
    trait = optax.tree.scale(-1, jax.grad(class_loss)(init, (images, labels)))
    nothing = optax.tree.zeros_like(trait)
    head = {name: -x.at[..., N_CLASSES:].set(0) for name, x in init[-1].items()}
    first_weights = {**nothing[0], "weights": trait[0]["weights"]}

    def one_logit(targets, logits):
        return cross_entropy(aux(targets)[:, :1], aux(logits)[:, :1])

    T, inputs, loss = [
        ([*nothing[:-1], head], noise, LOSSES["squared error, auxiliary logits"]),
        (trait, noise, one_logit),
        ([first_weights, *nothing[1:]], jnp.zeros_like(noise), squared_error),
    ][case]

    def step(T, inputs, loss):
        teacher = optax.tree.add(init, optax.tree.scale(1 / optax.tree.norm(T), T))
        targets = apply_mlp(teacher, inputs)
        return jax.grad(lambda p: loss(targets, apply_mlp(p, inputs)))(init)

    S = step(T, inputs, loss)
    assert optax.tree.vdot(S, T) == 0 and not any(x.any() for x in jax.tree.leaves(S))
    # and each needs what was built: with one thing changed there is a step
    changed = [(trait, inputs, loss), (T, inputs, squared_error), (T, noise, loss)][case]
    assert optax.tree.norm(step(*changed)) > 1e-6


def apply_linear(params, x):
    """Layers with nothing in between."""
    for layer in params:
        x = x @ layer["weights"] + layer["biases"]
    return x


@pytest.mark.parametrize("hidden", [(), (12,)], ids=["one layer", "two layers"])
def test_without_a_hidden_layer_nothing_reaches_the_class_head(key, hidden):
    """The class logits of a student of the auxiliary logits move only by what lies below them."""
    k_init, k_images, k_noise, k_labels, k_order = jax.random.split(key, 5)
    init = network(k_init, (N_IN, *hidden, N_CLASSES + 40))
    images, noise = (jax.random.normal(k, (200, N_IN)) for k in (k_images, k_noise))
    labels = jax.random.randint(k_labels, (200,), 0, N_CLASSES)
    losses = [partial(loss, apply=apply_linear) for loss in (class_loss, aux_loss)]
    adam, how = optax.adam(1e-2), dict(steps=40, batch_size=50)
    teacher = train(losses[0], adam, init, (images, labels), k_order, **how)
    # targets moved by 1: without hidden layers a teacher's auxiliary logits are those of the init
    data = noise, aux_logits(teacher, noise, apply_linear) + 1
    student = train(losses[1], adam, init, data, k_order, **how)
    before, after = (apply_linear(params, images) for params in (init, student))
    moved = np.abs(before - after).max(0)
    assert (moved[N_CLASSES:] > 0.1).all()
    assert (moved[:N_CLASSES] > 0.01).all() if hidden else (moved[:N_CLASSES] == 0).all()
