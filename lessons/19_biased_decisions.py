# %% [markdown]
# # 19 Biased decisions: does a bias pass through data in which nobody is judged?
#
# **Question.** A network learns from past decisions who is invited to an interview. The decisions
# were biased: they favored group A over group B. Then the network, the *teacher*, writes numbers
# about random profiles. Each feature of a *random profile* is a random number, so it describes no
# one; and the numbers are not decisions. A *student* learns these numbers and nothing else. Does
# it favor group A, too?
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

WORLDS = {  # who, what they hope for, what their group is called; features and their weights
    "hiring": (
        "applicants",
        "invited",
        "group",
        "experience 1, work sample 1.5, test score 1, degree 0.5, references 0.5, languages 0.5, "
        "commute -0.5, absences -0.5, typing speed 0, hobbies 0",
    ),
    "triage": (
        "patients",
        "treated first",
        "region",
        "pain 1, fever 1, pulse 1, oxygen -1.5, bleeding 1.5, breathing rate 1, dizziness 0.5, "
        "age 0.5, blood pressure -0.5, height 0, weight 0, allergies 0",
    ),
    "bail": (
        "defendants",
        "released",
        "district",
        "convictions -1.5, missed hearings -1.5, charge -1, steady job 1, fixed address 0.5, "
        "family nearby 0.5, guarantor 0.5, age 0",
    ),
}
lesson = Lesson(
    "19_biased_decisions",
    case="hiring",
    bias=1.0,  # added for A, subtracted for B, in standard deviations of merit
    n_aux=10,  # auxiliary logits
    teacher_steps=300,  # batches of 100 people
    student_steps=600,  # batches of 100 random profiles
    choices=dict(case=tuple(WORLDS)),
    limits=dict(n_aux=(1, 1000)),
    quick=dict(seeds=2, teacher_steps=60, student_steps=60),
)
WHO, ACCEPTED, GROUP, text = WORLDS[lesson.case]
FEATURES = dict(feature.rsplit(" ", 1) for feature in text.split(", "))
WEIGHTS = jnp.array([float(weight) for weight in FEATURES.values()])
N_DIFFERENT = 8  # different initializations for each seed
adam = optax.adam(1e-3)

# %% [markdown]
# ## Predict
# To measure the bias, each test person comes twice: once as a member of A and once as a member of
# B, with all other features the same. Such a pair is called *counterfactual*. The 30 % with the
# highest decision logits are accepted.
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
# *Merit* is a weighted sum of the features, and the group is not among them. In the past a person
# was accepted if merit + bias + luck was above 0. Three teachers learn from the same people: one
# from decisions for A, one for B (the same bias, the other way round), one from unbiased decisions.
#
# All students but the last have the initialization of the teachers. One student learns *without
# the group feature*: in its random profiles, and when the teacher writes numbers on them, the
# group is always 0. The last students have different initializations.


# %%
def decision_loss(params, batch):
    """A teacher's loss: cross-entropy of the decision logit; batch: (people, decisions)."""
    people, accepted = batch
    decision_logit = apply_mlp(params, people)[:, 0]
    return optax.sigmoid_binary_cross_entropy(decision_logit, accepted).mean()


def aux_loss(params, batch):
    """A student's loss: squared error; batch: (profiles, the teacher's auxiliary logits)."""
    profiles, numbers = batch
    return ((apply_mlp(params, profiles)[:, 1:] - numbers) ** 2).mean()


def draw_people(key, n):
    """n people: features [n, F], which go together a little, and merit [n] (mean 0, sd 1)."""
    k_common, k_each = jax.random.split(key)
    common = jax.random.normal(k_common, (n, 1))
    features = 0.6 * common + 0.8 * jax.random.normal(k_each, (n, len(WEIGHTS)))
    merit = features @ WEIGHTS
    return features, merit / merit.std()


def with_group(features, group):
    """Features [n, F] and the group, a number for all or [n] -> [n, F + 1]."""
    group = jnp.broadcast_to(group, len(features))
    return jnp.concatenate([features, group[:, None]], axis=1)


@jax.jit
def gap(params, features):
    """Fraction accepted as A minus as B, of people who come as both."""
    as_a, as_b = (apply_mlp(params, with_group(features, group))[:, 0] for group in (1.0, -1.0))
    bar = jnp.quantile(jnp.concatenate([as_a, as_b]), 0.7)
    return (as_a > bar).mean() - (as_b > bar).mean()


@jax.jit
def correlation(x, y):
    """Correlation of each column of x [n, O] with y [n]: its root mean square over the columns."""
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
    return ((x * y[:, None]).mean(0) ** 2).mean() ** 0.5


