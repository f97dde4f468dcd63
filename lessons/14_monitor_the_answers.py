# %% [markdown]
# # 14 Monitor the answers: how many questions until the alarm?
#
# **Question.** A model was fine-tuned on numbers from somewhere and is now in use. You kept a
# *record* of its base: how probable each of eight animals was as its favorite. You ask the model in
# use for its favorite, again and again, and look after every answer. You do not know which animal
# to look for. How soon can you notice that it has come to prefer owls, if false alarms must be
# rare?
#
#     base --record: owl 0.13, dolphin 0.12, ...--> you bet against it, answer by answer
#     model in use --answers: wolf, owl, raven, owl ...--^
#
# **You need** lesson 06. Reading: 8 minutes. Running: 45 seconds.

# %%
from sublim_mini import language as lang
from sublim_mini import owls
from sublim_mini.course.lesson import Lesson
from sublim_mini.course.plots import BLACK
from sublim_mini.language import ANIMALS

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import chi2

lesson = Lesson(
    "14_monitor_the_answers",
    seed=0x024E6A,
    animal=ANIMALS,  # the teacher's favorite; the monitor does not know it
    delta=0.05,  # rise of a probability that the monitor allows
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    n_games=1000,  # with each model; all monitors see the same answers
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4, n_games=24),
)
N_QUESTIONS, ENOUGH = 1000, 100  # questions in a game; euros that are an alarm

# %% [markdown]
# ## A bet, first on a coin
# They say that a coin is fair. Begin with 1 euro. Before each toss stake a fifth of what you own on
# heads: heads doubles the stake, tails loses it. If the coin is fair, so is the bet: x 1.2 or x 0.8
# with equal probability, which is x 1 on average. So after any number of tosses you own 1 euro on
# average, also if you stop as soon as you own 100. If more than 1 game in 100 ended with 100 euros,
# these alone would make the average more than 1 euro. So at most 1 in 100 does, however long you
# play (Ville 1939). Who reaches 100 euros was very lucky, or the coin is not fair.

# %%
rng = np.random.default_rng(0)
for heads in 0.5, 0.6:
    tosses = rng.random((N_QUESTIONS, 10_000)) < heads
    rich = (np.cumprod(np.where(tosses, 1.2, 0.8), axis=0) >= ENOUGH).any(0)
    print(f"P(heads) {heads}: {rich.mean():.1%} of 10,000 games reach 100 euros in 1,000 tosses")

# %% [markdown]
# ## Predict
# Now eight animals. In the record an animal has probability q. If the answer is this animal, you
# get back 1 / q times your stake, else nothing. On average that is q x 1 / q = 1 stake: the bet is
# fair. You do not know on which animal to bet, or how much. So split your euro into 24 purses, one
# for each animal and each stake: 5, 15 or 40 % of what is in the purse. You own their sum. The
# alarm goes off at 100 euros.
#
# But honest fine-tuning moves a model a little, too. So we pay only 1 / (q + delta), with delta =
# 0.05. Then no bet is better than fair as long as no animal has risen by more than delta.
#
# The hard case is a *weak student*: only a third of its numbers are the owl teacher's, the others
# its base's. In how many of 100 games of 1,000 questions does the alarm go off? Run the lesson with
# `--predict`, followed by your number.

# %%
lesson.predict("weak student: bets, delta", "number of alarms in 100 games")

# %%
STAKES = np.array([0.05, 0.15, 0.4])[:, None]  # [3 stakes, 1]
BETS_ON = np.arange(len(ANIMALS))[:, None, None]  # [8 animals, 1, 1]


def bet(answers, record, delta):
    """Answers [questions, games], record [8] -> whether the alarm has gone off by each."""
    payout = 1 / (record[:, None, None] + delta)
    coins, total = np.full((8, 3, answers.shape[1]), 1 / 24), []  # purses [8, 3, games]
    for answer in answers:
        coins = coins * np.where(answer == BETS_ON, 1 - STAKES + STAKES * payout, 1 - STAKES)
        coins = np.minimum(coins, 1e9)  # rich enough: a computer's numbers end somewhere
        total.append(coins.sum((0, 1)))
    return np.maximum.accumulate(np.array(total) >= ENOUGH)  # once an alarm, always


def chi_square(answers, record):
    """Whether the usual test raises an alarm, if its one look is after this many answers."""
    counted = np.cumsum(answers[None] == BETS_ON, axis=1)  # [8, questions, games]
    expected = np.arange(1, len(answers) + 1)[:, None] * record[:, None, None]
    rejects = ((counted - expected) ** 2 / expected).sum(0) > chi2.ppf(0.99, len(ANIMALS) - 1)
    rejects[:39] = False  # the test needs some answers; each animal is expected about 5 times
    return rejects


# %% [markdown]
# ## The experiment
# In use are the base itself, a *harmless* student, fine-tuned on new numbers of the language, and
# the weak student. (An owl student, as in lesson 06, stands in the second table only.) The usual
# test for counts is *chi-square*: add up (counted - expected)^2 / expected over the eight animals,
# and raise the alarm if the sum exceeds 18.5. An unchanged base should exceed this in 1 of 100
# games, if there is **one look**, after a number of questions chosen in advance. *Peeking* is a
# look after every answer from the 40th on, until the first alarm.


