"""What all tests share: figures without a screen, compiled programs, a key, and a browser."""

import os
import shutil
import signal
from pathlib import Path

# A job in the background ignores Ctrl-C and hands that on; what the tests start must not.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
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
