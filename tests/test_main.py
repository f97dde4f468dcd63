"""`python -m sublim_mini`, by a folder of three lessons of a few lines, one of which fails."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib

import pytest
from PIL import Image

from sublim_mini.course import command, pages

LESSON = """# %% [markdown]
# # {number} A trial: does it run?
#
# **Question.** Is *this* one's
# `output` on the page?
#
# **You need** nothing.

# %%
import json, sys
from pathlib import Path

out = Path(sys.argv[sys.argv.index("--out") + 1])
if {fails}:
    raise ValueError("no <luck>")

# %% [markdown]
# ## Predict
# A number, such as $x < 1$.

# %%
claim = dict(text="1 < 2 | $a_b$", kind="above", effect=1.0, margin=0.5, values=[1.0] * 8, n=8)
claims = [
    claim | dict(low=0.7, high=1.2, holds=True, verdict="holds"),
    claim | dict(low=0.2, high=0.4, holds=False, verdict="refuted"),
    claim | dict(n=1, low=None, high=None, holds=False, verdict="undecided"),
]
row = dict(values=[0.0, 2.0], mean=1.0, low=0.9, high=1.1)
results = dict(lesson="{name}", claims=claims, seconds=3.0, versions={{}})
results["checks"] = [claims[0] | dict(kind="within")]
results |= dict(settings=dict(seed=int(sys.argv[-1]), n_aux=8), curves={{}}, predictions=[0.3])
results |= dict(conditions={{"one | two": row}}, tables={{"T": {{"one | two": row}}}})
results |= dict(figure=dict(title="1 < 2", alt='1 < "2"'))
results["printed"] = "a <b> & c " + " ".join(sys.argv[3:]) + "\\n```\\n"
results["printed"] += "Your prediction of the number of owls, T < 1: none (add --predict 0.3)\\n"
results["printed"] += "\\nClaims, decided by 99 % intervals:\\n  HOLDS: 1 < 2\\n"
results["printed"] += "      of a text\\n      1.0, to be above 0.5\\n\\nA record.\\n"
results["printed"] += "\\nA claim can fail in one run: 1 in 200 errs.\\n"

# %% [markdown]
# ## The result

# %%
(out / "{name}.json").write_text(json.dumps(results))
(out / "{name}.png").write_bytes(b"\\x89PNG\\r\\n\\x1a\\n 1")

# %% [markdown]
# ## What this shows
# Nothing.
"""
ONE_PAGE = """# %% [markdown]
# # 00 All on one page
#
# **Question.** Does it run without flags?

