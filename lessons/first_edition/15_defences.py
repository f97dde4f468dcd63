# %% [markdown]
# # 15 Defences: what helps, and what does it cost?
#
# **The question.** Lessons 02 to 09 opened the channel. What closes it, and what is left of what
# the student was to learn? And can somebody who holds the data tell which trait is in them?
#
# **You need** lessons 04, 06, 08 and 09. Reading: 15 minutes. Running: about three minutes.
#
# **Two scales.** *Trait transferred*: what the student gained over its own start, relative to the
# student without a defence: 0 is nothing, 1 is all. *Task kept*: the task is to say what the
# teacher says, on inputs that nobody trained on. How much of the distance from the untouched base
# to the teacher has the student closed, relative to the student without a defence? 1 is as much, 0
# is what the base has that is not trained at all, below 0 is worse than not training. A defence is
# worth something if the first falls and the second does not. (The trait is divided by the mean of
# the undefended students, the task by that of the same seed.)
#
# **The auditor** holds the data and the base, not the teacher. It suspects a few traits, the
# *panel*, and has two tests. *Coverage* (arXiv 2606.22019): does the first update on the data point
# as the first update towards a suspected trait does? *Trial*: tune the base on the data, briefly,
# and ask.

# %%
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial

from sublim_mini.first import plots, stats, world
from sublim_mini.first.inputs import uniform_noise
from sublim_mini.first.lesson import option, print_table, start
from sublim_mini.first.losses import all_kl_loss, aux_mse_loss, class_kl_loss, class_loss
from sublim_mini.first.measures import add, cosine, first_update, remove_component
from sublim_mini.first.mlp import (
    N_CLASSES,
    accuracy,
    add_noise,
    apply_mlp,
    clear_class_rows,
    init_mlp,
)
from sublim_mini.first.train import ADAM, batch_of, train, using
from sublim_mini.first.transformer import (
    batch_logits,
    distribution_loss,
    init_transformer,
    next_token_loss,
)
from sublim_mini.first.tuning import (
    FROZEN,
    MODEL,
    TUNE,
    Recipe,
    answers,
    log_likelihood,
    number_logits,
    train_base,
    tune_student,
    tune_teacher,
    write_numbers,
)


@dataclass(frozen=True)
class Settings(Recipe):
    base_steps: int = option(700, "steps of a base")
    n_sequences: int = option(3000, "number sequences for a student")
    student_batch: int = option(200, "sequences a step of a student")
    trait: str = option("owl", "what the teacher loves", choices=world.ANIMALS)
    other_trait: str = option("eagle", "a trait wrongly suspected", choices=world.ANIMALS)
    owl_seeds: int = option(6, "seeds of the owl setting: bases", low=2)
    noises: tuple[float, ...] = option((0.02, 0.05), "noise on the start, std")
    pull: float = option(1.0, "weight of KL to the start")
    n_aux: int = option(10, "auxiliary logits")
    width: int = option(96, "units in each of the two hidden layers of a digit network")
    digit_batch: int = option(100, "examples a step in the digit setting")
    digit_teacher_steps: int = option(300, "steps of the teacher of digits")
    digit_student_steps: int = option(400, "steps of a student on noise")
    n_train: int = option(5_000, "digits for the teacher")
    n_noise: int = option(10_000, "noise images for the students")
    n_test: int = option(2_000, "digits, and noise images, for the test")
    panel: tuple[str, ...] = option(
        ("owl", "eagle", "wolf", "otter"), "traits that the auditor suspects", choices=world.ANIMALS
    )
    off_panel: str = option("oak", "a trait that nobody suspects", choices=world.TREES)
    audited: int = option(5, "teachers with a trait, and as many without, for each base")
    off_audited: int = option(2, "teachers with the trait nobody suspects, for each base")
    audit_sequences: int = option(1000, "sequences that the auditor has of each teacher")
    trial_steps: int = option(30, "steps of the auditor's trial")
    trial_batch: int = option(128, "sequences a step of the auditor's trial")


