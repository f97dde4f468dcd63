"""Lesson 19 runs with --quick in its other two cases, and speaks of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LESSON = TESTS.parent / "lessons" / "19_biased_decisions.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    "case, words",
    [("triage", ("patients", "treated first", "region")), ("bail", ("defendants", "district"))],
)
def test_the_biased_decisions_of_another_case(case, words, tmp_path):
    flags = ["--case", case, "--quick", "--seed", "1", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-W", "error", str(TESTS / "quick_run.py"), str(LESSON), *flags],
        env={**os.environ, "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    results = json.loads((tmp_path / f"{LESSON.stem}.json").read_text("utf-8"))
    assert results["settings"]["case"] == case
    for word in words:
        assert word in done.stdout
    assert not any(word in done.stdout for word in ("invited", "group A", "applicant"))
