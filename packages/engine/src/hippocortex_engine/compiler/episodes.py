"""A session's events to episodes: a request and the steps it took.

A new episode starts after an `outcome`, at a user message after a pause of half an hour, where
another user speaks, and at a user message that clearly asks for something new: work was done, the
assistant closed its turn (it asked for nothing, or offered "anything else?"), and the message is
more than a confirmation.  A dialogue in which the user supplies details over many turns stays one
episode, because there the assistant's turns ask for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hippocortex_engine.compiler.labels import STEP_TYPES, changes_something
from hippocortex_engine.compiler.language import keywords
from hippocortex_engine.payloads import first, message_text, role
from hippocortex_engine.records import EventRecord

PAUSE_MS = 30 * 60 * 1000
_MIN_REQUEST_WORDS = 4
_TAIL = 600
_MAX_KEYWORDS = 24
_ASKS = re.compile(
    r"\?|\b(?:please|let me know|confirm|provide|need (?:to know|your|the|you)|would you|"
    r"could you|shall i|should i|which (?:one|of))\b",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"\b(?:(?:anything|how|what) else|any (?:other|further)|further (?:assist|help|question)|"
    r"more (?:help|assistance|questions)|other questions|feel free|else i can|"
    r"need (?:any |more |further )?(?:help|assistance)|questions or)",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"\bor (?:is there|would|do you)\b|\b(?:would you like me|prefer to|proceed|preferences?)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_REPLY = re.compile(
    r"\s*(?:yes|yeah|yep|no|nope|ok|okay|sure|thanks|thank|great|perfect|correct|right|that's|"
    r"that is|it's|it is|i confirm|go ahead|proceed|sounds|i see|got it|the (?:first|second|last)|"
    r"option|in that case|let's|alright|"
    r"i understand|what if|i'll|my (?:user|name|id|email|order|account)|"
    r"bye|goodbye|nice|good|awesome|cool|fine)\b",
    re.IGNORECASE,
)
_NEW_REQUEST = re.compile(
    r"\b(?:also|another|next|additionally|one more|now|can you|could you|would you|i want|"
    r"i'd like|i would like|i need|help me|please)\b",
    re.IGNORECASE,
)


def split(events: Sequence[EventRecord]) -> Iterator[tuple[int, int]]:
    """The episodes of a session as ranges of positions, in order.

    Args:
        events: of one session, by time.
    """
    start = 0
    for at in _starts(events):
        if at > start:
            yield start, at
        start = at
    if start < len(events):
        yield start, len(events)


def _starts(events: Sequence[EventRecord]) -> Iterator[int]:
    turn = _Turn()
    for at, event in enumerate(events):
        if at and events[at - 1].type == "outcome":
            turn = _Turn()
            yield at
        elif event.type == "message" and role(event.payload) == "user":
            paused = at > 0 and event.occurred_at - events[at - 1].occurred_at > PAUSE_MS
            if paused or turn.ends_before(event):
                turn = _Turn()
                yield at
        turn.follow(event)


class _Turn:
    """Where the dialogue stands: whose is it, was work done, has the assistant closed its turn?"""

    __slots__ = ("changed", "closed", "offered", "said", "user", "words", "worked")

    def __init__(self) -> None:
        self.worked = self.changed = self.closed = self.offered = False
        self.user: str | None = None
        self.said: list[str] = []
        self.words: dict[str, None] = {}

    def follow(self, event: EventRecord) -> None:
        if event.type != "outcome":
            self.user = event.user_id or self.user
        if event.type in STEP_TYPES:
            self.worked, self.closed = True, False
            self.changed = self.changed or _changes(event)
        elif event.type != "message":
            return
        elif role(event.payload) == "user":
            self.said.append(message_text(event.payload)[:_TAIL])
        elif self.worked:
            self._answered(message_text(event.payload)[-_TAIL:])

    def ends_before(self, event: EventRecord) -> bool:
        """Whether the user's next message belongs to a new request: another user's always does.

        After mere look-ups a new request shows in that it shares no word with what was asked.
        """
        if event.user_id and self.user and event.user_id != self.user:
            return True
        text = message_text(event.payload)
        if not self.closed or not asks_anew(text, self.offered):
            return False
        return self.changed or self._unrelated(text)

    def _unrelated(self, text: str) -> bool:
        for earlier in self.said:
            self.words.update(keywords(earlier, _MAX_KEYWORDS))
        self.said.clear()
        new = keywords(text[:_TAIL], _MAX_KEYWORDS)
        return len(new) > 1 and not new.keys() & self.words.keys()

    def _answered(self, tail: str) -> None:
        parts = _SENTENCE.split(tail)
        rest = [part for part in parts if _CHOICE.search(part) or not _OFFER.search(part)]
        self.offered = len(rest) < len(parts)
        self.closed = bool(tail) and not _ASKS.search("\n".join(rest))


def _changes(event: EventRecord) -> bool:
    """A quick look at whether a step changes anything."""
    if event.type in {"tool_call", "tool_result", "api_result"}:
        tool = first(event.payload, ("tool", "tool_name", "toolName", "name"))
        return isinstance(tool, str) and changes_something(tool)
    return event.type != "test_run"


_FAREWELL = re.compile(
    r"\bthat(?:'s| is|'ll be| (?:will|would|should) be) (?:all|everything|it)\b", re.IGNORECASE
)


def asks_anew(text: str, offered: bool) -> bool:
    """Whether a user message after a closed turn is a new request rather than a reply.

    `offered`: the assistant had asked "anything else?", so that "Yes, I also want …" is new.
    """
    text = text[:_TAIL]
    if len(text.split()) < _MIN_REQUEST_WORDS or _FAREWELL.search(text):
        return False
    if _REPLY.match(text):
        return offered and _NEW_REQUEST.search(text) is not None
    return True
