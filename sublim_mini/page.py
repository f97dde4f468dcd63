"""What `python -m sublim_mini` writes: one HTML page of a run, and Markdown pages of the gallery.

A lesson here is a dict: name, title and question; `results` and `picture` as it saved them; after
a run also its `status`, the `seconds` it took, and the `output` of one that failed.
"""

import base64
import math
import re
from html import escape
from urllib.parse import quote

from .errors import InputError
from .present import PRESENT, PRESENT_STYLE

BOUND = {"above": "above ", "below": "below ", "within": "within ±"}
VERDICT = {True: "✓ holds", False: "✗ does not hold", None: "? undecided"}
CLAIMS = "claim", "measured", "99 % interval", "to be", "n", "verdict"
NUMBER, END, NONE = (int, float), (int, float, type(None)), type(None)
ROW = {"values": [NUMBER], "mean": NUMBER, "low": END, "high": END}
CLAIM = {"text": str, "kind": str, "n": int, "margin": NUMBER, "holds": (bool, NONE)}
CLAIM |= {"effect": NUMBER, "low": END, "high": END}
RESULTS = {  # what is read of a lesson's JSON; `...` stands for any name
    "lesson": str,
    "settings": {...: (str, bool, *END)},
    "seconds": NUMBER,
    "conditions": {...: ROW},
    "tables": {...: {...: ROW}},
    "claims": [CLAIM],
    "predictions": [NUMBER],
    "figure": {"title": str, "alt": str},
    "printed": str,
}
STYLE = """
body { font: 1.2rem/1.5 sans-serif; color: #111; background: #fff; max-width: 68rem;
       margin: auto; padding: 1rem }
h2 { border-top: 3px solid #0072b2; padding-top: 1rem; margin-top: 3rem }
img { width: 100%; height: auto }
pre { font-size: .95rem; line-height: 1.35; background: #f3f3f3; padding: .8rem; overflow: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem; border-bottom: 1px solid #999 }
button { font: inherit; padding: .2rem .8rem }
[hidden] { display: none !important }
@media print {
  h2 { break-before: page }
  pre { white-space: pre-wrap }
  button, nav { display: none }
}
@media screen and (max-width: 40rem) {
  tr:first-child { display: none }
  table td:nth-child(n) { display: block; border: 0; padding: 0 }
  table td:last-child { border-bottom: 1px solid #999; padding-bottom: .5rem; margin-bottom: .5rem }
  td::before { content: attr(data-head) ": " }
}
"""


def check_results(value, shape=RESULTS, where="the results"):
    """Raise InputError unless a value read from JSON has the shape of a lesson's results."""
    kind = type(shape) if isinstance(shape, dict | list) else shape
    if type(value) not in (kind if isinstance(kind, tuple) else (kind,)):
        raise InputError(f"{where} cannot be of type {type(value).__name__}")
    if isinstance(shape, list):
        for i, item in enumerate(value):
            check_results(item, shape[0], f"{where}, item {i + 1}")
    elif isinstance(shape, dict):
        for name in value if ... in shape else shape:
            if name not in value:
                raise InputError(f"{where}: {name!r} is missing")
            check_results(value[name], shape[... if ... in shape else name], f"{where}: {name!r}")
        if shape.get("kind") and value["kind"] not in BOUND:
            raise InputError(f"{where}: 'kind' must be one of {', '.join(BOUND)}")
    elif type(value) in NUMBER and not (abs(value) < 1e100 and math.isfinite(value)):
        raise InputError(f"{where} is not a finite number of usual size")
    if isinstance(value, str):
        value.encode()  # half a surrogate pair could not be written: a ValueError


def ending(lesson):
    """How a lesson ended, in a few words: how many claims hold, or that it failed."""
    if lesson.get("status"):
        return f"FAILED with status {lesson['status']}"
    verdicts = [claim["holds"] for claim in lesson["results"]["claims"]]
    undecided = f", {verdicts.count(None)} undecided" if None in verdicts else ""
    holding = f"{verdicts.count(True)} of {len(verdicts)} claims hold{undecided}"
    return holding if verdicts else "No claims"


def interval(row, n):
    """The ends of an interval; "all n the same" and "none" where it has no width or no ends."""
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return "none"
    return f"all {n} the same" if low == high else f"{low:.3f} to {high:.3f}"


def claim_rows(results):
    """A row for each claim, of the cells of CLAIMS."""
    return [
        (c["text"], f"{c['effect']:.3f}", interval(c, c["n"]))
        + (f"{BOUND[c['kind']]}{c['margin']:g}", str(c["n"]), VERDICT[c["holds"]])
        for c in results["claims"]
    ]


def html_page(lessons, flags, left):
    """One page that needs no other file; `left` lessons are still to come."""
    rows = [(m["title"], f"{m['seconds']:.0f} s", ending(m)) for m in lessons]
    links = [f"#{quote(m['name'])}" for m in lessons]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Subliminal learning: the lessons</title>
