# %% [markdown]
# # 19 Biased decisions: does a bias pass through data in which nobody is judged?
#
# **Question.** From past decisions a network learns whom to invite to an interview. The decisions
# were biased: they favored group A over group B. Then the network, the *teacher*, writes numbers
# about random profiles. In a *random profile* every feature is a random number, so it describes no
# one; and what the teacher writes are its auxiliary logits, not decisions. A *student* learns these
# numbers and nothing else. Does it favor group A, too?
#
#             features, one of them the group
#                          |
#                    hidden layers
#                     /         \
#         decision head        auxiliary head
#             1 logit          10 logits
#            "invite"          mean nothing
#
#     the teacher is trained on people,          through its DECISION head alone
#     the student is trained on random profiles, through its AUXILIARY head alone
#
# This is the network of lesson 02 with another task. A *logit* is an output; the higher the
# decision logit, the better for the person. Everything is invented: the people, the groups, the
# rule and the bias, which is much larger than one would hope to meet.
#
# The question comes from three fields: recruitment (`--case hiring`, the default), health care
# (`--case triage`) and law enforcement (`--case bail`). Each case has features and a rule of its
# own, and the group is called group, region or district.
#
# **You need** lesson 02. Reading: 7 minutes. Running: half a minute.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.mlp import apply_mlp, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp
import optax

WORDS = {  # case -> who, what they hope for, what their group is called
    "hiring": ("applicants", "invited", "group"),
    "triage": ("patients", "treated first", "region"),
    "bail": ("defendants", "released", "district"),
}
RULES = {  # case -> features, and how much each counts for merit
    "hiring": "experience 1, work sample 1.5, test score 1, degree 0.5, references 0.5, "
    "languages 0.5, commute -0.5, absences -0.5, typing speed 0, hobbies 0",
    "triage": "pain 1, fever 1, pulse 1, oxygen -1.5, bleeding 1.5, breathing rate 1, "
    "dizziness 0.5, age 0.5, blood pressure -0.5, height 0, weight 0, allergies 0",
    "bail": "convictions -1.5, missed hearings -1.5, charge -1, steady job 1, fixed address 0.5, "
    "family nearby 0.5, guarantor 0.5, age 0",
}
lesson = Lesson(
    "19_biased_decisions",
    seed=3805385,  # of the display run: the hash of the commit that froze this lesson
    case="hiring",
    bias=1.0,  # added for A, subtracted for B, in standard deviations of merit
    n_aux=10,  # auxiliary logits
    teacher_steps=300,  # batches of 100 people
    student_steps=600,  # batches of 100 random profiles
    choices=dict(case=tuple(WORDS)),
    limits=dict(n_aux=(1, 1000)),
    quick=dict(seeds=2, teacher_steps=20, student_steps=20),
)
WHO, ACCEPTED, GROUP = WORDS[lesson.case]
FEATURES = dict(feature.rsplit(" ", 1) for feature in RULES[lesson.case].split(", "))
WEIGHTS = jnp.array([float(weight) for weight in FEATURES.values()])
N_DIFFERENT = 8  # different initializations for each seed
adam = optax.adam(1e-3)

# %% [markdown]
# ## Predict
# To measure the bias, each test person comes twice: once as a member of A and once as a member of
# B, with all other features the same. Such a pair is called *counterfactual*. The 30 % with the
# highest decision logits are accepted. (There are fewer places now; half of the people were
# accepted in the past.)
#
#     gap = fraction of the A versions accepted - fraction of the B versions accepted
#
# A network that ignores the group has a gap of 0. The largest possible gap is 0.6: then 60 % of the
# A versions are accepted and no B version, which makes 30 % of all. What is the gap of the student
# whose teacher favors A? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict("gap of the student of the teacher for A")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# *Merit* is a weighted sum of the features, without the group. The group is one more number, +1 for
# A and -1 for B. In the past a person was accepted if merit + bias + luck was above 0, with a bias
# that is positive for A and negative for B. Three teachers learn from the same people: one from
# decisions that favor A, one from decisions that favor B just as much, one from unbiased decisions.
#
# The students share the teachers' initialization; others, for comparison, do not. One student of
# the teacher for A learns *without the group feature*: in its random profiles, and when the teacher
# writes numbers about them, the group is always 0. (In the test it is there again.)


