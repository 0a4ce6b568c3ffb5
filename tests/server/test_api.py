"""The reference API as its published clients call it, word for word."""

from pathlib import Path

import pytest

from hippocortex_core import SyncHippocortex
from hippocortex_core.operations import OPERATIONS

SDK = {"X-Hippocortex-SDK-Version": "python/1.4.0", "User-Agent": "hippocortex-python/1.4.0"}
SESSION = [
    ("message", {"role": "user", "content": "Deploy payments to staging"}),
    ("tool_call", {"tool": "build", "args": {"service": "payments"}}),
    ("tool_result", {"tool": "build", "result": "ok"}),
    ("tool_call", {"tool": "deploy", "args": {"env": "staging"}}),
    ("tool_result", {"tool": "deploy", "result": "ok"}),
    ("outcome", {"status": "success", "content": "payments is on staging"}),
]


@pytest.fixture
def client(caller):
    caller.headers = dict(SDK)
    return caller


def tell(client):
    for number in range(4):
        for kind, payload in SESSION:
            body = {"type": kind, "sessionId": f"sess-{number}", "payload": payload}
            assert client.post("/capture", body).data["status"] == "ingested"


def test_the_reference_clients_calls_work_unmodified(client):
    event = {
        "type": "tool_call",
        "sessionId": "sess-42",
        "payload": {"tool": "deploy", "args": {"service": "api"}},
        "metadata": {"agent_id": "agent-1"},
    }
    captured = client.post("/capture", event).data
    assert captured["status"] == "ingested"
    assert captured["eventId"]
    assert 0 <= captured["salienceScore"] <= 1
    assert captured["traceId"]
    tell(client)

    learned = client.post(
        "/learn", {"scope": "full", "options": {"minPatternStrength": 0.1, "artifactTypes": None}}
    ).data
    assert learned["status"] == "completed"
    assert learned["runId"]
    assert learned["artifacts"].keys() == {"created", "updated", "unchanged", "byType"}
    assert learned["stats"].keys() == {"memoriesProcessed", "patternsFound", "compilationMs"}

    pack = client.post(
        "/synthesize",
        {
            "query": "deploy payments to staging",
            "options": {"maxTokens": 4000, "minConfidence": 0.3, "includeProvenance": True},
        },
    ).data
    assert pack["packId"]
    assert pack["entries"]
    assert pack["entries"][0].keys() == {"section", "content", "confidence", "provenance"}
    assert pack["budget"].keys() == {
        *("limit", "used", "compressionRatio", "entriesIncluded", "entriesDropped"),
    }

    listed = client.get("/artifacts?status=active&sort=confidence&order=desc&limit=10").data
    assert listed["pagination"].keys() == {"hasMore", "cursor", "total"}
    (first, *_) = listed["artifacts"]
    assert first.keys() == {
        *("id", "type", "status", "title", "content", "confidence", "evidenceCount"),
        *("createdAt", "updatedAt", "version"),
    }
    assert client.get(f"/artifacts/{first['id']}").data["title"] == first["title"]

    for path in ("/usage-metrics", "/metrics"):
        metrics = client.get(f"{path}?period=24h&granularity=hour").data
        assert metrics.keys() == {"period", "usage", "quota", "series"}
        assert metrics["usage"]["events"]["ingested"] == 25
        assert metrics["usage"]["syntheses"] == 1
        assert metrics["quota"].keys() == {
            *("plan", "eventsUsed", "eventsLimit", "eventsRemaining"),
        }


def test_a_request_without_options_has_the_references_defaults(client):
    tell(client)
    assert client.post("/learn", {"scope": "incremental", "options": {}}).data
    assert client.post("/learn").data
    assert client.post("/synthesize", {"query": "deploy"}).data["budget"]["limit"] == 4000
    assert client.get("/artifacts").data["pagination"]["hasMore"] in {True, False}


