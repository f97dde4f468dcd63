"""Each lesson runs from its own command line, with strict arithmetic and keys.

The quick runs are small: what they find is not judged. `pytest -m slow` runs the claims.
"""

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.py"))
STRICT = {"JAX_DEBUG_KEY_REUSE": "1", "JAX_NUMPY_RANK_PROMOTION": "raise", "MPLBACKEND": "agg"}
lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def run(path, *flags, out, **env):
    command = [sys.executable, str(path), "--out", str(out), *flags]
    env = {**os.environ, "MPLBACKEND": "agg", "PYTHONUTF8": "1", **env}
    return subprocess.run(command, env=env, cwd=out, capture_output=True, text=True)


@lesson
def test_lesson_runs_quickly_and_saves_its_results(path, tmp_path):
    done = run(path, "--quick", out=tmp_path, **STRICT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    saved = json.loads((tmp_path / f"{path.stem}.json").read_text())
    assert saved["lesson"] == path.stem and saved["claims"] and saved["conditions"]
    for name, condition in saved["conditions"].items():
        assert name in done.stdout or name.split(":")[-1].strip() in done.stdout
        assert len(condition["values"]) >= 1
    for claim in saved["claims"]:
        assert claim["text"] in done.stdout
        assert claim["kind"] in ("greater", "less", "within", "exact")
        assert claim["unit"] in ("seed", "draw", "setting")
        assert claim["holds"] is None if claim["n"] < 3 else claim["holds"] in (True, False)
    png = (tmp_path / f"{path.stem}.png").read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG") and width >= 800 and height >= 400


@lesson
def test_lesson_is_told_as_all_are(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# %% [markdown]\n# # " + path.stem[:2])
    for part in ("**The question.**", "**You need**", "Reading: ", "Running: ", "MY_PREDICTION ="):
        assert part in text, part
    for part in ("What can be concluded", "rival explanation", "Changes to try"):
        assert part in text, part
    assert "input(" not in text and "lesson.finish(" in text
    for cell in text.split("# %% [markdown]\n")[1:]:  # no code in a cell of prose
        prose = cell.split("# %%\n")[0]
        assert all(line.startswith("#") or not line for line in prose.split("\n")), prose
    assert not re.search(r"(default_)?rng\(|random\.seed", text)


@lesson
def test_bad_input_writes_nothing(path, tmp_path):
    done = run(path, "--quick", "--seeds", "0", out=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "--seeds" in done.stderr
    assert done.stdout == "" and list(tmp_path.iterdir()) == []


@pytest.mark.slow
@lesson
def test_claims_hold_at_full_size(path, tmp_path):
    done = run(path, "--strict", out=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
