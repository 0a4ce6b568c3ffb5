"""One call over the wire, without I/O: what to send, when to send it again, what came of it.

The generator yields each request; its driver, blocking or not, answers with what came back.
Retrying, `Retry-After`, headers and the mapping of errors exist only here.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from hippocortex_core._version import version
from hippocortex_core.codec import snake_path
from hippocortex_core.config import Settings
from hippocortex_core.envelope import Response, read_envelope, unwrap
from hippocortex_core.errors import (
    InternalError,
    NetworkError,
    NotFoundError,
    ValidationError,
    invalid,
)
from hippocortex_core.operations import Operation, Request
from hippocortex_core.validation import check_json

T = TypeVar("T")
RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
MAX_TARGET = 32_768
"""Characters of a path and query; common servers and proxies take no more."""


@dataclass(frozen=True)
class Unreachable:
    """No answer came: why, in a few words, and the exception that said so."""

    reason: str
    error: Exception | None = None


@dataclass(frozen=True)
class Send:
    """A request to send, `after` so many seconds; `target` comes behind the base URL."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes | None
    after: float = 0.0


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long to wait before a call is sent again.

    Attributes:
        retries: Further attempts after the first.
        base_delay: Seconds before the first retry; doubled for each further one.
        max_delay: Seconds waited at most, also when the service asks for more.
        random: A number in [0, 1) for the jitter, which takes away up to half of a delay.
        now: Seconds since the epoch, to read a `Retry-After` that is a date.
    """

    retries: int = 2
    base_delay: float = 0.5
    max_delay: float = 30.0
    random: Callable[[], float] = random.random
    now: Callable[[], float] = time.time

    def delay(self, attempt: int, reply: Response | Unreachable) -> float:
        """Seconds to wait after the attempt, counted from 0, that got this reply."""
        asked = self.retry_after(reply) if isinstance(reply, Response) else None
        if asked is not None:
            return min(asked, self.max_delay)
        return min(self.base_delay * 2**attempt, self.max_delay) * (1 - self.random() / 2)

    def retry_after(self, response: Response) -> float | None:
        """The seconds a response asks to wait, given as a number or as a date (RFC 9110)."""
        text = response.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return max(0.0, (moment - datetime.fromtimestamp(self.now(), timezone.utc)).total_seconds())


def exchange(
    operation: Operation[T], settings: Settings, policy: RetryPolicy
) -> Generator[Send, Response | Unreachable, T]:
    """Yield each request to send; return the result.

    Raises:
        HippocortexError: The call failed, or its arguments cannot be sent.
    """
    known = operation.answered()
    if known is not None:
        return known
    send = _prepare(operation.request(), settings)
    retries = policy.retries if operation.safe_to_retry else 0
    reply = yield send
    for attempt in range(retries):
        if isinstance(reply, Response) and reply.status not in RETRYABLE:
            break
        reply = yield replace(send, after=policy.delay(attempt, reply))
    if isinstance(reply, Unreachable):
        raise NetworkError(f"cannot reach {settings.location}: {reply.reason}") from reply.error
    return _read(operation, reply, policy)


def _prepare(request: Request, settings: Settings) -> Send:
    if len(request.target) > MAX_TARGET:
        longest = max(request.query or [("id", "")], key=lambda pair: len(pair[1]) or 1)[0]
        raise invalid(snake_path(longest), "is too long for one request; ask for fewer at a time")
    headers = {
        "Accept": "application/json",
        "User-Agent": f"hippocortex-python/{version()}",
        "X-Hippocortex-SDK-Version": f"python/{version()}",
    }
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    key = request.idempotency_key
    # The body carries the key too; a header cannot hold every key.
    if key and key.isascii() and key.isprintable() and key == key.strip():
        headers["Idempotency-Key"] = key
    if request.body is None:
        return Send(request.method, request.target, headers, None)
    headers["Content-Type"] = "application/json"
    return Send(request.method, request.target, headers, _to_bytes(request.body))


def _to_bytes(body: Mapping[str, Any]) -> bytes:
    try:
        text = json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return text.encode()
    except (TypeError, ValueError, RecursionError):
        raise _not_json(body) from None


def _not_json(body: Mapping[str, Any]) -> ValidationError:
    try:
        for name, value in body.items():
            check_json(name, value)
    except ValidationError as error:
        (detail,) = error.details
        return invalid(snake_path(detail.field), detail.message)
    return invalid("body", "is not JSON")


def _read(operation: Operation[T], response: Response, policy: RetryPolicy) -> T:
    if operation.extension and response.status in {404, 405, 501} and not read_envelope(response):
        raise NotFoundError(
            f"this service does not offer {operation.name!r}, which goes beyond the reference"
            f" ({operation.method} {operation.path} answered HTTP {response.status})",
            status_code=response.status,
        )
    data = unwrap(response, retry_after=policy.retry_after(response))
    try:
        return operation.parse(data)
    except ValidationError as error:
        raise InternalError(
            f"the service's answer to {operation.name!r} cannot be read: {error.message}",
            status_code=response.status,
        ) from error
