"""The answer's envelope: `{ok, data, meta}` or `{ok: false, error: {code, message, details}}`.

Both directions in one place, so that client and server cannot drift.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from hippocortex_core.codec import camel_path, snake_path
from hippocortex_core.errors import (
    ERRORS,
    ErrorDetail,
    HippocortexError,
    InternalError,
    UnauthorizedError,
    UnavailableError,
    ValidationError,
)

_EXCERPT = 120
_CLASSES: Mapping[int, type[HippocortexError]] = {
    **{cls.status: cls for cls in ERRORS.values() if cls.status},
    407: UnauthorizedError,
    422: ValidationError,
    502: UnavailableError,
    504: UnavailableError,
}
"""What an error is when its status is all that is known."""


@dataclass(frozen=True)
class Response:
    """What a service answered; header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


def success(data: object, meta: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope of a result."""
    return {"ok": True, "data": data, "meta": dict(meta)}


def failure(error: HippocortexError, meta: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope of an error, which calls fields what the request called them: in camelCase."""
    details = [{"field": camel_path(one.field), "message": one.message} for one in error.details]
    message = error.message
    if details:
        message = _renamed(message, error.details[0].field, details[0]["field"])
    said = {"code": error.code, "message": message, "details": details}
    return {"ok": False, "error": said, "meta": dict(meta)}


def unwrap(response: Response, *, retry_after: float | None = None) -> object:
    """The `data` of an answer.

    Args:
        response: What the service answered.
        retry_after: The seconds it asked to wait, to be told to the caller.

    Raises:
        HippocortexError: The service reported an error, or did not answer in the envelope.
    """
    envelope = read_envelope(response)
    if envelope is None:
        raise _no_envelope(response, retry_after)
    if envelope["ok"] is True and response.status < HTTPStatus.BAD_REQUEST and "data" in envelope:
        return envelope["data"]
    raise _reported(envelope, response, retry_after)


def read_envelope(response: Response) -> dict[str, Any] | None:
    """The answer's envelope; None if it has none."""
    try:
        answer: object = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    if isinstance(answer, dict) and "ok" in answer:
        return cast("dict[str, Any]", answer)
    return None


def _reported(
    envelope: Mapping[str, Any], response: Response, retry_after: float | None
) -> HippocortexError:
    error = _mapping(envelope.get("error"))
    code = error.get("code")
    known = ERRORS.get(code) if isinstance(code, str) else None
    message = error.get("message")
    details = _details(error.get("details"))
    if details and isinstance(message, str):
        message = _renamed(message, camel_path(details[0].field), details[0].field)
    return (known or _CLASSES.get(response.status, InternalError))(
        message if isinstance(message, str) and message else f"HTTP {response.status}",
        code=code if isinstance(code, str) and code else None,
        status_code=response.status,
        details=details,
        request_id=_request_id(envelope, response),
        retry_after=retry_after,
    )


def _renamed(message: str, field: str, name: str) -> str:
    """The message, with another name for the field that it begins with."""
    return name + message[len(field) :] if message.startswith(f"{field}:") else message


def _details(raw: object) -> list[ErrorDetail]:
    """Ours are lists of `{field, message}`; whatever another service sends is kept readable."""
    if isinstance(raw, dict):
        raw = [
            {"field": key, "message": value} for key, value in _mapping(cast("object", raw)).items()
        ]
    if not isinstance(raw, list):
        return []
    details: list[ErrorDetail] = []
    for item in cast("list[object]", raw):
        said = _mapping(item)
        place = said.get("field", said.get("path", ""))
        details.append(ErrorDetail(snake_path(str(place)), str(said.get("message", item))))
    return details


def _request_id(envelope: Mapping[str, Any], response: Response) -> str | None:
    given = _mapping(envelope.get("meta")).get("requestId") or response.headers.get("x-request-id")
    return given if isinstance(given, str) else None


def _no_envelope(response: Response, retry_after: float | None) -> HippocortexError:
    """An error about an answer that some proxy, or no Hippocortex at all, has given."""
    kind = response.headers.get("content-type", "no content type")
    text = " ".join(response.body[: 4 * _EXCERPT].decode("utf-8", "replace").split())
    shown = f": {text[:_EXCERPT]!r}" if text else ""
    moved = response.headers.get("location")
    hint = f"; it points to {moved!r}, which should perhaps be the base URL" if moved else ""
    return _CLASSES.get(response.status, InternalError)(
        f"the answer is not Hippocortex's: HTTP {response.status} with {kind}{shown}{hint}",
        status_code=response.status,
        request_id=response.headers.get("x-request-id"),
        retry_after=retry_after,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
