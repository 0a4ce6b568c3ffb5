"""From what OpenClaw remembers of past sessions to an agent that does it right the next time.

    uv run python examples/openclaw/main.py

Runs offline, without OpenClaw: the state folder is written here, and a loop with the middleware
stands in for the gateway, where the plugin does the same.
"""

import asyncio
import json
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from hippocortex import SyncHippocortex, shared_recorder
from hippocortex.adapters.openclaw import create_middleware
from hippocortex_openclaw.transcripts import Found, Transcripts

TASK = "Deploy payments to staging"
START = 1_795_226_500_000  # milliseconds since the epoch


def past(number: int) -> list[dict[str, Any]]:
    """A session in which a deployment failed, and what helped."""
    run = {"runId": f"run-{number}"}
    steps = [
        ("deploy", "pending migrations: the schema is older than the code", 1),
        ("migrate", "the database of payments is up to date", 0),
        ("deploy", "payments is live on staging", 0),
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": TASK}]
    for place, (tool, text, code) in enumerate(steps):
        name, args = f"call_{place}", {"service": "payments"}
        call = {"type": "toolCall", "id": name, "name": tool, "arguments": args}
        messages.append({"role": "assistant", "content": [call], "__openclaw": run})
        result = {
            "content": [{"type": "text", "text": text}],
            "details": {"status": "completed", "exitCode": code},
        }
        told = {"role": "toolResult", "toolCallId": name, "toolName": tool, **result}
        messages.append({**told, "__openclaw": run})
    said = [{"type": "text", "text": "Payments is live on staging."}]
    messages.append({"role": "assistant", "content": said, "__openclaw": run})
    times = range(START + number * 86_400_000, START + (number + 1) * 86_400_000, 1_000)
    return [{**message, "timestamp": at} for message, at in zip(messages, times, strict=False)]


def write_state(folder: Path) -> None:
    """An agent's database, with the tables that an importer needs."""
    path = folder / "agents" / "main" / "agent" / "openclaw-agent.sqlite"
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.executescript(
        "CREATE TABLE session_windows (session_id TEXT, session_key TEXT);"
        "CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT);"
        "PRAGMA user_version = 23;"
    )
    for number in range(6):
        session = f"session-{number}"
        database.execute("INSERT INTO session_windows VALUES (?, 'agent:main:main')", (session,))
        for seq, message in enumerate(past(number)):
            entry = {"type": "message", "id": f"{number}-{seq}", "message": message}
            row = (session, seq, json.dumps(entry))
            database.execute("INSERT INTO transcript_events VALUES (?, ?, ?)", row)
    database.commit()
    database.close()


def import_past(memory: SyncHippocortex, folder: Path) -> None:
    """What `hippocortex openclaw import` does."""
    events = [item.event for item in Transcripts(folder).items() if isinstance(item, Found)]
    found = memory.capture_batch(events).summary
    print(f"import: {found.ingested} events stored, {found.duplicates} known already")


async def today() -> None:
    """A turn of a later conversation: it starts with what was learned."""
    async with create_middleware(session_id="today", user_id="owner") as memory:
        messages = [{"role": "user", "content": TASK}]
        await memory.on_message(TASK)
        asked = await memory.inject_into_messages(messages, TASK)
        print(f"what the model is given before {TASK!r}:\n{asked[0]['content']}")

        await memory.on_tool_call("migrate", {"service": "payments"})
        await memory.on_tool_result("migrate", "the database of payments is up to date")
        await memory.on_tool_call("deploy", {"service": "payments"})
        await memory.on_tool_result("deploy", "payments is live on staging")
        await memory.on_response("Payments is live on staging.")


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{(folder / 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = place
        write_state(folder / "openclaw")

        with SyncHippocortex() as memory:
            import_past(memory, folder / "openclaw")
            import_past(memory, folder / "openclaw")
            print(f"learned: {memory.learn().artifacts.by_type}")

        asyncio.run(today())
        shared_recorder().close()

        with SyncHippocortex() as memory:
            events = memory.list_events(session_id="today", order="asc").events
            print(f"captured today: {', '.join(event.type for event in events)}")


if __name__ == "__main__":
    main()
