"""The root of all errors that are the input's fault and are shown to the user as one sentence."""


class UserError(ValueError):
    """Something outside the program is wrong: a file, a flag, the network. The message says what and where."""
