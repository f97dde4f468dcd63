"""`python -m sublim_mini`. It does not import JAX, so that the list is there at once."""

import argparse
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from contextlib import redirect_stdout
from pathlib import Path

from .. import InputError
from .files import check_writable, replacing
from .pages import gallery_index, gallery_page, html_page
from .script import Interrupted, Output, raise_signals, seed

LESSONS = Path(__file__).parents[2] / "lessons"
USAGE = "python -m sublim_mini [run LESSON ... | gallery] [--help]"


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


def list_lessons(paths):
    """Print the titles and the questions."""
    further = next((path for path in paths if path.parent.name == "further"), None)
    for path in paths:
        lesson = about(path)
        print("\nFurther lessons\n\n" * (path == further) + lesson["title"])
        print(textwrap.indent(textwrap.fill(lesson["question"], 88), "    "))


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
        return json.loads((where / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the results of {name} in {where}: {error}") from error


def run_one(path, out, flags):
    """Run a lesson by its own command line: what it is about, what it saved, and its status."""
    env = dict(os.environ, MPLBACKEND="agg", PYTHONUTF8="1")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(LESSONS.parent), env.get("PYTHONPATH")]))
    command = [sys.executable, str(path.resolve()), "--out", ".", *flags]
    began, text = time.perf_counter(), {"encoding": "utf-8", "errors": "replace"}
    done = subprocess.run(command, env=env, cwd=out, capture_output=True, **text)
    made = about(path) | {"status": done.returncode, "seconds": time.perf_counter() - began}
    if done.returncode:
        return made | {"output": (done.stdout + done.stderr)[-5000:]}
    if path.stem.startswith("00_"):  # it saves no JSON
        results = {"claims": [], "checks": [], "figure": {"alt": "the figure of lesson 00"}}
    else:
        results = load(out, path.stem)
    picture = (out / f"{path.stem}.png").read_bytes()
    return made | {"output": done.stdout, "results": results, "picture": picture}


def run(paths, out, flags):
    """Run lessons one after the other; OUT/index.html is rewritten after each. 1 if any failed."""
    check_writable(out, "index.html")
    made = []
    for i, path in enumerate(paths, 1):
        print(f"[{i} of {len(paths)}] {path.stem} ...", end=" ", flush=True)
        made.append(one := run_one(path, out, flags))
        print(f"{'FAILED' if one['status'] else 'done'}, {one['seconds']:.0f} s")
        if one["status"]:
            print(textwrap.indent(one["output"].rstrip(), "    "))
        _write(out / "index.html", html_page(made, flags, len(paths) - i))
    seconds, failed = sum(one["seconds"] for one in made), sum(one["status"] != 0 for one in made)
    print(f"{len(made) - failed} done, {failed} failed, {seconds:.0f} s: {out / 'index.html'}")
    return 1 if failed else 0


def _write(path, text):
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def gallery(paths, where):
    """A page of each lesson whose results are in a folder, and a README; runs none."""
    made = []
    for path in [path for path in paths if (where / f"{path.stem}.json").exists()]:
        lesson = about(path) | {"results": load(where, path.stem)}
        lesson["script"] = path.read_text(encoding="utf-8")
        others = sorted(where.glob(f"*/{path.stem}.json"))
        lesson["others"] = {one.parent.name: load(one.parent, path.stem) for one in others}
        earlier = where / f"{path.stem}.earlier.md"
        lesson["earlier"] = earlier.read_text(encoding="utf-8") if earlier.exists() else ""
        made.append(lesson)
    if not made:
        raise InputError(f"no results in {where}: python -m sublim_mini run all --out {where}")
    pages = {f"{lesson['name']}.md": gallery_page(lesson) for lesson in made}
    for name, text in {**pages, "README.md": gallery_index(made)}.items():
        _write(where / name, text)
    print(f"{len(made)} lessons: {where / 'README.md'}")


def main(argv=None, lessons=LESSONS):
    """The command line; the status is 0, 1 if a lesson failed, 2 after one line of bad input."""
    raise_signals()
    parser = argparse.ArgumentParser(prog="sublim_mini", usage=USAGE, allow_abbrev=False)
    add = parser.add_argument
    add("command", nargs="?", choices=["run", "gallery"], help="without it: list the lessons")
    add("names", nargs="*", metavar="LESSON", help="what to run: numbers, or all, or further")
    add("--quick", action="store_true", help="run with small numbers")
    add("--seed", type=seed, help="run with another seed")
    add("--out", type=Path, default=Path("results"), help="folder for the results of a run")
    asked = parser.parse_intermixed_args(argv)
    if (asked.command == "run") != bool(asked.names):
        parser.error("`run` needs lessons, and only `run`: run 2 9, run all")
    with redirect_stdout(Output(sys.stdout)):
        try:
            paths, status = find_lessons(lessons), 0
            if asked.command == "run":
                flags = ["--quick"] * asked.quick
                flags += [] if asked.seed is None else ["--seed", str(asked.seed)]
                status = run(choose(asked.names, paths), asked.out, flags)
            elif asked.command == "gallery":
                gallery(paths, lessons / "gallery")
            else:
                list_lessons(paths)
        except (InputError, OSError) as error:
            status = 2
            print(f"sublim_mini: {error}", file=sys.stderr)
        except KeyboardInterrupt as error:
            status = 143 if isinstance(error, Interrupted) else 130
            print()
            print("sublim_mini: interrupted; the page has what ended before", file=sys.stderr)
        sys.stdout.flush()
    return status
