"""The Recorder: the one engine room under `wrap`, `auto` and every adapter."""

from __future__ import annotations

from hippocortex_core.recorder.opening import Opener, Source
from hippocortex_core.recorder.recorder import Recall, Recorder, RecorderStats, shared_recorder
from hippocortex_core.recorder.surface import RecallOptions, Surface

__all__ = [
    "Opener",
    "Recall",
    "RecallOptions",
    "Recorder",
    "RecorderStats",
    "Source",
    "Surface",
    "shared_recorder",
]
