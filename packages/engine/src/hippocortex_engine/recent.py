"""What sessions said last: a new event is compared with it to tell whether it says anything new."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hippocortex_engine.storage import arrivals

RECENT = 8
"""Events of a session that a new one is compared with."""

_SESSIONS = 2_048  # sessions whose recent vectors are kept at hand: 4 MB

Kept = NDArray[np.int8]


class Place(NamedTuple):
    """Where a tenant stands: the last sequence number, and how often stored events changed."""

    head: int
    generation: int


class Recent:
    """The last vectors of sessions, as long as nobody else has written since.

    It remembers where the tenant stood: if another process has stored or forgotten events since,
    what is kept here is stale and dropped.  Not to be shared between threads at the same time.
    """

    def __init__(self) -> None:
        self.place: Place | None = None
        self._sessions: OrderedDict[str, Kept] = OrderedDict()

    def of(self, connection: Connection, tenant_id: str, session: str) -> Kept:
        """The session's last vectors, newest last."""
        known = self._sessions.get(session)
        if known is None:
            stored = arrivals.recent_vectors(connection, tenant_id, session, RECENT)
            known = np.frombuffer(b"".join(reversed(stored)), dtype=np.int8)
            known = known.reshape(len(stored), -1) if stored else known
            self._sessions[session] = known
            if len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(session)
        return known

    def add(self, session: str, vector: NDArray[np.int8]) -> None:
        """A session of `of` has one more event."""
        known = self._sessions[session]
        newest = vector[None, :]
        self._sessions[session] = (
            np.concatenate((known[1 - RECENT :], newest)) if len(known) else newest
        )

    def expect(self, place: Place) -> None:
        """Drop everything unless the tenant stands where this process left it."""
        if place != self.place:
            self.clear()

    def moved(self, place: Place) -> None:
        """What is kept here now reaches up to a place."""
        self.place = place

    def clear(self) -> None:
        """Drop everything."""
        self._sessions.clear()
        self.place = None
