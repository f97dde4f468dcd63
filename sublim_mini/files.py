"""Files: written whole or not at all; parameters saved as `.npz`, without pickle."""

import argparse
import os
import tempfile
import uuid
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from .errors import InputError


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


def check_writable(folder):
    """Raise InputError now if a file in `folder`, made if need be, could not be written later."""
    parent = Path(folder).absolute()
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise InputError(f"{folder}: {parent} is a file, not a folder; name another folder")
    try:
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise InputError(f"{folder}: cannot write in {parent} ({error.strerror})") from error


def save_params(path, params):
    """Save params, lists and dicts of arrays, as `.npz`: one array a leaf, named by its place."""
    with replacing(path) as temporary:
        np.savez(temporary, **_named(params))


def load_params(path):
    """The params that `save_params` wrote, as numpy arrays; InputError if it cannot read them."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            named = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read params from {path}: {error}") from error
    return _nested(named)


def _named(tree, prefix=""):
    if not isinstance(tree, dict | list):
        return {prefix: np.asarray(tree)}
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree)
    start = f"{prefix}/" if prefix else ""
    return {k: v for name, branch in branches for k, v in _named(branch, f"{start}{name}").items()}


def _nested(named):
    branches = {}
    for name, leaf in named.items():
        first, _, rest = name.partition("/")
        branches.setdefault(first, {})[rest] = leaf
    tree = {k: b[""] if "" in b else _nested(b) for k, b in branches.items()}
    return [tree[str(i)] for i in range(len(tree))] if "0" in tree else tree
