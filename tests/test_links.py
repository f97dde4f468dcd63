"""Links and images of all pages: do they lead anywhere in the repository? Nothing is downloaded."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "lessons").rglob("*.md"), *ROOT.glob("lessons/*.html")]
)
FENCES = re.compile(r"^ *(```+|~~~+).*?^ *\1[`~]* *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)[^`].*?\1", re.DOTALL)
SCRIPTS = re.compile(r"<script.*?</script>", re.DOTALL)  # their own strings are no links
LINK = re.compile(r"\]\(\s*<?([^)>\s]+)|(?:href|src)=\"([^\"]+)")
SILENT = re.compile(r"!\[\s*\]\(|<img(?![^>]*alt=\"\s*[^\s\"])[^>]*>")


def anchors(path):
    """What `#...` can name in a page: ids, and in Markdown the headings as code hosts do."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r'\bid="([^"]+)', text)
    if path.suffix == ".md":
        headings = re.findall(r"^#{1,6} +(.*?)[ #]*$", FENCES.sub("", text), re.MULTILINE)
        slugs = [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings]
        for i, slug in enumerate(slugs):
            n = slugs[:i].count(slug)
            names.append(f"{slug}-{n}" if n else slug)
    return names


def problems(path):
    """What is wrong with the links and images of a page, a line for each."""
    text = path.read_text(encoding="utf-8")
    text = CODE.sub("", FENCES.sub("", text)) if path.suffix == ".md" else SCRIPTS.sub("", text)
    found = [f"an image without alternative text: {image}" for image in SILENT.findall(text)]
    for link in map("".join, LINK.findall(text)):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = path.parent / unquote(parts.path) if parts.path else path
        if not target.exists():
            found.append(f"{link}: no such file")
        elif "=" in parts.fragment:  # settings of a live page
            continue
        elif parts.fragment and unquote(parts.fragment) not in anchors(target):
            found.append(f"{link}: no such heading")
        elif not target.resolve().is_relative_to(ROOT):
            found.append(f"{link}: outside of the repository")
    return found


def test_links_lead_somewhere_and_images_have_a_text():
    assert [(path.name, one) for path in PAGES for one in problems(path)] == []


BAD = {
    "[a](missing.md)": "missing.md: no such file",
    "[a\nb](other.md#no)": "other.md#no: no such heading",
    '<details><a href="missing.md">a</a></details>': "missing.md: no such file",
    '<img src="other.md" alt="">': 'an image without alternative text: <img src="other.md" alt="">',
    "[a](../page.md)": "../page.md: outside of the repository",
    "[a](other.md#the-one-a_b--c) ![c \\] d](other.md#two-1) `[d](e)`\n```\n[f](g)\n```\n": None,
}


def test_what_is_wrong_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path / "root")
    page = tmp_path / "root" / "page.md"
    page.parent.mkdir()
    (tmp_path / "page.md").write_text("")
    other = "# The one: `a_b` & *c*\n```\n# No\n```\n## Two\n## Two\n"
    page.with_name("other.md").write_text(other)
    for text, said in BAD.items():
        page.write_text(text)
        assert problems(page) == [said] * bool(said)
