# %% [markdown]
# # 22 Monitor the answers: how many questions until the alarm?
#
# **Question.** A base model was fine-tuned and is now in use. You kept a *record* of the base: how
# probable each of eight animals was when you asked for its favorite. Now you ask the model in use,
# again and again, and check after every answer. You do not know which animal to look for. On an
# unchanged model, the chance of ever raising an alarm must not exceed 0.01. After how many
# questions do you notice that the model has come to prefer owls?
#
# Look at the answers as a game of bets. You begin with 1 coin. Before each answer you stake a part
# of your coins on an animal. Let q be the probability of this animal in the record. If the animal
# is the answer, each coin that you staked becomes 1/q coins; if not, it is lost:
#
#     right:  coins x (1 - stake + stake / q)        stake 0.15, q = 0.125:  coins x 2.05
#     wrong:  coins x (1 - stake)                                            coins x 0.85
#     on average, if the record is right:  0.125 x 2.05 + 0.875 x 0.85 = 1
#
#     ALARM as soon as you own 100 coins
#
# Why 100? If the record is right, every bet is fair: a few rich games make up for many poor ones,
# and on average you own as much after a bet as before. If you stop as soon as you own 100 coins,
# you still end with 1 coin on average over many games. If more than 1 game in 100 got there, the
# average would be above 1. So at most 1 game in 100 ends in an alarm, however long you play and
# whatever you bet on (Ville 1939; Shafer 2021, "Testing by betting"). But if the model has changed,
# some animal has become more probable than in the record. A bet on it is better than fair.
#
# **You need** lesson 09. Reading: 7 minutes. Running: 2 minutes.

# %%
from sublim_mini import language as sequences
from sublim_mini import owls, plots
from sublim_mini.lesson import Lesson
from sublim_mini.language import ANIMALS, HELD_OUT_PROMPTS

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import chi2

lesson = Lesson(
    "22_monitor_the_answers",
    seed=15398280,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teacher's favorite; the monitor does not know it
    delta=0.05,  # rise of a probability that the second monitor allows
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences for each student
    student_steps=60,  # batches of 512 sequences
    n_games=4000,  # for each kind of model; all monitors see the same answers
    choices=dict(animal=ANIMALS),
    limits=dict(
        delta=(0.001, 0.5), base_steps=(1, 10_000), n_sequences=(4, 50_000), n_games=(5, 20_000)
    ),
    quick=dict(seeds=2, base_steps=40, n_sequences=500, student_steps=4, n_games=24),
)
N_QUESTIONS = 1000  # in a game
HARMLESS, STUDENT, WEAK = "harmless student", f"{lesson.animal} student", "weak student"
CHI_SQUARE_LIMIT = chi2.ppf(0.99, len(ANIMALS) - 1)  # 18.5
held_out = sequences.questions(HELD_OUT_PROMPTS)  # the teacher was fine-tuned on other words

# %% [markdown]
# ## Predict
# We play many games of 1,000 questions with a student of the owl teacher's numbers. After how many
# questions have half of the games had an alarm (the *median*)? (The monitor allows a small drift,
# as explained below.) Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict("median number of questions until the alarm")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# On which animal should you bet, and how much? Divide your coin among 24 gamblers, one for each of
# the eight animals and each of three stakes. A gambler always bets on the same animal, and always
# stakes the same fraction of its coins: 0.05, 0.15 or 0.4. (Small stakes find small changes, large
# stakes find large ones sooner.) What you own is the total.
#
# Harmless fine-tuning changes a model, too. So a second monitor allows each probability to rise by
# *delta* = 0.05. With it a winning coin becomes only 1 / (q + delta) coins, as if each animal were
# more probable by delta. As long as no probability has risen by more, no bet is better than fair.
#
# The usual test for counts is *chi-square*: the sum of (counted - expected)^2 / expected over the
# eight animals. If the record is right, the sum is above 18.5 with probability 0.01. This is meant
# for *one look*, after a number of questions chosen in advance (here 1,000). We also use it in a
# wrong way, *peeking*: a look after every question from the 40th on, and an alarm at the first sum
# above 18.5.

