"""The instructors' guide, lessons/README.md: it has every lesson, and the gallery's numbers."""

import json
import re
from pathlib import Path

import pytest

LESSONS = Path(__file__).parents[1] / "lessons"
GUIDE = (LESSONS / "README.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^\*\*(\d\d) (.*?)(?=^\*\*|^#)", GUIDE, re.MULTILINE | re.DOTALL))
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
    assert list(ENTRIES) == [f"{n:02d}" for n in range(25)]
    for n, entry in ENTRIES.items():
        for part in "Goal", "Ask", "Likely answer", "Beware":
            assert f"*{part}:*" in " ".join(entry.split()), (n, part)
    for path in LESSONS.glob("[0-9][0-9]_*.py"):
        assert "*Shown:*" in ENTRIES[path.stem[:2]], path.stem


@pytest.mark.parametrize("n", ENTRIES)
def test_its_numbers_are_those_of_the_gallery(n):
    saved = list((LESSONS / "gallery").glob(f"{n}_*.json"))
    printed = ""
    if n == "00":  # its numbers stand in the README
        readme = (LESSONS.parent / "README.md").read_text(encoding="utf-8")
        printed = re.search(r"^\| \[`00_one_page.py`.*$", readme, re.MULTILINE)[0]
    elif saved:
        results = json.loads(saved[0].read_text(encoding="utf-8"))
        margins = [f"{claim['margin']:.2f}" for claim in results["claims"]]
        printed = " ".join([results["printed"], results["figure"]["title"], *margins])
    assert wrong_numbers(ENTRIES[n], printed) == set()
    assert wrong_numbers(ENTRIES[n] + " 0.987", printed) == {"0.987"}
