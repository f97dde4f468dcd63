"""The data block of lessons/live.html: synthetic digits as one picture, and their labels."""

import base64
import io
import json
import re

import numpy as np
from PIL import Image

from .. import InputError
from ..digits import SIDE, draw_digits

N_DIGITS, N_TEST, COLUMNS = 3000, 500, 50  # the last 500 are for the test
BLOCK = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.DOTALL)


def small_digits(key, n):
    """Draw n digits of half the size: images [n, 14, 14], means of 2 x 2 pixels; labels [n]."""
    images, labels = draw_digits(key, n)
    half = SIDE // 2
    return np.asarray(images).reshape(n, half, 2, half, 2).mean((2, 4)), np.asarray(labels)


def data_block(key):
    """The digits as JSON: a PNG with rows of tiles, as a data URL; labels; how to read them."""
    images, labels = small_digits(key, N_DIGITS)
    pixels = np.round((images + 1) * 127.5).astype(np.uint8)
    rows, side = N_DIGITS // COLUMNS, pixels.shape[1]
    tiles = pixels.reshape(rows, COLUMNS, side, side).swapaxes(1, 2)
    file = io.BytesIO()
    Image.fromarray(tiles.reshape(rows * side, COLUMNS * side)).save(file, "PNG", optimize=True)
    return json.dumps(
        {
            "columns": COLUMNS,
            "test": N_TEST,
            "mean": round(float(images.mean()), 4),  # the page checks what the browser gives it
            "labels": "".join(map(str, labels)),
            "picture": "data:image/png;base64," + base64.b64encode(file.getvalue()).decode(),
        }
    )


def replace_data(page, key, make_block=data_block):
    """The text of the page with a new data block; InputError unless it has exactly one."""
    if len(BLOCK.findall(page)) != 1:
        raise InputError('it does not have exactly one <script id="data" type="application/json">')
    block = make_block(key)
    return BLOCK.sub(lambda found: found[1] + block + found[3], page)
