"""Whether a name may be that of a repository on the Hub, by the rules of huggingface_hub."""

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from malmoi.data.notice import one_line


def fault_of_name(name: str) -> str | None:
    """Return what keeps a name from being one on the Hub; `None` if it may be one."""
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        return one_line(error)
    return None
