"""An agent's database, read while OpenClaw may be writing to it, without leaving a trace.

Transcripts have been kept in it since agent schema 4.  What is read is looked for column by
column, so that older and newer schemas give what they have.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hippocortex_openclaw._history.lines import (
    Item,
    Problem,
    entries_in_blob,
    entry_of,
)
from hippocortex_openclaw._history.zstd import BrokenError, unpacked

OLDEST, NEWEST = 4, 23
"""Agent schemas that are known."""

_PAGE = 200
_MAX_EVENT = 16 * 1024 * 1024
_WAIT = 10.0


@dataclass(frozen=True)
class Window:
    """A session of the database.

    Attributes:
        session_id: Of the session.
        session_key: OpenClaw's name for the conversation; "" if unknown.
        requester_key: The session that started it, if it is a subagent's.
        running: Whether an agent is at work in it.
        channel: Through which the conversation comes; "" if unknown.
    """

    session_id: str
    session_key: str = ""
    requester_key: str = ""
    running: bool = False
    channel: str = ""


class Database:
    """The database of one agent.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._alone = not _log_of(path).exists()
        self._connection = _connect(path, alone=self._alone)
        self._columns: dict[str, frozenset[str]] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def outdated(self) -> bool:
        """Whether OpenClaw began to write to it after it was opened."""
        return self._alone and _log_of(self.path).exists()

    def warning(self) -> str | None:
        """What is unusual about its schema; None if nothing is."""
        ((version,),) = self._connection.execute("PRAGMA user_version").fetchall()
        if not self._has("transcript_events", "session_id", "seq"):
            return f"{self.path}: no transcripts in it (schema {version})"
        if OLDEST <= version <= NEWEST:
            return None
        known = f"{OLDEST} to {NEWEST}"
        return f"{self.path}: schema {version} is unknown ({known} are known); some may be missing"

    def windows(self) -> list[Window]:
        """Its sessions, also those of which only an archive is left."""
        found = {window.session_id: window for window in self._windows()}
        for table in ("session_transcript_archives", "session_transcript_cold_archives"):
            if self._has(table, "session_id"):
                for row in self._select(table, "session_id", "session_key"):
                    found.setdefault(row[0], Window(row[0], row[1] or ""))
        if self._has("transcript_events", "session_id"):
            rows = self._connection.execute("SELECT DISTINCT session_id FROM transcript_events")
            for (session_id,) in rows.fetchall():
                found.setdefault(session_id, Window(session_id))
        return list(found.values())

    def requesters(self) -> dict[str, str]:
        """The session that started it, for each session that was started by one."""
        if not self._has("session_nodes", "session_key"):
            return {}
        rows = self._select("session_nodes", "session_key", "spawned_by", "parent_session_key")
        return {row[0]: row[1] or row[2] for row in rows if row[1] or row[2]}

    def entries(self, session_id: str) -> Iterator[Item]:
        """The entries of a session: those of its archives, then those that are left."""
        place = f"{self.path}: session {session_id}"
        try:
            yield from self._archived(session_id, place)
            if self._has("transcript_events", "session_id", "seq"):
                yield from self._rows(session_id, place)
        except sqlite3.Error as error:
            yield Problem(place, f"the rest is unreadable: {error}")

    # --- parts -----------------------------------------------------------------------------------

    def _windows(self) -> Iterator[Window]:
        if not self._has("session_windows", "session_id"):
            return
        for row in self._select(
            "session_windows",
            *("session_id", "session_key", "spawned_by", "parent_session_key", "status", "channel"),
        ):
            requester, running = row[2] or row[3] or "", row[4] == "running"
            yield Window(row[0], row[1] or "", requester, running, row[5] or "")

    def _archived(self, session_id: str, place: str) -> Iterator[Item]:
        for table in ("session_transcript_archives", "session_transcript_cold_archives"):
            if not self._has(table, "session_id", "archive_blob"):
                continue
            rows = self._connection.execute(
                f"SELECT archive_blob FROM {table}"
                " WHERE session_id = ? AND archive_blob IS NOT NULL ORDER BY rowid",
                (session_id,),
            )
            for number, (blob,) in enumerate(rows.fetchall(), start=1):
                yield from entries_in_blob(bytes(blob), f"{place}: archive {number}")

    def _rows(self, session_id: str, place: str) -> Iterator[Item]:
        """Page by page: a reader that takes its time must not keep the log from being emptied."""
        after = -1
        while rows := self._page(session_id, after):
            for seq, text, packed in rows:
                yield _entry(text, packed, f"{place} row {seq}")
            after = rows[-1][0]

    def _page(self, session_id: str, after: int) -> list[tuple[int, Any, Any]]:
        packed = "event_zstd" if self._has("transcript_events", "event_zstd") else "NULL"
        rows = self._connection.execute(
            f"SELECT seq, event_json, {packed} FROM transcript_events"
            " WHERE session_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            (session_id, after, _PAGE),
        )
        return rows.fetchall()

    def _select(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The columns of a table; those that it has not got are NULL."""
        wanted = ", ".join(one if self._has(table, one) else "NULL" for one in columns)
        query = f"SELECT {wanted} FROM {table}"
        return self._connection.execute(query).fetchall()

    def _has(self, table: str, *columns: str) -> bool:
        if table not in self._columns:
            rows = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
            self._columns[table] = frozenset(row[1] for row in rows)
        return self._columns[table].issuperset(columns)


@contextmanager
def opened(path: Path) -> Generator[Database]:
    """The database, for as long as it is read.

    A log without its index is that of a copy, or of a crash: reading it would write the index
    beside it, so a copy is read.

    Raises:
        sqlite3.Error: It cannot be read.
        OSError: As above.
    """
    log, index = _log_of(path), path.with_name(f"{path.name}-shm")
    if not log.exists() or index.exists():
        with closing(Database(path)) as found:
            yield found
        return
    with tempfile.TemporaryDirectory(prefix="hippocortex-") as folder:
        copy = Path(folder, path.name)
        for source in (path, log):
            shutil.copyfile(source, copy.with_name(source.name))
        with closing(Database(copy)) as found:
            found.path = path  # what is said about it is about the original
            yield found


def _connect(path: Path, *, alone: bool) -> sqlite3.Connection:
    # Nobody has the database open: nothing is locked, and nothing is written beside it.
    mode = "mode=ro&immutable=1" if alone else "mode=ro"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=_WAIT)
    connection.text_factory = _text
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _entry(text: Any, packed: Any, place: str) -> Item:
    if packed is None:
        return entry_of(text if isinstance(text, (str, bytes)) else "", place)
    try:
        return entry_of(unpacked(bytes(packed), _MAX_EVENT), place)
    except (BrokenError, TypeError) as error:
        return Problem(place, f"broken: {error}")
