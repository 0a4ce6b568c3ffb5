"""Deleting a document costs little where nothing was learned from it, and is thorough where it was."""

from __future__ import annotations

import pytest

from hippocortex_core import CaptureEvent, SynthesizeOptions
from hippocortex_engine.storage import tenants

on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
PREFERENCE = {"text": "I prefer window seats on every flight."}


def state(engine):
    with engine._database.read() as connection:
        return tenants.state(connection, engine._tenant_id)


def artifacts(engine):
    return {one.title: one.evidence_count for one in engine.list_artifacts(limit=100).artifacts}


@on_both
def test_what_was_not_compiled_leaves_the_artifacts_as_they_are(engine):
    engine.capture(CaptureEvent("message", "s", {"role": "user", "content": PREFERENCE["text"]}))
    engine.learn()
    before = artifacts(engine)
    assert before
    engine.put_document(("a",), "k", {"text": "tea"})
    engine.delete_document(("a",), "k")
    after = state(engine)
    assert after.mined_generation == after.digest_generation
    assert engine.learn().artifacts.unchanged == len(before)
    assert artifacts(engine) == before


@on_both
def test_what_was_learned_from_several_documents_keeps_the_rest_of_its_evidence(engine):
    for number in range(2):
        engine.put_document(("a",), f"k{number}", PREFERENCE, user_id="u")
    engine.learn()
    learned = artifacts(engine)
    assert set(learned.values()) == {2}
    engine.delete_document(("a",), "k0")
    assert artifacts(engine) == dict.fromkeys(learned, 1)
    engine.delete_document(("a",), "k1")
    assert artifacts(engine) == {}
    engine.learn()
    assert artifacts(engine) == {}


@on_both
def test_a_compiled_document_that_no_artifact_cites_is_gone_from_the_digests(engine):
    engine.put_document(("a",), "k", {"text": "the umbrella is blue"})
    engine.learn()
    assert artifacts(engine) == {}
    engine.delete_document(("a",), "k")
    with engine._database.read() as connection:
        (digests,) = connection.exec_driver_sql("SELECT count(*) FROM digests").one()
    assert digests == 0
    assert engine.learn().artifacts.created == 0


@on_both
def test_who_shared_a_run_by_a_document_alone_has_no_part_in_it_afterwards(engine):
    def water(session, user):
        said = {"role": "user", "content": "Please water the plants"}
        engine.capture(CaptureEvent("message", session, said, {"user_id": user}))
        for tool in ("fill_can", "water"):
            engine.capture(CaptureEvent("tool_call", session, {"tool": tool, "args": {}}))
            engine.capture(CaptureEvent("tool_result", session, {"tool": tool, "result": "ok"}))

    water("s1", "ann")
    water("s2", "bob")
    engine.put_document(("a",), "k", {"text": "the can is red"}, session_id="s2", user_id="ann")
    engine.learn()
    seen = SynthesizeOptions(user_id="carl", sections=["procedures"])
    assert engine.synthesize("water the plants", seen).entries == []
    engine.delete_document(("a",), "k")
    assert engine.synthesize("water the plants", seen).entries != []


def test_a_put_that_fails_leaves_neither_document_nor_event(engine, monkeypatch):
    from hippocortex_engine.documents import writing

    engine.put_document(("a",), "k", {"text": "one"})
    with monkeypatch.context() as patched:
        patched.setattr(writing.document_store, "link", _fail)
        with pytest.raises(RuntimeError):
            engine.put_document(("a",), "k", {"text": "two"})
    assert engine.get_document(("a",), "k").value == {"text": "one"}
    assert engine.list_events().pagination.total == 1
    engine.put_document(("a",), "k", {"text": "two"})
    assert engine.list_events().pagination.total == 2


def _fail(*_):
    raise RuntimeError("no")


def test_forgetting_a_user_leaves_nothing_of_their_documents_in_the_file(open_memory, path):
    engine = open_memory()
    secret = {"text": "the safe opens with 90210-XYZZY"}
    engine.put_document(("u", "ada"), "k", secret, user_id="ada", index=["text"])
    engine.put_document(("u", "bob"), "k", {"text": "tea"}, user_id="bob")
    engine.search_documents(query="safe")
    engine.forget(user_id="ada")
    assert engine.get_document(("u", "ada"), "k") is None
    engine.close()
    files = path.parent.glob("memory.db*")
    assert not any(b"90210-XYZZY" in file.read_bytes() for file in files)
