"""Links and images of the README, of the lessons' pages and of live.html: do they lead anywhere?

Only what is in the repository is looked up; nothing is downloaded.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *(ROOT / "lessons").rglob("*.md"), ROOT / "lessons" / "live.html"]
PAGES = sorted(p for p in PAGES if "first_edition" not in p.parts)
FENCE = re.compile(r"^ *(```+|~~~+).*?^ *\1[`~]* *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)[^`].*?\1", re.DOTALL)
IMAGE = re.compile(r"!\[((?:\\.|[^\]\\])*)\]\(")


class Html(HTMLParser):
    """The links, ids and images without alternative text of HTML, or of HTML in Markdown."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.silent = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [attrs[name] for name in ("href", "src") if attrs.get(name)]
        self.ids |= {attrs["id"]} if "id" in attrs else set()
        if tag == "img" and not (attrs.get("alt") or "").strip():
            self.silent.append(attrs.get("src"))


def anchors(path):
    """What `#...` can name in a page: ids, and in Markdown the headings as code hosts do."""
    text = path.read_text(encoding="utf-8")
    names = Html(text).ids
    if path.suffix == ".md":
        for heading in re.findall(r"^#{1,6} +(.*?)[ #]*$", FENCE.sub("", text), re.MULTILINE):
            name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            n = sum(
                re.fullmatch(rf"{re.escape(name)}(-\d+)?", other) is not None for other in names
            )
            names.add(f"{name}-{n}" if n else name)
    return names


def problems(path):
    """What is wrong with the links and images of a page, a line for each."""
    text = path.read_text(encoding="utf-8")
    text = CODE.sub("", FENCE.sub("", text)) if path.suffix == ".md" else text
    html = Html(text)
    found = [f"an image without alternative text: {src}" for src in html.silent]
    links = html.links
    if path.suffix == ".md":
        found += ["an image without alternative text"] * sum(
            not alt.strip() for alt in IMAGE.findall(text)
        )
        links = links + re.findall(r"\]\(\s*<?([^)>\s]+)", text)
    for link in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = path.parent / unquote(parts.path) if parts.path else path
        if not target.exists():
            found.append(f"{link}: no such file")
        elif parts.fragment and unquote(parts.fragment) not in anchors(target):
            found.append(f"{link}: no such heading")
        elif not target.resolve().is_relative_to(ROOT):
            found.append(f"{link}: outside of the repository")
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere_and_images_have_a_text(path):
    assert problems(path) == []


@pytest.mark.parametrize(
    "text, said",
    [
        ("[a](missing.md)", "missing.md: no such file"),
        ("[a\nb](other.md#no)", "other.md#no: no such heading"),
        ("[a](#no)", "#no: no such heading"),
        ('<details><a href="missing.md">a</a></details>', "missing.md: no such file"),
        ("![ ](other.md)", "an image without alternative text"),
        ("![a](missing.png)", "missing.png: no such file"),
        ('<img src="other.md" alt="">', "an image without alternative text: other.md"),
        ("[![](other.md)](other.md)", "an image without alternative text"),
    ],
)
def test_what_is_wrong_is_found(text, said, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# The one: `a_b` & *c*\n```\n# No\n```\n## Two\n## Two\n")
    page = tmp_path / "page.md"
    page.write_text(text)
    assert problems(page) == [said]
    good = "[a](other.md#the-one-a_b--c) [b](other.md#two-1) ![c \\] d](other.md) `[d](e)` "
    page.write_text(good + "[e](https://example.org/x#y)\n```text\n[f](g)\n```\n")
    assert problems(page) == []
    page.write_text("[a](../page.md)")
    (tmp_path.parent / "page.md").write_text("")
    assert problems(page) == ["../page.md: outside of the repository"]
