"""A checkpointer that is another one, but for what a subclass changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

_OPTIONAL = (
    *("delete_for_runs", "adelete_for_runs", "copy_thread", "acopy_thread", "prune", "aprune"),
    *("get_delta_channel_history", "aget_delta_channel_history"),
)
"""Methods that a checkpointer has only if its class overrides them."""


class DelegatingSaver(BaseCheckpointSaver[Any]):
    """Reads, lists and deletes with the inner checkpointer.

    Attributes:
        saver: The inner checkpointer.
    """

    saver: BaseCheckpointSaver[Any]

    def __new__(cls, saver: BaseCheckpointSaver[Any], *args: Any, **options: Any) -> Any:
        """An instance with the optional methods of the inner checkpointer."""
        del args, options
        extra = {name: _delegate(name) for name in _OPTIONAL if _overrides(type(saver), name)}
        return object.__new__(type(cls.__name__, (cls,), extra) if extra else cls)

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self.saver = saver

    @property
    def serde(self) -> Any:
        """Of the inner checkpointer."""
        return self.saver.serde

    @serde.setter
    def serde(self, value: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self.saver.serde = value

    @property
    def config_specs(self) -> list[Any]:
        """Of the inner checkpointer."""
        return cast("list[Any]", self.saver.config_specs)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Of the inner checkpointer."""
        return self.saver.get_tuple(config)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Of the inner checkpointer."""
        return await self.saver.aget_tuple(config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Of the inner checkpointer."""
        return self.saver.list(config, filter=filter, before=before, limit=limit)

    def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Of the inner checkpointer."""
        return self.saver.alist(config, filter=filter, before=before, limit=limit)

    def delete_thread(self, thread_id: str) -> None:
        """Delete the thread's checkpoints; what was captured of it stays (see `forget`)."""
        self.saver.delete_thread(thread_id)

    async def adelete_thread(self, thread_id: str) -> None:
        """As `delete_thread`."""
        await self.saver.adelete_thread(thread_id)

    def get_next_version(self, current: Any, channel: Any) -> Any:
        """Of the inner checkpointer, whose versions may be anything."""
        return self.saver.get_next_version(current, channel)


def _overrides(kind: type, name: str) -> bool:
    """Whether a checkpointer's class has a method of its own."""
    own = getattr(kind, name, None)
    return own is not None and own is not getattr(BaseCheckpointSaver, name, None)


def _delegate(name: str) -> Callable[..., Any]:
    def method(self: DelegatingSaver, *args: Any, **options: Any) -> Any:
        return getattr(self.saver, name)(*args, **options)

    method.__name__ = name
    return method