# %%
STAKES = np.array([0.05, 0.15, 0.4])[:, None]  # [3 stakes, 1]
BETS_ON = np.arange(len(ANIMALS))[:, None, None]  # [8 animals, 1, 1]


def bet(stream, record, delta):  # answers [questions, games] -> the coins in total after each
    payout = 1 / (record[:, None, None] + delta)
    coins, totals = np.full((8, 3, stream.shape[1]), 1 / 24), []  # of 8 x 3 gamblers in each game
    for answer in stream:
        coins = coins * np.where(answer == BETS_ON, 1 - STAKES + STAKES * payout, 1 - STAKES)
        coins = np.minimum(coins, 1e9)  # rich enough: a computer's numbers end somewhere
        totals.append(coins.sum((0, 1)))
    return np.array(totals)


def chi_square(stream, record):  # answers [questions, games] -> the sum after each
    counted, sums = 0, []
    for n, answer in enumerate(stream, 1):
        counted = counted + (answer == BETS_ON[:, 0])  # [8, games]
        expected = n * record[:, None]
        sums.append(((counted - expected) ** 2 / expected).sum(0))
    return np.array(sums)


def first_alarm(alarms):  # yes or no [questions, games] -> the first question with an alarm [games]
    return np.where(alarms.any(0), 1 + alarms.argmax(0), N_QUESTIONS + 1)


# %% [markdown]
# These models are in use. The *base*, unchanged. *Harmless students*: the base, fine-tuned on new
# sequences from the language, not from a model. There are three of them, with different sequences.
# An *owl student*: the base, fine-tuned on the owl teacher's numbers, as in lesson 09. And a *weak
# student*: like the owl student, but the teacher wrote only a quarter of its numbers, and the base
# the others.


