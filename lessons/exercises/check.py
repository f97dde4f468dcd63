"""What the exercises share: how they run, how they call your function, and what they print.

Each exercise file ends with `main(check, experiment)`.
"""

import argparse
import re
import sys
import time
import traceback
from pathlib import Path

import jax
import numpy as np

FOLDER = Path(__file__).parent


class NotYet(Exception):
    """What is wrong with a solution, in words for the one who wrote it."""


def need(condition, message):
    """Go on if the condition is true, else say what is wrong."""
    if not condition:
        raise NotYet(message)


def call(function, *arguments, like, hint=""):
    """function(*arguments), once it is known to have the form of `like`: an array, or params."""
    name, got = function.__name__, function(*arguments)
    need(got is not None, f"{name} returns None: does its last line begin with `return`?")
    alike = jax.tree.structure(got) == jax.tree.structure(like)
    alike = alike and jax.tree.map(np.shape, got) == jax.tree.map(np.shape, like)
    need(alike, f"{name} returns {form(got)}, not {form(like)}. {hint}".strip())
    finite = all(np.isfinite(x).all() for x in jax.tree.leaves(got))
    need(finite, f"{name} returns nan or infinity: is there a 0 / 0?")
    return got


def form(value):
    """What a value is, in words."""
    if isinstance(value, tuple):
        return f"({', '.join(map(form, value))})"
    if isinstance(value, list):
        shapes = [np.shape(x) for x in jax.tree.leaves(value)]
        return f"a list of {len(value)}, with arrays of shapes {shapes}"
    shape = getattr(value, "shape", None)
    if shape is None and not isinstance(value, float | int):
        return type(value).__name__
    return f"an array of shape {shape}" if shape else "one number"


def same(a, b, tolerance=1e-4):
    """Whether two arrays, or two params, are equal up to rounding."""
    return all(
        np.allclose(x, y, rtol=tolerance, atol=tolerance / 10)
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def rule_out(got, mistakes):
    """What each mistake would give, message -> value: say so if it is what we got."""
    for message, value in mistakes.items():
        need(not same(got, value), message)


def main(check, experiment):
    """Check the functions of an exercise, then run its experiment with them. Status 0 or 1."""
    space = check.__globals__  # the names of the exercise's file, your functions among them
    file = Path(space.get("__file__", "exercise.py"))
    is_script = Path(sys.argv[0]).name == file.name
    asked = _flags(sys.argv[1:] if is_script else [])
    if asked.hint:
        return print(hint(file.stem, asked.hint))
    if asked.solution:
        insert_solution(space, file.stem)
    try:
        check()
        print("All checks pass. Now the experiment, with your code ...", flush=True)
        began = time.perf_counter()
        rows = experiment(asked.quick)
        problem = report(rows, asked.quick)
        print(f"{time.perf_counter() - began:.0f} s")
    except NotImplementedError as error:
        problem = f"To do: {error}"
    except NotYet as error:
        problem = f"Not yet: {error}"
    except KeyboardInterrupt:
        problem = "interrupted"
    except Exception as error:
        problem = where(error, file)
    if problem and is_script:
        sys.exit(problem)  # prints it, with exit status 1
    elif problem:
        print(problem)


def _flags(argv):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--hint", type=int, choices=(1, 2, 3), help="print a hint")
    parser.add_argument("--quick", action="store_true", help="the experiment with tiny numbers")
    parser.add_argument("--solution", action="store_true", help="run the posted solution instead")
    return parser.parse_args(argv)


def hint(exercise, number):
    """One hint of hints.md, the others left out of sight."""
    text = (FOLDER / "hints.md").read_text(encoding="utf-8")
    pattern = rf"<summary>{exercise}, hint {number}</summary>\n\n(.*?)\n\n</details>"
    return f"Hint {number} of 3. {re.search(pattern, text, re.DOTALL)[1]}"


def insert_solution(space, exercise):
    """Put the posted functions in the place of those in an exercise's names."""
    path = FOLDER / "solutions" / f"{exercise}.py"
    if not path.exists():
        sys.exit("The solutions are not here: whoever teaches this course may have taken them.")
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)


ADVICE = {  # part of an error's text -> what it may mean here
    "Tracer": "JAX computes this with symbols, not numbers: use jnp, not np, and no `if`.",
    "ncompatible shapes": "Print the shapes: print(x.shape). x[10] is a row, x[:, 10] a column.",
    "'list'": "Params and steps are lists of layers: reach each array by jax.tree.map(f, ...).",
    "ambiguous": "a == b gives many answers, one for each number: (a == b).all() is one.",
    "values to unpack": "A batch, or data, is a pair: (inputs, targets).",
    "callable": "jax.grad takes a function, and gives a function: jax.grad(loss)(params, batch).",
}


def where(error, file):
    """The lines of the reader's code in which an error came up, the error, and advice."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == file]
    frames = [f for f in frames if f.name not in ("check", "experiment")] or frames
    text = f"{type(error).__name__}: {error}".split("\n")[0]
    advice = [f"\n{tip}" for part, tip in ADVICE.items() if part in text][:1]
    lines = "".join(traceback.format_list(frames))
    return f"Your code stopped here:\n{lines}{text}{''.join(advice)}"


def report(rows, quick):
    """Print what the experiment gave, name -> (value, lowest, highest); say what is outside."""
    width = max(map(len, rows))
    print(f"\n{'':{width}}  yours   should be")
    for name, (value, low, high) in rows.items():
        print(f"{name:{width}}  {value:5.2f}   {low:.2f} to {high:.2f}")
    if quick:
        return print("\nTiny numbers, for a quick try: the ranges do not apply.")
    outside = [name for name, (value, low, high) in rows.items() if not low <= value <= high]
    if outside:
        return f"\nOutside its range: {', '.join(outside)}. Did you change any other line?"
    print("\nAs it should be.")
