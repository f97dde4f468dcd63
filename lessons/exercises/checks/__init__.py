"""The checks of the exercises. They give answers away: read them afterwards.

core.py runs an exercise, errors.py words what went wrong; each exercise has a file of its own here.
"""

from .core import effect, main

__all__ = ["effect", "main"]