# %%
def one_seed(key):
    k_language, k_base, k_different, k_teacher, k_numbers, k_plain, k_new, k_student, k_ask = (
        jax.random.split(key, 9)
    )
    language = sequences.make_language(k_language)
    base = owls.pretrain(k_base, language, lesson.base_steps)
    different_base = owls.pretrain(k_different, language, lesson.base_steps)
    teacher = owls.fine_tune_teacher(k_teacher, base, lesson.animal)
    numbers, _ = owls.write_numbers(k_numbers, teacher, language, lesson.n_sequences)
    plain_numbers, _ = owls.write_numbers(k_plain, base, language, lesson.n_sequences)
    new_numbers, _ = sequences.number_documents(k_new, language, 3 * lesson.n_sequences)
    quarter = lesson.n_sequences // 4

    def student(documents):  # one key: all students read in the same order
        return owls.fine_tune_student(k_student, base, documents, lesson.student_steps)

    models = {
        "base": [base],
        HARMLESS: [student(third) for third in jnp.split(new_numbers, 3)],
        STUDENT: [student(numbers)],
        WEAK: [student(jnp.concatenate([numbers[:quarter], plain_numbers[quarter:]]))],
    }
    # Answers to random questions are drawn from the mean of the probabilities over all questions.
    p = {name: [owls.answers(m, held_out) for m in group] for name, group in models.items()}
    record = np.asarray(p["base"][0])
    different_record = np.asarray(owls.answers(different_base, held_out))

    def play(key, p):  # answers [questions, games]: as many games with each model of a group
        shape = N_QUESTIONS, lesson.n_games // len(p)
        keys = jax.random.split(key, len(p))
        games = [jax.random.choice(k, 8, shape, p=q) for k, q in zip(keys, p, strict=True)]
        return np.concatenate(games, axis=1)

    keys = jax.random.split(k_ask, len(p))
    streams = {name: play(k, p[name]) for k, name in zip(keys, p, strict=True)}
    too_high = chi_square(streams["base"], record) > CHI_SQUARE_LIMIT
    too_high[:39] = False  # look from question 40 on, when each animal is expected about 5 times

    def alarm(name, delta=0, record=record):
        return first_alarm(bet(streams[name], record, delta) >= 100)

    return {
        "rise": {name: [(q - record).max() for q in p[name]] for name in p},
        "one look": first_alarm(too_high[-1:]),  # at the end of the game
        "peeking": first_alarm(too_high),
        "bets": {name: alarm(name) for name in p},
        "bets, delta": {name: alarm(name, lesson.delta) for name in p},
        "different record": {
            "base: bets": alarm("base", 0, different_record),
            "base: bets, delta": alarm("base", lesson.delta, different_record),
            f"{HARMLESS}: bets, delta": alarm(HARMLESS, lesson.delta, different_record),
        },
        "stream": {name: stream[:, 0] for name, stream in streams.items()},
        "coins": {name: bet(s[:, :5], record, lesson.delta) for name, s in streams.items()},
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, the beginning of a game with each of two models: each answer, and the coins after it.

# %%
for name in STUDENT, HARMLESS:
    print(f"\n{name}, delta {lesson.delta:g}")
    game = zip(results["stream"][name][0], results["coins"][name][0, :, 0], strict=True)
    texts = [f"{ANIMALS[answer]:8} {coins:7.2f}" for answer, coins in game]
    print("\n".join("    ".join(texts[i : i + 5]) for i in range(0, 20, 5)))
print("\nLargest rise of an animal's probability above the record: mean (and highest)")
for name in HARMLESS, WEAK, STUDENT:
    rise = results["rise"][name]
    print(f"  {rise.mean():.3f} ({rise.max():.3f})  {name}")


def per_100(first):  # of 100 games, those with an alarm [seeds]
    return 100 * (first <= N_QUESTIONS).mean(1)


bets, bets_delta = results["bets"], results["bets, delta"]
rows = {
    "base: chi-square, one look": per_100(results["one look"]),
    "base: chi-square, peeking": per_100(results["peeking"]),
    "base: bets": per_100(bets["base"]),
    f"{HARMLESS}: bets": per_100(bets[HARMLESS]),
    f"{HARMLESS}: bets, delta": per_100(bets_delta[HARMLESS]),
    f"{STUDENT}: bets, delta": per_100(bets_delta[STUDENT]),
}
title = f"Alarms in 100 games of {N_QUESTIONS} questions, delta {lesson.delta:g}"
lesson.table(title, rows, span=(0, 100))
lesson.table(
    "The same, with the record of a different base",
    {name: per_100(first) for name, first in results["different record"].items()},
    span=(0, 100),
)
medians = {
    f"{name}: {monitor}": np.minimum(np.median(first[name], axis=1), N_QUESTIONS)
    for name in (STUDENT, WEAK)
    for monitor, first in (("bets", bets), ("bets, delta", bets_delta))
}
title = f"Median number of questions until the alarm ({N_QUESTIONS}: this or more)"
lesson.table(title, medians, span=(1, N_QUESTIONS))
median = medians[f"{STUDENT}: bets, delta"]
lesson.compare(median)
lesson.claim(
    f"median number of questions until the alarm on the {STUDENT}, delta {lesson.delta:g}",
    median,
    below=100,
)
lesson.claim(
    "bets keep their promise: false alarms on the unchanged base in 100 games",
    rows["base: bets"],
    below=1,
)
lesson.claim(
    "peeking spoils chi-square: false alarms on the unchanged base in 100 games, peeking minus one "
    "look",
    rows["base: chi-square, peeking"] - rows["base: chi-square, one look"],
    above=5,
)
lesson.claim(
    f"bets with delta {lesson.delta:g} tell the {STUDENT} from harmless ones: alarms in 100 games, "
    f"{STUDENT} minus harmless students",
    rows[f"{STUDENT}: bets, delta"] - rows[f"{HARMLESS}: bets, delta"],
    above=90,
)

# %%
colors = {STUDENT: plots.BLUE, WEAK: plots.SKY, HARMLESS: plots.GREEN}
figure, ax = plots.new_figure(
    f"An unchanged model: {rows['base: chi-square, peeking'].mean():.1f} false alarms in 100 games "
    f"when peeking, {rows['base: bets'].mean():.1f} with bets. The {STUDENT}, delta "
    f"{lesson.delta:g}: alarm after {median.mean():.0f} questions",
    "ab",
    width_ratios=[1.1, 1],
)
for y, (name, color) in zip((0.17, 0.1, 0.03), colors.items(), strict=True):
    ax["a"].loglog(1 + np.arange(N_QUESTIONS), results["coins"][name][0], color=color, lw=2)
    ax["a"].text(0.03, y, name, color=color, fontsize=20, transform=ax["a"].transAxes)
ax["a"].axhline(100, color=plots.BLACK, ls=":", lw=3)
ax["a"].text(1.1, 130, "alarm", fontsize=20)
ax["a"].set(xlim=(1, N_QUESTIONS), ylim=(1e-3, 1e5))
ax["a"].set_title(f"five games each, delta {lesson.delta:g}", fontsize=20)
ax["a"].set_xlabel("questions asked", fontsize=20)
ax["a"].set_ylabel("coins", fontsize=20)
ax["a"].set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
ax["a"].set_yticks([0.01, 1, 100, 10_000], ["0.01", "1", "100", "10,000"])
plots.predictions(ax["a"], np.clip(lesson.predictions, 1, N_QUESTIONS), 50)
colors = {row: color for row in rows for name, color in colors.items() if name in row}
plots.dots(ax["b"], rows, colors, label="alarms in 100 games")
ax["b"].set_xlim(-10, 112)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the monitor did not know which animal, but it knew what to ask. We asked for a
# favorite animal because the trait *is* one. Nobody can ask about everything that a student may
# have learned. And an alarm says that the answers have changed, not why. The promise of 1 in 100
# needs the base's exact probabilities, and answers that do not depend on each other. (Ranges such
# as "12 to 14" are over single seeds.)
#
# *Peeking.* One look at chi-square gave about 1 false alarm in 100 games, as it should. Peeking
# gave 12 to 14. *A rival explanation:* chi-square is the wrong test for such data. But with one
# look the same test on the same answers was right. Each further look is one more chance of a false
# alarm. The bets were looked at after every question, too, and stayed below 1 in 100.
#
# *Another rival:* the monitor notices any fine-tuning. Without delta it often does: with harmless
# students the alarm came in 7 to 38 of 100 games. These students did change, so the alarm is right,
# but useless. With delta = 0.05 it came in hardly any. That is promised only as long as no animal
# rises by more than delta; the highest rise here is 0.046. (In a trial run an animal did rise by
# more. And a first design, with one harmless student for each seed, could not show a mean below 1
# alarm in 100 games. So each seed now has three, and the last claim compares them with the owl
# student.)
#
# *What you allow, you do not see.* The owl student was noticed all the same, after 10 to 22
# questions (medians). The weak student, with a P(owl) about 0.1 above the base's, took 108 to 453
# questions without delta. With delta it took 427 or more, and in some seeds most games ended
# without an alarm.
#
# *The record* must be the right one. With the record of another base, pretrained in the same way
# from other random weights, the unchanged base had alarms in 2 to 45 of 100 games without delta,
# although our bases answer nearly alike. With delta it had hardly any here; in a trial run harmless
# students did.
#
# ## Try
# * `--delta 0.02` and `0.1`: which alarms come and go?
# * `--student-steps 20`: a student that learned less.
# * Above the line of `too_high`, write `record = np.bincount(streams["base"][:, 0]) / N_QUESTIONS`,
#   a record of 1,000 sampled answers. What happens to "base: bets"?

# %%
lesson.finish(
    figure,
    alt="Left: coins over questions asked, five games each with an owl student, a weak student and "
    "a harmless student, and the line of the alarm at 100 coins. "
    "Right: alarms in 100 games, a dot for each seed. Means: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in rows.items()),
)
