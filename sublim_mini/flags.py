"""Command lines: a bad flag is one line and status 2."""

import argparse
import math
import sys


class Parser(argparse.ArgumentParser):
    """A command line that ends a program with one line and status 2 if a flag is wrong."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def number(kind, low=None, high=None):
    """A parser of numbers in a range: an int at least 1, a float above 0, unless `low` is given."""
    least = (1 if kind is int else 0) if low is None else low
    above = kind is float and low is None

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        in_range = (value > least if above else value >= least) and value <= (
            high or sys.float_info.max
        )
        if not in_range:
            what = "a whole number" if kind is int else "a number"
            bound = f"above {least}" if above else f"of at least {least}"
            top = f" and at most {high}" if high else ""
            raise argparse.ArgumentTypeError(f"must be {what} {bound}{top}, not {text!r}")
        return value

    return parse
