r"""Exercise 4: the student.                                    25 minutes, difficulty 3 of 5

Now the effect itself. Write `student_loss`, `distill` and `experiment` in my_effect.py, then run

    .venv/bin/python lessons/exercises/4_student.py        (Windows: .venv\Scripts\python ...)

`student_loss(params, noise, teacher_aux)`: the student's auxiliary logits should be those of the
teacher. Subtract, square, and take the mean over all N x 10 numbers.

`distill(teacher, init_params, noise, steps)` gives the params of a student. Its inputs are noise.
Its targets are the teacher's auxiliary logits for this noise. Train it by your `train`, from
init_params.

`experiment(images, labels, noise, key, steps)` is all of it. Make the params of an untrained
network once, from the key. Train the teacher from them, on the images and labels, for `steps`
steps. Then train the student, for 2 * steps steps: from the *same* untrained params, on noise
alone. Return three params: the untrained ones, the teacher's, the student's.

The student never sees a digit, nor a class logit of the teacher, nor the teacher's trained
weights. How many digits will it read? About 7 lines. Stuck? `--hint 1`.
"""

import jax
from checks import effect, main

from sublim_mini.digits import draw_digits

PREDICT = "student: accuracy on new digits"


def run(quick):
    """The whole effect: all three networks are shown 500 new digits."""
    k_digits, k_noise, k_init = jax.random.split(jax.random.key(4), 3)
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    steps = 10 if quick else 300
    networks = effect.experiment(images[500:], labels[500:], noise, k_init, steps)
    before, teacher, student = (effect.accuracy(p, images[:500], labels[:500]) for p in networks)
    return {
        "both before training": (before, 0, 0.25),
        "teacher: accuracy on new digits": (teacher, 0.85, 1),
        PREDICT: (student, 0.6, 1),
    }


# That is subliminal learning. Now read lesson 00: it is your program, on one page.
#
# An open question. The class logits' weights get no gradient from student_loss, so they are still
# those of the untrained network. And yet these logits now answer most digits. How can that be?

if __name__ == "__main__":
    main(globals())
