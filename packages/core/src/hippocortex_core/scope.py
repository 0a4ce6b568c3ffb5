"""Whose memory it is: sessions, users and agents, scoped by a ContextVar.

```python
with session("ticket-42", user_id="user-7"):
    client.chat.completions.create(...)
```

A scope holds for everything called inside, also in asyncio tasks started there.  A scope inside
another inherits what it does not set.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True)
class Scope:
    """The session, user and agent that steps belong to; None is unknown."""

    session_id: str | None = None
    user_id: str | None = None
    agent_id: str | None = None

    def over(self, other: Scope) -> Scope:
        """This scope, with what it leaves open taken from the other."""
        return Scope(
            other.session_id if self.session_id is None else self.session_id,
            other.user_id if self.user_id is None else self.user_id,
            other.agent_id if self.agent_id is None else self.agent_id,
        )


_NOTHING = Scope()
_current: ContextVar[Scope] = ContextVar("hippocortex_scope", default=_NOTHING)


def current() -> Scope:
    """The scope that holds here; all None outside of any."""
    return _current.get()


class session:  # noqa: N801 - used as `with session(…)`
    """Everything recorded and recalled inside belongs to this session, user and agent.

    Works in `with` and `async with`.  What is not given is inherited from the scope around, and
    else is what the recorder was made with.

    Args:
        session_id: One conversation or run.
        user_id: On whose behalf; recall sees only this user's memories.
        agent_id: Which agent; recall sees only this agent's memories.
    """

    def __init__(
        self,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
    ) -> None:
        self._given = Scope(session_id, user_id, agent_id)
        self._tokens: list[Token[Scope]] = []

    def __enter__(self) -> Scope:
        scope = self._given.over(current())
        self._tokens.append(_current.set(scope))
        return scope

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Left in another context than entered, as generators and thread pools may do: that context
        # never saw the scope, so there is nothing to undo.
        with suppress(ValueError):
            _current.reset(self._tokens.pop())

    async def __aenter__(self) -> Scope:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)
