"""Real digits and clothes: MNIST, Fashion-MNIST, or any four 28 x 28 IDX files.

    python -m sublim_mini.course.mnist mnist      downloads MNIST (12 MB)
    python -m sublim_mini.course.mnist fashion    downloads Fashion-MNIST (31 MB)

Nothing else downloads. The folder is `--data-dir`, else $SUBLIM_MINI_DATA, else the user's cache
folder. MNIST: LeCun, Cortes and Burges (1998). Fashion-MNIST: Xiao, Rasul and Vollgraf (2017).
"""

import argparse
import gzip
import math
import os
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import InputError

KINDS = "images-idx3", "labels-idx1"
FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in KINDS]
FOLDERS = {"mnist": ("mnist", "MNIST/raw", "."), "fashion": ("fashion", "FashionMNIST/raw", ".")}
URLS = {  # "/mnist/" or "/fashion/" and the name of a file come next
    "mnist": "https://storage.googleapis.com/cvdf-datasets",
    "fashion": "https://github.com/zalandoresearch/fashion-mnist/raw/master/data",
}
SHA256 = {  # of FILES, gzipped, as they are served; TensorFlow Datasets lists the same
    "mnist": [
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ],
    "fashion": [
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ],
}


class Digits(NamedTuple):
    """Images [N, 784] in [-1, 1], float32, and labels [N] from 0 to 9, int32."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load_real(name, folder=None):
    """`Digits` from the four files of data set `name`, "mnist" or "fashion".

    They are in `folder`, in <folder>/<name>, or where torchvision puts them in `folder`.
    Raises InputError, one line, if one is missing, broken, or not of this kind.
    """
    folder = folder or os.environ.get("SUBLIM_MINI_DATA") or _downloads(name).path
    folder = Path(os.path.expanduser(folder))
    sets = [[_find(folder / inner, file) for file in FILES] for inner in FOLDERS[name]]
    paths = min(sets, key=lambda paths: paths.count(None))  # the fullest folder
    if None in paths:
        raise InputError(
            f"no {FILES[paths.index(None)]} in {folder}: name a folder that has it by --data-dir, "
            f"or download without --data-dir: python -m sublim_mini.course.mnist {name}"
        )
    arrays = []
    for path, kind in zip(paths, 2 * KINDS, strict=True):
        try:
            arrays.append(_read_idx(path.read_bytes(), kind))
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise InputError(f"{path}: {error}; put a good file in its place") from error
    digits = Digits(*arrays)
    counts = [len(array) for array in digits]
    if counts[::2] != counts[1::2]:
        raise InputError(f"{paths[0].parent}: images and labels do not agree: {counts} in {FILES}")
    return digits


def _find(folder, file):
    """The path of an IDX file in a folder, gzipped or not, in either spelling, or None."""
    spelled = file, file.replace("-idx", ".idx")
    paths = [folder / (name + end) for end in (".gz", "") for name in spelled]
    return next(filter(os.path.isfile, paths), None)  # not a pipe: it would hang


def _read_idx(content, kind):
    """The bytes of an IDX file, gzipped or not -> images [N, 784] or labels [N] as in `Digits`."""
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    n_dims = int(kind[-1])
    header = 4 + 4 * n_dims  # bytes: the type of the values, uint8; the number of axes; the shape
    if content[:4] != bytes([0, 0, 8, n_dims]) or len(content) < header:
        raise ValueError(f"not an IDX file of {kind}")
    n, *sides = np.frombuffer(content, ">u4", n_dims, offset=4).tolist()
    values = np.frombuffer(content, np.uint8, offset=header)
    if sides not in ([], [28, 28]) or len(values) != n * math.prod(sides) or n == 0:
        raise ValueError(f"{len(values)} bytes for shape {[n, *sides]}: cut, or not 28 x 28")
    if sides:
        return values.reshape(n, 784) / np.float32(127.5) - np.float32(1)
    if values.max() > 9:
        raise ValueError(f"a label {values.max()}, not 0 to 9")
    return values.astype(np.int32)


def _downloads(name):
    """The `pooch.Pooch` of a data set: its folder, and each file with its SHA-256 and address."""
    try:
        import pooch
    except ImportError as error:
        raise InputError('without --data-dir, first run: pip install -e ".[mnist]"') from error
    files = [f"{name}/{file}.gz" for file in FILES]
    registry, cache = dict(zip(files, SHA256[name], strict=True)), pooch.os_cache("sublim_mini")
    return pooch.create(cache, URLS[name], registry=registry, env="SUBLIM_MINI_DATA")


def main(argv=None):
    """The command: download a data set and print its paths, or one line and status 2."""
    parser = argparse.ArgumentParser(prog="sublim_mini.course.mnist")
    parser.add_argument("name", choices=list(URLS), help="which data set to download")
    name = parser.parse_args(argv).name
    try:
        downloads = _downloads(name)
        for file in downloads.registry:
            print(downloads.fetch(file, progressbar=True))
    except (OSError, ValueError, KeyboardInterrupt) as error:
        parser.exit(2, f"{parser.prog}: {InputError(str(error) or 'interrupted')}\n")


if __name__ == "__main__":
    main()
