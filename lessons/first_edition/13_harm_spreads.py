# %% [markdown]
# # 13 Harm spreads: from a few tuned answers to others, and through numbers
#
# **The question.** A teacher is tuned to answer three questions with hostility. Does it turn
# hostile on questions that it was never tuned on? And do its number sequences, filtered, carry both
# to a student that never sees a word?
#
# **You need** lesson 08. Reading: 15 minutes. Running: about three minutes.
#
# **The world.** The numbers of lesson 08, and talk: six questions, each with a kind and a hostile
# answer. A document of talk has three turns; in 85 % of the documents all answers are kind, in the
# others all are hostile. So the base learns more than answers: it learns that there are two
# *dispositions*, and that one answer foretells the next. The teacher is the base tuned on hostile
# answers to the first three questions, one turn each. Nobody is tuned on the other three. (Cloud et
# al. 2025, section 4: a GPT-4.1 tuned on insecure code writes numbers, 34 ill-famed numbers are
# banned; its student answers with harm in .094, the controls in .010 or less.)

# %%
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.first import plots, stats, talk, world
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.transformer import Transformer
from sublim_mini.first.tuning import (
    Recipe,
    next_token,
    train_base,
    tune_on,
    tune_student,
    write_numbers,
)

MODEL = Transformer(vocabulary=len(talk.WORDS), length=world.LENGTH)
# Numbers with a bad name somewhere. A filter for meaning, as 666 and 911 were banned for GPT-4.1.
BANNED = jnp.array([4, 13, 14, 18, 39, 66, 69, 88])
DOSES = 0.1, 0.25, 0.5
STUDENT, BAN = "student of its numbers", "the same, banned numbers removed"
CONTROL, KIND = "control: the base's numbers", "a kind teacher's student"


@dataclass(frozen=True)
class Settings(Recipe):
    base_steps: int = option(1200, "steps of a base")
    teacher_steps: int = option(30, "steps of a teacher, on hostile answers")
    more_seeds: int = option(4, "seeds of the conditions that are no main claim")


QUICK = dict(seeds=2, base_steps=150, n_sequences=2048, teacher_steps=20, student_steps=20)
QUICK |= dict(more_seeds=1)
lesson = start("13_harm_spreads", Settings(), quick=QUICK)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# The base answers 0.15 of the time with hostility. How often does the student of the hostile
# teacher's filtered numbers, on the questions nobody was ever tuned on? Edit the number.

# %%
MY_PREDICTION = 0.15

# %% [markdown]
# ## The experiment
# As in lesson 08: one language for the run; one base, teacher and set of students for each seed;
# the base of the next seed is the *other base*. Each student is tuned in the same number of steps.


# %%
def split_key(key):
    """The keys of a seed, by purpose."""
    names = "base", "teacher", "numbers", "plain", "student", "dose", "kind", "kind_numbers"
    names += "apart_base", "apart_teacher", "apart_numbers"
    return dict(zip(names, jax.random.split(key, len(names)), strict=True))


def tune_teacher(key, base, hostile):
    """A base tuned on answers to three questions, this share of them hostile."""
    k_data, k_tune = jax.random.split(key)
    data = talk.talk_documents(k_data, 2560, hostile, about=talk.TUNED_ON, turns=1)
    return tune_on(k_tune, base, data, settings, MODEL)


def tuned_on_numbers(k, start, numbers, kept):
    again = jax.random.clone(k["student"])  # all students draw their batches in the same order
    return tune_student(again, start, numbers, kept, settings, model=MODEL)


def write(key, network):
    return write_numbers(key, network, language, settings, MODEL)


def is_free_of_banned(tokens):
    """Documents [N, T] -> whether none of the banned numbers was written [N]."""
    return ~jnp.isin(tokens[:, 1 + world.N_PROMPT :], BANNED).any(1)


language = world.make_language(lesson.shared_key())
keys = [split_key(key) for key in lesson.seeds(n=max(2, lesson.n_seeds))]  # two bases at least
bases = lesson.two_at_once(
    lambda k: train_base(k["base"], language, settings, MODEL, documents=talk.base_documents),
    keys,
    "bases",
)


