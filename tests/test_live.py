"""lessons/live.html: its numbers against JAX in Node, and the page itself in a browser.

Where one of them is not to be had, its tests skip. For the browser: pip install -e ".[browser]",
and Chromium from the system.
"""

import base64
import json
import re
import shutil
import subprocess
import time
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sublim_mini import digits
from sublim_mini.course import command, live
from sublim_mini.mlp import apply_mlp, aux_loss, class_loss, init_mlp

pytestmark = pytest.mark.xdist_group("live")  # one browser
PAGE = command.LESSONS / "live.html"
TEXT = PAGE.read_text(encoding="utf-8")
SETTINGS = {"seed": 107, "aux": 20, "labels": "true", "inputs": "noise", "shared": []}


def node(function, **given):
    """Call a JavaScript function, given as text, with the page's training code alone."""
    if not shutil.which("node"):
        pytest.skip("no Node")
    training = re.search(r'<script id="training">\n(.*?)</script>', TEXT, re.DOTALL)[1]
    code = f"""{training}
      const input = JSON.parse(require("fs").readFileSync(0));
      const load = (layers) => layers.map(({{ weights, biases }}) => ({{
        nIn: weights.length / biases.length, nOut: biases.length,
        weights: Float32Array.from(weights), biases: Float32Array.from(biases) }}));
      const plain = (name, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
      process.stdout.write(JSON.stringify(({function})(input), plain));"""
    flat = jax.tree.map(lambda x: np.ravel(x).tolist() if hasattr(x, "shape") else x, given)
    done = subprocess.run(
        ["node", "-e", code], input=json.dumps(flat), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_layers(found, expected, atol):
    for got, want in zip(found, expected, strict=True):
        for name in "weights", "biases":
            np.testing.assert_allclose(got[name], want[name].ravel(), rtol=0, atol=atol)


@pytest.mark.parametrize("loss, n_aux", [(class_loss, 20), (aux_loss, 20), (aux_loss, 1)])
def test_logits_losses_and_gradients_are_those_of_jax(loss, n_aux, key):
    k_init, k_x, k_bias, k_target = jax.random.split(key, 4)
    params = init_mlp(k_init, (196, 96, 96, 10 + n_aux))
    for layer, k in zip(params, jax.random.split(k_bias, 3), strict=True):
        layer["biases"] = 0.1 * jax.random.normal(k, layer["biases"].shape)
    x = jax.random.uniform(k_x, (50, 196), minval=-1)
    labels = jax.random.randint(k_target, (50,), 0, 10)
    targets = jax.random.normal(k_target, (50, 10 + n_aux))
    found = node(
        """({ params, x, labels, targets, isClass }) => {
          const network = load(params), activations = forward(network, Float32Array.from(x), 50);
          const logits = activations.at(-1);
          const { loss, dLogits } = isClass ? classLoss(logits, labels)
            : auxLoss(logits, targets, 50);
          return { logits, loss, grads: backward(network, activations, dLogits, 50) };
        }""",
        **{"params": params, "x": x, "labels": labels, "targets": targets},
        isClass=loss is class_loss,
    )
    np.testing.assert_allclose(found["logits"], apply_mlp(params, x).ravel(), rtol=0, atol=1e-5)
    batch = (x, labels if loss is class_loss else targets[:, 10:])
    value, grads = jax.value_and_grad(loss)(params, batch)
    np.testing.assert_allclose(found["loss"], value, rtol=0, atol=1e-5)
    largest = max(float(jnp.abs(g).max()) for g in jax.tree.leaves(grads))
    check_layers(found["grads"], grads, 1e-5 * largest)


def test_adam_is_that_of_optax_and_an_array_without_gradient_is_frozen(key):
    before = params = init_mlp(key, (8, 4, 3))
    steps = [
        jax.tree.map(lambda x, k=k: jax.random.normal(k, x.shape) ** 3, params)
        for k in jax.random.split(key, 5)
    ]
    found, frozen = node(
        """({ params, steps }) => [0, 1].map((first) => {
          const network = load(params), state = { step: 0 };
          for (const grads of steps) {
            const all = arrays(load(grads));
            adam(arrays(network), first ? [null, ...all.slice(1)] : all, state, LEARNING_RATE);
          }
          return network;
        })""",
        params=params,
        steps=steps,
    )
    optimizer = optax.adam(2e-3)
    state = optimizer.init(params)
    for g in steps:
        updates, state = optimizer.update(g, state, params)
        params = optax.apply_updates(params, updates)
    check_layers(found, params, 1e-6)
    check_layers(frozen, [params[0] | {"weights": before[0]["weights"]}, *params[1:]], 1e-6)


@pytest.mark.parametrize("n, inner, m", [(1, 1, 1), (5, 7, 3), (8, 3, 4), (50, 196, 97)])
def test_products_are_those_of_numpy(n, inner, m):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(n, inner)), rng.normal(size=(inner, m))
    found = node(
        """({ a, at, b, bt, size }) =>
          [multiply(a, b, ...size), multiplyAT(at, b, ...size), multiplyBT(a, bt, ...size)]""",
        **{"a": a, "at": a.T, "b": b, "bt": b.T, "size": [n, inner, m]},
    )
    for product in found:
        np.testing.assert_allclose(product, (a @ b).ravel(), rtol=0, atol=1e-4)


