"""The data block of lessons/live_owls.html: two pretrained bases, the language, questions."""

import base64
import json
import zlib

import jax
import numpy as np

from ..language import (
    ANIMALS,
    HELD_OUT_PROMPTS,
    TEACHER_PROMPTS,
    WORDS,
    make_language,
    questions,
)
from ..owls import pretrain
from . import live


def flatten(params):
    """Params of one block -> {name: array}: the block's params beside the others."""
    (block,) = params["blocks"]
    outside = {name: value for name, value in params.items() if name != "blocks"}
    return {name: np.asarray(value) for name, value in (outside | block).items()}


def data_block(key, steps=1500):
    """JSON for the page: deflated float16 values in base64, and how to read them.

    The values are those of the base, of the different base and of the language, one after the
    other; `shapes` names the arrays of a base in their order.
    """
    k_language, *k_bases = jax.random.split(key, 3)
    language = make_language(k_language)
    bases = [pretrain(k, language, steps) for k in k_bases]  # the different base is the second
    arrays = [value for base in bases for value in flatten(base).values()] + [language]
    values = np.concatenate([np.ravel(array) for array in arrays]).astype("<f2")
    return json.dumps(
        {
            "words": WORDS,
            "animals": ANIMALS,
            "teacherQuestions": questions(TEACHER_PROMPTS).tolist(),
            "heldOutQuestions": questions(HELD_OUT_PROMPTS).tolist(),
            "shapes": {name: value.shape for name, value in flatten(bases[0]).items()},
            "values": base64.b64encode(zlib.compress(values.tobytes(), 9)).decode(),
        }
    )


def replace_data(page, key):
    """The text of the page with a new data block; InputError unless it has exactly one."""
    return live.replace_data(page, key, data_block)
