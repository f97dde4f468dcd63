"""Exercises: stubs say what to do, solutions pass, and wrong programs are told what is wrong.

The experiments run with `--quick`; `pytest -m slow` runs them in full, and judges what they give.
"""

import importlib.util
import io
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest
import quick_run

from sublim_mini import owls
from sublim_mini.language import LENGTH, WORDS
from sublim_mini.transformer import init_transformer

FOLDER = Path(__file__).parents[1] / "lessons" / "exercises"
EXERCISES = sorted(FOLDER.glob("[0-9]_*.py"))
SOLUTIONS = FOLDER / "solutions"
pytestmark = pytest.mark.skipif(not EXERCISES, reason="the exercises were taken away")
each = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
needs_solutions = pytest.mark.skipif(not SOLUTIONS.exists(), reason="the solutions were taken away")
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


def bodies(text):
    """Name -> body of each function of a program."""
    return dict(re.findall(r"(?ms)^def (\w+)\(.*?:\n(.*?)(?=^\S|\Z)", text))


# ---- programs ----


def group(number):
    """What is compiled for one program of an exercise serves the next."""
    return pytest.mark.xdist_group(f"exercise {number}")


def programs():
    """programs.txt -> (exercise, function, what stands there, what instead, message or None)."""
    for line in Path(__file__).with_name("programs.txt").read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[(\d) (\w+)\]", line):
            number, name = int(header[1]), header[2]
        elif " -> " in line and not line.startswith("#"):
            old, new, says = (*line.replace(r"\n", "\n").split(" -> "), None)[:3]
            yield pytest.param(number, name, old, new, says, marks=group(number))


@needs_solutions
@pytest.mark.parametrize("number, name, old, new, says", list(programs()))
def test_a_program_is_told_its_mistake_or_passes(number, name, old, new, says, try_out):
    """A mistake is named; of a program that stops, the line is shown, and an advice."""
    text, body = solution(number), bodies(solution(number))[name]
    assert old in body
    text = text.replace(body, body.replace(old, new))
    message = try_out(number, text)
    if says is None:
        assert message is None
        return
    assert re.search(says, message) and len(message) <= LONGEST, message
    if not message.startswith("Not yet: "):
        assert message.startswith("Your code stopped in "), message
        said = [int(n) for n in re.findall(r"line (\d+), in", message)]
        lines = dict(enumerate(text.splitlines(), 1))
        assert any(n in lines and lines[n].strip() in message for n in said), message


# ---- stubs ----

PARTS = {"init": 1, "apply": 1, "teacher_loss": 2, "accuracy": 2, "step": 3, "train": 3}
PARTS |= {"student_loss": 4, "distill": 4, "experiment": 4}
TO_DO = [
    pytest.param(n, name, marks=group(PARTS.get(name, n)))
    for n in (1, 5, 6, 7, 8)
    for name, body in bodies((FOLDER / file_of(n)).read_text("utf-8") if EXERCISES else "").items()
    if "raise NotImplementedError" in body
]


@needs_solutions
@pytest.mark.parametrize("number, name", TO_DO)
def test_what_is_left_to_do_is_said_with_its_line(number, name, try_out):
    """All is solved but one function; then its `raise` still stands above what was written."""
    text, file, stub = solution(number), file_of(number), "    raise NotImplementedError\n"
    body = bodies(text)[name]
    line = text[: text.index(body)].count("\n") + 1
    number = PARTS.get(name, number)
    message = try_out(number, text.replace(body, stub))
    assert message.startswith(f"To do: write {name} in {file}, line") and "\n" not in message
    message = try_out(number, text.replace(body, stub + body))
    assert message.startswith(f"Delete line {line} of {file}") and "\n" not in message


def test_stubs_say_what_to_do_and_nothing_else(exercises, core, monkeypatch, capsys):
    firsts = "init", "teacher_loss", "step", "student_loss"
    firsts += "shared_layers", "inner_product", "effects", "write"
    for number, name in enumerate(firsts, 1):
        monkeypatch.setattr(sys, "argv", [str(EXERCISES[number - 1])])
        with pytest.raises(SystemExit) as ended:
            core.main(vars(exercises[number]))
        said = rf"To do: write {name} in {file_of(number)}, line \d+\."
        assert re.fullmatch(said, ended.value.code) and capsys.readouterr() == ("", "")


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


def test_a_file_that_python_cannot_read_is_named_with_its_line(tmp_path, core, monkeypatch):
    monkeypatch.setattr(core, "FOLDER", tmp_path)
    for text in "def init(key:\n    pass\n", "import jax\nx = jx.numpy\n":
        (tmp_path / "my_effect.py").write_text(text, encoding="utf-8")
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


@pytest.mark.xdist_group("runs")
@needs_solutions
@each
def test_a_solution_passes(path, core, monkeypatch, capsys):
    """The later exercises with what is given: with my_effect.py their checks run above."""
    monkeypatch.setattr(owls, "pretrain", untrained)  # its real experiment is for `-m slow`
    monkeypatch.setattr(owls, "fine_tune_teacher", lambda key, base, animal: base)
    given = ["--given"] * (path.name[0] in "5678")
    run(path, core, monkeypatch, "--solution", "--quick", *given)
    out, err = capsys.readouterr()
    assert out.startswith("All checks pass.") and "They mean nothing" in out and err == ""
    assert out.count(" to ") >= 2, "fewer than two results beside what they should be"


