"""Where real digits are looked for, what is said of bad files, and the download by pooch.

The download is tried against a server on this machine; no test needs real MNIST or a network.
"""

import gzip
import hashlib
import os
import struct
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from sublim_mini import InputError
from sublim_mini.course import mnist
from sublim_mini.course.mnist import FILES, load_real

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = FILES
REAL = os.environ.get("SUBLIM_MINI_DATA")  # before the tests hide it


def idx(array):
    """The bytes of an IDX file, written independently of the reader."""
    magic = {1: 2049, 3: 2051}[array.ndim]
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


def write(folder, seed=0, spelled=str, zipped=False):
    """Write four made-up files that belong together -> their arrays, in the order of FILES."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, arrays = np.random.default_rng(seed), []
    for n in 12, 7:
        arrays += [rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8)]
    for file, array in zip(FILES, arrays, strict=True):
        content = gzip.compress(idx(array), mtime=0) if zipped else idx(array)
        (folder / (spelled(file) + ".gz" * zipped)).write_bytes(content)
    return arrays


def found(arrays, folder=None):
    """Whether `load_real` finds these arrays."""
    return (load_real("mnist", folder)[0][1] == arrays[1]).all()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """The user's cache folder, for this test another, and no variable that names one."""
    monkeypatch.delenv("SUBLIM_MINI_DATA", raising=False)
    pooch = pytest.importorskip("pooch")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path / "cache" / "sublim_mini"


@pytest.mark.parametrize(
    "spelled, zipped",
    [(str, True), (str, False), (lambda file: file.replace("-idx", ".idx"), True)],
)
def test_digits_are_what_the_files_hold(tmp_path, spelled, zipped):
    arrays = write(tmp_path, 1, spelled, zipped)
    got = [array for both in load_real("mnist", tmp_path) for array in both]
    for array, raw in zip(got, arrays, strict=True):
        images = raw.ndim == 3
        expected = (raw.reshape(-1, 784) / 255 - 0.5) / 0.5 if images else raw
        assert array.dtype == (np.float32 if images else np.int32) and array.shape == expected.shape
        np.testing.assert_allclose(array, expected, atol=1e-6)


def test_files_are_looked_for_in_this_order(tmp_path, monkeypatch, cache):
    """The folder that is given, the variable, the cache; there `mnist`, torchvision's, itself."""
    folder = tmp_path / "given"
    cached, variable, given = (write(f, i) for i, f in enumerate([cache, tmp_path / "v", folder]))
    assert found(cached)
    monkeypatch.setenv("SUBLIM_MINI_DATA", str(tmp_path / "v"))
    assert found(variable) and not found(cached) and found(given, folder)
    for seed, inner in enumerate(["MNIST/raw", "mnist"], 3):
        arrays = write(folder / inner, seed)
        assert found(arrays, str(folder))
    (folder / "mnist" / TEST_LABELS).unlink()  # a set that is not whole hides no other
    (folder / "mnist" / TEST_LABELS).mkdir()
    assert not found(arrays, folder)


GOOD = idx(np.ones(12, np.uint8))
ZIPPED = gzip.compress(GOOD, mtime=0)
BAD = {  # file, its content, what is said
    "a web page": (IMAGES, b"<!DOCTYPE html> and so on", "not an IDX file of 28 x 28 images"),
    "header cut": (LABELS, GOOD[:7], "buffer"),
    "cut": (LABELS, GOOD[:-1], "11 into shape"),
    "no label": (LABELS, idx(np.ones(0, np.uint8)), ""),
    "gzip cut": (LABELS, ZIPPED[:-1], "ended before"),
    "gzip checksum": (LABELS, ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "CRC"),
    "images for labels": (LABELS, idx(np.ones((7, 28, 28), np.uint8)), "not an IDX file of labels"),
    "wide images": (TEST_IMAGES, idx(np.ones((7, 28, 32), np.uint8)), "not an IDX file of 28 x 28"),
    "label 10": (TEST_LABELS, idx(np.full(7, 10, np.uint8)), "a label 10, not 0 to 9"),
    "counts differ": (TEST_LABELS, idx(np.ones(8, np.uint8)), "8 labels for 7 images"),
}


@pytest.mark.parametrize("file, content, says", BAD.values(), ids=list(BAD))
def test_a_bad_file_is_named_in_one_line(tmp_path, file, content, says):
    write(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_real("mnist", tmp_path)
    message = str(caught.value)
    assert says in message and str(tmp_path / file) in message and "\n" not in message


def test_what_is_missing_is_named_with_the_command_and_nothing_is_downloaded(
    tmp_path, monkeypatch, cache
):
    with pytest.raises(InputError, match=rf"{TEST_LABELS} in .*: python -m sublim_mini"):
        load_real("mnist")
    assert not cache.exists()
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(InputError, match="pip install"):
        load_real("mnist")
    assert found(write(tmp_path), tmp_path)  # files that are there need no pooch


@pytest.mark.parametrize("name, good", [("mnist", True), ("fashion", True), ("mnist", False)])
def test_the_command_downloads_what_is_then_found(name, good, tmp_path, monkeypatch, cache, capsys):
    arrays = write(tmp_path / name, zipped=True)
    contents = [(tmp_path / name / f"{file}.gz").read_bytes() for file in FILES]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    monkeypatch.setitem(mnist.SHA256, name, digests)
    monkeypatch.setenv("no_proxy", "*")
    if not good:
        (tmp_path / name / f"{IMAGES}.gz").write_bytes(b"not these bytes")
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *args: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setitem(mnist.URLS, name, f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status = mnist.main([name])
        server.shutdown()
    out, err = capsys.readouterr()
    if good:
        assert out.split() == [str(cache / name / f"{file}.gz") for file in FILES]
        assert not status and (load_real(name)[0][1] == arrays[1]).all()
    else:
        assert status == 2 and "mnist: " in err.splitlines()[-1] and "does not match" in err
        assert not [path for path in cache.rglob("*") if path.is_file()]
    assert mnist.main([]) == mnist.main(["minst"]) == 2


@pytest.mark.skipif(not REAL, reason="$SUBLIM_MINI_DATA names no folder with real MNIST")
def test_real_mnist():
    (images, labels), (test_images, test_labels) = load_real("mnist", REAL)
    assert images.shape == (60_000, 784) and test_images.shape == (10_000, 784)
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(test_labels, minlength=10).min() == 892  # the fives
