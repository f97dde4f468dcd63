"""Subliminal learning from scratch: a student that saw only noise reads digits."""

__version__ = "0.1.0"
