"""lessons/live.html: its numbers against JAX, in Node or a browser; the page itself in a browser.

Where neither is to be had, the tests skip. For the browser: pip install -e ".[browser]", and
Chromium from the system.
"""

import base64
import io
import json
import re
import shutil
import subprocess
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image

from sublim_mini import digits
from sublim_mini.course import command, live
from sublim_mini.mlp import apply_mlp, aux_loss, class_loss, init_mlp

pytestmark = pytest.mark.xdist_group("live")  # one browser
PAGE = command.LESSONS / "live.html"
TEXT = PAGE.read_text(encoding="utf-8")
SETTINGS = {"seed": 107, "aux": 20, "labels": "true", "inputs": "noise", "shared": []}


def script(name):
    return re.search(rf'<script id="{name}"[^>]*>\n(.*?)</script>', TEXT, re.DOTALL)[1]


@pytest.fixture
def visit(chromium):
    """A function that opens the page; afterwards: no error, no request to anywhere."""
    errors, pages = [], []

    def visit(address="", width=1280, height=720):
        page = chromium.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: check_local(request.url))
        page.goto(PAGE.as_uri() + address)
        page.wait_for_selector("body[data-ready]")
        return page

    def check_local(url):
        if not url.startswith(("data:", "blob:", PAGE.as_uri())):
            errors.append(url)

    yield visit
    for page in pages:
        page.close()
    assert errors == []