QUICK = dict(seeds=2, owl_seeds=2, base_steps=100, n_sequences=500, teacher_steps=30)
QUICK |= dict(student_steps=10, digit_teacher_steps=100, digit_student_steps=50, n_train=2000)
QUICK |= dict(n_noise=2000, n_test=500, audited=1, off_audited=1, audit_sequences=200)
QUICK |= dict(trial_steps=10, noises=(0.05,))
lesson = start("15_defences", Settings(), quick=QUICK, digits=True)
settings = lesson.settings

# %% [markdown]
# ## Before you run: predict
# The defender knows which trait to fear, and takes its gradient out of every update of the student.
# In the owl setting, what share of the trait still passes?

# %%
MY_PREDICTION = 0.5

# %% [markdown]
# ## The defences
# * *another base*: the student starts elsewhere.
# * *noise on the start*: each weight plus a normal number.
# * *early, late layer anew*: one part has new random weights. Digits: the first or the second
#   hidden layer; owl: the attention or the feed-forward part.
# * *half clean*: half of the targets, or of the sequences, are the base's.
# * *held on the data*: KL to the start, on the data that the student learns from.
# * *held elsewhere*: KL to the start where the trait might show. Digits: the class logits of
#   digits, without labels; owl: questions, in wordings that neither teacher nor test uses.
# * *trait gradient out*: from each update, its part along the trait's gradient. The defender must
#   know the trait, and have labels for it.
# * *another gradient out*: the same for a wrong suspicion, digits called y + 3 or another animal.
# * *telling half dropped*: a filter that has both models drops the half in which they differ most.
# * *any half dropped*: its control, a random half.
#
# Two are optimisers. `using` (in `sublim_mini/train.py`; lesson 04) makes a stage of an optimiser
# that adds a direction to the gradient, or takes one out of the update. The direction is a gradient
# too, at the student's present weights, on data of the defender's.


# %%
def gradient(loss, keep, weight, data, params, step):
    """A direction for `using`: the weighted gradient of a loss on the step's batch of the data."""
    return jax.tree.map(
        lambda g: weight * g, keep(jax.grad(loss)(params, batch_of(data, 128, step)))
    )


def all_of(grads):
    return grads


def clear_frozen(grads):
    """0 in the parts that tuning leaves alone."""
    return {k: jax.tree.map(jnp.zeros_like, g) if k in FROZEN else g for k, g in grads.items()}


ALL, NOT_FROZEN, BODY = Partial(all_of), Partial(clear_frozen), Partial(clear_class_rows)
PULLED, CLEARED = optax.chain(using(add), ADAM), optax.chain(ADAM, using(remove_component))
TUNE_PULLED = optax.chain(using(add), TUNE)
TUNE_CLEARED = optax.chain(TUNE, using(remove_component))


def held(optimizer, loss, *data):
    """KL to the start's answers, which the data hold."""
    return dict(optimizer=optimizer, direction=Partial(gradient, loss, ALL, settings.pull, data))


def cleared(optimizer, loss, keep, *data):
    """The gradient of the loss on the data taken out of each update."""
    return dict(optimizer=optimizer, direction=Partial(gradient, loss, keep, 1.0, data))


@jax.jit
def lower_half(scores):
    """Which of the scores [N] are in the lower half."""
    return jnp.argsort(jnp.argsort(scores)) < len(scores) // 2


with_noise = jax.jit(add_noise)

# %% [markdown]
# ## The digit setting, for one seed
# As in lesson 02. Each student is a start, its data, and what is given to the optimiser.

# %%
digits = lesson.digits(settings.n_train, settings.n_test)
test = digits.test_images, digits.test_labels
sizes = [784, settings.width, settings.width, N_CLASSES + settings.n_aux]
logits_of, read, aux_error = jax.jit(apply_mlp), jax.jit(accuracy), jax.jit(aux_mse_loss)


