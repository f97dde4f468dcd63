"""Files are written whole or not at all, and what cannot be written is known before a run."""

import os
import re

import pytest

from sublim_mini import InputError
from sublim_mini.course.files import check_writable, replacing


def test_replacing_writes_all_or_nothing(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "first" and os.listdir(path.parent) == ["file.txt"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot write .*: No space left"):
        with replacing(tmp_path / "file") as temporary:
            temporary.write_text("half")
            raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_be_made_is_not_made_yet(tmp_path):
    check_writable(tmp_path / "a" / "b", "x.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays_and_must_be_replaceable(tmp_path, monkeypatch):
    (tmp_path / "x.json").write_text("old")
    check_writable(tmp_path, "x.json")
    assert (tmp_path / "x.json").read_text() == "old" and len(list(tmp_path.iterdir())) == 1

    def refuse(*paths):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "rename", refuse)  # as for a file that another user or program holds
    with pytest.raises(InputError, match="Operation not permitted"):
        check_writable(tmp_path, "x.json")


def test_what_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "x.json").mkdir()
    for folder in tmp_path / "file", tmp_path / "file" / "below", "/proc", "a\0b":
        with pytest.raises(InputError) as error:
            check_writable(folder, "y.json")
        assert re.fullmatch(r".*: cannot write there \(.*\); name another folder", str(error.value))
    with pytest.raises(InputError, match="x.json is a folder there"):
        check_writable(tmp_path, "x.json")
