"""Learning: incremental equals full, twice changes nothing, forgetting unlearns."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hippocortex_core import CaptureEvent, LearnOptions, SynthesizeOptions
from hippocortex_core.render import render_pack
from hippocortex_engine import open_engine

on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

START = datetime(2026, 3, 1, 9, tzinfo=timezone.utc)


def run(number, *, fails, user=None, succeeds=True):
    """A deploy: it may fail once on a missing tag, is corrected, and ends well or not."""
    session, at = f"run-{number}", START + timedelta(hours=number)
    metadata = {"user_id": user} if user else None
    made = []

    def event(kind, **payload):
        when = at + timedelta(seconds=10 * len(made))
        key = f"{session}-{len(made)}"
        made.append(CaptureEvent(kind, session, payload, metadata, key, when))

    event("message", role="user", content=f"Please deploy the billing service, ticket {number}")
    event("tool_call", tool="run_tests", args={"service": "billing"}, call_id="1")
    event("tool_result", tool="run_tests", call_id="1", result={"passed": 12})
    event("tool_call", tool="deploy", args={"service": "billing"}, call_id="2")
    if fails:
        event("tool_result", tool="deploy", call_id="2", result="Error: missing image tag")
        event("tool_call", tool="list_tags", args={"service": "billing"}, call_id="3")
        event("tool_result", tool="list_tags", call_id="3", result=[f"v{number}"])
        event("tool_call", tool="deploy", args={"service": "billing", "tag": "v1"}, call_id="4")
    event("tool_result", tool="deploy", call_id="4" if fails else "2", result={"status": "live"})
    event("message", role="user", content=f"My favourite region is eu-{number % 3}")
    event("outcome", success=succeeds)
    return made


RUNS = [run(n, fails=n % 2 == 0, succeeds=n % 5 != 0) for n in range(10)]
EVENTS = [event for one in RUNS for event in one]


def artifacts(engine, **options):
    """Everything about the artifacts that does not tell when they were learned."""
    found, cursor = [], None
    while True:
        page = engine.list_artifacts(limit=100, sort="createdAt", cursor=cursor, **options)
        found += page.artifacts
        cursor = page.pagination.cursor
        if cursor is None:
            break
    return {
        one.id: (
            one.type,
            one.status,
            one.title,
            one.content,
            one.confidence,
            engine.get_artifact(one.id).evidence,
        )
        for one in found
    }


@pytest.fixture(scope="module")
def reference():
    engine = open_engine("sqlite://")
    engine.capture_batch(EVENTS)
    engine.learn()
    yield artifacts(engine, status="active")
    engine.close()


def test_it_learns_a_procedure_a_playbook_and_facts(reference):
    types = [one[0] for one in reference.values()]
    assert {"task_schema", "failure_playbook", "fact"} <= set(types)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=6), st.booleans())
def test_any_split_with_learns_in_between_ends_in_the_same_artifacts(reference, cuts, shuffle):
    engine = open_engine("sqlite://")
    bounds = [0, *sorted(cuts), len(EVENTS)]
    batches = [EVENTS[a:b] for a, b in itertools.pairwise(bounds)]
    if shuffle:
        random.Random(len(cuts)).shuffle(batches)
    for batch in batches:
        engine.capture_batch(batch)
        engine.learn()
    found = artifacts(engine, status="active")
    assert found.keys() == reference.keys()
    for name, one in found.items():
        assert one[:5] == reference[name][:5]
        assert sorted(one[5]) == sorted(reference[name][5])
    engine.close()


@on_both
def test_learning_twice_changes_nothing(engine):
    engine.capture_batch(EVENTS)
    first = engine.learn()
    before = artifacts(engine)
    second = engine.learn()
    assert first.artifacts.created > 0
    assert (second.artifacts.created, second.artifacts.updated) == (0, 0)
    assert second.artifacts.unchanged == first.artifacts.created
    assert second.stats.memories_processed == 0
    assert artifacts(engine) == before


@on_both
def test_a_full_run_ends_where_the_increments_did(engine):
    for one in RUNS:
        engine.capture_batch(one)
        engine.learn()
    before = artifacts(engine, status="active")
    result = engine.learn(LearnOptions(scope="full"))
    assert result.stats.memories_processed == len(EVENTS)
    assert (result.artifacts.created, result.artifacts.updated) == (0, 0)
    assert artifacts(engine, status="active") == before


@on_both
def test_artifact_types_limits_what_is_compiled(engine):
    engine.capture_batch(EVENTS)
    result = engine.learn(LearnOptions(artifact_types=["failure_playbook"]))
    assert {one[0] for one in artifacts(engine).values()} == {"failure_playbook"}
    assert result.artifacts.by_type["failure_playbook"] == result.artifacts.created > 0
    engine.learn()
    assert len({one[0] for one in artifacts(engine).values()}) > 1


@on_both
def test_min_pattern_strength_leaves_out_what_is_weaker_and_a_lower_one_brings_it_back(engine):
    engine.capture_batch(EVENTS)
    engine.learn()
    everything = artifacts(engine, status="active")
    engine.learn(LearnOptions(min_pattern_strength=0.99))
    assert artifacts(engine, status="active") == {}
    engine.learn()
    assert artifacts(engine, status="active") == everything


@on_both
def test_a_filtered_run_reads_only_its_session_and_the_rest_stays_pending(engine):
    engine.capture_batch(EVENTS)
    part = engine.learn(LearnOptions(session_id="run-3"))
    assert part.stats.memories_processed == len(RUNS[3])
    rest = engine.learn()
    assert rest.stats.memories_processed == len(EVENTS) - len(RUNS[3])


@on_both
def test_what_was_retired_by_hand_stays_retired(engine):
    engine.capture_batch(EVENTS[: len(EVENTS) // 2])
    engine.learn()
    (playbook, *_) = engine.list_artifacts(type="failure_playbook").artifacts
    assert engine.deprecate_artifact(playbook.id).status == "deprecated"
    engine.capture_batch(EVENTS)
    engine.learn()
    assert engine.get_artifact(playbook.id).status == "deprecated"
    pack = engine.synthesize("deploy fails with missing image tag")
    ids = [ref.source_id for entry in pack.entries for ref in entry.provenance]
    assert playbook.id not in ids


@on_both
def test_a_failure_seen_once_warns_the_second_time(engine):
    engine.capture_batch(RUNS[2])
    engine.learn()
    pack = engine.synthesize("Please deploy the billing service")
    text = render_pack(pack)
    assert "missing image tag" in text
    assert "list_tags" in text


@on_both
def test_forgetting_a_session_unlearns_what_rested_on_it_alone(engine):
    engine.capture_batch(EVENTS)
    secret = CaptureEvent("message", "private", {"role": "user", "content": "My name is Zebulon"})
    engine.capture(secret)
    engine.learn()
    assert "Zebulon" in render_pack(engine.synthesize("what is the name of the user"))
    gone = engine.forget(session_id="private")
    assert (gone.events_deleted, gone.artifacts_deleted) == (1, 1)
    assert "Zebulon" not in render_pack(engine.synthesize("what is the name of the user"))
    assert not any("Zebulon" in str(one) for one in artifacts(engine).values())
    engine.learn(LearnOptions(scope="full"))
    assert not any("Zebulon" in str(one) for one in artifacts(engine).values())


@on_both
def test_forgetting_part_of_the_evidence_revises_the_artifact(engine):
    engine.capture_batch(EVENTS)
    engine.learn()
    before = engine.list_artifacts(type="failure_playbook").artifacts[0]
    gone = engine.forget(session_id="run-2")
    assert gone.artifacts_updated > 0
    after = engine.get_artifact(before.id)
    assert after.evidence_count < before.evidence_count
    kept = {event.id for event in engine.list_events(limit=1000).events}
    assert set(after.evidence) <= kept


def _contents(engine):
    found = engine.list_artifacts(limit=100, status="active").artifacts
    return {(one.type, one.title): one.content for one in found}


@on_both
@pytest.mark.parametrize("doomed", [{"user_id": "ann"}, {"session_id": "run-2"}])
def test_what_stays_after_forgetting_is_what_was_learned_without(open_memory, doomed):
    users = ["ann", "bob", "carl"]
    runs = [run(n, fails=n % 2 == 0, user=users[n % 3]) for n in range(12)]
    full, rest = open_memory("full.db"), open_memory("rest.db")
    full.capture_batch([event for one in runs for event in one])
    full.learn()
    full.forget(**doomed)
    gone = range(2, 3) if "session_id" in doomed else range(0, 12, 3)
    kept = [one for n, one in enumerate(runs) if n not in gone]
    rest.capture_batch([event for one in kept for event in one])
    rest.learn()
    learned = _contents(rest)
    assert _contents(full) == {name: learned[name] for name in _contents(full)}
    assert any("next" in content for content in _contents(full).values())


@on_both
def test_forgetting_that_breaks_off_leaves_no_text_that_rested_on_the_events(engine, monkeypatch):
    runs = [run(n, fails=n < 2) for n in range(40)]  # more events than an artifact cites
    engine.capture_batch([event for one in runs for event in one])
    engine.learn()
    assert "missing image tag" in str(artifacts(engine, type="task_schema"))
    failing = [
        event.id
        for event in engine.list_events(limit=1000).events
        if event.session_id in {"run-0", "run-1"}
    ]
    with monkeypatch.context() as patched:
        patched.setattr(engine._learner, "_refresh", _breaks_off)
        with pytest.raises(RuntimeError):
            engine.forget(event_ids=failing)
    assert "missing image tag" not in str(artifacts(engine))
    engine.learn()
    assert artifacts(engine, type="task_schema")
    assert "missing image tag" not in str(artifacts(engine))


def test_forgetting_old_evidence_beyond_what_is_cited_keeps_the_artifact(engine):
    engine.capture_batch([event for n in range(40) for event in run(n, fails=False)])
    engine.learn()
    [before] = engine.list_artifacts(type="task_schema").artifacts
    engine.forget(session_id="run-0")
    [after] = engine.list_artifacts(type="task_schema").artifacts
    assert after.id == before.id
    assert "39 runs" in render_pack(engine.synthesize("deploy the billing service"))


def _breaks_off(_unlearned):
    raise RuntimeError("no")


def test_what_is_forgotten_is_overwritten_in_the_file(open_memory, path):
    engine = open_memory()
    engine.capture_batch(EVENTS)
    engine.capture(CaptureEvent("message", "p", {"role": "user", "content": "My name is Zebulon"}))
    engine.learn()
    engine.forget(session_id="p")
    engine.close()
    found = b"".join(one.read_bytes() for one in path.parent.glob("memory.db*"))
    assert b"billing" in found
    assert b"Zebulon" not in found


@on_both
def test_another_process_sees_what_this_one_learned_and_forgot(open_memory):
    first, second = open_memory(), open_memory()
    assert second.synthesize("deploy the billing service").entries == []
    first.capture_batch(EVENTS)
    first.learn()
    sections = {entry.section for entry in second.synthesize("deploy billing service").entries}
    assert {"procedures", "context"} <= sections
    for number in range(10):
        first.forget(session_id=f"run-{number}")
    assert second.synthesize("deploy billing service").entries == []


@on_both
def test_a_new_embedding_model_reembeds_and_recall_goes_on(open_memory):
    import numpy as np

    from hippocortex_engine.embeddings.static import StaticEmbedder

    class Reversed(StaticEmbedder):
        name = "reversed/1"

        def embed(self, texts):
            return np.ascontiguousarray(super().embed(texts)[:, ::-1])

        def pool(self, token_ids):
            return np.ascontiguousarray(super().pool(token_ids)[:, ::-1])

    first = open_memory()
    first.capture_batch(EVENTS)
    first.learn()
    question = "deploy the billing service"
    before = first.synthesize(question)
    first.close()
    second = open_memory(embedder=Reversed())
    # Turned around, events and queries alike, every cosine is what it was.
    assert second.synthesize(question) == before


@on_both
def test_artifacts_are_shared_between_users_only_where_several_stand_behind_them(engine):
    engine.capture_batch([e for n in range(4) for e in run(n, fails=True, user=f"u{n % 2}")])
    engine.capture_batch(
        [
            CaptureEvent(
                "message",
                "s-ann",
                {"role": "user", "content": "My name is Annalena"},
                {"user_id": "u0"},
            ),
        ]
    )
    engine.learn()
    other = engine.synthesize("deploy billing; what is my name", SynthesizeOptions(user_id="u9"))
    assert {entry.section for entry in other.entries} <= {
        "procedures",
        "failures",
        "decisions",
        "causal",
    }
    assert any(entry.section == "procedures" for entry in other.entries)
    assert "Annalena" not in render_pack(other)
    own = engine.synthesize("what is my name", SynthesizeOptions(user_id="u0"))
    assert "Annalena" in render_pack(own)