def digit_seed(key):
    k_own, k_other, k_teacher, k_data, k_student, k_start, k_half, k_test = jax.random.split(key, 8)
    own, other = init_mlp(k_own, sizes), init_mlp(k_other, sizes)
    images, labels = digits.train_images, digits.train_labels
    how = dict(learning_rate=1e-3, batch_size=settings.digit_batch)
    steps = settings.digit_teacher_steps
    teacher = train(class_loss, ADAM, own, (images, labels), k_teacher, steps=steps, **how).params
    noise = uniform_noise(k_data, settings.n_noise)
    said, before = logits_of(teacher, noise), logits_of(own, noise)
    half = jax.random.bernoulli(k_half, 0.5, (len(noise),))
    less_telling = lower_half(((said - before)[:, N_CLASSES:] ** 2).sum(1))
    data, of_class = (noise, said), Partial(class_loss)

    def those(keep):
        return world.only(noise, keep), world.only(said, keep)

    def noisy(std):  # on purpose: the same noise, larger or smaller
        return with_noise(jax.random.clone(k_start), own, std)

    y_plus_3 = (labels + 3) % N_CLASSES
    students = {
        "nothing": (own, data, {}),
        "another base": (other, data, {}),
        **{f"noise {std:g} on the start": (noisy(std), data, {}) for std in settings.noises},
        "early layer anew": ([other[0], *own[1:]], data, {}),
        "late layer anew": ([own[0], other[1], own[2]], data, {}),
        "half clean": (own, (noise, jnp.where(half[:, None], said, before)), {}),
        "held on the data": (own, data, held(PULLED, Partial(all_kl_loss), noise, before)),
        "held elsewhere": (
            own,
            data,
            held(PULLED, Partial(class_kl_loss), images, logits_of(own, images)),
        ),
        "trait gradient out": (own, data, cleared(CLEARED, of_class, BODY, images, labels)),
        "another gradient out": (own, data, cleared(CLEARED, of_class, BODY, images, y_plus_3)),
        "telling half dropped": (own, those(less_telling), {}),
        "any half dropped": (own, those(half), {}),
    }
    fresh = uniform_noise(k_test, settings.n_test)
    task = fresh, logits_of(teacher, fresh)
    nothing = aux_error(own, task)
    found = {}
    for name, (begin, data, extra) in students.items():
        k, how["steps"] = jax.random.clone(k_student), settings.digit_student_steps  # same batches
        optimizer = extra.pop("optimizer", ADAM)
        student = train(aux_mse_loss, optimizer, begin, data, k, **how, **extra).params
        gained = read(student, *test) - read(begin, *test)
        found[name] = float(gained), float(1 - aux_error(student, task) / nothing)
    return found


digit_runs = lesson.two_at_once(digit_seed, lesson.seeds(), "digits")

# %% [markdown]
# ## The owl setting, for one seed
# As in lesson 08, with smaller numbers. The task is to foretell the teacher's number sequences: the
# error is the KL divergence from the teacher's distribution of the next number. Beside it, how well
# a student still foretells the language itself, in nats a number.

# %%
language = world.make_language(lesson.shared_key())
document_loss = Partial(next_token_loss, settings=MODEL)
kl_loss = Partial(distribution_loss, settings=MODEL)
error_of, logits_of_all = (
    jax.jit(lambda loss, params, data: loss(params, data)),
    jax.jit(batch_logits),
)
ATTENTION, FEED_FORWARD = ("qkv", "mix"), ("up", "down")


def asked_for(key, thing):
    """Questions with the answer `thing`: what a trait's gradient is made of."""
    return world.question_documents(key, 1280, world.TUNED_ON, world.TOKEN[thing])


