"""`python -m sublim_mini`. Only `live` imports JAX, so that the list is there at once."""

import argparse
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from .. import InputError
from .files import check_writable, replacing
from .pages import gallery_index, gallery_page, html_page
from .script import Interrupted, folder, raise_signals, seed

LESSONS = Path(__file__).parents[2] / "lessons"
COMMANDS = "run", "notebooks", "gallery", "live"
USAGE = "python -m sublim_mini [run LESSON ... | notebooks | gallery | live] [--help]"
SAVED = "settings", "seconds", "conditions", "tables", "claims", "checks", "figure", "printed"


def say(text="", end="\n", file=None):
    """Print at once. If nobody reads the stream any more (`| head`), go on without it."""
    try:
        print(text, end=end, file=file, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (file or sys.stdout).fileno())


def find_lessons(lessons):
    """The scripts in a folder, then those in its folder `further`; InputError if there is none."""
    paths = [p for f in (lessons, lessons / "further") for p in sorted(f.glob("[0-9][0-9]_*.py"))]
    if paths:
        return paths
    raise InputError(
        f"no lessons in {lessons}: they are in the repository, not in the installed package; "
        "there, pip install -e . and run this again"
    )


def about(path):
    """A lesson's name, title and question, as its first cell tells them."""
    text = path.read_text(encoding="utf-8").split("\n# %%")[0] + "\n#\n"
    title = re.search(r"^# # (.*)$", text, re.MULTILINE)
    question = re.search(r"^# \*\*Question\.\*\* (.*?)\n#? *\n", text, re.M | re.S)
    question = re.sub(r"\n# |[*`]", lambda m: " " * ("#" in m[0]), question[1] if question else "")
    link = f"../{'further/' * (path.parent.name == 'further')}{path.name}"  # from the gallery
    title = title[1] if title else path.stem
    return {"name": path.stem, "title": title, "question": question, "link": link}


def choose(names, paths):
    """The lessons named by number, such as 2 or 02, or by file name; or `all`, or `further`."""
    known = {"all": paths, "further": [p for p in paths if p.parent.name == "further"]}
    known |= {key: [p] for p in paths for key in (p.stem, p.stem[:2], str(int(p.stem[:2])))}
    for name in names:
        if name not in known:
            raise InputError(f"no lesson {name!r}: there are {', '.join(p.stem for p in paths)}")
    return list(dict.fromkeys(path for name in names for path in known[name]))


def load(where, name):
    """The results that a lesson saved in a folder; InputError if they cannot be read."""
    try:
        results = json.loads((where / f"{name}.json").read_text(encoding="utf-8"))
        return {part: results[part] for part in SAVED}
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else error
        raise InputError(f"cannot read the results of {name} in {where}: {why}") from error


def run_one(path, out, flags):
    """Run a lesson by its own command line: what it is about, what it saved, and its status."""
    python_path = f"{LESSONS.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(
        os.pathsep
    )
    env = dict(os.environ, MPLBACKEND="agg", PYTHONUTF8="1", PYTHONPATH=python_path)
    one_page = path.stem.startswith("00_")  # it has no flags and saves no JSON
    command = [sys.executable, str(path.resolve()), *([] if one_page else ["--out", ".", *flags])]
    made, began, text = about(path), time.perf_counter(), {"encoding": "utf-8", "errors": "replace"}
    done = subprocess.run(command, env=env, cwd=out, capture_output=True, **text)
    made |= {"status": done.returncode, "seconds": time.perf_counter() - began}
    try:
        if not done.returncode:
            alt = f"The figure of lesson {made['title']}. What the lesson printed has its numbers."
            results = {"claims": [], "checks": [], "figure": {"alt": alt}, "printed": done.stdout}
            made["results"] = results if one_page else load(out, path.stem)
            made["picture"] = (out / f"{path.stem}.png").read_bytes()
    except (InputError, OSError) as error:
        made["status"], done.stderr = 1, f"{done.stderr}\n{error}"
    return {**made, "output": (done.stdout + done.stderr)[-5000:]}


