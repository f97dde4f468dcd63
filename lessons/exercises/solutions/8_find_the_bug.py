"""Exercise 8, solved. To run it: python lessons/exercises/8_find_the_bug.py --solution"""
# ruff: noqa: F821  (these functions take the place of the exercise's, and use its imports)


def shared_layers(one, other):
    pairs = zip(one, other, strict=True)
    return [i for i, (a, b) in enumerate(pairs) if (a["weights"] == b["weights"]).all()]


def draw(key, n_noise=20_000):
    # One split, and a name for each key. The second split(key, 4) gave the first one's keys again
    # (bug 1: the hidden layers), and the head was drawn once for both (bug 2: the last layer).
    k_noise, k_hidden, k_head, k_order, k_hidden_2, k_head_2 = jax.random.split(key, 6)
    noise = jax.random.uniform(k_noise, (n_noise, 784), minval=-1, maxval=1)
    init = init_mlp(k_hidden, (784, 96, 96)) + init_mlp(k_head, (96, N_CLASSES + 10))
    different_init = init_mlp(k_hidden_2, (784, 96, 96)) + init_mlp(k_head_2, (96, N_CLASSES + 10))
    return noise, init, different_init, k_order