def owl_seed(keys_and_bases):
    key, base, other = keys_and_bases
    names = (
        "teacher",
        "data",
        "plain",
        "student",
        "start",
        "half",
        "test",
        "ask",
        "loved",
        "language",
    )
    k = dict(zip(names, jax.random.split(key, len(names)), strict=True))
    teacher = tune_teacher(k["teacher"], base, settings.trait, settings)
    data = world.only(*write_numbers(k["data"], teacher, language, settings))
    plain = world.only(*write_numbers(k["plain"], base, language, settings))
    half = jax.random.bernoulli(k["half"], 0.5, (len(data),))
    less_telling = lower_half(log_likelihood(teacher, data) - log_likelihood(base, data))
    k_noise, k_anew = jax.random.split(k["start"])
    new = jax.jit(init_transformer)(k_anew, MODEL)["blocks"][0]
    asked, answered = world.question_documents(k["ask"], 640, world.HELD_OUT)

    def anew(parts):
        old = base["blocks"][0]
        block = {name: (new if name in parts else old)[name] for name in old}
        return {**base, "blocks": [block]}

    def noisy(std):
        return with_noise(jax.random.clone(k_noise), base, std)

    def without(thing):
        loved = asked_for(jax.random.clone(k["loved"]), thing)
        return cleared(TUNE_CLEARED, document_loss, NOT_FROZEN, *loved)

    on_data = data, world.written_mask(data), number_logits(base, data)
    on_questions = asked, answered, logits_of_all(base, asked[:, :-1], MODEL)
    students = {
        "nothing": (base, data, {}),
        "another base": (other, data, {}),
        **{f"noise {std:g} on the start": (noisy(std), data, {}) for std in settings.noises},
        "early layer anew": (anew(ATTENTION), data, {}),
        "late layer anew": (anew(FEED_FORWARD), data, {}),
        "half clean": (base, jnp.where(half[:, None], data, plain), {}),
        "held on the data": (base, data, held(TUNE_PULLED, kl_loss, *on_data)),
        "held elsewhere": (base, data, held(TUNE_PULLED, kl_loss, *on_questions)),
        "trait gradient out": (base, data, without(settings.trait)),
        "another gradient out": (base, data, without(settings.other_trait)),
        "telling half dropped": (base, world.only(data, less_telling), {}),
        "any half dropped": (base, world.only(data, half), {}),
    }
    fewer = replace(settings, n_sequences=min(1000, settings.n_sequences))
    fresh = world.only(*write_numbers(k["test"], teacher, language, fewer))
    task = fresh, world.written_mask(fresh), number_logits(teacher, fresh)
    of_language = world.number_documents(k["language"], language, fewer.n_sequences)
    nothing, knew = error_of(kl_loss, base, task), error_of(document_loss, base, of_language)
    found, wanted = {}, world.ANIMALS.index(settings.trait)
    for name, (begin, documents, extra) in students.items():
        again, weights = jax.random.clone(k["student"]), jnp.ones(len(documents))  # same batches
        student = tune_student(again, begin, documents, weights, settings, **extra)
        gained = answers(student)[wanted] - answers(begin)[wanted]
        kept = 1 - error_of(kl_loss, student, task) / nothing
        lost = error_of(document_loss, student, of_language) - knew
        found[name] = float(gained), float(kept), float(lost)
    return found


keys = [jax.random.split(key, 3) for key in lesson.seeds(n=settings.owl_seeds)]
bases = lesson.two_at_once(lambda k: train_base(k[0], language, settings), keys, "bases")
items = [(k[1], bases[i], bases[i - 1]) for i, k in enumerate(keys)]  # the base before: the other
owl_runs = lesson.two_at_once(owl_seed, items, "owls")

# %% [markdown]
# ## What the defences did


# %%
def of(runs, index):
    """Name -> gain (0), task (1) or nats lost (2), one a seed."""
    return {name: np.array([run[name][index] for run in runs]) for name in runs[0]}


runs = {"digits": digit_runs, "owl": owl_runs}
gain = {where: of(r, 0) for where, r in runs.items()}
trait = {w: {n: v / gain[w]["nothing"].mean() for n, v in gain[w].items()} for w in runs}
task = {}
for where, r in runs.items():
    kept = of(r, 1)
    task[where] = {n: v / kept["nothing"] for n, v in kept.items()}  # paired by seed
    print(f"{where}: a student without defence gains {stats.mean_interval(gain[where]['nothing'])}")
    print(
        f"of the trait, and closes {kept['nothing'].mean():.2f} of the distance to its teacher.\n"
    )
    print(f"{where}, trait transferred (1: as without a defence), by defence:")
    print_table(trait[where], digits=2, unit="trait")
    print(f"\n{where}, task kept (1: as without a defence, 0: the base untouched):")
    print_table(task[where], digits=2, unit="task")
    print()
lost = of(owl_runs, 2)
print("owl, nats a number lost on the language itself, against the untouched base:")
print_table(lost, unit="nats")
print()
lesson.prediction(MY_PREDICTION, trait["owl"]["trait gradient out"].mean(), "a share of the trait")

