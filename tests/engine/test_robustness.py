"""Whatever comes in: nothing crashes, nothing hangs, nothing stops the learning."""

from __future__ import annotations

import faulthandler
import os
import threading
from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hippocortex_core import (
    CaptureEvent,
    ConfigurationError,
    Event,
    HippocortexError,
    LearnOptions,
    SynthesizeOptions,
    UnavailableError,
    ValidationError,
)
from hippocortex_core.render import render_pack
from hippocortex_core.types import CaptureEventType
from hippocortex_engine import open_engine

on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

TYPES = CaptureEventType.__args__
TEXT = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["error", "failed", '{"text": "\\ud800"}', "[" * 900 + "]" * 900, '{"a": NaN}', "</s>"]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "tool",
                    "name",
                    "args",
                    "arguments",
                    "result",
                    "output",
                    "status",
                    "type",
                    "error",
                    "content",
                    "text",
                    "command",
                    "path",
                    "success",
                    "exit_code",
                    "role",
                    "call_id",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
PAYLOAD = st.dictionaries(
    st.sampled_from(
        [
            "tool",
            "tool_name",
            "name",
            "args",
            "arguments",
            "input",
            "result",
            "output",
            "content",
            "status",
            "error",
            "command",
            "path",
            "success",
            "exit_code",
            "role",
            "call_id",
            "passed",
            "reward",
            "stderr",
            "speaker",
            "function",
            "extractedMemories",
        ]
    ),
    JSON,
    max_size=5,
)


def said(text, session="s1", **more):
    return CaptureEvent("message", session, {"role": "user", "content": text}, **more)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(TYPES), PAYLOAD), min_size=1, max_size=6))
def test_any_json_survives_capture_learning_listing_and_recall(events):
    metadata = {"extractedMemories": ["a fact"]}
    engine = open_engine("sqlite://")
    engine.capture_batch([CaptureEvent(kind, "s", payload, metadata) for kind, payload in events])
    engine.learn()
    engine.list_events()
    render_pack(engine.synthesize("error failed a fact", SynthesizeOptions(min_confidence=0)))
    engine.close()


@pytest.mark.parametrize(
    "query",
    ["x" * 20_000, "\\w" * 10_000, "a-" * 10_000, "'" * 20_000, "a.b/" * 5_000, "A" * 9_999],
)
@on_both
def test_no_query_is_too_strange_to_be_answered(engine, query):
    engine.capture(said("hello"))
    assert engine.synthesize(query).budget.limit == 4000


@on_both
def test_huge_tool_results_are_stored_recalled_and_cut(engine):
    rows = [{"id": n, "name": f"row {n}", "note": "x" * 40} for n in range(8_000)]
    for number in range(3):
        engine.capture(CaptureEvent("tool_result", f"s{number}", {"tool": "query", "result": rows}))
    pack = engine.synthesize("query row 17")
    assert pack.entries
    assert all(len(entry.content) < 1_000 for entry in pack.entries)
    engine.learn()


@on_both
def test_a_filtered_learn_leaves_nothing_behind(open_memory):
    events = [
        said("My name is Alice. I live in Paris.", "s"),
        said("I work at Acme.", "s", metadata={"user_id": "u"}),
    ]
    one, two = open_memory("one.db"), open_memory("two.db")
    for engine in (one, two):
        engine.capture_batch(events)
    one.learn(LearnOptions(user_id="u"))
    one.learn()
    two.learn()
    assert _titles(one) == _titles(two)
    assert len(_titles(one)) == 3


@on_both
def test_a_statement_belongs_to_who_made_it_whoever_else_is_in_the_session(engine):
    engine.capture_batch(
        [
            said(
                "Always charge refunds to the account ACME-778. I live in Paris.",
                "s",
                metadata={"user_id": "alice"},
            ),
            CaptureEvent("message", "s", {"role": "assistant", "content": "Noted."}),
            said("I live in Rome.", "s", metadata={"user_id": "carol"}),
        ]
    )
    engine.learn()
    for question in ("charge refunds account", "where does the user live"):
        alice = _rendered(engine, question, "alice")
        for other in ("carol", "bob"):
            text = _rendered(engine, question, other)
            assert "ACME" not in text
            assert "Paris" not in text
        assert "ACME" in alice or "Paris" in alice
        assert "Rome" not in alice


@pytest.mark.parametrize("name", ["50% off", "50%20off", "what?x", "ünïcode", "a#b", "with space"])
def test_a_path_is_taken_as_it_stands(tmp_path, name):
    engine = open_engine(f"sqlite:///{tmp_path / name / 'memory.db'}")
    engine.capture(said("hello"))
    engine.close()
    assert (tmp_path / name / "memory.db").stat().st_size > 0
    assert (tmp_path / name / "memory.db").stat().st_mode & 0o077 == 0


def test_a_name_that_is_too_long_is_a_clear_error(tmp_path):
    with pytest.raises(UnavailableError, match="too long"):
        open_engine(f"sqlite:///{tmp_path / ('x' * 300)}")


def test_an_error_never_shows_the_password_of_a_url():
    with pytest.raises(ConfigurationError) as caught:
        open_engine("postgresql://user:secret@host:abc/db")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_the_calendar_is_refused(engine, when):
    with pytest.raises(ValidationError, match="occurred_at"):
        engine.capture(said("hello", occurred_at=when))


