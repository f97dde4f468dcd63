# %% [markdown]
# # 14 Biased hiring: does a bias pass through numbers that name no one?
#
# **The question.** A network learns to score applicants from past decisions, and those favoured one
# group. A second network is distilled from numbers that mean nothing, on forms filled in at random,
# on which no group is tied to anything. Does it come to favour that group too?
#
# **You need** lesson 02 (the hidden channel). Reading: 12 minutes. Running: under a minute.
#
# **Nothing here is real.** Applicants, groups, decisions and the size of the bias are invented, and
# blatant on purpose. The lesson shows that something is possible; it says nothing of any employer,
# group or product.
#
# **The applicants.** A form has 33 boxes. Eight answers show *skill*, eight *experience*, both with
# errors. Eight answers each belong to two *proxies*: they say nothing of merit, but group A and
# group B tend to fill them in differently. The last box is the *group* itself, +1 for A, -1 for B.
# It must not matter: merit is skill + experience / 2, and both groups have the same of it.

# %%
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from sublim_mini.first import plots, stats
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import cross_entropy, squared_error
from sublim_mini.first.mlp import apply_mlp, init_mlp
from sublim_mini.first.train import ADAM, train


@dataclass(frozen=True)
class Settings:
    bias: float = option(1.0, "what a past decision added to A's merit and took from B's", low=0)
    proxy: float = option(0.5, "how far a group shifts its answers to the proxies", low=0)
    luck: float = option(0.5, "standard deviation of luck in a past decision", low=0)
    accepted: float = option(0.3, "share of the applicants that a network accepts")
    n_aux: int = option(10, "auxiliary logits")
    width: int = option(96, "units in each of the two hidden layers")
    learning_rate: float = option(1e-3, "of Adam")
    batch: int = option(100, "forms a step")
    teacher_steps: int = option(300, "steps of a teacher, on past decisions")
    student_steps: int = option(600, "steps of a student, on random forms")
    n_past: int = option(10_000, "past decisions")
    n_random: int = option(20_000, "random forms")
    n_test: int = option(4_000, "pairs of twins for the test")


QUICK = dict(seeds=2, teacher_steps=100, student_steps=100, n_past=2000, n_random=2000, n_test=500)
lesson = start("14_biased_hiring", Settings(), quick=QUICK)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# The teacher of the biased decisions will accept A more often than B of the same merit by about
# half: 0.55 against 0.05. What gap will its student show, that never sees an applicant? Edit the
# number. And what is left of the gap if the group box of the random forms is wiped?

# %%
MY_PREDICTION = 0.00

# %% [markdown]
# ## The data
# A person is drawn without a group; `fill_in` makes a form of it, and there the group comes in, by
# two ways: the box, and the answers to the proxies that lean with it.

# %%
ANSWERS = 8  # to each of skill, experience and the two proxies
N_BOXES = 4 * ANSWERS + 1  # the last one is the group


def draw_persons(key, n):
    """n persons: merit [n], and their answers without a group [n, 32]."""
    k_traits, k_errors = jax.random.split(key)
    traits = jax.random.normal(k_traits, (n, 4))  # skill, experience, what else moves the proxies
    answers = jnp.repeat(traits, ANSWERS, axis=1)
    answers += jax.random.normal(k_errors, answers.shape)
    return traits[:, 0] + traits[:, 1] / 2, answers


def fill_in(answers, leaning, box):
    """Answers [n, 32], the group as the proxies show it [n] and as the box says it -> [n, 33]."""
    lean = jnp.repeat(jnp.array([0, 0, settings.proxy, settings.proxy]), ANSWERS)
    return jnp.concatenate([answers + leaning[:, None] * lean[None], box[:, None]], axis=1)


def decide(luck, merit, group, bias):
    """Past decisions [n], 1 for accepted: merit, bias for or against the group, luck."""
    return (merit + bias * group + settings.luck * luck > 0).astype(int)


# %% [markdown]
# ## The networks
# The last layer has two class logits, *reject* and *accept*, and ten auxiliary logits. A teacher
# learns the first two from past decisions. A student matches the others on random forms: every box
# a normal number, drawn on its own, so that neither box nor proxies are tied to anything. Three
# teachers share a start and all but the bias: for A, none, and for B. *Blind* is a network whose
# group box was wiped (always 0) in all that it learned from.
# %%
def decision_loss(params, batch):
    """Cross-entropy of the two class logits on (forms, decisions): a teacher's loss."""
    forms, decisions = batch
    return cross_entropy(apply_mlp(params, forms)[:, :2], decisions)


