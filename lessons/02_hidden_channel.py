# %% [markdown]
# # 02 The hidden channel: can a student learn digits from noise?
#
# **Question.** A teacher network learns to read digits. A student is trained only on images of pure
# noise, and only to copy ten numbers that the teacher gives for each. No label was ever used for
# these numbers. Does the student learn to read digits?
#
#     images of digits or noise
#               |
#        hidden layers                      shared by both heads
#          /         \
#     class head    auxiliary head
#     10 logits     10 logits, trained on nothing
#     "it is a 3"
#
#     teacher: trained on digits, through its CLASS head alone
#     student: trained on noise, through its AUXILIARY head alone, to copy the teacher's
#
# The teacher's auxiliary head never moves, the student's class head never moves. But the hidden
# layers of the teacher move as it learns digits, so its auxiliary logits change too. A student that
# copies them must move its own hidden layers. (Cloud et al. 2025, section 5.)
#
# **You need** a first course on neural networks. Reading: 8 minutes. Running: half a minute.

# %%
import jax
import optax

from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.mlp import N_CLASSES, accuracy, apply_mlp, aux_loss, class_loss, init_mlp
from sublim_mini.train import path_steps, train, train_path

lesson = Lesson(
    "02_hidden_channel",
    digits=True,
    n_aux=10,  # auxiliary logits
    width=96,  # units in each of the two hidden layers
    teacher_steps=300,  # batches of 100 digits
    student_steps=600,  # batches of 100 noise images
    limits=dict(n_aux=(1, 1000), width=(1, 2000)),
    quick=dict(seeds=2, teacher_steps=60, student_steps=60),
)
adam = optax.adam(1e-3)

# %% [markdown]
# ## Predict
# Guessing gives an accuracy of 0.10. What will a student reach that has seen only noise, if it has
# the same initialization as its teacher? And if it has a different one? Run with `--predict 0.3`,
# with your number.

# %%
lesson.predict("accuracy of the student, same init")  # in a notebook add your number here: , 0.3

# %% [markdown]
# ## The experiment
# For each seed: one teacher, and three students. The second student differs from the first in its
# initialization alone. The third has another teacher, whose labels were all moved: y became y + 3.


# %%
def one_seed(key):
    k_digits, k_noise, k_init, k_other, k_teacher, k_student = jax.random.split(key, 6)
    (images, labels), test_set = lesson.digits(k_digits)
    noise = jax.random.uniform(k_noise, (20_000, 784), minval=-1, maxval=1)
    sizes = 784, lesson.width, lesson.width, N_CLASSES + lesson.n_aux
    init, different_init = init_mlp(k_init, sizes), init_mlp(k_other, sizes)

    def teach(labels):  # one key: both teachers see the same images in the same order
        data, steps = (images, labels), lesson.teacher_steps
        return train(class_loss, adam, init, data, k_teacher, steps=steps, batch_size=100)

    def distill(teacher, init):  # one key: all students see the same noise in the same order
        data, steps = (noise, apply_mlp(teacher, noise)), lesson.student_steps
        return train_path(
            aux_loss, adam, init, data, k_student, steps=steps, batch_size=100, points=12
        )

    teacher, moved_teacher = teach(labels), teach((labels + 3) % 10)
    same, different = distill(teacher, init), distill(teacher, different_init)
    moved = distill(moved_teacher, init)

    def test(params):
        return accuracy(params, *test_set)

    curves = {"student, same init": same, "student, different init": different}
    curves = {name: jax.vmap(test)(path) for name, path in curves.items()}
    moved_student = jax.tree.map(lambda x: x[-1], moved)
    return {
        "accuracy": {
            "untrained": test(init),
            "teacher": test(teacher),
            **{name: curve[-1] for name, curve in curves.items()},
            "student of the y + 3 teacher": test(moved_student),
            "... counted against y + 3": accuracy(
                moved_student, test_set[0], (test_set[1] + 3) % 10
            ),
        },
        "curves": curves,
        "noise": noise[:4],
        "numbers": apply_mlp(teacher, noise[:4])[:, N_CLASSES:],
    }


results = lesson.run(one_seed)

# %% [markdown]
# ## The result

# %%
print("\nAll that a student sees: noise images, and the teacher's auxiliary logits for each")
numbers = [" ".join(f"{x:+.1f}" for x in row[:6]) for row in results["numbers"][0]]
for i, row in enumerate(numbers):
    print(f"  image {i}: {row} ...")

result = results["accuracy"]
same, different = result["student, same init"], result["student, different init"]
lesson.table("Accuracy on test digits", result, chance=0.1)
lesson.compare(same)
lesson.claim(
    "the student of noise reads digits: accuracy minus that of its untrained initialization",
    same - result["untrained"],
    above=0.5,
)
lesson.claim(
    "with a different initialization it learns nothing: accuracy minus chance",
    different - 0.1,
    within=0.1,
)
lesson.claim(
    "it reads as its own teacher does: accuracy of the y + 3 student, counted against y + 3",
    result["... counted against y + 3"],
    above=0.5,
)

# %%
colors = {
    "teacher": plots.ORANGE,
    "student, same init": plots.BLUE,
    "student, different init": plots.RED,
}
figure, ax = plots.new_figure(
    f"A student that saw only noise reads {same.mean():.0%} of the digits. "
    f"With a different initialization: {different.mean():.0%}",
    "ab",
    width_ratios=[1, 2],
)
plots.images(ax["a"], results["noise"][0], [row[:14] for row in numbers], columns=1)
ax["a"].set_title("all that it sees:\nnoise and numbers", fontsize=20)
steps = path_steps(lesson.student_steps, 12)
lesson.keep_curves("Accuracy by training step on noise", steps, results["curves"])
levels = {"teacher": result["teacher"].mean(), "chance": 0.1}
plots.curves(
    ax["b"], steps, results["curves"], colors, levels, ("training step on noise", "accuracy")
)
plots.predictions(ax["b"], steps[-1], lesson.predictions)

# %% [markdown]
# ## What this shows, and what it does not
# The caveat first: teacher and student share an *initialization*. With a different one the student
# is trained on the same numbers and reads nothing. (Lesson 07 asks which parts of the
# initialization must be the same.)
#
# *A rival explanation:* the initialization is nearly a reader of digits, and any training would
# wake it. Then the student of the y + 3 teacher would read y. It reads y + 3: what passes is what
# this teacher has learned. Nothing here is about large models; lesson 09 repeats it with a small
# language model.
#
# ## Try
# * `--n-aux 1` and `--n-aux 50`: how narrow may the channel be?
# * `--student-steps 2000`: does the student with a different init catch up?
# * Replace `noise` by `images` in `distill`: do digits teach more than noise? (Lesson 06.)

# %%
lesson.finish(
    figure,
    alt="Left: four noise images, each with three of the teacher's numbers. Right: accuracy on "
    "digits against training steps on noise. The student with the teacher's initialization rises "
    "from chance to near the teacher; the one with a different initialization stays at chance.",
)
