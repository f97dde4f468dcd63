"""A lesson as a command: its flags, and how it ends when something is wrong.

Bad input is one line and exit status 2, Ctrl-C 130, SIGTERM 143; a bug is a traceback.
"""

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from .errors import InputError
from .files import folder_flag
from .flags import Parser, number

LARGEST = 100_000  # of a whole number, unless `limits` says otherwise


def make_parser(name, defaults, choices, limits, digits):
    """The flags that all lessons share, and one for each setting, name -> default."""
    parser = Parser(prog=name, allow_abbrev=False)
    add = parser.add_argument
    add("--quick", action="store_true", help="the same code with small numbers")
    add("--strict", action="store_true", help="exit status 1 if a claim does not hold")
    add("--out", type=folder_flag, default=Path("results"), help="folder for results (results)")
    cores = count_cores()
    threads = number(int, 1, max(16, cores))  # each needs memory
    add("--threads", type=threads, default=cores, help="seeds at a time")
    add("--predict", type=number(float, -1e6, 1e6), nargs="+", default=[], help="your prediction")
    if digits:
        add("--data-dir", type=folder_flag, help="folder of the real digits")
    for setting, default in defaults.items():
        low, high = limits.get(setting, (None, LARGEST if isinstance(default, int) else None))
        words = choices.get(setting)
        add(
            "--" + setting.replace("_", "-"),
            type=str if isinstance(default, str) else number(type(default), low, high),
            choices=words,
            metavar=None if words else type(default).__name__.upper(),
            help=f"({default})",
        )
    return parser


def count_cores():
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Interrupted(KeyboardInterrupt):
    """A signal that asks the program to end."""


def raise_signals():
    """From now on SIGTERM raises Interrupted, and Ctrl-C again KeyboardInterrupt."""

    def terminate(number, frame):
        raise Interrupted

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as for jobs in the background
            signal.signal(signal.SIGINT, signal.default_int_handler)


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
            text = f"interrupted; {getattr(lesson, 'saved', 'nothing was saved')}"
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
        sys.stdout = Output(sys.stdout or open(os.devnull, "w"))


class Output:
    """Standard output that keeps what is printed, and that can be closed without ending the run."""

    def __init__(self, stream):
        self.stream, self.text = stream, ""
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
