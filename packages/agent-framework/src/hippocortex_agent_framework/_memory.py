"""What every surface of this package has: a recorder, and an idea of whose memory it is."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from hippocortex_core.guard import fail_open, watchers, with_memory
from hippocortex_core.recorder import Opener, Recall, Recorder, Source
from hippocortex_core.render import render_pack
from hippocortex_core.scope import Scope, current, session
from hippocortex_core.steps import AnyStep
from hippocortex_core.types import ReasoningSection

_ID_CHARS = 256


@dataclass(frozen=True)
class RecallOptions:
    """What is asked of memory; None is the recorder's default."""

    max_tokens: int | None = None
    sections: tuple[ReasoningSection, ...] | None = None
    min_confidence: float = 0.0


class Memory:
    """The memory of one surface.

    Args:
        client: See `Opener`.
        session_id: Of everything; default: the surrounding `session(...)`, and else what the
            framework tells conversations apart by.
        user_id: Of everything; default: that of the surrounding `session(...)`.
        options: Of recalls.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.

    Attributes:
        active: Whether anything is recalled and captured; switched off by `detach`.
        options: Of recalls.
    """

    def __init__(
        self,
        client: Source | None = None,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        options: RecallOptions | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self.open = Opener(client, api_key=api_key, base_url=base_url)
        self.given = Scope(_identifier(session_id), _identifier(user_id))
        self.options = options or RecallOptions()
        self.active = True
        self._name = f"session-{uuid.uuid4().hex}"
        self._pid = os.getpid()

    def __deepcopy__(self, memo: Any) -> Memory:
        """Itself: copies of an agent share their memory."""
        return self

    @property
    def recorder(self) -> Recorder | None:
        """None once detached, or while nothing is configured."""
        return self.open() if self.active else None

    @property
    def ready(self) -> bool:
        """Whether there is a memory; opens it."""
        with fail_open("opening the memory"):
            return self.recorder is not None
        return False

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self.active = False

    def scope(self, conversation: str | None = None) -> Scope:
        """To whom what happens here and now belongs; the session is always set.

        Args:
            conversation: Its session, if neither the user nor the code around names one; default:
                one for this surface and each of its users.
        """
        found = self.given.over(current())
        if found.session_id is None and conversation is not None:
            return found.over(Scope(conversation))
        return found if found.session_id is not None else self._own(found)

    def _own(self, scope: Scope) -> Scope:
        parts = [self._name, scope.user_id or ""]
        if os.getpid() != self._pid:  # the children of a fork are sessions of their own
            parts.append(str(os.getpid()))
        return Scope(_identifier(":".join(filter(None, parts)))).over(scope)

    # --- recalling -------------------------------------------------------------------------------

    def recall(self, question: str, scope: Scope) -> Recall:
        """What memory knows about the question; nothing on any failure."""
        with fail_open("recalling"):
            recorder = self.recorder
            if recorder is not None:
                options = self.options
                found = recorder.recall(
                    question, max_tokens=options.max_tokens, sections=options.sections, scope=scope
                )
                return self._wanted(found)
        return NOTHING

    async def arecall(self, question: str, scope: Scope) -> Recall:
        """As `recall`; the event loop goes on meanwhile."""
        with fail_open("recalling"):
            recorder = self.recorder
            if recorder is not None:
                options = self.options
                found = await recorder.arecall(
                    question, max_tokens=options.max_tokens, sections=options.sections, scope=scope
                )
                return self._wanted(found)
        return NOTHING

    def _wanted(self, found: Recall) -> Recall:
        least = self.options.min_confidence
        if found.result is None or least <= 0:
            return found
        entries = [entry for entry in found.result.entries if entry.confidence >= least]
        pack = replace(found.result, entries=entries)
        return Recall(render_pack(pack), pack)

    # --- capturing -------------------------------------------------------------------------------

    def record(self, step: AnyStep, scope: Scope) -> None:
        """Record a step; never blocks."""
        recorder = self.recorder
        if recorder is not None:
            recorder.record(step, scope)


NOTHING = Recall()

_captured: ContextVar[Scope | None] = ContextVar(
    "hippocortex_agent_framework_captured", default=None
)

# A wrapped client of a model inside of what is captured here recalls, and captures nothing.
watchers.append(_captured.get)


@contextmanager
def going(scope: Scope, *, recalls: bool) -> Generator[None]:
    """Around what the framework does: whatever else remembers belongs to the same conversation.

    Args:
        scope: Of the conversation.
        recalls: Whether the model is given its memory here, so that nobody else needs to.
    """
    with session(scope.session_id, user_id=scope.user_id, agent_id=scope.agent_id):
        token = _captured.set(scope)
        try:
            if recalls:
                with with_memory():
                    yield
            else:
                yield
        finally:
            _captured.reset(token)


def _identifier(value: Any) -> str | None:
    """As an id that can be stored; None if it says nothing."""
    if value is None:
        return None
    text = str(value).replace("\0", "").strip()
    return text[:_ID_CHARS] or None
