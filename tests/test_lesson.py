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

import sublim_mini.lesson
from sublim_mini import InputError, plots
from sublim_mini.lesson import Lesson


@pytest.fixture
def trial(monkeypatch, tmp_path):
    """A function of flags that begins a lesson with them, as if they stood on its command line."""

    def trial(*flags, script="lessons/99_trial.py"):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sublim_mini.lesson, "handle_errors", lambda lesson: None)
        monkeypatch.setattr(sys, "argv", [script, *flags])
        return Lesson(
            "99_trial",
            digits=True,
            steps=10,
            rate=1e-3,
            noise=0.5,
            loss="mse",
            choices=dict(loss=("mse", "kl")),
            limits=dict(noise=(0.0, 1.0)),
            quick=dict(steps=2, seeds=2),
        )

    return trial


DEFAULTS = dict(seed=100, seeds=8, steps=10, rate=1e-3, noise=0.5, loss="mse", data="drawn")


def test_settings_are_defaults_then_quick_then_flags(trial):
    assert trial().settings == DEFAULTS and str(trial().out) == "results"
    flags = "--steps 3 --rate .5 --noise 0 --loss kl --seed 4 --seeds 5".split()
    lesson = trial(*flags, "--out", "a b", "--predict", "0.3", "-0.5", "--threads", "3")
    given = dict(steps=3, rate=0.5, noise=0.0, loss="kl", seed=4, seeds=5)
    assert lesson.settings == DEFAULTS | given and lesson.steps == 3
    assert (lesson.out.name, lesson.predictions, lesson.threads) == ("a b", [0.3, -0.5], 3)
    assert trial("--quick").settings == DEFAULTS | dict(steps=2, seeds=2)
    assert trial("--quick", "--steps", "7").settings == DEFAULTS | dict(steps=7, seeds=2)


def test_a_notebook_has_the_defaults(trial):
    lesson = trial("-f", "kernel.json", script="ipykernel_launcher.py")
    assert lesson.settings == DEFAULTS and not lesson.strict
    lesson.predict("accuracy", 0.3)
    assert lesson.predictions == [0.3]


@pytest.mark.parametrize(
    "flags, said",
    [
        ("--unknown", "unrecognized arguments: --unknown"),
        ("--step 1", "unrecognized arguments: --step 1"),  # an abbreviation
        ("stray", "unrecognized arguments: stray"),
        ("--seeds 0", "--seeds: must be a whole number of at least 1 and at most 1,000, not '0'"),
        ("--seeds -3", "not '-3'"),
        ("--seeds 1.5", "--seeds: must be a whole number"),
        ("--seed x", "--seed: must be a whole number of at least 0"),
        ("--seed 4294967296", "at most 4,294,967,295"),
        ("--steps 0", "--steps: must be a whole number of at least 1"),
        ("--steps 100001", "at most 100,000, not '100001'"),
        ("--rate 0", "--rate: must be a number above 0 and at most 100,000, not '0'"),
        ("--rate nan", "--rate: must be a number above 0 and at most 100,000, not 'nan'"),
        ("--rate inf", "--rate: must be a number above 0 and at most 100,000, not 'inf'"),
        ("--noise 1.5", "--noise: must be a number of at least 0.0 and at most 1.0, not '1.5'"),
        ("--loss hinge", "--loss: invalid choice: 'hinge'"),
        ("--data cifar", "--data: invalid choice: 'cifar'"),
        ("--data-dir x", "--data-dir needs --data mnist or --data fashion"),
        ("--predict", "--predict: expected at least one argument"),
        ("--predict no", "--predict: must be a number"),
        ("--threads 0", "--threads: must be a whole number"),
        ("--threads 10000", "--threads: must be a whole number"),  # each needs memory
        ("--seeds 10000000000000000000", "--seeds: must be a whole number"),
        ("--rate 1e400", "--rate: must be a number above 0 and at most 100,000, not '1e400'"),
        ("--out=", "--out: names no folder"),
    ],
)
def test_a_bad_flag_is_one_line_and_status_2(trial, capsys, tmp_path, flags, said):
    with pytest.raises(SystemExit) as exit:
        trial(*flags.split())
    out, err = capsys.readouterr()
    assert exit.value.code == 2 and out == "" and list(tmp_path.iterdir()) == []
    assert said in err and err.count("\n") == 1 and err.startswith("99_trial: ")


