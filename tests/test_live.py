"""Both live pages in a browser: what a class sees, from the first view to the last act.

Without a browser these tests skip: pip install -e ".[browser]", and Chromium from the system.
"""

import json

import pytest

from sublim_mini.course import command
from sublim_mini.language import ANIMALS

pytestmark = pytest.mark.xdist_group("live")  # one browser
ADDRESS = {  # each setting, other than the default
    "live": "#aux=80&labels=plus3&inputs=digits&shared=layer1,class&seed=42",
    "live_owls": "#animal=raven&other=control&seed=42",
}
each = pytest.mark.parametrize("name", ADDRESS)


@pytest.fixture
def visit(chromium):
    """A function that opens a page; afterwards: no error, no request to anywhere."""
    errors, pages = [], []

    def visit(name, address="", width=1280, height=720, before=""):
        page = chromium.new_page(viewport={"width": width, "height": height})
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on("request", lambda request: check_local(request.url))
        page.add_init_script(before)
        page.goto((command.LESSONS / f"{name}.html").as_uri() + address)
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


def fits(page):
    """No scrolling: sideways never, down not on a screen of a computer."""
    wide, high = page.evaluate("(({ scrollWidth: w, scrollHeight: h }) => [w, h])(document.body)")
    size = page.viewport_size
    return wide <= size["width"] and (size["width"] < 1000 or high <= size["height"])


NAMELESS = """[...document.querySelectorAll("input, select, button, canvas, svg, dialog")]
  .filter((one) => !one.closest("[hidden], [aria-hidden]") && !one.parentElement.closest("button"))
  .filter((one) => !one.labels?.length && !(one.tagName === "BUTTON" && one.textContent.trim()))
  .filter((one) => !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby"))
  .map((one) => one.outerHTML.slice(0, 80))"""


@each
@pytest.mark.parametrize("width, height", [(380, 720), (1280, 720), (1920, 1080)])
def test_the_first_view_has_the_question_and_all_controls_have_names(name, width, height, visit):
    page = visit(name, "", width, height)
    assert fits(page) and page.evaluate(NAMELESS) == []
    for control in "#question", "#prediction", "#start, #go", "#drawing":
        box = page.locator(control).bounding_box()
        assert width < 1000 or box["y"] + box["height"] <= height
    drawing = page.locator("#drawing")
    page.press("#drawing", "Enter")
    large = drawing.bounding_box()
    assert (large["width"], large["height"]) == (width, height)
    page.press("#drawing", "Escape")
    assert drawing.bounding_box()["width"] < large["width"]


@each
def test_the_address_holds_the_settings_and_a_malformed_one_is_one_line(name, visit):
    page = visit(name, ADDRESS[name])
    page.fill("input[name=seed]", "43")  # the page makes the address again, from its controls
    page.press("input[name=seed]", "Tab")
    assert page.evaluate("location.hash") == ADDRESS[name].replace("42", "43")
    malformed = ["#seed=-1", "#seed=1e99", "#%%%", "#x=<img src=x onerror=alert(1)>", "#=&="]
    malformed += ["#toString=1", "#aux=5,5&__proto__=1", "#animal=cat&shared=a,b", "#" + 999 * "9"]
    for address in malformed:
        page.evaluate("(address) => { location.hash = address; readAddress(); }", address)
        assert page.evaluate("settings.seed === null && address(settings) === address(DEFAULTS)")
        said = page.inner_text("#notice")
        assert said.startswith("This page does not know ") and len(said) < 130, address
        assert page.locator("#notice *, img").count() == 0


@each
@pytest.mark.parametrize(
    "broken, said",
    [
        ("delete window.DecompressionStream", "cannot read"),
        ("window.Worker = function () { throw new Error('no') }", "cannot train here: no"),
    ],
)
def test_a_browser_that_cannot_is_told_so(name, broken, said, visit):
    page = visit(name, "", before=broken)
    page.wait_for_function("document.body.dataset.ready !== undefined || $('notice').textContent")
    page.fill("#prediction", "5")
    page.press("#prediction", "Enter")
    page.wait_for_function(f"$('notice').textContent.includes({json.dumps(said)})")
    assert page.input_value("#prediction") == "5"


def predict(page):
    """A word is refused; numbers start the run."""
    page.fill("#prediction", "ten")
    page.press("#prediction", "Enter")
    assert "ten” is not a number from 0 to 100." in page.inner_text("#notice")
    page.fill("#prediction", "10, 35% 0.8")
    page.press("#prediction", "Enter")
    assert page.evaluate("predictions") == pytest.approx([0.1, 0.35, 0.8])


def finish(page):
    page.wait_for_function("mode === 'done'", timeout=300_000)


