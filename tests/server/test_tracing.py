"""OpenTelemetry: asked for and not installed, it says what to install."""

import sys

import pytest

from hippocortex_core.errors import MissingExtraError
from hippocortex_server import ServerSettings, create_app


def test_traces_without_opentelemetry_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtraError, match=r"hippocortex-server\[otel\]"):
        create_app(ServerSettings(store="sqlite:///memory.db", otel=True))
