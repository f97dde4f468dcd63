"""Wrong programs of a beginner's kind, and right ones that differ from the posted solution.

Each is an edit of a solution: (exercise, what stands there, what stands there instead, what the
message says). test_exercises.py runs them all. In WRONG the message names the mistake; in CRASHES
the program stops, and the message has its line and an advice; RIGHT must pass.
"""
# ruff: noqa: E501

SPLIT = "        key, k = jax.random.split(key)\n"
DRAW = "jax.random.normal(k, (n_in, n_out)) / n_in**0.5"
HIDDEN = 'x = jax.nn.relu(x @ layer["weights"] + layer["biases"])'
LAST = 'return x @ params[-1]["weights"] + params[-1]["biases"]'
LOOP = f"    for layer in params[:-1]:\n        {HIDDEN}\n    {LAST}"
LOG_P = "log_p = jax.nn.log_softmax(apply(params, images)[:, :10])"
NLL = "-log_p[jnp.arange(len(labels)), labels].mean()"
CORRECT = "(apply(params, images)[:, :10].argmax(axis=1) == labels).mean()"
STEP = "return optax.apply_updates(params, updates), state\n\n\nfast_step"
GRADIENT = "gradient = jax.grad(loss)(params, inputs, targets)"
UPDATE = "updates, state = optimizer.update(gradient, state, params)"
FIRST = "first = i * batch_size % len(inputs)"
ROWS = "rows = slice(first, first + batch_size)"
CALL = "params, state = fast_step(loss, params, state, inputs[rows], targets[rows])"
MSE = "((apply(params, noise)[:, 10:] - teacher_aux) ** 2).mean()"
AUX = "teacher_aux = apply(teacher, noise)[:, 10:]"
DISTILL = "return train(student_loss, init_params, noise, teacher_aux, steps)"
TEACH = "teacher = train(teacher_loss, init_params, images, labels, steps)"
STUDY = "student = distill(teacher, init_params, noise, 2 * steps)"
NETWORKS = "return init_params, teacher, student"
SHARED = 'return [i for i, (a, b) in pairs if (a["weights"] == b["weights"]).all()]'
KEYS = "k_noise, k_init, k_different = jax.random.split(key, 3)"
DRAWN = "return noise, effect.init(k_init), effect.init(k_different)"
WHILE = "while effect.student_loss(student, noise, teacher_aux) > level:"
AGAIN = "student = effect.distill(teacher, init_params, noise, steps)"
DOT = (
    "return sum((x * y).sum() for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))"
)
DOWN = "return jax.tree.map(lambda g: -g, gradient)"
GRAD = "gradient = jax.grad(effect.student_loss)(init_params, noise, teacher_aux)"
C = "c = inner_product(update, direction) / (inner_product(direction, direction) + 1e-20)"
LESS = "return jax.tree.map(lambda u, d: u - c * d, update, direction)"
EFFECTS = "return (student - control).mean(axis=1)"
HALF = "half = stats.t.ppf(0.995, n - 1) * np.std(values, ddof=1) / n**0.5"
ENDS = "return m - half, m + half"
VERDICT = (
    'if low > margin:\n        return "holds"\n    '
    'return "refuted" if high < margin else "undecided"'
)
TOKEN = "token = jax.random.categorical(k, logits_of(model, documents)[:, -1])"
JOIN = "documents = jnp.concatenate([documents, token[:, None]], axis=1)"
CLEAN = "return documents[(documents[:, 1:] < 96).all(axis=1)]"
NUMBER = "log_p = jax.nn.log_softmax(logits_of(model, inputs))"
TAKE = "log_p = jnp.take_along_axis(log_p, targets[..., None], axis=-1)[..., 0]"
WRITTEN = "return -log_p[:, 3:].mean()"
TUNE = "return effect.train(number_loss, base, documents[:, :-1], documents[:, 1:], steps, 500)"


