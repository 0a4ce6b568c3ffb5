"""Faults that production survives and development must see."""

from __future__ import annotations

import logging
import os

_log = logging.getLogger("hippocortex")


def swallow(fault: Exception) -> None:
    """Log a fault; under `HIPPOCORTEX_STRICT=1` raise it.

    Raises:
        Exception: the fault, in strict mode.
    """
    if os.environ.get("HIPPOCORTEX_STRICT") == "1":
        raise fault
    _log.error("an event could not be read: %s", fault, exc_info=fault)
