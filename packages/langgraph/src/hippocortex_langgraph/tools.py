"""Tools with which an agent searches its memory, and adds to it, when it wants to."""

from __future__ import annotations

from typing import Annotated

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool

from hippocortex_core.recorder import RecallOptions, Source
from hippocortex_core.steps import Observation
from hippocortex_langgraph._compat import context_in
from hippocortex_langgraph._memory import Memory

_NOTHING = "Nothing is known about that."
_SEARCH = (
    "Search what is remembered of earlier conversations and work: procedures, known failures,"
    " decisions, facts about the user. Use it before a task that may have been done before."
)
_CAPTURE = (
    "Remember something for later conversations: a preference of the user, a fact, a lesson."
    " Use it when the user asks for it, or when forgetting it would cost somebody time."
)


def create_search_memory_tool(
    client: Source | None = None,
    *,
    name: str = "search_memory",
    instructions: str = _SEARCH,
    session_id: str | None = None,
    user_id_key: str = "user_id",
    max_tokens: int | None = None,
) -> BaseTool:
    """A tool that returns what memory knows about a question, as text for the model.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        name: Of the tool.
        instructions: When to use it, for the model.
        session_id: Default: the thread, then the surrounding `session(...)`.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.
        max_tokens: Of the text; default: the recorder's.
    """
    memory = Memory(
        client,
        session_id=session_id,
        user_id_key=user_id_key,
        options=RecallOptions(max_tokens),
    )

    def search(query: Annotated[str, "What to look for, in words"], config: RunnableConfig) -> str:
        return memory.search(query, memory.scope(config, context_in(config))) or _NOTHING

    async def asearch(
        query: Annotated[str, "What to look for, in words"], config: RunnableConfig
    ) -> str:
        found = await memory.asearch(query, memory.scope(config, context_in(config)))
        return found or _NOTHING

    return StructuredTool.from_function(search, asearch, name=name, description=instructions)


def create_capture_memory_tool(
    client: Source | None = None,
    *,
    name: str = "remember",
    instructions: str = _CAPTURE,
    session_id: str | None = None,
    user_id_key: str = "user_id",
) -> BaseTool:
    """A tool that remembers a text.

    Args:
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        name: Of the tool.
        instructions: When to use it, for the model.
        session_id: Default: the thread, then the surrounding `session(...)`.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.
    """
    memory = Memory(client, session_id=session_id, user_id_key=user_id_key)

    def remember(
        content: Annotated[str, "What to remember, as a full sentence"], config: RunnableConfig
    ) -> str:
        memory.record(Observation(content), memory.scope(config, context_in(config)))
        return "Remembered."

    async def aremember(
        content: Annotated[str, "What to remember, as a full sentence"], config: RunnableConfig
    ) -> str:
        return remember(content, config)  # recording never waits

    return StructuredTool.from_function(remember, aremember, name=name, description=instructions)
