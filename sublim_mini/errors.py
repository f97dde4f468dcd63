"""The old place of InputError."""

from . import InputError as InputError
