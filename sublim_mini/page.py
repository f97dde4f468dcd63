"""What `python -m sublim_mini` writes: a page to project, and a gallery to read.

A lesson here is a dict: name, title and question, its results and picture; after a run also its
status, the seconds it took, and what it printed and complained of.
"""

import base64
from html import escape

VERDICT = {True: "✓ holds", False: "✗ does NOT hold", None: "? undecided"}
BOUND = {"greater": "above", "less": "below", "within": "within ±", "exact": "exactly"}
CLAIMS = "claim", "measured", "99 % interval", "to be", "verdict"
STYLE = """
body { font: 1.2rem/1.5 sans-serif; color: #111; background: #fff; max-width: 68rem;
       margin: auto; padding: 1rem }
h1, h2 { line-height: 1.2 }
h2 { border-top: 3px solid #0072b2; padding-top: 1rem; margin-top: 3rem }
img { width: 100%; height: auto }
pre { font-size: .95rem; line-height: 1.35; background: #f3f3f3; padding: .8rem; overflow: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem;
         border-bottom: 1px solid #999 }
@media (min-width: 45rem) { td:last-child { white-space: nowrap } }
@media print { h2 { break-before: page } pre { white-space: pre-wrap } }
"""


def page(lessons, flags, left, smaller):
    """One HTML page that needs no other file; `smaller` is applied to each picture."""
    rows = [
        (f'<a href="#{m["name"]}">{escape(m["title"])}</a>', f"{m['seconds']:.0f} s", _ending(m))
        for m in lessons
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Subliminal learning: the lessons</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Subliminal learning: the lessons</h1>
<p>Run with {" ".join(flags) or "all settings at their defaults"}{f"; {left} to come" * bool(left)}.
Claims are decided by 99 % intervals over the seeds of the run; fewer than three decide nothing.</p>
{_table(("lesson", "time", "claims"), rows)}
{"".join(_section(m, smaller) for m in lessons)}</body>
</html>
"""


def _ending(lesson):
    if lesson["status"]:
        return f"FAILED with status {lesson['status']}"
    verdicts = [claim["holds"] for claim in lesson["results"]["claims"]]
    undecided = f", {verdicts.count(None)} undecided" if None in verdicts else ""
    return f"{verdicts.count(True)} of {len(verdicts)} hold{undecided}"


def _section(lesson, smaller):
    printed = lesson["printed"].split("\nClaims, each decided")[0].strip()
    if lesson["status"]:
        shown = f"<p>{_ending(lesson)}</p>\n<pre>{escape(lesson['errors'][-3000:])}</pre>"
    else:
        picture = base64.b64encode(smaller(lesson["picture"])).decode()
        claims = [[escape(cell) for cell in row] for row in _claims(lesson)]
        shown = f"""<img alt="{escape(_instead(lesson))}" src="data:image/webp;base64,{picture}">
{_table(CLAIMS, claims)}"""
    return f"""<section id="{lesson["name"]}">
<h2>{escape(lesson["title"])}</h2>
<p>{escape(lesson["question"])}</p>
<pre tabindex="0">{escape(printed)}</pre>
{shown}
</section>
"""


def _table(heads, rows):
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"


def _claims(lesson):
    """A row for each claim, of the cells of CLAIMS."""
    return [
        (
            c["text"],
            f"{c['effect']:.3f}",
            _ends(c),
            f"{BOUND[c['kind']]} {c['margin']:g} (n = {c['n']} {c['unit']}s)",
            VERDICT[c["holds"]],
        )
        for c in lesson["results"]["claims"]
    ]


def _ends(interval):
    """The ends of an interval, unless one value gave none."""
    low, high = interval["low"], interval["high"]
    return "none" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _instead(lesson):
    """The text that stands for a lesson's figure."""
    finding = lesson["results"]["finding"].rstrip(".")
    return f"Figure of lesson {lesson['name'][:2]}: {finding}. Its numbers are in the tables."


def gallery_text(lessons):
    """Markdown: each lesson's question, picture, conditions and claims."""
    parts = [
        "# Gallery: what each lesson shows",
        "For those who do not run anything. Made by `python -m sublim_mini gallery` from the "
        "results of `python -m sublim_mini run all`: each number is one run's. Claims are decided "
        "by 99 % intervals.",
    ]
    for lesson in lessons:
        name, results = lesson["name"], lesson["results"]
        settings = ", ".join(f"{k}={v}" for k, v in results["settings"].items() if v is not None)
        conditions = [
            (condition, f"{c['mean']:.3f}", _ends(c), str(len(c["values"])))
            for condition, c in results["conditions"].items()
        ]
        parts += [
            f"## {lesson['title']}",
            lesson["question"],
            f"![{_instead(lesson)}]({name}.webp)",
            _markdown(("condition", "mean", "95 % interval", "n"), conditions),
            _markdown(CLAIMS, _claims(lesson)),
            f"[`{name}.py`](../{name}.py), {results['seconds']:.0f} s; {settings}",
        ]
    return "\n\n".join(parts) + "\n"


def _markdown(heads, rows):
    rows = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "/") for c in row) + " |" for row in rows)
