"""Files are written whole or not at all, and before a run it is known whether they can be."""

import os
import tempfile
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from .. import InputError


@contextmanager
def replacing(path):
    """Give a temporary path beside `path` that takes its place if the block ends well.

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


def check_writable(folder, *names):
    """Make a folder; raise InputError now if files of these names could not be written later."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as trial:
            for path in (Path(folder, name) for name in names if Path(folder, name).exists()):
                if path.is_dir():
                    raise OSError(0, f"{path.name} is a folder there")
                path.rename(Path(trial, "away")).rename(path)  # a file there can be replaced
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{folder}: cannot write there ({why}); name another folder") from error
