"""`wrap(graph)`: a compiled graph with a memory, whatever it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs

from hippocortex_core import guard
from hippocortex_core.recorder import Source
from hippocortex_core.scope import Scope, session
from hippocortex_langgraph import _events, _models
from hippocortex_langgraph._compat import config_here
from hippocortex_langgraph._listening import Listener
from hippocortex_langgraph._memory import Memory


class MemoryGraph:
    """A graph with a memory; everything it does not have itself is the graph's.

    Attributes:
        graph: As it was given.
    """

    def __init__(self, graph: Runnable[Any, Any], memory: Memory) -> None:
        self.graph = graph
        self._memory = memory
        self._attached = _models.attach(self)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> Any:  # noqa: A002 - LangGraph's name
        """As the graph's `invoke`."""
        run = self._run(input, config, options)
        if run is None:
            return self.graph.invoke(input, config, **options)
        run.recall()
        with run.going():
            return self.graph.invoke(input, run.config, **options)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002 - LangGraph's name
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> Any:
        """As the graph's `ainvoke`."""
        run = self._run(input, config, options)
        if run is None:
            return await self.graph.ainvoke(input, config, **options)
        await run.arecall()
        with run.going():
            return await self.graph.ainvoke(input, run.config, **options)

    def stream(
        self,
        input: Any,  # noqa: A002 - LangGraph's name
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """As the graph's `stream`."""
        run = self._run(input, config, options)
        if run is None:
            yield from self.graph.stream(input, config, **options)
            return
        run.recall()
        chunks = iter(self.graph.stream(input, run.config, **options))
        while True:
            # Not around the loop: between two chunks the caller's own code runs.
            with run.going():
                try:
                    chunk = next(chunks)
                except StopIteration:
                    return
            yield chunk

    async def astream(
        self,
        input: Any,  # noqa: A002 - LangGraph's name
        config: RunnableConfig | None = None,
        **options: Any,
    ) -> AsyncIterator[Any]:
        """As the graph's `astream`."""
        run = self._run(input, config, options)
        if run is None:
            async for chunk in self.graph.astream(input, config, **options):
                yield chunk
            return
        await run.arecall()
        chunks = aiter(self.graph.astream(input, run.config, **options))
        while True:
            with run.going():
                try:
                    chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
            yield chunk

    @property
    def attached_hooks(self) -> Collection[str]:
        """What of LangChain and of the run is used."""
        if not self._memory.active:
            return ()
        return ("callbacks", "BaseChatModel") if self._attached else ("callbacks",)

    def unwrap(self) -> Any:
        """Recall and capture nothing from now on; returns the graph."""
        self._memory.detach()
        _models.release(self)
        return self.graph

    def __getattr__(self, name: str) -> Any:
        return getattr(self.graph, name)

    def _run(self, given: Any, config: RunnableConfig | None, options: Any) -> _Run | None:
        if self._memory.ready:
            with guard.fail_open("reading an input"):
                return _Run(self._memory, given, config, options.get("context"))
        return None


class _Run:
    """One run of a wrapped graph."""

    def __init__(
        self, memory: Memory, given: Any, config: RunnableConfig | None, context: Any
    ) -> None:
        self._memory = memory
        self._messages = _said(given)
        self.scope: Scope = memory.scope(cast("Mapping[str, Any]", config or {}), context)
        # A graph inside of another run tells that one's callbacks too, unless it is given others.
        around = cast("RunnableConfig", {"callbacks": config_here().get("callbacks")})
        listener = Listener(memory, self.scope, self._messages)
        self.config = merge_configs(around, config, {"callbacks": [listener]})
        self._recalled: _models.Recalled | None = None

    def recall(self) -> None:
        self._found(self._memory.recall(self._messages, self.scope))

    async def arecall(self) -> None:
        self._found(await self._memory.arecall(self._messages, self.scope))

    def _found(self, text: str) -> None:
        question = _events.question_in(self._messages)
        if question is not None and text:
            self._recalled = _models.Recalled(text, question[1])

    @contextmanager
    def going(self) -> Generator[None]:
        """Around what the graph does: models get the memory, and nobody else captures."""
        scope = self.scope
        token = _models.recalled.set(self._recalled)
        try:
            with (
                guard.with_memory(),
                session(scope.session_id, user_id=scope.user_id, agent_id=scope.agent_id),
            ):
                yield
        finally:
            _models.recalled.reset(token)


def wrap(
    graph: Any,
    api_key: str | None = None,
    base_url: str | None = None,
    session_id: str | None = None,
    *,
    client: Source | None = None,
    user_id_key: str = "user_id",
) -> MemoryGraph:
    """A compiled graph, of any kind, with a memory.

    ```python
    graph = wrap(builder.compile())
    graph.invoke({"messages": [("user", "Deploy payments")]})
    ```

    What memory knows about the user's words is put before the model in every request that holds
    them; the graph's state stays free of it.  What is said and done is captured as it happens.

    Args:
        graph: With or without a checkpointer; it is not changed.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Where the memory lives; default: `HIPPOCORTEX_BASE_URL`, then the file.
        session_id: Of all runs; default: the thread, then the surrounding `session(...)`.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        user_id_key: Where `config["configurable"]`, or else the run's context, names the user.

    Returns:
        An object with `invoke`, `ainvoke`, `stream` and `astream`, and all else of the graph.
    """
    if isinstance(graph, MemoryGraph):
        return graph
    memory = Memory(
        client, session_id=session_id, user_id_key=user_id_key, api_key=api_key, base_url=base_url
    )
    return MemoryGraph(graph, memory)


def _said(given: Any) -> list[BaseMessage]:
    """What the user says with this input."""
    found = _events.messages_in(given)
    if found or not isinstance(given, Mapping):
        return found
    words = [v for v in cast("Mapping[str, Any]", given).values() if isinstance(v, str)]
    return [HumanMessage("\n".join(words))] if words else []
