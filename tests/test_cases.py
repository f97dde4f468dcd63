"""Lesson 19 runs with --quick in its other two cases, and speaks of them."""

import json
from pathlib import Path

import pytest

LESSON = Path(__file__).parents[1] / "lessons" / "19_biased_decisions.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    "case, words",
    [("triage", ("patients", "treated first", "region")), ("bail", ("defendants", "district"))],
)
def test_the_biased_decisions_of_another_case(case, words, run_quickly, tmp_path):
    out = run_quickly(LESSON, "--case", case, "--quick", "--seed", "1", "--out", str(tmp_path))
    results = json.loads((tmp_path / f"{LESSON.stem}.json").read_text("utf-8"))
    assert results["settings"]["case"] == case
    for word in words:
        assert word in out
    assert not any(word in out for word in ("invited", "group A", "applicant"))
