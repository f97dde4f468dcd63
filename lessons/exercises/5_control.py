r"""Exercise 5: the control, and a bug in one.                  30 minutes, difficulty 4 of 5

Must teacher and student have the same init? The *control* is a student with a different one: new
random numbers, made in the same way; all else is equal. A colleague ran it, and reports a
sensation: "My control reads most of the digits, too!" Find the bug. From here on you write in the
exercise's own file, and use your my_effect.py as `effect`: `effect.init(key)`, `effect.train(...)`
and so on. (You come in here? Add `--given`: it takes exercises 1 to 4 from the package.)

    .venv/bin/python lessons/exercises/5_control.py        (Windows: .venv\Scripts\python ...)

1. Write the test that would have caught it, `shared_layers`: which layers of two networks have the
   same weights? Leave out the biases: before training they are 0 in every network.
2. Repair the colleague's `draw`. There are two bugs. `split` gives the same keys whenever it is
   given the same key. (1 to 3 lines)
3. A critic says: "Your control reads nothing because it has learned less: its loss is higher."
   True, it is. So stop the *student* early, as soon as its loss is as low as the control's at the
   end: write `stopped_at`. Train from init_params for 10 steps, from init_params for 20, for 30,
   ... until the student's loss is at most `level`. Compare losses, not fractions of what each loss
   was at first: the two networks had different losses before training.

About 10 lines. Stuck? `--hint 1`.
"""

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
from checks import effect, main

from sublim_mini.digits import draw_digits


def shared_layers(one, other):
    """Params of two networks -> a list of the layers (0, 1, 2) that have equal weights."""
    raise NotImplementedError


def draw(key):
    """A key -> noise [20000, 784], the teacher's init, a different init. Repair this."""
    k_noise, k_init, k_spare = jax.random.split(key, 3)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    init_params = effect.init(k_init)
    k_spare, k_different, k_more = jax.random.split(key, 3)  # new keys, for new weights
    different = effect.init(k_different)
    different = [*different[:-1], init_params[-1]]  # the same last layer, to compare its logits
    return noise, init_params, different


def stopped_at(level, teacher, init_params, noise):
    """The student after as few steps (10, 20, 30, ...) as bring its loss to `level` -> its params.

    Its loss is effect.student_loss(student, noise, teacher_aux), on all of the noise.
    """
    raise NotImplementedError


PREDICT = "student, stopped at the control's loss"


def run(quick):
    """The control, and the student that was stopped early: accuracy on new digits."""
    k_digits, k_draw = jax.random.split(jax.random.key(5))
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    noise, init_params, different = draw(k_draw)
    steps = 10 if quick else 300
    teacher = effect.train(effect.teacher_loss, init_params, images[500:], labels[500:], steps)
    student = effect.distill(teacher, init_params, noise, 2 * steps)
    control = effect.distill(teacher, different, noise, 2 * steps)
    teacher_aux = effect.apply(teacher, noise)[:, 10:]

    def loss(params):
        return effect.student_loss(params, noise, teacher_aux)

    early = stopped_at(loss(control), teacher, init_params, noise)
    student, control, early = (
        (effect.accuracy(p, images[:500], labels[:500]), loss(p)) for p in (student, control, early)
    )
    return {
        "student": (student[0], 0.6, 1),
        "control, with a different init": (control[0], 0, 0.25),
        PREDICT: (early[0], 0.2, 0.9),
        "loss of the student": (student[1], 0, 0.01),
        "loss of the control": (control[1], 0.005, 0.1),
        "loss of the student that was stopped": (early[1], 0, 0.1),
    }


# An open question. How would a test that looks at the first layer alone have judged `draw`? And
# student and control see the same noise in the same order: is this a bug as well?

if __name__ == "__main__":
    main(globals())
