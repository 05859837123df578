"""Whether optuna is there, which a search needs; nothing else is imported before that is known."""

from importlib.util import find_spec

from malmoi.data.user_error import UserError


def require_optuna() -> None:
    """Check that optuna is installed.

    Raises:
        UserError: If not.
    """
    if find_spec("optuna") is None:
        raise UserError("A search of hyper-parameters needs optuna: `pip install malmoi[tune]`.")
