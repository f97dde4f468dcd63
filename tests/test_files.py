"""Files are whole or absent, params come back as they were."""

import jax
import numpy as np
import pytest

from sublim_mini.errors import InputError
from sublim_mini.files import check_writable, load_params, replacing, save_params
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


def test_an_output_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file, not a folder"):
        check_writable(tmp_path / "file" / "deeper")
    check_writable(tmp_path / "not" / "yet")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_params_come_back_as_they_were(tmp_path, key):
    many = {"blocks": init_mlp(key, [2] * 13), "embed": np.ones((3, 2), np.float32)}
    for params in (many, many["blocks"], many["blocks"][:1]):
        save_params(tmp_path / "p.npz", params)
        back = load_params(tmp_path / "p.npz")
        assert jax.tree.structure(back) == jax.tree.structure(params)
        jax.tree.map(np.testing.assert_array_equal, back, params)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 not a zip", b"\x80\x04N."])
def test_params_that_cannot_be_read(tmp_path, content):
    if content is not None:
        (tmp_path / "p.npz").write_bytes(content)
    with pytest.raises(InputError, match="cannot read params from .*p.npz"):
        load_params(tmp_path / "p.npz")


def test_params_are_saved_without_pickle(tmp_path):
    np.savez(tmp_path / "p.npz", a=np.array([{"x": 1}], dtype=object))
    with pytest.raises(InputError, match="cannot read params"):
        load_params(tmp_path / "p.npz")
