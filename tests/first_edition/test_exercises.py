"""Exercises: all stubs fail and say why, all solutions pass, likely mistakes get their hint."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sublim_mini.first import losses, world
from sublim_mini.first.measures import remove_component
from sublim_mini.first.mlp import apply_mlp

LESSONS = Path(__file__).parents[2] / "lessons" / "first_edition"
EXERCISES = sorted((LESSONS / "exercises").glob("[0-9][0-9]_*.py"))
each = pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
pytestmark = pytest.mark.skipif(not EXERCISES, reason="the exercises were taken away")


@each
def test_stub_fails_and_is_told_as_all_are(path):
    with pytest.raises(NotImplementedError, match="run this file again"):
        runpy.run_path(str(path), run_name="__main__")
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# %% [markdown]\n# # Exercise {path.stem[:2]}: ")
    assert f"After lesson {path.stem[:2]}. " in text and "**An open question.**" in text
    assert " minutes, easy. " in text or " minutes, medium. " in text or " minutes, hard. " in text


@each
def test_solution_passes(path, capsys):
    solution = path.parents[1] / "solutions" / path.name
    if not solution.parent.exists():
        pytest.skip("the solutions were taken away")
    runpy.run_path(str(solution), run_name="__main__")
    assert capsys.readouterr().out == "All checks pass.\n"


def per_array(update, direction):
    return [remove_component(u, d, True) for u, d in zip(update, direction, strict=True)]


def always(update, direction):
    return remove_component(update, direction)


def of_pixels(key, n, k):
    noise = jax.random.uniform(key, (n, 784), minval=-1, maxval=1) * jnp.sqrt(784 / k)
    return noise * (jnp.arange(784) < k)[None]


def unscaled(key, n, k):
    k_where, k_what = jax.random.split(key)
    return jax.random.normal(k_what, (n, k)) @ jax.random.normal(k_where, (k, 784))


def rows_alone(params, order):
    return [jax.tree.map(lambda x: x[order], params[0]), *params[1:]]


def without_biases(activity, labels, penalty):
    a, y = np.asarray(activity), np.eye(10)[np.asarray(labels)]
    return np.linalg.solve(a.T @ a + len(a) * penalty * np.eye(8), a.T @ y).T, np.zeros(10)


def raw(probabilities, animal):
    return probabilities[:, world.TOKEN[animal]].mean()


def not_shifted(logits):
    likeliest = logits.argmax(-1)
    return jnp.pad((likeliest != likeliest[:1]).any(0), ((0, 0), (0, 1)))


def of_activity(base, teacher, student):
    a, b = teacher.mean(0), student.mean(0)
    return a @ b / jnp.linalg.norm(a) / jnp.linalg.norm(b)


def over_questions(student, control, tuned):
    values = (student - control)[:, ~tuned].ravel()
    half = 2.8 * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean(), values.mean() - half, values.mean() + half


def plain_gap(accepted, skill, in_a, edges):
    return accepted[in_a].mean() - accepted[~in_a].mean()


def answer_alone(text):
    sides = text.split(" = ")
    return text != "" and eval(sides[0]) == int(sides[-1])


def all_held(params, batch, start, weight):
    held = losses.kl(apply_mlp(start, batch[0]), apply_mlp(params, batch[0]))
    return losses.aux_mse_loss(params, batch) + weight * held


MISTAKES = [
    ("01", lambda t, s, T: losses.kl(s, t, T), "student || teacher"),
    ("01", lambda t, s, T: losses.kl(t, s), "BOTH logits"),
    ("02", lambda p, b: losses.squared_error(b[1], apply_mlp(p, b[0])), "all logits"),
    ("03", lambda j, p, s: ((j @ s) ** 2).sum(1).mean(), "put p into it"),
    ("03", lambda j, p, s: (p * (j @ s) ** 2).sum(1).mean(), "second term"),
    ("04", per_array, "one vector"),
    ("04", always, "stay as it is"),
    ("05", of_pixels, "not k of the pixels"),
    ("05", unscaled, "scale by k"),
    ("06", rows_alone, "COLUMNS"),
    ("07", without_biases, "biases missing"),
    ("08", raw, "raw probability"),
    ("09", lambda a, b: (a[:, None] > b[None]).mean(), "a tie count half"),
    ("10", answer_alone, "a step on the way"),
    ("11", not_shifted, "foretells the first token"),
    ("12", of_activity, "subtract the base"),
    ("13", over_questions, "too|independent|should be"),
    ("14", plain_gap, "equal skill"),
    ("15", all_held, "class logits"),
    (
        "15",
        lambda p, b, s, w: (
            losses.aux_mse_loss(p, b)
            + w * losses.kl(apply_mlp(p, b[0])[:, :10], apply_mlp(s, b[0])[:, :10])
        ),
        "student || start",
    ),
]


@pytest.mark.parametrize("number, mistake, hint", MISTAKES)
def test_a_likely_mistake_gets_its_hint(number, mistake, hint):
    path = next(path for path in EXERCISES if path.stem.startswith(number))
    with pytest.raises(AssertionError, match=hint):
        runpy.run_path(str(path))["check"](mistake)


def test_your_turn_runs_as_it_stands(tmp_path):
    command = [sys.executable, str(LESSONS / "exercises" / "your_turn.py"), "--quick"]
    env = {**os.environ, "MPLBACKEND": "agg", "PYTHONUTF8": "1", "JAX_DEBUG_KEY_REUSE": "1"}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    saved = json.loads((tmp_path / "results" / "your_turn.json").read_text())
    assert saved["claims"] and len(saved["conditions"]) >= 3