@on_both
def test_the_edges_of_the_calendar_can_be_stored_learned_and_listed(engine):
    for year in (1, 1969, 9999):
        engine.capture(said("I live in Ur", occurred_at=datetime(year, 1, 1, tzinfo=timezone.utc)))
    engine.learn()
    assert len(engine.list_events().events) == 3
    assert engine.synthesize("where does the user live").entries


@on_both
def test_events_of_two_embedding_models_never_meet(open_memory):
    import numpy as np

    from hippocortex_engine.embeddings.static import StaticEmbedder

    class Small:
        name, dimensions = "small/1", 64

        def embed(self, texts):
            return np.ascontiguousarray(StaticEmbedder().embed(texts)[:, :64])

    first = open_memory()
    first.capture(said("hello"))
    first.synthesize("hello")
    second = open_memory(embedder=Small())
    assert second.synthesize("hello").entries
    for call in (lambda: first.synthesize("hello"), lambda: first.capture(said("again"))):
        with pytest.raises(ConfigurationError, match="re-embedded"):
            call()
    assert second.list_events().pagination.total == 1


def test_months_are_found_by_their_names(engine):
    engine.capture(said("we met the caterer", "a", occurred_at="2023-09-12"))
    engine.capture(said("we met the florist", "b", occurred_at="2023-11-02"))
    first = engine.synthesize("whom did we meet in September 2023").entries[0]
    assert "caterer" in first.content


@on_both
def test_the_newest_statement_wins_over_the_message_with_the_old_one(engine):
    engine.capture(said("I live in Lisbon.", "a", occurred_at="2024-01-01"))
    engine.capture(said("I moved to Porto.", "b", occurred_at="2025-01-01"))
    engine.learn()
    pack = engine.synthesize("where does the user live now")
    assert "Porto" in pack.entries[0].content
    assert not any(
        "I live in Lisbon" in one.content for one in pack.entries if one.section == "context"
    )


@on_both
def test_forgetting_does_not_bring_back_what_a_threshold_retired(engine):
    engine.capture(said("I live in Porto.", "a"))
    engine.capture(said("I work at Acme.", "b"))
    engine.learn()
    engine.learn(LearnOptions(min_pattern_strength=0.99))
    engine.forget(session_id="a")
    assert engine.list_artifacts(status="active").artifacts == []


@on_both
def test_an_import_whose_ids_and_keys_overlap_is_sorted_out(engine):
    engine.capture(said("one", idempotency_key="k1"))
    payload = {"content": "two"}
    times = {"occurred_at": "2025-01-01", "captured_at": "2025-01-01"}
    result = engine.import_events(
        [
            Event("i9", "message", "s", payload, idempotency_key="k1", **times),
            Event("i9", "message", "s", payload, **times),
        ]
    )
    assert result.summary.errors == 0
    assert result.summary.ingested + result.summary.duplicates == 2


def test_options_of_the_wrong_kind_are_a_validation_error(engine):
    for call in (lambda: engine.learn({}), lambda: engine.synthesize("x", {})):
        with pytest.raises(ValidationError, match="options"):
            call()


@on_both
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is what is tested
def test_a_child_forked_while_threads_recall_can_use_the_memory(open_memory):
    engine = open_memory()
    engine.capture_batch([said(f"note {n} about the deploy", f"s{n}") for n in range(300)])
    stop = threading.Event()

    def recall():
        while not stop.is_set():
            engine.synthesize("deploy note")

    threads = [threading.Thread(target=recall) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            child = os.fork()
            if child == 0:
                # A hang ends the child, not the test run, even inside a library.
                faulthandler.dump_traceback_later(30, exit=True)
                found = engine.synthesize("deploy note").entries
                engine.capture(said("from the child", "c"))
                os._exit(0 if found else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@on_both
def test_while_another_process_holds_the_database_reads_and_metrics_go_on(url_of, clock, kind):
    # PostgreSQL is told with the connection how long to wait, SQLite at any time.
    url = url_of() + ("&options=-c%20lock_timeout%3D50" if kind == "postgresql" else "")
    first, second = open_engine(url, clock=clock), open_engine(url, clock=clock)
    first.capture(said("hello"))
    first.synthesize("hello")
    with second._database.write("default"):
        assert first.synthesize("hello").entries
        if kind == "sqlite":
            first._database.backend.busy_timeout(50)
        assert first.get_metrics().usage.events.total == 1
        with pytest.raises(UnavailableError, match="another process"):
            first.capture(said("again"))
    first.close()
    second.close()


def _titles(engine):
    return sorted(one.title for one in engine.list_artifacts(limit=100).artifacts)


def _rendered(engine, question, user):
    options = SynthesizeOptions(user_id=user, min_confidence=0)
    return render_pack(engine.synthesize(question, options))


def test_every_error_is_one_of_ours(engine):
    bad = ({1}, None, "text", 7, CaptureEvent("message", "", {}), CaptureEvent("message", "s", []))
    for event in bad:
        with pytest.raises(HippocortexError):
            engine.capture(event)