WRONG = [
    # 1 init
    (1, DRAW, "jax.random.normal(k, (n_in, n_out))", "not divided by sqrt"),
    (1, DRAW, "jax.random.normal(k, (n_in, n_out)) / n_in", "divided by n_in: .* square root"),
    (1, DRAW, "jax.random.normal(k, (n_in, n_out)) / n_out**0.5", "divided by sqrt.n_out"),
    (1, DRAW, "jax.random.normal(k, (n_in, n_out)) * n_in**0.5", "multiplied by sqrt"),
    (1, DRAW, "jax.random.normal(k, (n_in, n_out)) * (2 / n_in) ** 0.5", "here it is 1 / sqrt"),
    (1, DRAW, "jax.random.normal(k, (n_out, n_in)) / n_in**0.5", "layer 0: weights: .*in, out"),
    (1, DRAW, "jax.random.uniform(k, (n_in, n_out)) / n_in**0.5", "mean of the weights is not 0"),
    (1, DRAW, "jnp.ones((n_in, n_out)) / n_in**0.5", "all weights are equal"),
    (1, DRAW, "jax.random.uniform(k, (n_in, n_out), minval=-1) * (3 / n_in) ** 0.5", "not from"),
    (1, SPLIT, "        k = key\n", "two layers got the same numbers"),
    (1, SPLIT, "        _, k = jax.random.split(key)\n", "two layers got the same numbers"),
    (1, SPLIT, "        k = jax.random.key(len(params))\n", "do not depend on the key"),
    (1, "jnp.zeros(n_out)", "jnp.ones(n_out)", "biases should be 0"),
    (1, "jnp.zeros(n_out)", "jax.random.normal(k, (n_out,))", "biases should be 0"),
    (1, "jnp.zeros(n_out)", "jnp.zeros(n_in)", "layer 0: biases: an array of shape .400."),
    (1, "jnp.zeros(n_out)", "jnp.zeros((n_out, 1))", "layer 0: biases: an array of shape .900, 1."),
    (1, '"biases": jnp', '"bias": jnp', "keys .'biases', 'weights'. is needed"),
    (1, "    return params\n\n\ndef apply", "\n\ndef apply", "init returns nothing"),
    (1, "        params.append", "    params.append", "a list of 1, where a list of 3 layers"),
    (1, 'append({"weights": weights, "biases": jnp.zeros(n_out)})', "append(weights)", "a dict with"),
    # 1 apply
    (1, HIDDEN, 'x = x @ layer["weights"] + layer["biases"]', "ReLU is missing in the hidden"),
    (1, LAST, LAST.replace("return ", "return jax.nn.relu(") + ")", "no ReLU in the LAST"),
    (1, HIDDEN, 'x = jax.nn.relu(x @ layer["weights"])', "biases are wrong|logits are wrong"),
    (1, LOOP, LOOP.replace(' + layer["biases"]', "").replace(' + params[-1]["biases"]', ""), "biases are missing"),
    (1, HIDDEN, 'x = jax.nn.relu(x @ layer["weights"]) + layer["biases"]', "first add the biases"),
    (1, LAST, LAST.replace("return ", "return jax.nn.softmax(") + ")", "softmax is no part"),
    (1, HIDDEN, HIDDEN.replace("jax.nn.relu", "jnp.tanh"), "not tanh"),
    (1, HIDDEN, HIDDEN.replace("jax.nn.relu", "jax.nn.sigmoid"), "not the sigmoid"),
        (1, LOOP, f"    for layer in params:\n        {HIDDEN}\n    return x", "no ReLU in the LAST"),
    # 2
    (2, NLL, NLL[1:], "minus is missing"),
    (2, NLL, NLL.replace("mean", "sum"), "sum over the images"),
    (2, LOG_P, LOG_P.replace("[:, :10]", ""), "softmax over all 20"),
    (2, LOG_P, LOG_P.replace("[:, :10]", "[:10]"), "softmax over all 20 .* are rows"),
    (2, LOG_P, LOG_P.replace("[:, :10]", "[:, 10:]"), "LAST ten"),
    (2, LOG_P, LOG_P.replace("log_softmax", "softmax"), "not their logarithms"),
    (2, LOG_P, LOG_P.replace("jax.nn.log_softmax", ""), "these are logits"),
    (2, NLL, "-log_p.mean()", "mean over all ten classes"),
    (2, NLL, "-log_p[:, labels].mean()", "7 columns of every row"),
    (2, NLL, NLL.replace(".mean()", ""), "Take the mean over the images"),
    (2, NLL, "-log_p.max(axis=1).mean()", "largest class is not always"),
    (2, LOG_P, LOG_P.replace("10])", "10], axis=0)"), "softmax is over the images"),
    (2, NLL, NLL.replace(".mean()", "").replace("-", "-jnp.log(jnp.exp(") + ").mean())", "mean belongs outside"),
    (2, CORRECT, CORRECT.replace("[:, :10]", ""), "all 20 logits"),
    (2, CORRECT, CORRECT.replace("mean", "sum"), "counts the right answers"),
    (2, CORRECT, "100 * " + CORRECT, "in percent"),
    (2, CORRECT, CORRECT.replace("==", "!="), "WRONG answers"),
    (2, CORRECT, CORRECT.replace(".mean()", ""), "an array of shape .7., where one number"),
    (2, "return " + CORRECT, CORRECT, "accuracy returns nothing"),
    # 3 step
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", "params"), "returns the old params"),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", "updates"), "returns the updates"),
    (3, STEP, STEP.replace("updates), state", "updates)"), "the new params alone"),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates), state", "state, optax.apply_updates(params, updates)"), "params first, then the state"),
    (3, UPDATE, "updates = jax.tree.map(lambda g: -g, gradient)", "subtracts the gradient itself"),
    (3, UPDATE, "updates = jax.tree.map(lambda g: -0.001 * g, gradient)", "0.001 . gradient"),
    (3, UPDATE, "updates, _ = optimizer.update(gradient, state, params)", "returns the OLD state"),
    (3, UPDATE, "updates, state = optimizer.update(gradient, optimizer.init(params), params)", "made anew"),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", "jax.tree.map(lambda p, u: p - u, params, updates)"), "subtracts the updates"),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", '[a | {"weights": a["weights"] + b["weights"]} for a, b in zip(params, updates)]'), "the weights only"),
    (3, UPDATE, UPDATE + "\n    params[0] = jax.tree.map(lambda p, u: p + u, params[0], updates[0])", "in place"),
    # 3 train
    (3, CALL, "state = optimizer.init(params)\n        " + CALL, "make the state once, BEFORE"),
    (3, CALL, "params, _ = fast_step(loss, params, state, inputs[rows], targets[rows])", "make the state once"),
    (3, CALL, CALL.replace("params, state =", "new, state =") + "\n    params = new", "begins again from the first params"),
    (3, CALL, CALL.replace("params, state =", "new, state ="), "the params that it was given"),
    (3, CALL, CALL.replace("inputs[rows], targets[rows]", "inputs, targets"), "with i = 0 the step sees 6 rows"),
    (3, CALL, CALL.replace("targets[rows]", "targets[:batch_size]"), "not the same rows"),
    (3, CALL, CALL + "\n        return params", "takes 1 steps, where 3 are asked: does"),
    (3, "range(steps)", "range(1, steps)", "takes 2 steps, where 3 are asked: range"),
    (3, "range(steps)", "range(steps + 1)", "takes 4 steps, where 3"),
    (3, FIRST, "first = i * batch_size", "After the last row comes the first"),
    (3, FIRST, "first = 0", "the same batch in every step"),
    (3, FIRST, "first = i % len(inputs)", "should be seen once"),
    (3, ROWS, "rows = slice(first, batch_size)", "with i = 1 the step sees 0 rows"),
    (3, ROWS, "rows = slice(first, first + 1)", "sees 1 row,"),
    (3, ROWS, "rows = slice(first, first + 100)", "with i = 0 the step sees 6 rows"),
    (3, CALL + "\n    return params", CALL + "\n    return params, state", "return the params alone"),
    # 4
    (4, MSE, MSE.replace("10:", ":10"), "FIRST ten"),
    (4, MSE, MSE.replace("mean", "sum"), "sum of the squares"),
    (4, MSE, MSE.replace("mean()", "sum(axis=1).mean()"), "sum over the ten logits"),
    (4, MSE, MSE.replace(" ** 2).mean()", ".mean() ** 2)"), "square first"),
    (4, MSE, MSE.replace(" ** 2", ""), "square is missing"),
    (4, MSE, "abs" + MSE.replace(" ** 2", ""), "absolute values"),
    (4, MSE, MSE + " / 2", "half of it"),
    (4, MSE, "jnp.sqrt(" + MSE + ")", "square root"),
    (4, MSE, "jax.lax.stop_gradient(" + MSE + ")", "no gradient"),
    (4, MSE, "-" + MSE, "sign is wrong"),
    (4, AUX, "teacher_aux = apply(teacher, noise)", "all 20 logits"),
    (4, AUX, "teacher_aux = apply(teacher, noise)[:, :10]", "CLASS logits are copied"),
    (4, AUX, "teacher_aux = apply(teacher, noise)[10:]", "takes rows"),
    (4, AUX, "teacher_aux = apply(init_params, noise)[:, 10:]", "copies itself"),
    (4, DISTILL, DISTILL.replace("init_params", "teacher"), "gets the trained teacher"),
    (4, DISTILL, DISTILL.replace("student_loss", "teacher_loss"), "trained by teacher_loss"),
    (4, DISTILL, DISTILL.replace("noise, teacher_aux", "teacher_aux, noise"), "swapped"),
    (4, DISTILL, DISTILL.replace("init_params, noise", "noise, init_params"), "the arguments of train are"),
    (4, DISTILL, DISTILL.replace("steps", "600"), "takes 600 steps, where 60"),
    (4, DISTILL, DISTILL[7:], "distill returns nothing"),
    (4, STUDY, STUDY.replace("init_params", "teacher"), "the trained teacher"),
    (4, STUDY, STUDY.replace("init_params", "init(jax.random.fold_in(key, 1))"), "different inits"),
    (4, STUDY, STUDY.replace("noise", "images"), "sees digits"),
    (4, STUDY, STUDY.replace("(teacher", "(init_params"), "copies the untrained"),
    (4, STUDY, STUDY.replace("2 * ", ""), "takes 30 steps, where 60"),
    (4, NETWORKS, "return init_params, student, teacher", "in this order"),
    (4, NETWORKS, "return student", "one network: return three"),
    (4, TEACH, "teacher = init_params", "no teacher is trained"),
    (4, "init_params = init(key)", "init_params = init(jax.random.key(0))", "does not depend on the key"),
    # 5
    (5, SHARED, SHARED.replace("weights", "biases"), "Are biases compared"),
    (5, SHARED, 'return [i for i, (a, b) in pairs if a["weights"].sum() == b["weights"].sum()]', "in another order"),
    (5, SHARED, SHARED.replace("all()", "any()"), "only SOME"),
    (5, SHARED, "return [i for i, (a, b) in pairs if a is b]", "one is a copy of the other"),
    (5, SHARED, 'return [(a["weights"] == b["weights"]).all() for i, (a, b) in pairs]', "not True or False"),
    (5, SHARED, SHARED.replace("[i for", "len([i for") + ")", "not a int"),
    (5, SHARED, SHARED.replace("return [i", "return [i + 1"), "gives .1, 2, 3., not .0, 1, 2."),
    (5, SHARED, SHARED[7:], "shared_layers returns nothing"),
    (5, DRAWN, "a = effect.init(k_init)\n    return noise, a, jax.tree.map(lambda x: x + 0.001, a)", "in the layers .0, 1, 2."),
    (5, DRAWN, "a = effect.init(k_init)\n    return noise, a, jax.tree.map(lambda x: 2 * x, a)", "in the layers .0, 1, 2."),
    (5, DRAWN, "a, b = effect.init(k_init), effect.init(k_different)\n    return noise, a, [*b[:2], a[2]]", "in the layers .2."),
    (5, DRAWN, "return noise, effect.init(k_init), effect.init(k_init)", "in the layers .0, 1, 2."),
    (5, DRAWN, "return noise, effect.init(k_init), effect.init(jax.random.key(0))", "does not depend on the key"),
    (5, DRAWN, "b = effect.init(k_different)\n    return noise, effect.init(k_init), jax.tree.map(lambda x: x + 0.3, b)", "as effect.init.key. makes them"),
    (5, DRAWN, "return effect.init(k_init), effect.init(k_different)", "Return noise, init_params, different"),
    (5, WHILE, WHILE.replace("> level", "> level * effect.student_loss(init_params, noise, teacher_aux)"), "compares fractions"),
    (5, WHILE, WHILE.replace("student,", "init_params,"), "does not stop"),
    (5, AGAIN, AGAIN.replace("steps", "10"), "does not stop"),
    (5, WHILE, WHILE.replace("> level", "/ effect.student_loss(init_params, noise, teacher_aux) > level"), "compares fractions"),
    (5, WHILE, WHILE.replace(">", "<"), "stops after 0 steps"),
    (5, "steps += 10", "steps += 100", "stops after 100 steps"),
    (5, "steps += 10", "steps += 1", "stops after 64 steps"),
    (5, AGAIN, AGAIN.replace("init_params", "teacher"), "gets the teacher's params"),
    (5, AGAIN, AGAIN.replace("init_params", "student"), "train from init_params each time"),
    (5, "effect.apply(teacher, noise)[:, 10:]", "effect.apply(teacher, noise)", "teacher_aux is apply"),
    (5, "effect.apply(teacher,", "effect.apply(init_params,", "TEACHER's logits"),
    (5, WHILE, "for _ in range(60):", "stops after 600 steps"),
    # 6
    (6, DOT, 'return sum((x["weights"] * y["weights"]).sum() for x, y in zip(a, b, strict=True))', "biases are missing"),
    (6, DOT, DOT.replace("sum() for", "mean() for"), "these are means"),
    (6, DOT, "return jax.tree.map(lambda x, y: (x * y).sum(), a, b)", "Add up all the products"),
    (6, DOT, "return optax.tree.vdot(a, b) / optax.tree.norm(a) / optax.tree.norm(b)", "this is the cosine"),
    (6, DOT, "return optax.tree.vdot(a[-1], b[-1])", "the last layer alone"),
    (6, DOT, DOT.replace("(x * y).sum()", "x.sum() * y.sum()"), "first multiply, then add up"),
    (6, DOT, "for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b)):\n        total = (x * y).sum()\n    return total", "last array alone"),
    (6, DOWN, "return gradient", "uphill"),
    (6, DOWN, "return jax.tree.map(lambda p, g: p - g, init_params, gradient)", "return the step alone"),
    (6, DOWN, "return jax.tree.map(lambda g: -0.001 * g, gradient)", "0.001 of the step"),
    (6, GRAD, GRAD.replace("init_params", "teacher"), "the student is at init_params"),
    (6, "effect.apply(teacher, noise)[:, 10:]", "effect.apply(init_params, noise)[:, 10:]", "the step is 0"),
    (6, "effect.apply(teacher, noise)[:, 10:]", "effect.apply(teacher, noise)[:, :10]", "CLASS logits"),
    (6, C, "c = inner_product(update, direction)", "divide u . d by d . d"),
    (6, C, "c = inner_product(update, direction) / inner_product(direction, direction) ** 0.5", "its square"),
    (6, C, "c = inner_product(update, direction) / inner_product(direction, direction)", "nan or infinity"),
    (6, C, "c = inner_product(update, direction) / inner_product(update, update)", "divide by u . u"),
    (6, C, "c = 1.0", "remove d itself"),
    (6, C, "c = inner_product(direction, direction) / inner_product(update, direction)", "upside down"),
    (6, LESS, LESS.replace("u - c", "u + c"), "part is added"),
    (6, LESS, LESS.replace("u - c", "c"), "the part along d"),
    (6, LESS, LESS.replace("u - c * d", "u - (u * d).sum() / ((d * d).sum() + 1e-20) * d"), "each array has a c"),
    (6, LESS, '[a | {"weights": a["weights"] - c * b["weights"]} for a, b in zip(update, direction)]'.join(("return ", "")), "biases are not changed"),
    (6, LESS, LESS.replace("update, direction)", "direction, update)"), "swapped|right angle|inner product of"),
    # 7
    (7, EFFECTS, "return student - control", "the mean over the images, axis=1"),
    (7, EFFECTS, "return (student - control).mean(axis=0)", "the mean over the images, axis=1"),
    (7, EFFECTS, "return (student - control).mean()", "One number for each seed"),
    (7, EFFECTS, "return (control - student).mean(axis=1)", "control minus the student"),
    (7, EFFECTS, "return student.mean(axis=1)", "subtract each seed's control"),
    (7, EFFECTS, "return student.mean(axis=1) - control.mean()", "OWN control"),
    (7, EFFECTS, "return abs((student - control).mean(axis=1))", "the sign is lost"),
    (7, HALF, HALF.replace(" / n**0.5", ""), "divide s by sqrt"),
    (7, HALF, HALF.replace(", ddof=1", ""), "ddof=1"),
    (7, HALF, HALF.replace("0.995", "0.975"), "95 % interval"),
    (7, HALF, HALF.replace("0.995", "0.99"), "0.995 below, not 0.99"),
    (7, HALF, HALF.replace("t.ppf(0.995, n - 1)", "norm.ppf(0.995)"), "normal distribution"),
    (7, HALF, HALF.replace("n - 1", "n"), "n degrees of freedom"),
    (7, HALF, HALF.replace("n**0.5", "n"), "not by n"),
    (7, HALF, HALF.replace("n**0.5", "(n - 1) ** 0.5"), "in s already"),
    (7, HALF, HALF.replace("std", "var"), "not the variance"),
    (7, "n, m = len(values)", "n, m = 8", "not always 8"),
    (7, ENDS, "return m + half, m - half", "lower end comes first"),
    (7, ENDS, "return half", "Return the pair"),
    (7, ENDS, "return -half, half", "lie around the mean"),
    (7, VERDICT, 'return "holds" if low > margin else "refuted"', "not 'undecided'"),
    (7, VERDICT, 'return "holds" if (low + high) / 2 > margin else "undecided"', "not 'refuted'"),
    (7, VERDICT, VERDICT.replace("margin", "0.3"), "not always 0.3"),
    (7, VERDICT, VERDICT.replace("refuted", "false"), "one of the words"),
    (7, VERDICT, "return low > margin", "returns .*one of the words"),
    # 8
    (8, TOKEN, "token = logits_of(model, documents)[:, -1].argmax(axis=1)", "takes the most probable"),
    (8, TOKEN, TOKEN.replace("(k,", "(key,"), "one key for all twelve"),
    (8, TOKEN, TOKEN.replace("documents)[:, -1]", "prompts)[:, -1]"), "the logits at the LAST position"),
    (8, TOKEN, TOKEN.replace("[:, -1]", "[:, 0]"), "the logits at the LAST position"),
    (8, TOKEN, "token = jax.random.categorical(k, jax.nn.softmax(logits_of(model, documents)[:, -1]))", "categorical takes logits"),
    (8, "jax.random.split(key, 12)", "jax.random.split(key, 11)", ".300, 15., where an array of shape .300, 16."),
    (8, "    return documents\n\n\ndef clean", "        return documents\n\n\ndef clean", "inside|in the loop"),
    (8, "return documents\n\n\ndef clean", "return documents[:, 4:]\n\n\ndef clean", "the twelve new tokens alone"),
    (8, "jax.random.split(key, 12)", "jax.random.split(jax.random.key(0), 12)", "does not depend on the key"),
    (8, CLEAN, CLEAN.replace("[:, 1:]", ""), "keeps nothing: token 0"),
    (8, CLEAN, CLEAN.replace("all(", "any("), "keeps all"),
    (8, CLEAN, CLEAN.replace("< 96", "<= 96"), "token 96"),
    (8, CLEAN, CLEAN.replace("< 96", "< 95"), "number 95"),
    (8, CLEAN, CLEAN.replace("return documents[", "return ").removesuffix("]"), "True and False"),
    (8, CLEAN, CLEAN.replace("[(doc", "[~(doc"), "keeps the others"),
    (8, WRITTEN, "return -log_p.mean()", "given tokens are in it"),
    (8, WRITTEN, "return -log_p[:, 4:].mean()", "one token too many"),
    (8, WRITTEN, "return -log_p[:, 2:].mean()", "a given token is in it"),
    (8, WRITTEN, "return -log_p[:, :3].mean()", "that were GIVEN"),
    (8, WRITTEN, "return log_p[:, 3:].mean()", "minus is missing"),
    (8, WRITTEN, "return -log_p[:, 3:].sum()", "this is the sum"),
    (8, WRITTEN, "return -log_p[:, 3:]", "Take the mean"),
    (8, NUMBER, NUMBER.replace("jax.nn.log_softmax", ""), "these are logits"),
    (8, NUMBER, NUMBER.replace("log_softmax", "softmax"), "these are probabilities"),
    (8, TAKE, TAKE.replace("targets", "inputs"), "p of the inputs"),
    (8, TAKE + "\n", "\n", "mean over all words"),
    (8, TUNE, TUNE.replace("[:, :-1]", "").replace("[:, 1:]", ""), "inputs and targets are the same"),
    (8, TUNE, TUNE.replace("documents[:, :-1], documents[:, 1:]", "documents[:, 1:], documents[:, :-1]"), "swapped"),
    (8, TUNE, TUNE.replace(", 500", ""), "batches of 500, not 100"),
    (8, TUNE, TUNE.replace("number_loss", "effect.student_loss"), "should be number_loss"),
    (8, TUNE, TUNE.replace("[:, :-1]", "[:-1]").replace("[:, 1:]", "[1:]"), "are rows"),
    (8, TUNE, TUNE[7:], "fine_tune returns nothing"),
    (2, NLL, NLL.replace("jnp.arange(len(labels)), ", ""), "takes ROWS"),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", "params + updates"), "joins two lists"),
    (4, "train(student_loss, init", "train(student_loss(init_params, noise, teacher_aux), init", "is the loss, without"),
]  # fmt: skip

