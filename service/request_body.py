"""Read the body of a request: JSON of a bounded size within a bounded time, checked against what is expected.

The reader of JSON that FastAPI brings takes NaN, lone surrogates, keys that stand twice and any depth, and has read a
body of any size before it says no.
"""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import Message
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from malmoi.data.json_object import DECODER
from malmoi.service.limits import Limits
from malmoi.service.service_errors import ServiceError

Body = TypeVar("Body", bound=BaseModel)


def body_reader(kind: type[Body], limits: Limits) -> Callable[[Request], Awaitable[Body]]:
    """Return a dependency of FastAPI that reads the body of a request.

    Args:
        kind: What it must hold.
        limits: The limits of the service.
    """

    async def read(request: Request) -> Body:
        check_headers(request.headers, limits)
        try:
            raw = await asyncio.wait_for(_read(request, limits), limits.timeout)
        except asyncio.TimeoutError:
            raise ServiceError("slow_body", f"The body did not arrive within {limits.timeout:g} seconds.") from None
        except ClientDisconnect:
            raise ServiceError("client_gone", "The client has hung up.") from None
        return parse_body(raw, kind)

    return read


def check_headers(headers: Headers, limits: Limits) -> None:
    """Check what the headers of a request say of its body, before any of it is read.

    Raises:
        ServiceError: If it is no JSON in UTF-8, is compressed, or is too large.
    """
    kind = Message()
    kind["Content-Type"] = headers.get("content-type", "")
    if kind.get_content_type() != "application/json" or kind.get_content_charset("utf-8") not in ("utf-8", "utf8"):
        raise ServiceError("unsupported_media_type", "Expected the Content-Type application/json, in UTF-8.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ServiceError("unsupported_media_type", "Expected a body that is not compressed.")
    length = headers.get("content-length", "")
    if length.isdigit() and (len(length) > 15 or int(length) > limits.max_body):
        raise _too_large(limits)


async def _read(request: Request, limits: Limits) -> bytes:
    """Return the body; stop reading as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.max_body:
            raise _too_large(limits)
    return bytes(body)


def parse_body(raw: bytes, kind: type[Body]) -> Body:
    """Return what a body holds.

    Raises:
        ServiceError: If it is no JSON, or not what is expected; only the first fault is told.
    """
    try:
        values = from_json(raw, allow_inf_nan=False)
        DECODER.decode(raw.decode())  # which refuses a key that stands twice, of which another program may take either
    except ValueError as error:
        raise ServiceError("invalid_json", f"Expected JSON in UTF-8: {error}.") from None
    if not isinstance(values, dict):
        raise ServiceError("invalid_request", "Expected an object of JSON.")
    # pydantic would tell all of them, and there may be a hundred thousand
    unknown = next((key for key in values if key not in kind.model_fields), None)
    if unknown is not None:
        known = ", ".join(kind.model_fields)
        raise ServiceError("invalid_request", f"There is no such field; known are {known}.", field=unknown[:100])
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        said = first["msg"].removeprefix("Value error, ")  # which stands before what our own validators say
        if first["type"] == "list_type":
            said = 'Expected a list, such as ["..."]'
        raise ServiceError("invalid_request", f"{said[:1].upper()}{said[1:]}.", field=_place(first["loc"])) from None


def _place(location: tuple[int | str, ...]) -> str:
    """Return where in a body something is, such as `texts[3]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _too_large(limits: Limits) -> ServiceError:
    return ServiceError("body_too_large", f"A body may have {limits.max_body} bytes at most.")