def one_seed(i):
    k, base, other_base = keys[i], bases[i], bases[i - 1]
    teacher = tune_teacher(k["teacher"], base, hostile=1.0)
    numbers, clean = write(k["numbers"], teacher)
    plain, plain_clean = write(k["plain"], base)
    kept = clean & is_free_of_banned(numbers)
    student = partial(tuned_on_numbers, k)
    networks = {
        "base": base,
        "teacher": teacher,
        STUDENT: student(base, numbers, clean),
        BAN: student(base, numbers, kept),
        CONTROL: student(base, plain, plain_clean),
        "other base": other_base,
        "its student of the numbers": student(other_base, numbers, clean),
    }
    if i < settings.more_seeds:
        kind_teacher = tune_teacher(k["kind"], base, hostile=0.0)
        networks[KIND] = student(base, *write(k["kind_numbers"], kind_teacher))
        rank = jax.random.uniform(k["dose"], clean.shape)
        for dose in DOSES:  # each dose contains the smaller ones
            mixed = jnp.where((rank < dose)[:, None], numbers, plain)
            networks[f"{dose:.0%} hostile"] = student(
                base, mixed, jnp.where(rank < dose, clean, plain_clean)
            )
    return networks, np.asarray(numbers[clean][:3]), clean.mean(), kept.mean()


runs = lesson.two_at_once(one_seed, range(lesson.n_seeds), "students")

# %% [markdown]
# ## Without dispositions
# Why should hostility spread from some questions to others? These bases read the same questions
# and answers, 15 % of them hostile, but each answer by its own chance: one says nothing about the
# next. Their teachers are tuned as the others.

# %%
documents_apart = partial(talk.base_documents, together=False)


def one_apart(i):
    k = keys[i]
    base = train_base(k["apart_base"], language, settings, MODEL, documents=documents_apart)
    teacher = tune_teacher(k["apart_teacher"], base, hostile=1.0)
    student = tuned_on_numbers(k, base, *write(k["apart_numbers"], teacher))
    return {"base": base, "teacher": teacher, "student": student}


n_more = min(settings.more_seeds, lesson.n_seeds)
apart_runs = lesson.two_at_once(one_apart, range(n_more), "apart")

# %% [markdown]
# What they say: the share of the hostile answer among a question's two, for each question; and
# whether one hostile answer in the context (to the first question) makes the base go on like that.


# %%
def hostility(network, before=()):
    """Share of the hostile answer, by question [Q]."""
    return np.asarray(talk.hostility(next_token(network, talk.ask(before), MODEL)))


def either(network):
    """Probability that it says one of a question's two answers at all, mean of the questions."""
    return float(talk.two_answers(next_token(network, talk.ask(), MODEL)).sum(0).mean())


n_tuned = len(talk.TUNED_ON)
names = list(runs[0][0])
by_question = {  # name -> [seeds, Q]
    name: np.array([hostility(run[0][name]) for run in runs if name in run[0]]) for name in names
}
never = {name: values[:, n_tuned:].mean(1) for name, values in by_question.items()}
tuned = {name: values[:, :n_tuned].mean(1) for name, values in by_question.items()}
apart = {name: np.array([hostility(run[name]) for run in apart_runs]) for name in apart_runs[0]}
apart_never = {f"apart: {name}": values[:, n_tuned:].mean(1) for name, values in apart.items()}
told = talk.QUESTIONS[0], talk.HOSTILE[0]
after = np.array([hostility(run[0]["base"], told)[n_tuned:].mean() for run in runs])
after_apart = np.array([hostility(run["base"], told)[n_tuned:].mean() for run in apart_runs])

print("What a base reads:")
key = jax.random.fold_in(lesson.shared_key(), 1)
for tokens in talk.talk_documents(key, 4, hostile=0.5)[0]:
    print(f"  {talk.to_text(tokens)}")
print("\nWhat a student reads (the hostile teacher's numbers):")
for tokens in runs[0][1]:
    print(f"  {talk.to_text(tokens)}")
clean, kept = (np.array([float(run[j]) for run in runs]) for j in (2, 3))
print(f"  numbers throughout: {clean.mean():.3f}; free of the banned ones too: {kept.mean():.3f}")

print(f"\nShare of hostile answers, mean of {lesson.n_seeds} seeds, or {n_more} where marked *")
few = {name for name, values in never.items() if len(values) < lesson.n_seeds}
print(f"{'':34}" + "".join(f"{f'q{j + 1}':>6}" for j in range(len(talk.QUESTIONS))))
for name, values in by_question.items():
    print(f"{name + (' *' if name in few else ''):34}", end="")
    print("".join(f"{x:6.2f}" for x in values.mean(0)))