def test_match_is_r_squared():
    rng = np.random.default_rng(0)
    teacher, student = rng.normal(size=(2, 50, 15)).astype(np.float32)
    student = teacher + 0.3 * student
    t, s = teacher[:, 10:], student[:, 10:]
    want = 1 - ((s - t) ** 2).sum() / ((t - t.mean(0)) ** 2).sum()
    found = node(
        "({ student, teacher }) => match(student, teacher, 50)", student=student, teacher=teacher
    )
    np.testing.assert_allclose(found, want, atol=1e-6)


def test_a_drawing_becomes_a_digit_like_the_others_wherever_it_is_drawn():
    t = np.linspace(0, 3, 80)
    curve = np.stack([14 + 7 * np.sin(t), 14 + 8 * np.cos(2 * t)], axis=1).astype(np.float32)
    strokes = [[[0.1, 0.1], [0.3, 0.12]], [[0.3, 0.12], [0.2, 0.5]]]  # a 7, small, in a corner
    moved = [[[3 * x + 7, 3 * y - 2] for x, y in stroke] for stroke in strokes]
    ink, image, again, dot = node(
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
        """(settings) => [[], ["class", "layer2"], PARTS].map((shared) =>
          Object.values(initNetworks({ ...settings, shared })).map((params) =>
            params.map(({ weights }) => weights)))""",
        **SETTINGS,
    )
    class_head = np.arange(96 * 30) % 30 < 10
    for k, (teacher, same, different) in enumerate(found):
        assert teacher == same == found[0][0]
        shares = [[False] * 3, [False, True, class_head], [True] * 3][k]
        for a, b, share, n_in in zip(teacher, different, shares, (196, 96, 96), strict=True):
            a = np.array(a)
            assert abs(a.std() * n_in**0.5 - 1) < 0.05 and abs(a.mean()) < 0.01
            np.testing.assert_array_equal(a == b, np.broadcast_to(share, a.shape))


def test_batches_are_shuffled_passes():
    rows = node(
        """() => {
          const train = { images: new Float32Array(100 * 196).map((_, i) => Math.floor(i / 196)),
            labels: Array.from({ length: 100 }, (_, i) => i) };
          const shuffled = batches(random(3, ORDER), train, 50);
          return [0, 1, 2, 3].map(() => shuffled.next().value).map(({ images, labels }) =>
            [labels, labels.map((_, e) => images[e * 196 + 7])]);
        }"""
    )
    passes = [rows[0][0] + rows[1][0], rows[2][0] + rows[3][0]]
    assert all(sorted(p) == list(range(100)) for p in passes) and passes[0] != passes[1]
    assert all(labels == images for labels, images in rows)


