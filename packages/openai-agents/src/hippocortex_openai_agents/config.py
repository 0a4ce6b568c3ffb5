"""`run_config()`: memory in the instructions of every model that a run asks."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Collection, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, ref

from agents import RunConfig

from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import RecallOptions, Source
from hippocortex_core.types import ReasoningSection
from hippocortex_openai_agents import _events
from hippocortex_openai_agents._compat import (
    CallModelData,
    ModelInputData,
    as_run_config,
    span_here,
    trace_here,
)
from hippocortex_openai_agents._memory import Memory

recalled_here: ContextVar[dict[Hashable, str] | None] = ContextVar(
    "hippocortex_recalled_in_run", default=None
)
"""What memory said in this run, if its runner is ours, which knows where it ends."""


class MemoryFilter:
    """A `call_model_input_filter` that puts what memory knows after the instructions.

    Args:
        memory: To ask.
        inner: The user's own filter, which comes first.
    """

    def __init__(self, memory: Memory, inner: Any = None) -> None:
        self._memory = memory
        self._inner = inner
        self._turns = _Turns()

    @property
    def attached_hooks(self) -> Collection[str]:
        """The hook that is used."""
        return ("call_model_input_filter",) if self._memory.active else ()

    def detach(self) -> None:
        """Recall nothing from now on; the inner filter goes on."""
        self._memory.detach()

    async def __call__(self, call: CallModelData[Any]) -> ModelInputData:
        """What the model is given."""
        given = call.model_data
        if self._inner is not None:
            given = self._inner(call)
            given = await given if inspect.isawaitable(given) else given
        return await self._filled(call, given) if self._memory.ready else given

    async def _filled(self, call: CallModelData[Any], given: Any) -> Any:
        with fail_open("injecting"):
            asked = _events.question_in(given.input)
            if asked is None or _events.holds_memory(given.input, given.instructions):
                return given
            memory, (turn, question) = self._memory, asked
            known = recalled_here.get()
            if known is None:
                known = self._turns.of(call.agent, asked, fresh=_events.asks_now(given.input))
            scope = memory.scope_in(call.context)
            text = await memory.recall_once(question, scope, known, turn)
            if text:
                filled = _events.with_text(given.instructions, text)
                return dataclasses.replace(given, instructions=filled)
        return given


class _Turns:
    """What memory said in the turns that are going on, told by the SDK's traces.

    A trace may go on for many runs.  A new turn begins where the user spoke last, and the agent
    that was asked first is asked again: not by a handoff that hides what was done so far.
    """

    def __init__(self) -> None:
        self._turns: WeakKeyDictionary[object, dict[Hashable, _Turn]] = WeakKeyDictionary()

    def of(self, agent: object, asked: Hashable, *, fresh: bool) -> dict[Hashable, str]:
        """What memory said in the turn.

        Args:
            agent: Whose model is asked.
            asked: What the user said last.
            fresh: Whether nothing has been done since.
        """
        trace, span = trace_here(), span_here()
        if trace is None or span is None:
            return {}
        turns = self._turns.setdefault(trace, {})
        turn = turns.get(asked)
        if turn is None or (fresh and turn.agent() is agent and turn.span() is not span):
            turns[asked] = turn = _Turn(ref(agent), ref(span))
        return turn.known


@dataclass(frozen=True)
class _Turn:
    agent: Callable[[], object]
    span: Callable[[], object]
    known: dict[Hashable, str] = field(default_factory=dict[Hashable, str])


def run_config(
    base: RunConfig | dict[str, Any] | None = None,
    *,
    client: Source | None = None,
    session_id: str | None = None,
    user_id_key: str = "user_id",
    max_tokens: int | None = None,
    sections: Sequence[ReasoningSection] | None = None,
    min_confidence: float = 0.0,
    api_key: str | None = None,
    base_url: str | None = None,
) -> RunConfig:
    """A configuration with which every model knows what memory knows about the user's words.

    ```python
    await Runner.run(agent, "Deploy payments", run_config=run_config(), hooks=HippocortexHooks())
    ```

    The memory stands after the agent's instructions in the requests, and nowhere else.  It is asked
    once for what the user said once, also for agents that are handed over to.

    Args:
        base: A configuration of your own, which is not changed.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_id: Default: the surrounding `session(...)`.
        user_id_key: Where the run's context, an object or a mapping, names the user.
        max_tokens: Of what is recalled; default: the recorder's.
        sections: Of what is recalled; default: all.
        min_confidence: Of what is recalled, in 0..1.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.
    """
    chosen = None if sections is None else tuple(sections)
    memory = Memory(
        client,
        session_id=session_id,
        user_id_key=user_id_key,
        options=RecallOptions(max_tokens, chosen, min_confidence),
        api_key=api_key,
        base_url=base_url,
    )
    return with_recall(base, memory)


def with_recall(base: RunConfig | dict[str, Any] | None, memory: Memory) -> RunConfig:
    """The configuration, with a filter that recalls."""
    config = as_run_config(base)
    if isinstance(config.call_model_input_filter, MemoryFilter):
        return config
    recalling = MemoryFilter(memory, config.call_model_input_filter)
    return dataclasses.replace(config, call_model_input_filter=recalling)
