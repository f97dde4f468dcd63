"""Command lines: a bad flag is one line and status 2."""

import argparse
import math


class Parser(argparse.ArgumentParser):
    """A command line that ends a program with one line and status 2 if a flag is wrong."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (--help lists the flags)\n")


def number(kind, low=None, high=None):
    """A parser of numbers up to 100,000: an int from 1, a float above 0, unless ends are given."""
    above = kind is float and low is None
    low = (1 if kind is int else 0) if low is None else low
    high = 100_000 if high is None else high
    least = f"above {low}" if above else f"of at least {low}"

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (low < value <= high or (value == low and not above)):
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"must be {what} {least} and at most {high:,}, not {text[:40]!r}"
            )
        return value

    return parse
