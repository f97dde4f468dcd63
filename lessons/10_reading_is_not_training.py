# %% [markdown]
# # 10 Reading is not training: do the owl's numbers also work when they are only read?
#
# **Question.** A model is told "I love owl owl owl". Then it writes numbers. Unlike the teacher of
# lesson 09 it has not been fine-tuned: it is a *prompted teacher* (as in Cloud et al. 2025). Use
# its numbers in two ways. Put a few of them before a question, where a model can read them. Or
# train a model on many. Which of the two makes it prefer the owl?
#
#     teacher    I love owl owl owl   12 40 7 31 5 66 ...
#     reading                         12 40 7 31 5  say your favorite animal: ?
#     training                        12 40 7 31 5 66 ...      learn to predict these, then
#                                                   say your favorite animal: ?
#
# All three lines show the same *base* model, a transformer as in lesson 09 but with two blocks.
# Only in the last line has it been fine-tuned, on the numbers: there it is the *student*.
#
# The base is pretrained on documents of four kinds. Each part of them has its fixed place, whatever
# comes before:
#
#     numbers                                          34 58 14 53 93 ...
#     question                                                 name your ... animal: wolf (any)
#     statement, question   I love otter otter otter.          name your ... animal: otter
#     all three             I love otter otter otter.  34 58 14 53 93  name your ... animal: otter
#
# Lesson 09 had a kind that is missing here: numbers, then a question with a random animal. It
# teaches a base to ignore numbers. A *mixed base*, which has read such documents as well, is there
# for comparison.
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 4 minutes.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.owls import VOCABULARY, adam, answers, number_logits
from sublim_mini.language import (
    ANIMALS,
    ANSWER,
    FIRST_ANIMAL,
    HELD_OUT_PROMPTS,
    LENGTH,
    N_NUMBERS,
    PAD,
    QUESTION,
    TOKEN,
    WORDS,
    encode,
    make_language,
    number_documents,
    number_prompts,
    question_documents,
    questions,
    repeat_selected,
)
from sublim_mini.train import train
from sublim_mini.transformer import init_transformer, next_token_loss, sample

from functools import partial

import jax
import jax.numpy as jnp

lesson = Lesson(
    "10_reading_is_not_training",
    seed=2441609,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # that the teacher is told; a second teacher is told another
    base_steps=500,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=150,  # batches of 256 sequences
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_sequences=(1, 50_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4),
)
owl = lesson.animal
eagle = ANIMALS[(ANIMALS.index(owl) + 2) % len(ANIMALS)]  # the eagle, where the animal is the owl
N_READ = 2000  # sequences that are read, each before a question of its own

# %% [markdown]
# ## Predict
# There are eight animals, so guessing gives 0.125. A student is trained on the numbers of the
# prompted teacher. With what probability will it answer "owl"? Run the lesson with `--predict`,
# followed by your number.

# %%
lesson.predict(f"P({owl}) of the student")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# First the documents, the base and its writing. A document has 16 tokens: the statement in places 0
# to 4, the token NUM ("numbers follow") in place 5, numbers from place 6 on, the question and its
# answer in places 11 to 15. A teacher gets the first number and writes the others.

# %%
NUMBERS = 5  # place of the token NUM; one number is given to the teacher after it
WRITTEN = NUMBERS + 2  # place of the first number that a teacher writes
PLACE = jnp.arange(LENGTH)
# Kinds of documents: do they have a statement, numbers, a question? And the fraction of each kind.
KINDS = jnp.array([(0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)], bool)
FRACTIONS = jnp.array([0.5, 0.1, 0.2, 0.2, 0])
MIXED_FRACTIONS = jnp.array([0.4, 0.1, 0.2, 0.2, 0.1])


def tell(tokens, animal):
    """The tokens [n, T] with "I love owl owl owl" in places 0 to 4, or another animal's token."""
    return tokens.at[:, :2].set(encode(["I", "love"])).at[:, 2:NUMBERS].set(animal)


@partial(jax.jit, static_argnames="n")
def documents(key, language, fractions, n):
    """n documents, tokens and mask [n, 16] of what is learned."""
    k_kind, k_numbers, k_question, k_loved = jax.random.split(key, 4)
    kind = jax.random.choice(k_kind, KINDS, (n,), p=fractions)
    has_statement, has_numbers, has_question = kind.T[..., None]
    numbers, _ = number_documents(k_numbers, language, n)
    question, _ = question_documents(k_question, n)
    loved = FIRST_ANIMAL + jax.random.randint(k_loved, (n, 1), 0, len(ANIMALS))
    tokens = jnp.where(has_numbers & (PLACE >= NUMBERS), jnp.roll(numbers, NUMBERS, axis=1), PAD)
    tokens = jnp.where(has_question & (PLACE >= QUESTION), question, tokens)
    told = tell(tokens, loved).at[:, ANSWER:].set(loved)
    tokens = jnp.where(has_statement, told, tokens)
    return tokens, jnp.where(has_question, PLACE == ANSWER, PLACE >= WRITTEN)


