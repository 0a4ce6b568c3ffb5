"""OpenClaw without a gateway: the plugin is installed, and a turn runs in a process of its own."""

import pytest

pytestmark = pytest.mark.timeout(600)


def test_a_turn_without_a_gateway_recalls_and_is_captured(new_openclaw, memory, brief):
    openclaw = new_openclaw(memory)
    report = openclaw.hippocortex("openclaw", "install", "--yes")
    assert report["ok"], report
    memory.knows("The coffee machine wants descaling in March.")
    session = "agent:main:coffee"
    words = "When does the coffee machine want descaling?"
    turn = openclaw.says_locally(words, "In March.", session=session)
    assert "descaling in March" in turn.prompt
    assert turn.reply == "In March."
    said = [brief(event) for event in memory.captured(session, 2)]
    assert said == [("user", words), ("assistant", "In March.")]