# ---- The file


@pytest.fixture(scope="module")
def data():
    """The page's digits, as its data block says: images [N, 196] and labels."""
    block = json.loads(live.BLOCK.search(TEXT)[2])
    levels = np.frombuffer(zlib.decompress(base64.b64decode(block["pixels"])), np.uint8)
    return 2 * levels.reshape(-1, 196) / (block["levels"] - 1) - 1, block["labels"], block


def test_the_page_is_one_small_file_with_the_drawn_digits(data):
    assert PAGE.stat().st_size < 300_000
    assert not re.search(r"https?:|src=|@import|innerHTML|\bfetch\(|eval\(|getImageData", TEXT)
    found, labels, block = data
    images, drawn_labels = live.small_digits(jax.random.key(0), 3000)
    assert labels == "".join(map(str, drawn_labels)) and block["test"] == 500
    assert np.abs(found - images.reshape(-1, 196)).max() <= 1 / (block["levels"] - 1) + 1e-5


def test_the_command_replaces_the_data_block_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(live, "N_DIGITS", 100)
    page = tmp_path / "live.html"
    page.write_text(TEXT, encoding="utf-8")
    (tmp_path / "01_a.py").write_text("# %% [markdown]\n# # 01 A\n")
    assert command.main(["live"], tmp_path) == 0
    old, new = live.BLOCK.split(TEXT), live.BLOCK.split(page.read_text(encoding="utf-8"))
    assert new[0] == old[0] and new[-1] == old[-1]
    assert len(json.loads(new[2])["labels"]) == 100
    page.write_text(new[0] + 2 * "".join(new[1:4]), encoding="utf-8")
    assert command.main(["live"], tmp_path) == 2
    shown = capsys.readouterr().err
    assert "exactly one" in shown and shown.count("\n") == 1


# ---- The page in a browser


@pytest.fixture
def visit(chromium):
    """A function that opens the page; afterwards: no error, no request to anywhere."""
    errors, pages = [], []

    def visit(address="", width=1280, height=720, before="", path=PAGE):
        page = chromium.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: check_local(request.url))
        page.add_init_script(before)
        page.goto(path.as_uri() + address)
        if not before:
            page.wait_for_selector("body[data-ready]")
        return page

    def check_local(url):
        if not url.startswith(("data:", "blob:", "file:")):
            errors.append(url)

    yield visit
    for page in pages:
        page.close()
    assert errors == []


def shown(page, part):
    page.evaluate("drawNow()")
    return page.inner_text(f"#{part}")


def finish(page):
    page.wait_for_function("mode === 'done'", timeout=90_000)


def fits(page, width, height=None):
    wide, high = page.evaluate("(({ scrollWidth: w, scrollHeight: h }) => [w, h])(document.body)")
    return wide <= width and (height is None or high <= height)