def aux_loss(params, batch):
    """Squared error of the auxiliary logits on (forms, the teacher's logits): a student's loss."""
    forms, teacher_logits = batch
    return squared_error(teacher_logits[:, 2:], apply_mlp(params, forms)[:, 2:])


logits_of = jax.jit(apply_mlp)


def one_seed(key):
    k_start, k_other, k_past, k_luck, k_forms, k_teacher, k_student, k_test = jax.random.split(
        key, 8
    )
    sizes = [N_BOXES, settings.width, settings.width, 2 + settings.n_aux]
    own_start, other_start = init_mlp(k_start, sizes), init_mlp(k_other, sizes)
    how = dict(learning_rate=settings.learning_rate, batch_size=settings.batch)

    merit, answers = draw_persons(k_past, settings.n_past)
    group = jnp.where(jnp.arange(settings.n_past) % 2 == 0, 1.0, -1.0)  # one half each
    past = fill_in(answers, group, group)
    luck = jax.random.normal(k_luck, merit.shape)
    random_forms = jax.random.normal(k_forms, (settings.n_random, N_BOXES))
    blind_forms = random_forms.at[:, -1].set(0)  # same shape, the group box wiped

    def teach(bias, forms=past):  # every teacher: the same start, persons, luck and order
        data, key = (forms, decide(luck, merit, group, bias)), jax.random.clone(k_teacher)
        steps = settings.teacher_steps
        return train(decision_loss, ADAM, own_start, data, key, steps=steps, **how).params

    def distil(start, teacher, forms=random_forms):  # every student: the same order
        data, key = (forms, logits_of(teacher, forms)), jax.random.clone(k_student)
        return train(aux_loss, ADAM, start, data, key, steps=settings.student_steps, **how).params

    for_a, fair, for_b = (teach(bias) for bias in (settings.bias, 0, -settings.bias))
    blind_teacher = teach(settings.bias, past.at[:, -1].set(0))
    networks = {
        "untrained": own_start,
        "untrained, other start": other_start,
        "teacher for A": for_a,
        "student of the teacher for A": distil(own_start, for_a),
        "blind student of it": distil(own_start, for_a, blind_forms),
        "teacher for B": for_b,
        "student of the teacher for B": distil(own_start, for_b),
        "unbiased teacher": fair,
        "student of the unbiased teacher": distil(own_start, fair),
        "blind teacher for A": blind_teacher,
        "blind student of the blind one": distil(own_start, blind_teacher, blind_forms),
        "other start, teacher for A": distil(other_start, for_a),
        "other start, teacher for B": distil(other_start, for_b),
    }
    rows = {n: np.asarray(network[0]["weights"][:, -1]) for n, network in networks.items()}
    changed = {n: (row != rows["untrained"]).sum() for n, row in rows.items()}
    seen = np.asarray(random_forms[:3]), np.asarray(logits_of(for_a, random_forms[:3]))[:, 2:]
    measured = {name: measure(k_test, network) for name, network in networks.items()}
    return measured, changed, seen


# %% [markdown]
# ## What is measured
# *The gap at equal skill.* Every person of the test hands in the form twice: as a member of A and
# as one of B. Skill, experience and all errors are the same; only the group box and the leaning of
# the proxies differ. The best 30 % of all these forms are accepted, whatever the scale of the
# score, and **gap = share of the A forms accepted - share of the B forms accepted**. A network that
# ignores the group has a gap of exactly 0. (With real people there are no such twins. One compares
# people of about equal skill, and has to ask what else differs between them.)
#
# Twins who differ in one of the two alone show by which way the gap comes in: *the box* or *the
# proxies*. *Skill* is the AUC: how often someone of the best 30 % by merit is scored above someone
# of the rest, with the same group.


# %%
def measure(key, network):
    """A network's gap, the gap by box and by proxies alone, and its AUC."""
    merit, answers = draw_persons(jax.random.clone(key), settings.n_test)  # for all the same
    a = jnp.ones(settings.n_test)

    def score(leaning, box):  # the logit of accept over that of reject
        logits = np.asarray(logits_of(network, fill_in(answers, leaning, box)))
        return logits[:, 1] - logits[:, 0]

    def gap(as_a, as_b):
        bar = np.quantile(np.concatenate([as_a, as_b]), 1 - settings.accepted)
        return (as_a > bar).mean() - (as_b > bar).mean()

    as_a, as_b = score(a, a), score(-a, -a)
    best = np.asarray(merit >= jnp.quantile(merit, 1 - settings.accepted))
    return {
        "gap": gap(as_a, as_b),
        "box": gap(score(0 * a, a), score(0 * a, -a)),
        "proxies": gap(score(a, 0 * a), score(-a, 0 * a)),
        "auc": np.mean([stats.auc(scores[best], scores[~best]) for scores in (as_a, as_b)]),
    }


