"""Importers: what other tools recorded, as events to capture.

    from hippocortex.importers import read_events

    for item in read_events(Path("runs.jsonl")):
        if isinstance(item, Located): ...    # item.event, item.place
        else: ...                            # a Problem: item.place, item.message

Pure reading: nothing is stored here.  Importing a file twice gives the same events with the same
idempotency keys, so a memory takes each of them once.
"""

from __future__ import annotations

from hippocortex.importers.conversations import Located, Naming
from hippocortex.importers.formats import FORMATS
from hippocortex.importers.reader import UnknownFormatError, read_events
from hippocortex.importers.records import Problem

__all__ = ["FORMATS", "Located", "Naming", "Problem", "UnknownFormatError", "read_events"]
