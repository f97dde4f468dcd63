"""Subliminal learning from scratch: a student that saw only noise reads digits."""

import os

__version__ = "3.0.0"

# Seeds run side by side, so each computes on one core: faster than if each used all of them, and
# the results are the same on any number of cores. Your own $XLA_FLAGS come last and win.
_ONE_CORE = "--xla_cpu_multi_thread_eigen=false"
os.environ["XLA_FLAGS"] = f"{_ONE_CORE} {os.environ.get('XLA_FLAGS', '')}".strip()


class InputError(ValueError):
    """Bad input: its message is one line that says what is wrong and what to do."""

    def __str__(self):  # a folder's name may have line ends
        return " ".join(super().__str__().split())
