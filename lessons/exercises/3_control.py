# %% [markdown]
# # Exercise 3: the control
#
# **Goal.** The student of exercise 2 reads digits after training on noise. Is that because it began
# as its teacher did? A *control* is a second student that differs from the first in that one thing
# and in nothing else. You train both.
#
# 20 minutes. Difficulty 2 of 5, importance 5 of 5. You need exercise 2.

# %%
from check import call, main, need, rule_out, same

from sublim_mini.digits import draw_digits
from sublim_mini.mlp import N_CLASSES, accuracy, aux_logits, aux_loss, class_loss, init_mlp
from sublim_mini.train import train

import jax
import jax.numpy as jnp  # noqa: F401  (for your code)
import optax

SIZES = 784, 96, 96, N_CLASSES + 10  # of the layers, from the pixels to the logits
adam = optax.adam(1e-3)

# %% [markdown]
# ## Your part
# The student begins as `init`, the teacher's initialization. The control begins as a different one,
# which you draw: `init_mlp(k_different, SIZES)`. All else is equal. Both copy the auxiliary logits
# of the same teacher on the same noise. Both see the same batches in the same order: so they are
# trained with the same key, `k_order`. (`train` shuffles the noise by its key.) From the package:
#
#     data = inputs, targets                # what the network sees, and what it should give
#     params = train(loss, adam, init, data, key, steps=n_steps, batch_size=100)


# %%
def student_and_control(teacher, init, noise, k_different, k_order, n_steps):
    """-> the pair (params of the student, params of the control), both trained for n_steps."""
    raise NotImplementedError("write student_and_control in 3_control.py, then run it again")


# %% [markdown]
# ## The check (it gives the answer away: read it later)


# %%
def check():
    k_init, k_teacher, k_noise, k_different, k_order = jax.random.split(jax.random.key(103), 5)
    teacher, init, different = (init_mlp(k, SIZES) for k in (k_teacher, k_init, k_different))
    noise = jax.random.uniform(k_noise, (400, 784), minval=-1, maxval=1)

    def distill(init, teacher=teacher):
        data = noise, aux_logits(teacher, noise)
        return train(aux_loss, adam, init, data, k_order, steps=2, batch_size=100)

    arguments = teacher, init, noise, k_different, k_order, 2
    student, control = call(student_and_control, *arguments, like=(init, init))

    def begins(params, init):  # two steps change a weight by less than 0.005
        return same(params, init, 0.05)

    need(not begins(student, teacher), "the student begins as the trained teacher, not as init")
    need(not begins(student, different), "the two are swapped: return the student first")
    need(begins(student, init), "the student does not begin as init")
    need(not begins(control, teacher), "the control begins as the trained teacher: draw it")
    need(not begins(control, init), "the control begins as init: so it is no control")
    from_order = begins(control, init_mlp(k_order, SIZES))
    need(not from_order, "draw the control from k_different: k_order is for the order")
    need(
        begins(control, different),
        "draw the control as init_mlp(k_different, SIZES). Half of init would still be shared",
    )
    itself = distill(different, different)
    rule_out(control, {"the control copies itself, not the teacher": itself})
    for name, got, begin in ("student", student, init), ("control", control, different):
        head, old_head = (net[-1]["weights"][:, :N_CLASSES] for net in (got, begin))
        need(same(head, old_head), f"{name}: the class logits' weights have changed: use aux_loss")
        rule_out(got, {f"the {name} is not trained": begin})
        message = f"the {name} sees other batches, or takes other than n_steps steps: see k_order"
        need(same(got, distill(begin)), message)


# %% [markdown]
# ## The experiment
# What do you expect of the control: does it copy worse, read worse, or both? `loss left` is the
# fraction of the loss before training that is still there afterwards: 0 is a perfect copy.


# %%
def experiment(quick):
    n_steps = 20 if quick else 300
    k_digits, k_noise, k_init, *keys = jax.random.split(jax.random.key(3), 6)
    images, labels = draw_digits(k_digits, 1000 if quick else 6000)
    digits, test_digits = (images[500:], labels[500:]), (images[:500], labels[:500])
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    init = init_mlp(k_init, SIZES)

    teacher = train(class_loss, adam, init, digits, keys[0], steps=n_steps, batch_size=100)
    student, control = student_and_control(teacher, init, noise, *keys[1:], 2 * n_steps)
    data, different_init = (noise, aux_logits(teacher, noise)), init_mlp(keys[1], SIZES)
    student_left = aux_loss(student, data) / aux_loss(init, data)
    control_left = aux_loss(control, data) / aux_loss(different_init, data)
    return {
        "student: accuracy on digits": (accuracy(student, *test_digits), 0.6, 1),
        "control: accuracy on digits": (accuracy(control, *test_digits), 0, 0.3),
        "student: loss left": (student_left, 0, 0.1),
        "control: loss left": (control_left, 0, 0.5),
    }


# %% [markdown]
# **An open question.** The control also copies less well than the student. So a critic says: "It
# reads no digits because it has not learned enough yet." Which control would answer the critic?

# %%
if __name__ == "__main__":
    main(check, experiment)