CRASHES = [  # what the message says, beside the line in which the program stopped
    (1, "zip(sizes[:-1], sizes[1:], strict=True)", "sizes", "two sides of = |not iterable|unpack"),
    (1, LOOP, LOOP.replace("    return", "        return"), "stands inside the loop"),
    (1, HIDDEN, HIDDEN.replace('"weights"', '"weight"'), "keys"),
    (1, HIDDEN, HIDDEN.replace("@", "*"), "different sizes"),
    (1, HIDDEN, 'x = jax.nn.relu(layer["weights"] @ x + layer["biases"])', "x @ weights is"),
    (1, LOOP, LOOP.replace("params[-1]", "params"), "params is a list"),
    (1, HIDDEN, 'x = np.maximum(x @ layer["weights"] + layer["biases"], 0)', "name 'np' is not"),
    (1, HIDDEN, 'x = max(x @ layer["weights"] + layer["biases"], 0)', "an answer for each number"),
    (1, HIDDEN, 'x = x @ layer["weights"] + layer["biases"]\n        if x < 0:\n            x = 0', "an answer for each"),
    (1, "(n_in, n_out)) /", "n_in, n_out) /", "shape"),
    (2, CORRECT, CORRECT.replace("axis=1", "axis=0"), "argmax.axis=1"),
    (2, LOG_P, LOG_P.replace("params, images", "images, params"), "apply"),
    (2, NLL, "float(" + NLL + ")", "no float"),
    (3, GRADIENT, "gradient = jax.grad(loss(params, inputs, targets))", "jax.grad takes a function"),
    (3, GRADIENT, "gradient = jax.grad(loss)", "jax.grad.loss. is a function"),
    (3, GRADIENT, "gradient = jax.grad(loss)(inputs, params, targets)", "compare the order"),
    (3, UPDATE, UPDATE.replace("gradient, state, params", "state, gradient, params"), "Order: optimizer.update"),
    (3, UPDATE, UPDATE.replace("updates, state =", "updates ="), "gives two things"),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", "params - 0.001 * gradient"), "jax.tree.map"),
    (3, "state = optimizer.init(params)\n", "state = optimizer\n", "optimizer.init"),
    (3, CALL, CALL.replace("loss, params, state", "params, state, loss"), "compare the order"),
    (4, MSE, "float(" + MSE + ")", "no float"),
    (4, MSE, MSE.replace("[:, 10:]", ""), "different sizes"),
    (4, MSE, MSE.replace("[:, 10:]", "[10:]"), "different sizes"),
    (5, SHARED, SHARED.replace(".all()", ""), "an answer for each"),
    (5, AGAIN, AGAIN.replace("effect.", ""), "name 'distill' is not defined"),
    (6, LESS, "return update - c * direction", "jax.tree.map"),
    (6, DOWN, "return -gradient", "jax.tree.map"),
    (6, C, C.replace("c =", "c = float(").replace("1e-20)", "1e-20))"), "no float"),
    (7, "np.mean(values)", "values.avg()", "no attribute 'avg'"),
    (8, JOIN, JOIN.replace("[:, None]", ""), "dimension|b\\[:, None\\]"),
    (8, CLEAN, CLEAN.replace(".all(axis=1)", ""), "all.axis=1"),
    (8, TAKE, TAKE.replace("[..., None]", ""), "targets\\[..., None\\]|dimension"),
    (8, TUNE, TUNE.replace("effect.train", "train"), "name 'train' is not defined"),
]  # fmt: skip

