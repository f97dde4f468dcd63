"""How an exercise runs, and how its functions are called and compared."""

import argparse
import importlib
import importlib.util
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np

from .errors import explain

FOLDER = Path(__file__).parents[1]
SOLUTIONS = FOLDER / "solutions"
BUILT_IN = {1: "network", 2: "teacher", 3: "loop", 4: "student"}  # these fill my_effect.py


# ---- what the checks use ----


class NotYet(Exception):
    """What is wrong with a function, in words for the one who wrote it."""


def need(condition, message):
    """Go on if the condition is true, else say what is wrong."""
    if not condition:
        raise NotYet(message)


def call(function, *arguments, like, hint="", name=None):
    """function(*arguments), once it has the form of `like`: a number, an array, params, a pair.

    The function gets copies. It must return something finite, and leave its arguments as they are.
    """
    name, copies = name or function.__name__, jax.tree.map(_copy, arguments)
    got = function(*copies)
    need(got is not None, f"{name} returns nothing (None): its last line should begin with return.")
    need(not callable(got), f"{name} returns a function, not its result: call it, with ( ).")
    wrong = _difference(got, like)
    need(not wrong, f"{name} returns {wrong}. {hint}".strip())
    got = _like(got, like)
    finite = all(np.isfinite(x).all() for x in jax.tree.leaves(got))
    need(
        finite, f"{name} returns nan or infinity: a 0 / 0, a log of less than 0, a mean of nothing?"
    )
    message = f"{name} changes what it was given, in place: make something new, and return that."
    need(_untouched(copies, arguments), message)
    return got


def _copy(x):
    return x.copy() if isinstance(x, np.ndarray) else x


def _untouched(copies, arguments):
    one, other = (jax.tree.leaves(x) for x in (copies, arguments))
    equal = (
        a is b or isinstance(b, np.ndarray) and np.array_equal(a, b)
        for a, b in zip(one, other, strict=False)
    )
    return jax.tree.structure(copies) == jax.tree.structure(arguments) and all(equal)


def _like(got, like):
    """The same values, with lists and tuples as in `like`: either will do."""
    if isinstance(like, list | tuple):
        values = [_like(a, b) for a, b in zip(got, like, strict=True)]
        return type(like)(*values) if hasattr(like, "_fields") else type(like)(values)
    if isinstance(like, dict):
        return {key: _like(got[key], like[key]) for key in like}
    return got


def _difference(got, like, place=""):
    """In what form `got` is, if it is not that of `like`, in words; else None."""
    if isinstance(like, list | tuple):
        what = "layers" if like and isinstance(like[0], dict) else "things"
        if not isinstance(got, list | tuple) or len(got) != len(like):
            return f"{place}{_form(got)}, where a list of {len(like)} {what} is needed"
        parts = enumerate(zip(got, like, strict=True))
        parts = [_difference(a, b, f"{place}{what[:-1]} {i}: ") for i, (a, b) in parts]
        return next(filter(None, parts), None)
    if isinstance(like, dict):
        if not isinstance(got, dict) or set(got) != set(like):
            return f"{place}{_form(got)}, where a dict with the keys {sorted(like)} is needed"
        return next(
            filter(None, (_difference(got[k], like[k], f"{place}{k}: ") for k in like)), None
        )
    if isinstance(got, list | tuple | dict | str) or np.shape(got) != np.shape(like):
        return f"{place}{_form(got)}, where {_form(like)} is needed"
    return None


def _form(value):
    """What a value is, in a few words."""
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"a dict with the keys {sorted(value, key=str)[:4]}"
    if isinstance(value, str) or value is None or not hasattr(value, "shape"):
        return "one number" if isinstance(value, int | float) else f"a {type(value).__name__}"
    return f"an array of shape {list(value.shape)}" if value.shape else "one number"


