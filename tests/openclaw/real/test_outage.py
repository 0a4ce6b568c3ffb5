"""A memory that is away costs a turn nothing, and the memory nothing either."""

import pytest

pytestmark = pytest.mark.timeout(600)


def test_what_happens_while_the_memory_is_away_reaches_it_afterwards(
    openclaw, memory, brief, eventually
):
    session = "agent:main:outage"
    openclaw.says("Are you there?", "Yes.", session=session)
    memory.captured(session, 2)
    memory.stop()
    try:
        turn = openclaw.says("And now?", "Still.", session=session)
        assert turn.reply == "Still."
        [batch] = eventually(lambda: openclaw.spooled, "the batch in the spool")
        assert batch.stat().st_mode & 0o777 == 0o600
        assert "And now?" in batch.read_text(encoding="utf-8")
    finally:
        memory.start()
    openclaw.says("Is it back?", "It is.", session=session)
    said = [brief(event) for event in memory.captured(session, 6)]
    assert said == [
        ("user", "Are you there?"),
        ("assistant", "Yes."),
        ("user", "And now?"),
        ("assistant", "Still."),
        ("user", "Is it back?"),
        ("assistant", "It is."),
    ]
    eventually(lambda: not openclaw.spooled, "the end of the spool")
