"""AgentChat 0.5 to 0.7: a memory for agents with a model."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autogen_core import CancellationToken, Component
from autogen_core.memory import (
    Memory,
    MemoryContent,
    MemoryMimeType,
    MemoryQueryResult,
    UpdateContextResult,
)
from autogen_core.model_context import ChatCompletionContext
from pydantic import BaseModel

from hippocortex_autogen import _events
from hippocortex_autogen._view import View, view_of
from hippocortex_core.errors import ConfigurationError
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Recall, RecallOptions, Recorder, Source, Surface
from hippocortex_core.recorder.surface import NOTHING
from hippocortex_core.scope import Scope
from hippocortex_core.steps import Observation
from hippocortex_core.types import ReasoningSection

if TYPE_CHECKING:
    from typing_extensions import Self  # in typing from 3.11 on


class HippocortexMemoryConfig(BaseModel):
    """What `HippocortexMemory.dump_component` writes: never a key, a password or a client."""

    session_id: str | None = None
    user_id: str | None = None
    max_tokens: int | None = None
    sections: list[ReasoningSection] | None = None
    min_confidence: float = 0.0
    announce: bool = False
    base_url: str | None = None


class HippocortexMemory(Memory, Component[HippocortexMemoryConfig]):
    """What is known about the words an agent is given, for its model.

    ```python
    agent = AssistantAgent("deployer", model_client, memory=[HippocortexMemory()])
    ```

    One marked block stands before the last message of a user, whatever the context keeps of the
    conversation, and is replaced with every turn.  It is in no saved state.  To capture what the
    agent says and does, `attach(agent)`; `wrap(agent)` does both.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Of what is added; default: that of the surrounding `session(...)`.
        user_id: Whose memories; default: that of the surrounding `session(...)`.
        max_tokens: Of what is recalled; default: the recorder's.
        sections: Of what is recalled; default: all.
        min_confidence: Of what is recalled, in 0..1.
        announce: Whether agents stream what was recalled, as a `MemoryQueryEvent`.  Conditions
            that end a team read it: a recalled "TERMINATE" would be one.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
    """

    component_type = "memory"
    component_provider_override = "hippocortex_autogen.HippocortexMemory"
    component_config_schema = HippocortexMemoryConfig

    def __init__(
        self,
        client: Source | None = None,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        min_confidence: float = 0.0,
        announce: bool = False,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        options = RecallOptions(
            max_tokens, None if sections is None else tuple(sections), min_confidence
        )
        self._shared = Surface(
            client,
            session_id=session_id,
            user_id=user_id,
            options=options,
            api_key=api_key,
            base_url=base_url,
        )
        self._announces = announce
        self._base_url = base_url
        self._detached = False
        self._views: weakref.WeakValueDictionary[int, View] = weakref.WeakValueDictionary()

    @classmethod
    def of(cls, memory: Surface) -> Self:
        """One that shares another surface's memory."""
        made = cls()
        made._shared = memory
        return made

    # --- for agents ------------------------------------------------------------------------------

    async def update_context(self, model_context: ChatCompletionContext) -> UpdateContextResult:
        """Recall for what came in since the model spoke last; never raises.

        What was recalled before goes; a second memory of this kind leaves the first one's.

        Returns:
            What is new in the context, if it is to be announced; else nothing.
        """
        with fail_open("recalling into a context"):
            if not self.active:
                return _updated([])
            view = view_of(model_context)
            self._views[id(view)] = view
            return await self._recalled_into(view)
        return _updated([])

    async def query(
        self,
        query: str | MemoryContent,
        cancellation_token: CancellationToken | None = None,  # noqa: ARG002 - there is a deadline
        **kwargs: Any,  # noqa: ARG002 - of other memories
    ) -> MemoryQueryResult:
        """What memory knows about a question, best first; nothing on any failure."""
        text = _text(query.content) if isinstance(query, MemoryContent) else query
        found = await self._shared.arecall(text, self._shared.scope())
        return MemoryQueryResult(results=_contents(found))

    async def add(
        self,
        content: MemoryContent,
        cancellation_token: CancellationToken | None = None,  # noqa: ARG002 - it does not wait
    ) -> None:
        """Remember a text or JSON; its metadata is kept with it.  Never waits, never raises."""
        with fail_open("adding to memory"):
            text = _text(content.content)
            if text.strip():
                step = Observation(text, metadata=content.metadata)
                self._shared.record(step, self._shared.scope())

    async def clear(self) -> None:
        """Forget everything of the session, for its user; other sessions stay.

        Raises:
            HippocortexError: The memory does not answer, or cannot forget.
        """
        recorder, scope = self._recorder(), self._shared.scope()
        await recorder.aflush()
        await recorder.acall(
            lambda memory: memory.forget(session_id=scope.session_id, user_id=scope.user_id)
        )
        for view in list(self._views.values()):
            view.block, view.turn = "", None

    async def close(self) -> None:
        """Deliver what was captured; the memory may be used again."""
        with fail_open("closing"):
            recorder = self._shared.open()
            if recorder is not None:
                await recorder.aflush()

    # --- for components --------------------------------------------------------------------------

    def _to_config(self) -> HippocortexMemoryConfig:
        given, options = self._shared.given, self._shared.options
        return HippocortexMemoryConfig(
            session_id=given.session_id,
            user_id=given.user_id,
            max_tokens=options.max_tokens,
            sections=None if options.sections is None else list(options.sections),
            min_confidence=options.min_confidence,
            announce=self._announces,
            base_url=_without_secrets(self._base_url),
        )

    @classmethod
    def _from_config(cls, config: HippocortexMemoryConfig) -> Self:
        return cls(**config.model_dump())

    # --- for the rest of this package ------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether it recalls."""
        return self._shared.active and not self._detached

    def shares(self, memory: Surface) -> bool:
        """Whether it recalls from this one."""
        return self._shared is memory

    def detach(self) -> None:
        """Recall nothing from now on; contexts are as they would be without it."""
        self._detached = True
        for view in list(self._views.values()):
            view.detach()

    async def _recalled_into(self, view: View) -> UpdateContextResult:
        messages = await view.read()
        question, scope = _events.question_in(messages), self._shared.scope()
        turn = (scope.user_id, scope.agent_id, question, len(messages))
        if view.turn == turn:  # another memory of this kind has been asked already
            return _updated([])
        view.block = ""
        found = await self._recall(question, scope)
        view.block, view.turn = found.text, turn
        return _updated(_contents(found) if self._announces else [])

    async def _recall(self, question: str, scope: Scope) -> Recall:
        return await self._shared.arecall(question, scope) if question else NOTHING

    def _recorder(self) -> Recorder:
        found = self._shared.recorder
        if found is None:
            raise ConfigurationError("no memory is configured: set HIPPOCORTEX_BASE_URL")
        return found


def _updated(contents: list[MemoryContent]) -> UpdateContextResult:
    return UpdateContextResult(memories=MemoryQueryResult(results=contents))


def _contents(found: Recall) -> list[MemoryContent]:
    """Each entry of a pack, with where it comes from."""
    return [
        MemoryContent(
            content=entry.content,
            mime_type=MemoryMimeType.TEXT,
            metadata={
                "section": entry.section,
                "score": entry.confidence,
                "sources": [one.source_id for one in entry.provenance or ()],
            },
        )
        for entry in (found.result.entries if found.result else ())
    ]


def _text(content: Any) -> str:
    """A content's text; JSON as it is written, of media that it was there."""
    if isinstance(content, dict):
        import json  # noqa: PLC0415

        return json.dumps(content, ensure_ascii=False, default=str)
    return _events.text_of(content)


def _without_secrets(url: str | None) -> str | None:
    """The URL, if there is nothing in it that only some may know."""
    if url is None:
        return None
    parts = urlsplit(url)
    return None if "@" in parts.netloc or parts.query else url
