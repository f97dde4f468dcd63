"""`python -m sublim_mini`, by a folder of three lessons of a few lines, one of which fails."""

import filecmp
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib

import pytest

from sublim_mini.course import command, pages

LESSON = """# %% [markdown]
# # {number} A trial: does it run?
#
# **Question.** Is *this* one's
# `output` on the page?

# %%
import shutil, sys
print("a <b>", *sys.argv[1:])
assert {works}, "no <luck>"

# %% [markdown]
# ## The result

# %%
for ending in "json", "png":  # the results of another run
    shutil.copy(sys.path[0] + "/saved." + ending, "{name}." + ending)

# %% [markdown]
# ## What this shows
# Nothing, as $x < 1$.
"""
ROW = {"mean": 1.0, "low": 0.9, "high": 1.1}
TABLES = {"T": {"one | two": ROW}, "U": {"other": ROW | {"mean": 3.0}}}
CLAIM = {"text": "1 < 2 | $a_b$", "kind": "above", "effect": 1.0, "margin": 0.5, "n": 8}
CLAIMS = [
    CLAIM | {"low": 0.7, "high": 1.2, "verdict": "holds"},
    CLAIM | {"low": 0.2, "high": 0.4, "verdict": "refuted"},
    CLAIM | {"low": None, "high": None, "verdict": "undecided"},
]
PRINTED = """03_works  seed=5
```
Your prediction of the share, other: none (add --predict 0.3)

Claims, decided by 99 % intervals:
  HOLDS: 1 < 2
      of a text

A record.

By bad luck a true claim can fail: 1 in 200 errs.
"""
RESULTS = {"seconds": 3, "settings": {"seed": 5, "n_aux": 8}, "printed": PRINTED}
RESULTS |= {"conditions": TABLES["T"], "tables": TABLES, "figure": {"alt": '1 < "2"'}}
RESULTS |= {"claims": CLAIMS, "checks": [CLAIMS[0] | {"kind": "within"}]}
SAVED = ["03_works.json", "03_works.png"]


@pytest.fixture
def lessons(tmp_path):
    (tmp_path / "lessons" / "further").mkdir(parents=True)
    for path in "03_works", "07_fails", "further/21_more":
        script = tmp_path / "lessons" / f"{path}.py"
        works, number = script.stem != "07_fails", script.stem[:2]
        script.write_text(LESSON.format(number=number, name=script.stem, works=works))
        script.with_name("saved.json").write_text(json.dumps(RESULTS))
        script.with_name("saved.png").write_bytes(b"\x89PNG")
    return tmp_path / "lessons"


@pytest.fixture
def gallery(lessons):
    """The gallery of lessons 03 and 21, their results there and no page yet."""
    (lessons / "gallery" / "mnist").mkdir(parents=True)
    for name in "03_works", "21_more", "mnist/03_works":
        shutil.copy(lessons / "saved.json", lessons / "gallery" / f"{name}.json")
    return lessons / "gallery"


def start(words, folder, **options):
    """The command in a process of its own, on the lessons of a folder; status 9 if it has JAX."""
    code = f"import sys, sublim_mini.course.command as m, pathlib as p; f = p.Path({str(folder)!r})"
    code += f"\nstatus = m.main({words!r}, f); sys.exit(9 if 'jax' in sys.modules else status)"
    if options.get("start_new_session"):  # in the background SIGINT would be ignored
        code = f"import signal; signal.signal(2, signal.default_int_handler); {code}"
    env = {**os.environ, "PYTHONPATH": str(command.LESSONS.parent), "PYTHONOPTIMIZE": "2"}
    env["PYTHONUNBUFFERED"] = ""  # as a reader's: what cannot be printed waits in a buffer
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], env=env, text=True, **pipes, **options)


def test_the_list_has_every_lesson_without_jax_and_docstrings(lessons):
    process = start([], lessons)
    about = "A trial: does it run?\n    Is this one's output on the page?\n"
    listed = f"03 {about}07 {about}\nFurther lessons\n\n21 {about}"
    assert process.communicate() == (listed, "") and process.returncode == 0


