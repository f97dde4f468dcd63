"""Real digits and clothes: MNIST, Fashion-MNIST, or any four 28 x 28 IDX files in their place.

    python -m sublim_mini.course.mnist mnist       downloads MNIST (12 MB)
    python -m sublim_mini.course.mnist fashion     downloads Fashion-MNIST (31 MB)

Nothing else downloads. The folder is `--data-dir`, else $SUBLIM_MINI_DATA, else the user's cache
folder. MNIST: LeCun, Cortes and Burges (1998). Fashion-MNIST: Xiao, Rasul and Vollgraf (2017).
"""

import gzip
import os
import sys
import zlib
from pathlib import Path

import numpy as np

from .. import InputError

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
TORCHVISION = {"mnist": "MNIST/raw", "fashion": "FashionMNIST/raw"}  # where it puts the files
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


def load_real(name, folder=None):
    """(images, labels) for training, and for testing, from the four files of "mnist" or "fashion".

    images [N, 784] in [-1, 1], float32; labels [N] from 0 to 9, int32. The files are in
    <folder>/<name>, where torchvision puts them in `folder`, or in `folder`. Raises InputError, one
    line, if one is missing, broken, or not of this kind.
    """
    folder = Path(
        folder or os.environ.get("SUBLIM_MINI_DATA") or _downloads(name).path
    ).expanduser()
    for inner in name, TORCHVISION[name], "":
        paths = [_find(folder / inner, file) for file in FILES]
        if None not in paths:
            break
    else:
        raise InputError(
            f"not all of {', '.join(FILES)} in {folder}: name a folder that has them by "
            f"--data-dir, or download them: python -m sublim_mini.course.mnist {name}"
        )
    both = []
    for images_path, labels_path in paths[:2], paths[2:]:
        images, labels = _read_idx(images_path, 3), _read_idx(labels_path, 1)
        if len(images) != len(labels):
            raise InputError(f"{labels_path}: {len(labels)} labels for {len(images)} images")
        both.append((images, labels))
    return tuple(both)


def _find(folder, file):
    """The path of an IDX file in a folder, gzipped or not, "-idx" or ".idx", or None."""
    paths = sorted(folder.glob(file.replace("-idx", "?idx") + "*"))
    return next(filter(Path.is_file, paths), None)  # not a pipe: it would hang


def _read_idx(path, n_axes):
    """An IDX file, gzipped or not -> images [N, 784] or labels [N] as in `load_real`."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        # The header: the type of the values (8 is uint8) and the number of axes; then the shape.
        kind, n, *sides = np.frombuffer(content, ">u4", 1 + n_axes).tolist()
        if kind != 0x800 + n_axes or sides not in ([], [28, 28]):
            raise ValueError(f"not an IDX file of {'28 x 28 images' if n_axes == 3 else 'labels'}")
        values = np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes)
        values = values.reshape((n, 784) if sides else n)
        if values.max() > 9 and not sides:
            raise ValueError(f"a label {values.max()}, not 0 to 9")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path}: {error}; put a good file in its place") from error
    return values / np.float32(127.5) - np.float32(1) if sides else values.astype(np.int32)


def _downloads(name):
    """The `pooch.Pooch` of a data set: its folder, and each file with its SHA-256."""
    try:
        import pooch
    except ImportError as error:
        raise InputError('without --data-dir, first run: pip install -e ".[mnist]"') from error
    files = [f"{name}/{file}.gz" for file in FILES]
    registry, cache = dict(zip(files, SHA256[name], strict=True)), pooch.os_cache("sublim_mini")
    return pooch.create(cache, URLS[name], registry=registry, env="SUBLIM_MINI_DATA")


def main(names):
    """The command: download a data set and print the paths, or one line and status 2."""
    try:
        if len(names) != 1 or names[0] not in URLS:
            raise InputError(f"name one of {', '.join(URLS)}")
        downloads = _downloads(names[0])
        for file in downloads.registry:
            print(downloads.fetch(file, progressbar=True))
    except (OSError, ValueError, KeyboardInterrupt) as error:
        print(f"mnist: {InputError(str(error) or 'interrupted')}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
