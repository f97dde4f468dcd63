"""The lessons by one command: without more words it lists them; `run 2 5 8` or `run all` runs them
onto one page, OUT/index.html; `notebooks` makes a notebook of each; `gallery` shows results.

Nothing here imports JAX, so that the list is there at once.
"""

import io
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from .errors import InputError
from .files import check_writable, folder_flag, replacing
from .flags import Parser, number
from .page import gallery_text, page

LESSONS = Path(__file__).parents[1] / "lessons"


def find_lessons(folder):
    """The scripts of the lessons in a folder, in order; InputError if there is none."""
    if paths := sorted(Path(folder).glob("[0-9][0-9]_*.py")):
        return paths
    raise InputError(
        f"no lessons in {folder}: they are in the repository, not in the installed package; "
        "there, pip install -e . and run this again"
    )


def about(path):
    """A lesson's name, title and question, as its own first cell tells them."""
    text = path.read_text(encoding="utf-8").split("\n# %%")[0]
    title = re.search(r"^# # (.*)$", text, re.MULTILINE)
    question = re.search(r"^# \*\*The question\.\*\* (.*?)\n#\n", text + "\n#\n", re.M | re.S)
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


def load(out, name):
    """The results and the picture that a lesson saved in the folder `out`."""
    try:
        results = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        return {"results": results, "picture": (out / f"{name}.png").read_bytes()}
    except (OSError, ValueError) as error:
        raise InputError(f"no results of {name} in {out}: {error}") from error


def run_one(path, out, flags):
    """Run a lesson by its own command line: what it is about, printed and saved, and its status."""
    command = [sys.executable, str(path), "--out", str(out), *flags]
    env = {**os.environ, "MPLBACKEND": "agg", "PYTHONUTF8": "1"}
    began = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", errors="replace")
    made = {**about(path), "status": done.returncode, "printed": done.stdout, "errors": done.stderr}
    try:
        made |= {} if done.returncode else load(out, path.stem)
    except InputError as error:
        made |= {"status": 1, "errors": str(error)}
    return {**made, "seconds": time.perf_counter() - began}


def run(paths, out, flags):
    """Run lessons one after the other, OUT/index.html written anew after each; 1 if any failed."""
    check_writable(out)
    made = []
    for i, path in enumerate(paths, 1):
        print(f"[{i} of {len(paths)}] {path.stem} ...", end=" ", flush=True)
        made.append(run_one(path, out, flags))
        print(f"{'FAILED' if made[-1]['status'] else 'done'}, {made[-1]['seconds']:.0f} s")
        if made[-1]["status"]:
            print(textwrap.indent(made[-1]["errors"][-2000:].rstrip(), "    "), file=sys.stderr)
        with replacing(out / "index.html") as temporary:
            text = page(made, flags, len(paths) - i, smaller)
            temporary.write_text(text, encoding="utf-8")
    seconds, failed = sum(m["seconds"] for m in made), sum(m["status"] != 0 for m in made)
    print(f"{len(made) - failed} done, {failed} failed, {seconds:.0f} s: {out / 'index.html'}")
    return 1 if failed else 0


def smaller(picture, width=1200, limit=120_000):
    """A picture as WebP, at most `width` pixels wide, as good as fits in `limit` bytes."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if image.width > width:
        image = image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)
    for quality in (90, 80, 70, 60, 50):
        image.save(file := io.BytesIO(), "WEBP", quality=quality)
        if file.tell() <= limit:
            break
    return file.getvalue()


def gallery(paths, out, folder):
    """From the results in `out`: a small picture of each lesson, and a README with its numbers."""
    made = [{**about(path), **load(out, path.stem)} for path in paths]
    for lesson in made:
        with replacing(folder / f"{lesson['name']}.webp") as temporary:
            temporary.write_bytes(smaller(lesson["picture"], width=800, limit=60_000))
    with replacing(folder / "README.md") as temporary:
        temporary.write_text(gallery_text(made), encoding="utf-8")
    print(f"{len(made)} lessons: {folder / 'README.md'}")


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
    print(f"{len(paths)} notebooks: {out}")


def main(argv=None, folder=LESSONS):
    """The command line; the status is 0, 1 if a lesson failed, 2 after a line of bad input."""
    parser = Parser(prog="sublim_mini", allow_abbrev=False, description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", parser_class=Parser)
    runs = commands.add_parser("run", help="run lessons: `run 2 5 8`, `run all`")
    runs.add_argument("names", nargs="+", metavar="LESSON", help="a lesson's number, or all")
    runs.add_argument("--quick", action="store_true", help="with small numbers")
    runs.add_argument("--seed", type=number(int, 0, 2**32 - 1), help="another seed (0)")
    books = commands.add_parser("notebooks", help="make a notebook of each lesson")
    shows = commands.add_parser("gallery", help="make lessons/gallery from the results of all")
    for command, out in (runs, "results"), (books, "notebooks"), (shows, "results"):
        command.add_argument("--out", type=folder_flag, default=Path(out), help=f"folder ({out})")
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
            gallery(paths, asked.out, folder / "gallery")
        else:
            for lesson in map(about, paths):
                print(lesson["title"])
                print(textwrap.indent(textwrap.fill(lesson["question"], 88), "    "))
    except InputError as error:
        print(f"sublim_mini: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsublim_mini: interrupted; the page has the lessons that ended", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
