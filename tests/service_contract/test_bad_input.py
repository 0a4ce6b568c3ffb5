"""What bad input gets: a `validation_error` whose details name the field, and nothing is stored."""

import math

import pytest

from hippocortex_core.errors import ValidationError
from hippocortex_core.types import CaptureEvent, Event, LearnOptions, SynthesizeOptions

DEEP = {}
for _ in range(10_000):
    DEEP = {"d": DEEP}
CIRCULAR = {}
CIRCULAR["self"] = CIRCULAR
TIME = "2026-01-01T00:00:00.000Z"


def event(**changes):
    return CaptureEvent(
        **{"type": "message", "session_id": "s1", "payload": {"content": "hi"}, **changes}
    )


def refused(call, *args, **kwargs):
    """The field that a call is refused for, below the request it stands in."""
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    error = caught.value
    assert (error.code, error.status_code) == ("validation_error", 400)
    assert error.message
    (detail,) = error.details
    assert detail.message
    return detail.field.removeprefix("options.")


EVENTS = {
    "unknown type": (event(type="dream"), "type"),
    "type is no text": (event(type=["message"]), "type"),
    "missing session": (event(session_id=""), "session_id"),
    "blank session": (event(session_id="  "), "session_id"),
    "session is no text": (event(session_id=7), "session_id"),
    "session too long": (event(session_id="s" * 257), "session_id"),
    "surrogate in session": (event(session_id="s\ud800"), "session_id"),
    "payload is no object": (event(payload=["hi"]), "payload"),
    "payload is missing": (event(payload=None), "payload"),
    "payload is not JSON": (event(payload={"x": [0, 1, 2, {1}]}), "payload.x[3]"),
    "payload holds bytes": (event(payload={"x": {"y": b"raw"}}), "payload.x.y"),
    "key is no text": (event(payload={"x": {(1, 2): 3}}), "payload.x"),
    "NaN": (event(payload={"x": math.nan}), "payload.x"),
    "infinity": (event(payload={"x": [-math.inf]}), "payload.x[0]"),
    "10 MB payload": (event(payload={"content": "x" * 10_000_000}), "payload"),
    "lone surrogate": (event(payload={"x": {"y": "a\udfff"}}), "payload.x.y"),
    "NUL": (event(payload={"x": "a\0b"}), "payload.x"),
    "metadata is no object": (event(metadata="u1"), "metadata"),
    "metadata is not JSON": (event(metadata={"when": {1}}), "metadata.when"),
    "metadata too large": (event(metadata={"x": "x" * 100_000}), "metadata"),
    "user is no text": (event(metadata={"user_id": 5}), "metadata.user_id"),
    "empty key": (event(idempotency_key=" "), "idempotency_key"),
    "key too long": (event(idempotency_key="k" * 257), "idempotency_key"),
    "time is none": (event(occurred_at="yesterday"), "occurred_at"),
    "time is a number": (event(occurred_at=1_700_000_000), "occurred_at"),
    "no event at all": ({"type": "message", "session_id": "s1", "payload": {}}, "event"),
}


@pytest.mark.parametrize(("bad", "field"), EVENTS.values(), ids=EVENTS)
def test_a_bad_event_is_refused_and_nothing_is_stored(memory, bad, field):
    assert refused(memory.capture, bad) == field
    assert memory.list_events().pagination.total == 0


@pytest.mark.parametrize("payload", [DEEP, CIRCULAR], ids=["deep", "circular"])
def test_a_payload_without_a_bottom_is_refused(memory, payload):
    assert refused(memory.capture, event(payload=payload)).startswith("payload.")
    assert memory.list_events().pagination.total == 0


@pytest.mark.parametrize("events", [None, 5, "events", event()])
def test_a_batch_that_is_no_list_is_refused(memory, events):
    assert refused(memory.capture_batch, events) == "events"


SYNTHESIZE = {
    "empty query": ("", {}, "query"),
    "blank query": ("  ", {}, "query"),
    "query is no text": (5, {}, "query"),
    "surrogate in query": ("q\ud800", {}, "query"),
    "negative budget": ("q", {"max_tokens": -1}, "max_tokens"),
    "no budget": ("q", {"max_tokens": 0}, "max_tokens"),
    "budget is a fraction": ("q", {"max_tokens": 10.5}, "max_tokens"),
    "budget is a boolean": ("q", {"max_tokens": True}, "max_tokens"),
    "budget is text": ("q", {"max_tokens": "4000"}, "max_tokens"),
    "unknown section": ("q", {"sections": ["facts", "gossip"]}, "sections[1]"),
    "sections are no list": ("q", {"sections": "facts"}, "sections"),
    "confidence above 1": ("q", {"min_confidence": 1.5}, "min_confidence"),
    "confidence below 0": ("q", {"min_confidence": -0.1}, "min_confidence"),
    "confidence is NaN": ("q", {"min_confidence": math.nan}, "min_confidence"),
    "confidence is text": ("q", {"min_confidence": "0.5"}, "min_confidence"),
    "empty session": ("q", {"session_id": ""}, "session_id"),
    "blank user": ("q", {"user_id": " "}, "user_id"),
    "empty active session": ("q", {"active_session_id": " "}, "active_session_id"),
}


