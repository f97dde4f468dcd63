"""Where real digits are looked for, what is said of bad files, and the download by pooch.

The download is tried against a server on this machine; no test needs real MNIST or a network.
"""

import gzip
import hashlib
import os
import struct
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sublim_mini.course import mnist
from sublim_mini.course.mnist import FILES, InputError, load_real

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = FILES
REAL = os.environ.get("SUBLIM_MINI_DATA")  # before the tests hide it


def idx(array):
    """The bytes of an IDX file, written independently of the reader."""
    magic = {1: 2049, 3: 2051}[array.ndim]
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


def made_up(seed=0):
    """File -> array of four made-up files that belong together: 12 training and 7 test images."""
    rng = np.random.default_rng(seed)
    images = [rng.integers(0, 256, (n, 28, 28), np.uint8) for n in (12, 7)]
    labels = [rng.integers(0, 10, n, np.uint8) for n in (12, 7)]
    return dict(zip(FILES, [images[0], labels[0], images[1], labels[1]], strict=True))


def write(folder, seed=0, spelled=str, zipped=False):
    """Write the four files; return their training labels, which tell one set from another."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, array in made_up(seed).items():
        content = gzip.compress(idx(array), mtime=0) if zipped else idx(array)
        (folder / (spelled(file) + ".gz" * zipped)).write_bytes(content)
    return made_up(seed)[LABELS].tolist()


def labels(name="mnist", folder=None):
    return load_real(name, folder).train_labels.tolist()


def error_of(folder=None, name="mnist"):
    """What load_real says of a folder: one line."""
    with pytest.raises(InputError) as caught:
        load_real(name, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """The user's cache folder, for this test another, and no variable that names one."""
    monkeypatch.delenv("SUBLIM_MINI_DATA", raising=False)
    pooch = pytest.importorskip("pooch")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "sublim_mini"


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("spelled", [str, lambda file: file.replace("-idx", ".idx")])
def test_digits_are_what_the_files_hold(tmp_path, zipped, spelled):
    write(tmp_path, 1, spelled, zipped)
    for array, raw in zip(load_real("mnist", tmp_path), made_up(1).values(), strict=True):
        expected = (raw / 255 - 0.5) / 0.5 if raw.ndim == 3 else raw
        assert array.dtype == (np.float32 if raw.ndim == 3 else np.int32)
        assert array.shape == (len(raw), 784)[: array.ndim] and (array.ndim == 2) == (raw.ndim == 3)
        np.testing.assert_allclose(array, expected.reshape(array.shape), atol=1e-6)


def test_a_folder_may_be_torchvisions_or_hold_both_data_sets(tmp_path):
    loose = write(tmp_path)
    assert labels("mnist", tmp_path) == labels("fashion", tmp_path) == loose
    for seed, (name, inner) in enumerate([("mnist", "MNIST/raw"), ("fashion", "FashionMNIST/raw")]):
        mine = write(tmp_path / inner, 1 + seed)
        assert labels(name, str(tmp_path)) == mine != loose
    torchvisions = labels("mnist", tmp_path)
    assert labels("mnist", tmp_path) != write(tmp_path / "mnist", 3) == labels("mnist", tmp_path)
    (tmp_path / "mnist" / TEST_LABELS).unlink()
    (tmp_path / "mnist" / TEST_LABELS).mkdir()  # a set that is not whole hides no other
    assert labels("mnist", tmp_path) == torchvisions


def test_folder_is_the_argument_else_the_variable_else_the_cache(tmp_path, monkeypatch, cache):
    folders = cache, tmp_path / "variable", tmp_path / "given"
    in_cache, variable, given = (write(folder, seed) for seed, folder in enumerate(folders))
    assert labels() == in_cache
    monkeypatch.setenv("SUBLIM_MINI_DATA", str(tmp_path / "variable"))
    assert labels() == variable
    assert labels("mnist", tmp_path / "given") == given


