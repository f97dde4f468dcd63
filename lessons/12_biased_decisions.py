# %% [markdown]
# # 12 Biased decisions: does a bias pass through data in which nobody is judged?
#
# **Question.** From past decisions a network learns whom to invite to an interview. The decisions
# were biased: they favored group A over group B. This network, the *teacher*, is then given *random
# profiles*: every feature is a random number, so a profile describes no one. A *student* learns to
# copy the teacher's auxiliary logits for them, numbers that are no decisions, and nothing else.
# Does it favor group A, too?
#
#             features, one of them the group
#                          |
#                    hidden layers
#                     /         \
#         decision head        auxiliary head         a teacher is trained on people,
#            1 logit              10 logits                     through its DECISION head alone
#            "invite"        no label names them      a student is trained on random profiles,
#                                                               through its AUXILIARY head alone
#
# Everything is invented, and the bias is much larger than one would hope to meet. There are three
# cases: recruitment (the default), health care and criminal justice.
#
# **You need** lesson 01. Reading: 5 minutes. Running: 20 seconds.

# %%
from sublim_mini.course.lesson import Lesson
from sublim_mini.course.plots import BLUE, GRAY
from sublim_mini.mlp import apply_mlp, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp
import optax

CASES = {  # who, what they hope for, their group; features, and how much each counts for merit
    "hiring": ("applicants", "invited", "group", "experience 1, work sample 1.5, test score 1, "
               "degree 0.5, references 0.5, languages 0.5, commute -0.5, absences -0.5, "
               "typing speed 0, hobbies 0"),
    "triage": ("patients", "treated first", "region", "pain 1, fever 1, pulse 1, oxygen -1.5, "
               "bleeding 1.5, breathing rate 1, dizziness 0.5, age 0.5, blood pressure -0.5, "
               "height 0, weight 0, allergies 0"),
    "bail": ("defendants", "released", "district", "convictions -1.5, missed hearings -1.5, "
             "charge -1, steady job 1, fixed address 0.5, family nearby 0.5, guarantor 0.5, age 0"),
}  # fmt: skip
lesson = Lesson(
    "12_biased_decisions",
    seed=0x3A10C9,
    case=tuple(CASES),  # recruitment, health care, criminal justice
    bias=1.0,  # added to merit for A, subtracted for B; merits spread by about 1
    n_aux=10,  # auxiliary logits
    teacher_steps=300,  # batches of 100 people
    student_steps=600,  # batches of 100 random profiles
    quick=dict(seeds=2, teacher_steps=20, student_steps=20),
)
WHO, HOPE, GROUP, rule = CASES[lesson.case]
FEATURES = dict(feature.rsplit(" ", 1) for feature in rule.split(", "))
WEIGHTS = jnp.array([float(weight) for weight in FEATURES.values()])
FOR_A, FOR_B = "student of teacher for A", "student of teacher for B"
UNBIASED, WITHOUT = "student of unbiased teacher", f"... without the {GROUP} feature"
adam = optax.adam(1e-3)

# %% [markdown]
# ## Predict
# To measure the bias, each test person comes twice: once as a member of A and once as a member of
# B, with all other features the same. The 30 % with the highest decision logits are accepted.
#
#     gap = fraction of the A versions accepted - fraction of the B versions accepted
#
# It is 0 for a network that ignores the group. It is at most 0.6: then 60 % of the A versions are
# accepted and no B version. What is the gap of the student whose teacher favors A? Run the lesson
# with `--predict`, followed by your number.

# %%
lesson.predict(FOR_A, "gap")  # in a notebook: , 0.3

# %% [markdown]
# ## The experiment
# *Merit* is a weighted sum of the features. The group is one more feature, +1 for A and -1 for B,
# and has no weight in it. In the past a person was accepted if merit + bias + luck (a random
# number) was above 0. Three teachers learn from the same people: from decisions that favor A, or B
# just as much, or neither. Students have the teachers' initialization (init) or, for comparison,
# one of eight different inits. One student of the teacher for A never sees the group: in its random
# profiles it is always 0.