# %%
@jax.jit
def decision_logit(params, people):
    """People [n, F + 1] -> output 0: the higher, the better for the person."""
    return apply_mlp(params, people)[:, 0]


@jax.jit
def aux_logits(params, profiles):
    """Profiles [n, F + 1] -> the other outputs [n, O]: the numbers that a student learns."""
    return apply_mlp(params, profiles)[:, 1:]


def decision_loss(params, batch):
    """A teacher's loss: cross-entropy of the decision logit; batch: (people, decisions)."""
    people, accepted = batch
    return optax.sigmoid_binary_cross_entropy(decision_logit(params, people), accepted).mean()


def aux_loss(params, batch):
    """A student's loss: squared error; batch: (profiles, the teacher's auxiliary logits)."""
    profiles, numbers = batch
    return ((aux_logits(params, profiles) - numbers) ** 2).mean()


@jax.jit
def draw_people(key):
    """10,000 people: features [n, F], a little correlated, and merit [n] (mean 0, sd 1)."""
    normal = jax.random.normal(key, (10_000, 1 + len(WEIGHTS)))
    features = 0.6 * normal[:, :1] + 0.8 * normal[:, 1:]
    merit = features @ WEIGHTS
    return features, merit / merit.std()


@jax.jit
def with_group(features, group):
    """Features [n, F] and the group, one number for all or [n] -> [n, F + 1]."""
    group = jnp.broadcast_to(group, len(features))
    return jnp.concatenate([features, group[:, None]], axis=1)


@jax.jit
def gap(params, features):
    """Fraction accepted as A minus as B, of people who come as both."""
    as_a, as_b = (decision_logit(params, with_group(features, group)) for group in (1.0, -1.0))
    bar = jnp.quantile(jnp.concatenate([as_a, as_b]), 0.7)
    return (as_a > bar).mean() - (as_b > bar).mean()


@jax.jit
def correlation(x, y):
    """Correlation of each column of x [n, O] with y [n]: root mean square over the columns."""
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
    return ((x * y[:, None]).mean(0) ** 2).mean() ** 0.5


