"""Real digits and clothes: MNIST and Fashion-MNIST, from their original IDX files.

    python -m sublim_mini.data mnist      downloads MNIST (12 MB)
    python -m sublim_mini.data fashion    downloads Fashion-MNIST (31 MB)

Nothing else ever downloads. The files go to, and are looked for in, `--data-dir`, else
`$SUBLIM_MINI_DATA`, else the user's cache folder: there in `mnist` or `fashion`, and files found
in the folder itself are read too. N images, as rows of 784 pixels.

MNIST: LeCun, Cortes and Burges (1998). Fashion-MNIST: Xiao, Rasul and Vollgraf (2017).
"""

import argparse
import gzip
import hashlib
import http.client
import io
import math
import os
import struct
import sys
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
from tqdm import tqdm

from .errors import InputError
from .files import folder_flag, replacing

URLS = {
    "mnist": "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "fashion": "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
}
FILES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]
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
DIMS = {2049: 1, 2051: 3}  # an IDX file's magic number -> its dimensions: labels, images
LIMIT = 100_000 * 784  # values in a file, bytes in a download: more is refused unread


class Digits(NamedTuple):
    """Images [N, 784] in [-1, 1], float32, and labels [N] from 0 to 9, int32."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def read_idx(content):
    """The uint8 array, labels [N] or images [N, rows, columns], of an IDX file's bytes.

    Whatever the bytes, gzipped or not, it returns an array with something in it or raises
    InputError. No more is unpacked than the header declares.
    """
    zipped = content[:2] == b"\x1f\x8b"
    stream = io.BytesIO(content)
    try:
        return _read_stream(gzip.GzipFile(fileobj=stream) if zipped else stream)
    except EOFError as error:
        raise InputError("the gzip data are truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError("the gzip data are corrupt") from error


def _read_stream(stream):
    magic = int.from_bytes(stream.read(4), "big")
    if magic not in DIMS:
        raise InputError(f"wrong magic number {magic}, not 2049 (labels) or 2051 (images)")
    header = stream.read(4 * DIMS[magic])
    if len(header) < 4 * DIMS[magic]:
        raise InputError("truncated: it ends within its header")
    shape = struct.unpack(f">{DIMS[magic]}I", header)
    size = math.prod(shape)
    if size == 0:
        raise InputError(f"nothing in it: its shape is {shape}")
    if size > LIMIT:
        raise InputError(f"too large: its shape is {shape}, and at most {LIMIT} values are read")
    body = stream.read(size + 1)  # one more than there should be; a gzip's end is checked so too
    if len(body) < size:
        raise InputError(f"truncated: {len(body)} of the {size} bytes of shape {shape}")
    if len(body) > size:
        raise InputError(f"too long: bytes follow the {size} of shape {shape}")
    return np.frombuffer(body, np.uint8).reshape(shape)


def load_real(name, folder=None):
    """`Digits` of the data set `name`, "mnist" or "fashion"; InputError says what is wrong.

    The four files are those of <folder>/<name>, or of `folder` itself if more of them are there.
    """
    paths = _find(name, folder)
    train, test = _read_pair(*paths[:2]), _read_pair(*paths[2:])
    return Digits(*train, *test)


def _find(name, folder):
    where = data_folder(folder)
    flag = f' --data-dir "{where}"' if folder else ""
    hint = f"get the files with: python -m sublim_mini.data {name}{flag}"
    if not os.path.exists(where):
        raise InputError(f"the data folder {where} is missing; {hint}")
    loose, own = _files_in(where), _files_in(where / name)
    found = loose if len(loose) > len(own) else own
    missing = [file for file in FILES if file not in found]
    if missing:
        raise InputError(f"no {' and no '.join(missing)}[.gz] in {where}; {hint}")
    return [found[file] for file in FILES]


def _files_in(folder):
    """name -> path of those of the four files that are in `folder`, whatever their spelling."""
    try:
        with os.scandir(folder) as entries:
            there = {entry.name for entry in entries if entry.is_file()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"cannot read the data folder {folder}: {error.strerror}") from error
    endings = "", ".gz"
    spellings = {f: [n + e for n in (f, f.replace("-idx", ".idx")) for e in endings] for f in FILES}
    return {f: folder / s for f, names in spellings.items() for s in names if s in there}


def _read_pair(images_path, labels_path):
    """Images [N, 784] in [-1, 1] and labels [N] of two files that belong together."""
    images, labels = _read_file(images_path), _read_file(labels_path)
    if images.shape[1:] != (28, 28):
        raise InputError(f"{images_path}: the shape is {images.shape}, not (N, 28, 28)")
    if labels.ndim != 1:
        raise InputError(f"{labels_path}: the shape is {labels.shape}, not (N,)")
    if len(images) != len(labels):
        raise InputError(
            f"{images_path} has {len(images)} images but {labels_path} has {len(labels)} labels"
        )
    if labels.max() > 9:
        raise InputError(f"{labels_path}: there is a label {labels.max()}, not from 0 to 9")
    pixels = images.reshape(-1, 784).astype(np.float32)  # [N, 28, 28] -> [N, 784]
    pixels /= 127.5  # in place: they are many
    pixels -= 1
    return pixels, labels.astype(np.int32)


def _read_file(path):
    content = _bytes_of(path)
    try:
        return read_idx(content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _bytes_of(path):
    try:
        with open(path, "rb") as file:
            return file.read(LIMIT + 100)  # a longer file is wrong, and read_idx will say so
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def data_folder(folder=None):
    """`folder`, else $SUBLIM_MINI_DATA, else the user's cache folder; an empty name is none."""
    chosen = folder or os.environ.get("SUBLIM_MINI_DATA")
    return Path(os.path.expanduser(chosen or cache_folder(sys.platform, os.environ)))


