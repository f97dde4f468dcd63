"""The lessons from one command: alone it lists them; `run 2 9` or `run all` runs them and makes
one page, OUT/index.html; `notebooks` makes notebooks; `gallery` makes the pages of the gallery;
`live` draws the digits of lessons/live.html again.

Nothing here imports JAX but `live`, so that the list is there at once.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from .errors import InputError
from .files import check_writable, folder_flag, replacing
from .flags import Parser, number
from .page import check_results, gallery_index, gallery_page, html_page
from .script import Interrupted, raise_signals

LESSONS = Path(__file__).parents[1] / "lessons"
PNG = b"\x89PNG\r\n\x1a\n"  # what every PNG file begins with


def say(text="", end="\n", file=None):
    """Print at once. If nobody reads the stream any more (`| head`), go on without it."""
    try:
        print(text, end=end, file=file, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (file or sys.stdout).fileno())


def find_lessons(folder):
    """The scripts of the lessons in a folder, in order; InputError if there is none."""
    if paths := sorted(Path(folder).glob("[0-9][0-9]_*.py")):
        return paths
    raise InputError(
        f"no lessons in {folder}: they are in the repository, not in the installed package; "
        "there, pip install -e . and run this again"
    )


def about(path):
    """A lesson's name, title and question, as its first cell tells them."""
    text = path.read_text(encoding="utf-8").split("\n# %%")[0] + "\n#\n"
    title = re.search(r"^# # (.*)$", text, re.MULTILINE)
    question = re.search(r"^# \*\*Question\.\*\* (.*?)\n#? *\n", text, re.M | re.S)
    question = re.sub(r"\n# |[*`]", lambda m: " " * ("#" in m[0]), question[1] if question else "")
    return {"name": path.stem, "title": title[1] if title else path.stem, "question": question}


def choose(names, paths):
    """The lessons named by number, such as 2 or 02, or by file name, or all of them."""
    if names == ["all"]:
        return paths
    known = {key: p for p in paths for key in (p.stem, p.stem[:2], str(int(p.stem[:2])))}
    for name in names:
        if name not in known:
            raise InputError(f"no lesson {name!r}: there are {', '.join(p.stem for p in paths)}")
    return list(dict.fromkeys(known[name] for name in names))


def load(folder, name, figure=True):
    """The results, and the figure, that a lesson saved; InputError if they are not those."""
    try:
        picture = (folder / f"{name}.png").read_bytes() if figure else PNG
        results = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        check_results(results)
        if results["lesson"] != name or not picture.startswith(PNG):
            raise InputError("another lesson's JSON, or no PNG")
    except (OSError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"cannot read the results of {name} in {folder}: {why}") from error
    return {"results": results, "picture": picture}