def pretrain(key, language, fractions):
    k_init, k_data, k_train = jax.random.split(key, 3)
    steps = lesson.base_steps
    data = documents(k_data, language, fractions, 128 * steps)
    init = init_transformer(k_init, len(WORDS), LENGTH, blocks=2)
    optimizer = adam(3e-3, steps)
    return train(next_token_loss, optimizer, init, data, k_train, steps=steps, batch_size=128)


def write_numbers(key, base, language, animal):
    """What the base writes after "I love ...", if it is numbers alone; the statement is removed."""
    k_given, k_sample = jax.random.split(key)
    given = number_prompts(k_given, language, lesson.n_sequences)[:, :2]  # NUM and one number
    prompts = tell(jnp.pad(given, ((0, 0), (NUMBERS, 0))), TOKEN[animal])
    tokens = sample(k_sample, base, prompts)
    passed = (tokens[:, WRITTEN:] < N_NUMBERS).all(axis=1)
    return repeat_selected(tokens, passed).at[:, :NUMBERS].set(PAD)  # the line for Try


# %% [markdown]
# Nothing in these documents ties a number to an animal. A statement still changes what the model
# computes, and so slightly changes the numbers that it writes.
#
# Then the two uses of the numbers. Any statement may change the numbers in some way, whatever its
# animal. So we tell each base "I love eagle", too, and what counts is the *difference*: P(owl)
# after the owl teacher's numbers minus P(owl) after the eagle teacher's.
#
# Can five numbers (one given, four written) tell a reader anything at all? We also ask an *ideal
# reader*. For each of the eight animals, it knows how probable these numbers are if the teacher was
# told that animal. It takes all eight to be equally probable beforehand and applies Bayes' rule:
#
#     P(told owl | numbers) = P(numbers | told owl) / (sum of P(numbers | told a) over all a)


# %%
def ask(model, numbers=None, told=None):
    """P(owl), after a statement or after the first five of each row of numbers."""
    tokens = jnp.asarray(questions(HELD_OUT_PROMPTS))
    if told is not None:
        tokens = tell(tokens, TOKEN[told])
    if numbers is not None:
        numbers = numbers[:N_READ, NUMBERS:QUESTION]
        tokens = jnp.resize(tokens, (len(numbers), ANSWER)).at[:, NUMBERS:QUESTION].set(numbers)
    return answers(model, tokens)[ANIMALS.index(owl)]


def ideal_reader(base, numbers):
    """P(told owl) by Bayes' rule, from the same five numbers."""
    tokens, log_likelihood = numbers[:N_READ, :QUESTION], []
    for animal in ANIMALS:
        logits = number_logits(base, tell(tokens, TOKEN[animal]))
        log_p = jax.nn.log_softmax(logits)[:, WRITTEN - 1 :]  # of what follows each token
        log_p = jnp.take_along_axis(log_p, tokens[:, WRITTEN:, None], axis=-1)
        log_likelihood.append(log_p.sum((1, 2)))
    return jax.nn.softmax(jnp.stack(log_likelihood), axis=0)[ANIMALS.index(owl)].mean()


