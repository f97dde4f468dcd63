"""What `python -m sublim_mini` writes: one HTML page of a run, and Markdown pages of the gallery.

A lesson here is a dict: name, title, question, `link` from the gallery, and `results` as saved;
after a run also its `picture`, `status`, `seconds`, and the `output` of one that failed.
"""

import base64
import math
import re
from html import escape

from .present import PRESENT, PRESENT_STYLE

BOUND = {"above": "above ", "below": "below ", "within": "within ±"}
VERDICT = {"holds": "✓ holds", "refuted": "✗ refuted", "undecided": "? undecided"}
STYLE = """
body { font: 1.2rem/1.5 sans-serif; color: #111; background: #fff; max-width: 68rem;
       margin: auto; padding: 1rem }
h2 { border-top: 3px solid #0072b2; padding-top: 1rem; margin-top: 3rem }
img { width: 100%; height: auto }
pre { font-size: .95rem; line-height: 1.35; background: #f3f3f3; padding: .8rem; overflow: auto }
table { border-collapse: collapse; width: 100%; margin-top: 1rem }
th, td { text-align: left; vertical-align: top; padding: .3rem; border-bottom: 1px solid #999 }
button { font: inherit; padding: .2rem .8rem }
[hidden] { display: none !important }
@media (max-width: 40rem) { table { font-size: .9rem } }
@media print { h2 { break-before: page } pre { white-space: pre-wrap } button { display: none } }
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
    return "; ".join(parts) or "No claims"


def tables(results):
    """The table of the claims and that of the checks, if there are any: heads and rows of text."""
    for kind in "claim", "check":
        rows = [
            (c["text"], f"{c['effect']:.3f} ({_ends(c)}; n = {c['n']})")
            + (f"{BOUND[c['kind']]}{c['margin']:g}", VERDICT[c["verdict"]])
            for c in results[f"{kind}s"]
        ]
        if rows:
            yield (kind, "measured (99 % interval)", "needed", "verdict"), rows


def _ends(row, wider=1):
    """The ends of a row's interval, which is made `wider` about its mean, as text."""
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return "no interval"
    more = (wider - 1) * (high - low) / 2
    return f"{low - more:.3f} to {high + more:.3f}"