def test_a_batch_says_what_became_of_each_event(client):
    event = {"type": "message", "sessionId": "s1", "payload": {}, "idempotencyKey": "k1"}
    bad = {"type": "dream", "sessionId": "s1", "payload": {}}
    data = client.post("/capture/batch", {"events": [event, event, bad]}).data
    assert data["summary"] == {"total": 3, "ingested": 1, "duplicates": 1, "errors": 1}
    assert [one["status"] for one in data["results"]] == ["ingested", "duplicate", "error"]
    assert data["results"][2]["reason"].startswith("type: ")


def test_fields_that_nobody_knows_are_ignored_wherever_they_stand(client):
    more = {"futureField": {"nested": [1]}, "v": 2}
    event = {"type": "message", "sessionId": "s1", "payload": {}, **more}
    assert client.post("/capture", event).data["status"] == "ingested"
    assert client.post("/capture/batch", {"events": [event], **more}).data["summary"]["errors"] == 0
    assert client.post("/learn", {"scope": "full", "options": dict(more), **more}).data
    assert client.post("/synthesize", {"query": "q", "options": dict(more), **more}).data
    assert client.get("/artifacts?futureField=1&limit=5").data
    assert client.post("/forget", {"sessionId": "s1", **more}).data["eventsDeleted"] == 2


def test_the_idempotency_key_of_the_header_counts_where_the_body_has_none(client):
    key = {"Idempotency-Key": "once"}
    event = {"type": "message", "sessionId": "s1", "payload": {"content": "hi"}}
    first = client.post("/capture", event, headers=key).data
    again = client.post("/capture", event, headers=key).data
    assert (again["status"], again["eventId"]) == ("duplicate", first["eventId"])
    other = client.post("/capture", {**event, "idempotencyKey": "other"}, headers=key).data
    assert other["status"] == "ingested"
    assert [one["idempotencyKey"] for one in client.events()] == ["once", "other"]


def test_health_needs_no_key(anybody, server):
    data = anybody.get("/health").data
    assert data["status"] == "ok"
    assert data["store"] == "sqlite"
    assert anybody.get("/health", headers={"Authorization": "Bearer wrong"}).status == 200


def test_health_says_so_when_the_store_does_not_answer(anybody, server):
    server.database.close()
    for path in Path().glob("memory.db*"):
        path.unlink()
    Path("memory.db").mkdir()
    reply = anybody.get("/health")
    assert reply.status == 503
    assert reply.error["code"] == "unavailable"


def test_every_answer_names_its_request(caller):
    made = caller.get("/artifacts")
    assert made.headers["x-request-id"].startswith("req_")
    assert made.headers["x-request-id"] != caller.get("/artifacts").headers["x-request-id"]
    given = caller.get("/artifacts", headers={"X-Request-Id": "trace-7"})
    assert given.json["meta"]["requestId"] == "trace-7"
    refused = caller.get("/nothing", headers={"X-Request-Id": "trace-8"})
    assert refused.headers["x-request-id"] == "trace-8"


@pytest.mark.parametrize("bad", ["a b", "x" * 129, "\u00fc".encode("latin-1"), ""])
def test_a_request_id_that_is_not_fit_to_be_repeated_is_replaced(caller, bad):
    assert (
        caller.get("/artifacts", headers={"X-Request-Id": bad})
        .json["meta"]["requestId"]
        .startswith("req_")
    )


def test_head_answers_as_get_does_without_a_body(caller):
    reply = caller.send("HEAD", "/v1/artifacts")
    assert (reply.status, reply.content) == (200, b"")
    assert reply.headers["x-ratelimit-limit"]


def test_every_operation_is_served_where_core_says(anybody):
    for operation in OPERATIONS:
        path = operation.path.replace("{artifactId}", "art_1")
        reply = anybody.send(operation.method, f"/v1{path}", {})
        assert reply.status == (200 if operation.name == "health" else 401), operation.name


def test_the_client_reads_the_servers_errors(server):
    with SyncHippocortex(base_url=server.url, api_key=server.new_key(scopes=["read"])) as memory:
        with pytest.raises(Exception, match="scope 'write'") as caught:
            memory.learn()
        assert caught.value.code == "forbidden"
        assert caught.value.request_id.startswith("req_")
