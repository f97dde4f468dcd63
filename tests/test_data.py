"""The IDX reader, where files are looked for, what is said of bad ones, and the downloads.

Downloads are tried against a server on this machine; no test needs real MNIST or a network.
"""

import gzip
import hashlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sublim_mini import InputError, data

N_TRAIN, N_TEST = 12, 7
TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = data.FILES


def idx(array):
    """The bytes of an IDX file, written independently of the reader."""
    magic = {1: 2049, 3: 2051}[array.ndim]
    return struct.pack(f">{1 + array.ndim}I", magic, *array.shape) + array.tobytes()


def made_up(seed=0):
    """name -> array of four made-up files that belong together."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for part, n in ("train", N_TRAIN), ("t10k", N_TEST):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, n, np.uint8)
    return arrays


def write(folder, arrays, zipped=True, spelled=str):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        content = array if isinstance(array, bytes) else idx(array)
        path = folder / (spelled(name) + (".gz" if zipped else ""))
        path.write_bytes(gzip.compress(content) if zipped else content)


def error_of(action, *args, **kwargs):
    """The message of the InputError that the action raises: always one line."""
    with pytest.raises(InputError) as caught:
        action(*args, **kwargs)
    message = str(caught.value)
    assert message and "\n" not in message
    return message


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No test sees the user's own folders or a proxy."""
    monkeypatch.delenv("SUBLIM_MINI_DATA", raising=False)
    for name in "XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE":
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "*")


# ---- the reader


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4)])
def test_reader_returns_what_was_written(shape, zipped):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    content = gzip.compress(idx(array)) if zipped else idx(array)
    np.testing.assert_array_equal(data.read_idx(content), array, strict=True)


VALID = idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
LABELS = idx(np.ones(3, np.uint8))
ZIPPED = gzip.compress(VALID, mtime=0)
BAD_IDX = {
    "no bytes": (b"", "wrong magic number 0"),
    "other kind": (struct.pack(">II", 2050, 1) + b"x", "wrong magic number 2050"),
    "a web page": (b"<!DOCTYPE html>", "wrong magic number"),
    "header cut": (VALID[:9], "ends within its header"),
    "body cut": (VALID[:-1], "truncated: 23 bytes, not the 24"),
    "too long": (VALID + b"x", "too long"),
    "no images": (struct.pack(">4I", 2051, 0, 28, 28), "empty"),
    "no labels": (struct.pack(">2I", 2049, 0), "empty"),
    "huge": (struct.pack(">4I", 2051, *3 * [2**32 - 1]), "more than"),
    "gzip cut": (ZIPPED[:-9], "gzip data are truncated or corrupt"),
    "gzip end cut": (ZIPPED[:-1], "gzip data are truncated or corrupt"),
    "gzip start only": (ZIPPED[:2], "gzip data are truncated or corrupt"),
    "gzip checksum": (ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "gzip data are truncated or corrupt"),
    "gzip body": (ZIPPED[:10] + b"\xff" * 30, "gzip data are truncated or corrupt"),
    "gzip method": (ZIPPED[:2] + b"\xff" + ZIPPED[3:], "gzip data are truncated or corrupt"),
    "gzip of text": (gzip.compress(b"hello"), "wrong magic number"),
    "gzip of too much": (gzip.compress(VALID + b"x"), "too long"),
}


@pytest.mark.parametrize("content, says", BAD_IDX.values(), ids=list(BAD_IDX))
def test_reader_says_what_is_wrong(content, says):
    assert says in error_of(data.read_idx, content)


def test_reader_unpacks_no_more_than_declared(monkeypatch):
    bomb, unpacked = gzip.compress(VALID + bytes(50_000_000)), []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda *a: unpacked.append(read(*a)) or unpacked[-1])
    assert "too long" in error_of(data.read_idx, bomb)
    assert sum(map(len, unpacked)) == len(VALID) + 1


def array_or_error(content):
    try:
        array = data.read_idx(content)
    except InputError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert array.dtype == np.uint8 and array.ndim in (1, 3) and array.size > 0


@settings(deadline=None, max_examples=300)
@given(
    start=st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", VALID[:4], LABELS[:4]]),
    rest=st.binary(max_size=60),
    zipped=st.booleans(),
)
def test_reader_survives_any_bytes(start, rest, zipped):
    content = start + rest
    array_or_error(gzip.compress(content) if zipped else content)