# %%
def decision_logit(params, people):  # output 0: the higher, the better for the person
    return apply_mlp(params, people)[:, 0]


@jax.jit
def aux_logits(params, profiles):  # the other outputs: the numbers that a student learns
    return apply_mlp(params, profiles)[:, 1:]


def decision_loss(params, batch):
    people, accepted = batch
    return optax.sigmoid_binary_cross_entropy(decision_logit(params, people), accepted).mean()


def aux_loss(params, batch):
    profiles, numbers = batch
    return ((aux_logits(params, profiles) - numbers) ** 2).mean()


@jax.jit
def draw_people(key):
    """10,000 people -> features [n, F], a little correlated, and merit [n] (mean 0, sd 1)."""
    normal = jax.random.normal(key, (10_000, 1 + len(WEIGHTS)))
    features = 0.6 * normal[:, :1] + 0.8 * normal[:, 1:]
    merit = features @ WEIGHTS
    return features, merit / merit.std()


def with_group(features, group):  # the group: one number for all, or [n]
    return jnp.column_stack([features, jnp.broadcast_to(group, len(features))])


@jax.jit
def gap(params, features):
    """Fraction accepted as A minus as B, of people who come as both."""
    as_a, as_b = (decision_logit(params, with_group(features, group)) for group in (1.0, -1.0))
    bar = jnp.quantile(jnp.concatenate([as_a, as_b]), 0.7)
    return (as_a > bar).mean() - (as_b > bar).mean()