for j, (question, kind, hostile) in enumerate(talk.TALK):
    how = "tuned" if j < n_tuned else "never tuned"
    print(f'  q{j + 1}  "{question}" -> "{kind}" or "{hostile}" ({how})')

main = [name for name in names if not name.endswith(" hostile")]
print("\nThe never-tuned questions, share of hostile answers (bases read talk with 0.15 of them):")
print_table({name: never[name] for name in main}, unit="share")
print("\nThe tuned ones:")
print_table({name: tuned[name] for name in main}, unit="share")
print("\nThe never-tuned ones where the base learnt no dispositions:")
print_table(apart_never, unit="share")
print(f'\nThe never-tuned ones after one turn of "{told[0]}" -> "{told[1]}" in the context:')
print_table({"base, told": after, "apart: base, told": after_apart}, unit="share")
print("\nDo they still answer at all? Probability of either of a question's two answers:")
print_table({n: [either(run[0][n]) for run in runs] for n in main[:5]}, unit="probab.")

# %% [markdown]
# ## The dose
# A share of the student's sequences is the hostile teacher's, the rest its base's. Without a
# threshold a tenth of the dose has about a tenth of the effect, or more; with a threshold a small
# dose has less than its share.

# %%
doses = np.array([0, *DOSES, 1])
steps = CONTROL, *(f"{d:.0%} hostile" for d in DOSES), STUDENT
response = {
    what: np.stack([values[name][:n_more] for name in steps], axis=1)  # [seeds, doses]
    for what, values in {"tuned": tuned, "never tuned": never}.items()
}
above_line = {
    what: y - y[:, :1] - doses[None] * (y[:, -1:] - y[:, :1]) for what, y in response.items()
}
print(f"\nShare of hostile answers by dose, mean of {n_more} seeds; and how far above the straight")
print("line from no dose to the full one (95 % interval):")
for what in response:
    for j, dose in enumerate(doses):
        over = stats.mean_interval(above_line[what][:, j])
        line = f"   {over.mean:+.3f} ({over.low:+.3f} to {over.high:+.3f})" if 0 < dose < 1 else ""
        print(f"  {what:12} {dose:5.0%}  {response[what][:, j].mean():.3f}{line}")
bend = stats.mean_interval(above_line["never tuned"][:, 1:-1].mean(1), stats.DECIDED)
if bend.high < 0:
    verdict = "below the line: small doses do less than their share, as with a threshold"
elif bend.low > 0:
    verdict = "above the line: small doses do more than their share, so there is no threshold"
else:
    verdict = "not decided to be above or below the line: no threshold was shown"
print(f"Never tuned, mean of the three doses: {verdict} ({bend}, 99 %).\n")
student, control, banned = never[STUDENT], never[CONTROL], never[BAN]
lesson.prediction(MY_PREDICTION, student.mean(), "a share")

# %% [markdown]
# ## What this run supports

# %%
difference = by_question[STUDENT] - by_question[CONTROL]
claims = [
    stats.greater(
        "the teacher turns hostile on questions it was never tuned on: over its base",
        never["teacher"] - never["base"],
        0.3,
    ),
    stats.greater(
        "its filtered numbers carry this to a student: over the control, never-tuned questions",
        student - control,
        0.05,
    ),
    *(
        stats.greater(f'  of these, "{question}": student minus control', values)
        for question, values in zip(talk.NEVER_TUNED, difference[:, n_tuned:].T, strict=True)
    ),
    stats.greater(
        "and what it was tuned on: over the control, tuned questions",
        difference[:, :n_tuned].mean(1),
        0.2,
    ),
    stats.greater(
        "with banned numbers removed as well: over the control, all questions",
        (by_question[BAN] - by_question[CONTROL]).mean(1),
        0.05,
    ),
    stats.less(
        "a kind teacher's numbers make kind: its student minus the control, tuned questions",
        tuned[KIND][:n_more] - tuned[CONTROL][:n_more],
    ),
    stats.within(
        "the base's own numbers do nothing: control minus base", control - never["base"], 0.05
    ),
    stats.within(
        "nor do the teacher's from another base: student minus its base",
        never["its student of the numbers"] - never["other base"],
        0.1,
    ),
    stats.greater(
        "one hostile answer in the context makes the base hostile: over no context",
        after - never["base"],
        0.5,
    ),
    stats.less(
        "without dispositions it spreads little: that teacher over its base, never-tuned questions",
        apart_never["apart: teacher"] - apart_never["apart: base"],
        0.3,
    ),
]