@settings(deadline=None, max_examples=300)
@given(content=st.sampled_from([VALID, ZIPPED, LABELS]), draws=st.data())
def test_reader_survives_changed_files(content, draws):
    changed = bytearray(content)
    places = st.integers(0, len(changed) - 1)
    for place in draws.draw(st.lists(places, max_size=4)):
        changed[place] = draws.draw(st.integers(0, 255))
    cut = draws.draw(st.integers(0, len(changed)))
    array_or_error(bytes(changed[:cut]))
    array_or_error(bytes(changed))


# ---- the four files of a data set


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("spelled", [str, lambda name: name.replace("-idx", ".idx")])
def test_load_real_returns_scaled_digits(tmp_path, zipped, spelled):
    arrays = made_up()
    arrays[TRAIN_IMAGES][0, 0, :3] = 0, 51, 255
    write(tmp_path, arrays, zipped, spelled)
    real = data.load_real("mnist", tmp_path)
    for part, images, labels in (
        ("train", real.train_images, real.train_labels),
        ("t10k", real.test_images, real.test_labels),
    ):
        pixels = arrays[f"{part}-images-idx3-ubyte"].astype(np.float64)
        assert images.dtype == np.float32 and labels.dtype == np.int32
        expected = (pixels / 255 - 0.5) / 0.5
        np.testing.assert_allclose(images, expected.reshape(-1, 784), atol=1e-6)
        np.testing.assert_array_equal(labels, arrays[f"{part}-labels-idx1-ubyte"])
    np.testing.assert_allclose(real.train_images[0, :3], [-1, -0.6, 1], atol=1e-6)
    assert real.train_images.shape == (N_TRAIN, 784) and real.test_images.shape == (N_TEST, 784)


def test_two_data_sets_live_side_by_side(tmp_path):
    mnist, fashion, loose = made_up(1), made_up(2), made_up(3)
    write(tmp_path, loose)
    write(tmp_path / "fashion", fashion)
    labels = [data.load_real(n, tmp_path).train_labels for n in ("mnist", "fashion")]
    np.testing.assert_array_equal(labels[0], loose[TRAIN_LABELS])
    np.testing.assert_array_equal(labels[1], fashion[TRAIN_LABELS])
    write(tmp_path / "mnist", mnist)
    found = data.load_real("mnist", tmp_path).train_labels
    np.testing.assert_array_equal(found, mnist[TRAIN_LABELS])


def test_an_unfinished_download_hides_no_complete_set(tmp_path):
    write(tmp_path, made_up(3))
    write(tmp_path / "mnist", {TRAIN_LABELS: made_up(1)[TRAIN_LABELS]})
    found = data.load_real("mnist", tmp_path).train_labels
    np.testing.assert_array_equal(found, made_up(3)[TRAIN_LABELS])


def test_a_folder_of_a_files_name_is_not_the_file(tmp_path):
    write(tmp_path, made_up(), zipped=False, spelled=lambda name: name.replace("-idx", ".idx"))
    (tmp_path / TRAIN_IMAGES).mkdir()
    assert len(data.load_real("mnist", tmp_path).train_labels) == N_TRAIN


def test_folder_is_the_argument_else_the_variable_else_the_cache(tmp_path, monkeypatch):
    sets = {}
    for seed, where in enumerate(["given", "variable", "home/sublim_mini"], 1):
        sets[where] = made_up(seed)
        write(tmp_path / where, sets[where])
    monkeypatch.setattr(sys, "platform", "linux")

    def labels(folder=None):
        return data.load_real("mnist", folder).train_labels.tolist()

    def expected(where):
        return sets[where][TRAIN_LABELS].tolist()

    assert labels() == expected("home/sublim_mini")
    monkeypatch.setenv("SUBLIM_MINI_DATA", "")
    assert labels() == expected("home/sublim_mini")
    monkeypatch.setenv("SUBLIM_MINI_DATA", str(tmp_path / "variable"))
    assert labels() == expected("variable")
    assert labels(tmp_path / "given") == labels(str(tmp_path / "given")) == expected("given")


def test_tilde_in_the_variable_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SUBLIM_MINI_DATA", "~/digits")
    assert data.data_folder() == tmp_path / "home" / "digits"


@pytest.mark.parametrize(
    "platform, variable, value, expected",
    [
        ("linux", "XDG_CACHE_HOME", "", "~/.cache"),
        ("linux", "XDG_CACHE_HOME", "/c", "/c"),
        ("darwin", "XDG_CACHE_HOME", "/c", "~/Library/Caches"),
        ("win32", "LOCALAPPDATA", "/l", "/l"),
    ],
)
def test_cache_folder_follows_the_platform(monkeypatch, platform, variable, value, expected):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, value)
    assert data.data_folder() == Path(os.path.expanduser(expected), "sublim_mini")


