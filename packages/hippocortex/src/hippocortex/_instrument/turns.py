"""Which turn of which conversation a request belongs to.

A model that calls tools is asked many times for one thing the user said.  All of that is one turn:
the user's words are recorded once, and memory is asked once, so that the text in front of the
conversation, and with it the provider's prompt cache, stays the same byte for byte.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import uuid
from dataclasses import dataclass

from hippocortex._instrument.providers import Asked

_REMEMBERED = 1024
# Providers' own ids: long and random.  Local models often number their calls from 0 again.
_UNIQUE = re.compile(
    r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{16,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-",
)


@dataclass
class Turn:
    """What the user said once, and everything the model does about it.

    Attributes:
        key: Identifies the user's message.
        memory: What memory said to it; None: not asked yet.
        failed: Whether the model was asked and did not answer: asking again is the same turn.
        known: Whether the user's message was recorded by an earlier request.
    """

    key: str
    memory: str | None = None
    failed: bool = False
    known: bool = False

    def call_key(self, asked: Asked, call_id: str) -> str | None:
        """A key for a tool call in or after a request; None if its id is the best one."""
        if not call_id or _UNIQUE.search(call_id):
            return None
        return f"{self.key}/{asked.follows}/{asked.depth}/{call_id}"


class Turns:
    """The turns of late, looked up by what the user said or by the answer that was built on.

    Free of locks, which a fork could leave held: the two generations make room without iterating.
    """

    def __init__(self) -> None:
        self._name = uuid.uuid4().hex
        self._numbers = itertools.count()
        self._young: dict[str, Turn] = {}
        self._old: dict[str, Turn] = {}

    def of(self, session_id: str, asked: Asked) -> Turn:
        """The turn that a request belongs to."""
        if not asked.user:
            return self._get(_answer(asked.follows)) or self._new()
        name = _digest(session_id, asked.user)
        known = self._get(name)
        if asked.fresh:
            turn = known if known is not None and known.failed else self._new()
        else:
            # A conversation that began elsewhere: whoever asks about it again says the same key.
            turn = known or Turn(key=name)
        self._put(name, turn)
        return turn

    def answered(self, turn: Turn, answer_id: str) -> None:
        """A later request may name this answer instead of repeating the conversation."""
        if answer_id:
            self._put(_answer(answer_id), turn)

    def _new(self) -> Turn:
        # The children of a fork count on from where the parent was.
        return Turn(f"{self._name}-{os.getpid()}-{next(self._numbers)}")

    def _get(self, name: str) -> Turn | None:
        return self._young.get(name) or self._old.get(name)

    def _put(self, name: str, turn: Turn) -> None:
        if len(self._young) >= _REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[name] = turn


def _digest(session_id: str, text: str) -> str:
    whole = f"{len(session_id)}:{session_id}{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(whole, digest_size=16).hexdigest()


def _answer(answer_id: str) -> str:
    return f"answer {answer_id}"
