"""`HippocortexRunner`: the SDK's `Runner`, with a memory."""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

from agents import Agent, Runner, RunResult, RunResultStreaming

from hippocortex_core import guard
from hippocortex_core.recorder import Source
from hippocortex_core.recorder.surface import identifier
from hippocortex_core.scope import Scope, current, session
from hippocortex_openai_agents import _events
from hippocortex_openai_agents._compat import watch_stream
from hippocortex_openai_agents._memory import Memory
from hippocortex_openai_agents._runs import Run
from hippocortex_openai_agents._watching import Watcher
from hippocortex_openai_agents.config import recalled_here, with_recall
from hippocortex_openai_agents.hooks import HippocortexHooks


class HippocortexRunner:
    """Runs agents as `Runner` does, with everything recalled and captured.

    ```python
    result = await HippocortexRunner.run(agent, "Deploy payments", user_id="ann")
    ```

    Each method takes what the one of `Runner` takes, and:

    * `user_id`, `session_id`: whose run it is; default: the surrounding `session(...)`, the id of
      the run's session, and for the session else one for each run;
    * `client`, or `api_key` and `base_url`: the memory; default: what is configured.

    Hooks and a configuration of your own are used as well.  A run that fails is captured, too.
    """

    @classmethod
    async def run(
        cls,
        starting_agent: Agent[Any],
        input: Any,  # noqa: A002 - the SDK's name
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        client: Source | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        **options: Any,
    ) -> RunResult:
        """As `Runner.run`.

        Raises:
            Exception: What `Runner.run` raises.
        """
        memory = _memory_of(client, api_key, base_url)
        prepared = _Prepared(memory, input, options, session_id, user_id)
        with prepared.going():
            try:
                return await Runner.run(starting_agent, input, **prepared.options)
            except Exception as error:
                prepared.failed(error)
                raise

    @classmethod
    def run_sync(
        cls,
        starting_agent: Agent[Any],
        input: Any,  # noqa: A002 - the SDK's name
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        client: Source | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        **options: Any,
    ) -> RunResult:
        """As `Runner.run_sync`.

        Raises:
            Exception: What `Runner.run_sync` raises.
        """
        memory = _memory_of(client, api_key, base_url)
        prepared = _Prepared(memory, input, options, session_id, user_id)
        with prepared.going():
            try:
                return Runner.run_sync(starting_agent, input, **prepared.options)
            except Exception as error:
                prepared.failed(error)
                raise

    @classmethod
    def run_streamed(
        cls,
        starting_agent: Agent[Any],
        input: Any,  # noqa: A002 - the SDK's name
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        client: Source | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        **options: Any,
    ) -> RunResultStreaming:
        """As `Runner.run_streamed`."""
        memory = _memory_of(client, api_key, base_url)
        prepared = _Prepared(memory, input, options, session_id, user_id)
        with prepared.going():
            result = Runner.run_streamed(starting_agent, input, **prepared.options)
        with guard.fail_open("watching a stream"):
            watch_stream(result, prepared.failed)
        return result


class _Prepared:
    """One run that is about to begin.

    Attributes:
        options: For the SDK's runner.
    """

    def __init__(
        self,
        memory: Memory,
        given: Any,
        options: dict[str, Any],
        session_id: str | None,
        user_id: str | None,
    ) -> None:
        self._memory = memory
        self._given = given
        self._scope = current()
        self._ready = False
        self.options: dict[str, Any] = options
        self._watcher = Watcher(memory)
        with guard.fail_open("preparing a run"):
            named = identifier(session_id) or _id_of(options.get("session"))
            scope = Scope(named, identifier(user_id)).over(memory.scope_in(options.get("context")))
            self._scope = scope
            if memory.ready:
                self.options = {
                    **options,
                    "hooks": _Hooks(self._watcher, options.get("hooks")),
                    "run_config": with_recall(options.get("run_config"), memory),
                }
                self._ready = True

    @contextmanager
    def going(self) -> Generator[None]:
        """Around what the SDK does."""
        if not self._ready:
            yield
            return
        scope = self._scope
        token = recalled_here.set({})
        try:
            with (
                guard.with_memory(),
                session(scope.session_id, user_id=scope.user_id, agent_id=scope.agent_id),
            ):
                yield
        finally:
            recalled_here.reset(token)

    def failed(self, error: Exception) -> None:
        """The run ended with an exception; whatever it was given is captured, too."""
        if not self._ready:
            return
        with guard.fail_open("capturing a failure"):
            run = self._watcher.latest
            if run is None:
                run = Run()
                run.scope = self._scope.over(Scope(f"run-{run.name}"))
                for step in _events.said_now(_items(self._given)):
                    self._memory.record_in(run, step, run.scope)
            self._watcher.failed(error, run, run.scope or self._scope)


class _Hooks(HippocortexHooks):
    """Those of one run."""

    def __init__(self, watcher: Watcher, inner: Any) -> None:
        self._use(watcher, inner)


def _items(given: Any) -> list[Any]:
    """What a run is given; the state of one that goes on says nothing new."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return cast("list[Any]", given) if isinstance(given, list) else []


_memories: WeakKeyDictionary[Source, Memory] = WeakKeyDictionary()


def _memory_of(client: Source | None, api_key: str | None, base_url: str | None) -> Memory:
    """One memory for all runs that name the same: an unconfigured one complains once."""
    if client is None:
        return _configured(api_key, base_url)
    return _memories.get(client) or _memories.setdefault(client, Memory(client))


@functools.lru_cache(maxsize=64)
def _configured(api_key: str | None, base_url: str | None) -> Memory:
    return Memory(api_key=api_key, base_url=base_url)


def _id_of(given: Any) -> str | None:
    """The id of a run's session, whatever session it is."""
    with guard.fail_open("reading a session's id"):
        try:
            return identifier(getattr(given, "session_id", None))
        except Exception:  # noqa: BLE001 - some have none before their first item
            return None
    return None