# file -> what is wrong with it -> what is said
BAD_FILES = {
    "images as labels": (TRAIN_LABELS, np.zeros((12, 28, 28), np.uint8), "(N,)"),
    "labels as images": (TRAIN_IMAGES, np.zeros(12, np.uint8), "not (N, 28, 28)"),
    "wide images": (TEST_IMAGES, np.zeros((7, 28, 32), np.uint8), "not (N, 28, 28)"),
    "counts differ": (
        TRAIN_LABELS,
        np.zeros(11, np.uint8),
        "(12, 28, 28) and labels of shape (11,)",
    ),
    "test counts differ": (TEST_LABELS, np.zeros(8, np.uint8), "labels of shape (8,)"),
    "label 10": (TEST_LABELS, np.full(7, 10, np.uint8), "go up to 10"),
    "wrong magic": (TRAIN_IMAGES, b"\0\0\x08\x02" + bytes(99), "wrong magic number 2050"),
    "truncated": (TRAIN_LABELS, idx(np.zeros(12, np.uint8))[:-1], "truncated"),
    "too long": (TRAIN_LABELS, idx(np.zeros(12, np.uint8)) + b"x", "too long"),
    "empty": (TRAIN_LABELS, idx(np.zeros(0, np.uint8)), "empty"),
}


@pytest.mark.parametrize("name, content, says", BAD_FILES.values(), ids=list(BAD_FILES))
def test_a_bad_file_is_named_in_one_line(tmp_path, name, content, says):
    write(tmp_path, {**made_up(), name: content}, zipped=False)
    message = error_of(data.load_real, "mnist", tmp_path)
    assert says in message and str(tmp_path / name.split("-")[0]) in message


@pytest.mark.parametrize("keep", [slice(0, -9), slice(0, 12), None])
def test_a_bad_gzip_is_named_in_one_line(tmp_path, keep):
    write(tmp_path, made_up())
    path = tmp_path / f"{TEST_IMAGES}.gz"
    content = path.read_bytes()
    path.write_bytes(content[keep] if keep else content[:10] + b"\xff" * 40)
    message = error_of(data.load_real, "mnist", tmp_path)
    assert "the gzip data are truncated or corrupt" in message and str(path) in message


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_a_missing_file_is_named_with_the_command_that_gets_it(tmp_path, monkeypatch, name):
    write(tmp_path, made_up())
    (tmp_path / f"{TEST_LABELS}.gz").unlink()
    message = error_of(data.load_real, name, tmp_path)
    assert TEST_LABELS in message and TRAIN_LABELS not in message
    assert message.endswith(f'python -m sublim_mini.data {name} --data-dir "{tmp_path}"')
    monkeypatch.setenv("SUBLIM_MINI_DATA", str(tmp_path))
    assert error_of(data.load_real, name).endswith(f"python -m sublim_mini.data {name}")


def test_a_missing_folder_is_named_with_the_command_that_gets_it(tmp_path):
    message = error_of(data.load_real, "mnist", tmp_path / "nowhere")
    assert f"in {tmp_path / 'nowhere'}" in message
    assert "python -m sublim_mini.data mnist" in message
    assert "python -m sublim_mini.data fashion" in error_of(data.load_real, "fashion")


