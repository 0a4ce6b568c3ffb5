import json
import math
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_core.errors import InternalError, ValidationError
from hippocortex_core.operations import (
    MAX_BATCH,
    OPERATIONS,
    Capture,
    CaptureBatch,
    DeprecateArtifact,
    Forget,
    GetArtifact,
    GetMetrics,
    Health,
    ImportEvents,
    Learn,
    ListArtifacts,
    ListEvents,
    Synthesize,
)
from hippocortex_core.service import MemoryService
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import (
    BatchCaptureResult,
    BatchSummary,
    CaptureEvent,
    CaptureResult,
    Event,
    LearnOptions,
    SynthesizeOptions,
)

GOOD = CaptureEvent("message", "s1", {"role": "user", "content": "hi"}, idempotency_key="k")
STORED = Event(
    "e1", "message", "s1", {"content": "hi"}, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"
)
BAD = {
    "nan": CaptureEvent("message", "s1", {"x": math.nan}),
    "set": CaptureEvent("message", "s1", {"x": {1}}),
    "surrogate": CaptureEvent("message", "s1", {"x": "\ud800"}),
    "type": CaptureEvent("dream", "s1", {}),
    "session": CaptureEvent("message", "", {}),
    "no event": "hello",
}


def received(operation):
    """The operation as a server would read it from the wire."""
    request = operation.request()
    params = {}
    for part, value in zip(
        operation.path.split("/"), urlsplit(request.path).path.split("/"), strict=True
    ):
        if part.startswith("{"):
            params[part.strip("{}")] = value
    body = None if request.body is None else json.loads(json.dumps(request.body))
    return type(operation).from_request(params, parse_qs(urlsplit(request.target).query), body)


@pytest.mark.parametrize(
    ("operation", "method", "target", "body"),
    [
        (
            Capture(GOOD),
            "POST",
            "/capture",
            {
                "type": "message",
                "sessionId": "s1",
                "payload": {"role": "user", "content": "hi"},
                "idempotencyKey": "k",
            },
        ),
        (
            CaptureBatch([GOOD]),
            "POST",
            "/capture/batch",
            {
                "events": [
                    {
                        "type": "message",
                        "sessionId": "s1",
                        "payload": GOOD.payload,
                        "idempotencyKey": "k",
                    }
                ]
            },
        ),
        (Learn(), "POST", "/learn", {"scope": "incremental", "options": {}}),
        (
            Learn(LearnOptions("full", 0.7, ["fact"], session_id="s", agent_id="a", user_id="u")),
            "POST",
            "/learn",
            {
                "scope": "full",
                "options": {
                    "minPatternStrength": 0.7,
                    "artifactTypes": ["fact"],
                    "sessionId": "s",
                    "agentId": "a",
                    "userId": "u",
                },
            },
        ),
        (Synthesize("q"), "POST", "/synthesize", {"query": "q"}),
        (
            Synthesize("q", SynthesizeOptions(8000, ["facts"], 0.5, active_session_id="s")),
            "POST",
            "/synthesize",
            {
                "query": "q",
                "options": {
                    "maxTokens": 8000,
                    "sections": ["facts"],
                    "minConfidence": 0.5,
                    "includeProvenance": True,
                    "activeSessionId": "s",
                },
            },
        ),
        (ListArtifacts(), "GET", "/artifacts", None),
        (
            ListArtifacts("fact", "active", "updatedAt", "desc", 10, "c+/="),
            "GET",
            "/artifacts?type=fact&status=active&sort=updatedAt&order=desc&limit=10&cursor=c%2B%2F%3D",
            None,
        ),
        (GetArtifact("art/1 ?"), "GET", "/artifacts/art%2F1%20%3F", None),
        (DeprecateArtifact("a"), "POST", "/artifacts/a/deprecate", {}),
        (GetMetrics("7d", "day"), "GET", "/usage-metrics?period=7d&granularity=day", None),
        (
            ListEvents(["a,b", "c"], user_id="u"),
            "GET",
            "/events?eventIds=a%2Cb&eventIds=c&userId=u",
            None,
        ),
        (Forget(session_id="s"), "POST", "/forget", {"sessionId": "s"}),
        (
            ImportEvents([STORED]),
            "POST",
            "/import",
            {
                "events": [
                    {
                        "id": "e1",
                        "type": "message",
                        "sessionId": "s1",
                        "payload": {"content": "hi"},
                        "occurredAt": "2026-01-01T00:00:00.000Z",
                        "capturedAt": "2026-01-01T00:00:00.000Z",
                    }
                ]
            },
        ),
        (Health(), "GET", "/health", None),
    ],
)
def test_operations_on_the_wire(operation, method, target, body):
    request = operation.request()
    assert (request.method, request.target, request.body) == (method, target, body)


