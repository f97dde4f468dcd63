"""The pages for teaching: every lesson is in the guide, and all numbers are the gallery's."""

import json
import re
from pathlib import Path

import pytest

LESSONS = Path(__file__).parents[1] / "lessons"
README = (LESSONS.parent / "README.md").read_text(encoding="utf-8")
ONE_PAGE = "\n".join(line for line in README.splitlines() if "00_one_page.py`]" in line)
COURSE = "\n\n".join(line for line in README.splitlines() if "<summary>answer" in line)
PAGES = {"README.md, answers": COURSE} | {
    name: (LESSONS / name).read_text(encoding="utf-8")
    for name in ("README.md", "handout.html", "quiz.md", "quiz_answers.md", "ethics.md")
}
SHOWN = ["00", *sorted(path.stem[:2] for path in LESSONS.glob("gallery/[0-9]*.json"))]
CHANCE = {"0.10", "0.125", "0.12"}
LESSON = re.compile(r"(?<![\d.,:])(?:0\d|1[0-4]|2[0-6])(?![\d.:])")


def printed_by(n, mnist):
    """What lesson n printed in the runs of the gallery, their figures' titles and the margins."""
    if n == "00":  # it saves no results
        return ONE_PAGE
    printed = ""
    for folder in (LESSONS / "gallery", *[LESSONS / "gallery/mnist"] * mnist):
        for saved in folder.glob(f"{n}_*.json"):
            results = json.loads(saved.read_text(encoding="utf-8"))
            decided = results["claims"] + results.get("checks", [])
            margins = [f"{one['margin']:.2f}" for one in decided]
            printed += " ".join([results["printed"], results["figure"]["title"], *margins, ""])
    return printed


def wrong_numbers(page):
    """The decimals to which nothing rounds that was printed by a lesson named in their paragraph.

    A paragraph is also a row of a table, or a point of a list with those below it.
    """
    wrong = []
    page = re.sub(r"<(style|code)>.*?</\1>|```.*?```|`[^`]*`", " ", page, flags=re.DOTALL)
    for block in re.split(r"\n\s*\n|\n(?=\||\d\. |<tr>|<li>)", page):
        lessons = LESSON.findall(block)
        printed = " ".join(printed_by(n, "MNIST" in block) for n in lessons)
        shown = [float(number) for number in re.findall(r"\d+\.\d+", printed)]
        for number in sorted(set(re.findall(r"\d+\.\d+", block)) - CHANCE):
            places = len(number.split(".")[1])
            if number not in {f"{one:.{places}f}" for one in shown}:
                wrong.append((number, lessons))
    return wrong


@pytest.mark.parametrize("name", PAGES)
def test_its_numbers_are_those_of_the_gallery(name):
    assert wrong_numbers(PAGES[name]) == []


def test_a_wrong_number_is_found():
    assert wrong_numbers("**01 A.** 0.853, 0.84\nand 0.99.\n\n0.853\n| 05 | 0.646 |") == [
        ("0.99", ["01"]),
        ("0.853", []),
    ]


def test_every_lesson_is_in_the_guide():
    entries = re.findall(r"^\*\*(\d\d) (.*?)(?=^\*\*|^#)", PAGES["README.md"], re.M | re.S)
    rows = re.findall(r"^\| (\d\d) [A-Z].*$", PAGES["README.md"], re.M)
    assert [n for n, _ in entries] + rows == SHOWN
    for n, entry in entries:
        for part in "Goal", "Ask", "Likely answer", "Shown", "Beware":
            assert f"*{part}:*" in " ".join(entry.split()), (n, part)


def test_every_lesson_of_the_readme_has_an_answer_with_a_number():
    answers = re.findall(r"<summary>answer</summary>(.*?)</details>", COURSE)
    assert len(answers) == len(SHOWN)
    assert all(re.search(r"\d", re.sub("<a.*?</a>", "", answer)) for answer in answers)


def test_the_readme_counts_the_claims_of_the_gallery():
    saved = [json.loads(p.read_text("utf-8")) for p in LESSONS.glob("gallery/[0-9]*.json")]
    claims, checks = ([one["verdict"] for d in saved for one in d[k]] for k in ("claims", "checks"))
    counts = [len(claims), *map(claims.count, ("holds", "undecided")), len(checks)]
    found = re.search(r"Of (\d+) claims .*?(\d+) hold, (\d+) are .*? Of (\d+) checks", README, re.S)
    assert [int(n) for n in found.groups()] == counts


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_handout_prints_on_two_pages(chromium, paper):
    page = chromium.new_page()
    page.goto((LESSONS / "handout.html").as_uri())
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper))) == 2
    page.close()
