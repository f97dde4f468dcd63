"""What every lesson shares: its command line, its seeds, and one vocabulary for its results.

    lesson = Lesson("01_hidden_channel", n_aux=10, quick=dict(seeds=2))
    lesson.predict("student", "accuracy")
    results = lesson.run(one_seed)             # one_seed(key) -> a dict of numbers and arrays
    lesson.dots("test accuracy", results["accuracy"], chance=0.1)
    lesson.claim("the student reads digits", "student", minus="chance", above=0.5)
    lesson.finish("A student that saw only noise reads digits")

A call prints what it is given, keeps it for the JSON, draws it, and describes the drawing in words;
made again, with the same title or text, it takes the place of the first. S is the number of seeds.
"""

import json
import math
import platform
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path

import jax
import numpy as np
from tqdm import tqdm

from .. import InputError, __version__, stats
from . import plots
from .files import check_writable, replacing
from .mnist import load_real
from .pages import BOUND
from .script import handle_errors, in_kernel, make_parser, running_script

PACKAGES = "jax", "jaxlib", "numpy", "optax", "scipy", "matplotlib"
RESERVED = "out", "strict", "threads", "predictions", "settings", "changed", "real", "rows"
INDENT = 6 * " "


class Lesson:
    """One run of a lesson. Its settings are its attributes: `lesson.n_aux`.

    name      that of the script, without `.py`
    quick     what `--quick` changes: a dict of settings
    seed      the default of `--seed`; seed i of a run is fold_in(key(seed), i)
    digits    whether the lesson reads digits, and so has `--data` and `--data-dir`
    settings  name -> default; each is a flag: a whole number from 1 to 100,000, another number, a
              text, a bool, or a tuple of its choices. In a notebook they have their defaults.

    A bad flag, or a folder that cannot be written, is one line and exit status 2.
    """

    def __init__(self, name, *, quick, seed=100, seeds=8, digits=False, **settings):
        self.name, self.saved, self.began = name, "nothing was saved", time.perf_counter()
        self.tables, self.shown_curves, self.panels = {}, {}, {}
        self.claims, self.checks, self.predicted = {}, {}, None
        script = running_script()
        if script and not in_kernel():
            handle_errors(self)
        if script and script.stem != name:
            raise InputError(f"this file is {script.name!r}: name it {name}.py, or change Lesson")
        flags = {"seed": seed, "seeds": seeds, **settings}
        if digits:
            flags["data"] = "drawn", "mnist", "fashion"
        for setting in flags:
            if hasattr(Lesson, setting) or setting in (*vars(self), *RESERVED):
                raise InputError(f"a setting cannot be named {setting!r}: Lesson has one")
        if unknown := set(quick) - set(flags):
            raise InputError(f"quick has {sorted(unknown)}, which are no settings")
        parser = make_parser(name, flags, digits)
        given = vars(parser.parse_args(sys.argv[1:] if script else []))
        self.out, self.strict, self.threads = (given.pop(k) for k in ("out", "strict", "threads"))
        self.predictions, data_dir = given.pop("predict"), given.pop("data_dir", None)
        defaults = {k: v[0] if isinstance(v, tuple) else v for k, v in flags.items()}
        defaults |= quick if given.pop("quick") else {}
        self.settings = defaults | {k: v for k, v in given.items() if v is not None}
        self.__dict__ |= self.settings
        self.changed = [k for k in settings if self.settings[k] != defaults[k]]
        if data_dir is not None and self.data == "drawn":
            parser.error("--data-dir needs --data mnist or --data fashion")
        self.real = load_real(self.data, data_dir) if digits and self.data != "drawn" else None
        check_writable(self.out, f"{name}.json", f"{name}.png")
        print(f"{name}  " + ", ".join(f"{k}={v}" for k, v in self.settings.items()), flush=True)

    def predict(self, row, what, *values):
        """Ask for the reader's prediction: `--predict 0.3` or, in a notebook, `values`.

        row   the row of a table, or the curve, that it will be compared with
        what  what is measured there
        """
        self.predictions, self.predicted = list(values) or self.predictions, row
        said = ", ".join(f"{value:g}" for value in self.predictions)
        print(f"\nYour prediction of the {what}, {row}: {said or 'none (add --predict NUMBER)'}")

    def digits(self, key, n_train=10_000, n_test=2_000):
        """(images [N, 784] in [-1, 1], labels [N]) for training and for testing, of this seed.

        Each key has synthetic digits of its own; of real ones it has a random selection.
        """
        if self.real is None:
            from ..digits import draw_digits

            images, labels = draw_digits(key, n_train + n_test)
            return (images[:n_train], labels[:n_train]), (images[n_train:], labels[n_train:])
        both = []
        for i, (n, (images, labels)) in enumerate(zip((n_train, n_test), self.real, strict=True)):
            if len(labels) < n:
                raise InputError(f"{self.data} has {len(labels)} images where {n} are needed")
            rows = np.asarray(jax.random.permutation(jax.random.fold_in(key, i), len(labels))[:n])
            both.append((jax.numpy.asarray(images[rows]), jax.numpy.asarray(labels[rows])))
        return tuple(both)

    def run(self, one_seed, executor=None):
        """Call `one_seed(key)`, a dict of numbers and arrays, for each seed -> name -> [S, ...].

        Seeds are independent, so they run side by side: one thread for each core, as JAX computes
        outside Python's lock, or on any `concurrent.futures` executor instead. The values of all
        seeds are saved at once; if one is not a finite number, InputError says which.
        """
        pool = executor or ThreadPoolExecutor(self.threads)
        quiet = bool(running_script()) and not sys.stderr.isatty()  # None: tqdm decides
        rows, bad = [], []
        try:
            with tqdm(total=self.seeds, desc="seeds", leave=False, disable=quiet) as bar:
                for row in pool.map(partial(_call, one_seed, self.seed), range(self.seeds)):
                    bad += _check(row, rows[0] if rows else row, len(rows))
                    rows.append(row)
                    bar.update()
        finally:  # after an error, do not wait for the other seeds
            if executor is None:
                pool.shutdown(wait=False, cancel_futures=True)
        results = _map(lambda *values: np.stack(values), *rows)
        where = self._save({"results": results})
        self.saved = f"the values of all seeds are in {where}"
        if bad:
            why = " ".join(f"--{k.replace('_', '-')} {self.settings[k]}" for k in self.changed)
            hint = f"take values nearer the defaults for {why}" if why else "so that seed failed"
            raise InputError(f"{bad[0]} is not a finite number: {hint}; {self.saved}")
        return results

    # ---- what is shown ----

    def images(self, title, pixels, captions=None, panel=False):
        """Images [N, 784], or those of the first of S seeds, and their captions.

        captions  texts [N], or numbers [N, K] as `pixels`; they are printed
        panel     whether to draw the images in the figure, too
        """
        pixels, captions = np.asarray(pixels), () if captions is None else captions
        if pixels.ndim == 3:
            pixels, captions = pixels[0], captions[0] if len(captions) else ()
        lines = [_numbers(caption, 6).replace("\n", " ") for caption in captions]
        short = [_numbers(caption, 3) for caption in captions]
        print("\n" + "\n".join([title, *(f"  image {i}: {t}" for i, t in enumerate(lines, 1))]))
        if panel:
            draw = partial(plots.images, pixels=pixels, captions=short, title=title)
            captioned = " captioned " + ", ".join(short) if short else ""
            self.panel(draw, f"{title}: {len(pixels)} images{captioned}", 1, title)

    def curves(self, title, x, lines, chance=None, xlabel="step", colors=None):
        """A panel of curves: x [T], name -> values [S, T]; each seed thin, the mean thick."""
        lines = {name: np.asarray(values, float) for name, values in lines.items()}
        levels = {} if chance is None else {"chance": chance}
        self.shown_curves[title] = {"x": x, "lines": lines}
        draw = partial(plots.curves, x=x, lines=lines, levels=levels, colors=colors)
        ends = [(name, v[:, 0].mean(), v[:, -1].mean()) for name, v in lines.items()]
        alt = "; ".join(f"{name} from {first:.2f} to {last:.2f}" for name, first, last in ends)
        alt = f"{title} by {xlabel}: {alt}"
        self.panel(partial(draw, labels=(xlabel, title)), alt, title=title)
        self._compare({name: values[:, -1] for name, values in lines.items()})

    def dots(self, title, rows, chance=None, panel=True, **look):
        """Print and keep name -> values [S]: mean, 95 % interval, lowest and highest seed.

        The first such table is the main one; with `panel` it is a panel, too, a dot for each seed,
        which looks as `plots.dots` is told.
        """
        rows = {name: np.asarray(values, float) for name, values in rows.items()}
        if not self.tables or title == next(iter(self.tables)):
            self.rows, self.chance = rows, chance
        self.tables[title] = {name: summary(values) for name, values in rows.items()}
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
        if chance:
            print(f"{'chance':{width}}  {chance:5.2f}")
        self._compare(rows)
        if panel:
            look = {"chance": chance, "label": title} | look
            draw = partial(plots.dots, rows=rows, **look)
            alt = "; ".join(f"{name} {values.mean():.2f}" for name, values in rows.items())
            alt = f"{title}, a dot for each seed. Means: {alt}"
            self.panel(draw, alt, title=title)

    def panel(self, draw, alt, width=2, title=None):
        """A panel that is this lesson's own: `draw(ax)`; `alt` says in words what it shows."""
        self.panels[title or alt] = draw, alt, width
        if len(self.panels) > 2:
            raise ValueError(f"a figure has at most two panels, not also {title or alt!r}")

    def _compare(self, rows):
        """Print the reader's predictions beside the mean of the row that they are of."""
        if self.predicted in rows:
            self.compared = float(np.mean(rows[self.predicted]))
            for value in self.predictions:
                print(f"You predicted {value:.2f}; it is {self.compared:.2f}.")

    # ---- what is claimed ----

    @property
    def mean(self):
        """The means of the rows of the first `dots`."""
        return {name: float(values.mean()) for name, values in self.rows.items()}

    def claim(self, text, values, minus=None, **margin):
        """Decide, print and keep what could be false: a claim about a mean (`stats.decide`).

        values, minus  values [S], or the name of a row of the first `dots`; "chance" is its chance
        """
        head = f"Claims, decided by 99 % intervals (n = {self.seeds} seeds):"
        self._decide(self.claims, head, text, values, minus, margin)

    def check(self, text, values, minus=None, **margin):
        """As `claim`, for what must hold: the text says why. It is no finding."""
        head = "Checks: these must hold, so they are no findings."
        self._decide(self.checks, head, text, values, minus, margin)

    def _decide(self, kept, head, text, values, minus, margin):
        values = self._values(values) - (0 if minus is None else self._values(minus))
        kept[text] = one = {"text": text, **stats.decide(values, **margin)}
        if text == next(iter(kept)):
            print(f"\n{head}")
        effect, low, high = (f"{one[k]:.3f}" for k in ("effect", "low", "high"))
        verdict = one["verdict"].upper() + " (n under 3)" * (one["n"] < stats.FEWEST)
        bound = f"{BOUND[one['kind']]}{one['margin']:g}"
        print(
            textwrap.fill(f"{verdict}: {text}", 96, initial_indent="  ", subsequent_indent=INDENT)
        )
        print(f"{INDENT}{effect} ({low} to {high}), to be {bound}")

    def _values(self, values):
        if isinstance(values, str):
            values = self.chance if values == "chance" else self.rows[values]
        return np.asarray(values, float)

    # ---- what is saved ----

    def finish(self, title):
        """Save the results (JSON) and the figure (PNG), titled by a sentence; end `--strict`."""
        if self.predicted and not hasattr(self, "compared"):
            raise ValueError(f"no row or curve is named {self.predicted!r}, as predicted")
        if self.claims:
            print("\nBy bad luck a true claim can fail: at worst in 1 run of 200.")
        claims, checks = list(self.claims.values()), list(self.checks.values())
        alt = ". ".join(alt for _, alt, _ in self.panels.values()) + "."
        where = self._save(
            {
                "conditions": next(iter(self.tables.values()), {}),
                "tables": self.tables,
                "curves": self.shown_curves,
                "claims": claims,
                "checks": checks,
                "predictions": self.predictions,
                "figure": {"title": title, "alt": alt},
                "printed": getattr(sys.stdout, "text", ""),
            }
        )
        self.saved = f"the results are in {where}"
        panels = [(draw, width) for draw, _, width in self.panels.values()]
        mark = partial(plots.predictions, row=self.predicted, values=self.predictions)
        picture = where.with_suffix(".png")
        with replacing(picture) as temporary:
            figure = plots.draw_figure(title, panels, temporary, mark)
        print(f"{time.perf_counter() - self.began:.0f} s. Saved {where} and {picture.name}")
        if self.strict and not all(one["holds"] for one in claims + checks):
            raise SystemExit(1)
        return figure if in_kernel() else None

    def _save(self, what):
        """Save a part of the results with what every run says of itself -> the path."""
        path = Path(self.out) / f"{self.name}.json"
        run = {"lesson": self.name, "settings": self.settings, "versions": versions()}
        run["seconds"] = round(time.perf_counter() - self.began, 1)
        text = json.dumps(_plain(run | what), indent=1, allow_nan=False)
        with replacing(path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        return path


def versions():
    """Name -> version of all that a result depends on. This package need not be installed."""
    ours = {"python": platform.python_version(), "sublim_mini": __version__}
    return ours | {package: metadata.version(package) for package in PACKAGES}


def summary(values):
    """Values [S] -> a dict of the values, their mean and its 95 % interval, rounded as saved."""
    mean, low, high = stats.mean_interval(values)
    return _plain({"values": np.asarray(values), "mean": mean, "low": low, "high": high})


def _call(one_seed, seed, i):
    """One seed's results as NumPy arrays, so that its thread or process waits for them."""
    return _map(np.asarray, one_seed(jax.random.fold_in(jax.random.key(seed), i)))


def _map(function, *trees):
    """A function of the values of like dicts, in their order (which that of `jax.tree` is not)."""
    if not isinstance(trees[0], dict):
        return function(*trees)
    return {name: _map(function, *(tree[name] for tree in trees)) for name in trees[0]}


def _check(row, first, i):
    """What is not finite in a seed's results; InputError if they have another form than numbers."""
    if not isinstance(row, dict):
        raise InputError(f"seed {i}: one_seed returned no dict of results")
    bad = []
    for path, value in jax.tree.leaves_with_path(row):
        name = jax.tree_util.keystr(path, simple=True, separator=" / ")
        if value.dtype.kind not in "biuf" and value.dtype.name != "bfloat16":
            raise InputError(f"seed {i}: the result {name!r} is no number or array of numbers")
        bad += [] if np.isfinite(value).all() else [f"seed {i}: the result {name!r}"]
    if jax.tree.map(np.shape, row) != jax.tree.map(np.shape, first):
        raise InputError(f"seed {i}: the results have another form than those of seed 0")
    return bad


def _numbers(caption, n):
    """A caption: a text, or the first n of some numbers."""
    if isinstance(caption, str):
        return caption
    return " ".join(f"{x:+.1f}" for x in caption[:n]) + " ..." * (len(caption) > n)


def _plain(value):
    """Arrays as lists, numbers with 7 digits; what is not finite as null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value
