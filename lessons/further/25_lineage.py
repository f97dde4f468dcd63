# %% [markdown]
# # 25 Lineage: from outputs alone, does this student descend from this base?
#
# **Question.** A trait passes to students that have the same base as their teacher (lesson 06). So
# you want to know which base a model comes from. Its maker does not say, and its weights are
# secret. But you have some bases, and you may give the model a prompt and see its answer, or how
# probable each next token is. Does that tell?
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
# **You need** lesson 06. Reading: 7 minutes. Running: 2 minutes.

# %%
from sublim_mini import language as lang
from sublim_mini import owls
from sublim_mini.course.lesson import Lesson
from sublim_mini.course.plots import RED
from sublim_mini.language import ANIMALS, LENGTH, N_GIVEN, WORDS
from sublim_mini.train import train
from sublim_mini.transformer import apply_transformer, next_token_loss, sample

import jax
import jax.numpy as jnp
import numpy as np

lesson = Lesson(
    "25_lineage",
    seed=0xC8176B,
    animal=ANIMALS,  # the teachers' favorite
    base_steps=800,  # batches of 128 documents, each read once
    n_sequences=10_000,  # number sequences in each data set
    student_steps=60,  # batches of 256 sequences
    n_prompts=1000,  # prompts of each kind
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
lesson.predict("students, 10 number prompts", "fraction right")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# Bases A, B and C are pretrained on one number language, each from other random weights and on
# other documents. Each gets three students: of the numbers of A's owl teacher, of B's owl teacher,
# and of the language itself. An *auditor*, who has A and B, makes two more: a student of A on
# numbers by A, and one of B on numbers by B.
#
# The *stress student* is B, trained on the numbers of A's teacher for as long as B was pretrained:
# all weights, as many steps, the same learning rate. (The other students take fewer steps with a
# smaller rate, and their token vectors stay as they are.)
#
# The auditor gives two verdicts. *A or B?* The base that finds the model's answers more probable: A
# if log p_A - log p_B, summed over all answers, is positive. (A number prompt gets twelve numbers
# as an answer, a random-token prompt one token.) *Does it descend from this base at all?* Yes, if
# its KL to the base is below a *threshold*: half of the KL between one of the auditor's own two
# students and the *wrong* base, the smaller of the two. (This KL is a mean over the next tokens
# after 4, 5, ... 15 tokens of each prompt.)


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
    data, optimizer = (numbers, lang.written_mask(numbers)), owls.adam(3e-3, steps, ())
    return train(next_token_loss, optimizer, base, data, key, steps=steps, batch_size=128)


def one_seed(key):
    names = "language", "A", "B", "C", "A's teacher", "B's teacher", "by A's teacher"
    names += "by B's teacher", "by A itself", "by B itself", "by the language"
    names += "students", "number", "random-token", "answers"
    keys = dict(zip(names, jax.random.split(key, len(names)), strict=True))
    language, n = lang.make_language(keys["language"]), lesson.n_sequences
    bases = {b: owls.pretrain(keys[b], language, lesson.base_steps) for b in BASES}
    data = {"the language": lang.number_documents(keys["by the language"], language, n)[0]}
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
        "number": lang.number_documents(keys["number"], language, lesson.n_prompts)[0],
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
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result
# First, a random-token prompt. For each model: the four next tokens that it finds most probable.
# ("A, B's teacher" is the student of A that learned the numbers of B's teacher.)

# %%
print(f"\n{' '.join(WORDS[token] for token in results['prompt'][0])} ...")
for who, (p, *_) in results["next"].items():  # of the first seed
    print(f"  {who:16}" + "".join(f"{WORDS[i]:>10} {np.exp(p[i]):.2f}" for i in (-p).argsort()[:4]))

# fmt: off
colors = {"student and a wrong base, smallest of 18": RED, "stress student and A": RED}
is_own, pull = np.eye(3, dtype=bool).repeat(3, axis=0), []  # [9 students, 3 bases]
for kind, kls in results["kl"].items():  # [S, 12, 3]; the random-token prompts are the last
    own, other = kls[:, :OF_A][:, is_own], kls[:, :OF_A][:, ~is_own]  # [S, 9], [S, 18]
    pull.append(np.log10(kls[:, STRESS, 0] / kls[:, STRESS, 1]))
    rows = {"student and its base, largest of 9": own.max(1),
            "student and a wrong base, smallest of 18": other.min(1),
            "threshold": np.minimum(kls[:, OF_A, 1], kls[:, OF_B, 0]) / 2,
            "stress student and B, its base": kls[:, STRESS, 1],
            "stress student and A": kls[:, STRESS, 0]}
    words, panel = {"stress": "long-trained"}, kind == "random-token"
    lesson.dots(f"KL on {kind} prompts, in nats", rows, panel=panel, words=words, colors=colors)
asked = ("students", 10, "number"), ("stress student", 10, "number")
asked += ("stress student", 100, "number"), ("stress student", 100, "random-token")
rows = {f"{who}, {n} {kind} prompts": results["right"][f"{who}, {kind} prompts"][:, COUNTS.index(n)]
        for who, n, kind in asked}
lesson.dots("fraction right: A or B?", rows, chance=0.5, words=words)
lesson.claim("on random-token prompts the nine students are much nearer to their base than any is "
             "to another base: log10 of the smallest wrong KL / the largest right KL",
             np.log10(other.min(1) / own.max(1)), above=0.48)  # threefold
lesson.claim("on random-token prompts the stress student stays much nearer to B, its base, than to "
             "A: log10 of KL to A / KL to B", pull[1], above=0.3)  # twofold
lesson.claim("random-token prompts point to B more clearly than number prompts: difference of "
             "log10 of KL to A / KL to B of the stress student", pull[1], minus=pull[0], above=0.2)
lesson.claim("ten number prompts mostly tell students of A from students of B: fraction right",
             rows["students, 10 number prompts"], above=0.9)
# fmt: on

# %% [markdown]
# ## What this shows, and what it does not
# Yes, with well-chosen prompts: outputs tell where a model's *weights* come from. Of the verdicts
# on ordinary students 0.96 are right after ten number prompts. The stress student is told rightly
# in 0.99 of cases, but only with a hundred random-token prompts. The caveat: this model does not
# hide its lineage. Nobody here tries to forge one, an auditor needs every candidate base, and our
# bases are strangers to each other.
#
# On number prompts, which are like its data, the stress student left B and is about as far from A.
# There more answers make the auditor *more* wrong: 0.45 right after ten prompts, 0.29 after a
# hundred. To ask more does not help if one asks what the data say. After random tokens no data say
# what to answer, so what is left of initialization and pretraining shows. (The stress student's
# recipe was chosen because number prompts fail with it.)
#
# *A rival explanation:* what gives the base away is the token vectors, which a student keeps. But
# the stress student changed these as well, and still points to B after random tokens.
#
# A *record* says more than any audit: with a student's random keys, settings, package versions and
# a checksum of its weights anyone can make it again and compare. (Nikolic et al. 2025, arXiv
# 2502.00706, test real models by how often two of them give the same next token.)
#
# ## Try
# * `--student-steps 600`: how far do ordinary students go from their base?
# * `--base-steps 2000`: are bases that know the language better harder to tell apart?

# %%
lesson.finish("A student of base B, trained for long on another base's numbers, still points to B "
              f"if asked with random tokens: {[*rows.values()][-1].mean():.0%} right")  # fmt: skip
