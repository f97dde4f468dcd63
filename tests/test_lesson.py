"""The command line of a lesson, its seeds, and its results, by a lesson of a few lines."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from dataclasses import dataclass

import jax
import numpy as np
import pytest

from sublim_mini import lesson as lessons
from sublim_mini import plots, stats
from sublim_mini.errors import InputError


@dataclass(frozen=True)
class Settings:
    steps: int = lessons.option(10, "steps")
    learning_rate: float = lessons.option(1e-3, "of Adam")
    noise: float = lessons.option(0.0, "may be 0", low=0.0, high=1.0)
    loss: str = lessons.option("mse", "which", choices=("mse", "kl"))
    doses: tuple[float, ...] = lessons.option((0.5, 1.0), "several")


RECIPES = {"course": Settings(), "paper": Settings(steps=295)}


@pytest.fixture
def start(monkeypatch, tmp_path):
    def start(*flags, **more):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        monkeypatch.setattr(sys, "argv", ["lessons/00_trial.py", *flags])
        quick = dict(steps=2, seeds=2)
        how = dict(quick=quick, digits=True, recipes=RECIPES)
        return lessons.start("00_trial", Settings(), **{**how, **more})

    return start


def test_defaults(start):
    lesson = start()
    assert lesson.settings == Settings() and (lesson.seed, lesson.n_seeds) == (0, 8)
    assert str(lesson.out) == "results" and not lesson.strict and lesson.data == "drawn"


def test_each_field_has_a_flag(start):
    flags = "--steps 3 --learning-rate .5 --noise 0 --loss kl --doses 1 2 3 --seed 4 --seeds 5"
    lesson = start(*flags.split(), "--out", "a b")
    assert lesson.settings == Settings(3, 0.5, 0.0, "kl", (1.0, 2.0, 3.0))
    assert (lesson.seed, lesson.n_seeds, lesson.out.name) == (4, 5, "a b")


def test_quick_and_recipes_give_way_to_flags(start):
    assert start("--quick").settings.steps == 2 and start("--quick").n_seeds == 2
    assert start("--quick", "--steps", "7", "--seeds", "3").settings.steps == 7
    assert start("--recipe", "paper").settings.steps == 295
    assert start("--recipe", "paper", "--steps", "9").settings.steps == 9


def test_a_notebook_has_the_defaults(start, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    lesson = lessons.start("00_trial", Settings(), quick={})
    assert lesson.settings == Settings() and lesson.data is None


@pytest.mark.parametrize(
    "flags, said",
    [
        ("--unknown", "unrecognized arguments: --unknown"),
        ("--learning 1", "unrecognized arguments: --learning 1"),  # an abbreviation
        ("stray", "unrecognized arguments: stray"),
        ("--seeds 0", "--seeds: must be a whole number of at least 1, not '0'"),
        ("--seeds -3", "--seeds: must be a whole number of at least 1, not '-3'"),
        ("--seeds 1.5", "--seeds: must be a whole number of at least 1, not '1.5'"),
        ("--seed x", "--seed: must be a whole number of at least 0"),
        ("--seed 4294967296", "at most 4294967295"),
        ("--steps 0", "--steps: must be a whole number of at least 1, not '0'"),
        ("--learning-rate 0", "--learning-rate: must be a number above 0, not '0'"),
        ("--learning-rate nan", "--learning-rate: must be a number above 0, not 'nan'"),
        ("--learning-rate inf", "--learning-rate: must be a number above 0, not 'inf'"),
        ("--noise 1.5", "--noise: must be a number of at least 0.0 and at most 1.0, not '1.5'"),
        ("--loss hinge", "--loss: invalid choice: 'hinge'"),
        ("--doses", "--doses: expected at least one argument"),
        ("--doses 1 no", "--doses: must be a number above 0, not 'no'"),
        ("--data cifar", "--data: invalid choice: 'cifar'"),
        ("--recipe cake", "--recipe: invalid choice: 'cake'"),
        ("--out=", "--out: names no folder"),
    ],
)
def test_bad_flags_are_one_line_and_status_2(start, capsys, tmp_path, flags, said):
    with pytest.raises(SystemExit) as exit:
        start(*flags.split())
    out, err = capsys.readouterr()
    assert exit.value.code == 2 and out == "" and list(tmp_path.iterdir()) == []
    assert said in err and err.count("\n") == 1 and err.startswith("00_trial: ")


def test_bad_folders_are_input_errors(start, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file is a file, not a folder"):
        start("--out", "file")
    with pytest.raises(InputError, match="data folder .*absent is missing"):
        start("--data", "mnist", "--data-dir", str(tmp_path / "absent"))


def test_seeds_are_folds_of_the_runs_key(start):
    def data(keys):
        return [tuple(np.asarray(jax.random.key_data(k))) for k in keys]

    expected = [jax.random.fold_in(jax.random.key(5), i) for i in range(3)]
    one, other = (data(start("--seed", s, "--seeds", "3").seeds()) for s in "56")
    assert one == data(expected) and not set(one) & set(other)


def test_drawn_digits_are_those_of_the_seed(start):
    one, two = (start("--seed", s).digits(30, 20) for s in "56")
    assert one.train_images.shape == (30, 784) and one.test_labels.shape == (20,)
    assert (one.train_images != two.train_images).any()
    assert (one.train_images == start("--seed", "5").digits(30, 20).train_images).all()


def finished(lesson, values=(0.5, 0.6, 0.55, 0.52)):
    figure, ax = plots.new_figure("title")
    plots.dots(ax["a"], {"student": values}, chance=0.1)
    claims = [stats.greater("above chance", values, 0.1), stats.less("below", values, 0.2)]
    lesson.finish({"student": values}, claims, figure, more={"x": np.arange(2), "y": np.nan})


def test_results_are_saved_as_data_and_as_a_figure(start, tmp_path):
    finished(start("--seed", "3"))
    assert sorted(p.name for p in (tmp_path / "results").iterdir()) == [
        "00_trial.json",
        "00_trial.png",
    ]
    saved = json.loads((tmp_path / "results" / "00_trial.json").read_text())
    assert saved["lesson"] == "00_trial" and saved["settings"]["seed"] == 3
    assert saved["settings"]["doses"] == [0.5, 1.0] and saved["versions"]["jax"] == jax.__version__
    student = saved["conditions"]["student"]
    assert student["values"] == [0.5, 0.6, 0.55, 0.52]
    assert student["mean"] == pytest.approx(0.5425)
    assert student["low"] < student["mean"] < student["high"]
    assert [claim["holds"] for claim in saved["claims"]] == [True, False]
    assert list(saved["claims"][0]) == "text kind unit n effect low high margin holds".split()
    assert saved["more"] == {"x": [0, 1], "y": None} and saved["seconds"] >= 0


def test_strict_ends_with_1_if_a_claim_fails(start, tmp_path):
    with pytest.raises(SystemExit) as exit:
        finished(start("--strict"))
    assert exit.value.code == 1 and (tmp_path / "results" / "00_trial.json").exists()


def test_strict_takes_an_undecided_claim_for_a_failed_one(start):
    lesson = start("--strict")
    with pytest.raises(SystemExit):
        lesson.finish({}, [stats.greater("", [1.0, 1.0])], plots.new_figure("")[0])
    lesson.finish({}, [stats.exact("", [1.0] * 3, 1)], plots.new_figure("")[0])


def run_script(tmp_path, body, *flags):
    script = tmp_path / "00_trial.py"
    head = "from dataclasses import dataclass\nfrom sublim_mini.lesson import start, option\n"
    head += "@dataclass(frozen=True)\nclass S:\n    steps: int = option(3, 'steps')\n"
    head += "lesson = start('00_trial', S(), quick={})\n"
    script.write_text(head + textwrap.dedent(body))
    return subprocess.Popen(
        [sys.executable, str(script), *flags],
        cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def test_a_mendable_error_is_a_line_and_a_bug_a_traceback(tmp_path):
    mendable = "from sublim_mini.errors import InputError\nraise InputError('mend it so')"
    with run_script(tmp_path, mendable) as process:
        err = process.communicate()[1]
        assert process.returncode == 2 and err == "00_trial: mend it so\n"
    with run_script(tmp_path, "1 / 0") as process:
        err = process.communicate()[1]
        assert process.returncode == 1 and "Traceback" in err and "ZeroDivisionError" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_copy_that_kept_the_old_name_is_told_so(tmp_path):
    copy = tmp_path / "mine.py"
    with run_script(tmp_path, "print('ran')") as process:
        process.communicate()
    copy.write_text((tmp_path / "00_trial.py").read_text())
    done = subprocess.run([sys.executable, copy], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "'00_trial'" in done.stderr and "mine.py" in done.stderr


def test_an_interruption_leaves_no_file(tmp_path):
    body = """
    import signal, time
    from sublim_mini.files import replacing
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    with replacing(lesson.out / "half.json") as path:
        path.write_text("half")
        print("ready", flush=True)
        time.sleep(60)
    """
    with run_script(tmp_path, body) as process:
        while "ready" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        err = process.communicate()[1]
    assert process.returncode == 130 and "interrupted" in err and "Traceback" not in err
    assert list((tmp_path / "results").iterdir()) == []


def test_the_package_is_imported_in_no_time():
    code = (
        "import sublim_mini, sys; print(sorted({'jax', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_two_at_once_gives_what_one_by_one_gives(start):
    lesson = start()
    meet = threading.Barrier(2, timeout=10)  # a thread alone would wait for ever

    def function(i):
        meet.wait()
        return i**2

    assert lesson.two_at_once(function, range(6)) == [i**2 for i in range(6)]