def test_a_file_is_no_folder(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    assert f"cannot read {path}" in error_of(data.load_real, "mnist", path)


def test_a_folder_that_may_not_be_read_is_said_so(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    message = error_of(data.load_real, "mnist", tmp_path)
    assert f"cannot read {tmp_path}: Permission denied" in message


def test_a_file_that_may_not_be_read_is_said_so(tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    write(tmp_path, made_up())
    monkeypatch.setattr(data, "open", refuse, raising=False)
    assert "Permission denied" in error_of(data.load_real, "mnist", tmp_path)


def test_a_notice_names_files_that_are_not_the_originals(tmp_path, monkeypatch, capsys):
    write(tmp_path, made_up())
    data.load_real("mnist", tmp_path)
    notice = capsys.readouterr().err
    assert notice.startswith("notice: ") and notice.count("\n") == 1 and LAST in notice
    sums = [hashlib.sha256((tmp_path / f"{f}.gz").read_bytes()).hexdigest() for f in data.FILES]
    monkeypatch.setitem(data.SHA256, "mnist", sums)
    data.load_real("mnist", tmp_path)
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("special", ["pipe", "device", "loop", "dangling"])
def test_what_is_no_regular_file_is_missing_and_does_not_hang(tmp_path, special):
    write(tmp_path, made_up(), zipped=False)
    path = tmp_path / TRAIN_LABELS
    path.unlink()
    if special == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"device": "/dev/zero", "loop": path, "dangling": "nowhere"}[special])
    assert TRAIN_LABELS in error_of(data.load_real, "mnist", tmp_path)


REAL = os.environ.get("SUBLIM_MINI_DATA")  # before the tests hide it


@pytest.mark.skipif(not REAL, reason="$SUBLIM_MINI_DATA names no folder with real MNIST")
def test_real_mnist():
    real = data.load_real("mnist", REAL)
    assert real.train_images.shape == (60_000, 784) and real.test_images.shape == (10_000, 784)
    assert real.train_images.min() == -1 and real.train_images.max() == 1
    assert real.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(real.test_labels, minlength=10).min() == 892  # the fives


# ---- downloads, from a server on this machine


@pytest.fixture
def server(monkeypatch):
    """A server whose `files` are path -> content, and `how` a path's misbehaviour; see `base`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            host = self.server
            host.asked.append(self.path)
            how, content = host.how.get(self.path), host.files.get(self.path)
            if how == "slow":
                host.over.wait(5)
            if how in ("drips", "drips headers"):
                headers = b"HTTP/1.1 200 OK\r\n"
                self.wfile.write(headers + (b"X: " if "headers" in how else b"\r\n"))
                while not host.over.wait(0.02):
                    self.wfile.write(b"x")
            if how == "endless":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while not host.over.is_set():
                    self.wfile.write(bytes(2**16))
            if how == "noise":
                self.wfile.write(bytes(range(256)))
                return
            if how and how.startswith("to "):
                self.send_response(302)
                self.send_header("Location", how[3:])
                return self.end_headers()
            if content is None:
                return self.send_error(404)
            self.send_response(200)
            if how != "no length":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if how == "stalls":
                self.wfile.write(content[:10])
                self.wfile.flush()
                host.over.wait(5)
            self.wfile.write(content[: len(content) // 2] if how == "cut" else content)

        def log_message(self, *args):
            pass

    host = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.handle_error = lambda *args: None  # the client hung up, as some tests mean it to
    host.over = threading.Event()
    host.files = {
        f"/{name}.gz": gzip.compress(idx(array), mtime=0) for name, array in made_up().items()
    }
    host.how, host.asked = {}, []
    host.base = f"http://127.0.0.1:{host.server_address[1]}/"
    sums = [hashlib.sha256(host.files[f"/{name}.gz"]).hexdigest() for name in data.FILES]
    monkeypatch.setitem(data.SHA256, "mnist", sums)
    monkeypatch.setitem(data.URLS, "mnist", host.base)
    monkeypatch.setattr(data, "SILENCE", 5)
    thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield host
    host.over.set()
    host.shutdown()
    thread.join()
    host.server_close()


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


ALL = sorted(f"{name}.gz" for name in data.FILES)


LAST = f"{TEST_LABELS}.gz"
FIRST = f"{TRAIN_IMAGES}.gz"


def test_download_then_load(server, tmp_path, capsys):
    paths = data.download("mnist", tmp_path)
    assert sorted(Path(path).name for path in paths) == ALL
    assert files_in(tmp_path) == files_in(tmp_path / "mnist") == ALL
    real = data.load_real("mnist", tmp_path)
    np.testing.assert_array_equal(real.train_labels, made_up()[TRAIN_LABELS])
    assert capsys.readouterr().err == ""


def test_download_without_a_length(server, tmp_path):
    server.how = dict.fromkeys(server.files, "no length")
    data.download("mnist", tmp_path)
    assert files_in(tmp_path) == ALL


def test_download_keeps_what_is_there_and_mends_what_is_wrong(server, tmp_path):
    data.download("mnist", tmp_path)
    wrong = tmp_path / "mnist" / ALL[2]
    wrong.write_bytes(b"half a file")
    server.asked.clear()
    data.download("mnist", tmp_path)
    assert server.asked == ["/" + ALL[2]]
    assert wrong.read_bytes() == server.files["/" + ALL[2]]


# what the server does -> what is said
HOSTILE = {
    "missing": "404 Client Error",
    "cut": "IncompleteRead",
    "wrong": "does not match",
    "slow": "not complete within 0.4 s",
    "stalls": "not complete within 0.4 s",
    "drips": "not complete within 0.4 s",
    "drips headers": "not complete within 0.4 s",
    "endless": "more than 1000000 bytes",
    "noise": "",
    "to http://example.invalid/x": "only https is used",
    "to file:///etc/hostname": "only https is used",
    f"to /{FIRST}": "too many redirects",
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_server_gives_one_line_and_leaves_nothing(
    server, tmp_path, capfd, monkeypatch, how
):
    waits = HOSTILE[how].startswith("not complete")
    monkeypatch.setattr(data, "MOST_SECONDS", 0.4 if waits else 20)
    monkeypatch.setattr(data, "MOST_BYTES", 1_000_000)
    server.how["/" + FIRST] = how
    if how == "missing":
        del server.files["/" + FIRST]
    if how == "wrong":
        server.files["/" + FIRST] += b"x"
    began = time.monotonic()
    assert data.main(["mnist", "--data-dir", str(tmp_path)]) == 2
    assert time.monotonic() - began < 4
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and HOSTILE[how] in err
    assert server.base + FIRST in err and files_in(tmp_path) == []


def test_download_ends_when_the_server_is_silent(server, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "SILENCE", 0.2)
    server.how["/" + FIRST] = "slow"
    assert "timed out" in error_of(data.download, "mnist", tmp_path)


def test_download_no_server(server, tmp_path, monkeypatch):
    monkeypatch.setitem(data.URLS, "mnist", "http://127.0.0.1:1/")  # nothing listens there
    assert "refused" in error_of(data.download, "mnist", tmp_path)


@pytest.mark.parametrize("base", ["http://example.invalid/", "ftp://a.invalid/", "file:///tmp/"])
def test_download_only_from_https(tmp_path, monkeypatch, base):
    monkeypatch.setitem(data.URLS, "mnist", base)
    assert "only https is used" in error_of(data.download, "mnist", tmp_path)


def test_own_addresses_are_https_and_sums_are_sums():
    for name, url in data.URLS.items():
        assert url.startswith("https://") and url.endswith("/")
        assert len(set(data.SHA256[name])) == len(data.FILES) == 4
        assert all(len(bytes.fromhex(s)) == 32 for s in data.SHA256[name])


def test_download_to_what_is_no_folder_or_no_file_is_refused(server, tmp_path):
    (tmp_path / "mnist").write_text("not a folder")
    assert "cannot put" in error_of(data.download, "mnist", tmp_path)
    (tmp_path / "other" / "mnist" / FIRST).mkdir(parents=True)
    assert "not a file" in error_of(data.download, "mnist", tmp_path / "other")
    assert files_in(tmp_path) == ["mnist"]


def test_download_without_pooch_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    assert 'pip install -e ".[mnist]"' in error_of(data.download, "mnist", tmp_path)


# ---- the command line


def test_command_line_downloads(server, tmp_path, capsys):
    assert data.main(["mnist", "--data-dir", str(tmp_path)]) == 0
    assert [Path(p).name for p in capsys.readouterr().out.split()] == [
        f"{f}.gz" for f in data.FILES
    ]


def test_command_line_uses_the_variable(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SUBLIM_MINI_DATA", str(tmp_path / "variable"))
    assert data.main(["mnist"]) == 0
    assert files_in(tmp_path / "variable" / "mnist") == ALL


def test_ctrl_c_ends_a_download_at_once(server, tmp_path, capsys):
    server.how["/" + LAST] = "stalls"
    main_thread = threading.main_thread().ident
    pressed = []

    def press_ctrl_c():  # once the three before it are there and the last one stalls
        while sum(path.suffix == ".gz" for path in tmp_path.rglob("*")) < 3:
            time.sleep(0.05)
        time.sleep(0.2)
        pressed.append(time.monotonic())
        signal.pthread_kill(main_thread, signal.SIGINT)

    threading.Thread(target=press_ctrl_c, daemon=True).start()
    assert data.main(["mnist", "--data-dir", str(tmp_path)]) == 130
    assert time.monotonic() - pressed[0] < 3
    assert capsys.readouterr().err.count("interrupted") == 1
    assert len(files_in(tmp_path)) == 3  # the three before it, whole


@pytest.mark.parametrize(
    "argv",
    [[], ["cifar"], ["mnist", "more"], ["mnist", "--data", "x"], ["mnist", "--data-dir", ""]],
    ids=" ".join,
)
def test_bad_command_line_is_one_line(argv, capsys):
    with pytest.raises(SystemExit) as stop:
        data.main(argv)
    out, err = capsys.readouterr()
    assert stop.value.code == 2 and out == ""
    assert err.count("\n") == 1 and err.startswith("sublim_mini.data: ")


def run(code):
    return subprocess.run([sys.executable, *code], capture_output=True, text=True, timeout=60)


def test_module_needs_no_jax_and_runs_as_a_command():
    code = "import sys, sublim_mini.data; print({'jax', 'matplotlib'} & set(sys.modules))"
    assert run(["-c", code]).stdout.strip() == "set()"
    result = run(["-m", "sublim_mini.data", "cifar"])
    assert result.returncode == 2 and result.stderr.count("\n") == 1
