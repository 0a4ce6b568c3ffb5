"""OpenClaw's own transcripts, read while it runs."""

import pytest

pytestmark = pytest.mark.timeout(600)


def test_what_was_captured_is_not_imported_again(openclaw, memory):
    session = "agent:main:imported"
    openclaw.says("Remember this turn.", "I shall.", session=session)
    memory.captured(session, 2)
    before = memory.events()
    summary = openclaw.hippocortex("openclaw", "import")["summary"]
    assert memory.events() == before
    assert summary["ingested"] == 0
    assert summary["duplicates"] >= 2


def test_an_import_stores_what_a_capture_would_have_stored(openclaw, memory, new_memory):
    session = "agent:main:imported-elsewhere"
    openclaw.says("Remember this turn, too.", "I shall.", session=session)
    memory.captured(session, 2)
    elsewhere = new_memory()
    openclaw.hippocortex("openclaw", "import", memory=elsewhere)
    assert by_key(elsewhere) == by_key(memory)


def by_key(memory):
    """What is known of each event, but for when it happened to the millisecond.

    Left out is what OpenClaw tells its plugins and does not write down: through which channel it
    was asked, and secrets, for which it writes a mask of its own.
    """
    return {
        event.idempotency_key: (event.type, event.session_id, event.payload, written(event))
        for event in memory.events()
        if event.metadata["session_key"] != "agent:main:secrets"
    }


def written(event):
    return {name: value for name, value in event.metadata.items() if name != "channel"}
