"""A checkpointer around a checkpointer: it persists as before, and what is new is captured."""

from __future__ import annotations

import copy
import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)

from hippocortex_core.guard import fail_open, watchers
from hippocortex_core.recent import Recent
from hippocortex_core.recorder import Source
from hippocortex_core.scope import Scope
from hippocortex_core.steps import AnyStep, Failure
from hippocortex_langgraph import _events
from hippocortex_langgraph._compat import (
    CHECKPOINTER,
    ERROR,
    GraphBubbleUp,
    config_here,
    delta_snapshot,
)
from hippocortex_langgraph._delegating import DelegatingSaver
from hippocortex_langgraph._memory import Memory
from hippocortex_langgraph._pending import Pending, Place

_PLACES = 4096
_LAST = 32
"""Threads whose last messages are kept, twice at most, so that only new ones need a look."""


class HippocortexSaver(DelegatingSaver):
    """Captures what a graph's checkpoints hold, each message once.

    ```python
    graph = builder.compile(checkpointer=HippocortexSaver(InMemorySaver()))
    ```

    The thread is the session.  Everything is stored by the inner checkpointer first, as if this
    were not here; a memory that fails never touches the run.  It has the optional methods that the
    inner checkpointer has, and no others.

    Args:
        saver: Any checkpointer; it stays yours to set up and to close.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        channel: That holds the conversation.
        session_id: Of everything; default: the thread.
        user_id_key: Where `config["configurable"]` names the user.
        subgraphs: Capture what happens inside of subgraphs too; much of it comes again in the
            graph around them.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.

    Attributes:
        saver: The inner checkpointer.
        channel: As given.
    """

    def __init__(
        self,
        saver: BaseCheckpointSaver[Any],
        client: Source | None = None,
        *,
        channel: str = "messages",
        session_id: str | None = None,
        user_id_key: str = "user_id",
        subgraphs: bool = False,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        super().__init__(saver)
        self.channel = channel
        self._subgraphs = subgraphs
        self._memory = Memory(
            client,
            session_id=session_id,
            user_id_key=user_id_key,
            api_key=api_key,
            base_url=base_url,
        )
        self._writes: Pending[Any] = Pending()
        self._failures: Pending[BaseException] = Pending()
        self._stored: Recent[Place, str] = Recent(_PLACES)
        self._calls: Recent[Place, _events.Calls] = Recent(_PLACES)
        self._last: Recent[Place, list[BaseMessage]] = Recent(_LAST)

    @property
    def attached_hooks(self) -> Collection[str]:
        """The methods of the inner checkpointer that are listened to."""
        return ("put", "aput", "put_writes", "aput_writes") if self._memory.active else ()

    def captures(self, config: Mapping[str, Any]) -> Scope | None:
        """To whom a run's conversation belongs; None once this is detached."""
        return self._memory.scope(config) if self._memory.active else None

    def detach(self) -> BaseCheckpointSaver[Any]:
        """Capture nothing from now on; returns the inner checkpointer."""
        self._memory.detach()
        return self.saver

    # --- what is listened to ---------------------------------------------------------------------

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint, then capture what is new in it."""
        stored = self.saver.put(config, checkpoint, metadata, new_versions)
        self._see(config, checkpoint, new_versions)
        return stored

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """As `put`."""
        stored = await self.saver.aput(config, checkpoint, metadata, new_versions)
        self._see(config, checkpoint, new_versions)
        return stored

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote, and keep its messages for the next checkpoint."""
        self.saver.put_writes(config, writes, task_id, task_path)
        self._note(config, writes, task_id, task_path)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """As `put_writes`."""
        await self.saver.aput_writes(config, writes, task_id, task_path)
        self._note(config, writes, task_id, task_path)

    def _see(
        self, config: RunnableConfig, checkpoint: Checkpoint, new_versions: ChannelVersions
    ) -> None:
        with fail_open("capturing a checkpoint"):
            place, stored = self._place(config), checkpoint["id"]
            if place is None:
                return
            if self.channel in checkpoint["channel_versions"]:
                # What tasks wrote that began with an earlier checkpoint is in this one.
                written = self._writes.take(place, lambda began: began < stored)
                if written or self.channel in new_versions:
                    self._capture(config, place, self._messages(checkpoint, written))
            self._stored[place] = stored
            self._tell_failures(config, place)

    def _capture(self, config: RunnableConfig, place: Place, messages: list[BaseMessage]) -> None:
        messages, before = self._new(place, messages), self._calls.get(place) or {}
        self._calls[place] = _events.open_calls(messages, before)
        self._memory.capture(messages, self._memory.scope(config), before)

    def _new(self, place: Place, messages: list[BaseMessage]) -> list[BaseMessage]:
        """The messages after those of the last checkpoint; all of them, if anything is unclear."""
        last = self._last.get(place) or []
        self._last[place] = messages
        count = len(last)
        if count > len(messages) or not all(map(operator.is_, last, messages)):
            return messages
        # A message without an id is told by its place among all.
        return messages[count:] if all(m.id for m in messages[count:]) else messages

    def _messages(self, checkpoint: Checkpoint, written: list[Any]) -> list[BaseMessage]:
        """The conversation; of a channel that stores only changes, those since last time."""
        value: Any = checkpoint["channel_values"].get(self.channel)
        if isinstance(value, delta_snapshot):
            value = value.value
        elif value is None:
            value = [message for one in written for message in _listed(one)]
        return _events.messages_in(value)

    def _note(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, path: str
    ) -> None:
        with fail_open("capturing writes"):
            place = self._place(config)
            if place is None:
                return
            given: Mapping[str, Any] = config.get("configurable") or {}
            order = (str(given.get("checkpoint_id") or ""), path, task_id)
            for channel, value in writes:
                if channel == self.channel:
                    self._writes.add(place, order, value)
                elif channel == ERROR and isinstance(value, BaseException):
                    self._failures.add(place, order, value)
                    self._tell_failures(config, place)

    def _tell_failures(self, config: RunnableConfig, place: Place) -> None:
        """Tasks that raised: the tool that was called, if it was one."""
        stored = self._stored.get(place) or ""
        for error in self._failures.take(place, lambda began: began <= stored):
            if isinstance(error, GraphBubbleUp):
                continue
            calls = self._calls.get(place) or {}
            step: AnyStep = Failure(error, where="graph")
            if len(calls) == 1:
                ((call_id, call),) = calls.items()
                step = _events.failure_of(call_id, call, error)
            self._memory.record(step, self._memory.scope(config))

    def _place(self, config: RunnableConfig) -> Place | None:
        """Thread and namespace, if they are to be captured."""
        given: Mapping[str, Any] = config.get("configurable") or {}
        namespace = str(given.get("checkpoint_ns") or "")
        if not self._memory.active or (namespace and not self._subgraphs):
            return None
        return str(given.get("thread_id")), namespace

    def with_allowlist(self, extra_allowlist: Any) -> Any:
        """This around what the inner checkpointer makes of it."""
        found = copy.copy(self)
        found.saver = cast("Any", self.saver).with_allowlist(extra_allowlist)
        return found

    def __copy__(self) -> HippocortexSaver:
        """Another one around the same checkpointer, with the same memory."""
        found = object.__new__(type(self))
        found.__dict__.update(self.__dict__)
        return found


def _captured_here() -> Scope | None:
    """To whom the run belongs that calls this, if one of these savers captures it."""
    config = config_here()
    given: Any = config.get("configurable") or {}
    saver = given.get(CHECKPOINTER)
    return saver.captures(config) if isinstance(saver, HippocortexSaver) else None


# A wrapped client of a model inside of such a run recalls, and leaves the capturing to it.
watchers.append(_captured_here)


def _listed(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else [value]
