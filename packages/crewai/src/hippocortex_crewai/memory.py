"""Memory for crews, agents and flows: a unified `Memory` of CrewAI that learns."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from crewai.memory.types import MemoryMatch, MemoryRecord

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Opener, RecallOptions, Source
from hippocortex_core.recorder.breaker import Breaker
from hippocortex_core.types import ReasoningSection
from hippocortex_crewai import _runs
from hippocortex_crewai._activity import querying, saving
from hippocortex_crewai._capture import Capture, Whose
from hippocortex_crewai._compat import EVENTS
from hippocortex_crewai._events import is_summary
from hippocortex_crewai._keeping import KeptMemory, Parts
from hippocortex_crewai._owners import place_in
from hippocortex_crewai._recalling import Question, recalled
from hippocortex_crewai._records import Records, is_in_loop, new_record
from hippocortex_crewai._runs import Run
from hippocortex_crewai._tap import tap

_DRAIN = 1.0
"""Seconds that the end of a crew may wait for its events to be delivered."""


class HippocortexMemory(KeptMemory):
    """Gives crews, agents and flows a memory.

    ```python
    crew = Crew(agents=[deployer], tasks=[deploy], memory=HippocortexMemory())
    crew.kickoff(inputs={"service": "payments"})
    ```

    Before each task, what memory knows about it is put into its prompt.  What is asked, done and
    answered, and every failure, is captured in the background.  No model and no embedder of
    CrewAI's is called, and no LanceDB is opened.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Of everything; default: the surrounding `session(...)`, else one for each
            kickoff.
        user_id: Of everything; default: the surrounding `session(...)`.
        max_tokens: Of what is recalled; default: the recorder's.
        sections: Of what is recalled; default: all.
        min_confidence: Of what is recalled, in 0..1.
        capture: Whether the runs of crews and agents that have this memory are captured.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
        **fields: Of CrewAI's `Memory`: `read_only` and `root_scope` mean what they mean there;
            those about models, embedders and storage mean nothing here.
    """

    _active: bool
    _draining: Breaker

    def __init__(
        self,
        client: Source | None = None,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        max_tokens: int | None = None,
        sections: Sequence[ReasoningSection] | None = None,
        min_confidence: float = 0.0,
        capture: bool = True,
        api_key: str | None = None,
        base_url: str | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(**fields)
        recorder = Opener(client, api_key=api_key, base_url=base_url)
        whose = Whose(session_id, user_id)
        kept_sections = None if sections is None else tuple(sections)
        self._parts = Parts(
            recorder=recorder,
            whose=whose,
            records=Records(recorder),
            options=RecallOptions(max_tokens, kept_sections, min_confidence),
            capture=Capture(recorder, whose, _places(self)),
            settings={
                "session_id": session_id,
                "user_id": user_id,
                "max_tokens": max_tokens,
                "sections": kept_sections,
                "min_confidence": min_confidence,
                "capture": capture,
                "base_url": _without_password(base_url),
            },
        )
        self._active = True
        self._draining = Breaker(threshold=1)
        if capture:
            with fail_open("listening to CrewAI"):
                tap.attach(self._parts.capture, hold=False)

    def model_post_init(self, context: Any, /) -> None:
        """In place of CrewAI's, which opens its storage."""

    # --- recalling -------------------------------------------------------------------------------

    def recall(
        self,
        query: str,
        scope: str | None = None,
        categories: list[str] | None = None,
        limit: int = 10,
        depth: Literal["shallow", "deep"] = "deep",  # noqa: ARG002 - CrewAI's
        source: str | None = None,
        include_private: bool = False,
    ) -> list[MemoryMatch]:
        """What memory knows; within the recorder's deadline, and nothing on failure.

        Args:
            query: In words.
            scope: Only what was remembered and captured under it; default: everything.
            categories: Only records of any of these.
            limit: Of matches.
            depth: Is always the same.
            source: Also private records of this source.
            include_private: All private records.
        """
        where = self._below(scope)
        asked_for = None if categories is None else tuple(categories)
        question = Question(query, where, asked_for, limit, source, include_private)
        with fail_open("recalling"), querying(self, query, limit) as results:
            results.extend(self._recalled(question))
            return list(results)
        return []

    async def arecall(self, *args: Any, **options: Any) -> list[MemoryMatch]:
        """As `recall`; the event loop goes on meanwhile."""
        return await asyncio.to_thread(self.recall, *args, **options)

    def _recalled(self, question: Question) -> list[MemoryMatch]:
        if not self._active:
            return []
        parts, run = self._parts, _runs.here()
        scope = parts.whose.scope(question.where)
        # A run asks again when it tries again, and shall be told the same.
        known: dict[Hashable, Any] = {} if run is None else run.recalled
        key = (id(self), question, scope)
        if key not in known:
            known[key] = recalled(question, scope, parts.recorder, parts.records, parts.options)
        return known[key]

    # --- remembering -----------------------------------------------------------------------------

    def extract_memories(self, content: str) -> list[str]:
        """The content as it is: what is worth remembering of it shows when the memory learns.

        Nothing of what CrewAI writes about a run that is captured: that is known already.
        """
        if not self._active or not content.strip():
            return []
        known = self._parts.capture.has(_runs.lately()) and is_summary(content)
        return [] if known else [content]

    async def aextract_memories(self, content: str) -> list[str]:
        """As `extract_memories`."""
        return self.extract_memories(content)

    def remember(
        self,
        content: str,
        scope: str | None = None,
        categories: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        importance: float | None = None,
        source: str | None = None,
        private: bool = False,
        agent_role: str | None = None,
        root_scope: str | None = None,
    ) -> MemoryRecord | None:
        """Remember a text, under a scope if one is given.

        It is captured in any case.  Only if the memory can be reached, it is also a record, which
        can be listed, changed and forgotten.

        Returns:
            The record; None if this memory is read-only, or the text is blank.
        """
        if self.read_only or not self._active or not content.strip():
            return None
        where = self._below(scope, root_scope)
        fields = {
            "categories": categories,
            "metadata": metadata,
            "importance": importance,
            "source": source,
            "private": private,
        }
        record = new_record(content, where, fields)
        with fail_open("remembering"), saving(self, content, metadata, agent_role):
            self._keep(record)
        return record

    def remember_many(
        self,
        contents: list[str],
        scope: str | None = None,
        categories: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        importance: float | None = None,
        source: str | None = None,
        private: bool = False,
        agent_role: str | None = None,
        root_scope: str | None = None,
    ) -> list[MemoryRecord]:
        """As `remember`, of several texts."""
        options = (scope, categories, metadata, importance, source, private, agent_role, root_scope)
        found = [self.remember(content, *options) for content in contents]
        return [record for record in found if record is not None]

    async def aremember(self, *args: Any, **options: Any) -> MemoryRecord | None:
        """As `remember`; the event loop goes on meanwhile."""
        return await asyncio.to_thread(self.remember, *args, **options)

    async def aremember_many(self, *args: Any, **options: Any) -> list[MemoryRecord]:
        """As `remember_many`; the event loop goes on meanwhile."""
        return await asyncio.to_thread(self.remember_many, *args, **options)

    def _keep(self, record: MemoryRecord) -> None:
        self._parts.records.keep(record, self._parts.whose.scope(record.scope))
        if (run := _runs.here()) is not None:
            run.recalled.clear()

    # --- its life --------------------------------------------------------------------------------

    def drain_writes(self) -> None:
        """Deliver what was captured, within a second; never raises, and never holds up a loop."""
        _runs.leave_if_interrupted()
        recorder = self._parts.recorder() if self._active else None
        if recorder is None or is_in_loop() or self._draining.permit() == "no":
            return
        try:
            delivered = recorder.flush(_DRAIN)
        except Exception:  # noqa: BLE001 - CrewAI would let the kickoff fail
            delivered = False
        # A memory that is out of reach is not waited for at each end of a crew.
        self._draining.success() if delivered else self._draining.failure()

    def close(self) -> None:
        """Deliver what was captured; the memory can still be used."""
        self.drain_writes()

    @property
    def attached_hooks(self) -> Collection[str]:
        """The events of CrewAI that are listened to, and `recall`."""
        if not self._active:
            return ()
        listening = tap.has(self._parts.capture)
        return ("recall", *(EVENTS if listening else ()))

    def detach(self) -> None:
        """Recall, remember and capture nothing from now on."""
        self._active = False
        tap.detach(self._parts.capture)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> HippocortexMemory:
        """Itself: copies of a crew share its memory."""
        return self

    def __copy__(self) -> HippocortexMemory:
        """Itself."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Without client, key and password: where it is restored, the environment has them."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        return _restored, (type(self), dict(self._parts.settings), fields)


def _restored(
    kind: type[HippocortexMemory], settings: dict[str, Any], fields: dict[str, Any]
) -> HippocortexMemory:
    return kind(**settings, **fields)


def _places(memory: HippocortexMemory) -> Callable[[Run], str | None]:
    """Under which scope a run is captured: if it has this memory, while there is the memory."""
    ref = weakref.ref(memory)

    def place(run: Run) -> str | None:
        found = ref()
        return None if found is None else place_in(run, found)

    return place


def _without_password(url: str | None) -> str | None:
    """The URL; None if it holds one."""
    return None if url is None or urlsplit(url).password else url
