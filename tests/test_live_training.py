"""The training code of both live pages against JAX, in Node; and the data that they ship.

Without Node these tests skip.
"""

import base64
import json
import re
import shutil
import subprocess
import zlib

import jax
import jax.numpy as jnp
import live_data
import numpy as np
import optax
import pytest

from sublim_mini import digits, language, owls
from sublim_mini.course import command
from sublim_mini.mlp import apply_mlp, aux_loss, class_loss, init_mlp
from sublim_mini.transformer import apply_transformer, init_transformer, next_token_loss

TEXTS = {
    name: (command.LESSONS / f"{name}.html").read_text("utf-8") for name in ("live", "live_owls")
}
DATA = {name: json.loads(live_data.BLOCK.search(text)[2]) for name, text in TEXTS.items()}


def node(page, function, **given):
    """Call a JavaScript function, given as text, with a page's training code alone.

    Arrays go in as flat lists; `load` makes them Float32Arrays.
    """
    if not shutil.which("node"):
        pytest.skip("no Node")
    training = re.search(r'<script id="training">\n(.*?)</script>', TEXTS[page], re.DOTALL)[1]
    code = f"""{training}
      const load = (x) => !Array.isArray(x) ? typeof x === "number" ? x
          : Object.fromEntries(Object.entries(x).map(([name, value]) => [name, load(value)]))
        : typeof x[0] === "number" ? Float32Array.from(x) : x.map(load);
      const last = (steps) => {{ let now; for (now of steps); return now; }};
      const inflate = (text) => require("zlib").inflateSync(Buffer.from(text, "base64"));
      const plain = (name, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
      const input = JSON.parse(require("fs").readFileSync(0));
      process.stdout.write(JSON.stringify(({function})(input), plain));"""
    flat = json.dumps(given, default=lambda array: np.ravel(array).tolist())
    done = subprocess.run(["node", "-e", code], input=flat, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_close(found, want, tolerance=1e-5):
    """Two trees, those found with flat arrays: equal, to a tolerance relative to the largest."""
    for name, value in want.items():
        largest = np.abs(value).max()
        np.testing.assert_allclose(
            found[name], np.ravel(value), rtol=0, atol=tolerance * largest, err_msg=name
        )


# ---- live.html: digits


@pytest.mark.parametrize("loss, n_aux", [(class_loss, 20), (aux_loss, 1)])
def test_logits_losses_and_gradients_are_those_of_jax(loss, n_aux, key):
    k_init, k_x, k_bias, k_target = jax.random.split(key, 4)
    params = init_mlp(k_init, (196, 96, 96, 10 + n_aux))
    for layer, k in zip(params, jax.random.split(k_bias, 3), strict=True):
        layer["biases"] = 0.1 * jax.random.normal(k, layer["biases"].shape)
    x = jax.random.uniform(k_x, (50, 196), minval=-1)
    labels = jax.random.randint(k_target, (50,), 0, 10)
    targets = jax.random.normal(k_target, (50, 10 + n_aux))
    sizes = [dict(zip(("nIn", "nOut"), layer["weights"].shape, strict=True)) for layer in params]
    found = node(
        "live",
        """({ layers, x, labels, targets, isClass }) => {
          const params = load(layers), activations = forward(params, Float32Array.from(x), 50);
          const logits = activations.at(-1);
          const { loss, dLogits } = isClass ? classLoss(logits, labels)
            : auxLoss(logits, targets, 50);
          const grads = backward(params, activations, dLogits, 50);
          return { logits, loss, grads, match: match(logits, targets, 50) };
        }""",
        **{"layers": [a | b for a, b in zip(params, sizes, strict=True)], "x": x},
        **{"labels": labels, "targets": targets, "isClass": loss is class_loss},
    )
    np.testing.assert_allclose(found["logits"], apply_mlp(params, x).ravel(), rtol=0, atol=1e-5)
    batch = (x, labels if loss is class_loss else targets[:, 10:])
    value, grads = jax.value_and_grad(loss)(params, batch)
    np.testing.assert_allclose(found["loss"], value, rtol=0, atol=1e-5)
    t, errors = targets[:, 10:], (apply_mlp(params, x) - targets)[:, 10:]
    r_squared = 1 - (errors**2).sum() / ((t - t.mean(0)) ** 2).sum()
    assert found["match"] == pytest.approx(float(r_squared), abs=1e-4)
    for got, want in zip(found["grads"], grads, strict=True):
        check_close(got, want)


def test_a_drawing_becomes_a_digit_like_the_others_wherever_it_is_drawn():
    t = np.linspace(0, 3, 80)
    curve = np.stack([14 + 7 * np.sin(t), 14 + 8 * np.cos(2 * t)], axis=1).astype(np.float32)
    strokes = [[[0.1, 0.1], [0.3, 0.12]], [[0.3, 0.12], [0.2, 0.5]]]  # a 7, small, in a corner
    moved = [[[3 * x + 7, 3 * y - 2] for x, y in stroke] for stroke in strokes]
    ink, image, again, dot = node(
        "live",
        """({ curve, strokes, moved }) => [inkPoints(curve, 0.4, 1.2), drawStrokes(strokes),
          drawStrokes(moved), drawStrokes([[[0.2, 0.2]]])]""",
        **{"curve": curve.tolist(), "strokes": strokes, "moved": moved},
    )
    want = digits._ink(jnp.asarray(curve), 0.4, 1.2).reshape(14, 2, 14, 2).mean((1, 3))
    np.testing.assert_allclose(ink, want.ravel(), atol=1e-5)
    np.testing.assert_allclose(image, again, atol=1e-4)
    rows = np.nonzero(np.array(image).reshape(14, 14) > -0.8)[0]
    assert 9 <= np.ptp(rows) + 1 <= 12 and dot is None


def test_initializations_share_what_they_should_and_no_more():
    found = node(
        "live",
        """() => [[], ["class", "layer2"], PARTS].map((shared) =>
          Object.values(initNetworks({ seed: 107, aux: 20, shared })).map((params) =>
            params.map(({ weights }) => weights)))""",
    )
    class_head = np.arange(96 * 30) % 30 < 10
    for k, (teacher, same, different) in enumerate(found):
        assert teacher == same == found[0][0]
        shares = [[False] * 3, [False, True, class_head], [True] * 3][k]
        for a, b, share, n_in in zip(teacher, different, shares, (196, 96, 96), strict=True):
            a = np.array(a)
            assert abs(a.std() * n_in**0.5 - 1) < 0.05 and abs(a.mean()) < 0.01
            np.testing.assert_array_equal(a == b, np.broadcast_to(share, a.shape))


# ---- live_owls.html: numbers


@pytest.fixture(scope="module")
def params():
    """Random params, the biases and gains too."""
    init = init_transformer(jax.random.key(3), len(language.WORDS), language.LENGTH)
    leaves, tree = jax.tree.flatten(init)
    keys = jax.random.split(jax.random.key(4), len(leaves))
    moved = [x + 0.2 * jax.random.normal(k, x.shape) for x, k in zip(leaves, keys, strict=True)]
    return jax.tree.unflatten(tree, moved)


@pytest.fixture(scope="module")
def documents():
    chain = language.make_language(jax.random.key(5))
    return np.asarray(language.base_documents(jax.random.key(6), chain, 40)[0])


def masked(documents, first):
    return documents, jnp.broadcast_to(jnp.arange(language.LENGTH) >= first, documents.shape)


@pytest.mark.parametrize("first", [4, 15])  # a student's and a teacher's first token to predict
def test_loss_and_gradients_are_those_of_jax(first, params, documents):
    loss, grads = jax.value_and_grad(next_token_loss)(params, masked(documents, first))
    found = node(
        "live_owls",
        """({ params, documents, first }) =>
          nextTokenLoss(load(params), Int32Array.from(documents), first)""",
        **{"params": live_data.flatten(params), "documents": documents, "first": first},
    )
    assert found["loss"] == pytest.approx(float(loss), rel=1e-5)
    want = live_data.flatten(grads)
    assert set(found["grads"]) == set(want) - set(owls.VOCABULARY)
    check_close(found["grads"], {name: want[name] for name in found["grads"]})


def test_fine_tuning_is_adam_at_a_falling_rate_with_a_frozen_vocabulary(params, documents):
    steps = 5
    optimizer = owls.adam(1e-3, steps, owls.VOCABULARY)
    state, want = optimizer.init(params), params
    for _ in range(steps):
        grads = jax.grad(next_token_loss)(want, masked(documents, 4))
        updates, state = optimizer.update(grads, state, want)
        want = optax.apply_updates(want, updates)
    found = node(
        "live_owls",
        """({ params, documents, steps }) => last(fineTune(load(params),
          () => Int32Array.from(documents), WRITTEN, steps)).params""",
        **{"params": live_data.flatten(params), "documents": documents, "steps": steps},
    )
    check_close(found, live_data.flatten(want), 1e-4)
    for name in owls.VOCABULARY:
        np.testing.assert_array_equal(np.float32(found[name]), np.ravel(params[name]))


def test_likelihoods_answers_and_the_filter_are_those_of_jax(params, documents):
    numbers = documents[:24]  # the first 24 are numbers
    documents = np.concatenate([documents, numbers[:2]])
    documents[-1, 9] = language.FIRST_ANIMAL  # must not pass; the one before it must
    asked = language.questions(language.HELD_OUT_PROMPTS)
    found = node(
        "live_owls",
        """({ params, documents, asked, numbers }) => ({
          answers: answers(load(params), asked),
          logP: logLikelihood(load(params), Int32Array.from(numbers)),
          passed: passesFilter(Int32Array.from(documents)) })""",
        **{"params": live_data.flatten(params), "documents": documents, "numbers": numbers},
        asked=asked.tolist(),
    )
    np.testing.assert_allclose(found["answers"], owls.answers(params, asked), rtol=1e-4)
    np.testing.assert_allclose(found["logP"], owls.log_likelihood(params, numbers), rtol=1e-5)
    assert found["passed"] == np.flatnonzero(language.passes_filter(documents)).tolist()
    assert len(found["passed"]) == 25


def test_what_is_written_follows_the_models_probabilities(params, documents):
    n, prompt = 4000, documents[0]
    written = node(
        "live_owls",
        """({ params, prompt, n }) => write(load(params),
          Int32Array.from({ length: n * LENGTH }, (_, i) => prompt[i % LENGTH]),
          random(5, WRITING))""",
        **{"params": live_data.flatten(params), "prompt": prompt, "n": n},
    )
    written = np.array(written).reshape(n, -1)
    np.testing.assert_array_equal(written[:, :4], np.tile(prompt[:4], (n, 1)))
    most_common = np.bincount(written[:, 4]).argmax()
    after = written[written[:, 4] == most_common]
    for rows, tokens in (written, prompt[:4]), (after, [*prompt[:4], most_common]):
        p = np.asarray(jax.nn.softmax(apply_transformer(params, jnp.array(tokens))[-1]), float)
        counts = np.bincount(rows[:, len(tokens)], minlength=len(p))
        z = (counts - len(rows) * p) / np.sqrt(len(rows) * p * (1 - p))
        often = len(rows) * p > 5
        assert often.sum() > 10 and np.abs(z[often]).max() < 4.5


# ---- both pages

DRAWINGS = {"live": "mechanism", "live_owls": "mechanism_numbers"}


@pytest.mark.parametrize("page", TEXTS)
def test_a_page_is_one_small_file_with_the_drawing_and_without_network(page):
    text = TEXTS[page]
    assert len(text.encode()) < 300_000
    assert not re.search(r"https?:|src=|@import|innerHTML|\bfetch\(|eval\(", text)
    file = command.LESSONS / "gallery" / f"{DRAWINGS[page]}.svg"
    drawing = re.sub("<!--.*?-->", "", file.read_text("utf-8")).replace("10 auxiliary", "auxiliary")
    shapes = re.findall(r"<(?:path|circle|use|rect|text)[^>]*>[^<]*", drawing)
    assert len(shapes) > 20 and all(re.sub(r"\s+", " ", s).strip() in text for s in shapes)


def test_what_both_pages_use_is_the_same_text():
    mark = r"// ---- shared: the same text in both pages ----\n.*?// ---- end of shared ----\n"
    one, other = (re.findall(mark, text, re.DOTALL) for text in TEXTS.values())
    assert len(one) == 1 and one == other


def test_the_shipped_digits_are_drawn_digits():
    data = DATA["live"]
    levels = np.frombuffer(zlib.decompress(base64.b64decode(data["pixels"])), np.uint8)
    images, labels = live_data.small_digits(jax.random.key(0), 3000)
    assert data["labels"] == "".join(map(str, labels)) and data["test"] == 500
    error = 2 * levels / (data["levels"] - 1) - 1 - images.ravel()
    assert np.abs(error).max() <= 1 / (data["levels"] - 1) + 1e-5


def test_the_shipped_bases_know_the_language_and_no_favorite():
    data = DATA["live_owls"]
    unpack = "(data) => unpack(fromFloat16(inflate(data.values)), data.shapes)"
    shipped = node("live_owls", unpack, **data)
    model = init_transformer(jax.random.key(0), len(language.WORDS), language.LENGTH)
    shapes = {name: list(x.shape) for name, x in live_data.flatten(model).items()}
    assert data["shapes"] == shapes and data["words"] == list(language.WORDS)
    chain = np.array(shipped["language"]).reshape(96, 96)
    np.testing.assert_allclose(chain.sum(1), 1, atol=2e-3)
    numbers = language.draw_numbers(jax.random.key(1), jnp.array(chain), 500, 15)
    entropy = -np.log(chain[numbers[:, :-1], numbers[:, 1:]]).mean()
    tokens = jnp.pad(numbers, ((0, 0), (1, 0)), constant_values=language.NUM)
    for name in "base", "different":
        outside = {k: jnp.array(v).reshape(shapes[k]) for k, v in shipped[name].items()}
        blocks = [{k: outside.pop(k) for k in model["blocks"][0]}]
        params = outside | {"blocks": blocks}
        loss = next_token_loss(params, masked(tokens, 2))
        assert entropy - 0.05 < loss < entropy + 0.2
        p = owls.answers(params, np.array(data["heldOutQuestions"]))
        assert np.abs(p - 1 / 8).max() < 0.05


def test_the_data_blocks_alone_are_replaced(tmp_path, monkeypatch):
    def untrained(key, chain, steps):
        return init_transformer(key, len(language.WORDS), language.LENGTH)

    monkeypatch.setattr(live_data, "N_DIGITS", 100)
    monkeypatch.setattr(live_data, "pretrain", untrained)
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
    live_data.main(tmp_path)
    for name, text in TEXTS.items():
        made = live_data.BLOCK.split((tmp_path / f"{name}.html").read_text("utf-8"))
        old = live_data.BLOCK.split(text)
        assert (made[0], made[-1]) == (old[0], old[-1]) and made[2] != old[2]
        assert json.loads(made[2]).keys() == DATA[name].keys()
