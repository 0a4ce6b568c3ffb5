"""The runs of a session: which user's words, answers and calls belong together, and their keys.

A key says what a step is within its run, as the plugin says it, so that what was captured live is
not captured again.  Answers, calls and results name their run; the user's words belong to the run
that answers them.  Transcripts of older versions name no runs: there, one begins with the user.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hippocortex_core.steps import AnyStep, AssistantMessage, Outcome, UserMessage
from hippocortex_openclaw import _events
from hippocortex_openclaw._events import Call, Nested, fields_of, string
from hippocortex_openclaw._words import (
    agent_words,
    is_machinery,
    text_of,
    user_words,
)

_BY_THE_CLOCK = frozenset({"heartbeat", "cron"})
_NOBODYS = frozenset({"internal_system", "inter_session"})


class Entry(NamedTuple):
    """A line of a transcript, as JSON, and where it stands."""

    place: str
    value: Mapping[str, Any]


class Taken(NamedTuple):
    """A step of a run.

    Attributes:
        place: Where it stands.
        key: What it is in its run.
        step: What happened.
        at: When.
        exit_code: Of a command.
    """

    place: str
    key: str
    step: AnyStep
    at: int | str | None
    exit_code: int | None = None


@dataclass
class Run:
    """What an agent did about something that was said.

    Attributes:
        id: OpenClaw's name for it.
        model: Which answered first.
        taken: Its steps since they were last given away.
        wanted: Whether it is to be captured.
    """

    id: str
    model: str = ""
    taken: list[Taken] = field(default_factory=list[Taken])
    wanted: bool = True
    silent: bool = False
    said: set[str] = field(default_factory=set[str])
    answers: int = 0
    wrappers: int = 0
    calls: Counter[str] = field(default_factory=Counter[str])
    open: dict[str, tuple[str, Call]] = field(default_factory=dict[str, tuple[str, Call]])
    nested: set[str] = field(default_factory=set[str])
    failure: Taken | None = None

    def name(self, call_id: str) -> str:
        """A call's name in its run: its id, and a number if there were others of that id."""
        base = _events.call_name(call_id)
        number = self.calls[base]
        self.calls[base] += 1
        return f"{base}#{number}" if number else base

    @property
    def is_announcement(self) -> bool:
        """Whether it tells of what a subagent did, and nobody spoke."""
        return self.id.startswith("announce:")

    @property
    def says_nothing(self) -> bool:
        """Whether the agent had nothing to say and did nothing: `NO_REPLY`, `HEARTBEAT_OK`."""
        return self.silent and not self.answers and not self.calls and self.failure is None


