"""The real digits of MNIST, or any four 28 x 28 IDX files in their place, such as Fashion-MNIST's.

    python -m sublim_mini.course.mnist      downloads MNIST (12 MB)

Nothing else downloads. The folder is `--data-dir`, else $SUBLIM_MINI_DATA, else the user's cache
folder. MNIST: LeCun, Cortes and Burges (1998).
"""

import gzip
import os
import sys
import zlib
from pathlib import Path

import numpy as np

from .. import InputError

URL = "https://storage.googleapis.com/cvdf-datasets"  # "/mnist/" and the name of a file come next
FILES = {  # name -> SHA-256 of the gzipped file, as it is served; TensorFlow Datasets has the same
    "train-images-idx3-ubyte": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}


def load_real(folder=None):
    """(images, labels) for training, and for testing, from the four files.

    images [N, 784] in [-1, 1], float32; labels [N] from 0 to 9, int32. The files are in
    <folder>/mnist, where torchvision puts them in `folder`, or in `folder`. Raises InputError, one
    line, if one is missing, broken, or not of this kind.
    """
    folder = Path(folder or os.environ.get("SUBLIM_MINI_DATA") or _downloads().path).expanduser()
    for inner in "mnist", "MNIST/raw", "":
        paths = [_find(folder / inner, file) for file in FILES]
        if None not in paths:
            break
    else:
        raise InputError(
            f"not all of {', '.join(FILES)} in {folder}: name a folder that has them by "
            "--data-dir, or download them: python -m sublim_mini.course.mnist"
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


def _downloads():
    """The `pooch.Pooch` of MNIST: its folder, and each file with its SHA-256."""
    try:
        import pooch
    except ImportError as error:
        raise InputError('without --data-dir, first run: pip install -e ".[mnist]"') from error
    registry = {f"mnist/{file}.gz": digest for file, digest in FILES.items()}
    cache = pooch.os_cache("sublim_mini")
    return pooch.create(cache, URL, registry=registry, env="SUBLIM_MINI_DATA")


def main():
    """The command: download MNIST and print the paths, or one line and status 2."""
    try:
        downloads = _downloads()
        for file in downloads.registry:
            print(downloads.fetch(file, progressbar=True))
    except (OSError, ValueError, KeyboardInterrupt) as error:
        print(f"mnist: {InputError(str(error) or 'interrupted')}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
