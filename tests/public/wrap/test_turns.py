"""What is captured of conversations that repeat themselves in every request."""

import pytest

from hippocortex import wrap
from hippocortex_core.scope import session

USER = {"role": "user", "content": "Deploy payments to staging"}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "call_1", "function": {"name": "deploy", "arguments": '{"env": "s"}'}}],
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "deployed"}


def _ask(client, *messages):
    return client.chat.completions.create(model="m", messages=list(messages))


def test_a_turn_with_a_tool_is_captured_once_and_in_order(chat, says, home):
    client = wrap(chat(says(None, ("call_1", "deploy", {"env": "s"})), says("Done.")))
    _ask(client, USER)
    _ask(client, USER, CALL, RESULT)
    assert home.said == [
        ("user", "Deploy payments to staging"),
        ("tool_call", "deploy", {"env": "s"}),
        ("tool_result", "deploy", "deployed"),
        ("assistant", "Done."),
    ]
    call, result = (event for event in home.events if event.type.startswith("tool"))
    assert call.payload["call_id"] == result.payload["call_id"] == "call_1"


def test_history_is_not_captured_again(chat, says, home):
    client = wrap(chat(says("One."), says("Two.")))
    _ask(client, USER)
    again = {"role": "user", "content": "Again"}
    _ask(client, USER, {"role": "assistant", "content": "One."}, again)
    assert [text for _, text in home.said] == [USER["content"], "One.", "Again", "Two."]


def test_memory_is_asked_once_a_turn_and_its_text_stays_the_same(chat, says, home):
    home.knows("Deploy payments to staging with make deploy")
    client = wrap(chat(says(None, ("call_1", "deploy", {})), says("Done.")))
    _ask(client, USER)
    home.knows("Deploy payments to staging on Fridays only")
    _ask(client, USER, CALL, RESULT)
    first, second = client.sent
    assert "make deploy" in first["messages"][0]["content"]
    assert second["messages"][0] == first["messages"][0]
    assert home.queries == [USER["content"]]


def test_a_new_turn_asks_memory_again(chat, says, home):
    client = wrap(chat(says("Done.")))
    _ask(client, USER)
    home.knows("Deploy payments to staging with make deploy")
    _ask(client, USER)
    assert "make deploy" in client.sent[1]["messages"][0]["content"]
    assert [who for who, *_ in home.said] == ["user", "assistant"] * 2


def test_asking_again_after_an_error_is_the_same_turn(chat, says, home):
    client = wrap(chat(ConnectionError("no model"), says("Done.")))
    with pytest.raises(ConnectionError, match="no model"):
        _ask(client, USER)
    _ask(client, USER)
    assert home.said == [("user", USER["content"]), ("assistant", "Done.")]


def test_call_ids_may_be_reused_in_later_turns(chat, says, home):
    client = wrap(chat(says(None, ("call_1", "deploy", {})), says("Done.")))
    for _ in range(2):
        client = wrap(chat(says(None, ("call_1", "deploy", {})), says("Done.")), session_id="s")
        _ask(client, USER)
        _ask(client, USER, CALL, RESULT)
    assert [kind for kind, *_ in home.said].count("tool_result") == 2


def test_the_same_call_id_within_a_turn_may_mean_two_calls(chat, says, home):
    client = wrap(chat(says(None, ("call_1", "deploy", {})), says(None, ("call_1", "check", {}))))
    _ask(client, USER)
    _ask(client, USER, CALL, RESULT)
    _ask(client, USER, CALL, RESULT, CALL, {**RESULT, "content": "healthy"})
    tools = [brief for brief in home.said if brief[0] == "tool_result"]
    assert [brief[2] for brief in tools] == ["deployed", "healthy"]


def test_a_conversation_that_began_elsewhere_is_joined(chat, says, home):
    client = wrap(chat(says("Done.")), session_id="s")
    _ask(client, USER, CALL, RESULT)
    _ask(client, USER, CALL, RESULT)
    assert home.said[:2] == [("user", USER["content"]), ("tool_result", "deploy", "deployed")]
    assert len(home.said) == 4  # asked twice, answered twice, said once


@pytest.mark.parametrize("explicit", [None, "mine"])
def test_whose_session_it_is(chat, says, home, explicit):
    client = wrap(chat(says("Done.")), session_id=explicit)
    _ask(client, USER)
    with session("ticket-42", user_id="ann"):
        _ask(client, USER)
    _ask(client, {"role": "user", "content": "Hello"})
    sessions = [event.session_id for event in home.events[::2]]
    if explicit:
        assert sessions == ["mine"] * 3
    else:
        assert sessions[0] == sessions[2] != sessions[1] == "ticket-42"
    assert home.events[2].metadata["user_id"] == "ann"


def test_two_clients_are_two_sessions(chat, says, home):
    for _ in range(2):
        _ask(wrap(chat(says("Done."))), USER)
    assert len({event.session_id for event in home.events}) == 2


def test_users_who_share_a_client_do_not_share_a_session(chat, says, home):
    client = wrap(chat(says("Done.")))
    for user in ("ann", "bob"):
        with session(user_id=user):
            _ask(client, USER)
    assert len({event.session_id for event in home.events}) == 2


def test_memory_that_is_in_the_request_already_is_not_added_again(chat, says, home):
    home.knows("Deploy payments to staging with make deploy")
    client = wrap(chat(says("Done.")))
    given = {"role": "system", "content": "<hippocortex_memory>\nuse make\n</hippocortex_memory>"}
    _ask(client, given, USER)
    assert client.sent[0]["messages"] == [given, USER]
    assert home.queries == []


def test_what_is_not_text_is_neither_kept_nor_asked_for(chat, says, home):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    client = wrap(chat(says("A cat.")))
    text = {"type": "text", "text": "What is this?"}
    _ask(client, {"role": "user", "content": [text, image]})
    _ask(client, {"role": "user", "content": [image]})
    assert [text for _, text in home.said[::2]] == ["What is this?\n[image]", "[image]"]
    assert home.queries == ["What is this?"]


def test_a_request_without_a_user_passes_untouched(chat, says, home):
    client = wrap(chat(says("Done.")))
    _ask(client, {"role": "system", "content": "Say something"})
    assert client.sent[0]["messages"] == [{"role": "system", "content": "Say something"}]
    assert home.said == []