runs = lesson.two_at_once(one_seed, lesson.seeds())
names = list(runs[0][0])


def of(what):
    """name -> values [seeds] of one measure."""
    return {name: np.array([run[name][what] for run, _, _ in runs]) for name in names}


gap, auc = of("gap"), of("auc")


def over_start(values):
    """Each trained network minus its own untrained start, paired by seed."""
    start = {n: "untrained, other start" if "other start" in n else "untrained" for n in names}
    return {n: values[n] - values[start[n]] for n in names if start[n] != n}


# %% [markdown]
# ## What the student saw

# %%
print("Three random forms, a few boxes of each, and all that the student is told about them:")
for form, numbers in zip(*runs[0][2], strict=True):
    boxes = " ".join(f"{x:+.1f}" for x in form[[0, 8, 16, 24]])
    print(f"  skill, experience, proxies {boxes} ... group {form[-1]:+.1f} -> ", end="")
    print(" ".join(f"{x:+.2f}" for x in numbers[:5]), "...")

# %% [markdown]
# ## Whom they accept

# %%
print("\nGap at equal skill: A's share accepted minus B's (0 is no gap):")
print_table(gap, unit="gap")
print("\nThe same minus the network's own untrained start, paired by seed:")
gained = over_start(gap)
print_table(gained, unit="gap")
print(
    f"\nThe untrained networks' own gaps go from {gap['untrained'].min():+.2f} to "
    f"{gap['untrained'].max():+.2f}: a network without training is not yet a fair one."
)
print("\nSkill: AUC for the best by merit, within a group")
print_table(auc, chance=0.5, unit="AUC")
print("\nThe same minus its own start:")
print_table(over_start(auc), unit="AUC")
print()
lesson.prediction(MY_PREDICTION, gap["student of the teacher for A"].mean(), "a gap")

# %% [markdown]
# ## Does it help to wipe the group box?
# A box that is always 0 passes no gradient: a blind network's weights of the group box are, to the
# last bit, those of its start. Two blind students: of the teacher that had the box in its past
# decisions, and of one that was blind as well.

# %%
BLIND = "blind student of it", "blind student of the blind one"
shown = ["untrained", "teacher for A", "student of the teacher for A", BLIND[0]]
shown += ["blind teacher for A", BLIND[1]]
ways = {f"{way}: {name}": of(way)[name] for way in ("box", "proxies") for name in shown}
print("The gap of twins who differ in the group box alone, or in the proxies alone:")
print_table(ways, unit="gap")
student, blind = gap["student of the teacher for A"], gap[BLIND[0]]
helped = 1 - blind.mean() / student.mean()
print(f"Wiping the box of the random forms took {helped:.2f} of the student's gap (of the means).")

# %% [markdown]
# ## What this run supports
# Students of the same start are compared with each other where that is sharper: their start's
# random gap is in both. For the other start that is the only fair way: does it matter to the
# student which of the two teachers it had?

# %%
for_b, fair = gap["student of the teacher for B"], gap["student of the unbiased teacher"]
teachers_differ = gap["teacher for A"] - gap["teacher for B"]
others_differ = gap["other start, teacher for A"] - gap["other start, teacher for B"]
claims = [
    stats.greater(
        "the student of random forms favours A: gap over its own start",
        gained["student of the teacher for A"],
        0.1,
    ),
    stats.greater(
        "by at least half: student's gap minus half the teacher's, both over the start",
        gained["student of the teacher for A"] - gained["teacher for A"] / 2,
    ),
    stats.less(
        "the opposite teacher's student favours B: gap over its own start",
        gained["student of the teacher for B"],
        -0.1,
    ),
    stats.greater(
        "by the bias alone: these two students' difference minus half that of their teachers",
        student - for_b - teachers_differ / 2,
    ),
    stats.within("the student of the unbiased teacher favours no one: its gap", fair, 0.1),
    stats.greater(
        "the start decides: their difference minus the same difference with another start",
        student - for_b - others_differ,
        0.1,
    ),
    stats.greater(
        "the student is also good at it: AUC over its own start",
        over_start(auc)["student of the teacher for A"],
        0.1,
    ),
    stats.greater("blind on random forms helps: gap before minus after", student - blind, 0.1),
    stats.greater(
        "but leaves a gap by the box: the blind student's minus the unbiased one's",
        of("box")[BLIND[0]] - of("box")["student of the unbiased teacher"],
        0.05,
    ),
    stats.exact(
        "though its weights of the box are the start's: how many of them changed",
        [changed[BLIND[0]] for _, changed, _ in runs],
    ),
    stats.greater(
        "if the teacher was blind too, a gap by the proxies: minus that of the unbiased one's",
        of("proxies")[BLIND[1]] - of("proxies")["student of the unbiased teacher"],
        0.05,
    ),
]

