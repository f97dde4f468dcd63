"""Exercises: stubs say what to do, solutions pass, and wrong programs are told what is wrong.

The experiments run with `--quick`; `pytest -m slow` runs them in full, and judges what they give.
"""

import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import quick_run
from wrong_programs import CRASHES, RIGHT, WRONG

from sublim_mini import owls
from sublim_mini.language import LENGTH, WORDS
from sublim_mini.transformer import init_transformer

FOLDER = Path(__file__).parents[1] / "lessons" / "exercises"
EXERCISES = sorted(FOLDER.glob("[0-9]_*.py"))
SOLUTIONS = FOLDER / "solutions"
each = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
needs_solutions = pytest.mark.skipif(not SOLUTIONS.exists(), reason="the solutions were taken away")
pytestmark = pytest.mark.skipif(not EXERCISES, reason="the exercises were taken away")
programs = pytest.mark.xdist_group("programs")  # what is compiled for one serves the next
runs = pytest.mark.xdist_group("runs")
LONGEST = 420  # characters of a message


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def core():
    """The module checks.core: exercises find it beside them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        patch.setattr(sys, "argv", ["pytest"])
        yield importlib.import_module("checks.core")


@pytest.fixture(scope="module")
def exercises(core):
    """Number -> the exercise as a module, loaded once."""
    return {int(p.name[0]): load(p, f"exercise_{p.stem}") for p in EXERCISES}


@pytest.fixture
def try_out(core, exercises, tmp_path):
    """A function: the exercise's number, the text of what is written -> the message, or None."""

    def try_out(number, text):
        space = vars(exercises[number])
        saved, file = dict(space), tmp_path / file_of(number)
        file.write_text(text, encoding="utf-8")

        def go():
            if number < 5:
                space["effect"] = load(file, "my_effect")
            else:
                space["effect"] = load(SOLUTIONS / "my_effect.py", "my_effect")
                exec(compile(text, str(file), "exec"), space)
            core.check(space)

        try:
            return core.attempt(go, file)
        finally:
            space.clear()
            space.update(saved)

    return try_out


def file_of(number):
    """Where the functions of an exercise are written."""
    return "my_effect.py" if number < 5 else EXERCISES[number - 1].name


def solution(number):
    return (SOLUTIONS / file_of(number)).read_text("utf-8")


def edited(number, old, new):
    assert old in solution(number), f"no solution of exercise {number} has {old!r}"
    return solution(number).replace(old, new)


# ---- programs: wrong, crashing, right ----


@programs
@needs_solutions
@pytest.mark.parametrize("number, old, new, says", WRONG)
def test_a_wrong_program_is_told_its_mistake(number, old, new, says, try_out):
    message = try_out(number, edited(number, old, new))
    assert message and message.startswith("Not yet: ") and re.search(says, message), message
    assert len(message) <= LONGEST


@programs
@needs_solutions
@pytest.mark.parametrize("number, old, new, says", CRASHES)
def test_a_program_that_stops_is_told_its_line_and_a_reason(number, old, new, says, try_out):
    text = edited(number, old, new)
    message = try_out(number, text)
    assert message and message.startswith("Your code stopped in "), message
    said = [int(n) for n in re.findall(r"line (\d+), in", message)]
    lines = dict(enumerate(text.splitlines(), 1))
    assert any(n in lines and lines[n].strip() in message for n in said), message
    assert re.search(says, message), message
    assert len(message) <= LONGEST


@programs
@needs_solutions
@pytest.mark.parametrize("number, old, new", RIGHT)
def test_a_right_program_passes(number, old, new, try_out):
    assert try_out(number, edited(number, old, new)) is None


# ---- stubs ----

FUNCTIONS = [
    (number, name)
    for number in (1, 5, 6, 7, 8)
    for name in re.findall(
        r"(?m)^def (\w+)\(.*\n(?:    .*\n|\n)*?    raise NotImplementedError",
        (FOLDER / file_of(number)).read_text("utf-8") if EXERCISES else "",
    )
]

