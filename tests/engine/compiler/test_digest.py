from __future__ import annotations

import json

import pytest

from hippocortex_engine.compiler.digest import digest_session, digest_version
from hippocortex_engine.compiler.episodes import split


def dialogue(session):
    run = session().user_says("Please book a flight to Oslo").agent_says("On which date, please?")
    run.user_says("The third of May").calls_tool("search_flights", "[]", to="OSL")
    run.agent_says("There is none. Which other date suits you?").user_says("What about the fourth?")
    return run.calls_tool("search_flights", '[{"id": "F1"}]', to="OSL").agent_says("Found F1.")


def episodes(run):
    return [(a, b) for a, b in split(run.events)]


def test_details_given_over_many_turns_stay_one_episode(session):
    assert len(episodes(dialogue(session))) == 1


def test_thanks_and_confirmations_start_nothing(session):
    run = dialogue(session).user_says("Thank you very much for that!").user_says("Yes, go ahead")
    assert len(episodes(run)) == 1


def test_a_new_request_after_finished_work_is_a_new_episode(session):
    run = dialogue(session)
    before = len(run.events)
    run.user_says("Now translate the attached letter into French")
    assert episodes(run) == [(0, before), (before, before + 1)]


def test_an_offer_accepted_with_a_new_wish_is_a_new_episode(session):
    run = session().user_says("Cancel order 1 for me").calls_tool("cancel_order", "ok", id=1)
    run.agent_says("Done. Is there anything else I can help you with?")
    run.user_says("Yes, I also want to change my address")
    assert len(episodes(run)) == 2


def test_an_outcome_closes_an_episode(session):
    run = dialogue(session).ends(True).user_says("hi").calls_tool("look", "ok").ends(False)
    assert len(episodes(run)) == 2
    assert [row[2] for row in digest_session(run.events)["runs"]] == [True, False]


def test_half_an_hour_of_silence_closes_an_episode(session):
    run = session().user_says("one").calls_tool("look", "ok").later(0.6).user_says("two")
    assert len(episodes(run)) == 2


def test_results_find_their_calls_by_id_even_when_ids_come_back(session):
    run = session().user_says("go")
    for tool in ("alpha", "beta"):
        run.event("tool_call", {"name": tool, "arguments": '{"x": 1}', "id": "same"})
        run.event("tool_result", {"callId": "same", "output": f"{tool} done"})
    steps = digest_session(run.events)["runs"][0][4]
    assert [(row[0], row[1], row[2]) for row in steps] == [("alpha", 0, 1), ("beta", 2, 3)]


def test_parallel_calls_are_told_apart(session):
    run = session().user_says("go")
    run.event("tool_call", {"tool": "a", "args": {}, "call_id": "1"})
    run.event("tool_call", {"tool": "b", "args": {}, "call_id": "2"})
    run.event("tool_result", {"tool": "b", "result": "Error: no", "call_id": "2"})
    run.event("tool_result", {"tool": "a", "result": "fine", "call_id": "1"})
    steps = digest_session(run.events)["runs"][0][4]
    assert [(row[0], row[3]) for row in steps] == [("a", ""), ("b", "no")]


def test_a_call_without_a_result_has_no_verdict(session):
    run = session().user_says("go").event("tool_call", {"tool": "a", "args": {}, "call_id": "1"})
    assert digest_session(run.events)["runs"][0][4][0][3] is None


def test_a_digest_is_json_and_small(session):
    run = dialogue(session)
    for number in range(10):
        run.calls_tool("read_page", "text " * 800, page=number)
    digest = digest_session(run.events)
    assert json.loads(json.dumps(digest)) == digest
    assert digest["version"] == digest_version
    payload = sum(len(json.dumps(event.payload)) for event in run.events)
    assert len(json.dumps(digest)) < payload / 5


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"content": None},
        {"content": [{"type": "text", "text": "hi"}, {"type": "image_url"}, 3]},
        {"content": {"text": "x"}},
        {"content": "\ud800 lone"},
        {"content": "?" * 10_000},
        {"args": [1, 2], "tool": {"name": "x"}, "result": {"a": {"b": {"c": [[]]}}}},
        {"tool": "t", "args": {"a": {"b": {"c": {"d": 1}}}}, "result": [None, True, 1.5]},
        {"command": ["bash", "-lc", "ls"], "exit_code": "1"},
        {"success": "maybe", "reward": None},
        {"path": "", "action": 7},
        {"failed": 3, "framework": "jest"},
        {"name": 5, "input": "not json {"},
    ],
)
def test_any_payload_is_read(session, learn, payload):
    kinds = "message tool_call tool_result file_edit file_change test_run command_exec"
    for kind in f"{kinds} browser_action api_result outcome observation".split():
        run = session(f"{kind}-1").event(
            kind, payload, metadata={"extractedMemories": [1, "", "x"]}
        )
        json.dumps(digest_session(run.calls_tool("t", "ok").events))
        learn([run])


def test_no_events_make_an_empty_digest(learn):
    digest = digest_session([])
    assert digest["runs"] == digest["facts"] == []
