"""The slides and the two drawings: numbers as in the gallery, figures that are there, colors."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sublim_mini.course.plots import PALETTE

LESSONS = Path(__file__).parents[1] / "lessons"
SLIDES = (LESSONS / "slides.html").read_text(encoding="utf-8")
SECTIONS = re.findall(r"<section (.*?)</section>", SLIDES, re.DOTALL)
NAMES = [re.search(r'id="(.+?)"', slide)[1] for slide in SECTIONS]


def means(n):
    """What lesson n printed in the gallery's run, without the intervals and the single seeds."""
    (saved,) = LESSONS.glob(f"gallery/{n}_*.json")
    printed = json.loads(saved.read_text(encoding="utf-8"))["printed"]
    return re.findall(r"\d+\.\d+", re.sub(r" \S+ to +-?[\d.]+\b.*", "", printed)) + ["0.10"]


@pytest.mark.parametrize("slide", SECTIONS, ids=NAMES)
def test_a_slide_has_its_lessons_numbers_a_sentence_and_a_question(slide):
    words = re.sub(r"<svg.*?</svg>", "", slide, flags=re.DOTALL)
    lesson = re.search(r'data-lesson="(\d\d)"', slide)
    assert set(re.findall(r"\d+\.\d+", words)) <= {*(means(lesson[1]) if lesson else ())}
    assert re.search("<b>(20|50)</b>", slide)
    if 'id="title"' not in slide:
        assert "<b>Say:</b>" in slide and re.search("<b>(Ask|Discuss):</b>", slide)


def test_the_figures_are_of_the_lesson_that_the_slide_names():
    for slide in SECTIONS:
        for n in re.findall(r'src="gallery/(\d\d)_', slide):
            assert f'data-lesson="{n}"' in slide


@pytest.mark.parametrize("name", ["mechanism", "mechanism_numbers"])
def test_a_drawing_has_a_title_a_description_and_the_colors_of_the_figures(name):
    text = (LESSONS / "gallery" / f"{name}.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    for part in "title", "desc":
        found = root.find(f"{{http://www.w3.org/2000/svg}}{part}")
        assert found.text.strip() and found.get("id") in root.get("aria-labelledby")
    colors = {element.get(kind, "none") for element in root.iter() for kind in ("fill", "stroke")}
    assert colors <= {*PALETTE, "none"}
    assert '<path fill="#FFFFFF" d="M0 0h800v600h-800z"/>' in text  # white, on a dark page too
