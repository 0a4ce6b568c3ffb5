"""The memory under a check, seen from outside; and memories that fail."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from hippocortex_core.config import resolve
from hippocortex_core.recorder import shared_recorder
from hippocortex_core.sync_client import SyncHippocortex
from hippocortex_core.testing.fakes import InMemoryService
from hippocortex_core.testing.http_home import Fault, HttpHome, answer, stall
from hippocortex_core.types import CaptureEvent, Event

EARLIER = "earlier"
_ENOUGH = 10_000


class World:
    """A home, what it knew before, and what has been captured since."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = SyncHippocortex(base_url=url)

    def knows(self, said: str, user_id: str | None = None) -> None:
        """Let somebody have said it in a session long ago."""
        metadata = None if user_id is None else {"user_id": user_id}
        payload = {"role": "user", "content": said}
        self._client.capture(CaptureEvent("message", EARLIER, payload, metadata))

    @property
    def events(self) -> list[Event]:
        """What was captured, oldest first, once everything recorded is delivered."""
        assert shared_recorder(resolve()).flush(30), "not everything was delivered"
        return self.stored()

    def stored(self) -> list[Event]:
        """What is in the home at this moment."""
        page = self._client.list_events(order="asc", limit=1000)
        assert not page.pagination.has_more, "a check captures a few events"
        return [event for event in page.events if event.session_id != EARLIER]

    def messages(self, role: str) -> list[str]:
        """What was said."""
        return [
            text_of(event.payload["content"])
            for event in self.events
            if event.type == "message" and event.payload["role"] == role
        ]

    def of_type(self, kind: str) -> list[Mapping[str, Any]]:
        """The payloads of the events of a type."""
        return [event.payload for event in self.events if event.type == kind]

    @property
    def recalls(self) -> int:
        """How often memory was asked."""
        return shared_recorder(resolve()).stats().recalls

    def close(self) -> None:
        """Leave the home."""
        self._client.close()


def text_of(content: Any) -> str:
    """Content as text, whatever it is."""
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


# --- memories that fail ------------------------------------------------------------------------


@contextmanager
def down(_folder: Path) -> Generator[str]:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def slow(_folder: Path) -> Generator[str]:
    """It takes every request, and answers none."""
    with _faulty(stall) as url:
        yield url


@contextmanager
def erroneous(_folder: Path) -> Generator[str]:
    """It answers every request with an error of its own."""
    with _faulty(answer(500)) as url:
        yield url


@contextmanager
def talking_nonsense(_folder: Path) -> Generator[str]:
    """Something else than a memory answers."""
    with _faulty(answer(200, b"<html>It works!</html>")) as url:
        yield url


@contextmanager
def unreadable(folder: Path) -> Generator[str]:
    """The embedded home is no database."""
    file = folder / "unreadable.db"
    file.write_bytes(b"no database at all " * 100)
    yield f"sqlite:///{file}"


@contextmanager
def _faulty(fault: Fault) -> Generator[str]:
    with HttpHome(InMemoryService(), faults=[fault] * _ENOUGH) as home:
        yield home.url


RAISING: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "errors": erroneous,
    "nonsense": talking_nonsense,
    "unreadable": unreadable,
}
"""The ways in which a memory that answers is broken."""
