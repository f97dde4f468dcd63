"""What all tests share: figures without a screen, compiled programs, a key, and a browser."""

import os
import shutil
import subprocess
import sys
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

CHROMIUM = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"


@pytest.fixture
def key():
    return jax.random.key(7)


@pytest.fixture
def run_quickly(tmp_path):
    """A function: run a lesson in an empty folder by quick_run.py, without a warning -> output."""

    def run(path, *flags):
        done = subprocess.run(
            [sys.executable, "-W", "error", str(Path(__file__).with_name("quick_run.py"))]
            + [str(path), *flags],
            env={**os.environ, "PYTHONUTF8": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium of the system, or of Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright for Python")
    with sync_api.sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, CHROMIUM)), None)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {str(error).splitlines()[0]}")
        yield browser
        browser.close()