def html_page(lessons, flags, left):
    """One page that needs no other file; `left` lessons are still to come."""
    lines = [
        f'<li><a href="#{escape(m["name"])}">{escape(m["title"])}</a>: {ending(m)}, '
        f"{m['seconds']:.0f} s</li>"
        for m in lessons
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Subliminal learning: the lessons</title>
<style>{STYLE}{PRESENT_STYLE}</style>
<script>  // a screen that is loaded again gives nothing away meanwhile
if (location.hash.includes("/")) document.documentElement.className = "loading";
</script>
<body>
<header>
<h1>Subliminal learning: the lessons</h1>
<p><button hidden>Present (P)</button></p>
<p>Run with {" ".join(flags) or "the default settings"}{f"; {left} to come" * bool(left)}.
A 99 % interval over the seeds of the run decides a claim. With fewer than three seeds it is
undecided. A claim can fail in one run; a check must hold, and says why.</p>
<ul>
{chr(10).join(lines)}
</ul>
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
    parts = [f'<p data-screen="1">{escape(lesson["question"])}</p>']
    if lesson["status"]:
        parts += [f'<p data-screen="3">{ending(lesson)}</p>']
        parts += [f'<pre tabindex="0">{escape(lesson["output"])}</pre>']
    else:
        results, picture = lesson["results"], base64.b64encode(lesson["picture"]).decode()
        if what := re.search(r"^Your prediction of the (.+): ", results["printed"], re.MULTILINE):
            parts += ['<p class="predict" data-screen="1" hidden><b>Predict:</b>']
            parts += [f"{escape(what[1])}. Then press the arrow.</p>"]
        alt = escape(results["figure"]["alt"])
        parts += [f'<img data-screen="2" alt="{alt}" src="data:image/png;base64,{picture}">']
        parts += [f'<pre tabindex="0">{escape(results["printed"].strip())}</pre>']
        parts += [_html_table(heads, rows) for heads, rows in tables(results)]
    heading = f'<h2 data-screen="1">{escape(lesson["title"])}</h2>'
    start = f'<section id="{escape(lesson["name"])}" tabindex="-1">'
    return "\n".join([start, heading, *parts, "</section>\n"])


def _html_table(heads, rows):
    rows = [[f"<td>{escape(cell)}</td>" for cell in row] for row in rows]
    rows.insert(0, [f'<th scope="col">{escape(head)}</th>' for head in heads])
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<table data-screen="3">\n{body}\n</table>'


def gallery_page(lesson):
    """A lesson's prose with the results of its display run, in Markdown.

    lesson  also has its `script` (text), the results of `others`, name -> results, which are those
            on "mnist" or of another case, and a text on `earlier` runs
    """
    name, results = lesson["name"], lesson["results"]
    cells = re.split(r"^# %%(.*)$", lesson["script"], flags=re.MULTILINE)[1:]
    prose = [
        re.sub(r"^# ?", "", text.strip("\n"), flags=re.MULTILINE).replace("](gallery/", "](")
        for kind, text in zip(cells[::2], cells[1::2], strict=True)
        if "[markdown]" in kind
    ]
    place = next((i for i, p in enumerate(prose, 1) if p.startswith("## The result")), len(prose))
    settings = ", ".join(f"{k}={v}" for k, v in results["settings"].items())
    parts = [
        *prose[:1],
        f"The code is left out here: [`{lesson['name']}.py`]({lesson['link']}).",
        *prose[1:place],
        _fenced(results["printed"]),
        f"![{_plain(results['figure']['alt'])}]({name}.png)",
        *_claims(results),
        f"One run, {results['seconds']:.0f} s; settings: `{settings}`. "
        f"All its numbers: [`{name}.json`]({name}.json).",
        *prose[place:],
        "## Your own run",
        "Run the lesson with another seed, such as `--seed 100`. How far may your means lie from "
        "these? For each row, a run like this one lies in the range in 95 of 100 cases.",
        _means(results, "this run", "yours (95 % range)", math.sqrt(2)),  # for both runs vary
    ]
    for other, results in lesson["others"].items():
        parts += [f"## The same {'on real MNIST' if other == 'mnist' else f'for {other}'}"]
        parts += [_means(results, "mean", "95 % interval"), *_claims(results)]
    if lesson["earlier"]:
        parts += ["## Earlier runs", lesson["earlier"].strip()]
    return "\n\n".join([*parts, "[All lessons](README.md)"]) + "\n"


def _means(results, mean, ends, wider=1):
    """A table of the rows of the figure: each mean, and its interval, made `wider`."""
    rows = results["conditions"].items()
    heads = next(iter(results["tables"]), "condition"), mean, ends
    return _table(heads, [(row, f"{c['mean']:.3f}", _ends(c, wider)) for row, c in rows])


def _claims(results):
    return [_table(*table) for table in tables(results)]


def gallery_index(lessons):
    """The list of the gallery's pages: title, and how many claims hold."""
    lines = ["# Gallery: the lessons and what they show", "", "To read without running anything."]
    lines += ["Each page shows one run, whatever it says.", ""]
    for m in lessons:
        if "further" in m["link"] and "## Further lessons" not in lines:
            lines += ["", "## Further lessons", ""]
        lines += [f"- [{_plain(m['title'])}]({m['name']}.md) *{ending(m)}.*"]
    return "\n".join(lines) + "\n"


def _fenced(printed):
    """What a lesson printed, without what the page has elsewhere."""
    text = re.sub(r"\A\d\d_\w+  \w+=.*\n", "", printed)
    elsewhere = "Claims, decided by|Checks: these must|Your prediction of|A claim can fail"
    text = re.sub(rf"(?m)^({elsewhere}).*\n?", "", text)
    text = re.sub(r"(?m)^  (HOLDS|REFUTED|UNDECIDED).*\n(      .*\n?)*", "", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}text\n{text.strip()}\n{fence}"


def _table(heads, rows):
    rows = [[_plain(cell) for cell in row] for row in (heads, *rows)]
    rows.insert(1, ["---"] * len(heads))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _plain(text):
    """Text that Markdown shows as it is, on one line."""
    text = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;")
