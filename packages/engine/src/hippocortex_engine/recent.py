"""What sessions said last: a new event is compared with it to tell whether it says anything new."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hippocortex_engine.storage import arrivals

RECENT = 8
"""Events of a session that a new one is compared with."""

_SESSIONS = 2_048  # sessions whose recent vectors are kept at hand: 4 MB

_NEAR = 1_024  # events of others that are read rather than everything anew

Kept = NDArray[np.int8]
"""Vectors, one a row."""

Vector = NDArray[np.int8]

_NOTHING: Kept = np.empty((0, 0), dtype=np.int8)


class Place(NamedTuple):
    """Where a tenant stands: the last sequence number, and how often stored events changed."""

    head: int
    generation: int


class Recent:
    """The last vectors of sessions, as of the place where this process left the tenant.

    If another process has stored events since, they are read and added; if it has changed stored
    ones, what is kept here is stale and dropped.  Not to be shared between threads at the same
    time.
    """

    def __init__(self) -> None:
        self.place: Place | None = None
        self._sessions: OrderedDict[str, Kept] = OrderedDict()

    def load(self, connection: Connection, tenant_id: str, sessions: Iterable[str]) -> None:
        """Have at hand what these sessions said last, in one go."""
        wanted = list(dict.fromkeys(sessions))
        missing = [session for session in wanted if session not in self._sessions]
        if missing:
            self._sessions |= dict.fromkeys(missing, _NOTHING)
            for session, vector in arrivals.recent_vectors(connection, tenant_id, missing, RECENT):
                self.add(session, np.frombuffer(vector, dtype=np.int8))
        for session in wanted:
            self._sessions.move_to_end(session)
        while len(self._sessions) > max(_SESSIONS, len(wanted)):
            self._sessions.popitem(last=False)

    def of(self, session: str) -> Kept:
        """The vectors of a session that was loaded, newest last."""
        return self._sessions[session]

    def add(self, session: str, vector: Vector) -> None:
        """A session that was loaded has one more event."""
        known = self._sessions[session]
        newest = vector[None, :]
        # Vectors of another model, which whoever stores is about to be told of, have another size.
        same = len(known) > 0 and known.shape[1] == len(vector)
        self._sessions[session] = np.concatenate((known[1 - RECENT :], newest)) if same else newest

    def catch_up(self, connection: Connection, tenant_id: str, place: Place) -> None:
        """Have what others have stored since; within the transaction that is at `place`."""
        known = self.place
        if place == known:
            return
        if (
            known is None
            or place.generation != known.generation
            or not 0 < place.head - known.head <= _NEAR
        ):
            self.clear()
            return
        for session, vector in arrivals.vectors_since(connection, tenant_id, known.head):
            if session in self._sessions:
                self.add(session, np.frombuffer(vector, dtype=np.int8))

    def moved(self, place: Place) -> None:
        """What is kept here now reaches up to a place."""
        self.place = place

    def clear(self) -> None:
        """Drop everything."""
        self._sessions.clear()
        self.place = None
