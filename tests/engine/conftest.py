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
def open_memory(path: Path, clock: Clock) -> Iterator[Callable[..., Engine]]:
    """Opens the test's database; every engine is closed at the end."""
    opened: list[Engine] = []

    def open_it(name: str = "memory.db", **options: object) -> Engine:
        url = f"sqlite:///{path.with_name(name)}"
        opened.append(open_engine(url, **{"clock": clock, **options}))
        return opened[-1]

    yield open_it
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(open_memory: Callable[..., Engine]) -> Engine:
    return open_memory()
