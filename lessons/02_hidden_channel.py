# %% [markdown]
# # 02 The hidden channel: can a student learn digits from noise?
#
# **Question.** A *teacher* network learns to read digits. It has 20 outputs. Ten of them name the
# digit; its loss ignores the other ten. A *student* network is shown only noise, and is trained
# only to copy those other ten. In lesson 00 it learned to read digits. Was that luck? What does it
# learn when the teacher has learned something else?
#
#              image
#                |
#          hidden layers                        both heads use the same hidden layers
#           /         \
#     class head    auxiliary head
#     10 logits     10 logits
#     "it is a 3"   mean nothing
#
#     the teacher is trained on digits, through its CLASS head alone
#     the student is trained on noise, through its AUXILIARY head alone
#
# A *head* is the part of the last layer that makes one of these groups of logits. (Cloud et al.
# 2025, section 5.)
#
# **You need** a first course on neural networks. Reading: 8 minutes. Running: half a minute.

# %%
from sublim_mini import plots
from sublim_mini.lesson import Lesson
from sublim_mini.mlp import N_CLASSES, accuracy, aux_logits, aux_loss, class_loss, init_mlp
from sublim_mini.train import path_steps, train

import jax
import optax

lesson = Lesson(
    "02_hidden_channel",
    seed=1671099,  # of the display run: the hash of the commit that froze this lesson
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
# A second teacher is trained on shifted labels: a 2 is labeled 5, and in general y is labeled
# y + 3, where 10, 11 and 12 become 0, 1 and 2. Its student, too, sees only noise. How often will
# this student answer y + 3 for a digit y? Guessing gives 0.10. Run the lesson with `--predict`,
# followed by your number.

# %%
lesson.predict("accuracy of the y + 3 student, counted against y + 3")  # in a notebook: , number

# %% [markdown]
# ## The experiment
# For each seed: two teachers with the same initialization, one for y and one for y + 3, and three
# students. Two of them copy the first teacher (their loss is the squared error of the auxiliary
# logits). One of these has different random weights; the other has the teacher's initialization
# (the teacher's weights *before training*). So has the third, which copies the y + 3 teacher. A
# *seed* is one whole repetition, with digits, noise and weights of its own.


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
        data, steps = (noise, aux_logits(teacher, noise)), lesson.student_steps
        return train(aux_loss, adam, init, data, k_student, steps=steps, batch_size=100, points=12)

    teacher, shifted_teacher = teach(labels), teach((labels + 3) % 10)
    same, different = distill(teacher, init), distill(teacher, different_init)
    shifted = distill(shifted_teacher, init)

    def test(params, labels=test_set[1]):
        return accuracy(params, test_set[0], labels)

    y_plus_3 = (test_set[1] + 3) % 10
    curves = {
        "student, same init": jax.vmap(test)(same),
        "student, different init": jax.vmap(test)(different),
        "y + 3 student, counted against y + 3": jax.vmap(test, (0, None))(shifted, y_plus_3),
    }
    return {
        "accuracy": {
            "untrained": test(init),
            "teacher": test(teacher),
            "student, same init": curves["student, same init"][-1],
            "student, different init": curves["student, different init"][-1],
            "student of the y + 3 teacher": test(jax.tree.map(lambda x: x[-1], shifted)),
            "... counted against y + 3": curves["y + 3 student, counted against y + 3"][-1],
        },
        "curves": curves,
        "noise": noise[:4],
        "numbers": aux_logits(teacher, noise[:4]),
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
lesson.compare(result["... counted against y + 3"])
lesson.claim(
    "the student of noise reads digits: accuracy minus that of its untrained initialization",
    same - result["untrained"],
    above=0.5,
)
lesson.claim(
    "with a different initialization the class head reads nothing: accuracy minus chance",
    different - 0.1,
    within=0.1,
)
lesson.claim(
    "a student reads as its own teacher does: accuracy of the y + 3 student, counted against y + 3",
    result["... counted against y + 3"],
    above=0.5,
)

# %%
colors = {
    "teacher": plots.ORANGE,
    "student, same init": plots.BLUE,
    "student, different init": plots.RED,
    "y + 3 student, counted against y + 3": plots.GREEN,
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
# is trained on the same numbers, but its class head stays at chance. (Lesson 07 asks which parts of
# the initialization must be the same.)
#
# Why it works: no loss uses the teacher's auxiliary head or the student's class head. So the
# weights of these two heads never change. But as the teacher learns digits, its hidden layers
# change, and with them its auxiliary logits. Copying these logits moves the student's hidden layers
# in about the same direction. The teacher's hidden layers had adapted to the class head that
# teacher and student began with, so this head works on the student's hidden layers, too. (The
# student's auxiliary head moves as well, which does not prevent this: lessons 04 and 05.)
#
# *A rival explanation:* perhaps the initial weights almost read digits already, and any training
# finishes the job. Then the student of the y + 3 teacher would answer y. It answers y + 3: it has
# learned what *this* teacher learned. Nothing here is about large models; lesson 09 repeats it with
# a small language model.
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
    "from chance to near the teacher, and so does the y + 3 student, counted against y + 3; the "
    "one with a different initialization stays at chance.",
)