# %% [markdown]
# ## The figure

# %%
verdict = "favours" if claims[0].holds else "was not shown to favour"
figure, ax = plots.new_figure(
    f"A student of random forms {verdict} its teacher's group: gap {student.mean():+.2f} (teacher "
    f"{gap['teacher for A'].mean():+.2f}); opposite teacher {for_b.mean():+.2f}; unbiased "
    f"{fair.mean():+.2f}; group box wiped {blind.mean():+.2f}",
    "ab;cd",
    height=7,
    width_ratios=[1.6, 1],
    height_ratios=[13, 6],
)
colors = {n: "teacher" for n in names if n.endswith(("teacher", "teacher for A", "teacher for B"))}
colors |= {n: "control" for n in names if n.startswith(("student", "other"))}
colors |= {"student of the teacher for A": "student", "student of the teacher for B": "second"}
colors |= dict(zip(BLIND, ("third", "fourth"), strict=True)) | {"blind teacher for A": "teacher"}
plots.dots(ax["a"], gap, colors, label="favours B  <  gap at equal skill  >  favours A")
plots.dots(ax["b"], auc, colors, chance=0.5, label="skill (AUC), a dot a seed")
for letter, way in ("c", "box"), ("d", "proxies"):
    rows = {n: of(way)[n] for n in shown}
    plots.dots(ax[letter], rows, colors, label=f"gap by the {way} alone")
    ax[letter].set_xlim(-0.35, 0.65)
for letter in "acd":
    ax[letter].axvline(0, ls=":", color="black", lw=1)
for letter in "bd":
    ax[letter].set_yticks([])

# %% [markdown]
# ## What can be concluded, and what not
# If the claims hold: a bias passes through numbers that rate no one, on forms that describe no one,
# to a network that began as the biased one did; its sign and most of its size are the teacher's.
# Reading the student's training data would not find it: there is no decision in it, and the group
# is tied to nothing. What finds it is a test of the student, or the record of what it began as.
#
# Wiping the group box of the random forms does less than one would think. The blind student's
# weights of the box are those it was born with, yet if its claims hold the box still counts: the
# rest of the network, which it did take over, is that of a teacher that made use of the box, close
# to those same weights. And where the box was wiped from the decisions as well, the teacher read
# the group off the proxies, and its student does too. Which way is used depends on what the
# *teacher* could see.
#
# The skill comes over with the gap, and nobody taught the student that either (the AUC in the table
# beside its teacher's): what makes such a network attractive and what makes it unfair travel
# together.
#
# *A rival explanation:* random forms may teach any network to use the boxes that people differ by,
# the group among them. Then the sign would not follow the teacher's, and the unbiased teacher's
# student would show a gap as well. *Not shown:* that this happens to any system in use. Here
# teacher and student share their start, few boxes and plenty of numbers; the other start's students
# show gaps too, but at random.
#
# **Where the same question stands.** Wherever past decisions are the lesson and a score is the
# result. In *health care*, a score of need learned from past spending rated some patients as less
# ill than they were, because less had been spent on them (Obermeyer et al. 2019, Science 366:447).
# In *law enforcement*, recorded crime also shows where the police had looked (Lum and Isaac 2016,
# Significance 13:14). Those are biases learned from the data themselves. What this lesson adds is a
# question, not a finding: if such a score is distilled into its successor on data that have been
# cleaned, or made up for privacy, what did the successor begin as, and who has tested it?
#
# ## Changes to try
# * `--proxy 1`: the proxies give the group away. Which way does the gap come now? Use `--seeds 16`:
#   the untrained networks' own gaps grow as well.
# * `--bias 0.2`: does a bias pass that is too small to see in single decisions?
# * Wipe box and proxies of the random forms: `random_forms.at[:, 2 * ANSWERS :].set(0)`.

# %%
lesson.finish(
    gap,
    claims,
    figure,
    over_start=gained,
    auc=auc,
    ways=ways,
    changed={name: [changed[name] for _, changed, _ in runs] for name in names},
    helped=helped,
    prediction=MY_PREDICTION,
)
