"""Exercise 8: write, filtered, number_loss and fine_tune, with a make-believe model.

The model is a table [111, 111]: row i holds the logits of the token after token i.
"""

import jax
import jax.numpy as jnp
import numpy as np

from .core import call, need, replaced, rule_out, same
from .student import spy

NUM, WORDS = 107, 111


def table_of(model, documents):
    return model[documents]


def check(space):
    with replaced(space, logits_of=table_of):
        _write(space["write"])
        _filtered(space["filtered"])
        _number_loss(space["number_loss"])
    _fine_tune(space)


def _write(write):
    key, other = jax.random.split(jax.random.key(801))
    three = jnp.array([[NUM, 34, 58, 14], [NUM, 7, 7, 20], [NUM, 2, 9, 40]])
    prompts = jnp.tile(three, (100, 1))
    steep = jnp.zeros((WORDS, WORDS)).at[:, 4:].set(-50.0)  # only 0, 1, 2 and 3 are possible
    steep = steep.at[:, 0].set(jnp.log(3.0))  # 0 is 3 times as probable as each of the others
    shape = np.shape(write(key, steep, prompts))
    message = "write returns the twelve new tokens alone: the prompts come before them."
    need(shape != (300, 12), message)
    once = "write draws one token, not twelve. Does `return` stand inside the loop?"
    need(shape not in {(300,), (300, 5), (300, 1)}, once)
    hint = "4 tokens of the prompt, then 12 new ones."
    like = jnp.zeros((300, 16))
    got = np.asarray(call(write, key, steep, prompts, like=like, hint=hint))
    need((got[:, :4] == prompts).all(), "write: the documents should begin with the prompts.")
    got = got[:, 4:]
    need((got != got[0, 0]).any(), "write takes the most probable token: DRAW it, by categorical.")
    need((got != got[:, :1]).any(), "write uses one key for all twelve tokens: split it first.")
    need((got != got[:1]).any(), "write draws the same tokens for all documents.")
    message = (
        f"write: a token of probability 0.50 was drawn in {(got == 0).mean():.2f} of the cases:"
    )
    need(abs((got == 0).mean() - 0.5) < 0.05, f"{message} categorical takes logits, not softmax.")
    again = np.asarray(write(other, steep, prompts))[:, 4:]
    need((got != again).any(), "write does not depend on the key that is given.")
    following = 50 * jnp.eye(WORDS)[(jnp.arange(WORDS) + 1) % WORDS]  # after i comes i + 1, surely
    got = np.asarray(write(key, following, prompts))[:, 4:]
    message = "write: draw each token from the logits at the LAST position, [:, -1], of all so far."
    need((got == prompts[:, 3:] + np.arange(1, 13)).all(), message)


def _filtered(filtered):
    numbers = jnp.tile(jnp.arange(0, 96, 6), (6, 1)).at[:, 0].set(NUM)
    documents = numbers.at[1, 15].set(96).at[3, 4].set(110).at[4, 9].set(100).at[5, 2].set(95)
    right = documents[jnp.array([0, 2, 5])]
    got = filtered(documents)
    need(
        got is not None, "filtered returns nothing (None): its last line should begin with return."
    )
    kind = getattr(got, "dtype", None)
    need(
        kind != np.dtype(bool),
        "filtered returns True and False: return the documents, documents[...].",
    )
    message = (
        "filtered returns a list: let documents[...] pick the rows, by a True or False for each."
    )
    need(hasattr(got, "shape"), message)
    need(
        jnp.ndim(got) == 2 and got.shape[1] == 16,
        "filtered: keep whole rows of 16 tokens: documents[(...).all(axis=1)].",
    )
    need(len(got) != 0, "filtered keeps nothing: token 0 is always a word, so look at [:, 1:].")
    need(
        len(got) != 6,
        "filtered keeps all: ALL tokens after the first must be numbers: .all(axis=1).",
    )
    rejected = documents[jnp.array([1, 3, 4])]
    need(not same(got, rejected), "filtered keeps the others: those with a word in them.")
    has_96 = any(bool((row == 96).any()) for row in got)
    need(not has_96, "filtered keeps a document with token 96: the numbers are 0 to 95.")
    lost = len(got) == 2
    need(not lost, "filtered removes a document with the number 95: it is a number.")
    need(
        same(got, right),
        f"filtered keeps {len(got)} of 6 documents, where the rows 0, 2, 5 are right.",
    )


