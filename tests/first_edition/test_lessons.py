"""Each lesson runs from its own command line, with strict arithmetic and keys.

The quick runs are small: what they find is not judged. `pytest -m slow` runs the claims.
"""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "lessons/first_edition").glob("[0-9][0-9]_*.py"))
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