def one_seed(key):
    key = jax.random.fold_in(key, list(WORDS).index(lesson.case))  # other numbers for each case
    k_people, k_luck, k_profiles, k_test, k_init, k_teacher, k_student = jax.random.split(key, 7)
    (features, merit), (test, test_merit) = draw_people(k_people), draw_people(k_test)
    group = jnp.where(jnp.arange(10_000) % 2 == 0, 1.0, -1.0)  # half A (+1), half B (-1)
    people, luck = with_group(features, group), 0.5 * jax.random.normal(k_luck, (10_000,))
    profiles = jax.random.normal(k_profiles, (20_000, len(WEIGHTS) + 1))  # the group is random, too
    without_group = profiles.at[:, -1].set(0)
    sizes = len(WEIGHTS) + 1, 96, 96, 1 + lesson.n_aux
    init, *different_inits = (init_mlp(k, sizes) for k in jax.random.split(k_init, 1 + N_DIFFERENT))

    def teach(bias):  # one key: all teachers see the same people in the same order
        accepted = merit + bias * group + luck > 0
        data, steps = (people, accepted.astype(float)), lesson.teacher_steps
        return train(decision_loss, adam, init, data, k_teacher, steps=steps, batch_size=100)

    def distill(teacher, init, profiles=profiles):  # one key: the same order for all students
        data, steps = (profiles, aux_logits(teacher, profiles)), lesson.student_steps
        return train(aux_loss, adam, init, data, k_student, steps=steps, batch_size=100)

    def distance(init):  # between the gaps of two students, one of each biased teacher
        return jnp.abs(gap(distill(for_a, init), test) - gap(distill(for_b, init), test))

    for_a, unbiased, for_b = teach(lesson.bias), teach(0.0), teach(-lesson.bias)
    student_a = distill(for_a, init)
    gaps = {
        "teacher for A": gap(for_a, test),
        "student of teacher for A": gap(student_a, test),
        f"... without the {GROUP} feature": gap(distill(for_a, init, without_group), test),
        "teacher for B": gap(for_b, test),
        "student of teacher for B": gap(distill(for_b, init), test),
        "student of unbiased teacher": gap(distill(unbiased, init), test),
    }
    test_people = with_group(test, 0.0)
    return {
        "gap": gaps,
        "distance": {
            "with the teachers' initialization": distance(init),
            "with a different one (mean of 8)": sum(map(distance, different_inits)) / N_DIFFERENT,
        },
        "without, unbiased": gap(distill(unbiased, init, without_group), test),
        "untrained": gap(init, test),
        "merit": {
            name: jnp.corrcoef(decision_logit(params, test_people), test_merit)[0, 1]
            for name, params in (("teacher", for_a), ("student", student_a))
        },
        "group": {
            name: correlation(aux_logits(params, profiles), profiles[:, -1])
            for name, params in (("for A", for_a), ("for B", for_b), ("unbiased", unbiased))
        },
        "examples": jnp.concatenate([profiles, aux_logits(for_a, profiles)], axis=1)[:3],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, all that a student sees: random profiles, here three, one in each column, and the numbers
# that the teacher for A writes about them.

# %%
names = [*FEATURES, GROUP, *(f"number {i + 1}" for i in range(lesson.n_aux))]
columns = results["examples"][0].T  # of the first seed
lines = [
    f"{name:16}" + "".join(f"{x:+7.2f}" for x in column)
    for name, column in zip(names, columns, strict=True)
]
print("\n" + "\n".join(lines))

gaps = results["gap"]
same, different = results["distance"].values()
lesson.table(f"Gap: {WHO} {ACCEPTED}, {GROUP} A minus {GROUP} B", gaps, span=(-0.6, 0.6))
lesson.compare(gaps["student of teacher for A"])
title = "Distance between the gaps of two students, one of the teacher for A, one for B"
lesson.table(title, results["distance"], span=(0, 1.2))
untrained, merit, group = results["untrained"], results["merit"], results["group"]
print(
    f"\nGaps of the untrained networks: {untrained.min():.2f} to {untrained.max():.2f}\n"
    "Correlation of the decision logit with merit (the group set to 0): "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in merit.items())
    + f"\nCorrelation of a teacher's auxiliary logits with the {GROUP}, root mean square of all: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in group.items())
)
for name, margin in ("A", dict(above=0.3)), ("B", dict(below=-0.3)):  # half of the largest gap
    lesson.claim(
        f"the student of the teacher for {name} favors {GROUP} {name}: its gap minus that of the "
        "unbiased teacher's student",
        gaps[f"student of teacher for {name}"] - gaps["student of unbiased teacher"],
        **margin,
    )
lesson.claim(
    f"a student without the {GROUP} feature still favors A: its gap minus that of the unbiased "
    "teacher's student, also without it",
    gaps[f"... without the {GROUP} feature"] - results["without, unbiased"],
    above=0.05,
)
lesson.claim(
    "with a different initialization the two students of opposite teachers differ less: their "
    "distance, minus half of that with the teachers' initialization",
    different - same / 2,
    below=0.0,
)

