"""The version of the engine, as installed."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("hippocortex-engine")