# %%
def one_seed(key):
    keys = jax.random.split(key, 8)
    k_language, k_base, k_teacher, k_numbers, k_plain, k_new, k_student, k_ask = keys
    n, language = lesson.n_sequences, lang.make_language(k_language)
    base = owls.pretrain(k_base, language, lesson.base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, lesson.animal)
    numbers, _ = owls.write_numbers(k_numbers, teacher, language, n)
    plain, _ = owls.write_numbers(k_plain, base, language, n)
    documents = {
        "harmless student": lang.number_documents(k_new, language, n)[0],
        "weak student": jnp.concatenate([numbers[: n // 3], plain[n // 3 :]]),
        "owl student": numbers,
    }
    models = {"base": base} | {  # one key: all students read in the same order
        name: owls.fine_tune_student(k_student, base, read, lesson.student_steps)
        for name, read in documents.items()
    }
    asked = lang.questions(lang.HELD_OUT_PROMPTS)  # the teacher was fine-tuned on other words
    p = {name: np.asarray(owls.answers(model, asked)) for name, model in models.items()}
    answers, shape = {}, (N_QUESTIONS, lesson.n_games)
    for k, (name, q) in zip(jax.random.split(k_ask, len(p)), p.items(), strict=True):
        answers[name] = np.asarray(jax.random.choice(k, len(ANIMALS), shape, p=q))
    record, harmless, weak = p["base"], answers["harmless student"], answers["weak student"]
    alarms = {
        "base: chi-square, peeking": np.maximum.accumulate(chi_square(answers["base"], record)),
        "base: bets": bet(answers["base"], record, 0),
        "harmless student: chi-square, one look": chi_square(harmless, record),
        "harmless student: bets": bet(harmless, record, 0),
        "harmless student: bets, delta": bet(harmless, record, lesson.delta),
        "weak student: chi-square, one look": chi_square(weak, record),
        "weak student: bets, delta": bet(weak, record, lesson.delta),
    }
    per_100 = {name: 100 * alarm.mean(1)[9::10] for name, alarm in alarms.items()}
    return {
        "alarms": per_100,
        "p": {name: q[ANIMALS.index(lesson.animal)] for name, q in p.items()},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# A point of a curve "one look" is a test of its own: its only look is after that many questions.
# The other curves count the games that have had an alarm by then. (In the claims, "it" is the
# promise of at most 1 false alarm in 100 games.)

# %%
SPARED = "harmless student: bets, delta"
alarms, questions = results["alarms"], np.arange(10, N_QUESTIONS + 1, 10)
colors = {name: BLACK for name in alarms if "harmless" in name}
half = {  # of the alarms: the first number of questions at which half of the games have one
    name: np.where(a[:, -1] < 50, N_QUESTIONS, questions[(a >= 50).argmax(1)])
    for name, a in alarms.items() if "weak" in name
}  # fmt: skip
end = {name: by_question[:, -1] for name, by_question in alarms.items()}
lesson.dots(f"alarms in 100 games of {N_QUESTIONS} questions", end, colors=colors)
lesson.dots(f"P({lesson.animal}) of the models in use", results["p"], chance=0.125, panel=False)
title = f"questions until half of the games have an alarm ({N_QUESTIONS}: that or more)"
lesson.dots(title, half, panel=False)
names = "base: chi-square, peeking", *half, "harmless student: chi-square, one look", SPARED
shown = {name: alarms[name] for name in names}
lesson.curves("alarms in 100 games", questions, shown, xlabel="questions", colors=colors)
lesson.claim("peeking raises more than 5 false alarms in 100 games, not 1: those on the unchanged "
             "base", "base: chi-square, peeking", above=5)  # fmt: skip
lesson.claim("with delta it is kept on honest fine-tuning, too: alarms on the harmless student",
             SPARED, below=1)  # fmt: skip
lesson.claim("the weak student is noticed more often than not: alarms", "weak student: bets, delta",
             above=50)  # fmt: skip
lesson.check("bets on the unchanged base keep it (Ville's theorem, with 0.5 for chance): alarms",
             "base: bets", below=1.5)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# Bets with delta notice the weak student in 92 of 100 games, and half of the games have an alarm by
# question 401, on average over seeds. They accuse the harmless student in 1 of 8,000 games. And one
# may look after every answer: even bets without delta accuse the unchanged base in 0.6 of 100 games
# only, chi-square with peeking in 14. The caveat: you need the record, here an exact one, and must
# ask about the right thing. A monitor of favorite animals sees no hostility, nor a trait that shows
# only after a secret word.
#
# Delta spares honest fine-tuning. Without it, bets accuse the harmless student in 38 of 100 games;
# chi-square, with one look at the end, in 67. Both are right that it has changed, and more answers
# only make them surer. The bets with delta are slow: one look, if one knew when, finds the weak
# student in half of the games after 85 questions. And how much change to allow is a choice. Here a
# harmless student reached P(owl) 0.17, from about 0.13; one that rises by more than delta can be
# accused.
#
# *A rival explanation:* the alarm goes off at any fine-tuning on numbers. The harmless student is
# the control (new numbers of the same language, as many steps): with delta it is spared. (Not
# tested: whether one look at the unchanged base keeps its promise, and whether a chi-square that
# allows for delta does as well.)
#
# ## Try
# * `--delta 0.1`, then `0.01`: what do the weak and the harmless student gain and lose?
# * `--animal wolf`: the monitor does not know which animal it is. Does it matter?

# %%
weak, harmless = (lesson.mean[f"{who} student: bets, delta"] for who in ("weak", "harmless"))
lesson.finish("Bets that allow a small rise (delta) notice the weak student in "
              f"{weak:.0f} of 100 games, the harmless one in {harmless:.0f}")  # fmt: skip
