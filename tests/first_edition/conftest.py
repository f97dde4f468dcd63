"""The first edition's tests run with its own strictness: no rank promotion, no key used twice."""

import jax
import pytest


@pytest.fixture(autouse=True)
def strict():
    old = jax.config.jax_numpy_rank_promotion, jax.config.jax_debug_key_reuse
    jax.config.update("jax_numpy_rank_promotion", "raise")
    jax.config.update("jax_debug_key_reuse", True)
    yield
    jax.config.update("jax_numpy_rank_promotion", old[0])
    jax.config.update("jax_debug_key_reuse", old[1])


@pytest.fixture
def key():
    return jax.random.key(7)