def run_one(path, out, flags):
    """Run a lesson by its own command line: what it is about, what it saved, and its status.

    It runs in a new folder, and its files move to `out` once they are read and found whole: what an
    earlier run left there is never taken for this one's.
    """
    root = str(Path(__file__).parents[1])
    env = {**os.environ, "MPLBACKEND": "agg", "PYTHONUTF8": "1"}
    env["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [env.get("PYTHONPATH")])])
    one_page = path.stem.startswith("00_")  # it has no flags and saves no JSON
    command = [sys.executable, str(path.resolve()), *([] if one_page else ["--out", ".", *flags])]
    made, began = about(path), time.perf_counter()
    with tempfile.TemporaryDirectory(dir=out, prefix=".run-", ignore_cleanup_errors=True) as new:
        done = subprocess.run(
            command, env=env, cwd=new, capture_output=True, encoding="utf-8", errors="replace"
        )
        made |= {"status": done.returncode, "seconds": time.perf_counter() - began}
        try:
            if one_page:
                saved = json.dumps(_one_page(made, done.stdout))
                Path(new, f"{path.stem}.json").write_text(saved, encoding="utf-8")
            if not done.returncode:
                made |= load(Path(new), path.stem)
                for ending in "png", "json":
                    os.replace(Path(new, f"{path.stem}.{ending}"), out / f"{path.stem}.{ending}")
        except InputError as error:
            made["status"], done.stderr = 1, f"{done.stderr}\n{error}"
    return {**made, "output": (done.stdout + done.stderr)[-5000:]}


def _one_page(made, printed):
    """The results of lesson 00, in the form of the others."""
    alt = f"The figure of lesson {made['title']}. What the lesson printed has its numbers."
    results = {"lesson": made["name"], "settings": {}, "seconds": round(made["seconds"], 1)}
    results |= {"conditions": {}, "tables": {}, "curves": {}, "claims": [], "predictions": []}
    return results | {"figure": {"title": made["title"], "alt": alt}, "printed": printed}


def run(paths, out, flags):
    """Run lessons one after the other; OUT/index.html is rewritten after each. 1 if any failed."""
    check_writable(out)
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for i, path in enumerate(paths, 1):
        say(f"[{i} of {len(paths)}] {path.stem} ...", end=" ")
        made.append(run_one(path, out, flags))
        say(f"{'FAILED' if made[-1]['status'] else 'done'}, {made[-1]['seconds']:.0f} s")
        if made[-1]["status"]:
            say(textwrap.indent(made[-1]["output"].rstrip(), "    "), file=sys.stderr)
        with replacing(out / "index.html") as temporary:
            temporary.write_text(html_page(made, flags, len(paths) - i), encoding="utf-8")
    seconds, failed = sum(m["seconds"] for m in made), sum(m["status"] != 0 for m in made)
    say(f"{len(made) - failed} done, {failed} failed, {seconds:.0f} s: {out / 'index.html'}")
    return 1 if failed else 0


def gallery(paths, folder):
    """A page of each lesson whose results and figure are in the folder, and a README; runs none."""
    made = []
    for path in paths:
        name, script = path.stem, path.read_text(encoding="utf-8")
        if not all((folder / f"{name}.{ending}").exists() for ending in ("json", "png")):
            continue
        others = sorted(other for other in folder.iterdir() if (other / f"{name}.json").exists())
        earlier = folder / f"{name}.earlier.md"
        made.append({**about(path), **load(folder, name), "script": script})
        made[-1]["others"] = {o.name: load(o, name, False)["results"] for o in others}
        made[-1]["earlier"] = earlier.read_text(encoding="utf-8") if earlier.exists() else None
    if not made:
        raise InputError(f"no results in {folder}: python -m sublim_mini run all --out {folder}")
    pages = {f"{m['name']}.md": gallery_page(m) for m in made} | {"README.md": gallery_index(made)}
    for name, text in pages.items():  # all pages are made before the first is written
        with replacing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    say(f"{len(made)} lessons: {folder / 'README.md'}")


def notebooks(paths, out):
    """A notebook of each lesson, for the kernel `python3`."""
    try:
        import jupytext
    except ImportError as error:
        raise InputError('notebooks need jupytext: pip install -e ".[notebook]"') from error
    for path in paths:
        notebook = jupytext.read(path)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        with replacing(out / f"{path.stem}.ipynb") as temporary:
            jupytext.write(notebook, temporary, fmt="ipynb")
    say(f"{len(paths)} notebooks: {out}")


def live(path):
    """Draw the digits of the live page again: replace its data block."""
    import jax

    from .live import replace_data

    try:
        page = path.read_text(encoding="utf-8")
        page = replace_data(page, jax.random.key(0))
    except (OSError, ValueError) as error:  # an InputError is a ValueError
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"cannot replace the data of {path}: {why}") from error
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")
    say(f"{len(page.encode()):,} bytes: {path}")


def main(argv=None, folder=LESSONS):
    """The command line; the status is 0, 1 if a lesson failed, 2 after one line of bad input."""
    parser = Parser(prog="sublim_mini", allow_abbrev=False, description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", parser_class=Parser)
    runs = commands.add_parser("run", help="run lessons: `run 2 9`, `run all`")
    runs.add_argument("names", nargs="+", metavar="LESSON", help="a lesson's number, or all")
    runs.add_argument("--quick", action="store_true", help="with small numbers")
    runs.add_argument("--seed", type=number(int, 0, 2**32 - 1), help="another seed for all of them")
    books = commands.add_parser("notebooks", help="make a notebook of each lesson")
    for command, out in (runs, "results"), (books, "notebooks"):
        command.add_argument("--out", type=folder_flag, default=Path(out), help=f"folder ({out})")
    commands.add_parser("gallery", help="make the pages of lessons/gallery from the results there")
    commands.add_parser("live", help="draw the digits of lessons/live.html again")
    asked = parser.parse_args(argv)
    try:
        paths = find_lessons(folder)
        if asked.command == "run":
            flags = ["--quick"] * asked.quick
            flags += [] if asked.seed is None else ["--seed", str(asked.seed)]
            return run(choose(asked.names, paths), asked.out, flags)
        if asked.command == "notebooks":
            notebooks(paths, asked.out)
        elif asked.command == "gallery":
            gallery(paths, folder / "gallery")
        elif asked.command == "live":
            live(folder / "live.html")
        else:
            for lesson in map(about, paths):
                say(lesson["title"])
                say(textwrap.indent(textwrap.fill(lesson["question"], 88), "    "))
    except (InputError, OSError) as error:
        say(f"sublim_mini: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        say()
        say("sublim_mini: interrupted; the page has the lessons that ended", file=sys.stderr)
        return 143 if isinstance(error, Interrupted) else 130
    return 0


if __name__ == "__main__":
    raise_signals()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace")  # on a console without some letter
    try:
        raise SystemExit(main())
    finally:
        say(end="")
