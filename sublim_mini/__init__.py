"""Subliminal learning from scratch: a student that saw only noise reads digits."""

import os
import re
import signal
import sys
import threading
from pathlib import Path

__version__ = "2.0.0"

# Seeds run side by side, so each computes on one core: faster than if each used all of them, and
# the results are the same on any number of cores. Your own $XLA_FLAGS come last and win.
_ONE_CORE = "--xla_cpu_multi_thread_eigen=false"
os.environ["XLA_FLAGS"] = f"{_ONE_CORE} {os.environ.get('XLA_FLAGS', '')}".strip()


def _quiet(number, frame):
    os.write(2, f"{_NAME}: interrupted\n".encode())
    os._exit(128 + number)


# Importing JAX takes a second or two. A signal in this time, too, is one line, if a lesson's script
# or `python -m sublim_mini` is run; afterwards they handle signals themselves.
_NAME = "sublim_mini" if sys.argv[:1] == ["-m"] else Path(*sys.argv[:1]).stem
if re.fullmatch(r"\d\d_\w+|sublim_mini", _NAME):
    if threading.current_thread() is threading.main_thread():
        for _number in signal.SIGINT, signal.SIGTERM:
            if signal.getsignal(_number) in (signal.default_int_handler, signal.SIG_DFL):
                signal.signal(_number, _quiet)
