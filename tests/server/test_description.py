"""What the server says of itself: OpenAPI, the page that shows it, and figures for Prometheus."""

import os
import re
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hippocortex_core.operations import OPERATIONS
from hippocortex_server.examples import EXAMPLES
from hippocortex_server.openapi import document


def test_every_operation_is_described(anybody):
    described = anybody.send("GET", "/openapi.json").json
    assert described == document()
    for operation in OPERATIONS:
        entry = described["paths"][f"/v1{operation.path}"][operation.method.lower()]
        assert entry["operationId"] == operation.name
        assert entry["summary"].endswith(".")
        assert "200" in entry["responses"]


def test_every_reference_of_the_description_leads_somewhere():
    described = document()

    def check(node):
        if isinstance(node, dict):
            if (target := node.get("$ref")) is not None:
                *_, kind, name = target.split("/")
                assert name in described["components"][kind]
            node = node.values()
        if isinstance(node, (list, type({}.values()))):
            for inner in node:
                check(inner)

    check(described)


def test_the_aliases_of_the_reference_are_described_too():
    paths = document()["paths"]
    assert paths["/v1/metrics"]["get"]["operationId"] == "get_metrics_alias"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_answered(caller, name):
    (operation,) = [one for one in OPERATIONS if one.name == name]
    assert caller.post(operation.path, EXAMPLES[name]).data is not None


def test_the_page_needs_nothing_from_anywhere_else(anybody):
    reply = anybody.send("GET", "/docs")
    page = reply.content.decode()
    assert reply.headers["content-type"].startswith("text/html")
    assert "//" not in re.sub(r"^\s*//.*$", "", page, flags=re.MULTILINE)
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", page) == ["openapi.json"]
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def figures(anybody):
    families = text_string_to_metric_families(anybody.send("GET", "/metrics").content.decode())
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures_count_requests_and_events(caller, anybody):
    caller.capture(idempotencyKey="k")
    caller.capture(idempotencyKey="k")
    caller.post("/capture", b"{")
    bad = {"type": "dream", "sessionId": "s", "payload": {}}
    caller.post("/capture/batch", {"events": [bad]})
    anybody.get("/artifacts")
    anybody.get("/nowhere/at/all")
    seen = figures(anybody)
    assert seen["hippocortex_requests_total", "200", "capture"] == 2
    assert seen["hippocortex_requests_total", "400", "capture"] == 1
    assert seen["hippocortex_requests_total", "401", "list_artifacts"] == 1
    assert seen["hippocortex_requests_total", "404", "none"] == 1
    assert seen["hippocortex_request_duration_seconds_count", "capture"] == 3
    assert seen["hippocortex_events_total", "ingested"] == 1
    assert seen["hippocortex_events_total", "duplicate"] == 1
    assert seen["hippocortex_events_total", "error"] == 1
    assert seen[("hippocortex_requests_in_flight",)] == 1  # this very one


WORKER = """
import os, signal, sys
from hippocortex_core.types import CaptureResult
from hippocortex_server.measuring import Measures

measures = Measures()
measures.answered("capture", 200, 0.01)
measures.captured(CaptureResult("evt_1", "ingested"))
with measures.in_flight():
    if sys.argv[1:] == ["killed"]:
        os.kill(os.getpid(), signal.SIGKILL)
    print(measures.text().decode())
"""


def test_whichever_worker_is_asked_the_figures_are_of_all(tmp_path):
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for arguments in (["killed"], [], []):
        done = subprocess.run(
            [sys.executable, "-c", WORKER, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
    assert 'hippocortex_requests_total{operation="capture",status="200"} 3.0' in done.stdout
    assert 'hippocortex_events_total{status="ingested"} 3.0' in done.stdout
    assert "hippocortex_requests_in_flight 1.0" in done.stdout  # none of the dead


def test_paths_that_nobody_serves_do_not_become_figures(anybody):
    anybody.get("/warm-up")
    before = len(figures(anybody))
    for number in range(20):
        anybody.get(f"/nothing-{number}")
        anybody.send("GET", f"/{number}")
    assert len(figures(anybody)) <= before + 3