def test_a_class_from_prediction_to_act_2_and_a_drawn_digit(visit):
    page = visit("#seed=107")
    assert fits(page, 1280, 720) and page.locator("#reveal").is_hidden()
    page.fill("#prediction", "ten")
    page.press("#prediction", "Enter")
    assert page.inner_text("#notice") == '"ten" is not a number from 0 to 100.'
    page.fill("#prediction", "10, 35% 0.8")
    page.evaluate("""() => {  // the image on screen is the one that its caption tells of
      window.mixed = 0;
      const images = digits.train.images, same = (image, row) =>
        image.every((value, i) => value === images[row * N_PIXELS + i]);
      new MutationObserver(() => {
        const found = /this (\\d) is labeled/.exec($("say").textContent);
        const row = digits.train.labels.findIndex((_, row) => same(run.image, row));
        if (found && digits.train.labels[row] !== Number(found[1])) mixed += 1;
      }).observe($("say"), { childList: true });
    }""")
    page.select_option("#speed", "0")
    began = time.monotonic()
    page.click("#start")
    assert page.evaluate("predictions") == pytest.approx([0.1, 0.35, 0.8])
    assert "10, 35, 80" in shown(page, "predicted")
    page.select_option("#speed", "250")
    page.wait_for_function("run.phase === 'teacher' && run.step > 0")
    page.click("#main")  # pause in the teacher's phase, and go on: no step is left out
    page.wait_for_timeout(400)
    reached = page.evaluate("run.step")
    page.click("#step")
    page.wait_for_function(f"run.step === {reached + 1}")
    page.wait_for_timeout(400)
    assert page.evaluate("run.step") == reached + 1 and shown(page, "main") == "Continue"
    page.click("#main")
    page.wait_for_timeout(600)
    assert reached + 2 <= page.evaluate("run.step") <= reached + 6  # as slow as before
    page.click("#skip")
    page.wait_for_function("run.phase === 'students' && run.step > 2")
    steps = page.evaluate("run.points.filter(({ match }) => 'same' in match).map(({ x }) => x)")
    assert steps[:3] == [0, 1, 2]
    assert "reads" not in shown(page, "sameResult") and page.locator("#ten").is_hidden()
    page.check("input[value=layer1]")  # for the next run: this one goes on
    page.uncheck("input[value=layer1]")
    page.select_option("#speed", "0")
    finish(page)
    assert time.monotonic() - began < 60 and page.evaluate("mixed") == 0
    page.keyboard.press("Space")
    page.click("#reveal")
    assert fits(page, 1280, 720)

    results = [int(shown(page, f"{n}Result").split()[-3]) for n in ("teacher", "same", "different")]
    assert results[0] > 80 and results[1] > 60 and results[2] < 25
    answers = page.evaluate("""[...document.querySelectorAll("#strip .right")]
      .map((cell) => [cell.cellIndex - 1, Number(cell.innerText)])""")
    assert len(answers) >= 12 and all(label == answer for label, answer in answers)
    assert "Most frequent answer: red student" in shown(page, "usual")

    page.click("#act2")  # the same random numbers, other labels; act 1 stays beside it
    assert shown(page, "main") == "Pause" and "answer to a 2?" in shown(page, "predicted")
    finish(page)
    page.click("#reveal")
    page.click("[data-panel=answers]")
    page.wait_for_selector("#tables figure:nth-child(2)")
    assert "2 is called 2" in page.locator("#tables canvas").first.get_attribute("aria-label")
    assert "2 is called 5" in page.locator("#tables canvas").last.get_attribute("aria-label")
    page.click("[data-panel=draw]")
    box = page.wait_for_selector("#pad").bounding_box()
    places = [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]  # a 7
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    page.evaluate("drawNow()")
    assert page.locator("#drawn td.teacher").all_inner_texts() == ["7", "0"]
    page.click("[data-panel=runs]")
    assert "y + 3" in shown(page, "runs") and page.locator("#runs button").count() == 1
    page.click("#why")
    assert page.locator("#meaning").is_visible()
    page.click("#meaning button")

    page.select_option("select[name=aux]", "5")  # it erases nothing: a new prediction first
    assert shown(page, "main") == "Predict with the new settings" and page.evaluate("pins.length")
    page.click("#main")
    assert page.locator("#ask").is_visible() and page.evaluate("pins.length") == 2
    assert page.input_value("input[name=seed]") == "107"


def test_the_address_restores_a_setting_that_can_be_seen(visit):
    page = visit()
    page.select_option("select[name=aux]", "80")
    page.select_option("select[name=labels]", "plus3")
    page.select_option("select[name=inputs]", "digits")
    page.check("input[value=class]")
    page.check("input[value=layer1]")
    page.fill("input[name=seed]", "42")
    page.press("input[name=seed]", "Tab")
    again = visit(page.evaluate("location.hash"))
    for one in page, again:
        assert one.evaluate("settings") == {
            "seed": 42,
            "aux": 80,
            "labels": "plus3",
            "inputs": "digits",
            "shared": ["layer1", "class"],
        }
    assert again.locator("input[value=layer1]").is_visible() and again.is_checked("[value=layer1]")
    assert again.input_value("select[name=aux]") == "80" and again.inner_text("#notice") == ""
    assert "layer 1, class head" in shown(again, "differentTitle")
    third = visit("#aux=5")
    third.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    third.click("#copy")  # where copying fails, the address leads to this very run
    third.wait_for_timeout(300)
    assert "copy the address above" in third.inner_text("#notice")
    assert third.url.endswith(f"&seed={third.evaluate('run.settings.seed')}")


