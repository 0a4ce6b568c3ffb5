"""Figures for Prometheus, about this server and not about any tenant.

With several workers, each keeps its figures in files of the folder that the environment variable
`PROMETHEUS_MULTIPROC_DIR` names, and whichever is asked adds them up.  It must be set before this
module is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from hippocortex_core.types import BatchCaptureResult, CaptureResult

CONTENT_TYPE = CONTENT_TYPE_LATEST
SHARED = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Measures:
    """The figures of one server process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        if SHARED not in os.environ:  # several processes have no figures of "the" process
            ProcessCollector(registry=registry)
            PlatformCollector(registry=registry)
        self._requests = Counter(
            "hippocortex_requests",
            "Requests answered.",
            ("operation", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "hippocortex_request_duration_seconds",
            "Seconds from a request's arrival to its answer.",
            ("operation",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._in_flight = Gauge(
            "hippocortex_requests_in_flight",
            "Requests under way.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._events = Counter(
            "hippocortex_events",
            "Events received, by what became of them.",
            ("status",),
            registry=registry,
        )

    @contextmanager
    def in_flight(self) -> Generator[None]:
        """A request is under way."""
        self._in_flight.inc()
        try:
            yield
        finally:
            self._in_flight.dec()

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """A request was answered; what it asked for, if that was anything."""
        name = operation or "none"
        self._requests.labels(name, str(status)).inc()
        self._seconds.labels(name).observe(seconds)

    def captured(self, result: object) -> None:
        """Count the events of a result, if it is about events."""
        if isinstance(result, CaptureResult):
            self._events.labels(result.status).inc()
        elif isinstance(result, BatchCaptureResult):
            summary = result.summary
            self._events.labels("ingested").inc(summary.ingested)
            self._events.labels("duplicate").inc(summary.duplicates)
            self._events.labels("error").inc(summary.errors)

    def text(self) -> bytes:
        """The figures of all workers, as Prometheus reads them."""
        if SHARED not in os.environ:
            return generate_latest(self._registry)
        folder = Path(os.environ[SHARED])
        _forget_dead_workers(folder)
        together = CollectorRegistry()
        MultiProcessCollector(together, str(folder))
        return generate_latest(together)


def _forget_dead_workers(folder: Path) -> None:
    """What a worker had under way when it was killed is not under way any more."""
    for path in folder.glob("gauge_live*_*.db"):
        if not _is_alive(int(path.stem.rpartition("_")[2])):
            path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":  # there, asking ends it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