# %%
import sys
print("flags:", sys.argv[1:])
open("00_one_page.png", "wb").write(b"\\x89PNG\\r\\n\\x1a\\n 0")
"""
SEED = "--seed", "5"


@pytest.fixture
def lessons(tmp_path):
    folder = tmp_path / "lessons"
    for other in "second_edition", "further":
        (folder / other).mkdir(parents=True)
    (folder / "second_edition" / "05_old.py").write_text("raise SystemExit(9)")
    for path, fails in ("03_works", False), ("07_fails", True), ("further/21_more", False):
        name = path.split("/")[-1]
        text = LESSON.format(number=name[:2], name=name, fails=fails)
        (folder / f"{path}.py").write_text(text)
    return folder


@pytest.fixture
def gallery(lessons, capsys):
    """The gallery of lessons 03 and 21, their results there and no page yet."""
    assert command.main(["run", "3", "21", *SEED, "--out", str(lessons / "gallery")], lessons) == 0
    (lessons / "gallery" / "index.html").unlink()
    capsys.readouterr()
    return lessons / "gallery"


def start(words, folder, **options):
    """The command in a process of its own, on the lessons of a folder."""
    code = f"import sys, sublim_mini.course.command as m, pathlib as p; f = p.Path({str(folder)!r})"
    code += f"\nstatus = m.main({words!r}, f); assert 'jax' not in sys.modules; sys.exit(status)"
    if options.get("start_new_session"):  # in the background SIGINT would be ignored
        code = f"import signal; signal.signal(2, signal.default_int_handler); {code}"
    env = {**os.environ, "PYTHONPATH": str(command.LESSONS.parent)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], env=env, text=True, **pipes, **options)


def test_the_list_has_every_lesson_without_jax(lessons):
    out, err = start([], lessons).communicate()
    about = "A trial: does it run?\n    Is this one's output on the page?\n"
    assert (out, err) == (f"03 {about}07 {about}\nFurther lessons\n\n21 {about}", "")


def test_the_program_needs_no_docstrings():
    env = {**os.environ, "PYTHONPATH": str(command.LESSONS.parent), "PYTHONOPTIMIZE": "2"}
    for flags in [], ["--help"]:
        done = subprocess.run(
            [sys.executable, "-m", "sublim_mini", *flags], env=env, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: " if flags else "00 The whole effect")


def test_every_lesson_has_a_title_and_a_question():
    for path in command.find_lessons(command.LESSONS):
        about = command.about(path)
        assert about["title"].startswith(path.stem[:2] + " ")
        assert "?" in about["question"] and len(about["question"]) > 40
        assert not re.search(r"[#*`\n]|  ", about["question"])


@pytest.mark.parametrize(
    "names, found",
    [("3 03 03_works", "03"), ("21 7", "21 07"), ("all 3", "03 07 21"), ("further", "21")],
)
def test_lessons_are_chosen_by_number_or_name(names, found, lessons):
    chosen = command.choose(names.split(), command.find_lessons(lessons))
    assert [path.stem[:2] for path in chosen] == found.split()


def test_run_collects_one_page_and_says_what_failed(lessons, tmp_path, capsys):
    out = tmp_path / "results"
    assert command.main(["run", "7", "--quick", "03", *SEED, "--out", str(out)], lessons) == 1
    said = capsys.readouterr()
    assert re.search(r"1 of 2\] 07_fails \.\.\. FAILED.*2\] 03_works \.\.\. done", said.out, re.S)
    assert "ValueError: no <luck>" in said.err and "1 done, 1 failed" in said.out
    assert sorted(p.name for p in out.iterdir()) == ["03_works.json", "03_works.png", "index.html"]

    text = (out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="(.*?)"', text) == ["07_fails", "03_works"]
    loads = {load[:11] for load in re.findall(r'(?:src|href)="(.*?)"', text)}
    assert loads == {"#07_fails", "#03_works", "data:image/"}
    assert re.findall(r"https?:|url\(|@import", text) == []
    assert re.findall(r'<img.* alt="(.*?)"', text) == ["1 &lt; &quot;2&quot;"]
    assert "a &lt;b&gt; &amp; c --quick --seed 5" in text and "Run with --quick --seed 5." in text
    assert "Is this one's output on the page?" in text.replace("&#x27;", "'")
    assert "FAILED with status 1" in text and "no &lt;luck&gt;" in text
    assert "1 of 3 claims hold, 1 refuted, 1 undecided" in text
    assert "1.000 (0.200 to 0.400; n = 8)" in text
    assert [text.count(f"<td>{v}</td>") for v in pages.VERDICT.values()] == [2, 1, 1]
    assert text.count("</b>\nnumber of owls, T &lt; 1. Then press") == 1  # lesson 07 has failed


def test_a_check_that_does_not_hold_is_shown_but_not_counted():
    verdicts = {"claims": ["holds"] * 2, "checks": ["holds", "refuted", "undecided"]}
    results = {kind: [{"verdict": v} for v in found] for kind, found in verdicts.items()}
    said = "2 of 2 claims hold; 1 of 3 checks hold, 1 refuted, 1 undecided"
    assert pages.ending({"results": results}) == said
    assert pages.ending({"results": {"claims": [], "checks": results["checks"][:1]}}) == "No claims"


@pytest.mark.xdist_group("live")
def test_p_shows_the_page_as_screens_and_gives_nothing_away(lessons, tmp_path, chromium):
    picture, script = io.BytesIO(), lessons / "03_works.py"
    Image.new("RGB", (1600, 900)).save(picture, "PNG")
    text = re.sub(r'b"\\x89PNG.*"', lambda m: repr(picture.getvalue()), script.read_text())
    script.write_text(text)
    assert command.main(["run", "3", "7", *SEED, "--out", str(tmp_path)], lessons) == 1
    page = chromium.new_page(viewport={"width": 380, "height": 700}, has_touch=True)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator(".predict, nav").count() == 2 and page.locator("table").count() == 2
    assert not any(one.is_visible() for one in page.locator(".predict, nav").all())
    page.keyboard.press("p")
    for screen in range(1, 6):
        text, figure = page.inner_text("body"), page.locator("img").is_visible()
        assert f"{screen} / 5" in text and figure == (screen == 2)
        assert ("Predict: number of owls, T < 1. Then press the arrow." in text) == (screen == 1)
        assert ("✗ refuted" in text) == (screen == 3) and ("07 A trial" in text) == (screen > 3)
        assert page.evaluate("document.documentElement.scrollWidth") == 380  # a phone's
        page.keyboard.press("ArrowRight") if screen % 2 else page.touchscreen.tap(300, 300)
    assert page.url.endswith("#07_fails/3") and "FAILED with status 1" in page.inner_text("body")
    page.keyboard.press("Escape")
    assert page.locator("img").is_visible() and page.locator("table").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 380 and errors == []
    page.close()


@pytest.mark.parametrize("ending", ["exit(3)", "open('03_works.json', 'w').close()"])
def test_a_failed_run_shows_no_results_but_loses_none(ending, lessons, tmp_path):
    asked, out = ["run", "3", *SEED, "--out", str(tmp_path / "out")], tmp_path / "out"
    assert command.main(asked, lessons) == 0
    (lessons / "03_works.py").write_text(ending)
    assert command.main(asked, lessons) == 1
    text = (out / "index.html").read_text()
    assert "FAILED" in text and "img data" not in text
    assert sorted(p.name for p in out.iterdir()) == ["03_works.json", "03_works.png", "index.html"]


def test_lesson_00_has_no_flags_and_saves_its_figure_beside_the_others(lessons, tmp_path):
    (lessons / "00_one_page.py").write_text(ONE_PAGE)
    out = tmp_path / "out"
    assert command.main(["run", "0", "3", "--quick", *SEED, "--out", str(out)], lessons) == 0
    text = (out / "index.html").read_text()
    assert "flags: []" in text and text.count("<img ") == 2 and "No claims" in text
    assert (out / "00_one_page.png").exists()


def test_a_gallery_page_has_the_prose_and_then_the_results(gallery, lessons):
    for other in "mnist", "triage":
        (gallery / other).mkdir()
        (gallery / other / "03_works.json").write_text((gallery / "03_works.json").read_text())
    (gallery / "03_works.earlier.md").write_text("Seed 3: claim 1 failed.\n")
    assert command.main(["gallery"], lessons) == 0
    text = (gallery / "03_works.md").read_text(encoding="utf-8")
    order = ["# 03 A trial: does it run?\n", "**Question.** Is *this*", "(../03_works.py)"]
    order += ["## Predict\nA number, such as $x < 1$.\n", "## The result\n", "````text\na <b> & c"]
    order += ["A record.\n````", '![1 \\< "2"](03_works.png)', "| claim |", "✗ refuted |"]
    order += [
        "| check |",
        "within ±0.5 |",
        "`seed=5, n_aux=8`",
        "(03_works.json)",
        "## What this shows\nNothing.\n",
    ]
    order += ["## Your own run", "| T | this run |", "| one \\| two | 1.000 | 0.859 to 1.141 |"]
    for other in "on real MNIST", "for triage":
        order += [f"## The same {other}", "| one \\| two | 1.000 | 0.900 to 1.100 |", "✗ refuted |"]
    order += ["## Earlier runs\n\nSeed 3: claim 1 failed.\n", "[All lessons](README.md)"]
    at = 0
    for part in order:
        at = text.index(part, at) + len(part)
    for elsewhere in "import", "Your prediction of", "HOLDS: 1", "of a text", "can fail":
        assert elsewhere not in text
    row = "| 1 \\< 2 \\| $a\\_b$ | 1.000 (no interval; n = 1) | above 0.5 | ? undecided |"
    assert text.count(row) == 3 and text.count("✓ holds |") == 6 and text.count("![") == 1
    assert "(../further/21_more.py)" in (gallery / "21_more.md").read_text(encoding="utf-8")
    index = (gallery / "README.md").read_text(encoding="utf-8")
    line = "- [{} A trial: does it run?]({}.md) *1 of 3 claims hold, 1 refuted, 1 undecided.*\n"
    more = "\n## Further lessons\n\n" + line.format("21", "21_more")
    assert index.endswith(line.format("03", "03_works") + more) and "07" not in index


def test_another_run_lies_in_the_range_of_your_own_run_in_95_of_100_cases():
    from scipy import stats

    values = [0.4, 0.5, 0.9]
    half = stats.t.ppf(0.975, 2) * stats.sem(values)
    row = {"low": 0.6 - half, "high": 0.6 + half}
    half = stats.t.ppf(0.975, 2) * stats.tstd(values) * (2 / 3) ** 0.5
    assert pages._ends(row, 2**0.5) == f"{0.6 - half:.3f} to {0.6 + half:.3f}"


@pytest.mark.parametrize("place", [".", "mnist"])
@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, "\udcff"])
def test_broken_results_are_one_line_and_replace_nothing(text, place, gallery, lessons, capsys):
    (gallery / "mnist").mkdir()  # lesson 03 is fine, and its page would be written first
    broken = gallery / place / "21_more.json"
    broken.write_bytes(text.encode(errors="surrogateescape"))
    before = sorted(gallery.rglob("*"))
    assert command.main(["gallery"], lessons) == 2
    said = capsys.readouterr()
    assert "cannot read the results of 21_more" in said.err and said.err.count("\n") == 1
    assert said.out == "" and sorted(gallery.rglob("*")) == before


def test_a_gallery_without_results_says_how_to_make_them(lessons, capsys):
    assert command.main(["gallery"], lessons) == 2
    assert "run all --out" in capsys.readouterr().err and not (lessons / "gallery").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("sent, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_one_line_and_keeps_the_page(sent, status, lessons, tmp_path):
    (lessons / "07_fails.py").write_text("import time\nopen('begun', 'w')\ntime.sleep(60)")
    out = tmp_path / "out"
    process = start(["run", "all", *SEED, "--out", str(out)], lessons, start_new_session=True)
    while not (out / "begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
    _, err = process.communicate(timeout=20)
    assert process.returncode == status and err.count("\n") == 1 and "interrupted" in err
    made = sorted(p.name for p in out.iterdir())
    assert made == ["03_works.json", "03_works.png", "begun", "index.html"]
    assert "2 to come" in (out / "index.html").read_text()


def test_a_closed_pipe_does_not_end_the_run(lessons, tmp_path):
    process = start(["run", "3", *SEED, "--out", str(tmp_path / "out")], lessons)
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait() == 0
    process.stderr.close()
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        ("run 4", "no lesson '4': there are 03_works, 07_fails, 21_more"),
        ("run 5", "no lesson '5'"),
        ("run", "needs lessons"),
        ("gallery 3", "needs lessons"),
        ("run 3 --seed -1", "must be a whole number from 0"),
        ("run 3 --seed 4294967296", "to 4,294,967,295, not '4294967296'"),
        ("run 3 --fast", "unrecognized arguments: --fast"),
        ("run 3 --out lessons/03_works.py", "cannot write there"),
        ("dance", "invalid choice: 'dance'"),
    ],
)
def test_bad_input_is_one_line(words, said, lessons, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        status = command.main(words.split(), lessons)
    except SystemExit as end:
        status = end.code
    shown = capsys.readouterr()
    usage, *line = shown.err.splitlines() if shown.err.startswith("usage") else ("", shown.err)
    assert status == 2 and said in line[0] and len(line) == 1 and shown.out == ""
    assert len(usage) < 90 and [p.name for p in tmp_path.iterdir()] == ["lessons"]


def test_an_installed_package_has_all_folders_and_says_where_the_lessons_are(tmp_path, capsys):
    root = command.LESSONS.parent
    setup = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {p.parent.relative_to(root) for p in (root / "sublim_mini").rglob("*.py")}
    assert sorted(setup["packages"]) == sorted(".".join(f.parts) for f in folders)
    assert command.main([], tmp_path) == 2
    assert "they are in the repository" in capsys.readouterr().err


def test_notebooks_have_the_cells_of_the_scripts(lessons, tmp_path):
    pytest.importorskip("jupytext")
    assert command.main(["notebooks", "--out", str(tmp_path / "books")], lessons) == 0
    assert sorted(p.stem[:2] for p in (tmp_path / "books").iterdir()) == ["03", "07", "21"]
    book = json.loads((tmp_path / "books" / "03_works.ipynb").read_text())
    kinds = [cell["cell_type"] for cell in book["cells"]]
    assert kinds == ["markdown", "code"] * 3 + ["markdown"]
    assert book["metadata"]["kernelspec"]["name"] == "python3"


SMALL = """
import sublim_mini.course.lesson