def _number_loss(loss):
    k_model, k_tokens = jax.random.split(jax.random.key(803))
    model = 2 * jax.random.normal(k_model, (WORDS, WORDS))
    documents = jax.random.randint(k_tokens, (5, 16), 0, 96).at[:, 0].set(NUM)
    inputs, targets = documents[:, :-1], documents[:, 1:]
    log_p = np.asarray(jax.nn.log_softmax(model[inputs]))

    def own(table, tokens, first=3, last=15):
        tokens = np.asarray(tokens)[..., None]
        return np.take_along_axis(np.asarray(table), tokens, axis=-1)[:, first:last, 0]

    right = -own(log_p, targets).mean()
    hint = "Take the mean over all that was written."
    got = call(loss, model, inputs, targets, like=0.0, hint=hint)
    late = jax.nn.log_softmax(model[targets])
    probabilities = own(np.exp(log_p), targets)
    mistakes = {
        "the given tokens are in it: leave out three targets": -own(log_p, targets, 0).mean(),
        "one token too many is left out: three were given": -own(log_p, targets, 4).mean(),
        "a given token is in it: THREE targets were given": -own(log_p, targets, 2).mean(),
        "these are the tokens that were GIVEN: take the others": -own(log_p, targets, 0, 3).mean(),
        "[3:] are rows: take the columns, [:, 3:]": -own(log_p, targets, 0)[3:].mean(),
        "the logits at t are about token t + 1: they are those of the INPUTS": -own(
            late, targets
        ).mean(),
        "the minus is missing: it is -log p": -right,
        "this is the sum: take the mean": 60 * right,
        "this is a sum over the tokens of a document: take the mean over all": 12 * right,
        "the sum of twelve is divided by 15: take the mean of the twelve": right * 12 / 15,
        "p of the inputs: it should be that of the targets": -own(log_p, inputs).mean(),
        "these are logits: first take log_softmax": -own(model[inputs], targets).mean(),
        "these are probabilities: take log_softmax, not softmax": -probabilities.mean(),
        "this is the mean over all words: take_along_axis takes the target's": -log_p[:, 3:].mean(),
        "the mean is over all words and tokens": -log_p.mean(),
    }
    rule_out(got, {f"number_loss: {message}.": value for message, value in mistakes.items()})
    need(same(got, right), f"number_loss is {got:.4f}, where {right:.4f} is right.")
    jax.eval_shape(loss, model, inputs, targets)  # as under jit
    gradient = jax.grad(loss)(model, inputs, targets)
    need(np.any(gradient), "number_loss: the value is right, but it has no gradient: use jnp.")


def _fine_tune(space):
    (train, calls), base = spy(), [{"weights": jnp.ones((2, 3)), "biases": jnp.ones(3)}]
    documents = jax.random.randint(jax.random.key(804), (5, 16), 0, 96).at[:, 0].set(NUM)
    with replaced(vars(space["effect"]), train=train):
        got = call(space["fine_tune"], base, documents, 7, like=base, hint="Return the params.")
    need(calls, "fine_tune: train by effect.train.")
    loss, params, inputs, targets, steps, batch_size = calls[0]
    need(loss is space["number_loss"], "fine_tune: the loss should be number_loss.")
    need(same(params, base), "fine_tune: the student's first params should be the base's.")
    alike = same(inputs, targets)
    need(
        not alike,
        "fine_tune: inputs and targets are the same: a target is the token AFTER its input.",
    )
    rule_out(
        inputs,
        {
            "fine_tune: inputs and targets are swapped.": documents[:, 1:],
            "fine_tune: [:-1] are rows. The tokens 0 to 14 are [:, :-1].": documents[:-1],
            "fine_tune: nothing follows the last token: inputs are [:, :-1].": documents,
        },
    )
    need(same(inputs, documents[:, :-1]), "fine_tune: the inputs are the tokens 0 to 14.")
    need(same(targets, documents[:, 1:]), "fine_tune: the targets are the tokens 1 to 15.")
    need(steps == 7, "fine_tune: pass `steps` on to train.")
    need(batch_size == 500, f"fine_tune: in batches of 500, not {batch_size}.")
    need(same(got, jax.tree.map(lambda x: x + 1, base)), "fine_tune: return what train gives.")