def test_a_bad_folder_is_an_input_error(trial, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot write there"):
        trial("--out", "file")
    with pytest.raises(InputError, match="absent"):
        trial("--data", "mnist", "--data-dir", str(tmp_path / "absent"))


def test_results_are_those_of_the_seeds_in_order(trial):
    """Seed i is fold_in(key(seed), i); results are stacked in its order, whoever is done first."""
    keys = [jax.random.fold_in(jax.random.key(5), i) for i in range(4)]
    first = int(jax.random.key_data(keys[0])[0])

    def one_seed(key):
        data = jax.random.key_data(key)
        time.sleep(0.3 * (int(data[0]) == first))
        return {"z": {"data": data, "b": 1.5}, "a": jnp.ones((2, 3))}

    expected = np.stack([jax.random.key_data(key) for key in keys])
    lesson = trial("--seed", "5", "--seeds", "4", "--threads", "4")
    with ThreadPoolExecutor(2) as executor:
        for results in lesson.run(one_seed), lesson.run(one_seed, executor):
            assert list(results) == ["z", "a"] and list(results["z"]) == ["data", "b"]
            np.testing.assert_array_equal(results["z"]["data"], expected)
            assert results["z"]["b"].tolist() == [1.5] * 4 and results["a"].shape == (4, 2, 3)
        assert executor.submit(int).result() == 0  # still open: its owner closes it
    assert len(np.unique(expected, axis=0)) == 4
    assert (jax.random.key_data(jax.random.fold_in(jax.random.key(6), 0)) != expected[0]).any()


def test_seeds_run_side_by_side(trial):
    meet = threading.Barrier(2, timeout=20)  # a thread alone would wait here

    def one_seed(key):
        meet.wait()
        return {"x": 1}

    trial("--seeds", "4", "--threads", "2").run(one_seed)


def test_digits_are_those_of_the_seed(trial, key):
    k_one, k_two = jax.random.split(key)
    (images, labels), (test_images, test_labels) = trial().digits(k_one, 30, 20)
    assert images.shape == (30, 784) and test_images.shape == (20, 784)
    assert labels.shape == (30,) and test_labels.shape == (20,)
    np.testing.assert_array_equal(images, trial("--seed", "1").digits(k_one, 30, 20)[0][0])
    assert (images != trial().digits(k_two, 30, 20)[0][0]).any()


@pytest.mark.parametrize(
    "flags, said",
    [
        ("", "try another --seed"),
        ("--quick", "try another --seed"),
        ("--rate 9 --steps 7 --loss mse", "nearer the defaults for: --steps 7 --rate 9.0"),
    ],
)
def test_a_result_that_is_not_finite_names_the_changed_flags(trial, flags, said):
    lesson = trial(*flags.split(), "--seeds", "2")
    with pytest.raises(InputError) as error:
        lesson.run(lambda key: {"a": 1.0, "b": {"c": np.array([1.0, np.inf])}})
    assert "'b / c' is not a finite number" in str(error.value)
    assert str(error.value).endswith(said)


def test_an_error_in_a_seed_is_raised_and_the_others_are_not_begun(trial):
    begun = []

    def one_seed(key):
        begun.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trial("--seeds", "500", "--threads", "1").run(one_seed)
    assert len(begun) < 500


def finish(lesson, values):
    lesson.table("Accuracy", {"student": np.array(values)}, chance=0.1)
    lesson.claim("above chance", values, above=0.1)
    lesson.finish(plots.new_figure("title")[0], alt="a figure")


def test_strict_ends_with_1_unless_all_claims_hold(trial, tmp_path):
    finish(trial("--strict"), [0.5, 0.5, 0.5])
    finish(trial(), [0.0, 0.0, 0.0])
    for values in [0.0, 0.0, 0.0], [0.5, 0.5]:  # fails; undecided
        (tmp_path / "results" / "99_trial.json").unlink()
        with pytest.raises(SystemExit) as exit:
            finish(trial("--strict"), values)
        assert exit.value.code == 1 and (tmp_path / "results" / "99_trial.json").exists()


def test_a_table_shows_intervals_within_the_range(trial, capsys):
    lesson = trial()
    lesson.table("T", {"wide": [0.0, 1.0, 1.0], "same": [0.5] * 3, "one": [0.5]})
    out = capsys.readouterr().out
    assert "0.00 to  1.00" in out and "all 3 the same" in out and "one seed" in out
    assert (lesson.tables["T"]["wide"]["low"], lesson.tables["T"]["wide"]["high"]) == (0, 1)


# The whole program, in a process of its own.
SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore it
import jax, jax.numpy as jnp
from sublim_mini import plots
from sublim_mini.lesson import Lesson

lesson = Lesson("99_trial", quick={}, steps=10)

def one_seed(key):
    if lesson.steps > 10:
        print("computing", flush=True)
    x = jax.random.uniform(key, (300, 300))
    x = jax.lax.fori_loop(0, 10**4 * (lesson.steps - 10), lambda i, x: jnp.tanh(x @ x), x)
    return {"student": x.mean()}

lesson.predict("accuracy")
results = lesson.run(one_seed)
print("the mean ± its interval")
lesson.table("Accuracy", results, chance=0.1)
lesson.compare(results["student"])
lesson.keep_curves("Curve", [0, 10], {"student": [[0.1, float("nan")]]})
lesson.claim("above chance", results["student"], above=0.1)
lesson.claim("near a half", results["student"] - 0.5, within=0.2)
figure, ax = plots.new_figure("A title of two lines: " + 20 * "more ")
lesson.finish(figure, alt="a figure in words")
"""


def begin(tmp_path, *flags, script=SCRIPT, stdout=subprocess.PIPE, prefix=(), **env):
    path = tmp_path / "99_trial.py"
    path.write_text(textwrap.dedent(script), encoding="utf-8")
    env = {**os.environ, "MPLBACKEND": "agg", **env}
    command = [*prefix, sys.executable, "-W", "error", str(path), *flags]
    return subprocess.Popen(
        command, cwd=tmp_path, env=env, text=True, stdout=stdout, stderr=subprocess.PIPE
    )


def saved(tmp_path):
    return sorted(p.name for p in (tmp_path / "results").glob("*"))


BOTH = ["99_trial.json", "99_trial.png"]


def test_results_are_saved_as_data_and_as_a_figure(tmp_path):
    flags = "--seed 3 --seeds 4 --predict 0.3 0.4".split()
    process = begin(tmp_path, *flags, PYTHONIOENCODING="ascii")
    out, err = process.communicate()
    assert process.returncode == 0 and err == ""
    assert "the mean ? its interval" in out  # what an ASCII terminal can show
    assert saved(tmp_path) == BOTH
    text = (tmp_path / "results" / "99_trial.json").read_text(encoding="utf-8")
    results = json.loads(text)
    assert (
        list(results)
        == (
            "lesson settings versions seconds conditions tables curves claims predictions figure "
            "printed"
        ).split()
    )
    assert results["lesson"] == "99_trial" and results["seconds"] >= 0
    assert results["settings"] == {"seed": 3, "seeds": 4, "steps": 10}
    assert results["versions"]["jax"] == jax.__version__ and "python" in results["versions"]
    student = results["tables"]["Accuracy"]["student"]
    assert results["conditions"] == results["tables"]["Accuracy"] and len(student["values"]) == 4
    assert student["mean"] == pytest.approx(np.mean(student["values"]), abs=1e-6)
    assert student["low"] < student["mean"] < student["high"]
    assert results["curves"] == {"Curve": {"x": [0, 10], "lines": {"student": [[0.1, None]]}}}
    for claim in results["claims"]:
        assert list(claim) == "text kind n effect low high margin holds".split()
        assert f"HOLDS: {claim['text']}" in out
    assert [claim["holds"] for claim in results["claims"]] == [True, True]
    assert results["predictions"] == [0.3, 0.4]
    assert results["figure"]["title"].startswith("A title of two lines: more more")
    assert "\n" not in results["figure"]["title"]
    assert results["figure"]["alt"] == "a figure in words"
    assert "the mean ± its interval" in results["printed"]
    assert f"You predicted 0.40; the accuracy is {student['mean']:.2f}." in results["printed"]


def test_the_package_need_not_be_installed(monkeypatch):
    def version(package):
        if package == "sublim_mini":  # as in a checkout that is only on the path
            raise sublim_mini.lesson.metadata.PackageNotFoundError(package)
        return "1.2"

    monkeypatch.setattr(sublim_mini.lesson.metadata, "version", version)
    assert sublim_mini.lesson.versions() | {"python": ""} == {
        "python": "",
        "sublim_mini": sublim_mini.__version__,
        **dict.fromkeys(sublim_mini.lesson.PACKAGES, "1.2"),
    }


@pytest.mark.parametrize("where", ["head", "/dev/full", "closed"])
def test_results_are_saved_where_nothing_can_be_printed(tmp_path, where):
    if where == "head":
        process = begin(tmp_path, "--seeds", "2", PYTHONUNBUFFERED="1")
        process.stdout.readline()
        process.stdout.close()
    elif where == "closed":  # both streams: Python has None in their place
        code = f"import os, sys; os.closerange(1, 3); os.execv({sys.executable!r}, sys.argv[1:])"
        process = begin(tmp_path, "--seeds", "2", prefix=[sys.executable, "-c", code])
        process.stdout.close()
    elif os.path.exists(where):
        with open(where, "w") as full:
            process = begin(tmp_path, "--seeds", "2", stdout=full)
    else:
        pytest.skip("no /dev/full here")
    with process.stderr:
        err = process.stderr.read()
    assert process.wait() == 0 and err == "" and saved(tmp_path) == BOTH


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_at_once(tmp_path, number, status):
    process = begin(tmp_path, "--steps", "100000", "--threads", "2")
    with process:
        while "computing" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(1)  # now threads compute
        sent = time.monotonic()
        process.send_signal(number)
        err = process.communicate()[1]
        assert time.monotonic() - sent < 2
    assert process.returncode == status
    assert err == "99_trial: interrupted; nothing was saved\n" and saved(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_jax_is_imported_is_one_line(tmp_path, number, status):
    script = """
    import signal, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore it
    import sublim_mini
    print("importing", flush=True)
    time.sleep(60)
    """
    process = begin(tmp_path, script=script)
    with process:
        assert process.stdout.readline() == "importing\n"
        process.send_signal(number)
        err = process.communicate()[1]
    assert (process.returncode, err) == (status, "99_trial: interrupted\n")


def test_what_was_saved_is_said_to_be(tmp_path):
    process = begin(tmp_path, "--seeds", "2", script=SCRIPT + "raise KeyboardInterrupt")
    err = process.communicate()[1]
    assert (process.returncode, saved(tmp_path)) == (130, BOTH)
    assert err == "99_trial: interrupted; the results were saved\n"


def test_a_copied_lesson_must_be_named_as_its_file(tmp_path):
    process = begin(tmp_path, "--seeds", "2", script=SCRIPT.replace("99_trial", "98_original"))
    out, err = process.communicate()
    assert process.returncode == 2 and out == "" and saved(tmp_path) == []
    assert err.startswith("98_original: this file is '99_trial.py'") and err.count("\n") == 1


ENDS = """
from types import SimpleNamespace
from sublim_mini import InputError
from sublim_mini.script import handle_errors
handle_errors(SimpleNamespace(name="99_trial"))
"""


@pytest.mark.parametrize(
    "last, status, said",
    [
        ("raise InputError('mend it so')", 2, "mend it so"),
        ("raise MemoryError", 2, "not enough memory; take smaller numbers"),
        ("raise OverflowError", 2, "not enough memory; take smaller numbers"),
        ("raise RuntimeError('RESOURCE_EXHAUSTED: Out of')", 2, "not enough memory; take smaller"),
        ("1 / 0", 1, "Traceback"),
    ],
)
def test_a_mendable_error_is_a_line_and_a_bug_a_traceback(tmp_path, last, status, said):
    process = begin(tmp_path, script=ENDS + last)
    out, err = process.communicate()
    assert process.returncode == status and said in err and out == ""
    assert status == 1 or (err.count("\n") == 1 and err.startswith("99_trial: "))


@pytest.mark.filterwarnings("default")  # sockets that a cluster closes late
def test_a_cluster_gives_what_threads_give(trial):
    distributed = pytest.importorskip("distributed")
    lesson = trial("--seeds", "3", "--steps", "20")

    def one_seed(key):
        import optax

        from sublim_mini.mlp import aux_loss, init_mlp
        from sublim_mini.train import train

        k_init, k_data, k_train = jax.random.split(key, 3)
        data = jax.random.normal(k_data, (40, 9)), jax.random.normal(k_data, (40, 3))
        params = init_mlp(k_init, [9, 16, 13])
        how = dict(steps=lesson.steps, batch_size=8)
        return {"params": train(aux_loss, optax.adam(1e-2), params, data, k_train, **how)[0]}

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        spread = lesson.run(one_seed, executor=client.get_executor())["params"]
    here = lesson.run(one_seed)["params"]
    assert here["weights"].shape == (3, 9, 16)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), spread, here)
