"""Without any configuration, the memory is kept in this folder."""

import asyncio
from pathlib import Path

from hippocortex_core import Hippocortex, SyncHippocortex
from hippocortex_core.types import CaptureEvent

EVENT = CaptureEvent("message", "s1", {"role": "user", "content": "hi"}, idempotency_key="k1")


def test_both_clients_find_the_same_memory_in_this_folder(capsys):
    with SyncHippocortex() as memory:
        first = memory.capture(EVENT)

    async def again():
        async with Hippocortex() as memory:
            return await memory.capture(EVENT)

    assert asyncio.run(again()).event_id == first.event_id
    assert Path(".hippocortex/memory.db").is_file()
    assert Path(".hippocortex/.gitignore").read_text() == "*\n"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"hippocortex: memory lives in {Path.cwd() / '.hippocortex/memory.db'}\n"
