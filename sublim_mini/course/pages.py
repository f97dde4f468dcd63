"""What `python -m sublim_mini` writes: one HTML page of a run, and Markdown pages of the gallery.

A lesson here is a dict: name, title, question, `link` from the gallery, and `results` as saved;
after a run also its `status`, `seconds`, `output` and, if it did not fail, its `picture`.
"""

import base64
import re
from html import escape

BOUND = {"above": "above ", "below": "below ", "within": "within ±"}
VERDICT = {"holds": "✓ holds", "refuted": "✗ refuted", "undecided": "? undecided"}
OTHER_RUN = 2**0.5  # how much wider the range of another run's mean is, as both runs vary
STYLE = """
body { font: 1.2rem/1.5 sans-serif; max-width: 68rem; margin: auto; padding: 1rem }
h2 { border-top: 3px solid #0072b2; padding-top: 1rem; margin-top: 3rem }
img { width: 100%; height: auto }
pre { font-size: .95rem; line-height: 1.35; background: #f3f3f3; padding: .8rem; overflow: auto }
@media print { h2 { break-before: page } pre { white-space: pre-wrap } }
"""


def ending(lesson):
    """How a lesson ended, in a few words: how many claims hold, or that it failed."""
    if lesson.get("status"):
        return f"FAILED with status {lesson['status']}"
    parts = []
    for kind in "claims", "checks":
        verdicts = [one["verdict"] for one in lesson["results"][kind]]
        counts = [f"{verdicts.count('holds')} of {len(verdicts)} {kind} hold"]
        counts += [f"{verdicts.count(v)} {v}" for v in ("refuted", "undecided") if v in verdicts]
        if (verdicts and kind == "claims") or counts[1:]:  # a check that holds is no news
            parts.append(", ".join(counts))
    return "; ".join(parts) or "no claims"


