"""`python -m sublim_mini`, by a folder of two lessons of a few lines, one of which fails."""

import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sublim_mini.__main__ as command
from sublim_mini import page

LESSON = """# %% [markdown]
# # {number} A trial: does it run?
#
# **The question.** Is *this* one's
# `output` on the page?
#
# **You need** nothing.

# %%
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image

out = Path(sys.argv[sys.argv.index("--out") + 1])
print("a <b> & c", " ".join(sys.argv[3:]), end="\\n\\nClaims, each decided: not this again")
if {fails}:
    raise ValueError("no <luck>")
claim = dict(text="1 < 2", kind="greater", unit="seed", effect=1.0, margin=0.5)
claims = [
    claim | dict(n=8, low=0.7, high=1.2, holds=True),
    claim | dict(n=8, low=0.2, high=1.7, holds=False),
    claim | dict(n=1, low=None, high=None, holds=None),
]
conditions = {{"one | two": dict(values=[1.0], mean=1.0, low=None, high=None)}}
results = dict(claims=claims, conditions=conditions, finding='1 < "2"', seconds=3.0)
results["settings"] = dict(seed=0, seeds=8, data=None)
(out / "{name}.json").write_text(json.dumps(results))
pixels = np.random.default_rng(1).integers(0, 255, (400, 1300, 3), dtype=np.uint8)
Image.fromarray(pixels).save(out / "{name}.png")
"""


@pytest.fixture
def lessons(tmp_path):
    folder = tmp_path / "lessons"
    folder.mkdir()
    for number, name, fails in ("03", "03_works", False), ("07", "07_fails", True):
        text = LESSON.format(number=number, name=name, fails=fails)
        (folder / f"{name}.py").write_text(text)
    return folder


