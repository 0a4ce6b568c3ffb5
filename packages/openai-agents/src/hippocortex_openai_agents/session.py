"""A session in the memory's home, or around another one, from which the memory learns."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from agents import RunContextWrapper, TResponseInputItem
from agents.memory import Session

from hippocortex_core.errors import UnavailableError
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder import Source
from hippocortex_core.recorder.surface import identifier
from hippocortex_core.scope import Scope, current
from hippocortex_core.steps import UserMessage
from hippocortex_openai_agents import _events
from hippocortex_openai_agents._compat import accepts_wrapper, as_settings
from hippocortex_openai_agents._conversations import Conversation
from hippocortex_openai_agents._memory import Memory
from hippocortex_openai_agents._runs import Run, run_of_session

Wrapper = RunContextWrapper[Any]


class HippocortexSession:
    """A conversation that lasts, and that the memory learns from.

    ```python
    session = HippocortexSession("ticket-42", user_id="ann")
    await Runner.run(agent, "Deploy payments", session=session)
    ```

    It is kept where the memory lives, durably, for as many processes as there are; or by `inner`.
    In a run with `HippocortexHooks` or `auto_memory`, nothing is captured twice.  A home that is
    out of reach never fails a run: what is added waits in this process, and is sent later.

    Args:
        session_id: Of the conversation, and of what is captured.
        inner: Another session that keeps the items; it stays yours.
        user_id: Whose conversation it is: those of two users are two, also under one id.  Default:
            the user of the surrounding `session(...)`, here or where it is used.
        client: A recorder, a `SyncHippocortex` or a service; default: what is configured.
        session_settings: `SessionSettings(limit=…)`, or a dict: how many items a run is given.
        api_key: Default: `HIPPOCORTEX_API_KEY`, then `.hippocortex.json`.
        base_url: Default: `HIPPOCORTEX_BASE_URL`, then the file, then an embedded memory.

    Attributes:
        session_id: As given.
        session_settings: As given, or those of the inner session.
    """

    def __init__(
        self,
        session_id: str,
        inner: Session | None = None,
        *,
        user_id: str | None = None,
        client: Source | None = None,
        session_settings: Any = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self.session_id = session_id
        self._inner = inner
        self._user_id = identifier(user_id) or current().user_id
        self._memory = Memory(client, session_id=session_id, api_key=api_key, base_url=base_url)
        own = as_settings(session_settings)
        if inner is not None and session_settings is None:
            own = getattr(inner, "session_settings", None)
        self.session_settings = own

    @property
    def attached_hooks(self) -> Collection[str]:
        """What of the session is listened to."""
        return ("add_items",) if self._memory.active else ()

    def detach(self) -> None:
        """Capture nothing from now on; the conversation is kept as before."""
        self._memory.detach()

    async def get_items(
        self, limit: int | None = None, *, wrapper: Wrapper | None = None
    ) -> list[TResponseInputItem]:
        """The conversation, oldest first.

        Args:
            limit: The newest so many; default: as the settings say, else all.
            wrapper: The context of the run that asks.
        """
        found: list[Any] = []
        if self._inner is not None:
            found = await _call(self._inner.get_items, wrapper, limit)
        else:
            with fail_open("reading a conversation"):
                found = await self._conversation().items(self._limit(limit))
        with fail_open("meeting a run"):
            self._run(wrapper, begins=True).history = len(found)
        return cast("list[TResponseInputItem]", found)

    async def add_items(
        self, items: list[TResponseInputItem], *, wrapper: Wrapper | None = None
    ) -> None:
        """Append the items.

        Args:
            items: As dicts.
            wrapper: The context of the run that they are of.
        """
        if self._inner is not None:
            await _call(self._inner.add_items, wrapper, items)
        elif items:
            with fail_open("keeping a conversation"):
                await self._conversation().add(cast("list[dict[str, Any]]", items))
        with fail_open("capturing a conversation"):
            self._capture(items, wrapper)

    async def pop_item(self, *, wrapper: Wrapper | None = None) -> TResponseInputItem | None:
        """Remove the newest item, and return it; what was captured of it stays.

        Raises:
            HippocortexError: The home is out of reach.
        """
        if self._inner is not None:
            return await _call(self._inner.pop_item, wrapper)
        return cast("TResponseInputItem | None", await self._conversation().pop())

    async def clear_session(self, *, wrapper: Wrapper | None = None) -> None:
        """Remove all items; what was captured of them stays: see `forget(session_id=…)`.

        Raises:
            HippocortexError: The home is out of reach.
        """
        if self._inner is not None:
            await _call(self._inner.clear_session, wrapper)
            return
        await self._conversation().clear()

    def __getattr__(self, name: str) -> Any:
        """Whatever else the inner session can do, such as `run_compaction`."""
        inner = self.__dict__.get("_inner")
        if inner is None or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        return getattr(inner, name)

    # --- parts -----------------------------------------------------------------------------------

    def _conversation(self) -> Conversation:
        recorder = self._memory.open()
        if recorder is None:
            raise UnavailableError("no memory is configured: the conversation is not kept")
        return Conversation(recorder, self.session_id, self._user_id or current().user_id)

    def _limit(self, limit: int | None) -> int | None:
        return getattr(self.session_settings, "limit", None) if limit is None else limit

    def _run(self, wrapper: Wrapper | None, *, begins: bool = False, ends: bool = False) -> Run:
        """The run that asks; in it, every surface takes this for the session."""
        run = run_of_session(wrapper, begins=begins, ends=ends)
        if run.scope is None:
            context = None if wrapper is None else wrapper.context
            scope = self._memory.scope_in(context)
            run.scope = Scope(identifier(self.session_id), self._user_id).over(scope)
        return run

    def _capture(self, items: list[TResponseInputItem], wrapper: Wrapper | None) -> None:
        if not self._memory.ready:
            return
        steps = list(_events.steps_in(items))
        run = self._run(wrapper, ends=not all(isinstance(one, UserMessage) for one in steps))
        for step in steps:
            self._memory.record_in(run, step, run.scope or Scope())


async def _call(method: Any, wrapper: Wrapper | None, *args: Any) -> Any:
    """What the inner session answers, told of the run if it wants to be."""
    if wrapper is not None and accepts_wrapper(method):
        return await method(*args, wrapper=wrapper)
    return await method(*args)