def html_page(lessons, flags, left):
    """One page that needs no other file; `left` lessons are still to come."""
    items, sections = [], []
    for one in lessons:
        name, title, seconds = one["name"], escape(one["title"]), f"{one['seconds']:.0f} s"
        items += [f'<li><a href="#{name}">{title}</a>: {ending(one)}, {seconds}</li>']
        sections += [f'<h2 id="{name}">{title}</h2>', f"<p>{escape(one['question'])}</p>"]
        if "picture" in one:
            picture = base64.b64encode(one["picture"]).decode()
            alt = escape(one["results"]["figure"]["alt"])
            sections += [f'<img alt="{alt}" src="data:image/png;base64,{picture}">']
        sections += [f'<pre tabindex="0">{escape(one["output"].strip())}</pre>']
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Subliminal learning: the lessons</title>
<style>{STYLE}</style>
<h1>Subliminal learning: the lessons</h1>
<p>Run with {" ".join(flags) or "the default settings"}{f"; {left} to come" * bool(left)}.
A claim can fail in one run; a check must hold, and says why.</p>
<ul>
{chr(10).join(items)}
</ul>
{chr(10).join(sections)}
</html>
"""


def gallery_page(lesson):
    """A lesson's prose with the results of its display run, in Markdown.

    lesson  also has its `script` (text), the results of `others`, name -> results, which are those
            on "mnist" or of another case, and a text on `earlier` freezes and runs
    """
    name, results = lesson["name"], lesson["results"]
    cells = re.split(r"^# %%(.*)$", lesson["script"], flags=re.MULTILINE)[1:]
    prose = [
        re.sub(r"^# ?", "", text.strip("\n"), flags=re.MULTILINE).replace("](gallery/", "](")
        for kind, text in zip(cells[::2], cells[1::2], strict=True)
        if "[markdown]" in kind
    ]
    place = next((i for i, p in enumerate(prose, 1) if p.startswith("## The result")), len(prose))
    parts = [
        *prose[:1],
        f"The code is left out here: [`{name}.py`]({lesson['link']}).",
        *prose[1:place],
        _fenced(results["printed"]),
        f"![{_plain(results['figure']['alt'])}]({name}.png)",
        *_claims(results),
        f"One run, {results['seconds']:.0f} s; settings: {_settings(results)}. The seed is the "
        "start of the hash of the commit that froze the lesson, "
        f"{results['settings']['seed']:06x}. All its numbers: [`{name}.json`]({name}.json).",
        *prose[place:],
        "## Your own run",
        "Run the lesson with another seed, such as `--seed 100`. How far may your means lie from "
        "these? For each row, a run like this one lies in the range in 95 of 100 cases.",
        _means(results, "yours (95 % range)", OTHER_RUN),
    ]
    for other, results in lesson["others"].items():
        parts += [f"## The same {'on real MNIST' if other == 'mnist' else f'for {other}'}"]
        parts += [f"Settings: {_settings(results)}.", _means(results, "95 % interval")]
        parts += _claims(results)
    if lesson["earlier"]:
        parts += ["## Earlier freezes and runs", lesson["earlier"].strip()]
    return "\n\n".join([*parts, "[All lessons](README.md)"]) + "\n"


def gallery_index(lessons):
    """The gallery's pages by their figures, and each lesson's main number, in Markdown."""
    figures, numbers = [], []
    for one in lessons:
        number, page = one["name"][:2], f"{one['name']}.md"
        image = f'<img src="{one["name"]}.png" width="180" alt="figure of lesson {number}">'
        figures += [(f"[{image}]({page})", f"[{_plain(one['title'])}]({page})<br>{ending(one)}")]
        what, name, row = _main_number(one["results"])
        yours = _ends(row, OTHER_RUN, digits=2)
        what = f"{_plain(what)}: *{_plain(name)}*"
        numbers += [(f"[{number}]({page})", what, f"{row['mean']:.2f}", yours)]
    heads = "what&nbsp;a&nbsp;run&nbsp;shows", "lesson"  # unbroken, so as wide on a phone
    n = sum("further" not in one["link"] for one in lessons)
    parts = [
        "# Gallery: the lessons and what they show",
        "To read without running anything. Each page shows one run, whatever it says. By bad luck "
        "a true claim can fail: at worst in 1 run of 200.",
        _table(heads, figures[:n]),
        "## Further lessons",
        _table(heads, figures[n:]),
        "## Is my own number fine?",
        "A run with another seed differs. Here is the mean that each lesson asks you to predict, "
        "and the range in which that of a run of yours lies in 95 of 100 cases. (The range is a t "
        "interval: it does not know that a probability ends at 0 and 1.)",
        _table(("", "what", "shown", "yours"), numbers),
    ]
    return "\n\n".join(parts) + "\n"


def _main_number(results):
    """The row that a lesson asks to predict, or else its first: what it is of, its name, itself."""
    asked = re.search(r"^Your prediction of the (.+): ", results["printed"], re.MULTILINE)
    rows = [(title, *row) for title, rows in results["tables"].items() for row in rows.items()]
    for _, name, row in rows:
        if asked and asked[1].endswith(f", {name}"):
            return asked[1].removesuffix(f", {name}"), name, row
    return rows[0]


def _ends(row, wider=1, digits=3):
    """The ends of a row's interval, which is made `wider` about its mean, as text."""
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return "no interval"
    more = (wider - 1) * (high - low) / 2
    return f"{low - more:.{digits}f} to {high + more:.{digits}f}"


def _means(results, heading, wider=1):
    """A table of the rows of the figure: each mean, and its interval, made `wider`."""
    rows = [(_plain(name), f"{row['mean']:.3f}", _ends(row, wider))
            for name, row in results["conditions"].items()]  # fmt: skip
    return _table((_plain(next(iter(results["tables"]))), "mean", heading), rows)


def _claims(results):
    """The claims, and the checks, as lists: narrower than tables, for a phone."""
    for kind in "claims", "checks":
        lines = [
            f"* **{VERDICT[one['verdict']]}:** {_plain(one['text'])}. *Measured* "
            f"{one['effect']:.3f} ({_ends(one)}), *needed* {BOUND[one['kind']]}{one['margin']:g}."
            for one in results[kind]
        ]
        if lines:
            n = results[kind][0]["n"]
            yield "\n".join([f"**{kind.title()}**, by 99 % intervals (n = {n}):", "", *lines])


def _settings(results):
    return "`" + ", ".join(f"{name}={value}" for name, value in results["settings"].items()) + "`"


def _fenced(printed):
    """What a lesson printed, without what the page has elsewhere."""
    text = re.sub(r"\A\d\d_\w+  \w+=.*\n", "", printed)
    elsewhere = "Claims, decided by|Checks: these must|Your prediction of|A claim can|By bad luck"
    text = re.sub(rf"(?m)^({elsewhere}).*\n?", "", text)
    text = re.sub(r"(?m)^  (HOLDS|REFUTED|UNDECIDED).*\n(      .*\n?)*", "", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}text\n{text.strip()}\n{fence}"


def _table(heads, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def _plain(text):
    """Text that Markdown shows as it is, on one line."""
    text = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;")
