"""From a real trajectory file to artifacts and packs, compared with what is kept in golden.json.

A change of the compiler shows here as a readable difference; `pytest --update-golden` accepts it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("golden.json")
QUESTIONS = [
    "a customer wants to cancel a reservation",
    "the payment fails while booking a flight",
    "write a poem about the sea",
]
MAKE = """
import json, sys
from dataclasses import asdict
from hippocortex.data import tau_bench_sample
from hippocortex.importers import read_events
from hippocortex_core import SynthesizeOptions
from hippocortex_engine import open_engine

batch, questions = int(sys.argv[1]), json.loads(sys.argv[2])
engine = open_engine("sqlite://", clock=lambda: 1_800_000_000_000)
with tau_bench_sample() as path:
    events = [item.event for item in read_events(path)]
for start in range(0, len(events), batch):
    engine.capture_batch(events[start : start + batch])
    if batch < 1000:
        engine.learn()
engine.learn()
found, cursor = [], None
while True:
    page = engine.list_artifacts(status="active", sort="createdAt", limit=100, cursor=cursor)
    found += page.artifacts
    cursor = page.pagination.cursor
    if cursor is None:
        break
artifacts = {
    f"{one.type} {one.id}": {
        "title": one.title,
        "content": one.content,
        "confidence": one.confidence,
        "evidence": one.evidence_count,
    }
    for one in sorted(found, key=lambda one: (one.type, one.title, one.id))
}
options = SynthesizeOptions(max_tokens=500, explain=True)
packs = {question: asdict(engine.synthesize(question, options)) for question in questions}
print(json.dumps({"artifacts": artifacts, "packs": packs}))
"""


def learned(batch: int, hash_seed: str) -> dict:
    """What a process of its own finds, so that nothing carries over."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(batch), json.dumps(QUESTIONS)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found():
    return learned(2000, "1")


def test_a_real_trajectory_file_gives_the_golden_artifacts_and_packs(found, request):
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def test_another_process_with_other_batches_finds_the_same_to_the_last_digit(found):
    assert learned(97, "2") == found


def test_an_unrelated_question_gets_nothing(found):
    assert found["packs"][QUESTIONS[2]]["entries"] == []


def test_each_kind_of_knowledge_is_found(found):
    types = {name.split()[0] for name in found["artifacts"]}
    assert {"task_schema", "failure_playbook", "decision_policy", "fact"} <= types


def test_the_procedure_that_was_asked_for_comes_first(found):
    first = found["packs"][QUESTIONS[0]]["entries"][0]
    assert first["section"] == "procedures"
    assert "cancel_reservation" in first["content"]