@needs_solutions
def test_no_two_mistakes_are_known_by_the_same_result(core, exercises, try_out, monkeypatch):
    tables = []
    for number, path in enumerate(EXERCISES, 1):
        checks = importlib.import_module(f"checks.{path.stem[2:]}")
        if hasattr(checks, "rule_out"):
            monkeypatch.setattr(checks, "rule_out", lambda got, table: tables.append(table))
        assert try_out(number, solution(number)) is None
    assert len(tables) > 10
    for (one, a), (other, b) in (pair for t in tables for pair in combinations(t.items(), 2)):
        assert not core.same(a, b), (one, other)


@pytest.mark.slow
@needs_solutions
@each
@pytest.mark.parametrize("source", ["--solution", "--given"])
def test_an_experiment_gives_what_it_should(path, source, core, monkeypatch, capsys):
    if source == "--given" and path.name[0] in "1234":
        pytest.skip("these are what is given")
    run(path, core, monkeypatch, "--solution", *{source} - {"--solution"})
    assert "you said" in capsys.readouterr().out


def test_without_the_solutions_all_else_is_there(core, monkeypatch, tmp_path):
    monkeypatch.setattr(core, "SOLUTIONS", tmp_path / "none")
    with pytest.raises(SystemExit, match="solutions are not here"):
        run(EXERCISES[0], core, monkeypatch, "--solution")


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


def test_a_prediction_is_a_number_or_nothing(core, monkeypatch):
    typed = {"0.3\n": 0.3, "30%\n": 0.3, " 0,3 \n": 0.3, "\n": None, "": None, "a\n.5\n": 0.5}
    for text, number in typed.items():
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        assert core.ask("Your prediction? ") == number


@each
def test_a_file_says_what_the_list_says_and_has_three_hints_and_an_answer(path, core):
    text, listed = path.read_text("utf-8"), (FOLDER / "README.md").read_text("utf-8")
    number = int(path.name[0])
    said = re.match(rf'r"""Exercise {number}: .*?(\d+) minutes, difficulty (\d) of 5\n', text)
    row = re.search(rf"\[`{path.name}`\].*\| (\d+) \| (\d+) \| (\d) \|", listed)
    assert said.groups() == row.groups()[1:]
    assert f".venv/bin/python lessons/exercises/{path.name}" in text and r".venv\Scripts\p" in text
    assert re.search("\n# (An o|O)pen questions?. ", text)
    hints = [core.hint(path.stem, n) for n in (1, 2, 3)]
    assert all(f"Hint {n} of 3. " in t and "details>" not in t for n, t in enumerate(hints, 1))
    if SOLUTIONS.exists():
        own = [b for n, b in bodies(solution(number)).items() if PARTS.get(n, number) == number]
        assert sum(len(re.findall(r"(?m)^ +\S", body)) for body in own) == int(row[1])
        assert f"\n**{number}. " in (SOLUTIONS / "answers.md").read_text("utf-8")


# ---- your turn ----


@pytest.mark.xdist_group("runs")
@pytest.mark.parametrize("kind, n", [("digits", 7), ("owls", 3)])
def test_your_turn_runs_with_the_hypotheses_of_the_list(kind, n, tmp_path, monkeypatch):
    """What is marked may change; no unmarked line breaks. README's code works in my_condition."""
    text = (FOLDER / f"your_turn_{kind}.py").read_text("utf-8")
    assert text.count("CHANGE\n") == text.count("# END\n") == 4
    listed = (FOLDER / "README.md").read_text("utf-8").split("Ten hypotheses")[1]
    listed = listed.split("## Rubric")[0].split("In the owl version:")[kind == "owls"]
    codes = [code for code in re.findall(r"`([^`]+)`", listed) if "(" in code]
    codes = [c if re.match(r"[\w, ]+ = ", c) else f"students.append({c})" for c in codes]
    codes = ["students = []", *codes, f"assert len(students) == {n}", "return students[-1]"]
    function = re.search(r'(?s)(def my_condition\(.*?""".*?"""\n).*?(?=\n\n# END)', text)
    text = text.replace(function[0], function[1] + "    " + "\n    ".join(codes) + "\n")
    text = text.replace(f'"your_turn_{kind}"', '"my_copy"')
    (tmp_path / "my_copy.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    flags = "--quick", "--seeds", "2", "--threads", "1"
    out = quick_run.main(str(tmp_path / "my_copy.py"), *flags, "--out", str(tmp_path))
    assert re.search(r'NAME = "(.*)"', text)[1] in out and "UNDECIDED" in out
    assert out.rstrip().endswith("--quick: tiny numbers. These verdicts mean nothing.")
    assert (tmp_path / "my_copy.png").exists()