PARTS = {"teacher_loss": 2, "accuracy": 2, "step": 3, "train": 3}
PARTS |= {"student_loss": 4, "distill": 4, "experiment": 4}


@programs
@needs_solutions
@pytest.mark.parametrize("number, name", FUNCTIONS)
@pytest.mark.parametrize("forgotten", [False, True])
def test_what_is_left_to_do_is_said_with_its_line(number, name, forgotten, try_out):
    """All is solved but one function; or its `raise` still stands above what was written."""
    body = rf"(?m)^(def {name}\(.*\n)((?:    .*\n|\n(?=    ))+)"
    text = solution(number)
    assert re.search(body, text)
    line = text[: re.search(body, text).end(1)].count("\n") + 1
    rest = r"\2" if forgotten else ""
    text = re.sub(body, rf"\1    raise NotImplementedError\n{rest}", text)
    file = file_of(number)
    what = f"Delete line {line} of {file}" if forgotten else f"To do: write {name} in {file}, line"
    number = PARTS.get(name, number)
    message = try_out(number, text)
    assert message.startswith(what) and message.count("\n") == 0


FIRST = {"1": "init", "2": "teacher_loss", "3": "step", "4": "student_loss"}
FIRST |= {"5": "shared_layers", "6": "inner_product", "7": "effects", "8": "write"}


@each
def test_a_stub_says_what_to_do_and_nothing_else(path, exercises, core, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(path)])
    with pytest.raises(SystemExit) as ended:
        core.main(vars(exercises[int(path.name[0])]))
    name, where = FIRST[path.name[0]], file_of(int(path.name[0]))
    assert re.fullmatch(rf"To do: write {name} in {where}, line \d+\.", ended.value.code)
    assert capsys.readouterr() == ("", "")


