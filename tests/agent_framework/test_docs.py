"""The page is so; the development environment, without Agent Framework, cannot run it."""

import ast
import asyncio
import re
from pathlib import Path

from hippocortex_core.recorder.recorder import close_shared, shared_recorder

PAGE = Path(__file__).parents[2] / "docs" / "adapters" / "agent-framework.md"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def test_what_the_page_shows_works(monkeypatch, tmp_path, scripted):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", f"sqlite:///{tmp_path}/page.db")
    recorder = shared_recorder()
    recorder.call(lambda memory: memory.health(), 60)  # loads the engine
    client = scripted([("c1", "deploy", {"service": "payments"})], "It is live.", "It was already.")
    names = {"client": client, "deploy": deploy, "signed_in": "ann"}
    for body in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        code = compile(body, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        asyncio.run(eval(code, names))
    assert recorder.flush(30)
    events = recorder.call(lambda memory: memory.list_events(order="asc")).events
    close_shared()
    kinds = ["message", "tool_call", "tool_result", "message", "message", "message"]
    assert [event.type for event in events] == kinds
    assert [(event.metadata or {}).get("user_id") for event in events[3:]] == [None, "ann", "ann"]
