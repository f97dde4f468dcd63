"""Files: written whole or not at all; parameters saved as `.npz`, without pickle."""

import argparse
import io
import os
import tempfile
import uuid
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from .errors import InputError

MOST_BYTES = 200_000_000  # of saved params, unpacked


@contextmanager
def replacing(path):
    """Give a temporary path beside `path`, that takes its place if the block ends well.

    The temporary name has the same ending as `path` (`numpy.savez` adds one that is missing).
    Raises InputError if the folder cannot be made or the file not written; then nothing is left.
    """
    path = Path(path)
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def folder_flag(text):
    """The folder that a flag of a command line names; an empty name is refused."""
    if not text:
        raise argparse.ArgumentTypeError("names no folder")
    return Path(text)


def check_writable(folder, *names):
    """Raise InputError now if files in `folder`, made if need be, could not be written later."""
    for name in names:
        if os.path.isdir(os.path.join(folder, name)):
            raise InputError(f"{folder}: {name} is a folder there; name another folder")
    try:
        whole = parent = os.path.abspath(folder)
        while not os.path.lexists(parent) and parent != os.path.dirname(parent):
            parent = os.path.dirname(parent)
        with tempfile.TemporaryDirectory(dir=parent) as trial:  # where `folder` will be, try it
            os.makedirs(os.path.join(trial, os.path.relpath(whole, parent)), exist_ok=True)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{folder}: cannot write there ({why}); name another folder") from error


def save_params(path, params):
    """Save params, lists and dicts of arrays, as `.npz`: one array a leaf, named by its place."""
    with replacing(path) as temporary:
        np.savez(temporary, **_named(params))


def load_params(path):
    """The params that `save_params` wrote, as numpy arrays; InputError if it cannot read them.

    Whatever the file, it reads at most 200 MB, only numbers, and nests at most 20 levels.
    """
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MOST_BYTES:
            raise ValueError(f"not a file of at most {MOST_BYTES} bytes")
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_BYTES:
                raise ValueError(f"it unpacks to more than {MOST_BYTES} bytes")
            tree = {}
            for member in members:
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError("an unknown compression")
                *branches, leaf = member.filename.removesuffix(".npy").split("/")
                if len(branches) > 20:
                    raise ValueError("names nested too deep")
                node = tree
                for branch in branches:
                    node = node.setdefault(branch, {}) if isinstance(node, dict) else None
                if not isinstance(node, dict) or leaf in node:
                    raise ValueError(f"two arrays in one place, {member.filename[:80]!r}")
                node[leaf] = _array(archive.read(member))
        return _lists(tree)
    except Exception as error:  # a hostile archive can raise almost anything in `zipfile`
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"cannot read params from {path}: {why}") from error


def _array(content):
    """The array of an `.npy` file's bytes; ValueError unless they are numbers, as declared."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an unknown version")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in "biuf" or min(shape, default=0) < 0:
        raise ValueError(f"an array of {dtype} and shape {shape}")
    return np.frombuffer(file.read(), dtype).reshape(shape, order="F" if fortran else "C").copy()


def _named(tree, prefix=""):
    if not isinstance(tree, dict | list):
        return {prefix: np.asarray(tree)}
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree)
    start = f"{prefix}/" if prefix else ""
    return {k: v for name, branch in branches for k, v in _named(branch, f"{start}{name}").items()}


def _lists(tree):
    """The tree with a list in place of each dict whose names are 0, 1, 2, ..."""
    if not isinstance(tree, dict):
        return tree
    tree = {name: _lists(branch) for name, branch in tree.items()}
    is_list = tree and set(tree) == {str(i) for i in range(len(tree))}
    return [tree[str(i)] for i in range(len(tree))] if is_list else tree