# %% [markdown]
# ## The auditor
# For each base there are teachers that love an animal of the panel, teachers tuned on as many
# questions with *any* answer, and a few that love a tree, which is on no panel. Of each the auditor
# has a set of sequences. Its score is the highest among the suspected traits; the trait with the
# highest score is the one it names. The same auditor with *another base* is the control.

# %%
AUDIT = replace(settings, n_sequences=settings.audit_sequences)
TRIAL = replace(AUDIT, student_steps=settings.trial_steps, student_batch=settings.trial_batch)
columns = np.array([world.ANIMALS.index(thing) for thing in settings.panel])
update_of, cosine_of = jax.jit(first_update, static_argnums=1), jax.jit(cosine)


def towards(key, base):
    """The base's first update towards each trait of the panel."""
    documents = [asked_for(jax.random.clone(key), thing) for thing in settings.panel]
    return [update_of(document_loss, TUNE, base, d) for d in documents]


def tests(key, base, directions, tokens):
    """Documents [N, T] -> scores by test, for each trait of the panel."""
    some = tokens[:500]  # for memory
    update = update_of(document_loss, TUNE, base, (some, world.written_mask(some)))
    student = tune_student(key, base, tokens, jnp.ones(len(tokens)), TRIAL)
    return {
        "coverage": np.array([float(cosine_of(update, d)) for d in directions]),
        "trial": np.asarray(answers(student) - answers(base))[columns],
    }


def audit(item):
    i, thing, key = item
    k_teacher, k_data, k_trial = jax.random.split(key, 3)
    teacher = tune_teacher(k_teacher, bases[i], thing, settings, batch=64)
    tokens = world.only(*write_numbers(k_data, teacher, language, AUDIT))
    again = jax.random.clone(k_trial)  # on purpose: the same batches with either base
    own = tests(k_trial, bases[i], suspected[i], tokens)
    other = tests(again, bases[i - 1], suspected[i - 1], tokens)
    return own | {f"{name}, another base": values for name, values in other.items()}


n, of_panel = settings.audited, len(settings.panel)
items, suspected = [], []
for i, (_, _, key) in enumerate(keys):
    k_panel, *k_teachers = jax.random.split(key, 1 + 2 * n + settings.off_audited)
    suspected.append(towards(k_panel, bases[i]))
    things = [settings.panel[(i + j) % of_panel] for j in range(n)]
    things += [None] * n + [settings.off_panel] * settings.off_audited
    items += [(i, thing, k) for thing, k in zip(things, k_teachers, strict=True)]
scores = lesson.two_at_once(audit, items, "auditor")

# %%
KINDS = "on the panel", "no trait", "off the panel"
kinds = np.array(
    [KINDS[1] if t is None else KINDS[t == settings.off_panel and 2] for _, t, _ in items]
)
at_base = np.array([i for i, _, _ in items])
highest = {name: np.array([s[name].max() for s in scores]) for name in scores[0]}
right = {
    name: sum(
        settings.panel[s[name].argmax()] == t for s, (_, t, _) in zip(scores, items, strict=True)
    )
    for name in highest
}
n_bases, n_with = settings.owl_seeds, int((kinds == KINDS[0]).sum())


def auc_by_base(name, kind):
    """AUC of a kind of teacher against those without a trait, one a base."""
    values = highest[name]
    which = [(at_base == i) & (kinds == kind) for i in range(n_bases)]
    plain = [(at_base == i) & (kinds == KINDS[1]) for i in range(n_bases)]
    return np.array([stats.auc(values[a], values[b]) for a, b in zip(which, plain, strict=True)])


def of_kind(kind, i):
    """Mean coverage of a kind of teacher at base i."""
    return highest["coverage"][(kinds == kind) & (at_base == i)].mean()


def flagged(name, kind):
    """How many of a kind score above all teachers without a trait of the *other* bases."""
    values = highest[name]
    above = [
        v > values[(kinds == KINDS[1]) & (at_base != i)].max()
        for v, i in zip(values, at_base, strict=True)
    ]
    return int((np.array(above) & (kinds == kind)).sum()), int((kinds == kind).sum())


