"""The application: routes, what surrounds them, and how it starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count
from secrets import token_hex
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hippocortex_core.errors import ErrorDetail, HippocortexError, NotFoundError, ValidationError
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.storage.database import Database
from hippocortex_engine.version import VERSION
from hippocortex_server.calls import Call
from hippocortex_server.docs import docs_page
from hippocortex_server.home import Home
from hippocortex_server.measuring import CONTENT_TYPE
from hippocortex_server.middleware import Surroundings
from hippocortex_server.openapi import document
from hippocortex_server.routes import routes
from hippocortex_server.settings import ServerSettings
from hippocortex_server.tracing import Tracing

# A newer FastAPI traces and exports by itself where the environment says so; here that is a
# matter of the settings.  Older ones ignore the argument.
_NO_TELEMETRY: dict[str, Any] = {
    "telemetry": {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
}


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """What the operations and the types of core say."""
        return document()


def request_ids() -> Callable[[], str]:
    """Makes request ids: random for each process, then counted, which costs next to nothing."""
    process, numbers = token_hex(8), count(1)
    return lambda: f"req_{process}{next(numbers):08x}"


def create_app(
    settings: ServerSettings,
    *,
    database: Database | None = None,
    clock: Clock = system_clock,
    ids: Callable[[], str] | None = None,
) -> FastAPI:
    """The server's application.

    Args:
        settings: how it is set up.
        database: where the memories are; default: opened from the settings' URL.  One that is
            given is not closed.
        clock: milliseconds since the epoch.
        ids: makes request ids; default: random ones.

    Raises:
        ConfigurationError: the settings cannot be met.
        MissingExtraError: they ask for traces, and OpenTelemetry is not installed.
        UnavailableError: the store does not answer.
    """
    tracing = Tracing() if settings.otel else None
    home = Home(settings, database, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        await home.close()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)

    async def metrics(_: Request) -> Response:
        return Response(await asyncio.to_thread(home.measures.text), media_type=CONTENT_TYPE)

    app = _App(
        title="Hippocortex",
        version=VERSION,
        routes=[
            *routes(home),
            Route("/metrics", metrics),
            Route("/docs", docs_page),
        ],
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _refuse},
        **_NO_TELEMETRY,
    )
    app.add_middleware(Surroundings, measures=home.measures, new_id=ids or request_ids())
    if tracing is not None:
        tracing.attach(app)
    return app


async def _refuse(request: Request, refusal: Exception) -> Response:
    """An envelope for what no route takes."""
    assert isinstance(refusal, HTTPException)
    call = Call.of(request.scope)
    allowed = sorted((refusal.headers or {}).get("Allow", "").replace(" ", "").split(","))
    if refusal.status_code == 405:  # noqa: PLR2004
        error = _wrong_method(request.method, ", ".join(allowed))
        return call.error(error, {"Allow": ", ".join(allowed)})
    return call.error(NotFoundError("there is nothing at this path; see /docs"))


def _wrong_method(method: str, allowed: str) -> HippocortexError:
    detail = ErrorDetail("method", f"must be one of {allowed}, got {method}")
    return ValidationError(f"method: {detail.message}", details=[detail], status_code=405)