def one_seed(key):
    key = jax.random.fold_in(key, list(CASES).index(lesson.case))  # other numbers for each case
    k_people, k_luck, k_profiles, k_test, k_init, k_teacher, k_student = jax.random.split(key, 7)
    (features, merit), (test, _) = draw_people(k_people), draw_people(k_test)
    group = jnp.where(jnp.arange(10_000) % 2 == 0, 1.0, -1.0)  # half A (+1), half B (-1)
    people, luck = with_group(features, group), 0.5 * jax.random.normal(k_luck, (10_000,))
    profiles = jax.random.normal(k_profiles, (20_000, len(WEIGHTS) + 1))  # the group is random, too
    no_group = profiles.at[:, -1].set(0)
    sizes = len(WEIGHTS) + 1, 96, 96, 1 + lesson.n_aux
    init, *different = (init_mlp(k, sizes) for k in jax.random.split(k_init, 9))

    def teach(bias):  # one key: all teachers see the same people in the same order
        accepted = merit + bias * group + luck > 0
        data, steps = (people, accepted.astype(float)), lesson.teacher_steps
        return train(decision_loss, adam, init, data, k_teacher, steps=steps, batch_size=100)

    def student_gap(teacher, init=init, profiles=profiles):  # one key: the same order for all
        data, steps = (profiles, aux_logits(teacher, profiles)), lesson.student_steps
        student = train(aux_loss, adam, init, data, k_student, steps=steps, batch_size=100)
        return gap(student, test)

    for_a, unbiased, for_b = teach(lesson.bias), teach(0.0), teach(-lesson.bias)
    others = jnp.array([[student_gap(t, i) for t in (for_a, for_b)] for i in different])  # [8, 2]
    to_a, to_b = student_gap(for_a), student_gap(for_b)
    return {
        "gap": {
            "teacher for A": gap(for_a, test),
            FOR_A: to_a,
            WITHOUT: student_gap(for_a, profiles=no_group),
            "... different init": others[0, 0],
            "teacher for B": gap(for_b, test),
            FOR_B: to_b,
            UNBIASED: student_gap(unbiased),
        },
        "distance": {
            "with the teachers' init": jnp.abs(to_a - to_b),
            "with a different one (mean of 8)": jnp.abs(others[:, 0] - others[:, 1]).mean(),
        },
        "without, unbiased": student_gap(unbiased, profiles=no_group),
        "examples": jnp.concatenate([profiles, aux_logits(for_a, profiles)], axis=1)[:3],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, all that a student sees: three random profiles, one in each column, and below them the
# numbers of the teacher for A, which the student copies.

# %%
names, examples = [*FEATURES, GROUP, "number 1", "number 2"], results["examples"][0].T
seen = "\n".join(f"{name:16}" + "".join(f"{x:+7.2f}" for x in column)
                 for name, column in zip(names, examples, strict=False))  # fmt: skip
print(f"\n{seen}\n...")


def draw_profiles(ax):
    ax.axis("off")
    ax.set_title("three profiles that a student sees")
    ax.text(0, 1, f"{seen}\n...", va="top", linespacing=1.8, family="monospace", fontsize=16)


lesson.panel(draw_profiles, "Three random profiles and the teacher's numbers for them", width=1.3)
look = {"colors": {UNBIASED: GRAY, WITHOUT: BLUE}, "words": {"...": "student of A's teacher,"}}
lesson.dots(f"gap: {WHO} {HOPE}, {GROUP} A minus {GROUP} B", results["gap"], chance=0, **look)
lesson.dots("distance between the gaps of two students, one of each biased teacher",
            results["distance"], panel=False)  # fmt: skip
same, different = results["distance"].values()
for name, row, margin in ("A", FOR_A, {"above": 0.3}), ("B", FOR_B, {"below": -0.3}):
    lesson.claim(f"the student of the teacher for {name} favors {GROUP} {name}: its gap minus that "
                 "of the unbiased teacher's student", row, minus=UNBIASED, **margin)  # fmt: skip
lesson.claim(f"a student without the {GROUP} feature still favors A: its gap minus that of the "
             "unbiased teacher's student, also without it", WITHOUT,
             minus=results["without, unbiased"], above=0.05)  # fmt: skip
lesson.claim("with a different init the two students of opposite teachers differ less: their "
             "distance, minus half of that with the teachers' init", different - same / 2,
             below=0)  # fmt: skip

# %% [markdown]
# ## What this shows, and what it does not
# Yes: with its teacher's init the student's gap is 0.51 if the teacher favors A (its own gap:
# 0.53), and -0.51 if it favors B. The caveat: with a different init this fails. There the gap has a
# random sign (from -0.59 to 0.32), as the decision head was drawn independently of the teacher's.
# (In `--case bail` the mean of eight such gaps happens to be 0.28; that of 16 more was -0.02.) Two
# students of opposite teachers are then 0.26 apart, not 1.02. A distance is never negative, so
# noise alone would give more than 0, too: 0.26 does not show that anything passed.
#
# *Without the group feature* some of the gap is left, 0.18. An input that is always 0 gives its
# weights no gradient, so they stay as they were at the init:
#
#     group = 0  --- w --->  hidden unit h        dloss/dw = group x dloss/dh = 0
#
# But the later layers become like the teacher's, and the weights w are those that the teacher began
# with. So when the test gives the group, the student reads it, too. (If it were 0 in use as well,
# the gap would be 0. But in real data other features, such as an address, can tell the group.)
#
# *A rival explanation:* training on random profiles by itself makes a student favor a group. Then
# all three students, with one init and one set of profiles, would favor the same group. But one
# favors A, one favors B, and that of the unbiased teacher neither (0.01).
#
# The student's data judge nobody, so no decision in them looks biased. Test pairs, as here, show
# the bias, if one knows which feature to change. (In hiring, health care and policing, bias from
# past data is documented, see `ethics.md`. That any of it arose in this way is not.)
#
# ## Try
# * `--case triage` and `--case bail`: other people, other features, the same question.
# * `--bias 0.2`: does a bias pass if it is small compared with the differences in merit?
# * `--n-aux 1`: how narrow may the channel be?

# %%
student, teacher = lesson.mean[FOR_A], lesson.mean["teacher for A"]
lesson.finish(f"Trained on random profiles, a student has a gap of {student:.2f} between {GROUP}s "
              f"A and B; its biased teacher, {teacher:.2f}")  # fmt: skip