GOOD = idx(np.ones(12, np.uint8))
WIDE = idx(np.ones((7, 28, 32), np.uint8))
ZIPPED = gzip.compress(GOOD, mtime=0)
BAD = {  # file, its content, what is said
    "a web page": (IMAGES, b"<!DOCTYPE html>", "not an IDX file of images"),
    "header cut": (LABELS, GOOD[:7], "not an IDX file of labels"),
    "cut": (LABELS, GOOD[:-1], "11 bytes for shape [12]"),
    "too long": (LABELS, GOOD + b"x", "13 bytes for shape [12]"),
    "huge": (IMAGES, struct.pack(">4I", 2051, *3 * [2**32 - 1]), "0 bytes for shape"),
    "no label": (LABELS, idx(np.ones(0, np.uint8)), "0 bytes for shape [0]"),
    "gzip cut": (LABELS, ZIPPED[:-1], "ended before"),
    "gzip checksum": (LABELS, ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "CRC"),
    "gzip body": (LABELS, ZIPPED[:10] + b"\xff" * 30, "decompressing"),
    "images for labels": (LABELS, WIDE, "not an IDX file of labels"),
    "wide images": (TEST_IMAGES, WIDE, "not 28 x 28"),
    "label 10": (TEST_LABELS, idx(np.full(7, 10, np.uint8)), "a label 10, not 0 to 9"),
    "counts differ": (TEST_LABELS, idx(np.ones(8, np.uint8)), "do not agree: [12, 12, 7, 8]"),
}


@pytest.mark.parametrize("file, content, says", BAD.values(), ids=list(BAD))
def test_a_bad_file_is_named_in_one_line(tmp_path, file, content, says):
    write(tmp_path)
    (tmp_path / file).write_bytes(content)
    message = error_of(tmp_path)
    assert says in message and str(tmp_path) in message and file in message


@settings(deadline=None, max_examples=100)
@given(zipped=st.booleans(), draw=st.data())
def test_whatever_the_bytes_digits_or_one_line(zipped, draw):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), zipped=zipped)
        path = Path(folder, draw.draw(st.sampled_from(FILES)) + ".gz" * zipped)
        content = bytearray(path.read_bytes())
        for place in draw.draw(st.lists(st.integers(0, min(40, len(content) - 1)), max_size=4)):
            content[place] = draw.draw(st.integers(0, 255))
        path.write_bytes(content[: draw.draw(st.integers(0, len(content)))])
        try:
            digits = load_real("mnist", folder)
        except InputError as error:
            assert str(error) and "\n" not in str(error)
        else:
            assert [len(part) for part in digits] == [12, 12, 7, 7]


def test_what_is_missing_is_named_with_the_command_and_nothing_is_downloaded(
    tmp_path, monkeypatch, cache
):
    write(tmp_path)
    (tmp_path / TEST_LABELS).unlink()
    assert f"no {TEST_LABELS} in {tmp_path}: name" in error_of(tmp_path)
    assert f"no {IMAGES} in {cache}" in error_of(name="fashion")
    assert error_of(name="fashion").endswith("python -m sublim_mini.course.mnist fashion")
    assert not cache.exists()
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert error_of().endswith('pip install -e ".[mnist]"')
    monkeypatch.setenv("SUBLIM_MINI_DATA", str(tmp_path / "whole"))
    assert write(tmp_path / "whole") == labels()  # files that are there need no pooch


@pytest.fixture
def server(monkeypatch):
    """path -> content: what a server on this machine gives in place of MNIST's own."""
    files = {f"/mnist/{file}.gz": gzip.compress(idx(a)) for file, a in made_up().items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(files[self.path])

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as host:
        sums = [hashlib.sha256(content).hexdigest() for content in files.values()]
        monkeypatch.setitem(mnist.SHA256, "mnist", sums)
        monkeypatch.setitem(mnist.URLS, "mnist", f"http://127.0.0.1:{host.server_port}")
        monkeypatch.setenv("no_proxy", "*")
        thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield files
        host.shutdown()
        thread.join()


def test_the_command_downloads_what_is_then_found(server, cache, capsys):
    mnist.main(["mnist"])
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert paths == [cache / "mnist" / f"{file}.gz" for file in FILES]
    assert labels() == made_up()[LABELS].tolist()


@pytest.mark.parametrize("says", ["does not match", "refused"])
def test_a_download_that_fails_is_one_line_and_leaves_no_file(
    server, cache, capsys, monkeypatch, says
):
    server[f"/mnist/{IMAGES}.gz"] = b"not these bytes"
    if says == "refused":
        monkeypatch.setitem(mnist.URLS, "mnist", "http://127.0.0.1:1")  # nothing listens there
    with pytest.raises(SystemExit) as stop:
        mnist.main(["mnist"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert stop.value.code == 2 and last.startswith("sublim_mini.course.mnist: ") and says in last
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_module_needs_no_jax():
    code = "import sys, sublim_mini.course.mnist; print({'jax', 'pooch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.skipif(not REAL, reason="$SUBLIM_MINI_DATA names no folder with real MNIST")
def test_real_mnist():
    real = load_real("mnist", REAL)
    assert real.train_images.shape == (60_000, 784) and real.test_images.shape == (10_000, 784)
    assert real.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(real.test_labels, minlength=10).min() == 892  # the fives
