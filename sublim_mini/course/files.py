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
    """Raise InputError now if files in `folder`, made if need be, could not be written later.

    A file that is there already must be replaceable: it is moved away and back to see.
    """
    try:
        whole = parent = os.path.abspath(folder)
        while not os.path.lexists(parent) and parent != os.path.dirname(parent):
            parent = os.path.dirname(parent)
        with tempfile.TemporaryDirectory(dir=parent) as trial:  # where `folder` will be, try it
            os.makedirs(os.path.join(trial, os.path.relpath(whole, parent)), exist_ok=True)
            for path in (os.path.join(whole, name) for name in names):
                if os.path.isdir(path):
                    raise OSError(0, f"{os.path.basename(path)} is a folder there")
                if os.path.lexists(path):
                    away = os.path.join(trial, "away")
                    os.rename(path, away)
                    os.rename(away, path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{folder}: cannot write there ({why}); name another folder") from error