def same(a, b, tolerance=1e-4):
    """Whether two arrays, or two params, are equal up to rounding; False if their forms differ."""
    return not _difference(a, b) and all(
        np.allclose(x, y, rtol=tolerance, atol=tolerance / 10)
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def rule_out(got, mistakes):
    """What each mistake would give, message -> value: say so if it is what we got."""
    for message, value in mistakes.items():
        need(not same(got, value), message)


def some_params(key, sizes=(6, 5, 4, 20)):
    """Random params, biases too: a function that forgets the biases is found out."""
    keys = jax.random.split(key, (len(sizes), 2))
    return [
        {"weights": jax.random.normal(k, (n_in, n_out)), "biases": jax.random.normal(k_bias, n_out)}
        for (k, k_bias), n_in, n_out in zip(keys, sizes[:-1], sizes[1:], strict=False)
    ]


def logits_of(params, x):
    """The right logits [N, 20] of a network for inputs x [N, inputs], in NumPy."""
    x = np.asarray(x)
    for i, layer in enumerate(params):
        x = x if i == 0 else np.maximum(x, 0)
        x = x @ np.asarray(layer["weights"]) + np.asarray(layer["biases"])
    return x


@contextmanager
def replaced(space, **names):
    """The names of a file, a dict, replaced for a while: to see what a function calls."""
    saved = {name: space[name] for name in names}
    space.update(names)
    try:
        yield
    finally:
        space.update(saved)


# ---- how an exercise runs ----


def main(space):
    """Check the functions of an exercise, then run its experiment with them. Status 0 or 1.

    space  the names of the exercise's file: its functions, `effect`, `run(quick)` -> rows, PREDICT
    """
    file, flags = Path(space["__file__"]), _flags(sys.argv[1:])
    if flags.hint:
        return print(hint(file.stem, flags.hint))
    space["effect"] = _effect()  # again: in an editor's console, an older one may still be there
    if flags.solution:
        insert_solution(space, file.stem)
    problem = attempt(lambda: check(space), file)
    if not problem:
        print("All checks pass.")
        asked = f'Your prediction of "{space["PREDICT"]}"? (such as 0.3 or 30%, or just Enter) '
        predicted = None if flags.quick else ask(asked)
        print("Now the experiment, with your code ...", flush=True)
        began = time.perf_counter()
        rows = []
        problem = attempt(lambda: rows.append(space["run"](flags.quick)), file)
        problem = problem or report(*rows, space["PREDICT"], predicted)
        print(f"({time.perf_counter() - began:.0f} s)")
        if flags.quick and rows:
            print("--quick: tiny numbers. They mean nothing; the last column is for the full run.")
            problem = None
    if problem and not problem.startswith(("To do", "Delete")):
        if not (flags.given or flags.solution):  # perhaps the mistake is in an earlier exercise
            problem = attempt(lambda: check_earlier(space), file) or problem
    if problem:
        sys.exit(problem)  # prints it, with exit status 1


def _flags(argv):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--hint", type=int, choices=(1, 2, 3), help="print a hint")
    parser.add_argument("--quick", action="store_true", help="the experiment with tiny numbers")
    parser.add_argument("--given", action="store_true", help="exercises 1 to 4 from the package")
    parser.add_argument("--solution", action="store_true", help="run the posted solution instead")
    return parser.parse_args(argv)


def check(space):
    """The checks of an exercise; NotYet if one fails."""
    importlib.import_module(f"checks.{Path(space['__file__']).stem[2:]}").check(space)


def check_earlier(space):
    """The checks of the exercises whose functions are in my_effect.py, and used here."""
    for n in range(1, min(int(Path(space["__file__"]).name[0]), 5)):
        try:
            importlib.import_module(f"checks.{BUILT_IN[n]}").check(space)
        except NotYet as error:
            raise NotYet(f"exercise {n} does not pass (any more). {error}") from None


def attempt(function, file):
    """Call it -> None if all went well, else what went wrong, in words."""
    try:
        return function()
    except NotYet as error:
        return f"Not yet: {error}"
    except KeyboardInterrupt:
        return "Interrupted."
    except Exception as error:
        return explain(error, file)


def ask(question):
    """The number typed as an answer; None for Enter alone, or where nobody can type."""
    while True:
        try:
            text = input(question).strip().replace(",", ".")
        except (EOFError, OSError):
            return print()
        if not text:
            return None
        try:
            return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            print("That is no number. For example 0.3, or 30%.")


def report(rows, asked, predicted):
    """Print what the experiment gave, name -> (value, lowest, highest); say what is outside."""
    width = max(map(len, rows))
    print(f"\n{'':{width}}  {'you said    ' * (predicted is not None)}   yours   should be")
    for name, (value, low, high) in rows.items():
        digits = 4 if high <= 0.1 else 2
        said = f"{predicted:8.2f}    " if name == asked and predicted is not None else ""
        said = said or 12 * " " * (predicted is not None)
        print(f"{name:{width}}  {said}{value:8.{digits}f}   {low:.{digits}f} to {high:.{digits}f}")
    outside = [name for name, (value, low, high) in rows.items() if not low <= value <= high]
    if outside:
        return f"\nOutside its range: {', '.join(outside)}. Was a line changed that was given?"


def hint(exercise, number):
    """One hint of hints.md, the others left out of sight."""
    text = (FOLDER / "hints.md").read_text(encoding="utf-8")
    pattern = rf"<summary>{exercise}, hint {number}</summary>\n\n(.*?)\n\n</details>"
    return f"Hint {number} of 3. {re.search(pattern, text, re.DOTALL)[1]}"


def insert_solution(space, exercise):
    """Put the posted functions in the place of those in an exercise's names."""
    path = SOLUTIONS / f"{exercise}.py"
    if path.exists():  # exercises 1 to 4 have their solutions in my_effect.py
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), space)


def _effect():
    """my_effect.py as a module; with --given the package's functions, or the posted solution."""
    if "--given" in sys.argv:
        return importlib.import_module("checks.given")
    path = SOLUTIONS / "my_effect.py" if "--solution" in sys.argv else FOLDER / "my_effect.py"
    if not path.exists():
        what = "The posted solutions are" if "--solution" in sys.argv else "my_effect.py is"
        sys.exit(f"{what} not here: see README.md.")
    spec = importlib.util.spec_from_file_location("my_effect", path)
    module = importlib.util.module_from_spec(spec)
    problem = attempt(lambda: spec.loader.exec_module(module), path)
    if problem:
        sys.exit(problem)
    return module


effect = _effect()