@pytest.mark.parametrize(
    "operation",
    [
        Capture(GOOD),
        CaptureBatch([GOOD]),
        Learn(LearnOptions("full", 0.5, ["fact"])),
        Synthesize("q", SynthesizeOptions(explain=True)),
        ListArtifacts("fact", limit=-3),
        GetArtifact("a"),
        DeprecateArtifact("a"),
        GetMetrics("7d"),
        ListEvents(["a,b"], type="message", limit=5),
        Forget(event_ids=["a"]),
        ImportEvents([STORED]),
        Health(),
    ],
)
def test_a_server_reads_what_a_client_asks(operation):
    assert received(operation) == operation


def test_the_table_names_every_call_of_the_service_once():
    calls = {
        name
        for name, value in vars(MemoryService).items()
        if callable(value) and not name.startswith("_")
    }
    assert sorted(op.name for op in OPERATIONS) == sorted(calls - {"close"})
    assert len({(op.method, op.path) for op in OPERATIONS}) == len(OPERATIONS)


def test_every_operation_says_what_a_key_must_allow():
    assert {op.name: op.scope for op in OPERATIONS} == {
        "capture": "write",
        "capture_batch": "write",
        "learn": "write",
        "synthesize": "read",
        "list_artifacts": "read",
        "get_artifact": "read",
        "deprecate_artifact": "write",
        "get_metrics": "read",
        "list_events": "read",
        "forget": "admin",
        "import_events": "write",
        "put_document": "write",
        "get_document": "read",
        "delete_document": "write",
        "search_documents": "read",
        "list_namespaces": "read",
        "batch_documents": "write",
        "sweep_documents": "write",
        "health": "read",
    }


@pytest.mark.parametrize(
    ("op", "query", "body", "field"),
    [
        (Capture, {}, None, "body"),
        (Capture, {}, {"type": "message", "sessionId": "s"}, "payload"),
        (CaptureBatch, {}, {}, "events"),
        (CaptureBatch, {}, {"events": {}}, "events"),
        (CaptureBatch, {}, {"events": [{}] * (MAX_BATCH + 1)}, "events"),
        (Learn, {}, {"scope": "half"}, "scope"),
        (Learn, {}, {"options": {"minPatternStrength": "x"}}, "options.min_pattern_strength"),
        (Learn, {}, {"options": 5}, "options"),
        (Learn, {}, [], "body"),
        (Synthesize, {}, {}, "query"),
        (Synthesize, {}, {"query": 5}, "query"),
        (Synthesize, {}, {"query": "q", "options": {"maxTokens": "x"}}, "options.max_tokens"),
        (Synthesize, {}, {"query": "q", "options": {"sections": ["x"]}}, "options.sections[0]"),
        (ListArtifacts, {"limit": ["ten"]}, None, "limit"),
        (ListArtifacts, {"limit": ["9" * 5000]}, None, "limit"),
        (ListArtifacts, {"type": ["habit"]}, None, "type"),
        (ListEvents, {"order": ["up"]}, None, "order"),
        (GetMetrics, {"period": ["1y"]}, None, "period"),
        (Forget, {}, {"eventIds": "e1"}, "event_ids"),
        (Forget, {}, "x", "body"),
    ],
)
def test_a_server_refuses_what_it_cannot_read(op, query, body, field):
    with pytest.raises(ValidationError) as caught:
        op.from_request({}, query, body)
    assert [detail.field for detail in caught.value.details] == [field]