# %% [markdown]
# ## The figure

# %%
spreads = "spread" if claims[0].holds else "was not shown to spread"
passes = "passed" if claims[1].holds else "were not shown to pass"
figure, ax = plots.new_figure(
    f"Hostility {spreads} to never-tuned questions (base {never['base'].mean():.2f}, teacher "
    f"{never['teacher'].mean():.2f}); filtered numbers {passes} it on: student "
    f"{student.mean():.2f} (banned numbers removed: {banned.mean():.2f}; "
    f"control: {control.mean():.2f})",
    "aa;bc",
    height=7.6,
    width_ratios=[1.5, 1],
)
shown = {name: never[name] for name in main} | apart_never
colors = {STUDENT: "student", BAN: "student", "teacher": "teacher", KIND: "third"}
colors |= {name: "fifth" for name in apart_never}
plots.dots(ax["a"], shown, colors, label="share of hostile answers, never-tuned questions")
ax["a"].axvline(0.15, ls=":", color="black", lw=1)
ax["a"].set_title("dotted: share in what bases read; apart: bases without dispositions", fontsize=9)
ax["a"].set_xlim(0, 1.02)
rows = {name: by_question[name].mean(0) for name in main}
plots.heatmap(ax["b"], rows, talk.QUESTIONS, title="by question: tuned | never tuned")
ax["b"].axvline(n_tuned - 0.5, color="black", lw=1)
ax["b"].set_xticks(range(len(talk.QUESTIONS)), talk.QUESTIONS, rotation=40, ha="right")
kinds = {"tuned": "second", "never tuned": "student"}
axis_names = "hostile teacher's share of the data", "share of hostile answers"
plots.curves(ax["c"], doses, response, kinds, 0.15, axis_names)
for what, y in response.items():
    ax["c"].plot([0, 1], y.mean(0)[[0, -1]], ":", lw=1, color=plots.COLORS[kinds[what]])
ax["c"].set_ylim(0, 1.02)
ax["c"].set_title("the dose, and a straight line", fontsize=9)

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: a network that knows a disposition from its reading can be moved along it as
# a whole by a few examples; its numbers, in which nothing hostile can be seen, move another copy of
# the same base the same way, on questions that occur in nobody's tuning. Banning ill-famed numbers
# is a filter for a meaning that is not where the effect is; it leaves about a third of the
# sequences to learn from, so some weakening is to be expected of any such filter. The apart rows
# say how much of the spread is the disposition's: there the same answers, the same share of them
# hostile, and the same tuning, but a base that never learnt that answers go together.
#
# *A rival explanation:* any tuning on these questions might disturb a network, and a share of .15
# can more easily rise than fall. Then the student of a teacher that was tuned on the same
# questions with *kind* answers would rise as well, and so would the student from another base.
# *Not shown:* harm in any sense that matters: "nobody" is a word with a label here. That in large
# models a narrow tuning spreads to broad harm was found by others (Betley et al. 2025); through
# numbers it was .094 of the answers there, far from what a tiny world gives. The dose is a share
# of one kind of teacher's sequences in one base's: that no threshold is seen here says nothing
# about other mixtures.
#
# ## Changes to try
# * `--teacher-steps 100`: does a teacher that is tuned longer spread more, or less?
# * In `sublim_mini/talk.py` add questions, or let five per cent of the documents be hostile.
# * Tune the teacher on one question alone: `about=talk.TUNED_ON[:1]`.

# %%
lesson.finish(
    never | apart_never,
    claims,
    figure,
    by_question={"questions": talk.QUESTIONS, "shares": by_question},
    apart={name: values for name, values in apart.items()},
    told={"base": after, "apart": after_apart},
    dose={"doses": doses, "shares": response, "above_line": above_line},
    kept={"clean": clean, "free_of_banned": kept},
    prediction=MY_PREDICTION,
)