class Small(sublim_mini.course.lesson.Lesson):  # as if the small numbers stood in the lesson's cell
    def __init__(self, name, *, quick, **settings):
        super().__init__(name, quick=quick, **settings | quick)
        self.threads = 2

sublim_mini.course.lesson.Lesson = Small
"""


def test_a_notebook_runs_from_end_to_end(tmp_path, monkeypatch):
    """In a kernel, as Jupyter runs it: no flags, seeds in threads, a progress bar, the figure."""
    pytest.importorskip("jupytext")
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    assert command.main(["notebooks", "--out", str(tmp_path)]) == 0
    notebook = nbformat.read(tmp_path / "01_hidden_channel.ipynb", as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SMALL))  # the rest as made
    monkeypatch.setenv("PYTHONPATH", str(command.LESSONS.parent))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a kernel shows figures by its own
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    saved = json.loads((tmp_path / "results" / "01_hidden_channel.json").read_text())
    assert saved["settings"]["student_steps"] == 60 and saved["claims"]
    assert (tmp_path / "results" / "01_hidden_channel.png").exists()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", ()) for output in outputs)  # the figure
    progress = "".join(o.text for o in outputs if o.get("name") == "stderr")
    assert "seeds:" in progress and " 0/2 " in progress
    printed = "".join(o.text for o in outputs if o.get("name") == "stdout")
    assert "Your prediction of the accuracy" in printed and "UNDECIDED" in printed


def test_notebooks_without_jupytext_are_one_line(lessons, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupytext", None)
    assert command.main(["notebooks", "--out", str(tmp_path)], lessons) == 2
    assert 'pip install -e ".[notebook]"' in capsys.readouterr().err
