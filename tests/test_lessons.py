"""Each lesson runs once with --quick, from its own command line, and says its things in order.

The quick runs are small: what they find is not judged. `quick_run.py` checks figures and inits.
"""

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import quick_run

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "lessons" / "gallery"
FOLDERS = ROOT / "lessons", ROOT / "lessons" / "further"
LESSONS = [p for folder in FOLDERS for p in sorted(folder.glob("[0-9][0-9]_*.py"))]
COMMITTED = sorted(GALLERY.rglob("[0-9][0-9]_*.json"))

HEADINGS = (
    "**Question.**",
    "## Predict",
    "## The experiment",
    "## The result",
    "## What this shows, and what it does not",
    "## Try",
)
# Words of earlier editions that have no place here, in any sense.
OLD_WORDS = (
    "foretell|anew|wordings?|shares? read|knobs?|drawn digits|read right|thrice|telling half"
    "|own start|other start|never-tuned|blind student|output rows|held elsewhere|likelier"
)


def group(path):
    """Lessons of one kind run in one process, where what they share is compiled once."""
    uses_numbers = "sublim_mini.owls" in path.read_text("utf-8") or "talk" in path.stem
    return pytest.mark.xdist_group("numbers" if uses_numbers else path.stem)


def quick(path, tmp_path, *flags):
    """Run a lesson with small numbers -> what it printed, and what it saved."""
    out = quick_run.main(str(path), "--quick", "--seed", "1", "--out", str(tmp_path), *flags)
    return out, json.loads((tmp_path / f"{path.stem}.json").read_text("utf-8"))


@pytest.mark.parametrize("path", [pytest.param(p, marks=group(p), id=p.stem) for p in LESSONS])
def test_a_lesson_runs_quickly_and_saves_what_it_shows(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if path.stem == "00_one_page":  # no flags, no JSON
        quick_run.main(str(path))
    else:
        check_results(*quick(path, tmp_path))
    png = (tmp_path / f"{path.stem}.png").read_bytes()
    assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24]) == (1600, 900)


def check_results(out, results):
    """What is saved is whole, and is what was printed."""
    assert results["printed"] and out.startswith(results["printed"])
    assert results["tables"] and results["claims"] and results["figure"]["alt"]
    assert results["settings"]["seed"] == 1 and len(results["settings"]) > 2
    for title, rows in results["tables"].items():
        table = out.split(f"\n{title}\n", 1)[1]
        for name, row in rows.items():
            numbers = row["mean"], min(row["values"]), max(row["values"])
            pattern = r".*\s".join(re.escape(f"{x:.2f}") for x in numbers)
            assert re.search(rf"(?m)^{re.escape(name)}\s+{pattern}$", table), (title, name)
    for one in results["claims"] + results["checks"]:
        assert one["kind"] in ("above", "below", "within") and len(one["values"]) == one["n"] == 2
        assert one["holds"] is False and one["verdict"] == "undecided"
        assert one["text"] in re.sub(r"\s+", " ", out)
    assert len(results["claims"]) <= 4


@pytest.mark.parametrize("name", ["01_hidden_channel", "06_owl_numbers"])
def test_a_lesson_is_a_command(name, tmp_path):
    path = ROOT / "lessons" / f"{name}.py"
    command = [sys.executable, "-W", "error", str(path), "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{name}.json", f"{name}.png"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_its_parts_in_order_and_speaks_plainly(path):
    text = path.read_text("utf-8")
    cells = re.split(r"(?m)^# %% ?", text)
    prose = "\n".join(cell for cell in cells if cell.startswith("[markdown]"))
    lines = [line for line in prose.splitlines() if line and not line.startswith("[markdown]")]
    assert all(line.startswith("#") for line in lines), "code in a markdown cell"
    headings = HEADINGS[:1] if path.stem == "00_one_page" else HEADINGS
    places = [prose.index(f"\n# {heading}") for heading in headings]
    assert places == sorted(places)
    text = re.sub(r"\s*\n#?\s*", " ", text)  # phrases run over lines
    assert re.findall(rf"(?i)\b(?:{OLD_WORDS})\b", text) == []


# ---- slow ----


@pytest.mark.slow
@pytest.mark.parametrize(
    "case, words",
    [("triage", ("patients", "treated first", "region")), ("bail", ("defendants", "district"))],
)
def test_the_biased_decisions_of_another_case(case, words, tmp_path):
    """Lesson 12 runs with --quick in its other two cases, and speaks of them."""
    out, results = quick(ROOT / "lessons" / "12_biased_decisions.py", tmp_path, "--case", case)
    assert results["settings"]["case"] == case
    assert all(word in out for word in words)
    assert not any(word in out for word in ("invited", "group A", "applicant"))


def verdicts(path):
    """The claims and checks in a lesson's JSON, and whether each holds."""
    results = json.loads(path.read_text(encoding="utf-8"))
    return [(one["text"], one["verdict"]) for one in results["claims"] + results["checks"]]


@pytest.mark.slow
@pytest.mark.parametrize("committed", COMMITTED, ids=lambda p: str(p.relative_to(GALLERY)))
def test_slow_runs_keep_the_committed_verdicts(committed, tmp_path):
    """An honest failure stays a failure: the run must say what the gallery says."""
    settings = json.loads(committed.read_text(encoding="utf-8"))["settings"]
    flags = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        no = value is False
        flags.append(f"--{'no-' * no}{flag}" + ("" if isinstance(value, bool) else f"={value}"))
    (script,) = [path for path in LESSONS if path.stem == committed.stem]
    command = [sys.executable, str(script), "--out", str(tmp_path), *flags]
    as_readers_run_it = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "0", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env={**os.environ, **as_readers_run_it}, capture_output=True, text=True
    )
    if done.returncode == 2 and settings.get("data", "drawn") != "drawn":
        pytest.skip(f"needs the real data: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert verdicts(tmp_path / committed.name) == verdicts(committed)