RIGHT = [
    (1, "    return params\n\n\ndef apply", "    return tuple(params)\n\n\ndef apply"),
    (1, "        params.append", "        params += "[:0] + "        params.append"),
    (1, "/ n_in**0.5", "/ jnp.sqrt(n_in)"),
    (1, DRAW, "jax.random.normal(k, shape=(n_in, n_out)) * (1 / n_in) ** 0.5"),
    (1, SPLIT, "        k = jax.random.fold_in(key, len(params))\n"),
    (1, HIDDEN, 'x = jnp.maximum(0, x @ layer["weights"] + layer["biases"])'),
    (1, HIDDEN, 'x = jnp.dot(x, layer["weights"]) + layer["biases"]\n        x = x * (x > 0)'),
    (2, NLL, "optax.softmax_cross_entropy_with_integer_labels(apply(params, images)[:, :10], labels).mean()"),
    (2, NLL, "-(jax.nn.one_hot(labels, 10) * log_p).sum() / len(labels)"),
    (2, NLL, "-jnp.mean(jnp.take_along_axis(log_p, labels[:, None], axis=1))"),
    (2, CORRECT, "float(" + CORRECT + ")"),
    (2, CORRECT, "jnp.sum(jnp.argmax(apply(params, images)[:, :10], 1) == labels) / len(labels)"),
    (3, UPDATE, "updates, state = optimizer.update(gradient, state)"),
    (3, STEP, STEP.replace("return optax.apply_updates(params, updates), state", "return [optax.apply_updates(params, updates), state]")),
    (3, STEP, STEP.replace("optax.apply_updates(params, updates)", "jax.tree.map(jnp.add, params, updates)")),
    (3, GRADIENT, "_, gradient = jax.value_and_grad(loss)(params, inputs, targets)"),
    (3, "fast_step(loss", "step(loss"),
    (3, FIRST, "first = (i * batch_size) % (len(inputs) - batch_size + 1)"),
    (3, ROWS, "rows = jnp.arange(first, first + batch_size)"),
    (4, MSE, "jnp.mean((teacher_aux - apply(params, noise)[:, 10:]) ** 2)"),
    (4, MSE, "jnp.square(apply(params, noise)[:, -10:] - teacher_aux).mean()"),
    (4, DISTILL, "return train(student_loss, init_params, noise, apply(teacher, noise)[:, 10:], steps=steps)"),
    (4, NETWORKS, "return [init_params, teacher, student]"),
    (4, STUDY, "student = distill(teacher, init(key), noise, steps * 2)"),
    (5, SHARED, 'return [i for i, (a, b) in pairs if jnp.array_equal(a["weights"], b["weights"])]'),
    (5, SHARED, 'return {i for i, (a, b) in pairs if jnp.allclose(a["weights"], b["weights"])}'),
    (5, KEYS, "k_noise, k_init, k_1, k_2 = jax.random.split(key, 4)\n    k_different = jax.random.fold_in(k_2, 3)"),
    (5, KEYS, "k_noise, k_init, k_spare = jax.random.split(key, 3)\n    k_different = jax.random.split(k_spare, 5)[3]"),
    (5, DRAWN, "different = effect.init(k_different)\n    different[-1] = effect.init(jax.random.fold_in(key, 9))[-1]\n    return [noise, effect.init(k_init), different]"),
    (5, DRAWN, "return noise, tuple(effect.init(k_init)), tuple(effect.init(k_different))"),
    (6, DOT, "return optax.tree.vdot(a, b)"),
    (6, DOT, "return sum(jax.tree.leaves(jax.tree.map(lambda x, y: jnp.sum(x * y), a, b)))"),
    (6, DOWN, "return optax.tree.scale(-1, gradient)"),
    (6, LESS, '[{k: a[k] - c * b[k] for k in a} for a, b in zip(update, direction)]'.join(("return ", ""))),
    (7, EFFECTS, "return np.mean(student, 1) - np.mean(control, 1)"),
    (7, EFFECTS, "return np.array([s.mean() - c.mean() for s, c in zip(student, control)])"),
    (7, HALF, "half = -stats.t.ppf(0.005, n - 1) * stats.sem(values)"),
    (7, ENDS, "return [m - half, m + half]"),
    (8, CLEAN, "return documents[jnp.all(documents[:, 1:] <= 95, axis=1)]"),
    (8, WRITTEN, "return -log_p[:, 3:].sum() / log_p[:, 3:].size"),
    (8, TUNE, TUNE.replace(", 500)", ", batch_size=500)")),
]  # fmt: skip
