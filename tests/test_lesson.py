"""The command line of a lesson, its seeds, its results, and its ends, by a tiny lesson."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini import InputError
from sublim_mini.course import lesson as course
from sublim_mini.course import plots


@pytest.fixture
def trial(monkeypatch, tmp_path):
    """A function of flags that begins a lesson with them, as if they stood on its command line."""
    path = tmp_path / "99_trial.py"

    def trial(*flags, script=path, file=path, **more):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(course, "handle_errors", lambda lesson: None)
        monkeypatch.setattr(sys, "argv", [str(script), *flags])
        monkeypatch.setattr(sys.modules["__main__"], "__file__", str(file), raising=False)
        settings = dict(steps=10, rate=1e-3, flip=False, loss=("mse", "kl"), note="none")
        quick = dict(steps=2, seeds=2)
        return course.Lesson("99_trial", **{**dict(digits=True, quick=quick), **settings, **more})

    return trial


@pytest.fixture
def saved(tmp_path):
    """A function that reads what the trial saved."""
    path = tmp_path / "results" / "99_trial.json"
    return lambda: json.loads(path.read_text("utf-8"))


DEFAULTS = dict(seed=100, seeds=8, steps=10, rate=1e-3, flip=False, loss="mse", note="none")
DEFAULTS |= dict(data="drawn")


def test_settings_are_defaults_then_quick_then_flags(trial):
    assert trial().settings == DEFAULTS and str(trial().out) == "results"
    flags = "--steps 3 --rate -.5 --flip --loss kl --note x --seed 4 --seeds 5".split()
    lesson = trial(*flags, "--out", "a b", "--predict", "0.3", "-0.5", "--threads", "3")
    given = dict(steps=3, rate=-0.5, flip=True, loss="kl", note="x", seed=4, seeds=5)
    assert lesson.settings == DEFAULTS | given and lesson.steps == 3
    assert (lesson.out.name, lesson.predictions, lesson.threads) == ("a b", [0.3, -0.5], 3)
    assert trial("--quick").settings == DEFAULTS | dict(steps=2, seeds=2)
    assert trial("--quick", "--steps", "7", "--no-flip").settings["steps"] == 7
    # A kernel's launcher has flags of its own; an editor's sets `__file__` to the lesson, too.
    for file in "99_trial.py", "launcher.py":
        assert trial("-f", "x.json", script="/lib/launcher.py", file=file).settings == DEFAULTS


@pytest.mark.parametrize(
    "flags, said",
    [
        ("--unknown", "unrecognized arguments: --unknown"),
        ("--step 1", "unrecognized arguments: --step 1"),  # an abbreviation
        ("--seeds 0", "--seeds: must be a whole number from 1 to 100,000, not '0'"),
        ("--seeds 1.5", "--seeds: must be a whole number"),
        ("--seed 4294967296", "from 0 to 4,294,967,295"),
        ("--steps 100001", "from 1 to 100,000, not '100001'"),
        ("--rate nan", "--rate: invalid number value: 'nan'"),
        ("--loss hinge", "--loss: invalid choice: 'hinge'"),
        ("--data-dir x", "--data-dir needs --data mnist or"),
    ],
)
def test_a_bad_flag_is_said_and_status_2(trial, capsys, tmp_path, flags, said):
    with pytest.raises(SystemExit) as exit:
        trial(*flags.split())
    out, err = capsys.readouterr()
    assert exit.value.code == 2 and out == "" and list(tmp_path.iterdir()) == []
    assert said in err and err.count("\n") == 2 and "--help lists them" in err


@pytest.mark.parametrize(
    "more, said",
    [
        (dict(claim=1), "a setting cannot be named 'claim'"),
        (dict(saved=1), "a setting cannot be named 'saved'"),
        (dict(rows=1), "a setting cannot be named 'rows'"),
        (dict(quick=dict(stesp=2)), "quick has ['stesp']"),
        (dict(file="98_copy.py", script="98_copy.py"), "this file is '98_copy.py': name it"),
    ],
)
def test_what_the_author_mistakes_is_refused_at_once(trial, more, said):
    with pytest.raises(InputError) as error:
        trial(**more)
    assert said in str(error.value)


def test_a_bad_folder_is_known_before_the_run(trial, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot write there"):
        trial("--out", "file")
    (tmp_path / "results" / "99_trial.png").mkdir(parents=True)
    with pytest.raises(InputError, match="99_trial.png is a folder there"):
        trial()
    with pytest.raises(InputError, match="absent"):
        trial("--data", "mnist", "--data-dir", str(tmp_path / "absent"))


# ---- seeds ----


def test_results_are_those_of_the_seeds_in_order(trial):
    """Seed i is fold_in(key(seed), i); results are stacked in its order, whoever is done first."""
    keys = [jax.random.fold_in(jax.random.key(5), i) for i in range(4)]
    first = int(jax.random.key_data(keys[0])[0])
    meet = threading.Barrier(2, timeout=20)  # a thread alone would wait here

    def one_seed(key):
        meet.wait()
        data = jax.random.key_data(key)
        time.sleep(0.3 * (int(data[0]) == first))
        return {"z": {"data": data, "b": 1.5}, "a": jnp.ones((2, 3))}

    expected = np.stack([jax.random.key_data(key) for key in keys])
    lesson = trial("--seed", "5", "--seeds", "4", "--threads", "2")
    with ThreadPoolExecutor(2) as executor:
        for results in lesson.run(one_seed), lesson.run(one_seed, executor):
            assert list(results) == ["z", "a"] and list(results["z"]) == ["data", "b"]
            np.testing.assert_array_equal(results["z"]["data"], expected)
            assert results["z"]["b"].tolist() == [1.5] * 4 and results["a"].shape == (4, 2, 3)
        assert executor.submit(int).result() == 0  # still open: its owner closes it
    assert len(np.unique(expected, axis=0)) == 4


@pytest.mark.filterwarnings("default")  # sockets that a cluster closes late
def test_a_cluster_gives_what_threads_give(trial, tmp_path):
    distributed = pytest.importorskip("distributed")
    (tmp_path / "99_trial.py").write_text("", encoding="utf-8")  # its processes run the script
    lesson = trial("--seeds", "3")

    def one_seed(key):
        return {"x": jax.random.normal(key, (3,))}

    settings = dict(n_workers=1, threads_per_worker=2, dashboard_address=None)
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        spread = lesson.run(one_seed, executor=client.get_executor())["x"]
    np.testing.assert_allclose(spread, lesson.run(one_seed)["x"], atol=1e-5)


@pytest.mark.parametrize("data", ["drawn", "mnist"])
def test_digits_are_those_of_the_seed(trial, key, monkeypatch, data):
    real = [(np.arange(n)[:, None] * np.ones((1, 784)), np.arange(n) % 10) for n in (40, 20)]
    monkeypatch.setattr(course, "load_real", lambda name, folder: real)
    lesson, (k_one, k_two) = trial("--data", data), jax.random.split(key)
    (images, labels), (test_images, test_labels) = lesson.digits(k_one, 30, 20)
    assert images.shape == (30, 784) and test_images.shape == (20, 784)
    assert labels.shape == (30,) and test_labels.shape == (20,)
    np.testing.assert_array_equal(images, trial("--data", data).digits(k_one, 30, 20)[0][0])
    assert (images != lesson.digits(k_two, 30, 20)[0][0]).any()
    if data == "mnist":
        assert len(set(images[:, 0].tolist())) == 30 and (images[:, 0] % 10 == labels).all()
        with pytest.raises(InputError, match="mnist has 40 images where 41 are needed"):
            lesson.digits(k_one, 41, 20)


def test_one_seed_that_is_not_finite_is_named_and_the_others_are_saved(trial, saved):
    values = iter([1.0, np.inf, 3.0])
    lesson = trial("--seeds", "3", "--threads", "1", "--rate", "9")
    with pytest.raises(InputError) as error:
        lesson.run(lambda key: {"a": 1.0, "b": {"c": np.array([1.0, next(values)])}})
    said = str(error.value)
    assert said.startswith("seed 1: the result 'b / c' is not a finite number")
    assert "--rate 9" in said and str(lesson.out) in said
    assert saved()["results"]["b"]["c"] == [[1, 1], [1, None], [1, 3]]


@pytest.mark.parametrize(
    "returned, said",
    [
        ([3.0], "seed 0: one_seed returned no dict"),
        ([{"a": {"b": "a text"}}], "seed 0: the result 'a / b' is no number"),
        ([{"a": None}], "seed 0: the result 'a' is no number"),
        ([{"a": np.ones(2)}, {"a": np.ones(3)}], "seed 1: the results have another form"),
        ([{"a": 1}, {"b": 1}], "seed 1: the results have another form"),
    ],
)
def test_what_one_seed_returns_is_checked_as_soon_as_it_returns(trial, returned, said):
    left = iter(returned + 500 * returned[-1:])
    with pytest.raises(InputError, match=said):
        trial("--seeds", "500", "--threads", "1").run(lambda key: next(left))
    assert len(list(left)) > 2


# ---- results ----


def show(lesson, values):
    """What a lesson shows, from prediction to figure."""
    lesson.predict("student", "accuracy", 0.2)
    lesson.dots("accuracy", {"student": np.array(values)}, chance=0.1)
    lesson.curves("curve", [0, 1], {"student": np.ones((len(values), 2))})
    lesson.claim("above chance", "student", minus="chance", above=0.0)
    lesson.check("near itself", np.full(len(values), 0.1), within=0.2)
    return lesson.finish("title")


@pytest.mark.parametrize("values, ends", [([0.5, 0.51], 1), ([0.5, 0.51, 0.52], 0), ([0.0] * 3, 1)])
def test_strict_ends_with_1_unless_all_claims_hold(trial, saved, values, ends):
    """Not all hold if one is refuted, or undecided; but the results are saved."""
    try:
        status = show(trial("--strict"), values)
    except SystemExit as exit:
        status = exit.code
    assert (status or 0) == ends and saved()["figure"]["title"] == "title"


def test_a_call_that_is_made_again_takes_the_place_of_the_first(trial, saved, monkeypatch):
    lesson = trial()
    for _ in range(2):
        show(lesson, [0.5, 0.6, 0.7])
    assert [len(saved()[part]) for part in ("claims", "checks", "curves", "tables")] == [1] * 4
    with pytest.raises(ValueError, match="at most two panels"):
        lesson.dots("a third", {"student": np.ones(3)})
    monkeypatch.setattr(plots, "draw_figure", lambda: None)  # it fails: the results are not lost
    with pytest.raises(TypeError):
        show(trial(), [0.7, 0.8, 0.9])
    assert saved()["claims"][0]["values"] == pytest.approx([0.6, 0.7, 0.8])


def test_what_is_printed_and_claimed_is_of_the_right_rows(trial, capsys):
    """An interval is not clipped; the names in a claim are those of the first table."""
    lesson = trial()
    for title, last in ("T", 1.0), ("U", 0.0):
        rows = {"wide": [0.0, 1.0, last], "same": [0.5] * 3, "one": [0.5]}
        lesson.dots(title, rows, panel=False)
    lesson.claim("the first table's", "wide", minus="same", above=0)
    out = capsys.readouterr().out
    assert "-0.77 to  2.10" in out and "all 3 the same" in out and "one seed" in out
    assert "0.167 (-3.142 to 3.475), to be above 0" in out
    lesson.predict("studnet", "T", 0.2)
    with pytest.raises(ValueError, match="'studnet'"):
        lesson.finish("a prediction of a row that is not shown")


# ---- the whole program, in a process of its own ----

SCRIPT = """
import jax, jax.numpy as jnp
from sublim_mini.course.lesson import Lesson

