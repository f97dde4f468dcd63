"""The one error for what a user can mend."""


class InputError(ValueError):
    """Bad input: its message is one line that says what is wrong and what to do."""

    def __str__(self):  # a folder's name may have line ends
        return " ".join(super().__str__().split())
