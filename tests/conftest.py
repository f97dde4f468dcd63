"""What all tests share: figures without a screen, compiled programs, and a key."""

import os
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "agg")
# Most of a quick run is compiling. What is compiled once is kept, also for the lessons' own
# processes and for the next run of the tests: in a folder for each process, so none waits.
_CACHE = Path(__file__).parent.parent / ".pytest_cache" / "jax"
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(_CACHE / _WORKER)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # compiling is most of the time, running little

import jax
import pytest


@pytest.fixture
def key():
    return jax.random.key(7)
