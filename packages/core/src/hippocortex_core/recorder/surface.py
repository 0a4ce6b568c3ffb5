"""What the surfaces of adapters have in common: a recorder, and an idea of whose memory it is."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from hippocortex_core.guard import fail_open, watchers, with_memory
from hippocortex_core.recorder.opening import Opener, Source
from hippocortex_core.recorder.recorder import Recall, Recorder
from hippocortex_core.render import render_pack
from hippocortex_core.scope import Scope, current, session
from hippocortex_core.steps import AnyStep
from hippocortex_core.types import ReasoningSection

_ID_CHARS = 256


@dataclass(frozen=True)
class RecallOptions:
    """What is asked of memory.

    Attributes:
        max_tokens: Of what is recalled; None: the recorder's default.
        sections: Of what is recalled; None: all.
        min_confidence: Of what is recalled, in 0..1.
    """

    max_tokens: int | None = None
    sections: tuple[ReasoningSection, ...] | None = None
    min_confidence: float = 0.0

    def recall(self, recorder: Recorder, question: str, scope: Scope) -> Recall:
        """What the recorder's memory knows about the question."""
        found = recorder.recall(
            question, max_tokens=self.max_tokens, sections=self.sections, scope=scope
        )
        return self._wanted(found)

    async def arecall(self, recorder: Recorder, question: str, scope: Scope) -> Recall:
        """As `recall`; the event loop goes on meanwhile."""
        found = await recorder.arecall(
            question, max_tokens=self.max_tokens, sections=self.sections, scope=scope
        )
        return self._wanted(found)

    def _wanted(self, found: Recall) -> Recall:
        if found.result is None or self.min_confidence <= 0:
            return found
        entries = [one for one in found.result.entries if one.confidence >= self.min_confidence]
        pack = replace(found.result, entries=entries)
        return Recall(render_pack(pack), pack)


class OwnSession:
    """A session for each user, in each process, where nobody names one."""

    def __init__(self) -> None:
        self._name = f"session-{uuid.uuid4().hex}"
        self._pid = os.getpid()

    def of(self, scope: Scope) -> Scope:
        """The scope with its user's session."""
        parts = [self._name, scope.user_id or ""]
        if os.getpid() != self._pid:  # the children of a fork are sessions of their own
            parts.append(str(os.getpid()))
        return Scope(identifier(":".join(filter(None, parts)))).over(scope)


class Surface:
    """The memory of one surface of an adapter.

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
        given: Whose everything is, as the caller said.
        options: Of recalls.
        open: Opens the recorder, also once this is detached.
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
        self.given = Scope(identifier(session_id), identifier(user_id))
        self.options = options or RecallOptions()
        self.active = True
        self._own = OwnSession()

    def __deepcopy__(self, memo: Any) -> Surface:
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
        return found if found.session_id is not None else self._own.of(found)

    # --- recalling -------------------------------------------------------------------------------

    def recall(self, question: str, scope: Scope) -> Recall:
        """What memory knows about the question; nothing on any failure."""
        with fail_open("recalling"):
            if (recorder := self.recorder) is not None:
                return self.options.recall(recorder, question, scope)
        return NOTHING

    async def arecall(self, question: str, scope: Scope) -> Recall:
        """As `recall`; the event loop goes on meanwhile."""
        with fail_open("recalling"):
            if (recorder := self.recorder) is not None:
                return await self.options.arecall(recorder, question, scope)
        return NOTHING

    # --- capturing -------------------------------------------------------------------------------

    def record(self, step: AnyStep, scope: Scope) -> None:
        """Record a step; never blocks."""
        recorder = self.recorder
        if recorder is not None:
            recorder.record(step, scope)


NOTHING = Recall()

_captured: ContextVar[Scope | None] = ContextVar("hippocortex_captured", default=None)

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


def identifier(value: Any) -> str | None:
    """As an id that can be stored; None if it says nothing."""
    if value is None:
        return None
    text = str(value).replace("\0", "").strip()
    return text[:_ID_CHARS] or None
