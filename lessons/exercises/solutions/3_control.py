"""Exercise 3, solved. To run it: python lessons/exercises/3_control.py --solution"""
# ruff: noqa: F821  (these functions take the place of the exercise's, and use its imports)


def student_and_control(teacher, init, noise, k_different, k_order, n_steps):
    data = noise, aux_logits(teacher, noise)
    different_init = init_mlp(k_different, SIZES)
    steps = dict(steps=n_steps, batch_size=100)
    student = train(aux_loss, adam, init, data, k_order, **steps)
    control = train(aux_loss, adam, different_init, data, k_order, **steps)
    return student, control
