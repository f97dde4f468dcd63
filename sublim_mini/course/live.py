"""The data block of lessons/live.html: synthetic digits as deflated bytes, and their labels."""

import base64
import json
import re
import zlib

import numpy as np

from .. import InputError
from ..digits import SIDE, draw_digits

N_DIGITS, N_TEST = 3000, 500  # the last 500 are for the test
LEVELS = 16  # of gray: enough for the eye and for training, at half the size
BLOCK = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.DOTALL)


def small_digits(key, n):
    """Draw n digits of half the size: images [n, 14, 14], means of 2 x 2 pixels; labels [n]."""
    images, labels = draw_digits(key, n)
    half = SIDE // 2
    return np.asarray(images).reshape(n, half, 2, half, 2).mean((2, 4)), np.asarray(labels)


def data_block(key):
    """The digits as JSON: zlib-deflated bytes from 0 to LEVELS - 1, in base64; labels."""
    images, labels = small_digits(key, N_DIGITS)
    levels = np.round((images + 1) / 2 * (LEVELS - 1)).astype(np.uint8)
    return json.dumps(
        {
            "test": N_TEST,
            "levels": LEVELS,
            "labels": "".join(map(str, labels)),
            "pixels": base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode(),
        }
    )


def replace_data(page, key, make_block=data_block):
    """The text of the page with a new data block; InputError unless it has exactly one."""
    if len(BLOCK.findall(page)) != 1:
        raise InputError('it does not have exactly one <script id="data" type="application/json">')
    block = make_block(key)
    return BLOCK.sub(lambda found: found[1] + block + found[3], page)
