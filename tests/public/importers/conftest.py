import json
from pathlib import Path

import pytest

from hippocortex.importers import Located, read_events


@pytest.fixture
def write(tmp_path):
    """Write a file: JSON for a value, JSON lines for several, text as it is."""

    def _write(name: str, *values) -> Path:
        path = tmp_path / name
        texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
        path.write_text("\n".join(texts), encoding="utf-8")
        return path

    return _write


@pytest.fixture
def read():
    """The events of a file as (type, payload); fails if anything could not be read."""

    def _read(path: Path, **options):
        items = list(read_events(path, **options))
        assert all(isinstance(item, Located) for item in items), items
        return [(item.event.type, item.event.payload) for item in items]

    return _read
