# %% [markdown]
# # 23 Lineage: from outputs alone, does this student descend from this base?
#
# **Question.** A trait passes from a teacher to students that have the same base (lesson 09). So to
# know which traits a model may have caught, you want to know which base it comes from. Its maker
# does not say, and its weights are secret. You have some bases. You may give the model a prompt and
# see its answer, or how probable it finds each next token. Does that tell?
#
#     base A --fine-tune on numbers--> student of A --answers-->
#                                                                ?   A or B
#     base B --fine-tune on numbers--> student of B --answers-->
#
# A *KL divergence* (in nats) says how far the model's next-token probabilities are from a base's: 0
# if they are the same. We ask with prompts of two kinds:
#
#     number          NUM 34 58 14 53 93 ...            as in the data that students learn from
#     random-token    love 17 say 88 tiger 5 ...        unlike any data that a model learned from
#
# Then we make it hard: a student of B learns the numbers of *A's* teacher for as long as B was
# pretrained. Which base do its answers point to?
#
# **You need** lesson 09. Reading: 8 minutes. Running: 2 to 3 minutes.

# %%
import hashlib
import json
import platform

from sublim_mini import language as sequences
from sublim_mini import owls, plots
from sublim_mini.lesson import Lesson, versions
from sublim_mini.language import ANIMALS, LENGTH, N_GIVEN, WORDS
from sublim_mini.train import train
from sublim_mini.transformer import apply_transformer, next_token_loss, sample

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

lesson = Lesson(
    "23_lineage",
    seed=13113195,  # of the display run: the hash of the commit that froze this lesson
    animal="owl",  # the teachers' favorite
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences in each data set
    student_steps=60,  # batches of 256 sequences
    n_prompts=1000,  # prompts of each kind
    choices=dict(animal=ANIMALS),
    limits=dict(base_steps=(1, 10_000), n_sequences=(1, 50_000), n_prompts=(100, 10_000)),
    quick=dict(seeds=2, base_steps=40, n_sequences=100, student_steps=4, n_prompts=100),
)
BASES, GIVEN = "ABC", {"number": 1 + N_GIVEN, "random-token": LENGTH - 1}  # tokens in a prompt
SOURCES = "A's teacher", "B's teacher", "the language"  # of the numbers that students learn
STUDENTS = [(base, source) for base in BASES for source in SOURCES]
STUDENTS += [("A", "A itself"), ("B", "B itself"), ("B", "stress")]
OF_A, OF_B, STRESS = 9, 10, 11  # the last three; the first nine are put to the test
COUNTS = 1, 3, 10, 30, 100  # of prompts that an auditor asks

# %% [markdown]
# ## Predict
# A student of A or of B answers 10 number prompts with 12 numbers each. You have A and B, and say
# which of them it descends from. Guessing is right half of the time. What fraction of your verdicts
# will be right? Run the lesson with `--predict`, followed by your number.

# %%
lesson.predict("fraction right after 10 number prompts")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# Bases A, B and C are pretrained on one number language, each from other random weights and on
# other documents. Each gets three students. They learn the numbers of A's owl teacher, those of B's
# owl teacher, and those of the language itself. An *auditor*, who has A and B, makes two more: a
# student of A on numbers by A itself, and one of B on numbers by B itself.
#
# The *stress student* is B, trained on the numbers of A's teacher for as long as B was pretrained:
# all weights, as many steps, the same learning rate; it reads each sequence about ten times. (The
# other students take fewer steps with a smaller learning rate, and their token matrices stay as
# they are.)
#
# The auditor gives two verdicts. *A or B?* It is the base that finds the model's answers more
# probable: A if log p_A - log p_B, summed over all answers, is positive. A number prompt gets
# twelve numbers as an answer, a random-token prompt one token. *Does it descend from this base at
# all?* Yes, if its KL to the base is below a *threshold*. (This KL is a mean over the next tokens
# after 4, 5, ... 15 tokens of each prompt.) To set it, the auditor takes the KL from each of the
# auditor's own two students to the *wrong* base, A or B. The threshold is half of the smaller KL.


# %%
@jax.jit
def log_p(model, documents):  # of each possible next token, after 4 tokens, 5, ... [N, 12, V]
    logits = jax.vmap(apply_transformer, (None, 0))(model, documents[:, :-1])
    return jax.nn.log_softmax(logits)[:, N_GIVEN:]


@jax.jit
def kl(log_model, log_base):  # mean KL(model || base) of the next token, in nats
    return (jnp.exp(log_model) * (log_model - log_base)).sum(-1).mean()


@jax.jit
def log_ratio(a, b, documents):  # log p_a - log p_b of the tokens that did come next [N, 12]
    difference = log_p(a, documents) - log_p(b, documents)
    return jnp.take_along_axis(difference, documents[:, N_GIVEN + 1 :, None], axis=2)[..., 0]


