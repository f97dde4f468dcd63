"""The functions of 5_control.py, which go in the place of those there."""
# ruff: noqa: F821


def shared_layers(one, other):
    pairs = enumerate(zip(one, other, strict=True))
    return [i for i, (a, b) in pairs if (a["weights"] == b["weights"]).all()]


def draw(key):
    k_noise, k_init, k_different = jax.random.split(key, 3)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    return noise, effect.init(k_init), effect.init(k_different)


def stopped_at(level, teacher, init_params, noise):
    student, steps, teacher_aux = init_params, 0, effect.apply(teacher, noise)[:, 10:]
    while effect.student_loss(student, noise, teacher_aux) > level:
        steps += 10
        student = effect.distill(teacher, init_params, noise, steps)
    return student
