"""A lesson as a command: its flags, and how it ends when something is wrong.

Bad input is one line and exit status 2, Ctrl-C 130, SIGTERM 143; a bug is a traceback.
"""

import argparse
import math
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from .. import InputError


def whole(text, low=1, high=100_000):
    """The whole number that a flag gives."""
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {low} to {high:,}, not {text[:40]!r}"
        )
    return int(text)


def seed(text):
    """The seed that a flag gives: a whole number of 32 bits."""
    return whole(text, 0, 2**32 - 1)


def number(text):
    """The finite number that a flag gives; argparse says the rest."""
    if not math.isfinite(value := float(text)):
        raise ValueError
    return value


def make_parser(name, settings, digits):
    """The flags that all lessons share, and one for each setting, name -> default.

    A bool is a flag --x and --no-x; a tuple is its choices, the first of them the default.
    """
    parser = argparse.ArgumentParser(
        prog=name, usage="%(prog)s [flags]; --help lists them", allow_abbrev=False
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="the same code with small numbers")
    add("--strict", action="store_true", help="exit status 1 if a claim or check does not hold")
    add("--out", type=Path, default=Path("results"), help="folder for results (results)")
    add("--threads", type=whole, default=count_cores(), help="seeds at a time")
    add("--predict", type=number, nargs="+", default=[], metavar="P", help="your prediction")
    if digits:
        add("--data-dir", type=Path, help="folder of the real digits")
    for setting, default in settings.items():
        if isinstance(default, bool):
            kind = {"action": argparse.BooleanOptionalAction}
        elif isinstance(default, tuple):
            kind, default = {"choices": default}, default[0]
        else:
            kinds = {int: seed if setting == "seed" else whole, float: number}
            kind = {"type": kinds.get(type(default), str), "metavar": type(default).__name__}
        add("--" + setting.replace("_", "-"), help=f"({default})", **kind)
    return parser


def count_cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def running_script():
    """The path of the script that Python runs; None in a notebook or in an editor's cells.

    Some editors' kernels set `__file__`, too, but then `sys.argv[0]` is their launcher.
    """
    file = getattr(sys.modules["__main__"], "__file__", None)
    if file and sys.argv[0] and os.path.realpath(file) == os.path.realpath(sys.argv[0]):
        return Path(file)
    return None


def in_kernel():
    """Whether this process is IPython's, which must stay as it is after an error."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


class Interrupted(KeyboardInterrupt):
    """A signal that asks the program to end."""


def raise_signals():
    """From now on SIGTERM raises Interrupted, as Ctrl-C raises KeyboardInterrupt."""

    def terminate(number, frame):
        raise Interrupted

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)


def handle_errors(lesson):
    """From now on errors and signals end the script as the module says.

    Other seeds may still be computing in their threads, so the process ends without waiting.
    """
    usual = sys.excepthook

    def hook(kind, error, trace):
        status, text = 1, None
        for one in signal.SIGINT, signal.SIGTERM:  # it is ending already
            signal.signal(one, signal.SIG_IGN)
        if issubclass(kind, KeyboardInterrupt):
            status = 143 if issubclass(kind, Interrupted) else 130
            text = f"interrupted; {lesson.saved}"
        elif issubclass(kind, InputError):
            status, text = 2, str(error)
        elif issubclass(kind, MemoryError | OverflowError) or "RESOURCE_EXHAUSTED" in str(error):
            status, text = 2, "not enough memory; take smaller numbers"
        with suppress(OSError, ValueError):  # nobody may be reading it
            if text is None:
                usual(kind, error, trace)
            else:
                print(f"{lesson.name}: {text}", file=sys.stderr)
            sys.stderr.flush()
        sys.stdout.flush()
        os._exit(status)

    sys.excepthook = hook
    raise_signals()
    sys.stderr = sys.stderr or open(os.devnull, "w")  # None: it was closed
    if not isinstance(sys.stdout, Output):
        sys.stdout = Output(sys.stdout)


class Output:
    """Standard output that keeps what is printed, and that can be closed without ending the run."""

    def __init__(self, stream):
        self.stream, self.text = stream or open(os.devnull, "w"), ""
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # print what this terminal can show

    def write(self, text):
        self.text += text
        self._try(self.stream.write, text)
        return len(text)

    def flush(self):
        self._try(self.stream.flush)

    def _try(self, function, *arguments):
        try:
            function(*arguments)
        except (OSError, ValueError):  # a closed pipe, a full disk: go on and save the results
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)

    def __getattr__(self, name):
        return getattr(self.stream, name)