def run(paths, out, flags):
    """Run lessons one after the other; OUT/index.html is rewritten after each. 1 if any failed."""
    check_writable(out, "index.html")
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for i, path in enumerate(paths, 1):
        say(f"[{i} of {len(paths)}] {path.stem} ...", end=" ")
        made.append(run_one(path, out, flags))
        say(f"{'FAILED' if made[-1]['status'] else 'done'}, {made[-1]['seconds']:.0f} s")
        if made[-1]["status"]:
            say(textwrap.indent(made[-1]["output"].rstrip(), "    "), file=sys.stderr)
        _write(out / "index.html", html_page(made, flags, len(paths) - i))
    seconds, failed = sum(m["seconds"] for m in made), sum(m["status"] != 0 for m in made)
    say(f"{len(made) - failed} done, {failed} failed, {seconds:.0f} s: {out / 'index.html'}")
    return 1 if failed else 0


def _write(path, text):
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def gallery(paths, where):
    """A page of each lesson whose results and figure are in a folder, and a README; runs none."""
    made = []
    for path in paths:
        name, earlier = path.stem, where / f"{path.stem}.earlier.md"
        if all((where / f"{name}.{ending}").exists() for ending in ("json", "png")):
            others = sorted(other for other in where.iterdir() if (other / f"{name}.json").exists())
            lesson = {**about(path), "results": load(where, name)}
            lesson["script"] = path.read_text(encoding="utf-8")
            lesson["others"] = {other.name: load(other, name) for other in others}
            lesson["earlier"] = earlier.read_text(encoding="utf-8") if earlier.exists() else ""
            made.append(lesson)
    if not made:
        raise InputError(f"no results in {where}: python -m sublim_mini run all --out {where}")
    pages = {f"{lesson['name']}.md": gallery_page(lesson) for lesson in made}
    for name, text in {**pages, "README.md": gallery_index(made)}.items():
        _write(where / name, text)
    say(f"{len(made)} lessons: {where / 'README.md'}")


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


def live(lessons):
    """Make the data of the live pages again: replace the data block of each."""
    import jax

    from . import live as digits
    from . import live_owls as owls

    pages = {lessons / "live.html": digits, lessons / "live_owls.html": owls}
    pages = {path: module for path, module in pages.items() if path.exists()} or pages
    for path, module in pages.items():
        try:
            page = module.replace_data(path.read_text(encoding="utf-8"), jax.random.key(0))
        except (OSError, ValueError) as error:  # an InputError is a ValueError
            raise InputError(f"cannot replace the data of {path}: {error}") from error
        _write(path, page)
        say(f"{len(page.encode()):,} bytes: {path}")


def main(argv=None, lessons=LESSONS):
    """The command line; the status is 0, 1 if a lesson failed, 2 after one line of bad input."""
    raise_signals()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace")  # on a console without some letter
    parser = argparse.ArgumentParser(prog="sublim_mini", usage=USAGE, allow_abbrev=False)
    add = parser.add_argument
    add("command", nargs="?", choices=COMMANDS, help="without it: list the lessons")
    add("names", nargs="*", metavar="LESSON", help="what to run: numbers, or all, or further")
    add("--quick", action="store_true", help="run with small numbers")
    add("--seed", type=seed, help="run with another seed")
    add("--out", type=folder, help="folder for what is made (results, or notebooks)")
    asked = parser.parse_intermixed_args(argv)
    if (asked.command == "run") != bool(asked.names):
        parser.error("`run` needs lessons, and only `run`: run 2 9, run all")
    try:
        paths = find_lessons(lessons)
        if asked.command == "run":
            flags = ["--quick"] * asked.quick
            flags += [] if asked.seed is None else ["--seed", str(asked.seed)]
            return run(choose(asked.names, paths), asked.out or Path("results"), flags)
        if asked.command == "notebooks":
            notebooks(paths, asked.out or Path("notebooks"))
        elif asked.command == "gallery":
            gallery(paths, lessons / "gallery")
        elif asked.command == "live":
            live(lessons)
        else:
            further, indent = choose(["further"], paths), " " * 4
            for path in paths:
                say("\nFurther lessons\n\n" if [path] == further[:1] else "", end="")
                say((lesson := about(path))["title"])
                say(textwrap.indent(textwrap.fill(lesson["question"], 88), indent))
    except (InputError, OSError) as error:
        say(f"sublim_mini: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        say()
        say("sublim_mini: interrupted; the page has the lessons that ended", file=sys.stderr)
        return 143 if isinstance(error, Interrupted) else 130
    return 0
