"""What every lesson shares: its command line, its seeds, and what it shows and saves.

    lesson = Lesson("02_hidden_channel", n_aux=10, quick=dict(seeds=2))
    lesson.predict("accuracy of the student")
    results = lesson.run(one_seed)             # one_seed(key) -> a dict of numbers and arrays
    lesson.table("Test accuracy", results["accuracy"], chance=0.1)
    lesson.claim("The student reads digits", results["accuracy"]["student"], above=0.5)
    lesson.finish(figure, alt="...")

S is the number of seeds.
"""

import json
import math
import platform
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from . import __version__, stats
from .data import load_real
from .digits import draw_digits
from .errors import InputError
from .files import check_writable, replacing
from .script import handle_errors, make_parser

PACKAGES = "jax", "jaxlib", "numpy", "optax", "scipy", "matplotlib"


class Lesson:
    """One run of a lesson. Its settings are its attributes: `lesson.n_aux`.

    name      that of the script, without `.py`
    quick     what `--quick` changes: a dict of settings
    seed      the default of `--seed`; seed i of a run is fold_in(key(seed), i)
    digits    whether the lesson reads digits, and so has `--data` and `--data-dir`
    choices   setting -> the words it may be
    limits    setting -> (lowest, highest); otherwise a whole number is from 1 to 100,000, and any
              other number above 0
    settings  name -> default; each is a flag. In a notebook they have their defaults.

    A flag out of range, or a folder that cannot be written, is one line and exit status 2.
    """

    def __init__(
        self,
        name,
        *,
        quick,
        seed=100,
        seeds=8,
        digits=False,
        choices=(),
        limits=(),
        **settings,
    ):
        self.name = name
        self.is_script = Path(sys.argv[0]).stem == name
        caller = sys._getframe(1).f_globals  # the main program with a file is a script
        copied = caller["__name__"] == "__main__" and "__file__" in caller and not self.is_script
        if self.is_script or copied:
            handle_errors(self)
        if copied:
            file = Path(caller["__file__"]).name
            raise InputError(f"this file is {file!r}: name it {name}.py, or its Lesson as the file")
        defaults = {"seed": seed, "seeds": seeds, **settings}
        if digits:
            defaults["data"] = "drawn"
            choices = {"data": ("drawn", "mnist", "fashion"), **dict(choices)}
        limits = {"seed": (0, 2**32 - 1), "seeds": (1, 1000), **dict(limits)}
        parser = make_parser(name, defaults, dict(choices), limits, digits)
        given = vars(parser.parse_args(sys.argv[1:] if self.is_script else []))
        self.out, self.strict, self.threads = (given.pop(k) for k in ("out", "strict", "threads"))
        self.predictions, data_dir = given.pop("predict"), given.pop("data_dir", None)
        small = quick if given.pop("quick") else {}
        self.settings = defaults | small | {k: v for k, v in given.items() if v is not None}
        self.__dict__ |= self.settings
        self.changed = [k for k in settings if self.settings[k] != (defaults | small)[k]]
        if data_dir is not None and self.settings["data"] == "drawn":
            parser.error("--data-dir needs --data mnist or --data fashion")
        self.real = load_real(self.data, data_dir) if digits and self.data != "drawn" else None
        check_writable(self.out, f"{name}.json", f"{name}.png")
        self.tables, self.curves, self.claims = {}, {}, []
        self.predicted, self.began = None, time.perf_counter()
        print(f"{name}  " + ", ".join(f"{k}={v}" for k, v in self.settings.items()), flush=True)

    def predict(self, what, *values):
        """Ask for the reader's prediction: `--predict 0.3` or, in a notebook, `values`."""
        self.predictions, self.predicted = self.predictions or list(values), what
        said = ", ".join(f"{value:g}" for value in self.predictions)
        print(f"\nYour prediction of the {what}: {said or 'none (add --predict 0.3)'}")

    def digits(self, key, n_train=10_000, n_test=2_000):
        """(images [N, 784] in [-1, 1], labels [N]) for training and for testing, of this seed.

        Each key has synthetic digits of its own; of real ones it has a random selection.
        """
        if self.real is None:
            images, labels = draw_digits(key, n_train + n_test)
            return (images[:n_train], labels[:n_train]), (images[n_train:], labels[n_train:])
        both, real = [], self.real
        for images, labels, n, k in (
            (real.train_images, real.train_labels, n_train, jax.random.fold_in(key, 0)),
            (real.test_images, real.test_labels, n_test, jax.random.fold_in(key, 1)),
        ):
            if len(labels) < n:
                raise InputError(f"{self.data} has {len(labels)} images where {n} are needed")
            rows = np.asarray(jax.random.permutation(k, len(labels))[:n])
            both.append((jax.numpy.asarray(images[rows]), jax.numpy.asarray(labels[rows])))
        return tuple(both)

    def run(self, one_seed, executor=None):
        """Call `one_seed(key)`, a dict of numbers and arrays, for each seed -> name -> [S, ...].

        Seeds are independent, so they run side by side: one thread for each core, as JAX computes
        outside Python's lock, or on any `concurrent.futures` executor instead.
        """
        pool = executor or ThreadPoolExecutor(self.threads)
        quiet = self.is_script and not sys.stderr.isatty()
        rows = []
        try:
            with tqdm(total=self.seeds, desc="seeds", leave=False, disable=quiet) as bar:
                for row in pool.map(partial(_call, one_seed, self.seed), range(self.seeds)):
                    rows.append(row)
                    bar.update()
        finally:  # after an error, do not wait for the other seeds
            if executor is None:
                pool.shutdown(wait=False, cancel_futures=True)
        results = _stack(rows)
        self._check_finite(results)
        return results

    def _check_finite(self, results, name=""):
        if isinstance(results, dict):
            for key, value in results.items():
                self._check_finite(value, f"{name} / {key}" if name else key)
        elif not np.isfinite(results).all():
            why = " ".join(f"--{k.replace('_', '-')} {self.settings[k]}" for k in self.changed)
            raise InputError(
                f"the result {name!r} is not a finite number; "
                + (f"take values nearer the defaults for: {why}" if why else "try another --seed")
            )

    def table(self, title, rows, chance=None, span=(0, 1)):
        """Print and keep name -> values [S]: mean, 95 % interval, lowest and highest seed.

        span  the range of what is measured: an interval is not shown beyond it
        """
        self.tables[title] = {name: summary(values, span) for name, values in rows.items()}
        width = max(map(len, rows))
        print(f"\n{title}\n{'':{width}}   mean   95 % interval    lowest, highest seed")
        for name, row in self.tables[title].items():
            values = row["values"]
            if len(set(values)) == 1:
                interval = f"all {len(values)} the same" if len(values) > 1 else "one seed"
            else:
                interval = f"{row['low']:5.2f} to {row['high']:5.2f}"
            print(
                f"{name:{width}}  {row['mean']:5.2f}   {interval:14}   "
                f"{min(values):5.2f}, {max(values):5.2f}"
            )
        if chance is not None:
            print(f"{'chance':{width}}  {chance:5.2f}")

    def compare(self, values):
        """Print the reader's predictions beside the mean of the measured values [S]."""
        for value in self.predictions:
            print(f"You predicted {value:.2f}; the {self.predicted} is {np.mean(values):.2f}.")

    def keep_curves(self, title, x, lines):
        """Save curves with the results: x [T], name -> values [S, T]."""
        self.curves[title] = {"x": x, "lines": lines}

    def claim(self, text, values, **margin):
        """Decide, print and keep a claim about the mean of values [S]: `stats.decide`."""
        claim = {"text": text, **stats.decide(values, **margin)}
        self.claims.append(claim)
        if len(self.claims) == 1:
            print(f"\nClaims, decided by 99 % intervals (n = {claim['n']} seeds):")
        verdict = {True: "HOLDS", False: "DOES NOT HOLD", None: "UNDECIDED (n under 3)"}
        bound = {"above": "above ", "below": "below ", "within": "within ±"}[claim["kind"]]
        effect, low, high = (round(claim[k], 6) for k in ("effect", "low", "high"))  # as saved
        print(
            f"  {verdict[claim['holds']]}: {text}\n      {effect:.3f} ({low:.3f} to {high:.3f}), "
            f"to be {bound}{claim['margin']:g}"
        )

    def finish(self, figure, alt):
        """Save the results (JSON) and the figure (PNG), then end a `--strict` run.

        alt  what the figure shows, in words, for those who cannot see it
        """
        print("\nA claim can fail in one run: if the truth lies at its margin, 1 run in 200 errs.")
        results = {
            "lesson": self.name,
            "settings": self.settings,
            "versions": versions(),
            "seconds": round(time.perf_counter() - self.began, 1),
            "conditions": next(iter(self.tables.values()), {}),
            "tables": self.tables,
            "curves": self.curves,
            "claims": self.claims,
            "predictions": self.predictions,
            "figure": {"title": " ".join(figure.get_suptitle().split()), "alt": alt},
            "printed": getattr(sys.stdout, "text", ""),
        }
        text = json.dumps(_plain(results), indent=1, allow_nan=False)
        where = Path(self.out) / self.name
        with replacing(f"{where}.json") as data, replacing(f"{where}.png") as picture:
            data.write_text(text + "\n", encoding="utf-8")
            figure.savefig(picture, format="png")
            self.saved = f"it was saving {where}.json and .png"  # both are replaced now
        self.saved = "the results were saved"
        print(f"{results['seconds']:.0f} s. Saved {where}.json and {where}.png")
        if self.strict and not all(claim["holds"] for claim in self.claims):
            raise SystemExit(1)


