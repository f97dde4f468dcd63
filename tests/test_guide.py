"""The instructors' guide, lessons/README.md: it has every lesson, and the gallery's numbers."""

import json
import re
from pathlib import Path

import pytest

LESSONS = Path(__file__).parents[1] / "lessons"
GUIDE = (LESSONS / "README.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^\*\*(\d\d) (.*?)(?=^\*\*|^#)", GUIDE, re.MULTILINE | re.DOTALL))
README = (LESSONS.parent / "README.md").read_text(encoding="utf-8")
ANSWERS = dict(re.findall(r"^\| \[`?(\d\d)_.*<summary>answer</summary>(.*?)<(?:a|/)", README, re.M))
CHANCE = {"0.10", "0.125", "0.12"}


def wrong_numbers(entry, printed):
    """The decimals of an entry to which nothing that the lesson printed rounds."""
    shown = [float(number) for number in re.findall(r"\d+\.\d+", printed)]
    return {
        number
        for number in set(re.findall(r"\d+\.\d+", entry)) - CHANCE
        if number not in {f"{one:.{len(number.split('.')[1])}f}" for one in shown}
    }


def test_every_lesson_has_an_entry():
    lessons = sorted(path.stem[:2] for path in LESSONS.glob("**/[0-9][0-9]_*.py"))
    assert list(ENTRIES) == lessons
    for n, entry in ENTRIES.items():
        for part in "Goal", "Ask", "Likely answer", "Shown", "Beware":
            assert f"*{part}:*" in " ".join(entry.split()), (n, part)
    assert "??" not in GUIDE and "@@" not in GUIDE


def printed_by(n, entry):
    """What lesson n printed in the runs of the gallery, their figures' titles and the margins."""
    folders = [LESSONS / "gallery", *[LESSONS / "gallery/mnist"] * ("MNIST" in entry)]
    printed = ""
    for folder in folders:
        (saved,) = folder.glob(f"{n}_*.json")
        results = json.loads(saved.read_text(encoding="utf-8"))
        decided = results["claims"] + results.get("checks", [])
        margins = [f"{one['margin']:.2f}" for one in decided]
        printed += " ".join([results["printed"], results["figure"]["title"], *margins, ""])
    return printed


@pytest.mark.parametrize("n", ENTRIES)
def test_its_numbers_are_those_of_the_gallery(n):
    printed = ANSWERS[n] if n == "00" else printed_by(n, ENTRIES[n])
    assert wrong_numbers(ENTRIES[n], printed) == set()
    assert wrong_numbers(ENTRIES[n] + " 0.9876", printed) == {"0.9876"}


@pytest.mark.parametrize("n", ENTRIES)
def test_the_answers_of_the_readme_are_those_of_the_gallery(n):
    if n != "00":  # it saves no results
        assert wrong_numbers(ANSWERS[n], printed_by(n, ANSWERS[n])) == set()
    assert re.search(r"\d", ANSWERS[n])
