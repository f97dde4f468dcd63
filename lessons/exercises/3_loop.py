r"""Exercise 3: the training loop.                              25 minutes, difficulty 3 of 5

Write `step` and `train` in my_effect.py, then run

    .venv/bin/python lessons/exercises/3_loop.py           (Windows: .venv\Scripts\python ...)

`step(loss, params, state, inputs, targets)` is one step of training. First the gradient of the
loss. Then an *optimizer* makes *updates* of the gradient, which say what to add to each param.
Ours is Adam. It remembers earlier gradients in its *state*. Last, the updates are added. Return
two things: the new params and the new state.

    gradient = jax.grad(loss)(params, inputs, targets)         # in the form of the params
    updates, state = optimizer.update(gradient, state, params)
    params = optax.apply_updates(params, updates)              # params + updates

`train(loss, params, inputs, targets, steps, batch_size)` makes the first state, by
`optimizer.init(params)`, then takes `steps` steps and returns the params. Each step sees a
*batch*: the next `batch_size` rows of the inputs and the same rows of the targets. After the last
row comes the first again. In the loop, call `fast_step` instead of `step`: it is the same,
compiled by `jax.jit`.

    x[200:300]                      # the rows 200 to 299
    i * 100 % 5000                  # 0, 100, ... 4900, then 0 again; yours: batch_size, len(inputs)

9 lines. Stuck? `--hint 1`.
"""

import jax
from checks import effect, main

from sublim_mini.digits import draw_digits

PREDICT = "teacher: accuracy on new digits"


def run(quick):
    """The teacher: 300 steps on 5,500 digits, then 500 digits that it has not seen."""
    k_digits, k_init = jax.random.split(jax.random.key(3))
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    init_params, steps = effect.init(k_init), 10 if quick else 300
    teacher = effect.train(effect.teacher_loss, init_params, images[500:], labels[500:], steps)
    test = images[:500], labels[:500]
    return {
        "before training": (effect.accuracy(init_params, *test), 0, 0.25),
        PREDICT: (effect.accuracy(teacher, *test), 0.85, 1),
        "teacher: loss": (effect.teacher_loss(teacher, *test), 0, 0.5),
    }


# An open question. `train` is given the params and returns others. The params that went in are
# unchanged. Why will that matter in exercise 4?

if __name__ == "__main__":
    main(globals())
