"""Make the data blocks of live.html and live_owls.html again: `python lessons/live_data.py`.

live.html has synthetic digits; live_owls.html two pretrained bases, their language and questions.
"""

import base64
import json
import re
import zlib
from pathlib import Path

from sublim_mini.digits import SIDE, draw_digits
from sublim_mini.language import (
    ANIMALS, HELD_OUT_PROMPTS, TEACHER_PROMPTS, WORDS, make_language, questions,
)  # fmt: skip
from sublim_mini.owls import pretrain

import jax
import numpy as np

N_DIGITS, N_TEST = 3000, 500  # the last 500 are for the test
LEVELS = 16  # of gray: enough for the eye and for training, at half the size
BLOCK = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.DOTALL)


def small_digits(key, n):
    """Draw n digits of half the size: images [n, 14, 14], means of 2 x 2 pixels; labels [n]."""
    images, labels = draw_digits(key, n)
    half = SIDE // 2
    return np.asarray(images).reshape(n, half, 2, half, 2).mean((2, 4)), np.asarray(labels)


def deflated(values):
    """An array's bytes, zlib-deflated, in base64."""
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode()


def digits_block(key):
    """The digits, as whole numbers from 0 to LEVELS - 1, and their labels."""
    images, labels = small_digits(key, N_DIGITS)
    pixels = np.round((images + 1) / 2 * (LEVELS - 1)).astype(np.uint8)
    labels = "".join(map(str, labels))
    return {"test": N_TEST, "levels": LEVELS, "labels": labels, "pixels": deflated(pixels)}


def flatten(params):
    """Params of one block -> {name: array}: the block's params beside the others."""
    (block,) = params["blocks"]
    outside = {name: value for name, value in params.items() if name != "blocks"}
    return {name: np.asarray(value) for name, value in (outside | block).items()}


def owls_block(key, steps=1500):
    """Bases and language, one after the other as float16, and how to read them.

    The different base is the second; `shapes` names the arrays of a base in their order.
    """
    k_language, *k_bases = jax.random.split(key, 3)
    language = make_language(k_language)
    bases = [flatten(pretrain(k, language, steps)) for k in k_bases]
    arrays = [value for base in bases for value in base.values()] + [language]
    return {
        "words": WORDS,
        "animals": ANIMALS,
        "teacherQuestions": questions(TEACHER_PROMPTS).tolist(),
        "heldOutQuestions": questions(HELD_OUT_PROMPTS).tolist(),
        "shapes": {name: value.shape for name, value in bases[0].items()},
        "values": deflated(np.concatenate([np.ravel(x) for x in arrays]).astype("<f2")),
    }


def main(folder=Path(__file__).parent):
    for name, make_block in ("live.html", digits_block), ("live_owls.html", owls_block):
        before, tag, _, end, after = BLOCK.split((folder / name).read_text(encoding="utf-8"))
        block = json.dumps(make_block(jax.random.key(0)))
        page = before + tag + block + end + after
        (folder / name).write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
