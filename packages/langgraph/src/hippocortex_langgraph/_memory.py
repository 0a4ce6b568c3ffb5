"""What every surface of this package shares, so that several in one run do everything once.

Whose memory it is follows from the run's configuration; memory is asked once for what the user said
once; a message is captured when it is first met.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

from langchain_core.messages import BaseMessage

from hippocortex_core.guard import fail_open
from hippocortex_core.recent import Recent
from hippocortex_core.recorder import Opener, RecallOptions, Recorder, Source
from hippocortex_core.recorder.surface import OwnSession, identifier
from hippocortex_core.scope import Scope, current
from hippocortex_core.steps import AnyStep
from hippocortex_langgraph import _events
from hippocortex_langgraph._compat import config_here
from hippocortex_langgraph._prompts import holds_memory

_TURNS = 2048
_THREADS = 512


class _Known:
    """What has been done with a recorder lately, by whatever surface."""

    def __init__(self) -> None:
        self.recalled: Recent[Hashable, str] = Recent(_TURNS)
        self.captured: Recent[Scope, dict[str, int]] = Recent(_THREADS)


_known: WeakKeyDictionary[Recorder, _Known] = WeakKeyDictionary()


class Memory:
    """The memory of one surface.

    Args:
        client: See `Opener`.
        session_id: Of everything; default: the run's thread, then the surrounding session, and
            else one for this surface and each of its users.
        user_id_key: Where `configurable`, or else the run's context, names the user.
        options: Of recalls.

    Attributes:
        active: Whether anything is recalled and captured; switched off by `detach`.
    """

    def __init__(
        self,
        client: Source | None = None,
        *,
        session_id: str | None = None,
        user_id_key: str = "user_id",
        options: RecallOptions | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self._open = Opener(client, api_key=api_key, base_url=base_url)
        self._session_id = session_id
        self._user_id_key = user_id_key
        self._options = options or RecallOptions()
        self._own = OwnSession()
        self.active = True

    # --- whose -----------------------------------------------------------------------------------

    def scope(self, config: Mapping[str, Any] | None = None, context: Any = None) -> Scope:
        """To whom a run belongs.

        Args:
            config: Of the run; default: that of the run that calls this.
            context: That the run was given, if it was.
        """
        config = config_here() if config is None else config
        given: Any = config.get("configurable") or {}
        user = _field(given, self._user_id_key)
        if user is None:
            user = _field(context, self._user_id_key)
        session = self._session_id
        if session is None:
            session = _field(given, "thread_id")
        found = Scope(identifier(session), identifier(user)).over(current())
        return found if found.session_id is not None else self._own.of(found)

    # --- recalling -------------------------------------------------------------------------------

    def recall(self, messages: Sequence[BaseMessage], scope: Scope) -> str:
        """The block for the model; "" if there is nothing, or it is in the messages already."""
        with fail_open("recalling"):
            asked = self._asked(messages, scope)
            if asked is not None:
                known, key, query = asked
                text = known.get(key)
                if text is None:
                    known[key] = text = self.search(query, scope)
                return text
        return ""

    async def arecall(self, messages: Sequence[BaseMessage], scope: Scope) -> str:
        """As `recall`; the event loop goes on meanwhile."""
        with fail_open("recalling"):
            asked = self._asked(messages, scope)
            if asked is not None:
                known, key, query = asked
                text = known.get(key)
                if text is None:
                    known[key] = text = await self.asearch(query, scope)
                return text
        return ""

    def search(self, query: str, scope: Scope) -> str:
        """What memory knows about a question; "" for nothing."""
        with fail_open("recalling"):
            if (recorder := self._recorder) is not None:
                return self._options.recall(recorder, query, scope).text
        return ""

    async def asearch(self, query: str, scope: Scope) -> str:
        """As `search`; the event loop goes on meanwhile."""
        with fail_open("recalling"):
            if (recorder := self._recorder) is not None:
                return (await self._options.arecall(recorder, query, scope)).text
        return ""

    @property
    def _recorder(self) -> Recorder | None:
        return self._open() if self.active else None

    def _asked(
        self, messages: Sequence[BaseMessage], scope: Scope
    ) -> tuple[Recent[Hashable, str], Hashable, str] | None:
        """What was recalled so far, the key of the turn, and the question, if there is one."""
        recorder, question = self._recorder, _events.question_in(messages)
        if recorder is None or question is None or holds_memory(messages):
            return None
        key, query = question
        return _of(recorder).recalled, (scope, key, self._options), query

    # --- capturing -------------------------------------------------------------------------------

    def capture(
        self,
        messages: Sequence[BaseMessage],
        scope: Scope,
        calls: Mapping[str, _events.Issued] | None = None,
    ) -> None:
        """Record what has not been met before; never blocks.

        Args:
            messages: All there are, or the latest.
            scope: Of the run.
            calls: Tools that were called before the first of the messages.
        """
        with fail_open("capturing messages"):
            recorder = self._recorder
            if recorder is not None:
                fresh = _news(messages, _captured(recorder, scope))
                for step in _events.steps_of(messages, fresh, calls) if fresh else ():
                    recorder.record(step, scope)

    def record(self, step: AnyStep, scope: Scope) -> None:
        """Record a step that is not in any message."""
        with fail_open("capturing a step"):
            recorder = self._recorder
            if recorder is not None:
                recorder.record(step, scope)

    def flush(self, timeout: float = 5.0) -> bool:
        """Deliver what was captured; False if some of it still waits after `timeout` seconds."""
        recorder = self._open()
        return recorder is None or recorder.flush(timeout)

    def detach(self) -> None:
        """Recall and capture nothing from now on."""
        self.active = False

    @property
    def ready(self) -> bool:
        """Whether there is a memory; opens it."""
        with fail_open("opening the memory"):
            return self._recorder is not None
        return False


def _of(recorder: Recorder) -> _Known:
    # Two threads may get here at once: one wins, and the other has done something twice, which
    # the keys of the steps make harmless.
    return _known.get(recorder) or _known.setdefault(recorder, _Known())


def _captured(recorder: Recorder, scope: Scope) -> dict[str, int]:
    captured = _of(recorder).captured
    found = captured.get(scope)
    if found is None:
        captured[scope] = found = {}
    return found


def _news(messages: Sequence[BaseMessage], captured: dict[str, int]) -> set[int]:
    """The positions of the messages that were not captured yet, or say something else now."""
    news: set[int] = set()
    for position, message in enumerate(messages):
        # Without an id, a message can only be told by its place: the steps' keys see to it.
        name = message.id or ""
        found = _events.fingerprint(message) if name else 0
        if not name or captured.get(name) != found:
            captured[name] = found
            news.add(position)
    return news


def _field(holder: Any, name: str) -> Any:
    if isinstance(holder, Mapping):
        return cast("Mapping[str, Any]", holder).get(name)
    return getattr(holder, name, None)
