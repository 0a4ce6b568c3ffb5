"""State folders as OpenClaw 2026.9.6 leaves them, written row by row."""

import itertools
import json
import sqlite3
from datetime import datetime, timezone

import pytest
import zstandard

from hippocortex_openclaw.transcripts import Found, Session, Settings, Transcripts

START = 1_795_226_500_000
"""Milliseconds since the epoch; every entry is a second after the one before."""

SCHEMA = """
CREATE TABLE schema_meta (
  meta_key TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, schema_version INTEGER NOT NULL,
  agent_id TEXT, app_version TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE session_nodes (
  session_key TEXT NOT NULL PRIMARY KEY, current_session_id TEXT NOT NULL,
  entry_json TEXT NOT NULL, updated_at INTEGER NOT NULL, parent_session_key TEXT, spawned_by TEXT
) STRICT;
CREATE TABLE session_windows (
  session_id TEXT NOT NULL PRIMARY KEY, session_key TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, status TEXT, channel TEXT,
  parent_session_key TEXT, spawned_by TEXT,
  FOREIGN KEY (session_key) REFERENCES session_nodes(session_key) ON DELETE CASCADE
) STRICT;
CREATE TABLE transcript_events (
  session_id TEXT NOT NULL, seq INTEGER NOT NULL, event_json TEXT, created_at INTEGER NOT NULL,
  event_zstd BLOB, event_utf8_bytes INTEGER, navigation_json TEXT,
  PRIMARY KEY (session_id, seq),
  FOREIGN KEY (session_id) REFERENCES session_windows(session_id) ON DELETE CASCADE,
  CHECK ((event_json IS NOT NULL AND event_zstd IS NULL)
    OR (event_json IS NULL AND event_zstd IS NOT NULL AND navigation_json IS NOT NULL))
) STRICT;
CREATE TABLE session_transcript_archives (
  session_id TEXT NOT NULL, generation TEXT NOT NULL, session_key TEXT NOT NULL,
  reason TEXT NOT NULL, encoding TEXT NOT NULL, archive_blob BLOB NOT NULL,
  archive_name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, generation)
) STRICT;
CREATE TABLE session_transcript_cold_archives (
  session_id TEXT NOT NULL PRIMARY KEY, archive_name TEXT NOT NULL UNIQUE,
  storage TEXT NOT NULL, archive_blob BLOB
) STRICT;
PRAGMA user_version = 23;
"""
COMPRESSED_FROM = 1_024


class Talk:
    """A session's entries, as lines of a transcript."""

    def __init__(self, session_id, clock):
        self.session_id = session_id
        self._clock = clock
        self._ids = itertools.count()
        self.entries = [
            {
                "type": "session",
                "version": 4,
                "id": session_id,
                "timestamp": iso(START),
                "cwd": "/w",
            }
        ]

    @property
    def lines(self):
        return [json.dumps(entry, ensure_ascii=False) for entry in self.entries]

    def message(self, **fields):
        at = next(self._clock)
        name = f"{self.session_id}-{next(self._ids)}"
        message = {"timestamp": at, **fields}
        entry = {"type": "message", "id": name, "parentId": self.entries[-1].get("id")}
        self.entries.append({**entry, "timestamp": iso(at), "message": message})
        return self

    def user(self, text, **more):
        return self.message(role="user", content=text, **more)

    def agent(self, text="", *calls, run="r1", **more):
        parts = [{"type": "text", "text": text}] if text else []
        parts += [
            {"type": "toolCall", "id": call_id, "name": name, "arguments": args}
            for call_id, name, args in calls
        ]
        whose = {} if run is None else {"__openclaw": {"runId": run}}
        return self.message(role="assistant", content=parts, model="mock-1", **whose, **more)

    def result(self, call_id, tool, text, *, run="r1", failed=False, **details):
        whose = {} if run is None else {"__openclaw": {"runId": run}}
        content = [{"type": "text", "text": text}]
        told = {"toolCallId": call_id, "toolName": tool, "content": content, "isError": failed}
        return self.message(role="toolResult", **told, details=details, **whose)

    def nested(self, outer, tool, number, args, text, *, run="r1", failed=False, **details):
        began = next(self._clock)
        inner = {
            "runId": run,
            "parentToolCallId": outer,
            "toolCallId": f"tool_search_code:{outer}:{tool}:{number}",
            "toolName": tool,
            "input": args,
            "result": {"content": [{"type": "text", "text": text}], "details": details},
            "isError": failed,
            "startedAt": began,
            "timestamp": began + 500,
        }
        kind = "openclaw.nested-tool.v1"
        return self.message(role="custom", customType=kind, content="", details=inner)

    def turn(self, said, answer, run="r1"):
        return self.user(said).agent(answer, run=run)


