from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hippocortex_core.types import BatchSummary, CaptureEvent, CaptureEventType


def message(text="hi", session="s1", **more):
    return CaptureEvent("message", session, {"role": "user", "content": text}, **more)


def stored(memory, **filters):
    return memory.list_events(order="asc", limit=1000, **filters).events


def test_a_captured_event_can_be_listed_as_it_was_sent(memory):
    event = CaptureEvent(
        "tool_call",
        "s1",
        {
            "tool": "deploy",
            "args": {"env": "staging", "n": [1, 2.5, None, True]},
            "text": "Grüße 😀",
        },
        metadata={"agent_id": "a1", "user_id": "u1", "nested": {"x": []}},
        idempotency_key="k1",
        occurred_at="2026-01-02T03:04:05.678Z",
    )
    result = memory.capture(event)
    assert result.status == "ingested"
    assert 0.0 <= result.salience_score <= 1.0
    (kept,) = stored(memory)
    assert kept.id == result.event_id
    assert (kept.type, kept.session_id, kept.payload) == (
        event.type,
        event.session_id,
        event.payload,
    )
    assert (kept.metadata, kept.idempotency_key) == (event.metadata, "k1")
    assert kept.occurred_at == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize("kind", get_args(CaptureEventType))
def test_every_event_type_is_taken(memory, kind):
    assert memory.capture(CaptureEvent(kind, "s1", {"content": "x"})).status == "ingested"


def test_an_acknowledged_capture_is_there_after_reopening(reopen):
    event_id = reopen().capture(message()).event_id
    assert [event.id for event in stored(reopen())] == [event_id]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc),
        datetime(2026, 1, 2, 5, 4, 5, 678_000, tzinfo=timezone(timedelta(hours=2))),
        datetime(2026, 1, 2, 3, 4, 5, 678_000),  # noqa: DTZ001 - a naive time is UTC
        "2026-01-02T03:04:05.678+00:00",
        "2026-01-02T05:04:05.678+02:00",
    ],
)
def test_when_it_happened_is_kept_in_utc(memory, moment):
    memory.capture(message(occurred_at=moment))
    assert stored(memory)[0].occurred_at == "2026-01-02T03:04:05.678Z"


def test_an_event_without_a_time_happened_when_it_was_captured(memory):
    memory.capture(message())
    (event,) = stored(memory)
    assert event.occurred_at == event.captured_at


def test_a_key_sent_again_is_a_duplicate_of_the_first_event(memory):
    first = memory.capture(message("hi", idempotency_key="k1"))
    again = memory.capture(message("something else", session="s2", idempotency_key="k1"))
    assert (again.status, again.event_id) == ("duplicate", first.event_id)
    assert [event.payload["content"] for event in stored(memory)] == ["hi"]


def test_without_a_key_nothing_is_deduplicated(memory):
    results = [memory.capture(message()) for _ in range(3)]
    assert [result.status for result in results] == ["ingested"] * 3
    assert len({result.event_id for result in results}) == 3
    batch = memory.capture_batch([message(), message()])
    assert batch.summary == BatchSummary(total=2, ingested=2, duplicates=0, errors=0)
    assert len(stored(memory)) == 5


@pytest.mark.parametrize("key", ["schlüssel", "a\nb", " padded ", "x" * 256, "a,b&c=d"])
def test_a_key_may_hold_any_text(memory, key):
    first = memory.capture(message(idempotency_key=key))
    assert memory.capture(message(idempotency_key=key)).event_id == first.event_id


def test_a_batch_answers_each_event_in_order(memory):
    first = memory.capture(message("old", idempotency_key="k1"))
    result = memory.capture_batch(
        [
            message("a"),
            message("b", idempotency_key="k1"),
            message("c", idempotency_key="k2"),
            message("d", idempotency_key="k2"),
        ]
    )
    assert result.summary == BatchSummary(total=4, ingested=2, duplicates=2, errors=0)
    assert [item.status for item in result.results] == [
        "ingested",
        "duplicate",
        "ingested",
        "duplicate",
    ]
    assert result.results[1].event_id == first.event_id
    assert result.results[3].event_id == result.results[2].event_id
    assert [event.payload["content"] for event in stored(memory)] == ["old", "a", "c"]


def test_a_bad_event_of_a_batch_says_why_and_does_not_hinder_the_others(memory):
    result = memory.capture_batch(
        [
            message("a"),
            CaptureEvent("dream", "s1", {}),
            CaptureEvent("message", "", {}),
            CaptureEvent("message", "s1", {"x": [1, float("nan")]}),
            CaptureEvent("message", "s1", {"x": {1, 2}}),
            CaptureEvent("message", "s1", {"x": "\ud800"}),
            "no event",
            message("b"),
        ]
    )
    assert result.summary == BatchSummary(total=8, ingested=2, duplicates=0, errors=6)
    assert [item.status for item in result.results] == ["ingested", *["error"] * 6, "ingested"]
    starts = ["type: ", "session_id: ", "payload.x[1]: ", "payload.x: ", "payload.x: ", "event: "]
    for item, start in zip(result.results[1:-1], starts, strict=True):
        assert item.event_id == ""
        assert item.reason.startswith(start)
    assert [event.payload["content"] for event in stored(memory)] == ["a", "b"]


def test_a_batch_of_bad_events_stores_nothing(memory):
    result = memory.capture_batch([CaptureEvent("dream", "s1", {})] * 2)
    assert result.summary == BatchSummary(total=2, ingested=0, duplicates=0, errors=2)
    assert stored(memory) == []


def test_an_empty_batch_is_an_empty_answer(memory):
    result = memory.capture_batch([])
    assert (result.results, result.summary) == ([], BatchSummary(0, 0, 0, 0))


def test_a_batch_longer_than_one_request_arrives_whole(memory):
    events = [message(f"n {n}", idempotency_key=f"k{n}") for n in range(1_100)]
    result = memory.capture_batch([*events, events[0]])
    assert result.summary == BatchSummary(total=1_101, ingested=1_100, duplicates=1, errors=0)
    assert result.results[-1].event_id == result.results[0].event_id
    assert memory.list_events(limit=1).pagination.total == 1_100


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(st.sampled_from("abcdef"), max_size=8), again=st.integers(0, 8))
def test_sending_keys_again_in_any_grouping_changes_nothing(memory, keys, again):
    events = [message(key, idempotency_key=key) for key in keys]
    memory.capture_batch(events)
    before = [event.id for event in stored(memory)]
    summary = memory.capture_batch(events[:again]).summary
    for event in events[again:]:
        assert memory.capture(event).status == "duplicate"
    assert (summary.duplicates, summary.ingested) == (len(events[:again]), 0)
    assert [event.id for event in stored(memory)] == before


def test_two_openings_of_one_memory_see_the_same_events(memory, reopen):
    other = reopen()
    first = memory.capture(message("from one", idempotency_key="k1"))
    assert other.capture(message("from two", idempotency_key="k1")).event_id == first.event_id
    other.capture(message("from two"))
    assert [event.payload["content"] for event in stored(memory)] == ["from one", "from two"]
