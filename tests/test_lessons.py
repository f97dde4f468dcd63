"""The lessons themselves, by their own command lines."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "lessons" / "gallery"


# ---- slow runs keep the committed verdicts ----

COMMITTED = [p for p in sorted(GALLERY.glob("[0-9][0-9]_*.json")) if not p.stem.startswith("00_")]


def verdicts(path):
    """The claims in a lesson's JSON, and whether each holds."""
    claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
    return [(claim["text"], claim["holds"]) for claim in claims]


@pytest.mark.slow
@pytest.mark.parametrize("committed", COMMITTED, ids=lambda path: path.stem)
def test_slow_runs_keep_the_committed_verdicts(committed, tmp_path):
    """An honest failure stays a failure: the run must say what the gallery says."""
    settings = json.loads(committed.read_text(encoding="utf-8"))["settings"]
    flags = [f"--{k.replace('_', '-')}={v}" for k, v in settings.items() if v is not None]
    script = ROOT / "lessons" / f"{committed.stem}.py"
    command = [sys.executable, str(script), "--out", str(tmp_path), *flags]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert verdicts(tmp_path / committed.name) == verdicts(committed)
