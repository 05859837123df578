"""What a service answers if it cannot answer: a status, a code for programs, a sentence for people."""

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class ServiceError(Exception):
    """A request cannot be answered.

    Args:
        code: A word for programs, one of `STATUSES`, which gives it a status of HTTP.
        message: A sentence for people. It holds nothing of a text.
        field: The part of the request that is wrong, such as `texts[3]`.
        retry_after: Seconds after which another try may succeed.
    """

    def __init__(self, code: str, message: str, *, field: str | None = None, retry_after: int | None = None):
        super().__init__(message)
        self.status = STATUSES[code]
        self.code = code
        self.message = message
        self.field = field
        self.retry_after = retry_after

    def response(self) -> JSONResponse:
        """Return the answer. A connection over which more of the request may still come is closed after it."""
        headers = {"Connection": "close"} if self.code in ENDING else {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        error = {"code": self.code, "message": self.message, "field": self.field}
        return JSONResponse({"error": error}, self.status, headers)


STATUSES = {
    "invalid_json": 400,
    "not_found": 404,
    "unknown_model": 404,
    "method_not_allowed": 405,
    "slow_body": 408,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "invalid_request": 422,
    "too_many_texts": 422,
    "text_too_long": 422,
    "wrong_task": 422,
    "queue_full": 429,
    "client_gone": 499,
    "internal_error": 500,
    "loading": 503,
    "stopping": 503,
    "timeout": 503,
}
"""The status of each code. 499, for a client that has hung up, is seen in logs and metrics only."""
ENDING = {"body_too_large", "unsupported_media_type", "slow_body"}
"""The codes after which the connection is closed."""


async def answer_service_error(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that cannot be answered."""
    assert isinstance(error, ServiceError)
    return error.response()


async def answer_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer a request to a path that does not exist, or by a method that it does not have, in the same form."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        response = ServiceError("method_not_allowed", f"{request.method} is no method of this path.").response()
        response.headers.update(error.headers or {})
        return response
    return ServiceError("not_found", "There is nothing at this path; /openapi.json lists what there is.").response()
