"""lessons/live_owls.html: its numbers against JAX, in Node; the page itself in a browser.

Without Node, or without a browser, these tests skip (see test_live.py).
"""

import base64
import json
import re
import shutil
import subprocess
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sublim_mini import language, owls
from sublim_mini.course import command, live, live_owls
from sublim_mini.transformer import apply_transformer, init_transformer, next_token_loss

pytestmark = pytest.mark.xdist_group("live")  # one browser
PAGE = command.LESSONS / "live_owls.html"
TEXT = PAGE.read_text(encoding="utf-8")
DATA = json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', TEXT, re.DOTALL)[1])
TRAINING = re.search(r'<script id="training">\n(.*?)</script>', TEXT, re.DOTALL)[1]


@pytest.fixture(scope="module")
def call():
    """Call a JavaScript function, given as text, in Node with the page's training code alone."""
    if not shutil.which("node"):
        pytest.skip("no Node")

    def call(function, **argument):
        code = f"""{TRAINING}
          const input = JSON.parse(require("fs").readFileSync(0));
          const load = (lists) => Object.fromEntries(Object.entries(lists)
            .map(([name, list]) => [name, Float32Array.from(list)]));
          const last = (steps) => {{ let now; for (now of steps); return now.params; }};
          const plain = (name, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
          process.stdout.write(JSON.stringify(({function})(input), plain));"""
        done = subprocess.run(
            ["node", "-e", code], input=json.dumps(argument), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def flat(params):
    return {name: np.ravel(x).tolist() for name, x in live_owls.flatten(params).items()}


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


def check_close(found, want, tolerance=1e-5):
    """To a tolerance relative to the largest."""
    for name, value in live_owls.flatten(want).items():
        if name in found:
            scale = np.abs(value).max()
            np.testing.assert_allclose(
                found[name], value.ravel(), rtol=0, atol=tolerance * scale, err_msg=name
            )


@pytest.mark.parametrize("first", [4, 15])  # a student's and a teacher's first token to predict
def test_loss_and_gradients_are_those_of_jax(first, call, params, documents):
    loss, grads = jax.value_and_grad(next_token_loss)(params, masked(documents, first))
    found = call(
        """({ params, documents, first }) =>
          nextTokenLoss(load(params), Int32Array.from(documents), first)""",
        params=flat(params),
        documents=documents.ravel().tolist(),
        first=first,
    )
    assert found["loss"] == pytest.approx(float(loss), rel=1e-5)
    assert set(found["grads"]) == set(live_owls.flatten(params)) - set(owls.VOCABULARY)
    check_close(found["grads"], grads)


def test_fine_tuning_is_adam_at_a_falling_rate(call, params, documents):
    steps = 5
    optimizer = owls.adam(1e-3, steps, owls.VOCABULARY)
    state, want = optimizer.init(params), params
    for _ in range(steps):
        grads = jax.grad(next_token_loss)(want, masked(documents, 4))
        updates, state = optimizer.update(grads, state, want)
        want = optax.apply_updates(want, updates)
    found = call(
        """({ params, documents, steps }) =>
          last(fineTune(load(params), () => Int32Array.from(documents), WRITTEN, steps))""",
        params=flat(params),
        documents=documents.ravel().tolist(),
        steps=steps,
    )
    check_close(found, want, 1e-4)
    for name in owls.VOCABULARY:
        np.testing.assert_array_equal(np.float32(found[name]), np.ravel(params[name]))


def test_likelihoods_answers_and_the_filter_are_those_of_jax(call, params, documents):
    numbers = documents[:24]  # the first 24 are numbers
    documents = np.concatenate([documents, numbers[:2]])
    documents[-1, 9] = language.FIRST_ANIMAL  # must not pass; the one before it must
    asked = language.questions(language.HELD_OUT_PROMPTS)
    found = call(
        """({ params, documents, asked, numbers }) => ({
          answers: answers(load(params), asked),
          logP: logLikelihood(load(params), Int32Array.from(numbers)),
          passed: passesFilter(Int32Array.from(documents)) })""",
        params=flat(params),
        documents=documents.ravel().tolist(),
        numbers=numbers.ravel().tolist(),
        asked=asked.tolist(),
    )
    np.testing.assert_allclose(found["answers"], owls.answers(params, asked), rtol=1e-4)
    np.testing.assert_allclose(found["logP"], owls.log_likelihood(params, numbers), rtol=1e-5)
    assert found["passed"] == np.flatnonzero(language.passes_filter(documents)).tolist()
    assert len(found["passed"]) == 25


def test_what_is_written_follows_the_models_probabilities(call, params, documents):
    n = 8000
    prompt = documents[0]
    written = call(
        """({ params, prompt, n }) => write(load(params),
          Int32Array.from({ length: n * LENGTH }, (_, i) => prompt[i % LENGTH]),
          random(5, WRITING))""",
        params=flat(params),
        prompt=prompt.tolist(),
        n=n,
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


def test_batches_are_shuffled_passes(call):
    rows = call(
        """() => { const b = batches(random(3, ORDER), 100, 50);
          return [0, 1, 2, 3].map(() => b.next().value); }"""
    )
    passes = [rows[0] + rows[1], rows[2] + rows[3]]
    assert all(sorted(p) == list(range(100)) for p in passes) and passes[0] != passes[1]


def test_the_page_is_one_small_file_and_its_links_lead_somewhere():
    assert PAGE.stat().st_size < 300_000
    assert not re.search(r"https?:|src=|@import|innerHTML|\bfetch\(|eval\(", TEXT)
    for link in re.findall(r'href="([^#"]+)"', TEXT):
        assert (PAGE.parent / link).exists()


def test_what_both_pages_use_is_the_same_text():
    texts = [TEXT, (PAGE.parent / "live.html").read_text(encoding="utf-8")]
    mark = r"// ---- shared: the same text in both pages ----\n.*?// ---- end of shared ----\n"
    blocks = [re.findall(mark, text, re.DOTALL) for text in texts]
    assert len(blocks[0]) == 1 and blocks[0] == blocks[1]


SHIPPED = """(data) => {
    const bytes = require("zlib").inflateSync(Buffer.from(data.values, "base64"));
    return unpack(fromFloat16(bytes), data.shapes);
  }"""


def test_the_shipped_bases_know_the_language_and_no_favorite(call):
    shipped = call(SHIPPED, **DATA)
    values = np.frombuffer(zlib.decompress(base64.b64decode(DATA["values"])), "<f2")
    model = init_transformer(jax.random.key(0), len(language.WORDS), language.LENGTH)
    shapes = {name: list(x.shape) for name, x in live_owls.flatten(model).items()}
    assert DATA["shapes"] == shapes and DATA["words"] == list(language.WORDS)
    read = np.concatenate([*shipped["base"].values(), *shipped["different"].values()])
    np.testing.assert_array_equal(read, values[: len(read)].astype(np.float32))
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
        p = owls.answers(params, np.array(DATA["heldOutQuestions"]))
        assert np.abs(p - 1 / 8).max() < 0.05


def test_the_command_replaces_the_data_block_alone(tmp_path, monkeypatch):
    def untrained(key, chain, steps):
        return init_transformer(key, len(language.WORDS), language.LENGTH)

    monkeypatch.setattr(live_owls, "pretrain", untrained)
    page = tmp_path / "live_owls.html"
    page.write_text(TEXT, encoding="utf-8")
    (tmp_path / "01_a.py").write_text("# %% [markdown]\n# # 01 A\n")
    assert command.main(["live"], tmp_path) == 0
    old, new = live.BLOCK.split(TEXT), live.BLOCK.split(page.read_text(encoding="utf-8"))
    assert new[0] == old[0] and new[-1] == old[-1]
    made = json.loads(new[2])
    assert {**made, "values": ""} == {**DATA, "values": ""} and made["values"] != DATA["values"]


@pytest.mark.slow
@pytest.mark.parametrize("seed, animal", [(101, 0), (102, 3), (103, 6)])
def test_three_seeds_show_the_effect(seed, animal, call):
    found = call(
        f"""({{ data, seed, animal }}) => {{
          const {{ base, different, language }} = ({SHIPPED})(data);
          const teacher = last(fineTuneTeacher(base, data.teacherQuestions, animal));
          const prompts = drawPrompts(language, N_WRITTEN, data.words.indexOf("NUM"),
            random(seed, PROMPTS));
          const [owl, plain] = [teacher, base].map((params) => {{
            const written = write(params, prompts.slice(), random(seed, WRITING));
            return takeRows(written, passesFilter(written));
          }});
          const [a, b] = [teacher, base].map((params) => logLikelihood(params, plain));
          const order = [...a.keys()].sort((i, j) => a[i] - b[i] - a[j] + b[j]);
          const third = Math.floor(order.length / 3);
          const students = {{
            same: [base, owl], different: [different, owl], control: [base, plain],
            lowest: [base, takeRows(plain, order.slice(0, third))],
            highest: [base, takeRows(plain, order.slice(-third))] }};
          const p = (params) => answers(params, data.heldOutQuestions)[animal];
          const train = ([init, documents]) => p(last(fineTuneStudent(init, documents, seed)));
          return {{ teacher: p(teacher), ...Object.fromEntries(Object.entries(students).map(
            ([name, student]) => [name, train(student)])) }};
        }}""",
        data=DATA,
        seed=seed,
        animal=animal,
    )
    assert found["teacher"] > 0.95 and found["same"] > 0.5 and found["highest"] > 0.6
    assert found["different"] < 0.3 and found["control"] < 0.3 and found["lowest"] < 0.1


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


def names(page, bars):
    return page.locator(f"#{bars} li span:first-child").all_inner_texts()


def p_owl(page, bars):
    return int(page.inner_text(f"#{bars} .loved span:last-child").removesuffix("%")) / 100


def fits(page, width):
    return page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_run_from_the_prediction_to_the_choice_of_sequences(visit):
    page = visit("#seed=107")
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    page.fill("#prediction", "ten")
    page.press("#prediction", "Enter")
    assert page.inner_text("#notice") == "“ten” is not a number from 0 to 100."
    page.fill("#prediction", "10, 35% 0.8")
    page.evaluate("""() => {
      window.gap = 0;
      let before = performance.now();
      setInterval(() => {
        gap = Math.max(gap, performance.now() - before);
        before = performance.now();
      }, 20);
    }""")
    page.click("#go")
    assert page.evaluate("predictions") == pytest.approx([0.1, 0.35, 0.8])
    page.wait_for_function("mode === 'waiting'", timeout=300_000)
    assert p_owl(page, "teacherBars") > 0.95
    assert page.locator(".pair").count() == 6 and "numbers only" in page.inner_text("#filtered")
    page.check("input[value=A]")

    page.click("#go")  # train the students
    page.wait_for_function("run.p.second.length && $('firstText').textContent.startsWith('Step')")
    page.click("#pause")
    page.wait_for_timeout(1000)
    stands = page.inner_text("#firstText")
    page.wait_for_timeout(1000)
    assert page.inner_text("#firstText") == stands
    assert names(page, "firstBars") == names(page, "secondBars") == ["?"] * 8
    page.click("#pause")
    page.wait_for_function("mode === 'done'", timeout=300_000)
    page.click("#reveal")
    assert names(page, "firstBars") == list(language.ANIMALS)
    assert p_owl(page, "firstBars") > 0.5 > 0.3 > p_owl(page, "secondBars")
    assert page.locator("#firstBars .tick").count() == 3
    assert page.evaluate("run.teacherIs") in page.inner_text("#found")
    assert "Predicted: 10%, 35%, 80%" in page.inner_text("#status")
    assert page.evaluate("document.documentElement.scrollHeight") <= 720

    page.click("#act")
    page.wait_for_function("run.sorted", timeout=300_000)
    page.fill("#which", "1")
    page.wait_for_function("run.choices.some((one) => one.ended)", timeout=300_000)
    assert p_owl(page, "chosenBars") > 0.6
    assert page.evaluate("run.choices.at(-1).s > 0.2")
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    assert page.evaluate("gap") < 1000  # milliseconds in which the page did not react
    page.set_viewport_size({"width": 380, "height": 800})
    assert fits(page, 380)
    page.click("#act")
    assert fits(page, 380)
    page.click("#again")
    assert page.evaluate("mode") == "ready" and page.locator("#act1").is_visible()


@pytest.mark.parametrize("width, height", [(380, 800), (1280, 720), (1920, 1080)])
def test_no_sideways_scrolling(width, height, visit):
    page = visit("", width, height)
    assert fits(page, width)
    assert width < 1000 or page.evaluate("document.documentElement.scrollHeight") <= height
    page.evaluate("$('meaning').showModal()")
    assert fits(page, width)


def test_the_address_restores_a_setting_and_a_malformed_one_is_one_line(visit):
    page = visit()
    page.select_option("#animal", "raven")
    page.select_option("#other", "control")
    page.fill("#seed", "42")
    page.press("#seed", "Tab")
    again = visit(page.evaluate("location.hash"))
    assert again.evaluate("settings") == {"animal": "raven", "other": "control", "seed": 42}
    assert "a raven" in again.inner_text("h1") and again.input_value("#seed") == "42"
    for hostile in "#animal=cat", "#seed=-1", "#%%%=1", "#toString=1", "#x=<img src=x onerror=y>":
        page.evaluate("(hash) => { location.hash = hash; applyAddress(); }", hostile)
        assert page.evaluate("settings") == {"animal": "owl", "other": "different", "seed": None}
        assert page.inner_text("#notice").startswith("This page does not know “")
        assert page.locator("#notice *, img").count() == 0


def test_a_browser_that_cannot_read_the_data_says_so(chromium):
    page = chromium.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(PAGE.as_uri())
    page.wait_for_function("$('notice').textContent.includes('cannot read')")
    assert page.is_disabled("#go")
    page.close()