MALFORMED = ["#aux=7", "#seed=-1", "#seed=1e99", "#%%%", "#x=<img src=x onerror=alert(1)>"]
MALFORMED += ["#toString=1", "#=&=", "#labels=" + "9" * 5000, "#aux=5,5&__proto__=1", "#shared=a,b"]


def test_a_malformed_address_is_one_line_and_the_defaults(visit):
    page = visit(MALFORMED[4])
    for address in MALFORMED:
        page.evaluate("(address) => { location.hash = address; readAddress(); }", address)
        assert page.evaluate("({ ...settings })") == SETTINGS | {"seed": None}
        said = page.inner_text("#notice")
        assert said.startswith('This page does not know "') and len(said) < 130, address
        assert page.evaluate("document.querySelectorAll('#notice *, img').length") == 0


FAILURES = [
    ("delete window.DecompressionStream", "cannot read the digits"),
    ("window.atob = () => 'x'", "cannot read the digits"),
    ("window.Worker = function () { throw new Error('no') }", "cannot train here: no"),
]


@pytest.mark.parametrize("broken, said", FAILURES)
def test_a_browser_that_cannot_is_told_so_and_the_page_stays(broken, said, visit):
    page = visit("", before=broken)
    page.fill("#prediction", "5")
    page.press("#prediction", "Enter")
    page.wait_for_function(f"$('notice').textContent.includes({json.dumps(said)})")
    page.select_option("select[name=aux]", "5")
    assert page.input_value("#prediction") == "5" and page.url.endswith("seed=random")
    if "digits" in said:
        assert said in page.inner_text("#notice") and page.locator("#start").is_disabled()


@pytest.mark.parametrize("width, height", [(380, 720), (1280, 720), (1920, 1080)])
def test_no_sideways_scrolling_and_drawings_as_sharp_as_the_screen(width, height, visit):
    page = visit("#shared=layer1,layer2,class,aux&aux=80", width, height)
    page.select_option("#speed", "0")
    page.click("#start")
    page.wait_for_function("run.step > 20 && run.phase === 'students'")
    page.click("#reveal")
    for panel in "ten", "answers", "draw", "runs":
        page.click(f"[data-panel={panel}]")
        assert fits(page, width, height if width > 1000 else None)
    page.evaluate("mode === 'run' && command('paused')")
    page.wait_for_timeout(300)
    page.set_viewport_size({"width": width - 60, "height": height})
    page.wait_for_timeout(300)
    sizes = "((c) => [c.width, c.clientWidth * devicePixelRatio])($('chart'))"
    drawn, seen = page.evaluate(sizes)
    assert abs(drawn - seen) < 1
    unlabeled = page.evaluate("""[...document.querySelectorAll("input, select, button, canvas")]
      .filter((one) => !one.labels?.length && !one.textContent.trim() && !one.hidden)
      .filter((one) => !one.getAttribute("aria-label") && !one.closest("button")).length""")
    assert unlabeled == 0 and page.evaluate("getComputedStyle($('pad')).touchAction") == "none"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [108, 109, 110])
def test_three_seeds_show_the_effect(seed, visit):
    page = visit(f"#seed={seed}")
    page.select_option("#speed", "0")
    page.click("#start")
    finish(page)
    teacher, same, different = page.evaluate("NAMES.map((name) => lastValue('accuracy', name))")
    assert teacher > 0.8 and same > 0.6 and different < 0.3
