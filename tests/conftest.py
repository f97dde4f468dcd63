"""Strict arithmetic for all tests: no silent rank promotion, no key used twice."""

import os

os.environ.setdefault("MPLBACKEND", "agg")

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture
def key():
    return jax.random.key(7)
