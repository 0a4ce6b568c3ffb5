"""What is known reaches the model, and only who may know it."""

import pytest

pytestmark = pytest.mark.timeout(600)

GROUP = "agent:main:telegram:group:-100"
OPENING, CLOSING = "<hippocortex_memory>", "</hippocortex_memory>"


def test_what_is_known_stands_between_markers_before_the_users_words(openclaw, memory):
    memory.knows("The staging server is called heron.")
    words = "What is our staging server called?"
    turn = openclaw.says(words, "Heron.", session="agent:main:staging")
    block, closing, rest = turn.prompt.partition(CLOSING)
    assert OPENING in block
    assert "staging server is called heron" in block
    assert closing
    assert words in rest
    assert str(turn.requests[0]).count(OPENING) == 1


def test_what_was_recalled_is_neither_captured_nor_kept_in_the_conversation(openclaw, memory):
    memory.knows("Invoices of the bakery are paid on Fridays.")
    session = "agent:main:bakery"
    openclaw.says("When are invoices of the bakery paid?", "On Fridays.", session=session)
    again = openclaw.says("Are you sure about the bakery?", "I am.", session=session)
    assert str(again.requests[0]).count(OPENING) == 1
    captured = memory.captured(session, 4)
    assert [event.payload["content"] for event in captured] == [
        "When are invoices of the bakery paid?",
        "On Fridays.",
        "Are you sure about the bakery?",
        "I am.",
    ]


def test_a_group_never_reads_what_the_owner_said(openclaw, memory):
    memory.knows("My salary is seventy thousand.")
    memory.knows("The group meets in the library.", user="telegram:group:-100")
    turn = openclaw.says("What is my salary, and where do we meet?", "Hm.", session=GROUP)
    assert "library" in turn.prompt
    assert "seventy" not in turn.prompt
    private = "agent:main:salary"
    turn = openclaw.says("What is my salary, and where do we meet?", "Hm.", session=private)
    assert "seventy" in turn.prompt
    assert "library" not in turn.prompt


def test_agents_have_memories_of_their_own(openclaw, memory):
    memory.knows("The password of the vault rotates monthly.", agent="ops")
    words = "How often does the password of the vault rotate?"
    ours = openclaw.says(words, "No idea.", session="agent:main:vault")
    theirs = openclaw.says(words, "Monthly.", session="agent:ops:vault", agent="ops")
    assert "rotates monthly" not in ours.prompt
    assert "rotates monthly" in theirs.prompt
