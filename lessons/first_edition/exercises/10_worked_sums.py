# %% [markdown]
# # Exercise 10: is this worked sum right?
#
# After lesson 10. 15 minutes, medium. The filter of the worked sums keeps a text only if all of it
# is right: expressions with "=" between them, all of one value, the last a single number.
#
#     7 + 5 = 7 + 3 + 2 = 12        keep
#     7 + 5 = 7 + 3 + 3 = 12        drop: 7 + 3 + 3 is 13
#     7 + 5 = 7 + 3 + 2             drop: it does not end with the answer
#
# Words are separated by spaces, and are whole numbers (digits alone), "+" and "=". Anything else,
# however it is put, is dropped; nothing in a text may make your function fail.


# %%
def is_right(text):
    """A text -> whether it is a worked sum, right in all its parts (True or False)."""
    raise NotImplementedError("write is_right, then run this file again")


# %% [markdown]
# ## The check: sums that are right because they were built so, and what becomes of them if spoilt


# %%
def check(is_right):
    for a in range(1, 8):
        for b in range(2, 9):
            step, wrong = f"{a} + {b - 1} + 1", f"{a} + {b - 1} + 2"
            good = f"{a} + {b} = {step} = {a + b}"
            assert is_right(good) is True, f"right, and dropped: {good}"
            assert is_right(f"{a} + {b} = {a + b}") is True, "a sum without steps is a sum as well"
            bad = {
                f"{a} + {b} = {step} = {a + b + 1}": "the answer is wrong",
                f"{a} + {b} = {wrong} = {a + b}": "the answer is right, a step on the way is not",
                f"{a} + {b} = {step}": "there is no answer at the end",
                f"{a + b}": "a number alone is no sum",
                f"{a + b} = {a + b}": "nothing is added up",
                f"{a} + {b} = {a + b} owl": "there is a word that has no business here",
                f"{a} + {b} == {a + b}": "== is not a word of these sums",
                f"{a} + + {b} = {a + b}": "a number is missing between the signs",
                f"{a} + {b} = = {a + b}": "there is nothing between two = signs",
                f"{a} + -1 + {b + 1} = {a + b}": "numbers are digits alone: no minus sign",
                "": "it is empty",
            }
            for text, why in bad.items():
                try:
                    kept = is_right(text)
                except Exception as error:
                    raise AssertionError(f"it failed on {text!r} with {error!r}") from error
                assert kept is False, f"wrong, and kept, though {why}: {text!r}"


# %% [markdown]
# **An open question.** This filter looks at the sums alone, and it is strict. Which choices does it
# leave to the writer of a text it keeps? Count them for 7 + 5. How many bits of a trait could pass?

# %%
if __name__ == "__main__":
    check(is_right)
    print("All checks pass.")
