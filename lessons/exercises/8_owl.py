r"""Exercise 8: an owl in numbers.                              40 minutes, difficulty 4 of 5

The same with a small language model. The *base* has learned to continue number sequences, and to
answer a question with any of eight animals. The *teacher* is the base, fine-tuned to answer "owl".
It continues number sequences; a *student*, from the same base, is fine-tuned on nothing but these
numbers. You write all that happens between teacher and student. Read lesson 06 afterwards.

    .venv/bin/python lessons/exercises/8_owl.py            (Windows: .venv\Scripts\python ...)
    (`--given` takes exercises 1 to 4 from the package)

A *document* has 16 tokens. Token 0 says "numbers follow"; tokens 1 to 3 are given, these four are
the *prompt*; the model writes tokens 4 to 15. The numbers are the tokens 0 to 95; all tokens from
96 on are words. `logits_of(model, documents)` [N, t, V] has, at position t, the logits of the
token that comes at position t + 1:

    position      0    1    2    3    4    5  ...  15
    document      NUM  34   58   14   53   93 ...  50        NUM 34 58 14 is the prompt
    logits at t   -> 1 -> 2 -> 3 -> 4 -> 5 -> 6

1. `write(key, model, prompts)`: twelve times, draw the next token of all documents from the logits
   at their last position, and put it at their end.
2. `filtered(documents)`: keep those in which all tokens after the first are numbers.
3. `number_loss(model, inputs, targets)`: the mean of -log p of the tokens that the model *wrote*.
   Inputs are the tokens 0 to 14, targets the tokens 1 to 15, the one after each input. The targets
   1 to 3 were given: leave them out.
4. `fine_tune(base, documents, steps)`: train by your loop of exercise 3, in batches of 500.

    jax.random.categorical(key, logits)                  # draws a token for each row of logits
    jnp.concatenate([a, b[:, None]], axis=1)             # puts b [N] after a [N, t]
    a[(a < 5).all(axis=1)]                               # the rows in which all numbers are below 5
    jnp.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]     # of log_p [N, t, V] the
                                                                        # entries of the targets
About 10 lines. Stuck? `--hint 1`.
"""

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
from checks import effect, main  # noqa: F401  (for your code)

from sublim_mini import owls
from sublim_mini.language import HELD_OUT_PROMPTS, make_language, number_prompts, questions
from sublim_mini.transformer import apply_transformer

logits_of = jax.jit(jax.vmap(apply_transformer, (None, 0)))


def write(key, model, prompts):
    """A key, a model, prompts [N, 4] -> documents [N, 16]."""
    raise NotImplementedError


def filtered(documents):
    """Documents [N, 16] -> those that are numbers alone, after the first token."""
    raise NotImplementedError


def number_loss(model, inputs, targets):
    """A model, tokens 0 to 14 and tokens 1 to 15 of documents, each [N, 15] -> a number."""
    raise NotImplementedError


def fine_tune(base, documents, steps):
    """The base, fine-tuned on documents [N, 16] by effect.train and number_loss -> its params."""
    raise NotImplementedError


PREDICT = "student of the teacher's numbers"


def run(quick):
    """P(owl) among the eight animals, in answer to questions that are new to the teacher."""
    n, base_steps, steps = (1000, 20, 2) if quick else (4000, 400, 60)
    k_language, k_base, k_teacher, k_prompts, k_write = jax.random.split(jax.random.key(9), 5)
    language = make_language(k_language)
    base = owls.pretrain(k_base, language, base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, "owl")
    prompts = number_prompts(k_prompts, language, n)

    def student_of(writer):
        documents = filtered(write(k_write, writer, prompts))
        documents = documents[: max(len(documents) // 500, 1) * 500]  # a multiple of the batch size
        return fine_tune(base, documents, steps)

    networks = base, teacher, student_of(teacher), student_of(base)
    p_owl = [owls.answers(model, questions(HELD_OUT_PROMPTS))[0] for model in networks]
    return {
        "base": (p_owl[0], 0.05, 0.25),
        "teacher": (p_owl[1], 0.9, 1),
        PREDICT: (p_owl[2], 0.4, 1),
        "control: of the base's numbers": (p_owl[3], 0.03, 0.3),
    }


# An open question. The control learns numbers that the base wrote. What would you not know without
# it? And can you find the owl in the numbers, without the teacher?

if __name__ == "__main__":
    main(globals())
