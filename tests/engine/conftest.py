"""Engines on throw-away databases, with a clock that only moves when told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hippocortex_engine import Engine, open_engine

NOON = 1_800_000_000_000


class Clock:
    """Milliseconds that stand still."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


@pytest.fixture
def kind() -> str:
    """The kind of database; a test parametrizes it to run on others too."""
    return "sqlite"


@pytest.fixture
def url_of(kind: str, path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The URL of the test's database, by a name."""
    urls: dict[str, str] = {}

    def of(name: str = "memory.db") -> str:
        if kind == "sqlite":
            return f"sqlite:///{path.with_name(name)}"
        if name not in urls:
            urls[name] = request.getfixturevalue("new_postgres_url")()
        return urls[name]

    return of


@pytest.fixture
def open_memory(url_of: Callable[[str], str], clock: Clock) -> Iterator[Callable[..., Engine]]:
    """Opens the test's database; every engine is closed at the end."""
    opened: list[Engine] = []

    def open_it(name: str = "memory.db", **options: object) -> Engine:
        opened.append(open_engine(url_of(name), **{"clock": clock, **options}))
        return opened[-1]

    yield open_it
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(open_memory: Callable[..., Engine]) -> Engine:
    return open_memory()
