"""What OpenClaw remembers of past sessions, as events to capture.

```python
from hippocortex_openclaw.transcripts import Found, Transcripts

for item in Transcripts("~/.openclaw").items():
    if isinstance(item, Found): ...  # item.event, item.place
    else: ...                        # a Problem: item.place, item.message
```

Nothing is stored here, and nothing is written to OpenClaw's folder, which may be in use.  Events
have the keys that the plugin gives them: what was captured live, or imported before, is stored
once.  Sessions that only the clock speaks in are left out.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hippocortex_core.errors import ValidationError
from hippocortex_core.recorder.intake import clean_text
from hippocortex_core.redaction import walk
from hippocortex_core.types import CaptureEvent
from hippocortex_core.validation import check_event, format_time, parse_time
from hippocortex_openclaw._events import string
from hippocortex_openclaw._history.conversations import (
    SCOPES,
    Conversation,
    Scope,
    Settings,
    conversation_of,
    is_private,
    is_scheduled,
    is_subagent,
    storable_id,
)
from hippocortex_openclaw._history.database import Database, Window, opened
from hippocortex_openclaw._history.files import Files, Known, files_of
from hippocortex_openclaw._history.lines import Item, Problem, entries_in_file
from hippocortex_openclaw._history.runs import Entry, Run, Runs, Taken

__all__ = ["SCOPES", "Found", "Problem", "Scope", "Session", "Settings", "Transcripts"]


@dataclass(frozen=True)
class Found:
    """An event, and where it stands."""

    place: str
    event: CaptureEvent


class Transcripts:
    """The past of an OpenClaw.

    Args:
        state_dir: Its folder; default: `OPENCLAW_STATE_DIR`, else `~/.openclaw`.
        agents: Only these; default: all.
        since: Only what happened from then on.
        settings: Whose memory it is, as the plugin's settings.

    Attributes:
        folder: The folder.
        warnings: What a user should know of the databases; filled by `sessions`.

    Raises:
        ValidationError: There is no such folder, or no agent in it.
    """

    def __init__(
        self,
        state_dir: str | Path | None = None,
        *,
        agents: Collection[str] | None = None,
        since: datetime | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.folder = _folder(state_dir)
        self.warnings: list[str] = []
        self._agents = _agent_folders(self.folder, agents)
        self._since = None if since is None else parse_time("since", since)
        self._settings = settings or Settings()

    def sessions(self) -> Iterator[Session | Problem]:
        """The sessions, agent by agent; use each one before the next."""
        for folder in self._agents:
            with ExitStack() as stack:
                yield from self._of_agent(folder, stack)

    def items(self) -> Iterator[Found | Problem]:
        """The events of all sessions, and what could not be read."""
        for one in self.sessions():
            yield from [one] if isinstance(one, Problem) else one.items()

    def count(self) -> int:
        """How many sessions there are."""
        return sum(isinstance(one, Session) for one in self.sessions())

    # --- parts -----------------------------------------------------------------------------------

    def _of_agent(self, folder: Path, stack: ExitStack) -> Iterator[Session | Problem]:
        files = files_of(folder)
        yield from files.problems
        database, windows = None, dict[str, Window]()
        path = folder / "agent" / "openclaw-agent.sqlite"
        try:
            if path.is_file():
                database = stack.enter_context(opened(path))
                windows = {window.session_id: window for window in database.windows()}
                self._warn(database.warning())
        except (sqlite3.Error, OSError) as error:
            yield Problem(str(path), f"cannot be read: {error}")
        yield from self._sessions(folder.name, files, database, windows)
        if database is not None and database.outdated:
            self._warn(f"{path}: OpenClaw began to write to it meanwhile; import again")

    def _warn(self, warning: str | None) -> None:
        if warning is not None and warning not in self.warnings:
            self.warnings.append(warning)

    def _sessions(
        self, agent: str, files: Files, database: Database | None, windows: dict[str, Window]
    ) -> Iterator[Session]:
        requesters = {one.session_key: one.requester_key for one in files.index.values()}
        if database is not None:
            with suppress(sqlite3.Error):
                requesters.update(database.requesters())
        for session_id in sorted({*windows, *files.transcripts}):
            window = windows.get(session_id) or _window(session_id, files)
            key = window.session_key
            if is_private(key) or is_scheduled(key):
                continue
            whose = conversation_of(
                agent,
                key,
                session_id,
                self._settings,
                _requester(key, window.requester_key, requesters),
            )
            within = database if session_id in windows else None
            paths = files.transcripts.get(session_id, [])
            yield Session(window, whose, within, paths, self._since)


@dataclass(frozen=True)
class Session:
    """A past session: everything that happened in it, once, wherever parts of it are kept.

    Attributes:
        window: What is known of it.
        whose: To whom it belongs.
        database: That it is in, if it is in one.
        paths: Files that hold parts of it, oldest first.
        since: Milliseconds since the epoch; what happened before is left out.
    """

    window: Window
    whose: Conversation
    database: Database | None = field(repr=False)
    paths: list[Path]
    since: int | None = None

    def items(self) -> Iterator[Found | Problem]:
        """The events in order, and what could not be read."""
        window = self.window
        runs = Runs(
            window.session_id,
            is_task=is_subagent(window.session_key),
            going_on=window.running,
        )
        seen: set[str] = set()
        for item in self._entries():
            if isinstance(item, Problem):
                yield item
            elif _is_new(item, seen):
                for run in runs.feed(_cleaned(item)):
                    yield from self._events(run)
        for run in runs.end():
            yield from self._events(run)

    def _entries(self) -> Iterator[Item]:
        for path in self.paths:
            yield from entries_in_file(path)
        if self.database is not None:
            yield from self.database.entries(self.window.session_id)

    def _events(self, run: Run) -> Iterator[Found | Problem]:
        for taken in run.taken:
            try:
                event = self._event(run, taken)
                at = check_event(event).occurred_at
            except ValidationError as error:
                yield Problem(taken.place, error.message)
                continue
            if self.since is None or (at is not None and at >= self.since):
                yield Found(taken.place, event)

    def _event(self, run: Run, taken: Taken) -> CaptureEvent:
        payload = taken.step.payload()
        if taken.exit_code is not None:
            call_id = payload.pop("call_id")
            payload |= {"exit_code": taken.exit_code, "call_id": call_id}
        at = taken.at
        return CaptureEvent(
            type=taken.step.type,
            session_id=self.whose.session_id,
            payload=payload,
            metadata=self._metadata(run),
            idempotency_key=storable_id(f"oc:{run.id}:{taken.key}"),
            occurred_at=format_time(at) if isinstance(at, int) else at,
        )

    def _metadata(self, run: Run) -> dict[str, Any]:
        whose, window = self.whose, self.window
        about = {
            "source": "openclaw",
            "user_id": whose.user_id,
            "agent_id": whose.agent_id,
            "session_key": window.session_key,
            "run_id": run.id,
            "channel": window.channel,
            "model": run.model,
        }
        return {name: storable_id(value) for name, value in about.items() if value}


def _folder(given: str | Path | None) -> Path:
    named = given or os.environ.get("OPENCLAW_STATE_DIR") or Path("~", ".openclaw")
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ValidationError(
            f"there is no OpenClaw in {str(folder)!r}: name its folder with --state-dir"
        )
    return folder


def _agent_folders(folder: Path, wanted: Collection[str] | None) -> list[Path]:
    place = folder / "agents"
    found = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
    chosen = [path for path in found if wanted is None or path.name in wanted]
    if not chosen:
        names = ", ".join(path.name for path in found) or "none"
        raise ValidationError(f"no such agent in {folder} (there are: {names})")
    return chosen


def _window(session_id: str, files: Files) -> Window:
    known = files.index.get(session_id, Known("", ""))
    return Window(session_id, known.session_key, known.requester_key)


def _requester(key: str, requester: str, requesters: dict[str, str]) -> str:
    """Who had a subagent started, in the end: subagents start subagents."""
    passed = {key}
    found = requester or requesters.get(key, "")
    while is_subagent(found) and found not in passed and requesters.get(found):
        passed.add(found)
        found = requesters[found]
    return found


def _is_new(entry: Entry, seen: set[str]) -> bool:
    """Whether the entry is met for the first time: archives overlap."""
    name = string(entry.value.get("id"))
    if not name or entry.value.get("type") == "session":
        return True
    if name in seen:
        return False
    seen.add(name)
    return True


def _cleaned(entry: Entry) -> Entry:
    """The entry as it may leave the process: no recalled memory, no secrets, no media."""
    if entry.value.get("type") != "message":
        return entry  # nothing of it is kept
    return Entry(entry.place, walk(entry.value, clean_text))