def test_a_stub_run_as_a_script_is_one_line_and_status_1(tmp_path):
    script = [sys.executable, str(EXERCISES[0])]
    env = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    done = subprocess.run(script, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "To do: write init in my_effect.py, line 21.\n"


def test_a_mistake_in_an_earlier_exercise_is_named(core, monkeypatch):
    effect = load(SOLUTIONS / "my_effect.py", "my_effect")
    apply = effect.apply
    effect.apply = lambda params, x: 1.1 * apply(params, x)
    monkeypatch.setattr(core, "_effect", lambda: effect)
    with pytest.raises(SystemExit, match="Not yet: exercise 1 does not pass .any more.. apply"):
        run(EXERCISES[1], core, monkeypatch)


@pytest.mark.parametrize("text", ["def init(key:\n    pass\n", "import jax\nx = jx.numpy\n"])
def test_a_file_that_python_cannot_read_is_named_with_its_line(text, tmp_path, core, monkeypatch):
    (tmp_path / "my_effect.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(core, "FOLDER", tmp_path)
    with pytest.raises(SystemExit, match=r"my_effect.py, line [12]"):
        core._effect()


# ---- solutions ----


def run(path, core, monkeypatch, *flags):
    """An exercise by its command line; SystemExit as there."""
    monkeypatch.setattr(sys, "argv", [str(path), *flags])
    monkeypatch.setattr(sys, "stdin", io.StringIO("0.3\n"))
    space = vars(load(path, f"run_{path.stem}"))
    space["effect"] = core._effect()
    core.main(space)


def untrained(key, language, steps):
    """In the place of `owls.pretrain`, which is nearly all of the time of exercise 8."""
    return init_transformer(key, len(WORDS), LENGTH, width=8)


@runs
@needs_solutions
@each
def test_a_solution_passes(path, core, monkeypatch, capsys):
    monkeypatch.setattr(owls, "pretrain", untrained)  # its real experiment is for `-m slow`
    monkeypatch.setattr(owls, "fine_tune_teacher", lambda key, base, animal: base)
    run(path, core, monkeypatch, "--solution", "--quick")
    out, err = capsys.readouterr()
    assert out.startswith("All checks pass.") and "They mean nothing" in out and err == ""
    assert out.count(" to ") >= 2, "fewer than two results beside what they should be"


@needs_solutions
@pytest.mark.parametrize("path", EXERCISES[4:6], ids=lambda path: path.stem)
def test_the_later_exercises_work_with_what_is_given(path, core, exercises):
    space = vars(exercises[int(path.name[0])])
    saved = dict(space)
    try:
        space["effect"] = importlib.import_module("checks.given")
        core.insert_solution(space, path.stem)
        core.check(space)
    finally:
        space.update(saved)


@pytest.mark.slow
@needs_solutions
@each
@pytest.mark.parametrize("source", ["--solution", "--given"])
def test_an_experiment_gives_what_it_should(path, source, core, monkeypatch, capsys):
    if source == "--given" and path.name[0] in "1234":
        pytest.skip("these are what is given")
    run(path, core, monkeypatch, "--solution", *{source} - {"--solution"})
    assert "you said" in capsys.readouterr().out


@each
def test_without_the_solutions_all_else_is_there(path, core, monkeypatch, tmp_path):
    monkeypatch.setattr(core, "SOLUTIONS", tmp_path / "none")
    with pytest.raises(SystemExit, match="solutions are not here"):
        run(path, core, monkeypatch, "--solution")


# ---- what an exercise asks and prints ----


def test_a_result_outside_its_range_is_said(core, capsys):
    rows = {"accuracy": (0.2, 0.6, 1), "loss": (0.004, 0, 0.01)}
    assert core.report(rows, "accuracy", 0.7).startswith("\nOutside its range: accuracy.")
    out = capsys.readouterr().out
    assert re.search("you said +yours +should be\n", out)
    assert re.search("accuracy +0.70 +0.20   0.60 to 1.00\n", out)
    assert re.search("loss +0.0040   0.0000 to 0.0100\n", out)
    assert core.report({"accuracy": (0.7, 0.6, 1)}, "accuracy", None) is None
    assert "you said" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed, number",
    [("0.3\n", 0.3), ("30%\n", 0.3), (" 0,3 \n", 0.3), ("\n", None), ("", None), ("a\n.5\n", 0.5)],
)
def test_a_prediction_is_a_number_or_nothing(typed, number, core, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert core.ask("Your prediction? ") == number


@each
def test_hints_come_one_at_a_time(path, core):
    texts = [core.hint(path.stem, n) for n in (1, 2, 3)]
    assert all(f"Hint {n} of 3. " in t and "details>" not in t for n, t in enumerate(texts, 1))
    assert len(set(texts)) == 3


@each
def test_a_file_says_what_the_list_says(path):
    text, listed = path.read_text("utf-8"), (FOLDER / "README.md").read_text("utf-8")
    said = re.match(rf'r"""Exercise {path.name[0]}: .*?(\d+) minutes, difficulty (\d) of 5\n', text)
    row = re.search(rf"\[`{path.name}`\].*\| (\d+) \| (\d+) \| (\d) \|", listed)
    assert said.groups() == row.groups()[1:]
    assert f".venv/bin/python lessons/exercises/{path.name}" in text and r".venv\Scripts\p" in text
    assert re.search("\n# (An o|O)pen questions?. ", text)
    if SOLUTIONS.exists():
        number = int(path.name[0])
        parts = re.findall(r"(?ms)^def (\w+)\(.*?\n(.*?)(?=^\S|\Z)", solution(number))
        lines = {name: len(re.findall(r"(?m)^ +\S", body)) for name, body in parts}
        of = {name: PARTS.get(name, 1 if number < 5 else number) for name in lines}
        assert sum(lines[name] for name in lines if of[name] == number) == int(row[1])
        answers = (SOLUTIONS / "answers.md").read_text("utf-8")
        assert f"\n**{path.name[0]}. " in answers


# ---- your turn ----

YOUR_TURN = pytest.mark.parametrize("kind", ["digits", "owls"])
SNIPPETS = {  # README's hypotheses, as a reader would write them into my_condition
    "digits": """
    one = usual._replace(inputs=usual.inputs[:500], targets=usual.targets[:500])
    two = usual._replace(targets=jnp.round(usual.targets))
    errors = jax.random.normal(key, usual.targets.shape)
    three = usual._replace(targets=usual.targets + errors * usual.targets.std())
    init = jax.tree.map(
        lambda w, x: w + 0.3 * w.std() * x, usual.init, optax.tree.random_like(key, usual.init)
    )
    four = usual._replace(init=init)
    five = usual._replace(inputs=digits[0], targets=aux_logits(teacher, digits[0]))
    six = usual._replace(steps=usual.steps // 5)
    seven = usual._replace(optimizer=optax.sgd(0.1))
    assert len(one.inputs) == 500 and len(five.inputs) > 500 and seven.steps > six.steps
    targets = two.targets[:500] + three.targets[:500]
    return four._replace(inputs=one.inputs, targets=targets, steps=six.steps)
""",
    "owls": """
    mixed = jax.random.permutation(key, usual.documents[:, 4:], axis=1, independent=True)
    eight = usual._replace(documents=usual.documents.at[:, 4:].set(mixed))
    plain, _ = write_numbers(key, usual.base, language, lesson.n_sequences)
    ten = usual._replace(documents=usual.documents.at[::2].set(plain[::2]))
    assert (eight.documents[:, :4] == usual.documents[:, :4]).all()
    assert (ten.documents[1::2] == usual.documents[1::2]).all()
    nine = usual._replace(documents=usual.documents[:300], mask=usual.mask[:300])
    return nine._replace(documents=eight.documents[:300])
""",
}  # fmt: skip


@runs
@YOUR_TURN
def test_your_turn_runs_with_the_hypotheses_of_the_list(kind, tmp_path, monkeypatch):
    """What is marked may change; no unmarked line breaks."""
    text = (FOLDER / f"your_turn_{kind}.py").read_text("utf-8")
    assert text.count("CHANGE\n") == text.count("# END\n") == 4
    function = re.search(r'(?s)(def my_condition\(.*?""".*?"""\n).*?(?=\n\n# END)', text)
    text = text.replace(function[0], function[1] + SNIPPETS[kind])
    text = text.replace(f'"your_turn_{kind}"', '"my_copy"')
    (tmp_path / "my_copy.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    flags = "--quick", "--seeds", "2", "--threads", "1"
    out = quick_run.main(str(tmp_path / "my_copy.py"), *flags, "--out", str(tmp_path))
    assert re.search(r'NAME = "(.*)"', text)[1] in out and "UNDECIDED" in out
    assert out.rstrip().endswith("--quick: tiny numbers. These verdicts mean nothing.")
    assert (tmp_path / "my_copy.png").exists()


@YOUR_TURN
def test_the_text_of_your_turn_has_the_margin_of_its_claim(kind):
    text = (FOLDER / f"your_turn_{kind}.py").read_text("utf-8")
    said, code = text.split("from typing")[0], text.split("results = ")[1]
    (margin,) = re.findall(r"(?s)# CHANGE\n.*?(?:within|above|below)=([\d.]+)", code)[:1]
    assert said.count(margin) >= 2 and "refuted" in said and "undecided" in said


def test_the_snippets_of_the_list_are_those_that_are_tried():
    listed = (FOLDER / "README.md").read_text("utf-8").split("Ten hypotheses")[1]
    snippets = re.findall(r"`([^`]+)`", listed.split("## Rubric")[0])
    tried = re.sub(r"\s+", " ", "".join(SNIPPETS.values()))
    assert len(snippets) >= 10
    for snippet in snippets:
        parts = re.sub(r"^usual._replace|[()\s]", "", snippet).split(",targets=")[0]
        assert parts in re.sub(r"[()\s]", "", tried), snippet