lesson = Lesson("99_trial", quick={}, steps=10)

def one_seed(key):
    if lesson.steps > 10:
        print("computing", flush=True)
    x = jax.random.uniform(key, (300, 300))
    x = jax.lax.fori_loop(0, 10**4 * (lesson.steps - 10), lambda i, x: jnp.tanh(x @ x), x)
    return {"student": x.mean()}

lesson.predict("student", "accuracy")
results = lesson.run(one_seed)
# %%
print("the mean ± its interval")
lesson.dots("Accuracy", results, chance=0.1)
lesson.curves("Curve", [0, 10], {"student": [[0.1, 0.5]] * lesson.seeds})
lesson.claim("above chance", "student", minus="chance", above=0)
lesson.check("near a half (it must be: uniform)", results["student"] - 0.5, within=0.2)
lesson.finish("A title of two lines: " + 20 * "more ")
"""
BOTH = ["99_trial.json", "99_trial.png"]


def begin(tmp_path, *command, script=SCRIPT, **env):
    """Begin the script in a process of its own, or another command."""
    (tmp_path / "99_trial.py").write_text(textwrap.dedent(script), encoding="utf-8")
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if command[:1] != (sys.executable,):
        command = sys.executable, "-W", "error", "99_trial.py", *command
    env = {**os.environ, "MPLBACKEND": "agg", **env}
    return subprocess.Popen(command, cwd=tmp_path, env=env, text=True, **pipes)


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "results").iterdir())


def test_results_are_saved_as_data_and_as_a_figure(tmp_path, saved):
    (tmp_path / "matplotlibrc").write_text("savefig.bbox: tight\ntext.usetex: True\n")  # a reader's
    flags = "--seed 3 --seeds 4 --predict 0.3 0.4".split()
    process = begin(tmp_path, *flags, PYTHONIOENCODING="ascii")
    out, err = process.communicate()
    assert process.returncode == 0 and err == "" and files(tmp_path) == BOTH
    assert "the mean ? its interval" in out  # what an ASCII terminal can show
    png = (tmp_path / "results" / "99_trial.png").read_bytes()
    assert png[16:24] == (1600).to_bytes(4, "big") + (900).to_bytes(4, "big")
    results = saved()
    keys = "lesson settings versions seconds conditions tables curves claims checks predictions"
    assert list(results) == [*keys.split(), "figure", "printed"]
    assert results["lesson"] == "99_trial" and results["seconds"] >= 0
    assert results["settings"] == {"seed": 3, "seeds": 4, "steps": 10}
    assert results["versions"]["jax"] == jax.__version__ and "python" in results["versions"]
    student = results["tables"]["Accuracy"]["student"]
    assert results["conditions"] == results["tables"]["Accuracy"] and len(student["values"]) == 4
    assert student["mean"] == pytest.approx(np.mean(student["values"]), abs=1e-6)
    assert student["low"] < student["mean"] < student["high"]
    assert results["curves"]["Curve"] == {"x": [0, 10], "lines": {"student": [[0.1, 0.5]] * 4}}
    for one in results["claims"] + results["checks"]:
        assert list(one) == "text kind n effect values low high margin holds verdict".split()
        assert f"HOLDS: {one['text']}" in out and one["holds"] and one["verdict"] == "holds"
    assert results["claims"][0]["values"] == pytest.approx(np.array(student["values"]) - 0.1)
    assert results["predictions"] == [0.3, 0.4]
    assert results["figure"]["title"].startswith("A title of two lines: more more")
    assert f"student {student['mean']:.2f}" in results["figure"]["alt"]
    assert "the mean ± its interval" in results["printed"]
    assert f"You predicted 0.40; it is {student['mean']:.2f}." in results["printed"]


@pytest.mark.parametrize("where", ["head", "closed"])
def test_results_are_saved_where_nothing_can_be_printed(tmp_path, where):
    if where == "head":
        process = begin(tmp_path, "--seeds", "2", PYTHONUNBUFFERED="1")
        process.stdout.readline()
    else:  # both streams: Python has None in their place
        code = "import os, sys; os.closerange(1, 3); os.execv(sys.executable, sys.argv[1:])"
        command = [sys.executable, "-c", code, sys.executable, "99_trial.py", "--seeds", "2"]
        process = begin(tmp_path, *command)
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait() == 0 and files(tmp_path) == BOTH


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_at_once(tmp_path, number, status):
    process = begin(tmp_path, "--steps", "100000", "--threads", "2")
    with process:
        while "computing" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.5)  # now threads compute
        process.send_signal(number)
        try:
            err = process.communicate(timeout=2)[1]
        finally:
            process.kill()
    assert process.returncode == status and files(tmp_path) == []
    assert err == "99_trial: interrupted; nothing was saved\n"


@pytest.mark.parametrize(
    "last, status, said",
    [
        ("raise InputError('mend it so')", 2, "mend it so"),
        ("raise RuntimeError('RESOURCE_EXHAUSTED: Out of')", 2, "not enough memory; take smaller"),
        ("1 / 0", 1, "Traceback"),
    ],
)
def test_a_mendable_error_is_a_line_and_a_bug_a_traceback(tmp_path, last, status, said):
    script = """
    from types import SimpleNamespace
    from sublim_mini import InputError
    from sublim_mini.course.script import handle_errors
    handle_errors(SimpleNamespace(name="99_trial", saved="nothing was saved"))
    """
    process = begin(tmp_path, script=textwrap.dedent(script) + last)
    out, err = process.communicate()
    assert process.returncode == status and said in err and out == ""
    assert status == 1 or (err.count("\n") == 1 and err.startswith("99_trial: "))


# As an editor's kernel does it: `__file__` is the lesson, the program the kernel's launcher.
CELLS = """
import signal, sys
from IPython.core.interactiveshell import InteractiveShell
shell, cells = InteractiveShell.instance(), open("99_trial.py").read().split("\\n# %%")
shell.user_ns["__file__"] = sys.modules["__main__"].__file__ = "99_trial.py"
before = sys.stdout, sys.excepthook, signal.getsignal(2), signal.getsignal(15)
for cell in [*cells, cells[-1], *cells]:
    last = shell.run_cell(cell)
    last.raise_error()
assert before == (sys.stdout, sys.excepthook, signal.getsignal(2), signal.getsignal(15))
assert shell.user_ns["lesson"].predictions == [0.4] and len(shell.user_ns["lesson"].claims) == 1
assert type(last.result).__name__ == "Figure"  # which a notebook shows
"""


def test_a_lesson_runs_cell_by_cell_in_an_editors_kernel(tmp_path):
    """Cells run twice and in another order; a second prediction counts."""
    pytest.importorskip("IPython")
    (tmp_path / "launcher.py").write_text(CELLS, encoding="utf-8")
    second = 'lesson.predict("student", "accuracy", {})\n'
    script = SCRIPT.replace("results =", second.format(0.3) + second.format(0.4) + "results =")
    command = [sys.executable, "launcher.py", "--f=kernel.json"]
    process = begin(tmp_path, *command, script=script, IPYTHONDIR=str(tmp_path))
    out, err = process.communicate()
    assert process.returncode == 0 and files(tmp_path) == BOTH, out + err
    assert "seeds: " in err  # the progress bar