def node(function, argument):
    """Call a JavaScript function, given as text, with the page's training code alone."""
    code = f"{script('training')}\nconst input = JSON.parse(require('fs').readFileSync(0));\n"
    code += f"process.stdout.write(JSON.stringify(({function})(input)));"
    done = subprocess.run(
        ["node", "-e", code], input=json.dumps(argument), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def in_page(page):
    """The same in a page. As text, which Playwright sends faster than a long list."""

    def call(function, argument):
        code = f"(text) => JSON.stringify(({function})(JSON.parse(text)))"
        return json.loads(page.evaluate(code, json.dumps(argument)))

    return call


@pytest.fixture(params=["node", "browser"])
def call(request):
    """Call a JavaScript function with the training code: in Node, in a browser."""
    if request.param == "browser":
        return in_page(request.getfixturevalue("visit")())
    if not shutil.which("node"):
        pytest.skip("no Node")
    return node


def as_lists(tree):
    return jax.tree.map(lambda x: np.asarray(x, float).ravel().tolist(), tree)


def check_layers(found, expected, atol):
    for got, want in zip(found, expected, strict=True):
        for name in "weights", "biases":
            np.testing.assert_allclose(got[name], want[name].ravel(), rtol=0, atol=atol)


LAYERS = """const layers = (params, sizes) => params.map(({ weights, biases }, l) => ({
    nIn: sizes[l], nOut: sizes[l + 1],
    weights: Float32Array.from(weights), biases: Float32Array.from(biases),
  }));"""


@pytest.mark.parametrize("loss, n_aux", [(class_loss, 20), (aux_loss, 20), (aux_loss, 1)])
def test_logits_losses_and_gradients_are_those_of_jax(loss, n_aux, call, key):
    sizes = 196, 96, 96, 10 + n_aux
    k_init, k_x, k_bias, k_target = jax.random.split(key, 4)
    params = init_mlp(k_init, sizes)
    for layer, k in zip(params, jax.random.split(k_bias, 3), strict=True):
        layer["biases"] = 0.1 * jax.random.normal(k, layer["biases"].shape)
    x = jax.random.uniform(k_x, (50, 196), minval=-1)
    if loss is class_loss:
        targets = jax.random.randint(k_target, (50,), 0, 10)
        batch, sent = (x, targets), targets.tolist()
    else:
        targets = jax.random.normal(k_target, (50, sizes[-1]))
        batch, sent = (x, targets[:, 10:]), as_lists(targets)
    found = call(
        f"""({{ params, sizes, x, targets, kind }}) => {{
          {LAYERS}
          const network = layers(params, sizes);
          const activations = forward(network, Float32Array.from(x), 50);
          const logits = activations.at(-1);
          const {{ loss, dLogits }} = kind === "class_loss" ? classLoss(logits, targets)
            : auxLoss(logits, targets, 50);
          const grads = backward(network, activations, dLogits, 50).map(({{ weights, biases }}) =>
            ({{ weights: Array.from(weights), biases: Array.from(biases) }}));
          return {{ logits: Array.from(logits), loss, grads }};
        }}""",
        {
            "params": as_lists(params),
            "sizes": sizes,
            "x": as_lists(x),
            "targets": sent,
            "kind": loss.__name__,
        },
    )
    np.testing.assert_allclose(found["logits"], apply_mlp(params, x).ravel(), rtol=0, atol=1e-5)
    value, grads = jax.value_and_grad(loss)(params, batch)
    np.testing.assert_allclose(found["loss"], value, rtol=0, atol=1e-5)
    largest = max(float(jnp.abs(g).max()) for g in jax.tree.leaves(grads))
    check_layers(found["grads"], grads, 1e-5 * largest)


def test_adam_is_that_of_optax(call, key):
    sizes = 8, 4, 3
    params = init_mlp(key, sizes)
    grads = [
        jax.tree.map(lambda x, k=k: jax.random.normal(k, x.shape) ** 3, params)
        for k in jax.random.split(key, 5)
    ]
    found = call(
        f"""({{ params, sizes, steps }}) => {{
          {LAYERS}
          const network = layers(params, sizes), state = {{ step: 0 }};
          for (const grads of steps) adam(network, layers(grads, sizes), state);
          return network.map(({{ weights, biases }}) =>
            ({{ weights: Array.from(weights), biases: Array.from(biases) }}));
        }}""",
        {"params": as_lists(params), "sizes": sizes, "steps": [as_lists(g) for g in grads]},
    )
    optimizer = optax.adam(2e-3)
    state = optimizer.init(params)
    for g in grads:
        updates, state = optimizer.update(g, state)
        params = optax.apply_updates(params, updates)
    check_layers(found, params, 1e-6)


def test_match_is_r_squared(call):
    rng = np.random.default_rng(0)
    teacher, student = rng.normal(size=(2, 50, 15)).astype(np.float32)
    student = teacher + 0.3 * student
    t, s = teacher[:, 10:], student[:, 10:]
    want = 1 - ((s - t) ** 2).sum() / ((t - t.mean(0)) ** 2).sum()
    found = call(
        "([s, t]) => match(Float32Array.from(s), Float32Array.from(t), 50)",
        [as_lists(student), as_lists(teacher)],
    )
    np.testing.assert_allclose(found, want, atol=1e-6)


def test_ink_is_that_of_the_synthetic_digits(call):
    t = np.linspace(0, 3, 80)
    points = np.stack([14 + 7 * np.sin(t), 14 + 8 * np.cos(2 * t)], axis=1).astype(np.float32)
    want = digits._ink(jnp.asarray(points), 0.4, 1.2).reshape(14, 2, 14, 2).mean((1, 3))
    found = call("(points) => Array.from(inkPoints(points, 0.4, 1.2))", points.tolist())
    np.testing.assert_allclose(found, want.ravel(), atol=1e-5)


def test_a_drawing_is_centered_and_as_large_as_the_digits_wherever_it_is_drawn(call):
    strokes = [[[0.1, 0.1], [0.3, 0.12]], [[0.3, 0.12], [0.2, 0.5]]]  # a 7, small, in a corner
    moved = [[[3 * x + 7, 3 * y - 2] for x, y in stroke] for stroke in strokes]
    image, again, dot, points = call(
        """([strokes, moved]) => [Array.from(drawStrokes(strokes)), Array.from(drawStrokes(moved)),
          drawStrokes([[[0.2, 0.2]]]), spacePoints(strokes).points]""",
        [strokes, moved],
    )
    np.testing.assert_allclose(image, again, atol=1e-4)
    ink = (np.array(image).reshape(14, 14) + 1) / 2
    rows, columns = np.nonzero(ink > 0.1)
    assert 9 <= np.ptp(rows) + 1 <= 12 and dot is None and len(points) == 80
    # pixels 0 to 27 have their middle at 13.5, and the digits' mass lies at 14: see digits.py
    middle = (np.arange(14) * ink.sum(1)).sum() / ink.sum() * 2 + 0.5
    assert abs(middle - 14) < 0.5
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert np.median(gaps) * 1.01 > gaps.max() or (gaps > 1.01 * np.median(gaps)).sum() <= 1


def test_random_numbers_initializations_and_noise(call):
    found = call(
        """(settings) => {
          const weights = (networks, l) => Array.from(networks[l].weights);
          const all = initNetworks(settings), some = initNetworks({ ...settings, shared: PARTS });
          const heads = initNetworks({ ...settings, shared: ["class", "layer2"] });
          const other = initNetworks({ ...settings, seed: settings.seed + 1 });
          const list = (networks) => [0, 1, 2].map((l) => weights(networks, l));
          return {
            teacher: list(all.teacher), same: list(all.same), different: list(all.different),
            some: list(some.different), heads: list(heads.different), other: list(other.teacher),
            noise: Array.from(makeNoise(random(1, NOISE), 200, false)),
            blurred: Array.from(makeNoise(random(1, NOISE), 200, true)),
          };
        }""",
        SETTINGS,
    )
    networks = {name: list(map(np.array, found[name])) for name in ("teacher", "same", "different")}
    networks |= {name: list(map(np.array, found[name])) for name in ("some", "heads", "other")}
    teacher = networks["teacher"]
    for layer, n_in in zip(teacher, (196, 96, 96), strict=True):
        assert abs(layer.std() * n_in**0.5 - 1) < 0.05 and abs(layer.mean()) < 0.01
    for name in "same", "some":
        for a, b in zip(teacher, networks[name], strict=True):
            np.testing.assert_array_equal(a, b)
    for name in "different", "other":
        for a, b in zip(teacher, networks[name], strict=True):
            assert (a != b).all()
    heads = networks["heads"]
    class_head = np.arange(96 * 30) % 30 < 10
    assert (heads[0] != teacher[0]).all() and (heads[1] == teacher[1]).all()
    np.testing.assert_array_equal(heads[2] == teacher[2], class_head)
    noise, blurred = (np.array(found[name]).reshape(200, 14, 14) for name in ("noise", "blurred"))
    assert -1 <= noise.min() < -0.99 and 0.99 < noise.max() <= 1
    inner = blurred[:, 1:-1, 1:-1]
    assert abs(inner.std() / noise.std() - 1) < 0.03
    weights = np.array([1, 2, 1]) / 6**0.5
    want = sum(
        weights[i] * weights[j] * noise[:, i : 12 + i, j : 12 + j]
        for i in range(3)
        for j in range(3)
    )
    np.testing.assert_allclose(inner, want, atol=1e-5)


def test_batches_are_shuffled_passes(call):
    rows = call(
        """() => {
          const train = { images: new Float32Array(100 * 196).map((_, i) => Math.floor(i / 196)),
            labels: Array.from({ length: 100 }, (_, i) => i) };
          const shuffled = batches(random(3, ORDER), train, 50);
          return [0, 1, 2, 3].map(() => shuffled.next().value).map(({ images, labels }) =>
            [labels, labels.map((_, e) => images[e * 196 + 7])]);
        }""",
        None,
    )
    passes = [rows[0][0] + rows[1][0], rows[2][0] + rows[3][0]]
    assert all(sorted(p) == list(range(100)) for p in passes) and passes[0] != passes[1]
    assert all(labels == images for labels, images in rows)


@pytest.fixture(scope="module")
def data():
    """The page's digits, as its data block says: pixels [N, 196] from 0 to 255, and labels."""
    block = json.loads(live.BLOCK.search(TEXT)[2])
    picture = Image.open(io.BytesIO(base64.b64decode(block["picture"].split(",")[1])))
    tiles = np.asarray(picture).reshape(-1, 14, block["columns"], 14).swapaxes(1, 2)
    return tiles.reshape(-1, 196), [int(label) for label in block["labels"]], block


def test_the_page_is_one_small_file(data):
    assert PAGE.stat().st_size < 1_000_000
    assert not re.search(r"https?:|src=|@import|innerHTML|\bfetch\(|eval\(", TEXT)
    pixels, labels, block = data
    assert len(pixels) == len(labels) == 3000 and block["test"] == 500


def test_its_digits_are_the_drawn_ones(data):
    pixels, labels, _ = data
    images, drawn_labels = live.small_digits(jax.random.key(0), 3000)
    assert labels == drawn_labels.tolist()
    assert np.abs(pixels / 127.5 - 1 - images.reshape(-1, 196)).max() <= 1 / 255 + 1e-5


def test_two_seeds_show_the_effect(data, request):
    """In the browser where there is one, else in Node. A third: the run on the page, below."""
    pixels, labels, _ = data
    function = """({ settings, seeds, pixels, labels }) => {
      const images = Float32Array.from(pixels, (p) => p / 127.5 - 1), n = labels.length - 500;
      const part = (first, end) => ({ images: images.slice(first * 196, end * 196),
        labels: labels.slice(first, end) });
      const train = part(0, n), test = part(n, labels.length);
      return seeds.map((seed) => {
        let last;
        for (const now of experiment({ ...settings, seed }, train)) last = now;
        return ["teacher", "same", "different"].map((name) =>
          accuracy(last.networks[name], test, settings.labels));
      });
    }"""
    argument = {"settings": SETTINGS, "pixels": pixels.ravel().tolist(), "labels": labels}
    argument["seeds"] = [108, 109]
    try:
        run = in_page(request.getfixturevalue("visit")())
    except pytest.skip.Exception:
        if not shutil.which("node"):
            raise
        run = node
    for teacher, same, different in run(function, argument):
        assert teacher > 0.8 and same > 0.6 and different < 0.25


def draw_stroke(page, points):
    """Draw with the mouse: points from 0 to 1 on the pad."""
    page.evaluate("$('draw').open = true")
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


SEVEN = (0.3, 0.2), (0.7, 0.2), (0.45, 0.85)


def answers(page):
    return [page.inner_text(f"#{name}Answer") for name in ("teacher", "same", "different")]


def test_a_run_from_prediction_to_drawn_digit(visit):
    page = visit("#seed=107")
    for part in "stage", "results", "meaning":
        assert page.locator(f"#{part}").is_hidden()
    draw_stroke(page, SEVEN)  # before training: the teacher and its twin are one network
    before = answers(page)
    assert before[0] == before[1] and all(answer.isdigit() for answer in before)

    page.fill("#prediction", "ten")
    page.press("#prediction", "Enter")
    assert page.inner_text("#notice") == '"ten" is not a number from 0 to 100.'
    assert page.evaluate("mode") == "ready"
    page.fill("#prediction", "10, 35% 0.8")
    page.evaluate("""() => {
      window.gap = 0;
      let before = performance.now();
      setInterval(() => {
        const now = performance.now();
        gap = Math.max(gap, now - before);
        before = now;
      }, 20);
    }""")
    began = time.monotonic()
    page.click("#main")
    assert page.evaluate("predictions") == pytest.approx([0.1, 0.35, 0.8])
    page.wait_for_function("curves.same.length > 3")
    assert page.evaluate("curves.same.map(([step]) => step)")[:4] == [0, 1, 2, 3]
    page.keyboard.press("Space")
    assert page.inner_text("#main") == "Continue"
    page.wait_for_timeout(400)
    reached = page.evaluate("curves.same.at(-1)[0]")
    page.keyboard.press("Space")
    page.wait_for_function(f"curves.same.at(-1)[0] === {reached + 1}")
    page.wait_for_timeout(400)
    assert page.evaluate("curves.same.at(-1)[0]") == reached + 1
    page.click("#main")
    page.wait_for_function("mode === 'done'", timeout=90_000)
    assert time.monotonic() - began < 60  # about 15 on an idle core
    assert page.evaluate("gap") < 1000  # milliseconds in which the page did not react

    shown = [page.inner_text(f"#{name}Accuracy") for name in ("teacher", "same", "different")]
    teacher, same, different = (int(text.removesuffix("%")) for text in shown)
    assert teacher > 80 and same > 60 and different < 25
    assert all(text in page.inner_text("#status") for text in shown)
    assert page.locator("#meaning").is_visible() and page.evaluate("$('draw').open")
    page.click("#clear")
    draw_stroke(page, SEVEN)
    assert answers(page)[0] == "7" and "Answers: 7, " in page.inner_text("#said")
    page.click("#sample")
    assert re.match(r"This is a \d\. Answers: \d, \d, \d\.", page.inner_text("#said"))

    assert page.evaluate("[...runs.keys()]") == [page.evaluate("address(settings, 107)")]
    assert page.get_attribute("#repeat", "href").endswith("&seed=107")
    page.click("#main")  # again; and another setting ends that run, and keeps the earlier one
    assert page.inner_text("#main") == "Pause"
    page.click("#settings > summary")
    page.check("input[name=aux][value='5']")
    assert page.inner_text("#main") == "Start" and page.evaluate("runs.size") == 1


def test_the_address_restores_a_setting(visit):
    page = visit()
    page.click("#settings > summary")
    page.check("input[name=aux][value='5']")
    page.check("input[name=labels][value=plus3]")
    page.check("input[name=inputs][value=blurred]")
    page.check("input[name=shared][value=class]")
    page.check("input[name=shared][value=layer1]")
    page.fill("input[name=seed]", "42")
    page.press("input[name=seed]", "Tab")
    address = page.evaluate("location.hash")
    assert page.get_attribute("#link", "href") == address
    again = visit(address)
    for one in page, again:
        assert one.evaluate("settings") == {
            "seed": 42,
            "aux": 5,
            "labels": "plus3",
            "inputs": "blurred",
            "shared": ["layer1", "class"],
        }
    assert again.evaluate("seed") == 42 and again.inner_text("#notice") == ""
    assert again.is_checked("input[name=shared][value=layer1]")
    assert again.input_value("input[name=seed]") == "42"
    assert "y + 3" in again.text_content("#chartTitle")
    again.evaluate("location.hash = '#aux=1'")
    again.wait_for_function("settings.aux === 1 && settings.seed === null")


MALFORMED = ["#aux=7", "#seed=-1", "#seed=1e99", "#%%%", "#x=<img src=x onerror=alert(1)>"]
MALFORMED += ["#toString=1", "#=&=", "#labels=" + "9" * 5000, "#aux=5,5&__proto__=1", "#shared=a,b"]


def test_a_malformed_address_is_one_line_and_the_defaults(visit):
    page = visit(MALFORMED[0])
    for address in MALFORMED:
        page.evaluate("(address) => { location.hash = address; applyAddress(); }", address)
        assert page.evaluate("({ ...settings })") == SETTINGS | {"seed": None}
        said = page.inner_text("#notice")
        assert said.startswith('This page does not know "'), address
        assert len(said) < 130 and "\n" not in said
        assert page.evaluate("document.querySelectorAll('#notice *, img').length") == 0
    assert visit(MALFORMED[4]).evaluate("document.querySelectorAll('#notice *, img').length") == 0


def test_what_the_browser_reads_are_the_digits(visit, data):
    page, (pixels, labels, _) = visit(), data
    found = in_page(page)(
        "() => [Array.from(digits.train.images.slice(0, 196 * 500)), digits.train.labels]", None
    )
    np.testing.assert_allclose(
        np.array(found[0]).reshape(-1, 196), pixels[:500] / 127.5 - 1, atol=1e-6
    )
    assert found[1] == labels[:2500]


def test_a_random_seed_differs_from_visit_to_visit(visit):
    assert len({visit().evaluate("seed") for _ in range(3)}) > 1


@pytest.mark.parametrize("width", [380, 1280, 1920])
def test_no_sideways_scrolling(width, visit):
    page = visit("#seed=1&shared=layer1,layer2,class,aux", width)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.click("#main")
    page.wait_for_function("curves.teacher.length > 1")
    page.evaluate("$('meaning').hidden = false")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_finger_draws_without_scrolling_the_page(visit):
    page = visit("", 380)
    assert page.evaluate("getComputedStyle($('pad')).touchAction") == "none"
    page.evaluate("$('draw').open = true")
    page.evaluate("""() => {
      const { left, top, width } = $("pad").getBoundingClientRect();
      const send = (kind, x, y) => $("pad").dispatchEvent(new PointerEvent(kind, { isPrimary: true,
        pointerType: "touch", clientX: left + x * width, clientY: top + y * width }));
      $("pad").setPointerCapture = () => {};  // no real finger
      send("pointerdown", 0.5, 0.2);
      send("pointermove", 0.5, 0.5);
      send("pointermove", 0.5, 0.8);
      send("pointerup", 0.5, 0.8);
    }""")
    assert all(answer.isdigit() for answer in answers(page))


def test_everything_to_enter_has_a_label(visit):
    page = visit()
    unlabeled = page.evaluate("""[...document.querySelectorAll("input, button, canvas")]
      .filter((one) => !one.labels?.length && !one.textContent.trim())
      .filter((one) => !one.getAttribute("aria-label") && !one.matches("#stage *, #results *"))
      .map((one) => one.id)""")
    assert unlabeled == []


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "01_a.py").write_text("# %% [markdown]\n# # 01 A\n")
    return tmp_path


def test_the_command_replaces_the_data_block_alone(folder, monkeypatch, capsys):
    monkeypatch.setattr(live, "N_DIGITS", 100)
    (folder / "live.html").write_text(TEXT, encoding="utf-8")
    assert command.main(["live"], folder) == 0
    new = (folder / "live.html").read_text(encoding="utf-8")
    old, block = live.BLOCK.split(TEXT), live.BLOCK.split(new)
    assert block[0] == old[0] and block[-1] == old[-1] and block[2] != old[2]
    assert len(json.loads(block[2])["labels"]) == 100
    assert capsys.readouterr().out.endswith("live.html\n") and len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "content, said",
    [(None, "No such file"), (b"<p>", "exactly one"), (b"\xff", "decode")]
    + [(b'<script id="data" type="application/json"></script>' * 2, "exactly one")],
)
def test_without_the_page_or_its_block_the_command_says_so(content, said, folder, capsys):
    if content is not None:
        (folder / "live.html").write_bytes(content)
    assert command.main(["live"], folder) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == 1 and shown.out == ""
    assert content is None or (folder / "live.html").read_bytes() == content
