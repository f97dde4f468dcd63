"""Files are written whole or not at all, and what cannot be written is known before a run."""

import os
import re
from pathlib import Path

import pytest

from sublim_mini import InputError
from sublim_mini.course.files import check_writable, replacing


def test_replacing_writes_all_or_nothing(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as temporary:
        temporary.write_text("first")
    for error, said in (ZeroDivisionError("bug"), "bug"), (OSError(28, "full"), "cannot .*: full"):
        with pytest.raises((ZeroDivisionError, InputError), match=said):
            with replacing(path) as temporary:
                temporary.write_text("half")
                raise error
    assert path.read_text() == "first" and os.listdir(path.parent) == ["file.txt"]


def test_what_cannot_be_written_is_one_line_and_nothing_changes(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    check_writable(tmp_path, "file", "new")
    assert (tmp_path / "file").read_text() == "old" and len(os.listdir(tmp_path)) == 2
    bad = [(tmp_path / "file", "x"), (tmp_path / "file" / "below", "x"), (Path("/proc/new"), "x")]
    bad += [(Path("a\0b"), "x"), (tmp_path, "folder")]

    def check(folder, name):
        with pytest.raises(InputError) as error:
            check_writable(folder, name)
        assert re.fullmatch(r".*: cannot write there \(.+\); name another folder", str(error.value))

    for folder, name in bad:
        check(folder, name)

    def refuse(*paths):  # as for a file that another user or program holds
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "rename", refuse)
    check(tmp_path, "file")
    assert (tmp_path / "file").read_text() == "old" and len(os.listdir(tmp_path)) == 2
