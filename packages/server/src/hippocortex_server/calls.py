"""One request under way: what is known about it so far, and the answers it can get."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.types import Scope

from hippocortex_core.envelope import failure, success
from hippocortex_core.errors import HippocortexError, InternalError
from hippocortex_server.limits import Allowance

_PLACE = "hippocortex"


@dataclass(slots=True)
class Call:
    """A request.

    Attributes:
        request_id: What logs and answers call it.
        started: When it came, by `time.perf_counter`.
        operation: What it asks for; empty until that is known.
        tenant_id: Whose key it carries; None until that is known.
        allowance: What its key may still do.
        headers: More headers of the answer.
    """

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    operation: str = ""
    tenant_id: str | None = None
    allowance: Allowance | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, scope: Scope) -> Call:
        """The call that the scope was opened for."""
        call: Call = scope[_PLACE]
        return call

    def open(self, scope: Scope) -> None:
        """Make this the call of the scope."""
        scope[_PLACE] = self

    @property
    def milliseconds(self) -> float:
        """How long it has taken so far."""
        return round((time.perf_counter() - self.started) * 1000, 3)

    def result(self, data: object) -> Response:
        """The answer that holds a result."""
        return self._answer(200, success(data, self._meta()))

    def error(self, error: HippocortexError, headers: Mapping[str, str] | None = None) -> Response:
        """The answer that says what went wrong."""
        more = dict(headers or {})
        if error.retry_after is not None:
            more["Retry-After"] = str(max(1, -int(-error.retry_after // 1)))
        if error.status_code == 401:  # noqa: PLR2004
            more["WWW-Authenticate"] = 'Bearer realm="hippocortex"'
        return self._answer(error.status_code, failure(error, self._meta()), more)

    def fields(self, **more: object) -> dict[str, object]:
        """What a line of the log says of it, and more."""
        known = {"tenant_id": self.tenant_id, "operation": self.operation or None}
        return {"request_id": self.request_id, **known, **more}

    def _meta(self) -> dict[str, Any]:
        return {
            "requestId": self.request_id,
            "tenantId": self.tenant_id,
            "durationMs": self.milliseconds,
        }

    def _answer(
        self, status: int, envelope: object, headers: Mapping[str, str] | None = None
    ) -> Response:
        said = self.allowance.headers if self.allowance is not None else {}
        # Escaped, so that whatever a message quotes can be sent.
        body = json.dumps(envelope, separators=(",", ":")).encode()
        return Response(
            body,
            status,
            {**said, **self.headers, **(headers or {})},
            media_type="application/json",
        )


def unexpected() -> InternalError:
    """What a caller is told about a fault of ours: nothing but where to find it."""
    return InternalError("the server failed; its log says why, under this request's id")
