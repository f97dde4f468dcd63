"""Real digits and clothes: MNIST, Fashion-MNIST, or any data set in the same IDX format.

    python -m sublim_mini.data mnist      downloads MNIST (12 MB)
    python -m sublim_mini.data fashion    downloads Fashion-MNIST (31 MB)

Nothing else downloads. The files belong in <folder>/mnist or <folder>/fashion, or in the folder
itself. The folder is `--data-dir`, else $SUBLIM_MINI_DATA, else the user's cache folder.
MNIST: LeCun, Cortes and Burges (1998). Fashion-MNIST: Xiao, Rasul and Vollgraf (2017).
"""

import gzip
import hashlib
import io
import math
import os
import struct
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import numpy as np
from tqdm import tqdm

from .errors import InputError
from .files import folder_flag
from .flags import Parser
from .script import Interrupted, raise_signals

PARTS = "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"
FILES = [f"{part}-ubyte" for part in PARTS]
URLS = {
    "mnist": "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "fashion": "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
}
SHA256 = {  # of FILES as they are served, gzipped; TensorFlow Datasets lists the same
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
MOST_VALUES = 300_000 * 784  # in one file; more is refused unread
MOST_BYTES, MOST_SECONDS = 50_000_000, 600  # of one download
SILENCE = 30  # seconds without a byte after which a download fails


class Digits(NamedTuple):
    """Images [N, 784] in [-1, 1], float32, and labels [N] from 0 to 9, int32."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def read_idx(content):
    """The uint8 array, labels [N] or images [N, rows, columns], of an IDX file's bytes.

    Whatever the bytes, gzipped or not, it returns a non-empty array or raises InputError.
    It unpacks no more than the header declares.
    """
    file = io.BytesIO(content)
    if content[:2] == b"\x1f\x8b":
        file = gzip.GzipFile(fileobj=file)
    try:
        magic = int.from_bytes(file.read(4), "big")
        if magic not in (2049, 2051):
            raise InputError(f"wrong magic number {magic}, not 2049 (labels) or 2051 (images)")
        n_dims = magic % 256  # 1 or 3
        header = file.read(4 * n_dims)
        if len(header) < 4 * n_dims:
            raise InputError("truncated: it ends within its header")
        shape = struct.unpack(f">{n_dims}I", header)
        size = math.prod(shape)
        if not 0 < size <= MOST_VALUES:
            raise InputError(f"its shape is {shape}: empty, or more than {MOST_VALUES} values")
        body = file.read(size + 1)  # one more than there should be: this also checks a gzip's end
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError("the gzip data are truncated or corrupt") from error
    if len(body) != size:
        problem = "too long" if len(body) > size else f"truncated: {len(body)} bytes"
        raise InputError(f"{problem}, not the {size} bytes of shape {shape}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def load_real(name, folder=None):
    """`Digits` of the data set `name`, "mnist" or "fashion".

    A notice on stderr says which files are not the originals as downloaded. InputError says what
    is missing, unreadable or wrong. Of <folder>/<name> and `folder`, the fuller one is read.
    """
    where = data_folder(folder)
    try:
        paths = max(_files_in(where / name), _files_in(where), key=len)
        missing = [file for file in FILES if file not in paths]
        if missing:
            flag = f' --data-dir "{where}"' if folder else ""
            command = f"python -m sublim_mini.data {name}{flag}"
            raise InputError(f"no {', no '.join(missing)} in {where}; download with: {command}")
        arrays, unknown = [], []
        for file, sha256 in zip(FILES, SHA256[name], strict=True):
            with open(paths[file], "rb") as opened:
                content = opened.read(MOST_VALUES + 100)  # `read_idx` refuses a longer file
            try:
                arrays.append(read_idx(content))
            except InputError as error:
                raise InputError(f"{paths[file]}: {error}") from error
            if hashlib.sha256(content).hexdigest() != sha256:
                unknown.append(paths[file].name)
    except OSError as error:
        raise InputError(f"cannot read {error.filename or where}: {error.strerror}") from error
    parts = [_check_pair(arrays[i], arrays[i + 1], paths[FILES[i]]) for i in (0, 2)]
    if unknown:
        print(
            f"notice: not the original {name} files as downloaded (another SHA-256): "
            f"{', '.join(unknown)} in {where}",
            file=sys.stderr,
        )
    return Digits(*parts[0], *parts[1])


def _files_in(folder):
    """file -> path of those of the four that are in a folder, gzipped or not, in any spelling."""
    try:
        with os.scandir(folder) as entries:  # only regular files: a pipe or device would hang
            there = {entry.name: folder / entry.name for entry in entries if entry.is_file()}
    except FileNotFoundError:
        return {}
    spellings = [(part, part + end) for part in PARTS for end in ("-ubyte", "-ubyte.gz")]
    dotted = [(part, spelled.replace("-idx", ".idx")) for part, spelled in spellings]
    return {f"{part}-ubyte": there[s] for part, s in spellings + dotted if s in there}


def _check_pair(images, labels, path):
    """Images [N, 784] in [-1, 1] and labels [N], or InputError if they do not belong together."""
    if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise InputError(
            f"{path}: images of shape {images.shape} and labels of shape {labels.shape}, "
            "not (N, 28, 28) and (N,)"
        )
    if labels.max() > 9:
        raise InputError(f"{path}: its labels go up to {labels.max()}, not from 0 to 9")
    pixels = images.reshape(-1, 784).astype(np.float32)  # [N, 28, 28] -> [N, 784]
    pixels /= 127.5  # in place, to save memory
    pixels -= 1
    return pixels, labels.astype(np.int32)


def data_folder(folder=None):
    """`folder`, else $SUBLIM_MINI_DATA, else the user's cache folder; an empty name is none."""
    caches = {"win32": os.environ.get("LOCALAPPDATA"), "darwin": "~/Library/Caches"}
    cache = caches.get(sys.platform, os.environ.get("XDG_CACHE_HOME")) or "~/.cache"
    chosen = folder or os.environ.get("SUBLIM_MINI_DATA") or f"{cache}/sublim_mini"
    return Path(os.path.expanduser(chosen))


def download(name, folder=None):
    """Download the four files of data set `name` to <folder>/<name>; return their paths.

    A file that is there with the right SHA-256 stays. If one cannot be had: InputError, and
    nothing of it is left behind.
    """
    try:
        import pooch
    except ImportError as error:
        raise InputError('downloads need pooch: pip install -e ".[mnist]"') from error
    pooch.get_logger().setLevel("ERROR")
    where, paths = data_folder(folder).absolute() / name, []
    for file, sha256 in zip(FILES, SHA256[name], strict=True):
        path, url = where / f"{file}.gz", f"{URLS[name]}{file}.gz"
        try:
            if path.exists() and not path.is_file():
                raise OSError("it is there already, and not a file")
            paths.append(pooch.retrieve(url, sha256, path.name, where, downloader=_downloader))
        except InputError:
            raise
        except (OSError, ValueError) as error:  # ValueError: pooch found another SHA-256
            why = getattr(error, "strerror", None) or error
            raise InputError(f"cannot put {url} at {path}: {why}") from error
    return paths


def _downloader(url, path, _pooch):
    """Write the bytes at `url` to a file, or raise InputError within `MOST_SECONDS`."""
    content, failed = bytearray(), []
    thread = threading.Thread(target=_receive, args=(url, content, failed), daemon=True)
    thread.start()  # a thread, so that no server can hold up the time limit or Ctrl-C
    end = time.monotonic() + MOST_SECONDS
    try:
        while thread.is_alive() and time.monotonic() < end:
            thread.join(0.05)
    finally:
        if thread.is_alive():
            failed.append(f"not complete within {MOST_SECONDS} s; try again later")
    if failed:
        raise InputError(f"{url}: {' '.join(failed[0].split())}")
    Path(path).write_bytes(content)


def _receive(url, content, failed):
    """Add the bytes at `url` to `content`, or what went wrong to `failed`; stop once it has any."""
    import requests

    options = {"stream": True, "timeout": SILENCE, "allow_redirects": False}
    try:
        for _ in range(10):  # redirects
            address = urlsplit(url)
            if address.scheme != "https" and address.hostname != "127.0.0.1":  # there: tests
                raise InputError(f"only https is used, not {url}")
            with requests.get(url, headers={"Accept-Encoding": "identity"}, **options) as reply:
                if reply.is_redirect:
                    url = urljoin(url, reply.headers["Location"])
                    continue
                reply.raise_for_status()
                total = int(reply.headers.get("Content-Length", 0)) or None
                bar = tqdm(total=total, unit="B", unit_scale=True, disable=None, leave=False)
                with bar:
                    for block in reply.raw.stream(2**16, decode_content=False):
                        content += block
                        bar.update(len(block))
                        if len(content) > MOST_BYTES or failed:
                            raise InputError(f"more than {MOST_BYTES} bytes")
                return
        raise InputError("too many redirects")
    except Exception as error:  # whatever a server can cause
        failed.append(str(error) or type(error).__name__)


def main(argv=None):
    """The command: status 0, or 2 (130 after Ctrl-C) with one line that says what went wrong."""
    parser = Parser(prog="sublim_mini.data", allow_abbrev=False)
    parser.add_argument("name", choices=list(URLS), help="which data set to download")
    parser.add_argument("--data-dir", type=folder_flag, help="where to (your cache folder)")
    flags = parser.parse_args(argv)
    try:
        print(*download(flags.name, flags.data_dir), sep="\n")
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"\n{parser.prog}: interrupted; no half file is left", file=sys.stderr)
        return 143 if isinstance(error, Interrupted) else 130
    return 0


if __name__ == "__main__":
    raise_signals()
    raise SystemExit(main())