def versions():
    """Name -> version of all that a result depends on. This package need not be installed."""
    ours = {"python": platform.python_version(), "sublim_mini": __version__}
    return ours | {package: metadata.version(package) for package in PACKAGES}


def summary(values, span=(-math.inf, math.inf)):
    """Values [S] -> a dict of the values, their mean and its 95 % interval, cut to the span."""
    mean, low, high = stats.mean_interval(values)
    low, high = max(low, span[0]), min(high, span[1])
    # rounded as in the JSON, so that what is printed is what is saved
    return _plain({"values": np.asarray(values), "mean": mean}) | {"low": low, "high": high}


def _call(one_seed, seed, i):
    """One seed's results as NumPy arrays, so that its thread or process waits for them."""
    return _numpy(one_seed(jax.random.fold_in(jax.random.key(seed), i)))


def _numpy(tree):
    if isinstance(tree, dict):
        return {name: _numpy(value) for name, value in tree.items()}  # in the order given
    return np.asarray(tree)


def _stack(rows):
    """Dicts, one for each seed -> one dict of arrays [S, ...]."""
    if isinstance(rows[0], dict):
        return {name: _stack([row[name] for row in rows]) for name in rows[0]}
    return np.stack(rows)


def _plain(value):
    """Arrays as lists and rounded numbers; what is not finite, such as a missing end, as null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
