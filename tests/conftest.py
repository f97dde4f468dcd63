"""What all tests share: figures without a screen, and a key."""

import os

os.environ.setdefault("MPLBACKEND", "agg")

import jax
import pytest


@pytest.fixture
def key():
    return jax.random.key(7)
