"""What all lessons share: the command line, the seeds, the table, the saved results.

A lesson calls `start` with its frozen settings, loops over `lesson.seeds()`, and ends with
`lesson.finish`. Bad input anywhere in between ends the script with one line and status 2.
"""

import argparse
import dataclasses
import json
import math
import platform
import sys
import time
import typing
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from .. import __version__
from ..data import Digits, load_real
from ..digits import draw_digits
from ..errors import InputError
from ..files import check_writable, folder_flag, replacing
from ..flags import Parser, number
from . import stats

SHARED = 2**32 - 1  # the number of the run's shared key, that no seed i can have
PACKAGES = "jax", "jaxlib", "numpy", "optax", "scipy", "matplotlib"


def option(default, help, low=None, high=None, choices=None):
    """A field of a settings class, with the help and the range of its flag.

    Unless `low` says otherwise, a whole number is at least 1 and any other number above 0.
    """
    extra = dict(help=help, low=low, high=high, choices=choices)
    return dataclasses.field(default=default, metadata=extra)


def start(name, settings, *, quick, seeds=8, digits=False, recipes=None):
    """Read the command line of lesson `name` and return its `Lesson`.

    settings  an instance of a frozen dataclass: the defaults; one flag is made from each field
    quick     what `--quick` changes: a dict of fields, and of `seeds`
    digits    whether the lesson reads digits, and so has `--data` and `--data-dir`
    recipes   other settings by name, for `--recipe NAME`; the first one is `settings`

    In a notebook, where the command line is not the lesson's, all is at its default. An unknown
    flag or a value out of range ends the script with one line and status 2.
    """
    own = Path(sys.argv[0]).stem == name
    script = getattr(sys.modules["__main__"], "__file__", None)  # a notebook has none
    if not own and script and script == sys._getframe(1).f_globals.get("__file__"):
        print(f"{script}: start(...) says {name!r}: give file and lesson one name", file=sys.stderr)
        raise SystemExit(2)
    if own:
        sys.excepthook = _one_line_for(name, sys.excepthook)
    flags = _parser(name, settings, seeds, digits, recipes).parse_args(sys.argv[1:] if own else [])
    given = {k: v for k, v in vars(flags).items() if v is not None}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    settings = (recipes or {}).get(given.get("recipe"), settings)
    if flags.quick:
        given = {**quick, **given}
    fields = {f.name for f in dataclasses.fields(settings)}
    settings = dataclasses.replace(settings, **{k: v for k, v in given.items() if k in fields})
    lesson = Lesson(
        name=name,
        settings=settings,
        seed=given.get("seed", 0),
        n_seeds=given.get("seeds", seeds),
        out=Path(given.get("out", "results")),
        strict=flags.strict,
        data=given.get("data", "drawn") if digits else None,
        real=None,
        began=time.perf_counter(),
    )
    if digits and lesson.data != "drawn":
        lesson.real = load_real(lesson.data, given.get("data_dir"))
    check_writable(lesson.out)
    print(f"{name}  {lesson.describe()}\n", flush=True)
    return lesson


