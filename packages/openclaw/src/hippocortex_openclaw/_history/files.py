"""Transcripts in files: those of older versions, and what is kept of deleted and cold sessions.

agents/<id>/sessions/<session>.jsonl                    as versions before 2026.8 wrote them
agents/<id>/sessions/<session>.jsonl.reset.<time>       …deleted.<time>, newer ones end in .zst
agents/<id>/sessions/cold/<sha256>.jsonl.zst            moved out of the database
agents/<id>/session-sqlite-import-archive/*.imported-*  moved into the database, or nowhere
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hippocortex_openclaw._events import fields_of, string
from hippocortex_openclaw._history.lines import Problem, first_line

_NAME = re.compile(r"(?P<session>.+?)\.jsonl(?:\..+)?\Z")
# Records of runs beside the transcripts, and locks.
_OTHER = re.compile(r"\.trajectory\.|\.lock\Z|\.tmp\Z|\.sqlite")
_FOLDERS = ("session-sqlite-import-archive", "sessions/cold", "sessions")
_MAX_INDEX = 256 * 1024 * 1024


@dataclass(frozen=True)
class Known:
    """What the index of the sessions says of one."""

    session_key: str
    requester_key: str


@dataclass
class Files:
    """The files of one agent.

    Attributes:
        transcripts: The files of each session, oldest first.
        index: What is known of a session, by its id.
        problems: What could not be read.
    """

    transcripts: dict[str, list[Path]]
    index: dict[str, Known]
    problems: list[Problem]


def files_of(agent_folder: Path) -> Files:
    """The files of an agent, each opened once to see whose it is."""
    found = Files({}, {}, [])
    for folder in (agent_folder / name for name in _FOLDERS):
        for path in _listed(folder):
            if "sessions.json" in path.name and ".jsonl" not in path.name:
                _read_index(path, found)
            elif (name := _NAME.fullmatch(path.name)) and not _OTHER.search(path.name):
                session_id = _session_in(path, name["session"])
                if session_id:
                    found.transcripts.setdefault(session_id, []).append(path)
    return found


def _listed(folder: Path) -> list[Path]:
    """Files by age: what was put away under a time comes before what is in use."""
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if path.is_file()]
    return sorted(files, key=lambda path: (path.suffix == ".jsonl", path.name))


def _session_in(path: Path, named: str) -> str:
    """The session of a file: as its first line says, else its name; "" for another kind of file."""
    first = first_line(path)
    if first.get("kind") == "header":
        return string(first.get("sessionId"))
    if first.get("type") == "session":
        return string(first.get("id")) or named
    # The first line may be what is broken.
    return "" if "schema" in first or "traceSchema" in first else named


def _read_index(path: Path, found: Files) -> None:
    try:
        with path.open("rb") as stream:
            value: Any = json.loads(stream.read(_MAX_INDEX))
    except (OSError, ValueError, RecursionError) as error:
        found.problems.append(Problem(str(path), f"not an index of sessions: {error}"))
        return
    for key, session_id, requester in _sessions_in(value):
        found.index[session_id] = Known(key, requester)


def _sessions_in(index: Any) -> Iterator[tuple[str, str, str]]:
    for key, value in fields_of(index).items():
        fields = fields_of(value)
        requester = string(fields.get("spawnedBy")) or string(fields.get("parentSessionKey"))
        names: list[Any] = [fields.get("sessionId")]
        older = fields.get("usageFamilySessionIds")
        names += cast("list[Any]", older) if isinstance(older, list) else []
        for session_id in names:
            if isinstance(session_id, str) and session_id:
                yield key, session_id, requester
