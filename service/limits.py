"""What a service takes at most, so that nobody can fill its memory or make others wait for long."""

import math
from dataclasses import dataclass, fields

from malmoi.data.user_error import UserError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a service.

    Args:
        max_length: Characters of a text, at most.
        max_texts: Texts of a request, at most.
        max_body: Bytes of the body of a request, at most.
        max_queue: Characters that wait for a model. While there are as many, further requests are turned away.
        max_wait: Seconds that they will take, by the speed of late. While it is as long, they are, too: what is taken
            shall be answered in time, be the model fast or slow.
        timeout: Seconds after which a request is given up, and within which a stopping service answers what it has
            taken.

    Raises:
        UserError: If one is not positive.
    """

    max_length: int = 10_000
    max_texts: int = 1_000
    max_body: int = 1_048_576
    max_queue: int = 200_000
    max_wait: float = 5.0
    timeout: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (value > 0 and math.isfinite(value)):
                raise UserError(f"`--{field.name}` must be more than 0, got {value}.")