class Runs:
    """Puts the entries of one session together, in order.

    Args:
        session_id: Of the session.
        is_task: Whether an agent speaks in it, and not a person.
        going_on: Whether its last run may not have ended.
    """

    def __init__(self, session_id: str, *, is_task: bool = False, going_on: bool = False) -> None:
        self._session_id = session_id
        self._is_task = is_task
        self._going_on = going_on
        self._known: dict[str, Run] = {}
        self._current: Run | None = None
        self._waiting: list[Entry] = []

    def feed(self, entry: Entry) -> Iterator[Run]:
        """Take the next entry; gives the runs that ended before it."""
        message = fields_of(entry.value.get("message"))
        role = message.get("role")
        if role == "user":
            self._waiting.append(entry)
        elif role in {"assistant", "toolResult"} or _events.is_nested(message):
            run_id = self._run_of(entry, message)
            if self._current is None or run_id != self._current.id:
                yield from self._close()
                yield from self._unanswered()
                self._current = self._known.setdefault(run_id, Run(run_id))
            self._listen(self._current)
            self._take(self._current, entry, message)

    def end(self) -> Iterator[Run]:
        """The run that is left.

        Words that nothing answers may still be answered: they are left for the next time.
        """
        if self._going_on and self._current is not None:
            self._current.failure = None
        yield from self._close()

    # --- which run -------------------------------------------------------------------------------

    def _run_of(self, entry: Entry, message: Mapping[str, Any]) -> str:
        named = _events.run_of(message)
        if named:
            return named
        if self._waiting:
            return self._run_from(self._waiting[-1])
        return self._current.id if self._current is not None else self._run_from(entry)

    def _run_from(self, entry: Entry) -> str:
        return f"{self._session_id}:{entry.value.get('id') or entry.place.rpartition(' ')[2]}"

    def _close(self) -> Iterator[Run]:
        run, self._current = self._current, None
        if run is None:
            return
        if run.says_nothing:
            run.taken = []
        if run.failure is not None:
            run.taken.append(run.failure)
            run.failure = None
        yield from self._given_away(run)

    def _given_away(self, run: Run) -> Iterator[Run]:
        run.taken = in_order(run.taken)
        if run.taken and run.wanted:
            yield run
        run.taken = []

    def _unanswered(self) -> Iterator[Run]:
        """Words that came before those that the next run answers: each a run of its own."""
        *alone, last = self._waiting or [None]
        for entry in alone:
            if entry is None:
                continue
            name = string(fields_of(entry.value.get("message")).get("idempotencyKey"))
            run_id = name.removesuffix(":user") or self._run_from(entry)
            run = self._known.setdefault(run_id, Run(run_id))
            self._hear(run, entry)
            yield from self._given_away(run)
        self._waiting = [] if last is None else [last]

    # --- what happened ---------------------------------------------------------------------------

    def _listen(self, run: Run) -> None:
        for entry in self._waiting:
            self._hear(run, entry)
        self._waiting = []

    def _hear(self, run: Run, entry: Entry) -> None:
        message = fields_of(entry.value.get("message"))
        said = text_of(message.get("content"))
        source = fields_of(message.get("provenance"))
        by_the_clock = source.get("sourceTool") in _BY_THE_CLOCK or is_machinery(said)
        if by_the_clock and not run.said:
            run.wanted = False
        nobodys = source.get("kind") in _NOBODYS and not self._is_task
        said = user_words(said)
        if not said or said in run.said or by_the_clock or nobodys or run.is_announcement:
            return
        key = f"user:{len(run.said)}" if run.said else "user"
        run.said.add(said)
        self._add(run, entry, key, UserMessage(said))

    def _take(self, run: Run, entry: Entry, message: Mapping[str, Any]) -> None:
        if _events.is_nested(message):
            self._inner(run, entry, _events.nested_in(message))
        elif message.get("role") == "assistant":
            self._answer(run, entry, message)
        else:
            self._result(run, entry, message)

    def _answer(self, run: Run, entry: Entry, message: Mapping[str, Any]) -> None:
        run.model = run.model or string(message.get("model"))
        error, at = _events.error_of(message), _events.time_of(entry.value)
        failed = None if error is None else Outcome(success=False, summary=error)
        run.failure = None if failed is None else Taken(entry.place, "outcome", failed, at)
        text = text_of(message.get("content")).strip()
        said = agent_words(text)
        run.silent = run.silent or bool(text and not said)
        if said:
            name = at if isinstance(at, int) else run.answers
            self._add(run, entry, f"assistant:{name}", AssistantMessage(said))
            run.answers += 1
        for call in _events.calls_in(message):
            self._call(run, entry, call)

    def _call(self, run: Run, entry: Entry, call: Call) -> None:
        if call.tool == _events.WRAPPER:
            run.wrappers += 1
            run.open[call.id] = (str(run.wrappers), call)
        elif call.tool not in _events.NOT_CAPTURED:
            name = run.name(call.id)
            run.open[call.id] = (name, call)
            self._add(run, entry, f"{name}:call", _events.call_step(call, name))

    def _result(self, run: Run, entry: Entry, message: Mapping[str, Any]) -> None:
        call_id, tool = string(message.get("toolCallId")), string(message.get("toolName"))
        name, call = run.open.pop(call_id, ("", None))
        if tool == _events.WRAPPER and call is not None and call_id not in run.nested:
            self._inner(run, entry, _events.unwrapped(call, int(name), message))
        if tool in _events.NOT_CAPTURED:
            return
        name = name or run.name(call_id)
        answer = _events.answer_of(message, failed=message.get("isError") is True)
        step = _events.result_step(tool, answer, name)
        self._add(run, entry, f"{name}:result", step, exit_code=answer.exit_code)

    def _inner(self, run: Run, entry: Entry, inner: Nested) -> None:
        run.nested.add(inner.outer)
        if not inner.call.tool or inner.call.tool in _events.NOT_CAPTURED:
            return
        name = run.name(inner.call.id)
        answer = _events.answer_of(inner.result, failed=inner.failed)
        call = _events.call_step(inner.call, name)
        result = _events.result_step(inner.call.tool, answer, name)
        self._add(run, entry, f"{name}:call", call, at=inner.began)
        self._add(run, entry, f"{name}:result", result, at=inner.ended, exit_code=answer.exit_code)

    def _add(
        self,
        run: Run,
        entry: Entry,
        key: str,
        step: AnyStep,
        *,
        at: int | None = None,
        exit_code: int | None = None,
    ) -> None:
        when = _events.time_of(entry.value) if at is None else at
        run.taken.append(Taken(entry.place, key, step, when, exit_code))


def in_order(taken: list[Taken]) -> list[Taken]:
    """Steps by time, if it is known of all: the user first, the verdict last."""
    if not all(isinstance(one.at, int) for one in taken):
        return taken
    return sorted(taken, key=lambda one: (_edge(one.key), one.at))


def _edge(key: str) -> int:
    return -1 if key == "user" else int(key == "outcome")
