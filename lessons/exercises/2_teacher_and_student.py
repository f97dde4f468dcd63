# %% [markdown]
# # Exercise 2: teacher and student
#
# **Goal.** In exercise 1 a function of the package trained the networks. Now you write what is
# inside it: one step of training. Then you write the student: what it begins as, what it sees, and
# what it copies.
#
# 25 minutes. Difficulty 2 of 5, importance 5 of 5. You need exercise 1.

# %%
from check import call, main, need, rule_out, same

from sublim_mini.digits import draw_digits
from sublim_mini.mlp import N_CLASSES, accuracy, aux_logits, aux_loss, class_loss, init_mlp

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
import optax

optimizer = optax.adam(1e-3)

# %% [markdown]
# ## Your part
# A *batch* is a pair: 100 inputs, and the targets that the network should give for them. One step
# of training is three things. First the gradient: `jax.grad(loss)(params, batch)`. Then the
# *update*, what to add to the params. An *optimizer* makes it from the gradient; here it is Adam,
# which remembers earlier gradients in its *state*:
#
#     updates, state = optimizer.update(gradient, state, params)
#
# Last, add the updates: `optax.apply_updates(params, updates)` gives the new params.
#
# For the student use `fit` below and, from the package, `aux_loss` (your exercise 1) and
# `aux_logits(params, inputs)`, which gives a network's auxiliary logits [N, A].


# %%
def step(loss, params, state, batch):
    """One step of training -> the pair (new params, new state)."""
    raise NotImplementedError("write step in 2_teacher_and_student.py, then run it again")


def distill(teacher, init, noise, n_steps):
    """Train a student, from `init`, to copy the teacher's auxiliary logits on noise -> params."""
    raise NotImplementedError("step passes. Now write distill, then run this again")


def fit(loss, params, data, n_steps):
    """The training loop, with your step. Data: (inputs [N, ...], targets [N, ...]) -> params."""
    fast_step = jax.jit(step, static_argnums=0)  # jit compiles it, so that it runs fast
    state = optimizer.init(params)
    for i in range(n_steps):
        rows = slice(100 * i % len(data[0]), 100 * i % len(data[0]) + 100)
        params, state = fast_step(loss, params, state, (data[0][rows], data[1][rows]))
    return params


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    k_teacher, k_init, k_noise = jax.random.split(jax.random.key(102), 3)
    teacher, init = (init_mlp(k, (6, 5, 5, N_CLASSES + 3)) for k in (k_teacher, k_init))
    noise = jax.random.normal(k_noise, (100, 6))
    batch, state = (noise, aux_logits(teacher, noise)), optimizer.init(init)
    gradient = jax.grad(aux_loss)(init, batch)
    updates, new_state = optimizer.update(gradient, state, init)
    hint = "Return the new params, then the new state"
    new, got_state = call(step, aux_loss, init, state, batch, like=(init, state), hint=hint)
    mistakes = {
        "step returns the old params: add the updates to them": init,
        "step returns the updates: add them to the params": updates,
        "step goes uphill: ADD the updates, their minus is in them": optax.tree.sub(init, updates),
        "you subtract the gradient: add the updates": optax.tree.sub(init, gradient),
    }
    rule_out(new, mistakes)
    need(same(new, optax.apply_updates(init, updates)), "step: the new params are wrong")
    need(
        not same(got_state, state), "the params are right. Return the NEW state: else Adam forgets"
    )
    need(same(got_state, new_state), "the params are right, the state is not")

    got, right = call(distill, teacher, init, noise, 9, like=init), fit(aux_loss, init, batch, 9)
    need(not same(got, teacher, 0.1), "the student begins as the trained teacher: begin from init")
    head, old_head = (net[-1]["weights"][:, :N_CLASSES] for net in (got, init))
    need(same(head, old_head), "the weights of the class logits have changed: use aux_loss")
    rule_out(got, {"distill takes one step: pass n_steps on": fit(aux_loss, init, batch, 1)})
    before, after, best = (aux_loss(net, batch) for net in (init, got, right))
    closer = (before - after) > 0.5 * (before - best)
    need(closer, "the student does not come closer: it should copy the TEACHER's logits, of noise")
    need(same(got, right), "the student comes closer, but not as by n_steps of fit, from init")


# %% [markdown]
# ## The experiment
# The teacher begins as `init` and learns to read digits. The student begins as the same `init`,
# and never sees a digit. Both are trained by your `step`.


# %%
def experiment(quick):
    n_steps = 20 if quick else 300
    k_digits, k_noise, k_init = jax.random.split(jax.random.key(2), 3)
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    test_digits = images[:500], labels[:500]
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    init = init_mlp(k_init, (784, 96, 96, N_CLASSES + 10))

    teacher = fit(class_loss, init, (images[500:], labels[500:]), n_steps)
    student = distill(teacher, init, noise, 2 * n_steps)
    data = noise[:1000], aux_logits(teacher, noise[:1000])
    return {
        "teacher: accuracy on digits": (accuracy(teacher, *test_digits), 0.85, 1),
        "student: loss before training": (aux_loss(init, data), 0.02, 0.2),
        "student: loss after training": (aux_loss(student, data), 0, 0.01),
        "student: accuracy on digits": (accuracy(student, *test_digits), 0.6, 1),
    }


# %% [markdown]
# **An open question.** Must the student begin exactly where the teacher began? Guess first: with
# random numbers of one tenth of the weights' size added to `init`, what is left of its accuracy?
# Try it in `experiment`. What does that say about how the channel works?

# %%
if __name__ == "__main__":
    main(check, experiment)
