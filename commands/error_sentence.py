"""What is said of an error that the user can mend: one sentence, in whichever process it was raised."""

import errno

from malmoi.commands.start_up import is_left_out
from malmoi.data.user_error import UserError

TOLD = (UserError, OSError, ModuleNotFoundError)
"""What may be such an error. `OSError`: a folder that may not be written to, a full disk."""


def error_sentence(error: Exception) -> str | None:
    """Return an error in a sentence, or `None` for one that nobody has thought of, whose traceback is needed.

    Of what the system says it is that without its number, behind the file that it is about.
    """
    if isinstance(error, ModuleNotFoundError):
        return (
            f"this needs {error.name}, which is not installed here: pip install malmoi."
            if is_left_out(error)
            else None
        )
    if not isinstance(error, TOLD):
        return None
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    # of a copy the first is what was read, and no disk is too full to be read
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT) and error.filename2 is not None
    name = error.filename2 if is_full else error.filename
    return f"{'' if name is None else f'{name}: '}the system says: {error.strerror}."
