"""What an adapter's tests hold in their hands: a memory that can be read, answers in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hippocortex_core.recorder import Recorder
from hippocortex_core.testing.fakes import InMemoryService
from hippocortex_core.types import CaptureEvent, SynthesizeOptions, SynthesizeResult

EARLIER = "earlier"
"""The session of what a memory knows beforehand."""


class Reading:
    """A recorder of a service in this process, and what was captured with it.

    Attributes:
        service: The memory.
        queries: What it was asked, with the options.
        recorder: Strict: whatever would be swallowed is raised.
    """

    def __init__(self) -> None:
        self.service = InMemoryService()
        self.queries: list[tuple[str, SynthesizeOptions | None]] = []
        synthesize = self.service.synthesize

        def noted(query: str, options: SynthesizeOptions | None = None) -> SynthesizeResult:
            self.queries.append((query, options))
            return synthesize(query, options)

        self.service.synthesize = noted
        self.recorder = Recorder(self.service, strict=True)

    def knows(self, text: str, user_id: str | None = None) -> None:
        """Have something said earlier."""
        metadata = None if user_id is None else {"user_id": user_id}
        event = CaptureEvent("message", EARLIER, {"role": "user", "content": text}, metadata)
        self.service.capture(event)

    @property
    def events(self) -> list[Any]:
        """What was captured since, oldest first."""
        assert self.recorder.flush(10)
        return [event for event in self.service.events if event.session_id != EARLIER]

    @property
    def said(self) -> list[Any]:
        """Who said or did what, oldest first."""
        return [self.brief(event) for event in self.events]

    def brief(self, event: Any) -> Any:
        """An event in a tuple."""
        payload = event.payload
        if event.type == "message":
            return payload["role"], payload["content"]
        if event.type == "tool_call":
            return "call", payload["tool"], payload["args"]
        if event.type == "tool_result":
            if "error" in payload:
                return "failure", payload["tool"], payload["error"]
            return "result", payload["tool"], payload["result"]
        return event.type, payload["content"]


def in_turn(*answers: Any) -> Callable[..., Any]:
    """A function that gives the answers one after the other, and raises those that are errors.

    Args:
        answers: Or a single function, which is given back.
    """
    if len(answers) == 1 and callable(answers[0]):
        return answers[0]
    left = iter(answers)

    def answer(*_: object) -> Any:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return answer