<style>{STYLE}{PRESENT_STYLE}</style>
<script>  // a screen that is loaded again gives nothing away meanwhile
if (location.hash.includes("/")) document.documentElement.className = "loading";
</script>
</head>
<body>
<header>
<h1>Subliminal learning: the lessons</h1>
<p><button hidden>Present (P)</button></p>
<p>Run with {" ".join(flags) or "the default settings"}{f"; {left} to come" * bool(left)}.
Claims are decided by 99 % intervals over the seeds of the run. With fewer than three seeds they
are undecided. A claim can fail in one run.</p>
{_html_table(("lesson", "time", "result"), rows, links)}
</header>
{"".join(map(_section, lessons))}<nav hidden>
<span aria-live="polite"></span> <button>End (Esc)</button>
</nav>
<script>{PRESENT}</script>
</body>
</html>
"""


def _section(lesson):
    """A lesson; `data-screen` says on which of its screens a part is shown, in the present mode."""
    predict = ""
    if lesson["status"]:
        shown = f'<p data-screen="3">{ending(lesson)}</p>\n'
        shown += f'<pre tabindex="0">{escape(lesson["output"])}</pre>'
    else:
        results, alt = lesson["results"], escape(lesson["results"]["figure"]["alt"])
        picture = base64.b64encode(lesson["picture"]).decode()
        what = re.search(r"^Your prediction of the (.+): ", results["printed"], re.MULTILINE)
        if what:
            predict = f"""<p class="predict" data-screen="1" hidden><b>Predict:</b>
{escape(what[1])}. Then press the arrow.</p>\n"""
        table = _html_table(CLAIMS, claim_rows(results), screen=3) if results["claims"] else ""
        shown = f"""<img data-screen="2" alt="{alt}" src="data:image/png;base64,{picture}">
<pre tabindex="0">{escape(results["printed"].strip())}</pre>
{table}"""
    return f"""<section id="{escape(lesson["name"])}" tabindex="-1">
<h2 data-screen="1">{escape(lesson["title"])}</h2>
<p data-screen="1">{escape(lesson["question"])}</p>
{predict}{shown}
</section>
"""


def _html_table(heads, rows, links=(), screen=""):
    """A table; `links`, one for each row, are put on the cells of the first column."""
    rows = [[escape(cell) for cell in row] for row in rows]
    for row, link in zip(rows, links, strict=False):
        row[0] = f'<a href="{escape(link)}">{row[0]}</a>'
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    cells = [[f'<td data-head="{h}">{c}</td>' for h, c in zip(heads, r, strict=True)] for r in rows]
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    return f'<table data-screen="{screen}">\n<tr>{head}</tr>\n{body}\n</table>'


def gallery_page(lesson):
    """A lesson's prose with the results of its display run, in Markdown.

    lesson  also has its `script` (text), the results of `others`, name -> results, which are those
            on "mnist" or of another case, and a text on `earlier` runs, or None
    """
    name, results = quote(lesson["name"]), lesson["results"]
    cells = re.split(r"^# %%(.*)$", lesson["script"], flags=re.MULTILINE)[1:]
    prose = [
        re.sub(r"^# ?", "", text.strip("\n"), flags=re.MULTILINE)
        for kind, text in zip(cells[::2], cells[1::2], strict=True)
        if "[markdown]" in kind
    ]
    place = next((i for i, p in enumerate(prose, 1) if p.startswith("## The result")), len(prose))
    settings = ", ".join(f"{k}={v}" for k, v in results["settings"].items() if v is not None)
    settings = " ".join(settings.replace("`", "'").split())
    before, after = _without_claims(results["printed"])
    shown = [
        _fenced(before),
        f"![{_plain(results['figure']['alt'])}]({name}.png)",
        *_claims(results),
        f"One run, {results['seconds']:.0f} s; settings: `{settings or 'none'}`. "
        f"All its numbers: [`{name}.json`]({name}.json).",
    ]
    code = f"The code is left out here: [`{name}.py`](../{name}.py)."
    rest = prose[place:]
    if after:  # as in lesson 23
        rest.insert(-1, _fenced(after))
    parts = [*prose[:1], code, *prose[1:place], *shown, *rest]
    for other, results in lesson["others"].items():
        rows = [
            (row, f"{c['mean']:.3f}", interval(c, len(c["values"])), str(len(c["values"])))
            for row, c in results["conditions"].items()
        ]
        parts += [f"## The same {'on real MNIST' if other == 'mnist' else f'for {other}'}"]
        measured = _plain(next(iter(results["tables"]), "condition"))
        parts += [_table((measured, "mean", "95 % interval", "n"), rows), *_claims(results)]
    if lesson["earlier"]:
        parts += ["## Earlier runs", lesson["earlier"].strip()]
    return "\n\n".join([*parts, "[All lessons](README.md)"]) + "\n"


def gallery_index(lessons):
    """The list of the gallery's pages: title, question, and how many claims hold."""
    lines = [
        f"- [{_plain(m['title'])}]({quote(m['name'])}.md). {_plain(m['question'])} *{ending(m)}.*"
        for m in lessons
    ]
    intro = (
        "# Gallery: the lessons and what they show\n\nTo read without running anything. Each page "
        "shows one run, whatever it says; `python -m sublim_mini gallery` makes the pages."
    )
    return f"{intro}\n\n" + "\n".join(lines) + "\n"


def _claims(results):
    return [_table(CLAIMS, claim_rows(results))] if results["claims"] else []


def _without_claims(printed):
    """What a lesson printed before and after its claims, without what the page has elsewhere."""
    printed = re.sub(r"\A\d\d_\w+  \w+=.*\n", "", printed)
    printed = re.sub(r"(?m)^(Your prediction of|A claim can fail in) .*\n?", "", printed)
    before, *after = re.split(r"(?m)^Claims, decided by .*\n(?:  .*\n?)*", printed)
    return before, "".join(after).strip()


def _fenced(text):
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}text\n{text.strip()}\n{fence}"


def _table(heads, rows):
    rows = [heads, ["---"] * len(heads), *(map(_plain, row) for row in rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _plain(text):
    """Text that Markdown shows as it is, on one line."""
    text = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;")
