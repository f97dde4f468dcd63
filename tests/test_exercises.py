"""Exercises: all stubs fail and say why, all solutions pass, likely mistakes get their diagnosis.

The experiments run with `--quick`; `pytest -m slow` runs them in full, and judges what they give.
"""

import importlib.util
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import sublim_mini.lesson
from scipy import stats

from sublim_mini import mlp
from sublim_mini.train import train

FOLDER = Path(__file__).parents[1] / "lessons" / "exercises"
EXERCISES = sorted(FOLDER.glob("[0-9]_*.py"))
SOLUTIONS = FOLDER / "solutions"
each = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
needs_solutions = pytest.mark.skipif(not SOLUTIONS.exists(), reason="the solutions were taken away")
pytestmark = [
    pytest.mark.skipif(not EXERCISES, reason="the exercises were taken away"),
    pytest.mark.xdist_group("exercises"),  # what is compiled for one serves the next
]


def load(path, name=None):
    """A script as a module; `check`, which the exercises share, is found beside them."""
    spec = importlib.util.spec_from_file_location(name or f"exercise_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(FOLDER))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


def run(path, monkeypatch, *flags):
    """An exercise by its command line -> its module; SystemExit as there."""
    monkeypatch.setattr(sys, "argv", [str(path), *flags])
    module = load(path)
    module.main(module.check, module.experiment)
    return module


def number(n):
    return next(path for path in EXERCISES if path.stem.startswith(str(n)))


def functions(path):
    """The names of the functions that a reader writes, in order."""
    return re.findall(r"(?m)^def (\w+)", (SOLUTIONS / path.name).read_text("utf-8"))


@pytest.fixture(autouse=True, scope="module")
def compile_fast():
    """Nearly all of these tests' time is compiling: each optimizer is made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optax, "adam", cache(optax.adam))
        yield


# ---- stubs ----


@each
def test_a_stub_says_what_to_do_and_nothing_else(path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(path, monkeypatch)
    assert re.fullmatch(rf"To do: write \w+ in {path.name}, then run it again", ended.value.code)
    assert capsys.readouterr() == ("", "")


def test_a_stub_run_as_a_script_is_one_line_and_status_1(tmp_path):
    script = [sys.executable, str(number(1))]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == "To do: write aux_loss in 1_auxiliary_loss.py, then run it again\n"


@needs_solutions
@pytest.mark.parametrize("n, second", [(2, "distill"), (4, "inner_product"), (6, "kept")])
def test_the_second_stub_speaks_after_the_first_is_solved(n, second):
    module = load(number(n))
    solved = solved_functions(number(n))
    for name in functions(number(n))[:-1]:
        setattr(module, name, solved[name])
    with pytest.raises(NotImplementedError, match=f"passes. Now write {second}, "):
        module.check()


# ---- solutions ----


def solved_functions(path):
    module = load(path)
    module.main.__globals__["insert_solution"](vars(module), path.stem)
    return {name: getattr(module, name) for name in functions(path)}


@needs_solutions
@each
def test_a_solution_passes(path, monkeypatch, capsys):
    run(path, monkeypatch, "--solution", "--quick")
    out, err = capsys.readouterr()
    assert out.startswith("All checks pass.") and "Tiny numbers" in out and err == ""
    assert out.count(" to ") >= 2, "fewer than two results beside what they should be"


@pytest.mark.slow
@needs_solutions
@each
def test_an_experiment_gives_what_it_should(path, monkeypatch, capsys):
    run(path, monkeypatch, "--solution")
    assert "As it should be." in capsys.readouterr().out


@each
def test_without_the_solutions_all_else_is_there(path, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", [str(path), "--solution"])
    module = load(path)
    monkeypatch.setitem(module.main.__globals__, "FOLDER", tmp_path)
    with pytest.raises(SystemExit, match="The solutions are not here"):
        module.main(module.check, module.experiment)


def test_a_result_outside_its_range_is_said(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [__file__])  # the file in which the two functions stand
    module = load(number(1))
    with pytest.raises(SystemExit, match="Outside its range: accuracy. Did you"):
        module.main(lambda: None, lambda quick: {"accuracy": (0.2, 0.6, 1), "loss": (0, 0, 1)})
    assert "0.20   0.60 to 1.00" in capsys.readouterr().out


# ---- hints, and what each file says ----


@each
def test_hints_come_one_at_a_time(path, monkeypatch, capsys):
    texts = []
    for n in "123":
        run(path, monkeypatch, "--hint", n)
        texts.append(capsys.readouterr().out)
        assert texts[-1].startswith(f"Hint {n} of 3. ") and "details>" not in texts[-1]
    assert len(set(texts)) == 3


@each
def test_a_file_says_what_the_list_says(path):
    text, listed = path.read_text("utf-8"), (FOLDER / "README.md").read_text("utf-8")
    assert text.startswith(f"# %% [markdown]\n# # Exercise {path.stem[0]}: ")
    said = re.search(r"# (\d+) minutes. Difficulty (\d) of 5, importance (\d) of 5\.", text)
    row = re.search(rf"\[`{path.name}`\].*\| (\d+) \| (\d) \| (\d) \|", listed)
    assert said.groups() == row.groups()
    assert "**Goal.**" in text and "**An open question.**" in text
    if SOLUTIONS.exists():
        answers = (SOLUTIONS / "answers.md").read_text("utf-8")
        assert f"\n**{path.stem[0]}. " in answers


# ---- likely mistakes: exercise, what the reader wrote, what the check says ----


def loss_of(cut, reduce=jnp.mean):
    def aux_loss(params, batch):
        return reduce((cut(mlp.apply_mlp(params, batch[0])) - batch[1]) ** 2)

    return aux_loss


def aux(logits):
    return logits[:, mlp.N_CLASSES :]


def step_by(change, old_state=False):
    def step(loss, params, state, batch):
        gradient = jax.grad(loss)(params, batch)
        updates, new = optax.adam(1e-3).update(gradient, state)
        return change(params, updates, gradient), state if old_state else new

    return step


def distill_by(change):
    def distill(teacher, init, noise, n_steps):
        begin, copied, loss, n_steps = change(teacher, init, n_steps)
        optimizer, params, data = optax.adam(1e-3), begin, (noise, mlp.aux_logits(copied, noise))
        if loss is mlp.class_loss:
            data = noise, data[1].argmax(1)
        state = optimizer.init(params)
        for _ in range(n_steps):
            updates, state = optimizer.update(jax.grad(loss)(params, data), state)
            params = optax.apply_updates(params, updates)
        return params

    return distill


def control_by(change):
    """student_and_control, with a dict of what is wrong in it."""

    def student_and_control(teacher, init, noise, k_different, k_order, n_steps):
        different = mlp.init_mlp(k_different, (784, 96, 96, 20))
        usual = dict(student=init, control=different, copied=teacher, key=k_order, steps=n_steps)
        wrong = usual | change(teacher=teacher, init=init, different=different, k_order=k_order)

        def fit(begin, copied, key):
            data, steps = (noise, mlp.aux_logits(copied, noise)), dict(steps=wrong["steps"])
            return train(mlp.aux_loss, ADAM, begin, data, key, batch_size=100, **steps)

        student = fit(wrong["student"], teacher, k_order)
        return student, fit(wrong["control"], wrong["copied"], wrong["key"])

    return student_and_control


ADAM = optax.adam(1e-3)  # one for all: compiled once


def uphill(init, teacher, inputs):
    return jax.grad(mlp.aux_loss)(init, (inputs, mlp.aux_logits(teacher, inputs)))


def downhill(init, teacher, inputs):
    return optax.tree.scale(-1, uphill(init, teacher, inputs))


def product_of(*names):
    def inner_product(a, b):
        return sum((x[n] * y[n]).sum() for x, y in zip(a, b, strict=True) for n in names)

    return inner_product


def remove_by(factor):
    def remove(update, direction):
        c = factor(update, direction, optax.tree.vdot)
        return jax.tree.map(lambda u, d: u - c * d, update, direction)

    return remove


def per_array(update, direction):
    return jax.tree.map(
        lambda u, d: u - (u * d).sum() / ((d * d).sum() + 1e-20) * d, update, direction
    )


def log_p_by(table=jax.nn.log_softmax, logits_from=3, tokens_from=4, reduce=jnp.sum):
    def log_likelihood(logits, documents):
        n = 16 - max(tokens_from, logits_from + 1)
        rows = table(logits)[:, logits_from : logits_from + n]
        tokens = documents[:, tokens_from : tokens_from + n, None]
        return reduce(jnp.take_along_axis(rows, tokens, axis=-1)[..., 0], axis=1)

    return log_likelihood


def interval_by(t, ddof=1, root=lambda n: n**0.5):
    def interval(values):
        half = t(len(values)) * np.std(values, ddof=ddof) / root(len(values))
        return np.mean(values) - half, np.mean(values) + half

    return interval


def t99(n):
    return stats.t.ppf(0.995, n - 1)


def shared_by(equal):
    def shared_layers(one, other):
        return [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if equal(a, b)]

    return shared_layers


def weights_equal(a, b):
    return bool((a["weights"] == b["weights"]).all())


def draw_by(hidden, head, teacher_key=None):
    """draw, with what the keys of the different initialization are made of: [key, *four keys]."""

    def draw(key, n_noise=20_000):
        keys = [key, *jax.random.split(key, 6)]
        networks = [
            mlp.init_mlp(k, (784, 96, 96)) + mlp.init_mlp(j, (96, 20))
            for k, j in ((keys[1], keys[2]), (hidden(keys), head(keys)))
        ]
        return jax.random.uniform(keys[3], (n_noise, 784)), *networks, keys[4]

    return draw


SHARED = {"shared_layers": shared_by(weights_equal)}
STEP = {"step": step_by(lambda params, updates, gradient: optax.apply_updates(params, updates))}
S = {"student_step": downhill}
LL = {"log_likelihood": log_p_by()}
EFFECTS = {"effects": lambda student, control: (student - control).mean(1)}
MISTAKES = [
    (1, {"aux_loss": lambda params, batch: None}, "does its last line begin with `return`"),
    (1, {"aux_loss": loss_of(aux, lambda x: x)}, r"shape \(4, 3\), not one number. Take the mean"),
    (1, {"aux_loss": loss_of(aux, lambda x: x.mean(1))}, r"shape \(4,\), not one number"),
    (1, {"aux_loss": loss_of(lambda logits: logits[:, :3])}, "FIRST logits, of the classes"),
    (1, {"aux_loss": loss_of(aux, jnp.sum)}, "the sum of the squares"),
    (1, {"aux_loss": loss_of(aux, lambda x: x.sum(1).mean())}, "a sum over the auxiliary logits"),
    (1, {"aux_loss": loss_of(aux, lambda x: x.sum(0).mean())}, "a sum over the inputs"),
    (1, {"aux_loss": loss_of(aux, lambda x: x.mean() ** 0.5)}, "square root"),
    (1, {"aux_loss": loss_of(aux, lambda x: x.mean() / 2)}, "half of it"),
    (1, {"aux_loss": loss_of(aux, lambda x: jnp.sqrt(x).mean())}, "absolute values"),
    (
        1,
        {"aux_loss": lambda p, b: (aux(mlp.apply_mlp(p, b[0])) - b[1]).mean()},
        "square is missing",
    ),
    (
        1,
        {"aux_loss": lambda p, b: (aux(mlp.apply_mlp(p, b[0])) - b[1]).mean() ** 2},
        "square first",
    ),
    (
        1,
        {"aux_loss": lambda p, b: jax.lax.stop_gradient(mlp.aux_loss(p, b))},
        "it has no gradient",
    ),
    (2, {"step": lambda loss, params, state, batch: params}, "Return the new params, then the new"),
    (2, {"step": step_by(lambda params, updates, gradient: params)}, "returns the old params"),
    (2, {"step": step_by(lambda params, updates, gradient: updates)}, "returns the updates"),
    (2, {"step": step_by(lambda p, u, g: optax.tree.sub(p, u))}, "uphill"),
    (2, {"step": step_by(lambda p, u, g: optax.tree.sub(p, g))}, "you subtract the gradient"),
    (2, {"step": step_by(lambda p, u, g: optax.apply_updates(p, u), True)}, "Return the NEW state"),
    (
        2,
        STEP | {"distill": distill_by(lambda t, i, n: (t, t, mlp.aux_loss, n))},
        "begins as the trained teacher",
    ),
    (
        2,
        STEP | {"distill": distill_by(lambda t, i, n: (i, i, mlp.aux_loss, n))},
        "copy the TEACHER's",
    ),
    (2, STEP | {"distill": distill_by(lambda t, i, n: (i, t, mlp.aux_loss, 1))}, "pass n_steps on"),
    (2, STEP | {"distill": distill_by(lambda t, i, n: (i, t, mlp.class_loss, n))}, "use aux_loss"),
    (
        2,
        STEP | {"distill": distill_by(lambda t, i, n: (i, t, mlp.aux_loss, n + 9))},
        "but not as by",
    ),
    (
        3,
        {"student_and_control": control_by(lambda teacher, **k: dict(student=teacher))},
        "student beg",
    ),
    (
        3,
        {"student_and_control": control_by(lambda teacher, **k: dict(control=teacher))},
        "control beg",
    ),
    (
        3,
        {"student_and_control": control_by(lambda init, **k: dict(control=init))},
        "it is no control",
    ),
    (
        3,
        {"student_and_control": control_by(lambda init, different, **k: dict(student=different))},
        "swapped",
    ),
    (
        3,
        {
            "student_and_control": control_by(
                lambda k_order, **k: dict(control=mlp.init_mlp(k_order, (784, 96, 96, 20)))
            )
        },
        "draw the control from k_different",
    ),
    (
        3,
        {
            "student_and_control": control_by(
                lambda init, different, **k: dict(control=[different[0], *init[1:]])
            )
        },
        "Half of init would still be shared",
    ),
    (
        3,
        {"student_and_control": control_by(lambda different, **k: dict(copied=different))},
        "copies itself",
    ),
    (3, {"student_and_control": control_by(lambda **k: dict(steps=1))}, "than n_steps steps"),
    (
        3,
        {
            "student_and_control": control_by(
                lambda k_order, **k: dict(key=jax.random.fold_in(k_order, 1))
            )
        },
        "the control sees other batches",
    ),
    (4, {"student_step": uphill}, "uphill"),
    (4, {"student_step": lambda i, t, x: optax.tree.add(i, downhill(i, t, x))}, "the step alone"),
    (4, {"student_step": lambda i, t, x: downhill(i, i, x)}, "copies the TEACHER"),
    (4, {"student_step": lambda i, t, x: downhill(t, i, x)}, "swapped"),
    (4, S | {"inner_product": product_of("weights")}, "biases are missing"),
    (
        4,
        S | {"inner_product": lambda a, b: product_of("weights", "biases")(a[-1:], b[-1:])},
        "last",
    ),
    (4, S | {"inner_product": lambda a, b: jax.tree.map(lambda x, y: x * y, a, b)}, "Add up all"),
    (
        4,
        S
        | {
            "inner_product": lambda a, b: (
                optax.tree.vdot(a, b) / optax.tree.norm(a) / optax.tree.norm(b)
            )
        },
        "this is the cosine",
    ),
    (5, {"remove": remove_by(lambda u, d, dot: 0)}, "nothing is removed"),
    (5, {"remove": remove_by(lambda u, d, dot: 1)}, "you remove d itself"),
    (5, {"remove": remove_by(lambda u, d, dot: dot(u, d))}, "divide u . d by d . d"),
    (5, {"remove": remove_by(lambda u, d, dot: dot(u, d) / dot(d, d) ** 0.5)}, "its square"),
    (5, {"remove": remove_by(lambda u, d, dot: 2 * dot(u, d) / dot(d, d))}, "turns it round"),
    (5, {"remove": remove_by(lambda u, d, dot: -dot(u, d) / dot(d, d))}, "add the part"),
    (5, {"remove": remove_by(lambda u, d, dot: dot(u, d) / dot(u, u))}, "you divide by u . u"),
    (5, {"remove": remove_by(lambda u, d, dot: dot(u, d) / dot(d, d))}, "nan or infinity"),
    (5, {"remove": per_array}, "ONE vector"),
    (5, {"remove": lambda u, d: jnp.zeros(3)}, "not a list of 3"),
    (6, {"log_likelihood": log_p_by(lambda x: x)}, "you add up logits"),
    (6, {"log_likelihood": log_p_by(jax.nn.softmax)}, "you add up probabilities"),
    (6, {"log_likelihood": log_p_by(logits_from=4)}, "you use them for t"),
    (6, {"log_likelihood": log_p_by(logits_from=0, tokens_from=1)}, "the given numbers are in it"),
    (6, {"log_likelihood": log_p_by(logits_from=2, tokens_from=3)}, "token 3 is in it"),
    (6, {"log_likelihood": log_p_by(logits_from=4, tokens_from=5)}, "token 4 is missing"),
    (6, {"log_likelihood": log_p_by(reduce=jnp.mean)}, "take the sum"),
    (6, {"log_likelihood": lambda x, d: -log_p_by()(x, d)}, "sign is wrong"),
    (6, LL | {"kept": lambda t, b: t - b > jnp.median(t - b)}, "HIGHEST"),
    (6, LL | {"kept": lambda t, b: t < b}, "not half of them"),
    (6, LL | {"kept": lambda t, b: t > b}, "where the owl is"),
    (6, LL | {"kept": lambda t, b: t / b < jnp.median(t / b)}, "you divide two logarithms"),
    (6, LL | {"kept": lambda t, b: t < jnp.median(t)}, "by the teacher alone"),
    (6, LL | {"kept": lambda t, b: jnp.argsort(t - b)[:5]}, "True or False for each"),
    (6, LL | {"kept": lambda t, b: (t - b < jnp.median(t - b)) * 1}, "returns numbers"),
    (7, {"effects": lambda s, c: s - c}, "the mean over axis 1"),
    (7, {"effects": lambda s, c: (s - c).mean(0)}, "the mean over axis 1"),
    (7, {"effects": lambda s, c: (s - c).mean()}, "One number per seed"),
    (7, {"effects": lambda s, c: (c - s).mean(1)}, "control minus the student"),
    (7, {"effects": lambda s, c: s.mean(1) - c.mean()}, "its|OWN control"),
    (7, EFFECTS | {"interval": lambda v: np.mean(v)}, "Return the pair"),
    (7, EFFECTS | {"interval": interval_by(t99, root=lambda n: 1)}, "a mean varies less"),
    (7, EFFECTS | {"interval": interval_by(t99, ddof=0)}, "ddof=1"),
    (7, EFFECTS | {"interval": interval_by(lambda n: stats.t.ppf(0.975, n - 1))}, "the 95 % int"),
    (7, EFFECTS | {"interval": interval_by(lambda n: stats.t.ppf(0.99, n - 1))}, "0.995, not 0.99"),
    (7, EFFECTS | {"interval": interval_by(lambda n: 2.5758293)}, "normal distribution's"),
    (7, EFFECTS | {"interval": interval_by(lambda n: stats.t.ppf(0.995, n))}, "take n - 1"),
    (7, EFFECTS | {"interval": interval_by(t99, root=lambda n: n)}, "not by n"),
    (7, EFFECTS | {"interval": interval_by(t99, root=lambda n: (n - 1) ** 0.5)}, "in s already"),
    (
        7,
        EFFECTS | {"interval": interval_by(lambda n: t99(8), root=lambda n: 8**0.5)},
        "not always 8",
    ),
    (7, EFFECTS | {"interval": lambda v: interval_by(t99)(v)[::-1]}, "come first"),
    (8, {"shared_layers": lambda a, b: jax.tree.map(jnp.array_equal, a, b)}, r"not \[\]"),
    (
        8,
        {"shared_layers": shared_by(lambda a, b: (a["biases"] == b["biases"]).all())},
        "compare the biases",
    ),
    (8, {"shared_layers": shared_by(lambda a, b: a is b)}, "two copies of one network"),
    (8, {"shared_layers": lambda a, b: SHARED["shared_layers"](a[:1], b[:1])}, "two copies"),
    (
        8,
        {"shared_layers": shared_by(lambda a, b: bool((a["weights"] == b["weights"]).any()))},
        "compare all numbers",
    ),
    (8, SHARED, r"equal in the layers \[0, 1, 2\]"),
    (8, SHARED | {"draw": draw_by(lambda k: k[5], lambda k: k[2])}, r"equal in the layers \[2\]"),
    (8, SHARED | {"draw": draw_by(lambda k: k[1], lambda k: k[6])}, r"in the layers \[0, 1\]"),
    (
        8,
        SHARED | {"draw": draw_by(lambda k: jax.random.key(0), lambda k: k[6])},
        r"gives the same layers \[0, 1\]",
    ),
]


@pytest.mark.parametrize("n, wrong, diagnosis", MISTAKES)
def test_a_likely_mistake_gets_its_diagnosis(n, wrong, diagnosis, modules):
    module = modules(n)
    saved = dict(vars(module))
    vars(module).update(wrong)
    try:
        with pytest.raises(module.main.__globals__["NotYet"], match=diagnosis):
            module.check()
    finally:
        vars(module).update(saved)


@pytest.fixture(scope="module")
def modules():
    """Exercise n as a module, loaded once."""
    loaded = {}

    def module(n):
        if n not in loaded:
            loaded[n] = load(number(n))
        return loaded[n]

    return module


@pytest.mark.parametrize(
    "code, says",
    [
        (
            "    return (apply_mlp(params, inputs) - teacher_aux_logits).mean()",
            "incompatible shapes",
        ),
        (
            "    return np.mean((np.array(aux_logits(params, inputs)) - batch[1]) ** 2)",
            "use jnp, not",
        ),
        ("    return undefined", "NameError: name 'undefined' is not defined"),
    ],
)
def test_an_error_in_the_readers_code_is_shown_without_the_lines_of_jax(
    code, says, monkeypatch, tmp_path, capsys
):
    text = number(1).read_text("utf-8")
    stub = next(line for line in text.splitlines() if "raise NotImplementedError" in line)
    (tmp_path / number(1).name).write_text(text.replace(stub, code), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        run(tmp_path / number(1).name, monkeypatch)
    message = ended.value.code
    assert message.startswith("Your code stopped here:") and code.strip() in message
    assert says in message and message.count("File ") == message.count(number(1).name) <= 3


# ---- your turn ----

CHANGED = {  # what a reader might write after, and so in place of, the marked condition
    "digits": """
as_it_stands, NAME, SGD = my_condition, "few weak numbers, near init", optax.sgd(0.1)


def my_condition(usual, teacher, digits, key):
    usual = as_it_stands(usual, teacher, digits, key)
    near = jax.tree.map(
        lambda w, x: w + 0.3 * w.std() * x, usual.init, optax.tree.random_like(key, usual.init)
    )
    inputs, targets = usual.inputs[:500], jnp.round(usual.targets[:500])
    return usual._replace(init=near, inputs=inputs, targets=targets, optimizer=SGD, steps=4)
""",
    "owls": """
as_it_stands, NAME = my_condition, "mixed, in random order"


def my_condition(usual, teacher, language, key):
    usual, k_plain = as_it_stands(usual, teacher, language, key), jax.random.fold_in(key, 1)
    plain, _ = write_numbers(k_plain, usual.base, language, lesson.n_sequences)
    even = (jnp.arange(lesson.n_sequences) % 2 == 0)[:, None]
    documents = jnp.where(even, plain, usual.documents)
    written = jax.random.permutation(key, documents[:, 4:], axis=1, independent=True)
    return usual._replace(documents=documents.at[:, 4:].set(written))
""",
}


@pytest.mark.parametrize("kind", CHANGED)
def test_your_turn_runs_with_any_condition(kind, tmp_path, monkeypatch, capsys):
    """What is marked may change; no unmarked line breaks."""
    text = (FOLDER / f"your_turn_{kind}.py").read_text("utf-8")
    assert text.count("CHANGE\n") == text.count("# END\n") == 4
    marked = re.search(r"# CHANGE\nNAME = .*?# END\n", text, re.DOTALL)[0]
    text = text.replace(marked, marked.replace("# END", CHANGED[kind] + "# END"))
    text = text.replace(f'Lesson(\n    "your_turn_{kind}"', 'Lesson(\n    "my_copy"')
    (tmp_path / "my_copy.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(sublim_mini.lesson, "handle_errors", lambda lesson: None)
    flags = ["--quick", "--seeds", "2", "--threads", "1", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "my_copy.py"), *flags])
    module = load(tmp_path / "my_copy.py", "my_copy")
    assert module.NAME in module.result and len(module.result) >= 5
    assert module.NAME in capsys.readouterr().out
    assert (tmp_path / "my_copy.png").exists() and len(module.lesson.claims) == 2