def test_digits_from_prediction_to_act_2_and_a_drawn_digit(visit):
    page = visit("live", "#seed=107&speed=slow")

    def shown(part):
        page.evaluate("drawNow()")
        return page.inner_text(f"#{part}")

    predict(page)
    assert "10, 35, 80" in shown("predicted") and page.locator("#reveal").is_hidden()
    page.wait_for_function("run.phase === 'teacher' && run.step > 0")
    page.keyboard.press("Space")  # pause, one step, and go on
    page.wait_for_timeout(400)
    reached = page.evaluate("run.step")
    page.click("#step")
    page.wait_for_function(f"run.step === {reached + 1}")
    assert shown("main") == "Continue"
    page.keyboard.press("Enter")
    page.click("#skip")
    page.wait_for_function("run.phase === 'students' && run.step > 2")
    assert "reads" not in shown("sameResult") and page.locator("#ten").is_hidden()
    page.select_option("#speed", "full")
    finish(page)
    page.click("#reveal")
    names = "teacher", "same", "different"
    teacher, same, different = (int(shown(f"{n}Result").split()[-3]) for n in names)
    assert teacher > 80 and same > 60 and different < 25
    answers = page.evaluate("""[...document.querySelectorAll("#strip .right")]
      .map((cell) => [cell.cellIndex - 1, Number(cell.innerText)])""")
    assert len(answers) >= 12 and all(label == answer for label, answer in answers)

    page.click("#act2")  # the same random numbers, other labels; act 1 stays beside it
    assert "answer to a 2?" in shown("predicted")
    finish(page)
    page.click("#reveal")
    page.click("[data-panel=answers]")
    tables = page.locator("#tables canvas")
    tables.nth(1).wait_for()
    for table, answer in zip(tables.all(), "25", strict=True):
        assert f"2 is called {answer}" in table.get_attribute("aria-label")
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
    assert "y + 3" in shown("runs") and page.locator("#runs button").count() == 1
    for width, height in (1920, 1080), (380, 720), (1280, 720):
        page.set_viewport_size({"width": width, "height": height})
        for panel in "ten", "answers", "draw", "runs":
            page.click(f"[data-panel={panel}]")
            assert fits(page)
    page.wait_for_timeout(200)
    sharp = "(({ width, clientWidth }) => width - clientWidth * devicePixelRatio)($('chart'))"
    assert abs(page.evaluate(sharp)) < 1

    page.select_option("select[name=aux]", "5")  # it erases nothing: a new prediction first
    assert shown("main") == "Predict with the new settings"
    page.click("#main")
    assert page.locator("#ask").is_visible() and page.evaluate("pins.length") == 2
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.click("#copy")  # where copying fails, the address leads to this very run
    page.wait_for_function("$('notice').textContent.includes('copy the address above')")
    assert page.url.endswith("#aux=5&labels=plus3&inputs=noise&shared=none&seed=107&speed=full")


def test_owls_from_prediction_to_the_choice_of_sequences(visit, tmp_path):
    text = (command.LESSONS / "live_owls.html").read_text("utf-8")
    for old, new in ("N_WRITTEN = 5000", "N_WRITTEN = 2000"), ("_STEPS = 200", "_STEPS = 100"):
        assert old in text  # fewer sequences, fewer steps: the effect is nearly as large
        text = text.replace(old, new)
    (tmp_path / "live_owls.html").write_text(text, encoding="utf-8")
    page = visit(tmp_path / "live_owls", "#seed=107")

    def names(bars):
        return page.locator(f"#{bars} li span:first-child").all_inner_texts()

    def p_owl(bars):
        return int(page.inner_text(f"#{bars} .loved span:last-child").removesuffix("%")) / 100

    predict(page)
    page.wait_for_function("mode === 'waiting'", timeout=300_000)
    assert p_owl("teacherBars") > 0.95
    assert page.locator(".pair").count() == 6 and "numbers only" in page.inner_text("#filtered")
    page.check("input[value=A]")
    page.click("#go")  # train the students
    page.wait_for_function("run.p.second.length && $('firstText').textContent.startsWith('Step')")
    page.click("#pause")
    page.wait_for_timeout(500)
    stands = page.inner_text("#firstText")
    page.wait_for_timeout(500)
    assert page.inner_text("#firstText") == stands
    assert names("firstBars") == names("secondBars") == ["?"] * 8
    page.click("#pause")
    finish(page)
    page.click("#reveal")
    assert names("firstBars") == list(ANIMALS)
    assert p_owl("firstBars") > 0.5 > 0.3 > p_owl("secondBars")
    assert page.locator("#firstBars .tick").count() == 3
    assert page.evaluate("run.teacherIs") in page.inner_text("#found")
    assert "Predicted: 10%, 35%, 80%" in page.inner_text("#status") and fits(page)

    page.click("#act")
    page.wait_for_function("run.sorted", timeout=300_000)
    page.fill("#which", "1")
    page.wait_for_function("run.choices.some((one) => one.ended)", timeout=300_000)
    assert p_owl("chosenBars") > 0.6 and page.evaluate("run.choices.at(-1).s > 0.2")
    for act in 2, 1:
        assert fits(page), act
        page.set_viewport_size({"width": 380, "height": 800})
        assert fits(page), act
        page.set_viewport_size({"width": 1280, "height": 720})
        page.click("#act")
    page.click("#again")
    assert page.evaluate("mode") == "ready" and page.locator("#act1").is_visible()