@pytest.mark.parametrize(("query", "options", "field"), SYNTHESIZE.values(), ids=SYNTHESIZE)
def test_a_bad_question_is_refused(memory, query, options, field):
    assert refused(memory.synthesize, query, SynthesizeOptions(**options)) == field


LEARN = {
    "unknown scope": ({"scope": "half"}, "scope"),
    "strength above 1": ({"min_pattern_strength": 2.0}, "min_pattern_strength"),
    "strength is NaN": ({"min_pattern_strength": math.nan}, "min_pattern_strength"),
    "strength is text": ({"min_pattern_strength": "0.5"}, "min_pattern_strength"),
    "unknown artifact type": ({"artifact_types": ["fact", "habit"]}, "artifact_types[1]"),
    "artifact types are no list": ({"artifact_types": "fact"}, "artifact_types"),
    "empty user": ({"user_id": ""}, "user_id"),
}


@pytest.mark.parametrize(("options", "field"), LEARN.values(), ids=LEARN)
def test_a_bad_compilation_is_refused(memory, options, field):
    assert refused(memory.learn, LearnOptions(**options)) == field


CALLS = {
    "artifacts of unknown type": ("list_artifacts", {"type": "habit"}, "type"),
    "artifacts of unknown status": ("list_artifacts", {"status": "asleep"}, "status"),
    "artifacts sorted by nothing": ("list_artifacts", {"sort": "size"}, "sort"),
    "artifacts in no order": ("list_artifacts", {"order": "up"}, "order"),
    "no artifacts": ("list_artifacts", {"limit": 0}, "limit"),
    "too many artifacts": ("list_artifacts", {"limit": 100_000}, "limit"),
    "artifacts behind a bad cursor": ("list_artifacts", {"cursor": "mine"}, "cursor"),
    "artifacts behind an empty cursor": ("list_artifacts", {"cursor": ""}, "cursor"),
    "artifact without id": ("get_artifact", {"artifact_id": ""}, "artifact_id"),
    "deprecating nothing": ("deprecate_artifact", {"artifact_id": ""}, "artifact_id"),
    "metrics of no period": ("get_metrics", {"period": "1y"}, "period"),
    "metrics by the second": ("get_metrics", {"granularity": "second"}, "granularity"),
    "events of unknown type": ("list_events", {"type": "dream"}, "type"),
    "events in no order": ("list_events", {"order": "up"}, "order"),
    "negative limit": ("list_events", {"limit": -1}, "limit"),
    "too many events": ("list_events", {"limit": 1001}, "limit"),
    "limit is a boolean": ("list_events", {"limit": True}, "limit"),
    "limit is a fraction": ("list_events", {"limit": 1.5}, "limit"),
    "events behind a bad cursor": ("list_events", {"cursor": "&=? ü"}, "cursor"),
    "events of an empty session": ("list_events", {"session_id": ""}, "session_id"),
    "surrogate in a filter": ("list_events", {"session_id": "s\ud800"}, "session_id"),
    "events by no list of ids": ("list_events", {"event_ids": 5}, "event_ids"),
    "events by an id that is none": ("list_events", {"event_ids": [5]}, "event_ids[0]"),
    "forgetting everything at once": ("forget", {}, None),
    "forgetting an empty user": ("forget", {"user_id": ""}, "user_id"),
    "forgetting one id as text": ("forget", {"event_ids": "evt"}, "event_ids"),
}


@pytest.mark.parametrize(("call", "arguments", "field"), CALLS.values(), ids=CALLS)
def test_a_bad_argument_is_refused(memory, call, arguments, field):
    memory.capture(event())
    found = refused(getattr(memory, call), **arguments)
    assert field in {found, None}
    assert memory.list_events().pagination.total == 1


IMPORTS = {
    "no id": ({"id": ""}, "id: "),
    "unknown type": ({"type": "dream"}, "type: "),
    "no time": ({"captured_at": "yesterday"}, "captured_at: "),
    "NaN": ({"payload": {"x": math.nan}}, "payload.x: "),
}


@pytest.mark.parametrize(("changes", "reason"), IMPORTS.values(), ids=IMPORTS)
def test_a_bad_import_says_why_and_does_not_hinder_the_others(memory, changes, reason):
    good = {
        "id": "e1",
        "type": "message",
        "session_id": "s1",
        "payload": {},
        "occurred_at": TIME,
        "captured_at": TIME,
    }
    result = memory.import_events([Event(**{**good, **changes}), Event(**good)])
    assert [item.status for item in result.results] == ["error", "ingested"]
    assert result.results[0].reason.startswith(reason)
    assert result.summary.errors == 1
    assert [kept.id for kept in memory.list_events().events] == ["e1"]
