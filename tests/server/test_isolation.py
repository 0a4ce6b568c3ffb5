"""Another tenant's things are not there: not to be seen, changed or told from missing ones."""

import json
from contextlib import suppress

import pytest

from hippocortex_core.operations import OPERATIONS

SESSION = [
    ("message", {"role": "user", "content": "Deploy payments to staging"}),
    ("tool_call", {"tool": "build", "args": {"service": "payments"}}),
    ("tool_result", {"tool": "build", "result": "ok"}),
    ("tool_call", {"tool": "deploy", "args": {"env": "staging"}}),
    ("tool_result", {"tool": "deploy", "error": "Redis pool exhausted"}),
    ("tool_call", {"tool": "restart", "args": {"service": "redis"}}),
    ("tool_result", {"tool": "restart", "result": "ok"}),
    ("outcome", {"status": "success", "content": "payments is on staging"}),
]
DOCUMENT = {"namespace": ["alice"], "key": "k1"}


@pytest.fixture
def tenants(serve, store, caller_of):
    """Alice, whose memory is full, and Bob, whose is empty."""
    server = serve(store)
    alice, bob = caller_of(server, "alice"), caller_of(server, "bob")
    for number in range(4):
        for kind, payload in SESSION:
            event = {"type": kind, "sessionId": f"s{number}", "payload": payload}
            event["metadata"] = {"user_id": "u1", "agent_id": "a1"}
            alice.post("/capture", {**event, "idempotencyKey": f"{number}{kind}{payload}"})
    alice.post("/learn", {"scope": "full"})
    return alice, bob


def snapshot(caller):
    """All that can be seen of a memory."""
    return [
        caller.events(),
        caller.get("/artifacts?limit=100").data,
        caller.post("/synthesize", {"query": "deploy payments"}).data["entries"],
    ]


def requests(alice):
    """Every operation, with every id of Alice's in it."""
    event = alice.events()[0]
    artifact = alice.get("/artifacts").data["artifacts"][0]
    cursor = alice.get("/events?limit=1").data["pagination"]["cursor"]
    ids = {"sessionId": "s0", "userId": "u1", "agentId": "a1"}
    options = {**ids, "activeSessionId": "s0"}
    return {
        "capture": [{"type": "message", "sessionId": "s0", "payload": {}}],
        "capture_batch": [{"events": [{"type": "message", "sessionId": "s0", "payload": {}}]}],
        "learn": [{"scope": "full"}, {"scope": "full", "options": ids}],
        "synthesize": [
            {"query": "Redis pool exhausted on deploy"},
            {"query": "deploy", "options": options},
        ],
        "list_artifacts": ["?limit=100", "?status=active&type=task_schema"],
        "get_artifact": [artifact["id"]],
        "deprecate_artifact": [artifact["id"]],
        "get_metrics": ["?period=30d"],
        "list_events": [
            f"?eventIds={event['id']}",
            "?sessionId=s0&userId=u1&agentId=a1",
            f"?cursor={cursor}",
        ],
        "forget": [{"eventIds": [event["id"]]}, ids],
        "import_events": [{"events": [{**event, "sessionId": "bobs"}]}],
        "put_document": [{**DOCUMENT, "value": {"whose": "bob"}, "capture": False}],
        "get_document": [DOCUMENT],
        "delete_document": [DOCUMENT],
        "search_documents": [{}, {"namespacePrefix": ["alice"], "query": "secret"}],
        "list_namespaces": [{}],
        "batch_documents": [{"operations": [{"op": "get", **DOCUMENT}]}],
        "sweep_documents": [{}],
        "health": [""],
    }


def send(caller, operation, what):
    path = f"/v1{operation.path}"
    if "{artifactId}" in path:
        return caller.send(operation.method, path.format(artifactId=what))
    if operation.method == "GET":
        return caller.send("GET", path + what)
    return caller.send("POST", path, what)


def test_no_operation_with_anothers_ids_sees_or_changes_anything(tenants):
    alice, bob = tenants
    before = snapshot(alice)
    wanted = requests(alice)
    assert wanted.keys() >= {operation.name for operation in OPERATIONS}
    secrets = [one["id"] for one in before[0]] + [one["id"] for one in before[1]["artifacts"]]
    secrets += ["Redis pool exhausted", "payments is on staging"]
    for operation in OPERATIONS:
        for what in wanted[operation.name]:
            reply = send(bob, operation, what)
            assert reply.status in {200, 400, 404}, (operation.name, reply.content)
            seen = json.dumps(reply.json)
            for asked in secrets:
                # What Bob imports or asks for by its id he may see again.
                if asked not in str(what):
                    assert asked not in seen, operation.name
    assert snapshot(alice) == before


def test_anothers_id_is_answered_exactly_as_one_that_does_not_exist(tenants):
    alice, bob = tenants
    artifact = alice.get("/artifacts").data["artifacts"][0]["id"]
    missing = "x" * len(artifact)
    for method, path in (("GET", "/artifacts/{}"), ("POST", "/artifacts/{}/deprecate")):
        theirs = bob.send(method, f"/v1{path.format(artifact)}")
        nobodys = bob.send(method, f"/v1{path.format(missing)}")
        assert theirs.status == nobodys.status == 404
        assert comparable(theirs, artifact) == comparable(nobodys, missing)
    event = alice.events()[0]["id"]
    for body in ({"eventIds": [event]}, {"eventIds": ["x" * len(event)]}):
        assert bob.post("/forget", body).data["eventsDeleted"] == 0


def comparable(reply, asked):
    headers = dict(reply.headers)
    for name in ("x-request-id", "date", "content-length"):
        headers.pop(name, None)
    for name in list(headers):
        if name.startswith("x-ratelimit"):
            headers.pop(name)
    return reply.json["error"]["code"], reply.json["error"]["message"].replace(asked, "ID"), headers


def test_the_same_idempotency_key_is_another_one_for_another_tenant(tenants):
    alice, bob = tenants
    key = alice.events()[0]["idempotencyKey"]
    theirs = bob.capture("mine", idempotencyKey=key).data
    assert theirs["status"] == "ingested"
    assert theirs["eventId"] not in {one["id"] for one in alice.events()}


def test_an_event_imported_under_anothers_id_leaves_theirs_alone(tenants):
    alice, bob = tenants
    event = alice.events()[0]
    forged = {**event, "payload": {"content": "forged"}}
    assert bob.post("/import", {"events": [forged]}).data["summary"]["ingested"] == 1
    assert alice.events()[0] == event
    assert [one["payload"] for one in bob.events()] == [{"content": "forged"}]


def test_figures_for_prometheus_name_no_tenant(tenants):
    alice, _ = tenants
    with suppress(Exception):
        alice.get("/artifacts/secret-artifact")
    figures = alice.send("GET", "/metrics").content.decode()
    assert 'hippocortex_events_total{status="ingested"} 32.0' in figures
    for private in ("alice", "bob", "secret-artifact", alice.key):
        assert private not in figures