def test_an_empty_body_asks_for_the_defaults():
    assert Learn.from_request({}, {}, None).options == LearnOptions()
    assert Learn.from_request({}, {}, {"scope": "full"}).options == LearnOptions("full")


def test_a_capture_on_the_wire_always_carries_a_key():
    event = CaptureEvent("message", "s1", {})
    request = Capture(event, lambda: "fresh").request()
    assert request.idempotency_key == request.body["idempotencyKey"] == "fresh"
    assert event.idempotency_key is None
    keys = iter(["k1", "k2"])
    batch = CaptureBatch([event, GOOD, event], new_id=lambda: next(keys)).request()
    assert [event["idempotencyKey"] for event in batch.body["events"]] == ["k1", "k", "k2"]


def test_in_process_the_callers_key_goes_through_as_it_is():
    service = InMemoryService()
    event = CaptureEvent("message", "s1", {})
    Capture(event).apply(service)
    Capture(event).apply(service)
    Capture(GOOD).apply(service)
    assert [stored.idempotency_key for stored in service.events] == [None, None, "k"]


def service_answer(operation):
    """What a real service would answer to the part of the batch that is sent."""
    result = InMemoryService().capture_batch([GOOD] * len(operation.request().body["events"]))
    return operation.render(result)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_an_event_that_cannot_be_sent_does_not_sink_the_batch(bad):
    batch = CaptureBatch([bad, GOOD, bad, GOOD])
    assert len(batch.request().body["events"]) == 2
    result = batch.parse(service_answer(batch))
    assert [item.status for item in result.results] == ["error", "ingested", "error", "duplicate"]
    assert result.summary == BatchSummary(total=4, ingested=1, duplicates=1, errors=2)
    refused = result.results[0]
    assert refused.event_id == ""
    with pytest.raises(ValidationError) as caught:
        Capture(bad).request()
    assert refused.reason == caught.value.message


@given(st.lists(st.sampled_from([GOOD, *BAD.values()]), max_size=8))
def test_every_event_of_a_batch_gets_its_own_answer(events):
    batch = CaptureBatch(events)
    result = batch.answered() or batch.parse(service_answer(batch))
    assert [item.status == "error" for item in result.results] == [
        event is not GOOD for event in events
    ]
    assert result.summary.total == len(events)


def test_a_batch_with_nothing_to_send_answers_itself():
    result = CaptureBatch([BAD["nan"]]).answered()
    assert result.summary == BatchSummary(total=1, ingested=0, duplicates=0, errors=1)
    assert CaptureBatch([]).answered() == BatchCaptureResult([], BatchSummary(0, 0, 0, 0))
    assert CaptureBatch([GOOD]).answered() is None


def test_a_service_that_answers_for_other_events_is_not_believed():
    batch = CaptureBatch([GOOD, GOOD])
    for count in (1, 3):
        other = BatchCaptureResult(
            [CaptureResult("e", "ingested")] * count, BatchSummary(count, count, 0, 0)
        )
        with pytest.raises(InternalError, match=f"answered {count} results for 2 events"):
            batch.parse(batch.render(other))


def test_a_server_stores_the_events_of_a_batch_that_it_can_read():
    batch = CaptureBatch.from_request(
        {},
        {},
        {"events": [{"type": "message"}, CaptureBatch([GOOD]).request().body["events"][0], 7]},
    )
    result = batch.apply(InMemoryService())
    assert [item.status for item in result.results] == ["error", "ingested", "error"]
    assert result.results[0].reason == "session_id: is required"
    assert result.summary == BatchSummary(total=3, ingested=1, duplicates=0, errors=2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "id: "),
        ({"captured_at": "yesterday"}, "captured_at: "),
        ({"occurred_at": "yesterday"}, "occurred_at: "),
        ({"payload": {"x": math.nan}}, "payload.x: "),
        ({"type": "dream"}, "type: "),
    ],
)
def test_a_stored_event_that_cannot_be_sent_says_why(change, reason):
    result = ImportEvents([Event(**{**vars(STORED), **change})]).answered()
    assert result.results[0].reason.startswith(reason)