class Page(HTMLParser):
    """The elements of a page: whether they are closed in order, and what they load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.images, self.ids = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.loads += [attrs[name] for name in ("src", "href") if name in attrs]
        self.images += [attrs] if tag == "img" else []
        self.ids += [attrs["id"]] if "id" in attrs else []
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_list_has_every_lesson_at_once():
    code = "import sys, sublim_mini.__main__ as m; m.main([]); assert 'jax' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for path in command.find_lessons(command.LESSONS):
        about = command.about(path)
        assert about["title"].startswith(path.stem[:2] + " ") and about["title"] in done.stdout
        assert about["question"].endswith("?") and len(about["question"]) > 40
        assert not re.search(r"[#*`\n]|  ", about["question"])


def test_run_collects_one_page_and_says_what_failed(lessons, tmp_path, capsys):
    out = tmp_path / "results"
    out.mkdir()
    flags = ["--quick", "--seed", "5", "--out", str(out)]
    assert command.main(["run", "7", "03", *flags], lessons) == 1
    said = capsys.readouterr()
    assert re.search(
        r"1 of 2\] 07_fails \.\.\. FAILED.*2 of 2\] 03_works \.\.\. done", said.out, re.S
    )
    assert "ValueError: no <luck>" in said.err
    assert sorted(p.name for p in out.iterdir()) == ["03_works.json", "03_works.png", "index.html"]

    text = (out / "index.html").read_text(encoding="utf-8")
    seen = Page(text)
    assert seen.open == [] and seen.ids == ["07_fails", "03_works"]
    for load in seen.loads:
        assert load.startswith("data:image/webp;base64,") or load[1:] in seen.ids, load
    assert "http" not in text and "url(" not in text and "@import" not in text
    (image,) = seen.images
    assert image["alt"].startswith('Figure of lesson 03: 1 < "2".')
    assert "a &lt;b&gt; &amp; c --quick --seed 5" in text and "not this again" not in text
    assert "Is this one's output on the page?" in text.replace("&#x27;", "'")
    assert "FAILED with status 1" in text and "no &lt;luck&gt;" in text
    assert "1 of 3 hold, 1 undecided" in text and "0.200 to 1.700" in text
    for verdict in page.VERDICT.values():
        assert f"<td>{verdict}</td>" in text
    assert len(text) < 300_000


def test_run_all_ends_well_if_all_do(lessons, tmp_path, capsys):
    (lessons / "07_fails.py").unlink()
    assert command.main(["run", "all", "--out", str(tmp_path)], lessons) == 0
    assert "1 done, 0 failed" in capsys.readouterr().out
    assert "all settings at their defaults" in (tmp_path / "index.html").read_text()


def test_a_lesson_that_saves_nothing_has_failed(lessons, tmp_path):
    (lessons / "03_works.py").write_text("print('nothing')")
    (tmp_path / "out").mkdir()
    assert command.main(["run", "3", "--out", str(tmp_path / "out")], lessons) == 1
    assert "no results of 03_works" in (tmp_path / "out" / "index.html").read_text()


def test_gallery_has_small_pictures_and_their_numbers(lessons, tmp_path, capsys):
    assert command.main(["gallery", "--out", str(tmp_path)], lessons) == 2
    assert capsys.readouterr().err.count("\n") == 1 and not (lessons / "gallery").exists()
    (lessons / "07_fails.py").unlink()
    command.main(["run", "all", "--out", str(tmp_path)], lessons)
    assert command.main(["gallery", "--out", str(tmp_path)], lessons) == 0
    picture, text = (lessons / "gallery" / name for name in ("03_works.webp", "README.md"))
    with Image.open(picture) as image:
        assert image.size == (800, 246)
    text = text.read_text(encoding="utf-8")
    assert '![Figure of lesson 03: 1 < "2". Its numbers are in the tables.](03_works.webp)' in text
    assert "| one / two | 1.000 | none | 1 |" in text and "✗ does NOT hold |" in text


def test_pictures_shrink_to_the_limit():
    noise = np.random.default_rng(2).integers(0, 255, (300, 1000, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file := io.BytesIO(), "PNG")
    good, worse = (command.smaller(file.getvalue(), 800, limit) for limit in (10**9, 120_000))
    assert len(worse) <= 120_000 < len(good)
    assert Image.open(io.BytesIO(worse)).size == (800, 240)


@pytest.mark.parametrize(
    "words, said",
    [
        ("run 4", "no lesson '4': there are 03_works, 07_fails"),
        ("run", "required: LESSON"),
        ("run 3 --seed -1", "--seed: must be a whole number of at least 0"),
        ("run 3 --fast", "unrecognized arguments: --fast"),
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
    assert status == 2 and said in shown.err and shown.err.count("\n") == 1 and shown.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["lessons"]


def test_no_lessons_beside_the_package(tmp_path, capsys):
    assert command.main([], tmp_path) == 2
    assert "they are in the repository" in capsys.readouterr().err


def test_notebooks_run_from_end_to_end(tmp_path, monkeypatch, capsys):
    pytest.importorskip("jupytext")
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    made = tmp_path / "notebooks"
    assert command.main(["notebooks", "--out", str(made)]) == 0
    names = [path.stem for path in command.find_lessons(command.LESSONS)]
    assert sorted(path.stem for path in made.iterdir()) == names

    notebook = nbformat.read(made / "02_hidden_channel.ipynb", as_version=4)
    first = "import sys\nsys.argv = ['02_hidden_channel.py', '--quick', '--seed', '1']"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(first))  # small numbers; the rest as made
    monkeypatch.setenv("PYTHONPATH", str(Path(command.__file__).parents[1]))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a kernel shows figures by its own
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    saved = json.loads((tmp_path / "results" / "02_hidden_channel.json").read_text())
    assert saved["settings"]["seed"] == 1 and saved["finding"]
    shown = [o.data for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    assert any("image/png" in data for data in shown)  # the figure, in the notebook too


def test_notebooks_without_jupytext_are_one_line(lessons, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jupytext", None)
    assert command.main(["notebooks", "--out", str(tmp_path)], lessons) == 2
    assert 'pip install -e ".[notebook]"' in capsys.readouterr().err