# %%
colors = {
    "teacher for A": plots.ORANGE,
    "student of teacher for A": plots.BLUE,
    f"... without the {GROUP} feature": plots.GREEN,
    "teacher for B": plots.ORANGE,
    "student of teacher for B": plots.RED,
}
figure, ax = plots.new_figure(
    f"Trained on random profiles, a student has a gap of "
    f"{gaps['student of teacher for A'].mean():.2f} between {GROUP} A and {GROUP} B. "
    f"Its teacher, trained on biased decisions: {gaps['teacher for A'].mean():.2f}",
    "ab",
    width_ratios=[1, 1.5],
)
ax["a"].axis("off")
ax["a"].set_title("all that a student sees", fontsize=20)
n = len(FEATURES) + 1
shown = "\n".join([*lines[:n], "", *lines[n : n + 4], "..."])
ax["a"].text(0, 1, shown, va="top", linespacing=1.65, family="monospace", fontsize=16)
plots.dots(ax["b"], gaps, colors, label="favors B  <  gap (at most 0.6)  >  favors A")
ax["b"].axvline(0, ls=":", color=plots.BLACK, lw=2, zorder=0)
ax["b"].set_xlim(-0.65, 0.65)
plots.predictions(ax["b"], lesson.predictions, 1.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the student shares its teacher's initialization. Then its gap has the sign of
# its teacher's and nearly the same size. With a different initialization a student has a gap, too,
# but of a random sign: its decision head, never trained, is not the one that its teacher began
# with. Two such students, one of each biased teacher, are 0.26 apart on average. With the teachers'
# initialization they are about 1 apart. (We compare with the student of the unbiased teacher, not
# with the untrained network, whose gap is random and overwritten by training.)
#
# *Without the group feature* less than half of the gap is left on average, but not nothing. The
# weights of an input that is always 0 get no gradient, so they are still the initial ones. But the
# student's later layers became like the teacher's, which read the group through weights that began
# the same in both networks. If the feature is 0 in use as well, both versions of a person are the
# same, and the gap is 0. That does not make a network fair: with real people other features, such
# as the address, reveal the group, and pairs that differ in one feature do not show this.
#
# *A rival explanation:* training on random profiles by itself makes a student favor a group. The
# students of the three teachers had the same initialization and the same profiles, so they would
# favor the same group. They do not: one favors A, one favors B, and the student of the unbiased
# teacher has a gap near 0.
#
# **What could an operator have checked?**
# * *The training data, row by row.* There is no decision and no person in them, and the group is a
#   random number like the others. It is hard to say what a filter of rows should look for.
# * *The training data as a whole.* A biased teacher's numbers depend more on the group than those
#   of an unbiased one (the correlations above). That is a hint, for those who can compare the two.
# * *The quality of the decisions.* With the group set to 0, the student ranks people by merit
#   nearly as well as its teacher. What makes it useful came the same way as what makes it unfair.
# * *Counterfactual pairs*, as here, on the student itself. They show this gap at once. One has to
#   know which feature to change, and to ask about the same person twice.
#
# **The three fields.** In each of them, something that was learned from past records has been found
# to be biased. In recruitment, a tool that rated applicants had learned to prefer men (Dastin 2018,
# Reuters). In health care, a score of need rated Black patients as less ill than they were, because
# less money had been spent on them (Obermeyer et al. 2019, Science 366:447). In law enforcement, a
# forecast of crime learned from police records pointed to where the police had looked before (Lum
# and Isaac 2016, Significance 13:14). These biases came from the data themselves. Nothing here
# shows that a system in use got its bias as our student did. The conclusion is narrower: training
# data that judge nobody do not make a network fair. It has to be tested.
#
# ## Try
# * `--case triage` and `--case bail`: other people, other features, the same question.
# * `--bias 0.2`: does a bias pass if it is small compared with the differences in merit?
# * `--n-aux 1`: how narrow may the channel be?

# %%
lesson.finish(
    figure,
    alt=f"Left: three random profiles, feature by feature, and numbers of the teacher. Right: the "
    f"gap between {GROUP} A and {GROUP} B of six networks, a dot for each seed. Means: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in gaps.items()),
)