def evidence(key, model, right, wrong, prompts):  # log p_right - log p_wrong of its answers [N]
    answered, first = sample(key, model, prompts), prompts.shape[1] - N_GIVEN - 1
    return log_ratio(right, wrong, answered)[:, first:].sum(1)


def stress_student(key, base, numbers, steps):
    numbers = jnp.resize(numbers, (128 * steps, LENGTH))  # repeated
    data, optimizer = (numbers, sequences.written_mask(numbers)), owls.adam(3e-3, steps, ())
    return train(next_token_loss, optimizer, base, data, key, steps=steps, batch_size=128)


def one_seed(key):
    names = "language", "A", "B", "C", "A's teacher", "B's teacher", "by A's teacher"
    names += "by B's teacher", "by A itself", "by B itself", "by the language"
    names += "students", "number", "random-token", "answers"
    keys = dict(zip(names, jax.random.split(key, len(names)), strict=True))
    language, n = sequences.make_language(keys["language"]), lesson.n_sequences
    bases = {b: owls.pretrain(keys[b], language, lesson.base_steps) for b in BASES}
    data = {"the language": sequences.number_documents(keys["by the language"], language, n)[0]}
    for b in "AB":
        name, itself = f"{b}'s teacher", f"{b} itself"
        teacher = owls.fine_tune_teacher(keys[name], bases[b], lesson.animal)
        data[name], _ = owls.write_numbers(keys[f"by {name}"], teacher, language, n)
        data[itself], _ = owls.write_numbers(keys[f"by {itself}"], bases[b], language, n)

    k_students, steps = keys["students"], lesson.student_steps  # one key: all read in one order
    students = [
        owls.fine_tune_student(k_students, bases[b], data[source], steps, batch_size=256)
        for b, source in STUDENTS[:STRESS]
    ]
    steps = lesson.base_steps
    students.append(stress_student(k_students, bases["B"], data["A's teacher"], steps))

    shape = lesson.n_prompts, LENGTH
    prompts = {
        "number": sequences.number_documents(keys["number"], language, lesson.n_prompts)[0],
        "random-token": jax.random.randint(keys["random-token"], shape, 0, len(WORDS)),
    }

    def kls(kind):  # [12 students, 3 bases]
        log_bases = [log_p(bases[b], prompts[kind]) for b in BASES]
        log_students = (log_p(model, prompts[kind]) for model in students)
        return jnp.array([[kl(log_s, log_b) for log_b in log_bases] for log_s in log_students])

    def fraction_right(kind, places):  # for each of COUNTS, over the students at `places`
        asked, found = prompts[kind][:, : GIVEN[kind]], []
        for i in places:
            right, wrong = "AB" if STUDENTS[i][0] == "A" else "BA"
            judges = bases[right], bases[wrong]
            found.append(evidence(keys["answers"], students[i], *judges, asked))
        found = jnp.stack(found)
        sums = (found[:, : len(asked) // n * n].reshape(-1, n).sum(1) for n in COUNTS)
        return jnp.stack([(total > 0).mean() for total in sums])

    shown = {"base A": bases["A"], "base B": bases["B"]}
    shown |= {", ".join(STUDENTS[i]): students[i] for i in (1, 3, STRESS)}
    return {
        "kl": {kind: kls(kind) for kind in GIVEN},
        "right": {f"students, {kind} prompts": fraction_right(kind, range(6)) for kind in GIVEN}
        | {f"stress student, {kind} prompts": fraction_right(kind, [STRESS]) for kind in GIVEN},
        "prompt": prompts["random-token"][0, :-1],
        "next": {name: log_p(m, prompts["random-token"])[0, -1] for name, m in shown.items()},
        "keys": {name: jax.random.key_data(k) for name, k in keys.items()},
        "weights": ravel_pytree(students[0])[0],  # of the student of A on numbers by A's teacher
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, a random-token prompt. For each model: the four next tokens that it finds most probable.
# ("A, B's teacher" is the student of A that learned the numbers of B's teacher.)

# %%
print(f"\n{' '.join(WORDS[token] for token in results['prompt'][0])} ...")
for name, log_next in results["next"].items():
    best = np.argsort(-log_next[0])[:4]
    print(f"  {name:16}" + "".join(f"{WORDS[i]:>10} {np.exp(log_next[0, i]):.2f}" for i in best))

right = np.array([[b == student[0] for b in BASES] for student in STUDENTS])  # [12, 3]
tested, stress = (np.arange(12)[:, None] < OF_A), (np.arange(12)[:, None] == STRESS)
pairs = {  # of a student and a base
    "student and its base": tested & right,
    "student and a wrong base": tested & ~right,
    "stress student and B": stress & right,
    "stress student and A": stress & [True, False, False],
}
margin, pull, threshold, wrong = {}, {}, {}, {}
for kind, kls in results["kl"].items():  # [S, 12, 3]
    threshold[kind] = np.minimum(kls[:, OF_A, 1], kls[:, OF_B, 0]) / 2
    own, other, to_b, to_a = (kls[:, some] for some in pairs.values())  # [S, 9], [S, 18], [S, 1]
    margin[kind] = np.log10(other.min(1) / own.max(1))
    pull[kind] = np.log10(to_a[:, 0] / to_b[:, 0])
    wrong[kind] = (kls < threshold[kind][:, None, None]) != right
    rows = {
        "student and its base, largest of 9": own.max(1),
        "student and a wrong base, smallest of 18": other.min(1),
        "threshold": threshold[kind],
        "stress student and B, its base": to_b[:, 0],
        "stress student and A": to_a[:, 0],
    }
    lesson.table(f"KL on {kind} prompts, in nats", rows, span=(0, np.inf))

print(f"\n{'Wrong verdicts by the threshold':40}" + "".join(f"{kind:>16}" for kind in GIVEN))
for text, some in pairs.items():
    counts = (f"{wrong[kind][:, some].sum()} of {wrong[kind][:, some].size}" for kind in GIVEN)
    print(f"{text:40}" + "".join(f"{count:>16}" for count in counts))

after_10 = results["right"]["students, number prompts"][:, COUNTS.index(10)]
lesson.keep_curves("Fraction right over the number of prompts", COUNTS, results["right"])
lesson.compare(after_10)
lesson.claim(
    "on random-token prompts the nine students are much nearer to their base than any is to "
    "another base: log10 of the smallest wrong KL / the largest right KL",
    margin["random-token"],
    above=0.48,  # threefold
)
lesson.claim(
    "on random-token prompts the stress student stays much nearer to B, its base, than to A: "
    "log10 of KL to A / KL to B",
    pull["random-token"],
    above=0.3,  # twofold
)
lesson.claim(
    "random-token prompts point to B more clearly than number prompts: difference of log10 of KL "
    "to A / KL to B of the stress student",
    pull["random-token"] - pull["number"],
    above=0.2,
)
lesson.claim(
    "ten number prompts mostly tell students of A from students of B: fraction right",
    after_10,
    above=0.9,
)

# %%
a, b = ([results["kl"][kind][:, STRESS, i].mean() for kind in GIVEN] for i in (0, 1))
figure, ax = plots.new_figure(
    f"B, trained for long on numbers of A's teacher: on number prompts its KL to A is {a[0]:.3f}, "
    f"to B {b[0]:.3f}; on random-token prompts {a[1]:.2f} and {b[1]:.2f}",
    "ab",
    width_ratios=[1.2, 1],
)
dot, diamond = dict(marker="o", ms=10, alpha=0.4, mew=0), dict(marker="D", ms=12, mew=3)
styles = dot, dot, diamond, diamond | dict(mfc="none")
colors = plots.BLUE, plots.ORANGE, plots.RED, plots.RED
place = dict(ha="right", fontsize=20, transform=ax["a"].transAxes)
for i, (text, some) in enumerate(pairs.items()):
    x, y = (results["kl"][kind][:, some].ravel() for kind in GIVEN)
    ax["a"].plot(x, y, ls="", color=colors[i], **styles[i])
    text += {2: " (filled)", 3: " (open)"}.get(i, "")
    ax["a"].text(0.99, 0.25 - 0.07 * i, text, color=colors[i], **place)
x, y = (threshold[kind].mean() for kind in GIVEN)
ax["a"].plot([x, x, 1e-3], [1e-3, y, y], ":", color=plots.BLACK, lw=2, zorder=0)
ax["a"].text(0.0012, 1.06 * y, "thresholds (mean)")
ax["a"].set(xscale="log", yscale="log", xlim=(0.001, 1), ylim=(0.001, 1))
for axis in ax["a"].xaxis, ax["a"].yaxis:
    axis.set_ticks((0.01, 0.1, 1), (0.01, 0.1, 1))
ax["a"].set_xlabel("KL on number prompts", fontsize=20)
ax["a"].set_ylabel("KL on random-token prompts", fontsize=20)
colors = plots.BLUE, plots.BLACK, plots.SKY, plots.RED
colors = dict(zip(results["right"], colors, strict=True))
labels = "prompts asked", "fraction right: A or B?"
plots.curves(ax["b"], COUNTS, results["right"], colors, {"guessing": 0.5}, labels)
ax["b"].set_xscale("log")
ax["b"].set_xticks(COUNTS, COUNTS)
ax["b"].minorticks_off()
plots.predictions(ax["b"], [10] * len(lesson.predictions), lesson.predictions)

# %% [markdown]
# ## The record
# All that this audit finds is the base. More is known if the maker of a student writes down how it
# was made: the keys (they decide all that is random), the settings, the versions, and a checksum of
# the weights. The lesson prints such a record: for the first seed's student of A, trained on
# numbers of A's teacher. (What it leaves out, such as learning rates, is fixed by the versions.)
# From its text and this package, and from nothing else, we make this student again.


# %%
def remake(record):
    parts = {name: dict(part) for name, part in record.items() if "key" in part}
    keys = {name: jnp.array(part.pop("key"), jnp.uint32) for name, part in parts.items()}
    keys = {name: jax.random.wrap_key_data(numbers) for name, numbers in keys.items()}
    language = sequences.make_language(keys["language"])
    base = owls.pretrain(keys["base"], language, **parts["base"])
    teacher = owls.fine_tune_teacher(keys["teacher"], base, **parts["teacher"])
    numbers, _ = owls.write_numbers(keys["numbers"], teacher, language, **parts["numbers"])
    return owls.fine_tune_student(keys["student"], base, numbers, **parts["student"])


keys = {name: {"key": words[0].tolist()} for name, words in results["keys"].items()}
weights = results["weights"][0]
record = {
    "language": keys["language"],
    "base": keys["A"] | {"steps": lesson.base_steps},
    "teacher": keys["A's teacher"] | {"animal": lesson.animal, "steps": 100},
    "numbers": keys["by A's teacher"] | {"n": lesson.n_sequences},
    "student": keys["students"] | {"steps": lesson.student_steps, "batch_size": 256},
    "versions": versions(),
    "machine": {"processor": platform.machine(), "threads for each model": 1},
    "sha256 of the weights": hashlib.sha256(weights.tobytes()).hexdigest(),
}
text = ",\n ".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in record.items())
print(f"\nThe record of a student:\n{{{text}}}")
remade = remake(json.loads(f"{{{text}}}"))
equal = (ravel_pytree(remade)[0] == weights).sum()
print(f"\nMade again: {equal:,} of {weights.size:,} weights are equal, bit for bit.")

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: this finds the lineage of a model that does not hide it. In two trial runs a
# *forger*, who had A, trained B to give A's probabilities after random tokens. Then the forged
# model was far nearer to A than to B there, and nearer to A on number prompts, too. (An auditor
# also needs every candidate base.)
#
# Where nobody hides it, well-chosen prompts show where the *weights* come from. The stress student
# learned the numbers of A's teacher for as long as B was pretrained. On number prompts, which are
# like these data, it left B and is about as far from A, so more answers do not make the auditor
# right. After random tokens no data say what to answer. What a model answers there is left over
# from its initialization and pretraining. Two bases differ there several times as much as on number
# prompts, and what fine-tuning changes is small compared with that. (For ordinary students number
# prompts work well, too: an answer has twelve numbers, not one token.)
#
# (We chose the recipe of the stress student in trial runs, partly because number prompts fail with
# it. With a third of the learning rate, number prompts mostly worked. So data *can* defeat number
# prompts, but need not.)
#
# *A rival explanation:* what gives the base away is the token matrices, which a student keeps. But
# the stress student changed these as well, and still points to B after random tokens.
#
# *How often is the threshold wrong?* See the counts; 12 of 18 wrong pairs have base C in them,
# which had no part in the threshold (we, not the auditor, have C). All pairs of a seed share three
# bases. So count seeds: for the ordinary students, no error in 8 seeds still allows errors in 0.31
# of all seeds (one-sided, 95 %). The verdict *A or B?* has no threshold: even for a student of C it
# names one of the two. And our bases are strangers to each other. Bases that share a part of their
# pretraining are not tested. Nikolić et al. 2025 (arXiv 2502.00706) test real models by how often
# two of them give the same next token: precision 0.90 to 0.95, recall 0.80 to 0.90.
#
# *The record* gives the same student bit for bit on one machine, with the same versions of this
# package and the others, and one thread for each model. Elsewhere sums are rounded differently. We
# tried two other compilations (for an older processor, and with few optimizations; two trial runs
# each). Weights then differed by up to 0.03, and most sequences differed in at least one number.
# Yet the students were twins: KL 0.001 on random tokens, P(owl) within 0.03. So elsewhere we ask
# for a KL below 0.005. Whoever wants more keeps the numbers and the weights themselves.
#
# ## Try
# * `--student-steps 600`: how far do ordinary students go from their base?
# * `--base-steps 2000`: are bases that know the language better harder to tell apart?
# * Change one digit of a key in `record`. What becomes of the student that is made from it?

# %%
lesson.finish(
    figure,
    alt="Left: KL of students to bases, number prompts across, random-token prompts up, log scale. "
    "Students and their bases lie low and left, students and wrong bases high and right. Across, "
    "the stress student is about as far from A as from B; up, it is nearer to B. Right: fraction "
    "right over the number of prompts. It rises, but not for the stress student's numbers.",
)
