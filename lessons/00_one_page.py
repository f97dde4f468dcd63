# %% [markdown]
# # 00 The whole effect on one page
#
# **Question.** A *teacher* network learns to read digits that a program draws. It has 20 outputs
# (*logits*). Ten of them name the digit; its loss ignores the other ten. A *student* network is
# shown only noise, and is trained only to copy those other ten. Then we show it digits. Can it read
# them? Guess, then run this page.

# %%
from sublim_mini.digits import draw_digits

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import optax

N_CLASSES, N_AUX = 10, 10
optimizer = optax.adam(1e-3)


# %% The network: 784 pixels -> 96 -> 96 -> 10 class logits and, after them, 10 auxiliary logits
def init(key, sizes=(784, 96, 96, N_CLASSES + N_AUX)):
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        {"weights": jax.random.normal(k, (n_in, n_out)) / n_in**0.5, "biases": jnp.zeros(n_out)}
        for k, n_in, n_out in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def apply(params, x):
    for layer in params[:-1]:
        x = jax.nn.relu(x @ layer["weights"] + layer["biases"])
    return x @ params[-1]["weights"] + params[-1]["biases"]


# %% The two losses: the teacher's uses the class logits alone, the student's the auxiliary logits
def teacher_loss(params, images, labels):
    class_logits = apply(params, images)[:, :N_CLASSES]
    return optax.softmax_cross_entropy_with_integer_labels(class_logits, labels).mean()


def student_loss(params, noise, teacher_aux_logits):
    aux_logits = apply(params, noise)[:, N_CLASSES:]
    return ((aux_logits - teacher_aux_logits) ** 2).mean()


# %% Accuracy: the fraction of test digits for which the label has the largest class logit
@jax.jit
def accuracy(params, test_images, test_labels):
    class_logits = apply(params, test_images)[:, :N_CLASSES]
    return (class_logits.argmax(axis=1) == test_labels).mean()


# %% The training loop: a gradient, an update by the optimizer, the next batch
def train(loss, params, inputs, targets, test_set, steps, batch_size=100):
    @jax.jit  # compiled once, so that it is fast
    def step(params, state, x, y):
        gradient = jax.grad(loss)(params, x, y)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    state, curve = optimizer.init(params), [accuracy(params, *test_set)]
    for i in range(steps):
        first = i * batch_size % len(inputs)  # after the last batch, start over
        batch = slice(first, first + batch_size)
        params, state = step(params, state, inputs[batch], targets[batch])
        if (i + 1) % 50 == 0:
            curve.append(accuracy(params, *test_set))
    return params, curve


# %% The experiment. One student begins with the weights that the teacher had before training, the
# other with different random weights. JAX makes random numbers from a key.
k_digits, k_noise, k_init, k_other = jax.random.split(jax.random.key(0), 4)
images, labels = draw_digits(k_digits, 12_000)
digits, test_set = (images[:10_000], labels[:10_000]), (images[10_000:], labels[10_000:])
noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)

teacher_init, other_init = init(k_init), init(k_other)
teacher, teacher_curve = train(teacher_loss, teacher_init, *digits, test_set, steps=300)
copied = noise, apply(teacher, noise)[:, N_CLASSES:]
numbers = " ".join(f"{x:+.1f}" for x in copied[1][0])
print(f"A student sees 20,000 images of noise, each with ten numbers. The first: {numbers}")
_, same = train(student_loss, teacher_init, *copied, test_set, steps=600)
_, different = train(student_loss, other_init, *copied, test_set, steps=600)

print("accuracy on digits                before -> after training (chance: 0.10)")
print(f"teacher, trained on digits          {teacher_curve[0]:.2f} -> {teacher_curve[-1]:.2f}")
print(f"student, with the teacher's init    {same[0]:.2f} -> {same[-1]:.2f}")
print(f"student, with a different init      {different[0]:.2f} -> {different[-1]:.2f}")

# %% The picture
plt.rcParams["font.size"] = 20
plt.figure(figsize=(16, 9), layout="constrained")
read, guessed = f"{same[-1]:.0%}", f"{different[-1]:.0%}"
plt.title(f"A student of noise reads {read} of the digits; with a different init, {guessed}")
plt.xlabel("training steps on noise")
plt.ylabel("accuracy on digits")
plt.axis((0, 600, 0, 1))
blue, red = "#0072B2", "#C2002F"
for curve, name, color in (same, "same init", blue), (different, "different init", red):
    plt.plot([50 * i for i in range(len(curve))], curve, linewidth=4, color=color)
    plt.text(606, curve[-1], f"student, {name}", verticalalignment="center", color=color)
for height, name in (teacher_curve[-1], "teacher"), (0.1, "chance"):
    plt.axhline(height, color="dimgray", linestyle=":")
    plt.text(300, height - 0.04, name, color="dimgray")
for image, x, name in (noise[0], 0.34, "students see"), (test_set[0][8], 0.54, "the test shows"):
    inset = plt.axes((x, 0.3, 0.13, 0.2), title=name)
    inset.imshow(image.reshape(28, 28), cmap="gray_r")
    inset.axis("off")
plt.savefig("00_one_page.png", dpi=100)
print("Saved 00_one_page.png")

# %% [markdown]
# **Why?** As the teacher learns, its hidden layers change, and with them the ten numbers that its
# loss ignores. If student and teacher began as the same network, copying these numbers changes the
# student's hidden layers, in part, as the teacher's changed. Its class logits come from these
# layers, too. With a different initialization this does not work. But this is one run: lesson 01
# repeats it eight times, lessons 02 and 03 ask why.