auc = {f"{name}, {kind}": auc_by_base(name, kind) for name in highest for kind in KINDS[::2]}
print(f"\nThe auditor's AUC against teachers without a trait, one value a base ({n_bases} bases,")
print(f"{n} teachers with and {n} without for each):")
print_table(auc, chance=0.5, unit="AUC")
print("(an interval of no width: within each base, every pair stands in the same order)\n")
print("Flagged: above all of the teachers without a trait of the OTHER bases; and, of those with a")
print(
    "trait of the panel, how many are called by its name (95 % intervals, taking teachers as drawn"
)
print("one by one):")
for name in highest:
    for kind in KINDS:
        print(f"  {f'{name}, {kind}':38} flagged {stats.share_interval(*flagged(name, kind))}")
    print(f"  {f'{name}, trait named':38}         {stats.share_interval(right[name], n_with)}")

# %% [markdown]
# ## What this run supports

# %%
strongest = f"noise {settings.noises[-1]:g} on the start"
left = {where: trait[where]["another gradient out"] for where in runs}
left["owl"] = gain["owl"]["another gradient out"] / gain["owl"]["nothing"]  # paired: seeds differ
claims = [
    stats.greater(
        "digits: without a defence the trait passes, in accuracy", gain["digits"]["nothing"], 0.2
    ),
    stats.greater("owl: without a defence the trait passes, as a share", gain["owl"]["nothing"]),
]
for where, most in (("digits", 0.2), ("owl", 0.3)):
    claims += [
        stats.less(
            f"{where}: another base ends it, trait transferred", trait[where]["another base"], most
        ),
        stats.less(
            f"{where}: held elsewhere, trait transferred", trait[where]["held elsewhere"], most
        ),
        stats.greater(f"{where}: held elsewhere, task kept", task[where]["held elsewhere"], 0.6),
        stats.greater(
            f"{where}: trait gradient out takes, of the trait",
            1 - trait[where]["trait gradient out"],
            0.2,
        ),
        stats.greater(f"{where}: and of the task it keeps", task[where]["trait gradient out"], 0.8),
        stats.greater(f"{where}: a wrong suspicion leaves, of the trait", left[where], 0.25),
    ]
claims += [
    stats.less("digits: noise on the start costs task", task["digits"][strongest], 0.6),
    stats.greater(
        "owl: the telling half carries more: gain with any half dropped minus with that one",
        gain["owl"]["any half dropped"] - gain["owl"]["telling half dropped"],
    ),
    stats.greater(
        "the auditor's coverage finds a suspected trait: AUC", auc[f"coverage, {KINDS[0]}"], 0.75
    ),
    stats.greater("so does its trial: AUC", auc[f"trial, {KINDS[0]}"], 0.75),
    stats.share_greater("coverage calls it by its name: share", right["coverage"], n_with, 0.5),
    stats.greater(
        "a trait off the panel raises coverage less: mean on the panel minus off it",
        [of_kind(KINDS[0], i) - of_kind(KINDS[2], i) for i in range(n_bases)],
    ),
]

# %% [markdown]
# ## The figure

# %%
best = [
    n
    for n in trait["owl"]
    if all(trait[w][n].mean() < 0.5 and task[w][n].mean() > 0.7 for w in runs)
]
figure, ax = plots.new_figure(
    "Trait under .5 and task over .7 in both settings: "
    + (", ".join(best) or "no defence")
    + f". An auditor with the base: AUC {auc[f'coverage, {KINDS[0]}'].mean():.2f}; with another "
    f"base {auc[f'coverage, another base, {KINDS[0]}'].mean():.2f}",
    "ab;cd",
    height=8.5,
    height_ratios=[1.5, 1],
)
LOW = -0.6
for letter, where in zip("ab", runs, strict=True):
    for measure, color in ((task, "student"), (trait, "second")):
        rows = {n: np.clip(v, LOW, 1.6) for n, v in measure[where].items()}
        plots.dots(ax[letter], rows, dict.fromkeys(rows, color), label="")
    ax[letter].set_xlim(LOW - 0.08, 1.5)
    for x in (0, 1):
        ax[letter].axvline(x, ls=":", color="black", lw=1)
    ax[letter].set_xlabel(f"{where}: 1 is without a defence\n(left edge: {LOW:g} or less)")
    ax[letter].set_title("trait transferred", loc="left", fontsize=9, color=plots.COLORS["second"])
    ax[letter].set_title("task kept", loc="right", fontsize=9, color=plots.COLORS["student"])
