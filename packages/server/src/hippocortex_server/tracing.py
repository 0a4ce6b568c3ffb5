"""OpenTelemetry, if the settings ask for it: a span for each request, sent by OTLP.

Where to is said by the usual environment variables (`OTEL_EXPORTER_OTLP_ENDPOINT`,
`OTEL_SERVICE_NAME`...).  A span holds the URL, the route and the status; never a body or a key.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from fastapi import FastAPI

from hippocortex_core.errors import MissingExtraError

_UNTRACED = "metrics$,v1/health$"
"""What machines ask every few seconds."""


_MODULES = (
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk.resources",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.instrumentation.fastapi",
)


class Tracing:
    """Sends a span for each request of an application.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """

    def __init__(self) -> None:
        sdk, export, resources, otlp, instrumentation = map(_load, _MODULES)
        self._instrumentor = instrumentation.FastAPIInstrumentor
        name = os.environ.get("OTEL_SERVICE_NAME", "hippocortex-server")
        resource = resources.Resource.create({"service.name": name})
        self._provider = sdk.TracerProvider(resource=resource)
        self._provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))

    def attach(self, app: FastAPI) -> None:
        """Trace the requests of the application."""
        self._instrumentor.instrument_app(
            app, tracer_provider=self._provider, excluded_urls=_UNTRACED
        )

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()


def require_opentelemetry() -> None:
    """See to it that there is what traces need, before a server starts.

    Raises:
        MissingExtraError: OpenTelemetry is not installed.
    """
    for name in _MODULES:
        _load(name)


def _load(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise MissingExtraError(
            "traces need OpenTelemetry: pip install 'hippocortex-server[otel]'"
        ) from error