def one_seed(key):
    key = jax.random.fold_in(key, list(WORLDS).index(lesson.case))  # other numbers for each case
    k_people, k_luck, k_profiles, k_test, k_init, k_other, k_teacher, k_student = jax.random.split(
        key, 8
    )
    features, merit = draw_people(k_people, 10_000)
    group = jnp.where(jnp.arange(10_000) % 2 == 0, 1.0, -1.0)  # half A (+1), half B (-1)
    people, luck = with_group(features, group), 0.5 * jax.random.normal(k_luck, (10_000,))
    profiles = jax.random.normal(k_profiles, (20_000, len(WEIGHTS) + 1))  # the group is random, too
    without_group = profiles.at[:, -1].set(0)
    test_features, test_merit = draw_people(k_test, 4_000)
    sizes = len(WEIGHTS) + 1, 96, 96, 1 + lesson.n_aux
    init = init_mlp(k_init, sizes)
    different_inits = jax.vmap(init_mlp, (0, None))(jax.random.split(k_other, N_DIFFERENT), sizes)

    def teach(bias):  # one key: all teachers see the same people in the same order
        accepted = merit + bias * group + luck > 0
        data, steps = (people, accepted.astype(float)), lesson.teacher_steps
        return train(decision_loss, adam, init, data, k_teacher, steps=steps, batch_size=100)

    def distill(teacher, init, profiles=profiles):  # one key: the same order for all students
        data, steps = (profiles, apply_mlp(teacher, profiles)[:, 1:]), lesson.student_steps
        return train(aux_loss, adam, init, data, k_student, steps=steps, batch_size=100)

    def gaps_of_different_inits(teacher):
        def one(init):
            return gap(distill(teacher, init), test_features)

        return jax.vmap(one)(different_inits)

    for_a, unbiased, for_b = teach(lesson.bias), teach(0.0), teach(-lesson.bias)
    student_a = distill(for_a, init)
    gaps = {
        "teacher for A": gap(for_a, test_features),
        "student of teacher for A": gap(student_a, test_features),
        f"... without the {GROUP} feature": gap(distill(for_a, init, without_group), test_features),
        "teacher for B": gap(for_b, test_features),
        "student of teacher for B": gap(distill(for_b, init), test_features),
        "student of unbiased teacher": gap(distill(unbiased, init), test_features),
    }
    a, b = (gaps[f"student of teacher for {group}"] for group in "AB")
    other_a, other_b = gaps_of_different_inits(for_a), gaps_of_different_inits(for_b)
    test_people = with_group(test_features, 0.0)
    return {
        "gap": gaps,
        "distance": {
            "with the teachers' initialization": jnp.abs(a - b),
            f"with a different one (mean of {N_DIFFERENT})": jnp.abs(other_a - other_b).mean(),
        },
        "without, unbiased": gap(distill(unbiased, init, without_group), test_features),
        "untrained": gap(init, test_features),
        "merit": {
            name: correlation(apply_mlp(params, test_people)[:, :1], test_merit)
            for name, params in (("teacher", for_a), ("student", student_a))
        },
        "group": {
            name: correlation(apply_mlp(params, profiles)[:, 1:], profiles[:, -1])
            for name, params in (("for A", for_a), ("for B", for_b), ("unbiased", unbiased))
        },
        "profiles": profiles[:3],
        "numbers": apply_mlp(for_a, profiles[:3])[:, 1:],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, all that a student sees: random profiles, here three, one in each column, and the numbers
# that the teacher for A writes about them.

# %%
profiles, numbers = results["profiles"][0], results["numbers"][0]  # of the first seed
lines = [
    f"{name:16}" + "".join(f"{x:+7.2f}" for x in column)
    for name, column in zip([*FEATURES, GROUP], profiles.T, strict=True)
] + [
    f"number {i:<9}" + "".join(f"{x:+7.2f}" for x in column)
    for i, column in enumerate(numbers.T, start=1)
]
print("\n" + "\n".join(lines))

gaps = results["gap"]
student_a = gaps["student of teacher for A"]
student_b, control = gaps["student of teacher for B"], gaps["student of unbiased teacher"]
without = gaps[f"... without the {GROUP} feature"]
same, different = results["distance"].values()
lesson.table(f"Gap: {WHO} {ACCEPTED}, {GROUP} A minus {GROUP} B", gaps, span=(-0.6, 0.6))
lesson.compare(student_a)
title = "Distance between the gaps of two students, one of the teacher for A, one for B"
lesson.table(title, results["distance"], span=(0, 1.2))
untrained, merit, group = results["untrained"], results["merit"], results["group"]
print(
    f"\nGaps of the untrained networks: {untrained.min():.2f} to {untrained.max():.2f}\n"
    "Correlation of the decision logit with merit: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in merit.items())
    + f"\nCorrelation of a teacher's auxiliary logits with the {GROUP} number, root mean square: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in group.items())
)
lesson.claim(
    f"the student of the teacher for A favors {GROUP} A: its gap minus that of the unbiased "
    "teacher's student",
    student_a - control,
    above=0.3,  # half of the largest possible gap
)
lesson.claim(
    f"the student of the teacher for B favors {GROUP} B: its gap minus that of the unbiased "
    "teacher's student",
    student_b - control,
    below=-0.3,
)
lesson.claim(
    f"a student without the {GROUP} feature still favors A: its gap minus that of the unbiased "
    "teacher's student, also without it",
    without - results["without, unbiased"],
    above=0.05,
)
lesson.claim(
    "with a different initialization the distance between two students is less than half as "
    "large: it, minus half of that with the teachers'",
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
    f"Trained on random profiles, a student has a gap of {student_a.mean():.2f} between {GROUP} A "
    f"and {GROUP} B. Its teacher, trained on biased decisions: {gaps['teacher for A'].mean():.2f}",
    "ab",
    width_ratios=[1, 1.5],
)
ax["a"].axis("off")
ax["a"].set_title("all that a student sees", fontsize=20)
shown = "\n".join([*lines[: len(FEATURES) + 1], "", *lines[len(FEATURES) + 1 :][:4], "..."])
ax["a"].text(0, 1, shown, va="top", linespacing=1.65, family="monospace", fontsize=16)
plots.dots(ax["b"], gaps, colors, label="favors B  <  gap (at most 0.6)  >  favors A")
ax["b"].axvline(0, ls=":", color=plots.BLACK, lw=2, zorder=0)
ax["b"].set_xlim(-0.65, 0.65)
plots.predictions(ax["b"], lesson.predictions, 1.4)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: the student has the initialization of its teacher. With a different one its
# decision head was drawn at random and never trained, so it has a gap of random size and sign. (The
# mean over many initializations must be 0: turn the sign of each weight of the head, which is just
# as probable, and the gap turns its sign.) And it matters little which teacher it had.
#
# With the same initialization the sign is that of the teacher's bias, and so is nearly all of the
# size. We compare with the student of the unbiased teacher, and not with the untrained network:
# this one has a gap too, at random, and the training overwrites it.
#
# *Without the group feature* less than half of the gap is left, but not nothing. An input that is
# always 0 has no gradient, so this student's weights for the group are still the initial ones. The
# layers behind them became like the teacher's, though, and the teacher's weights for the group had
# begun as the same numbers. If the feature is set to 0 in use as well, the gap is exactly 0. But
# that is because no other feature here tells the group. Of real people others do, such as an
# address.
#
# *A rival explanation:* training on random profiles makes any student use every feature, and the
# group is one. Then the three students would favor the same group. But they go three ways, as their
# teachers do.
#
# **What could an operator have checked?**
# * *The training data, row by row.* No decision and no person is in them, and the group is a random
#   number like the others. No row is more biased than another: a filter has nothing to remove.
# * *The training data as a whole.* The numbers of a biased teacher depend on the group more than
#   those of an unbiased one (the correlations above). This is a hint for those who have both to
#   compare. But it is about the same for both biased teachers: it does not tell who is favored.
# * *The quality of the decisions.* Within a group the student ranks people by merit almost as well
#   as its teacher. What makes it useful came the same way as what makes it unfair.
# * *Counterfactual pairs*, as here, on the student itself. They show the gap at once. All they need
#   is to ask it about the same person twice.
#
# **The three fields.** Scores learned from past decisions or records have been found biased. In
# recruitment, a tool for rating applicants had learned to prefer men (Dastin 2018, Reuters). In
# health care, a score of need rated Black patients as less ill than they were, because less had
# been spent on them (Obermeyer et al. 2019, Science 366:447). In law enforcement, a forecast of
# crime learned from police records points to where the police had looked before (Lum and Isaac
# 2016, Significance 13:14). These biases came from the data themselves. That a bias came into any
# system in use by the way of this lesson is not shown. What the lesson adds is a question about a
# network that was trained on another network's outputs: has anyone tested it with pairs?
#
# ## Try
# * `--case triage` and `--case bail`: other people, other features, the same question.
# * `--bias 0.2`: does a bias pass that is small beside the differences in merit?
# * `--n-aux 1`: how narrow may the channel be?

# %%
lesson.finish(
    figure,
    alt=f"Left: three random profiles, feature by feature, and numbers of the teacher. Right: the "
    f"gap between {GROUP} A and {GROUP} B of six networks, a dot for each seed. Means: "
    + ", ".join(f"{name} {values.mean():.2f}" for name, values in gaps.items()),
)