@dataclasses.dataclass
class Lesson:
    """One run of a lesson: its settings, its seeds, and where its results go."""

    name: str
    settings: typing.Any
    seed: int
    n_seeds: int
    out: Path
    strict: bool
    data: str | None
    real: Digits | None
    began: float

    def describe(self):
        """The run's settings in one line."""
        own = dict(seed=self.seed, seeds=self.n_seeds)
        if self.data:
            own["data"] = self.data
        return ", ".join(f"{k}={v}" for k, v in {**own, **self._fields()}.items())

    def _fields(self):
        return dataclasses.asdict(self.settings)

    def seeds(self, text="seeds", n=None):
        """The keys of the run's seeds, one after the other, with a progress bar."""
        for i in self.progress(range(n or self.n_seeds), text):
            yield jax.random.fold_in(jax.random.key(self.seed), i)

    def two_at_once(self, function, items, text="seeds"):
        """[function(item) for item in items], two in turn side by side: small steps fill one core.

        JAX lets other Python threads run while it computes. The results are the same as one by one.
        """
        items = list(items)
        with ThreadPoolExecutor(2) as threads:
            return list(self.progress(threads.map(function, items), text, len(items)))

    def shared_key(self):
        """The key of what all seeds of the run share, such as the drawn digits or a language."""
        return jax.random.fold_in(jax.random.key(self.seed), SHARED)

    def progress(self, items, text, total=None):
        """The items, one after the other, with a progress bar."""
        return tqdm(items, desc=text, total=total, leave=False)

    def digits(self, n_train, n_test):
        """`Digits` of the data set asked for: drawn for this run, or the first of the real ones."""
        if self.data == "drawn":
            images, labels = draw_digits(self.shared_key(), n_train + n_test)
            return Digits(images[:n_train], labels[:n_train], images[n_train:], labels[n_train:])
        real = self.real
        there = len(real.train_labels), len(real.test_labels)
        if there[0] < n_train or there[1] < n_test:
            raise InputError(
                f"{self.data} has {there[0]} + {there[1]} images, not {n_train} + {n_test}"
            )
        parts = real.train_images, real.train_labels, real.test_images, real.test_labels
        sizes = n_train, n_train, n_test, n_test
        return Digits(*(jax.numpy.asarray(x[:n]) for x, n in zip(parts, sizes, strict=True)))

    def prediction(self, predicted, measured, what):
        """Print how far the reader's prediction is from what was measured."""
        print(f"You predicted {what} of {predicted:.2f}; it is {measured:.2f}: ", end="")
        print(
            "spot on.\n"
            if abs(predicted - measured) < 0.05
            else f"a miss of {measured - predicted:+.2f}.\n"
        )

    def finish(self, conditions, claims, figure, **more):
        """Print the claims, save the results (JSON) and the figure (PNG), and end a `--strict` run.

        conditions  name -> values, one a seed
        more        anything else worth keeping, such as curves: arrays are saved as lists
        """
        print("\nClaims, each decided by a 99 % interval:")
        for claim in claims:
            print(f"  {claim}")
        results = {
            "lesson": self.name,
            "settings": {
                "seed": self.seed,
                "seeds": self.n_seeds,
                "data": self.data,
                **self._fields(),
            },
            "versions": {
                "python": platform.python_version(),
                "sublim_mini": __version__,
                **{name: metadata.version(name) for name in PACKAGES},
            },
            "seconds": round(time.perf_counter() - self.began, 1),
            "conditions": {
                name: {"values": values, **stats.mean_interval(values)._asdict()}
                for name, values in conditions.items()
            },
            "claims": [claim._asdict() for claim in claims],
            "finding": " ".join(figure.get_suptitle().split()),
            **more,
        }
        text = json.dumps(_plain(results), indent=1, allow_nan=False)
        self._write(".json", lambda path: path.write_text(text + "\n", encoding="utf-8"))
        self._write(".png", lambda path: figure.savefig(path, format="png", dpi=150))
        where = self.out / self.name
        print(f"\n{results['seconds']:.0f} s. Saved {where}.json and {where}.png")
        if self.strict and not all(claim.holds for claim in claims):
            raise SystemExit(1)

    def _write(self, ending, write):
        with replacing(self.out / (self.name + ending)) as path:
            write(path)


def print_table(conditions, chance=None, digits=3, unit="accuracy"):
    """Print a row for each condition, name -> values [n]: mean, 95 % interval and range."""
    width = max(map(len, conditions))
    print(f"{'':{width}}  {unit:>8}  95 % interval      lowest, highest seed")
    for name, values in conditions.items():
        mean, *ends = (f"{x:.{digits}f}" for x in stats.mean_interval(values))
        low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
        print(f"{name:{width}}  {mean:>8}  {ends[0]:>6} to {ends[1]:>6}   {low}, {high}")
    if chance is not None:
        print(f"{'(chance)':{width}}  {chance:8.{digits}f}")


def _one_line_for(name, usual):
    """An excepthook: bad input is a line and status 2, an interruption 130, a bug a traceback."""

    def hook(kind, error, trace):
        if issubclass(kind, InputError):
            print(f"{name}: {error}", file=sys.stderr)
            raise SystemExit(2)
        if issubclass(kind, KeyboardInterrupt):
            print(f"\n{name}: interrupted; nothing was written", file=sys.stderr)
            raise SystemExit(130)
        usual(kind, error, trace)

    return hook


def _parser(name, settings, seeds, digits, recipes):
    parser = Parser(prog=name, allow_abbrev=False, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the same code with small numbers")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 if a claim does not hold"
    )
    parser.add_argument(
        "--seed", type=number(int, 0, 2**32 - 1), help="first number of the run's keys (0)"
    )
    parser.add_argument("--seeds", type=number(int, 1), help=f"how many seeds ({seeds})")
    parser.add_argument("--out", type=folder_flag, help="folder for the results (results)")
    if digits:
        sets = ["drawn", "mnist", "fashion"]
        parser.add_argument("--data", choices=sets, help="which digits (drawn)")
        parser.add_argument("--data-dir", type=folder_flag, help="where the real ones are")
    if recipes:
        parser.add_argument("--recipe", choices=list(recipes), help=f"({next(iter(recipes))})")
    kinds = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        about, default = field.metadata, getattr(settings, field.name)
        many = typing.get_origin(kinds[field.name]) is tuple
        kind = typing.get_args(kinds[field.name])[0] if many else kinds[field.name]
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=kind if kind is str else number(kind, about["low"], about["high"]),
            nargs="+" if many else None,
            choices=about["choices"],
            help=f"{about['help']} ({' '.join(map(str, default)) if many else default})".replace(
                "%", "%%"
            ),
        )
    return parser


def _plain(value):
    """Arrays and numpy numbers as lists and numbers, nan as null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return _plain(np.asarray(value).tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