def test_lessons_are_chosen_by_number_or_name(lessons):
    for names in "3 03 03_works: 03", "21 7: 21 07", "all 3: 03 07 21", "further: 21":
        names, found = names.split(":")
        chosen = command.choose(names.split(), command.find_lessons(lessons))
        assert [path.stem[:2] for path in chosen] == found.split()


def test_run_collects_one_page_and_says_what_failed(lessons, tmp_path, capsys):
    one_page = '# # 00 All on one page\nopen("00_one_page.png", "w")'  # no JSON
    (lessons / "00_one_page.py").write_text(one_page)
    out = tmp_path / "results"
    asked = ["run", "7", "--quick", "0", "03", "--seed", "5", "--out", str(out)]
    assert command.main(asked, lessons) == 1
    said = capsys.readouterr().out
    assert re.search(r"1 of 3\] 07_fails \.\.\. FAILED.*3\] 03_works \.\.\. done", said, re.S)
    assert "AssertionError: no <luck>" in said and "2 done, 1 failed" in said
    assert sorted(os.listdir(out)) == ["00_one_page.png", *SAVED, "index.html"]
    text = (out / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h2 id="(.*?)"', text) == ["07_fails", "00_one_page", "03_works"]
    loads = {load[:11] for load in re.findall(r'(?:src|href)="(.*?)"', text)}
    assert loads == {"#07_fails", "#00_one_pag", "#03_works", "data:image/"}
    assert re.findall(r'<img alt="(.*?)"', text)[1:] == ["1 &lt; &quot;2&quot;"]
    assert "a &lt;b&gt; --out . --quick --seed 5</pre>" in text and "no &lt;luck&gt;" in text
    assert "Run with --quick --seed 5." in text
    for ending in "FAILED with status 1", "no claims", "1 of 3 claims hold, 1 refuted, 1 undecided":
        assert f"</a>: {ending}, " in text
    (lessons / "03_works.py").write_text("exit(3)")
    assert command.main(["run", "3", "--out", str(out)], lessons) == 1
    text = (out / "index.html").read_text(encoding="utf-8")
    assert "FAILED with status 3" in text and "<img" not in text and SAVED[0] in os.listdir(out)


def test_a_check_that_does_not_hold_is_shown_but_not_counted():
    verdicts = {"claims": ["holds"] * 2, "checks": ["holds", "refuted", "undecided"]}
    results = {kind: [{"verdict": v} for v in found] for kind, found in verdicts.items()}
    said = "2 of 2 claims hold; 1 of 3 checks hold, 1 refuted, 1 undecided"
    assert pages.ending({"results": results}) == said
    assert pages.ending({"results": {"claims": [], "checks": results["checks"][:1]}}) == "no claims"


def test_a_gallery_page_has_the_prose_and_then_the_results(gallery, lessons):
    (gallery / "03_works.earlier.md").write_text("Seed 3: claim 1 failed.\n")
    assert command.main(["gallery"], lessons) == 0
    claim = r"1 \< 2 \| $a\_b$. *Measured* 1.000 "
    claims = f"* **✓ holds:** {claim}(0.700 to 1.200), *needed* above 0.5.\n"
    claims += f"* **✗ refuted:** {claim}(0.200 to 0.400), *needed* above 0.5.\n"
    claims += f"* **? undecided:** {claim}(no interval), *needed* above 0.5.\n"
    order = ["# 03 A trial: does it run?\n", "**Question.** Is *this*", "(../03_works.py)"]
    order += ["## The result\n\n````text\n```\n\nA record.\n````", '![1 \\< "2"](03_works.png)']
    order += ["**Claims**", claims, "**Checks**", "within ±0.5.\n", "`seed=5, n_aux=8`"]
    order += ["lesson, 000005.", "(03_works.json)", "## What this shows\nNothing, as $x < 1$.\n"]
    order += ["## Your own run", "| T | mean |", "| one \\| two | 1.000 | 0.859 to 1.141 |"]
    order += ["## The same on real MNIST", "| one \\| two | 1.000 | 0.900 to 1.100 |", claims]
    order += ["runs\n\nSeed 3: claim 1 failed.\n", "[All lessons](README.md)"]
    text, at = (gallery / "03_works.md").read_text(encoding="utf-8"), 0
    for part in order:
        at = text.index(part, at) + len(part)
    assert "import" not in text
    assert "(../further/21_more.py)" in (gallery / "21_more.md").read_text(encoding="utf-8")


def test_the_gallerys_index_has_figures_and_main_numbers(gallery, lessons):
    """The number is that of the row that the lesson asks to predict, or of its first row.

    Two means vary by sqrt(2) as much as one, so the range of another run is so much wider.
    """
    asked = RESULTS | {"printed": "", "conditions": {}}
    (gallery / "21_more.json").write_text(json.dumps(asked))
    assert command.main(["gallery"], lessons) == 0
    index = (gallery / "README.md").read_text(encoding="utf-8")
    line = '| [<img src="{0}.png" width="180" alt="figure of lesson {1}">]({0}.md) | [{1} A trial: '
    line += "does it run?]({0}.md)<br>1 of 3 claims hold, 1 refuted, 1 undecided |\n"
    works, more = line.format("03_works", "03"), line.format("21_more", "21")
    assert re.search(f"{re.escape(works)}\n## Further lessons\n.*{re.escape(more)}", index, re.S)
    assert index.endswith(
        "| [03](03_works.md) | share: *other* | 3.00 | 0.86 to 1.14 |\n"
        "| [21](21_more.md) | T: *one \\| two* | 1.00 | 0.86 to 1.14 |\n"
    )


def test_the_committed_gallery_is_made_of_the_lessons_as_they_are(tmp_path):
    """If not: python -m sublim_mini gallery."""
    lessons = shutil.copytree(command.LESSONS, tmp_path / "lessons")
    assert command.main(["gallery"], lessons) == 0
    names = [path.name for path in (lessons / "gallery").glob("*.md")]
    folders = lessons / "gallery", command.LESSONS / "gallery"
    assert filecmp.cmpfiles(*folders, names, shallow=False)[1:] == ([], [])


@pytest.mark.parametrize("place", [".", "mnist"])
def test_broken_results_are_one_line_and_replace_nothing(place, gallery, lessons, capsys):
    (gallery / place / "21_more.json").write_text("{")  # lesson 03 is fine, and would be first
    before = sorted(gallery.rglob("*"))
    assert command.main(["gallery"], lessons) == 2
    said = capsys.readouterr()
    assert "cannot read the results of 21_more" in said.err and said.err.count("\n") == 1
    assert said.out == "" and sorted(gallery.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("sent, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_one_line_and_keeps_the_page(sent, status, lessons, tmp_path):
    (lessons / "07_fails.py").write_text("import time\nopen('begun', 'w')\ntime.sleep(60)")
    out = tmp_path / "out"
    process = start(["run", "all", "--out", str(out)], lessons, start_new_session=True)
    while not (out / "begun").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
    _, err = process.communicate(timeout=20)
    assert process.returncode == status and err.count("\n") == 1 and "interrupted" in err
    assert sorted(os.listdir(out)) == [*SAVED, "begun", "index.html"]
    assert "2 to come" in (out / "index.html").read_text()


def test_a_closed_pipe_does_not_end_the_run(lessons, tmp_path):
    process = start(["run", "3", "--out", str(tmp_path / "out")], lessons)
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == "" and process.wait() == 0
    assert (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize(
    "words, said",
    [
        ("run 4", "no lesson '4': there are 03_works, 07_fails, 21_more"),
        ("run", "needs lessons"),
        ("gallery 3", "needs lessons"),
        ("gallery", "no results in"),
        ("run 3 --seed -1", "must be a whole number from 0"),
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