class State:
    """A state folder that is being written."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = itertools.count(START, 1_000)
        self.settings = Settings()

    def talk(self, session_id="s1"):
        return Talk(session_id, self.clock)

    def agent_folder(self, agent="main"):
        return self.folder / "agents" / agent

    def path(self, agent="main"):
        return self.agent_folder(agent) / "agent" / "openclaw-agent.sqlite"

    def database(self, agent="main"):
        """An open connection to the agent's database, made if it is new."""
        path = self.path(agent)
        is_new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        if is_new:
            connection.executescript(SCHEMA)
        return connection

    def store(self, talk, key="agent:main:main", *, agent="main", status="done", spawned_by=None):
        """Put a session into the database, long entries compressed."""
        connection = self.database(agent)
        connection.execute(
            "INSERT INTO session_nodes VALUES (?, ?, '{}', ?, ?, ?) ON CONFLICT DO NOTHING",
            (key, talk.session_id, START, spawned_by, spawned_by),
        )
        connection.execute(
            "INSERT INTO session_windows VALUES (?, ?, ?, ?, ?, NULL, ?, ?)",
            (talk.session_id, key, START, START, status, spawned_by, spawned_by),
        )
        connection.execute("BEGIN")
        for seq, line in enumerate(talk.lines):
            self.row(connection, talk.session_id, seq, line)
        connection.execute("COMMIT")
        connection.close()

    def row(self, connection, session_id, seq, line):
        data = line.encode()
        packed = zstandard.compress(data) if len(data) >= COMPRESSED_FROM else None
        connection.execute(
            "INSERT INTO transcript_events VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                session_id,
                seq,
                None if packed else line,
                START,
                packed,
                len(data) if packed else None,
                "{}" if packed else None,
            ),
        )

    def file(self, name, lines, *, agent="main"):
        """Put a transcript into a file below the agent's folder; `.zst` is compressed."""
        path = self.agent_folder(agent) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(zstandard.compress(data) if name.endswith(".zst") else data)
        return path

    def read(self, **options):
        """What is found: events and problems."""
        past = Transcripts(self.folder, **{"settings": self.settings, **options})
        found = []
        for session in past.sessions():
            found += session.items() if isinstance(session, Session) else [session]
        return [one.event for one in found if isinstance(one, Found)], [
            one for one in found if not isinstance(one, Found)
        ]

    def events(self, **options):
        events, problems = self.read(**options)
        assert problems == []
        return events

    def said(self, **options):
        """The events in short."""
        return [brief(event) for event in self.events(**options)]


def brief(event):
    payload = event.payload
    if event.type == "message":
        return payload["role"], payload["content"]
    if event.type == "tool_call":
        return "call", payload["tool"], payload["args"]
    if event.type == "tool_result":
        kind = "failure" if "error" in payload else "result"
        return kind, payload["tool"], payload.get("error", payload["result"])
    return event.type, payload["summary"]


def iso(milliseconds):
    moment = datetime.fromtimestamp(milliseconds / 1_000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "openclaw")


@pytest.fixture
def start():
    return START