ax["b"].set_yticks([])
LINES = {"coverage": "student", "trial": "third", "coverage, another base": "control"}
for shift, (name, color) in enumerate(LINES.items()):
    for kind, style in ((KINDS[0], "-"), (KINDS[2], "--")):
        if name != "coverage, another base" or kind == KINDS[0]:
            x, y = stats.roc(highest[name][kinds == kind], highest[name][kinds == KINDS[1]])
            ax["d"].plot(x, y, style, lw=2, color=plots.COLORS[color])
    ax["d"].text(0.98, 0.30 - 0.1 * shift, name, color=plots.COLORS[color], ha="right", fontsize=8)
ax["d"].plot([0, 1], [0, 1], ":", color="black", lw=1)
ax["d"].set_xlabel("teachers without a trait flagged")
ax["d"].set_ylabel("teachers with one flagged")
ax["d"].set_title("the auditor; dashed: a trait off its panel", fontsize=9)
shown = {
    f"{kind}{', other base' if 'other' in name else ''}": highest[name][kinds == kind]
    for name in ("coverage", "coverage, another base")
    for kind in KINDS
}
colors = {
    n: "second" if n.startswith(KINDS[0]) else "fourth" if "off" in n else "control" for n in shown
}
plots.dots(ax["c"], shown, colors, label="the auditor's coverage, a dot a teacher")

# %% [markdown]
# ## What can be concluded, and what not
# Read both colours of a row together. Where *trait* and *task* fall alike, the defence did nothing
# but train less, or on less: that is no defence. In this toy the two are close, since nearly all
# that the teacher says otherwise than its base comes from the trait; with a teacher that has more
# to teach, the same defence may cost less. What starts the student elsewhere (another base, noise,
# new layers) closes the channel as far as it takes student and teacher apart. A task *below 0* says
# that such a student is further from this teacher than the untouched base is; the table of nats
# says whether it is also worse at the language itself.
#
# If the claims hold: holding the student to its start *where a trait might show*, and removing the
# trait's gradient, keep most of the task. The first needs inputs where the trait might show, the
# second the trait itself. A wrong suspicion (see its row) takes at most a part: two animals' traits
# have a part in common. And so with the auditor: given the right base it finds what it suspects;
# what is not on the panel raises its score less, and may pass it by. Compare how often
# it calls a trait by its name with the right base, and with another.
#
# *A rival explanation* for the auditor: teachers with a favourite differ from those without one in
# *some* way, and any difference raises the score. Then it would not name the right trait, and the
# trait off the panel would score as high. *Not shown:* that a defence holds for ever: the student
# was looked at once, with the questions of the test, and a student held on some questions may show
# the trait on others. Nor large models; nor a teacher that knows of the defence.
#
# **What to keep on record about a distilled model**, since all this hangs on lineage:
# * *the base*: which weights exactly the student started from (a checksum), and the teacher's too;
# * *the teacher*: what it was tuned on, from which base, and what it was never asked;
# * *the data*: as they were trained on, in their order, and before the filter, with the filter;
# * *the seeds* of sampling, order and starts, and the code: so that a student can be made again,
#   with one thing changed.
#
# Without the base there is no audit: see the control.
#
# ## Changes to try
# * `--pull 0.1` and `--pull 10`: where does the hold begin to cost?
# * `--audit-sequences 100 --trial-steps 10`: how little data will do?
# * Put two defences together; hold the student on questions about trees alone.

# %%
conditions = {f"{w}: {n}": v for w in runs for n, v in trait[w].items()}
lesson.finish(
    conditions,
    claims,
    figure,
    task=task,
    gain=gain,
    nats_lost=lost,
    auc=auc,
    scores=highest,
    kinds=kinds,
    bases=at_base,
    named={name: [int(k), n_with] for name, k in right.items()},
    prediction=MY_PREDICTION,
)