def cache_folder(platform, environ):
    """Where programs keep what they can fetch again, by the custom of the platform."""
    if platform == "win32":
        base = environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif platform == "darwin":
        base = "~/Library/Caches"
    else:
        base = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return f"{base}/sublim_mini"


def download(name, folder=None, base=None, timeout=30.0):
    """Put the four files of data set `name` in <folder>/<name>; return file -> what was done.

    base     where they are: https, or http from this very machine, as the tests do
    timeout  seconds without a byte after which it gives up

    A file whose SHA-256 is right stays. InputError if one cannot be had; nothing of it is left.
    """
    base, done = base or URLS[name], {}
    address = urlsplit(base)
    if address.scheme != "https" and (address.scheme, address.hostname) != ("http", "127.0.0.1"):
        raise InputError(f"{base}: only https is used")
    for file, sha256 in reversed(list(zip(FILES, SHA256[name], strict=True))):  # a small one first
        path = data_folder(folder) / name / f"{file}.gz"
        if os.path.isfile(path) and _is(sha256, _bytes_of(path)):
            done[path] = "already there"
            continue
        content = _fetch(f"{base}{file}.gz", timeout)
        if not _is(sha256, content):
            raise InputError(f"{base}{file}.gz: wrong content (its SHA-256 is another); not kept")
        with replacing(path) as temporary:
            temporary.write_bytes(content)
        done[path] = "downloaded"
    return done


def _is(sha256, content):
    return hashlib.sha256(content).hexdigest() == sha256


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, reply, code, message, headers, url):
        if urlsplit(url).scheme != "https":
            reply.close()
            raise InputError(f"{request.full_url}: it redirects to {url}, and only https is used")
        return super().redirect_request(request, reply, code, message, headers, url)


def _fetch(url, timeout):
    """The bytes at `url`, with a progress bar; each failure is an InputError of one line."""
    try:
        with urllib.request.build_opener(_HttpsRedirects).open(url, timeout=timeout) as reply:
            return _receive(reply, url)
    except urllib.error.HTTPError as error:
        error.close()
        raise InputError(
            f"{url}: the server answered {error.code} {_line(error.reason)}"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise InputError(f"{url}: no answer within {timeout:g} s; try again later") from error
        raise InputError(f"{url}: no connection ({_line(reason)})") from error


def _receive(reply, url):
    content, length = bytearray(), reply.length
    bar = tqdm(desc=url.rsplit("/")[-1], total=length, unit="B", unit_scale=True, disable=None)
    with bar:
        while block := reply.read(2**16):
            content += block
            bar.update(len(block))
            if len(content) > LIMIT:
                raise InputError(f"{url}: wrong content (more than {LIMIT} bytes); not kept")
    if length is not None and len(content) < length:
        raise InputError(f"{url}: the connection was cut after {len(content)} of {length} bytes")
    return bytes(content)


def _line(error):
    return " ".join(str(error).split()) or type(error).__name__


def main(argv=None):
    """Download a data set from the command line; the status is 0, or 2 after a line of error."""
    parser = argparse.ArgumentParser(prog="sublim_mini.data", allow_abbrev=False)
    parser.error = lambda text: parser.exit(2, f"{parser.prog}: {text} (--help says more)\n")
    parser.add_argument("name", choices=list(URLS), help="which data set to download")
    parser.add_argument("--data-dir", type=folder_flag, help="where to (your cache folder)")
    flags = parser.parse_args(argv)
    try:
        for path, what in download(flags.name, flags.data_dir).items():
            print(f"{what}: {path}")
    except InputError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted; no half file is left", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