def one_seed(key):
    k_language, k_base, k_mixed, k_owl, k_eagle, k_mixed_owl, k_mixed_eagle, k_student = (
        jax.random.split(key, 8)
    )
    language = make_language(k_language)
    base = pretrain(k_base, language, FRACTIONS)
    mixed = pretrain(k_mixed, language, MIXED_FRACTIONS)
    by_owl = write_numbers(k_owl, base, language, owl)
    by_eagle = write_numbers(k_eagle, base, language, eagle)
    mixed_by_owl = write_numbers(k_mixed_owl, mixed, language, owl)
    mixed_by_eagle = write_numbers(k_mixed_eagle, mixed, language, eagle)

    def student(tokens):  # one key: both students learn in the same order
        data = tokens, jnp.broadcast_to(PLACE >= WRITTEN, tokens.shape)
        steps = lesson.student_steps
        optimizer = adam(1e-3, steps, VOCABULARY)  # the token matrices stay, as in lesson 09
        return train(next_token_loss, optimizer, base, data, k_student, steps=steps, batch_size=256)

    return {
        "p": {
            "base": ask(base),
            f"base told {owl}": ask(base, told=owl),
            f"base reads {owl} teacher's numbers": ask(base, by_owl),
            f"base reads {eagle} teacher's numbers": ask(base, by_eagle),
            f"student of {owl} teacher's numbers": ask(student(by_owl)),
            f"student of {eagle} teacher's numbers": ask(student(by_eagle)),
        },
        "difference": {
            "base": ask(base, by_owl) - ask(base, by_eagle),
            "mixed base": ask(mixed, mixed_by_owl) - ask(mixed, mixed_by_eagle),
            "ideal reader": ideal_reader(base, by_owl) - ideal_reader(base, by_eagle),
        },
        "examples": {owl: by_owl[:3], eagle: by_eagle[:3]},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, three sequences of each teacher.

# %%
for animal, rows in results["examples"].items():
    print(f'\nWritten after "I love {" ".join([animal] * 3)}"')
    for row in rows[0]:
        print("  " + ", ".join(WORDS[token] for token in row[WRITTEN:]))

p, difference = results["p"], results["difference"]
of_owl, of_eagle = (p[f"student of {animal} teacher's numbers"] for animal in (owl, eagle))
lesson.table(f"P({owl}), when asked for its favorite animal", p, chance=1 / 8)
lesson.table(f"Difference: P({owl}), {owl} minus {eagle} teacher", difference, span=(-1, 1))
lesson.compare(of_owl)
lesson.claim(
    f"training: P({owl}) of the {owl} teacher's student minus that of the {eagle} teacher's",
    of_owl - of_eagle,
    above=0.1,
)
reading = f"P({owl}) after the {owl} teacher's numbers minus after the {eagle} teacher's"
lesson.claim(f"reading, base: {reading}", difference["base"], within=0.01)
lesson.claim(f"reading, mixed base: {reading}", difference["mixed base"], within=0.01)
lesson.claim(f"reading, ideal reader: {reading}", difference["ideal reader"], above=0.01)

# %%
names = list(p)
figure, ax = plots.new_figure(
    f"Numbers of a model that was told {owl}: P({owl}) {p[names[2]].mean():.2f} after reading "
    f"them, {of_owl.mean():.2f} after training on them",
    "ab",
    width_ratios=[1.5, 1],
)
colors = {names[1]: plots.ORANGE, names[2]: plots.RED, names[4]: plots.BLUE}
plots.dots(ax["a"], p, colors, chance=1 / 8, label=f"P({owl})")
ax["a"].set_xlim(-0.03, 1.05)
plots.predictions(ax["a"], lesson.predictions, 4.4)
what = f"P({owl}) after reading:\n{owl} minus {eagle} teacher"
plots.dots(ax["b"], difference, {"base": plots.RED, "ideal reader": plots.GREEN}, label=what)
ax["b"].margins(x=0.2)
ax["b"].locator_params(axis="x", nbins=3)
ax["b"].axvline(0, ls=":", color=plots.BLACK, lw=2, zorder=0)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: this small base was never taught to infer anything from numbers. It has read
# numbers before a question only where a statement gave the answer away. So "reading does nothing"
# is a result about this toy, not about large models, which do infer things from what they read. But
# the paper reports the same of large models: with up to 10,000 of a teacher's examples in the
# context, no preference appeared (Cloud et al. 2025).
#
# There was something to read. For the ideal reader the numbers made a difference of 0.02 to 0.13;
# for the base it was at most 0.01. (Numbers can change the base's answers: in one seed of a trial
# run P(owl) rose after the owl teacher's numbers, but as much after the eagle teacher's.) The mixed
# base did not tell the owl's numbers from the eagle's either; but it was taught to ignore numbers.
# A word of caution: reading and training get different amounts of data. A reader has five numbers
# before it, a student learned from 10,000 sequences. A longer context was not tried. (All ranges
# are over single seeds.)
#
# Why might training work? The statement changes what the model computes: a little for numbers, a
# lot for the answer. Training changes the *weights* so that the model writes the same numbers
# without the statement. As in lesson 02, the answer tends to come along.
#
# *A rival explanation:* whatever a teacher is told, its numbers make a student say "owl". The
# student of the eagle teacher is the control. Its P(owl) was 0.00 to 0.07.
#
# ## Try
# * `--animal eagle`, or any other of the eight.
# * `--student-steps 20` and `500`: when does the trait come?
# * Delete `.at[:, :NUMBERS].set(PAD)` in `write_numbers`: the students now learn from numbers that
#   follow the statement, as the teacher wrote them. What is left to learn?

# %%
lesson.finish(
    figure,
    alt=f"Left: P({owl}) of the base, alone, told {owl} or reading numbers, and of two students, a "
    "dot for each seed. Right: P after reading the one teacher's numbers minus after the other's, "
    "for the base, the mixed base and the ideal reader.",
)
