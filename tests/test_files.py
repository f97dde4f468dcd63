"""Files are whole or absent, params come back as they were."""

import io
import os
import struct
import sys
import zipfile

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sublim_mini.files import check_writable, load_params, replacing, save_params

from sublim_mini import InputError, files
from sublim_mini.mlp import init_mlp


def test_replacing_writes_all_or_nothing(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("one")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("tw")
        raise KeyboardInterrupt
    assert path.read_text() == "one" and [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot write .*No space left"):
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("tw")
            raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def refused(folder, says):
    with pytest.raises(InputError) as caught:
        check_writable(folder)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(f"{folder}: cannot write there")
    assert says in message


def test_a_name_of_several_lines_gives_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        check_writable(tmp_path / "file" / "a\nb")
    assert "\n" not in str(caught.value) and "a b: cannot write" in str(caught.value)


def test_a_folder_in_the_place_of_a_result_is_refused_before_the_run(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(InputError, match="a.json is a folder there; name another folder"):
        check_writable(tmp_path, "a.json", "a.png")


def test_a_folder_that_can_be_made_is_not_made_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in tmp_path, tmp_path / "not" / "yet", "a/../../b", ".":
        check_writable(folder)
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file", "Not a directory")
    refused(tmp_path / "file" / "deeper", "Not a directory")
    refused(tmp_path / ("x" * 300), "name too long")
    refused(tmp_path / "y" / ("x" * 300) / "z", "name too long")
    refused(tmp_path / "/".join(["x" * 200] * 30), "name too long")
    refused(f"{tmp_path}/\0", "null byte")
    (tmp_path / "link").symlink_to("nowhere")
    refused(tmp_path / "link", "No such file")
    refused(tmp_path / "link" / "deeper", "No such file")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "link"]


def test_a_working_directory_that_is_gone(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    refused("results", "No such file")


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("mode", [0o500, 0o600, 0])
def test_folders_one_may_not_write_or_enter(tmp_path, mode):
    (tmp_path / "closed").mkdir(mode=mode)
    refused(tmp_path / "closed", "Permission denied")
    refused(tmp_path / "closed" / "deeper", "Permission denied")
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is there on Linux")
def test_a_folder_where_even_root_may_not_write():
    refused("/proc/results", "No such file")


def test_params_come_back_as_they_were(tmp_path, key):
    many = {"blocks": init_mlp(key, [2] * 13), "embed": np.arange(6.0).reshape(2, 3).T}
    many |= {"scale": np.float32(2), "none": np.zeros((0, 3)), "deep": {"a": [np.ones(1)] * 2}}
    for params in (many, many["blocks"], many["blocks"][:1]):
        save_params(tmp_path / "p.npz", params)
        back = load_params(tmp_path / "p.npz")
        assert jax.tree.structure(back) == jax.tree.structure(params)
        for new, old in zip(jax.tree.leaves(back), jax.tree.leaves(params), strict=True):
            np.testing.assert_array_equal(new, old, strict=True)


def npy(descr="<f4", shape=(2,), body=bytes(8)):
    """The bytes of an `.npy` file with any header, written independently of numpy."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def archive(members, method=zipfile.ZIP_STORED):
    """The bytes of a zip file of (name, bytes)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as zipped:
        for name, content in members:
            zipped.writestr(name, content)
    return file.getvalue()


def declares(size):
    """An archive whose directory says that its one member unpacks to `size` bytes."""
    content = bytearray(archive([("a.npy", npy())]))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", size)
    return bytes(content)


def params_or_error(path, content):
    """The params of a file of these bytes, or the message of the one error: always one line."""
    path.write_bytes(content)
    try:
        return load_params(path)
    except InputError as error:
        assert str(error).startswith(f"cannot read params from {path}: ")
        assert "\n" not in str(error)
        return str(error)


HOSTILE = {
    "nothing": (b"", "not a zip"),
    "no zip": (b"PK\x03\x04 not a zip", "not a zip"),
    "a pickle": (b"\x80\x04N.", "not a zip"),
    "no array": (archive([("a.npy", b"text")]), "magic"),
    "declares too much": (declares(2**31), "unpacks to more than"),
    "declares too little": (declares(70), "Bad CRC-32"),
    "huge shape": (archive([("a.npy", npy(shape=(10**12,)))]), "reshape"),
    "huger shape": (archive([("a.npy", npy(shape=(10**30, 0)))]), ""),
    "negative shape": (archive([("a.npy", npy(shape=(-1,)))]), "shape (-1,)"),
    "objects": (archive([("a.npy", npy("|O"))]), "an array of object"),
    "texts of no length": (archive([("a.npy", npy("<U0", (10**15,), b""))]), "an array of <U0"),
    "body cut": (archive([("a.npy", npy(body=bytes(7)))]), "buffer size"),
    "deep header": (archive([("a.npy", npy(shape="(" * 5000))]), ""),
    "minus header": (archive([("a.npy", npy(shape="-" * 5000 + "1"))]), ""),
    "deep names": (archive([("a/" * 30_000 + "b.npy", npy())]), "nested too deep"),
    "same name": (archive([("a.npy", npy()), ("a", npy())]), "two arrays in one place"),
    "leaf, then branch": (archive([("a", npy()), ("a/b/c", npy())]), "two arrays in one place"),
    "branch, then leaf": (archive([("a/b.npy", npy()), ("a", npy())]), "two arrays in one place"),
    "lzma": (archive([("a.npy", npy())], zipfile.ZIP_LZMA), "unknown compression"),
}


@pytest.mark.parametrize("content, says", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.filterwarnings("ignore:.*invalid escape")
def test_hostile_params_give_one_line(tmp_path, content, says):
    message = params_or_error(tmp_path / "p.npz", content)
    assert isinstance(message, str) and says in message


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 10_000)
    monkeypatch.setattr(zipfile.ZipFile, "read", None)
    members = [(f"{i}.npy", npy(shape=(1000,), body=bytes(4000))) for i in range(3)]
    bomb = archive(members, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 10_000
    assert "unpacks to more than 10000" in params_or_error(tmp_path / "p.npz", bomb)
    assert "at most 10000 bytes" in params_or_error(tmp_path / "p.npz", bytes(10_001))


def test_names_with_holes_stay_names(tmp_path):
    back = params_or_error(tmp_path / "p.npz", archive([("0.npy", npy()), ("2.npy", npy())]))
    assert set(back) == {"0", "2"}


def test_params_that_are_no_file(tmp_path):
    for path in tmp_path, tmp_path / "missing", "/dev/zero":
        with pytest.raises(InputError, match="cannot read params from .*: not a file"):
            load_params(path)


SAVED = archive([("a/0.npy", npy()), ("a/1.npy", npy(shape=(1, 2)))], zipfile.ZIP_DEFLATED)


@settings(deadline=None, max_examples=150)
@given(draws=st.data())
def test_params_survive_changed_files(tmp_path_factory, draws):
    changed = bytearray(SAVED)
    for place in draws.draw(st.lists(st.integers(0, len(changed) - 1), max_size=4)):
        changed[place] = draws.draw(st.integers(0, 255))
    cut = draws.draw(st.integers(0, len(changed)))
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    params_or_error(path, bytes(changed[:cut]))
    params_or_error(path, bytes(changed))


@settings(deadline=None, max_examples=50)
@given(header=st.text(max_size=40), body=st.binary(max_size=40))
def test_params_survive_any_header(tmp_path_factory, header, body):
    path = tmp_path_factory.getbasetemp() / "header.npz"
    params_or_error(path, archive([("a.npy", npy(shape=header, body=body))]))
