import json
import math
from dataclasses import MISSING, fields
from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_core import types
from hippocortex_core.codec import camel, camel_path, decode, encode, snake, snake_path
from hippocortex_core.errors import ErrorDetail, ValidationError
from hippocortex_core.types import (
    Artifact,
    ArtifactListResult,
    ArtifactStats,
    BatchCaptureResult,
    BatchSummary,
    BudgetInfo,
    CaptureEvent,
    CaptureEventType,
    CaptureResult,
    HealthResult,
    LearnOptions,
    Pagination,
    ProvenanceRef,
    SynthesisEntry,
    SynthesizeOptions,
    SynthesizeResult,
)

EVENT = {"type": "message", "sessionId": "s1", "payload": {"role": "user"}}
ARTIFACT = {
    "id": "a1",
    "type": "fact",
    "status": "active",
    "title": "t",
    "content": {},
    "confidence": 0.5,
    "evidenceCount": 1,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00.000Z",
}
TEXT = st.text(max_size=20)
UNIT = st.floats(0, 1)
COUNT = st.integers(0, 10**9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
ARTIFACT_TYPE = st.sampled_from(get_args(types.ArtifactType))
EVENTS = st.builds(
    CaptureEvent,
    type=st.sampled_from(get_args(CaptureEventType)),
    session_id=TEXT,
    payload=OBJECT,
    metadata=st.none() | OBJECT,
    idempotency_key=st.none() | TEXT,
    occurred_at=st.none() | st.just("2026-01-01T00:00:00.000Z"),
)
PACKS = st.builds(
    SynthesizeResult,
    pack_id=TEXT,
    entries=st.lists(
        st.builds(
            SynthesisEntry,
            section=st.sampled_from(get_args(types.ReasoningSection)),
            content=TEXT,
            confidence=UNIT,
            provenance=st.none()
            | st.lists(
                st.builds(
                    ProvenanceRef,
                    source_type=TEXT,
                    source_id=TEXT,
                    artifact_type=st.none() | ARTIFACT_TYPE,
                    evidence_count=st.none() | COUNT,
                ),
                max_size=2,
            ),
            signals=st.none() | st.dictionaries(TEXT, UNIT, max_size=3),
        ),
        max_size=3,
    ),
    budget=st.builds(BudgetInfo, COUNT, COUNT, UNIT, COUNT, COUNT),
)
OPTIONS = st.builds(
    SynthesizeOptions,
    max_tokens=COUNT,
    sections=st.none() | st.lists(st.sampled_from(get_args(types.ReasoningSection))),
    min_confidence=UNIT,
    include_provenance=st.booleans(),
    session_id=st.none() | TEXT,
    explain=st.booleans(),
)


def through_json(value):
    return decode(type(value), json.loads(json.dumps(encode(value))))


@given(st.one_of(EVENTS, PACKS, OPTIONS))
def test_what_is_sent_arrives(value):
    assert through_json(value) == value


@pytest.mark.parametrize(
    "cls",
    [
        cls
        for cls in vars(types).values()
        if isinstance(cls, type) and cls.__module__ == types.__name__
    ],
)
def test_every_type_can_be_compiled_and_asks_for_what_it_needs(cls):
    required = [
        f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING
    ]
    if not required:
        assert decode(cls, {}) == cls()
        return
    with pytest.raises(ValidationError) as caught:
        decode(cls, {})
    assert caught.value.details == [ErrorDetail(required[0], "is required")]


def test_names_are_camel_case_on_the_wire_and_none_is_left_out():
    assert encode(ProvenanceRef("artifact", "a1", evidence_count=2)) == {
        "sourceType": "artifact",
        "sourceId": "a1",
        "evidenceCount": 2,
    }


def test_a_field_without_default_is_sent_even_when_it_is_null():
    page = ArtifactListResult([], Pagination(has_more=False, cursor=None, total=0))
    assert encode(page)["pagination"] == {"hasMore": False, "cursor": None, "total": 0}


def test_a_nullable_field_may_be_absent():
    assert decode(Pagination, {"hasMore": False, "total": 0}).cursor is None


def test_raw_json_and_the_keys_of_mappings_keep_their_spelling():
    payload = {"tool_name": "x", "callId": {"a_b": [1]}}
    assert encode(CaptureEvent("message", "s", payload))["payload"] is payload
    stats = ArtifactStats(1, 0, 0, {"task_schema": 1})
    assert encode(stats)["byType"] == {"task_schema": 1}
    assert through_json(stats) == stats


def test_unknown_fields_are_ignored():
    assert decode(CaptureEvent, {**EVENT, "shiny": 1}) == decode(CaptureEvent, EVENT)


def test_a_time_is_sent_as_iso_in_utc():
    moment = datetime(2026, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    event = CaptureEvent("message", "s", {}, occurred_at=moment)
    assert encode(event)["occurredAt"] == "2026-05-01T10:30:00.000Z"
    naive = CaptureEvent("message", "s", {}, occurred_at=datetime(2026, 5, 1))  # noqa: DTZ001
    assert encode(naive)["occurredAt"] == "2026-05-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("cls", "data", "path"),
    [
        (CaptureEvent, {**EVENT, "type": "dream"}, "type"),
        (CaptureEvent, {**EVENT, "type": ["message"]}, "type"),
        (CaptureEvent, {**EVENT, "sessionId": 7}, "session_id"),
        (CaptureEvent, {**EVENT, "sessionId": None}, "session_id"),
        (CaptureEvent, {**EVENT, "payload": []}, "payload"),
        (CaptureEvent, {**EVENT, "metadata": "x"}, "metadata"),
        (CaptureEvent, {**EVENT, "occurredAt": 5}, "occurred_at"),
        (SynthesizeOptions, {"maxTokens": True}, "max_tokens"),
        (SynthesizeOptions, {"maxTokens": 4000.5}, "max_tokens"),
        (SynthesizeOptions, {"maxTokens": None}, "max_tokens"),
        (SynthesizeOptions, {"includeProvenance": 1}, "include_provenance"),
        (SynthesizeOptions, {"minConfidence": True}, "min_confidence"),
        (SynthesizeOptions, {"minConfidence": math.nan}, "min_confidence"),
        (SynthesizeOptions, {"minConfidence": 10**400}, "min_confidence"),
        (SynthesizeOptions, {"sections": "facts"}, "sections"),
        (SynthesizeOptions, {"sections": ["facts", "gossip"]}, "sections[1]"),
        (LearnOptions, {"artifactTypes": [{}]}, "artifact_types[0]"),
        (
            ArtifactStats,
            {"created": 0, "updated": 0, "unchanged": 0, "byType": {"fact": "1"}},
            "by_type.fact",
        ),
        (BatchCaptureResult, {"results": [{"eventId": "e"}], "summary": {}}, "results[0].status"),
        (BatchCaptureResult, {"results": [], "summary": {"total": 1}}, "summary.ingested"),
    ],
)
def test_what_does_not_fit_is_named(cls, data, path):
    with pytest.raises(ValidationError) as caught:
        decode(cls, data)
    assert [detail.field for detail in caught.value.details] == [path]
    assert caught.value.message.startswith(f"{path}: ")


def test_a_place_inside_the_request_is_named_with_what_leads_there():
    with pytest.raises(ValidationError) as caught:
        decode(SynthesizeOptions, {"maxTokens": "many"}, path="options")
    assert caught.value.details == [
        ErrorDetail("options.max_tokens", "must be a whole number, got a string")
    ]


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_what_is_no_object_is_refused(data):
    with pytest.raises(ValidationError) as caught:
        decode(CaptureEvent, data)
    assert caught.value.details[0].field == "body"


def test_a_result_of_a_newer_service_is_read():
    assert decode(HealthResult, {"status": "dreaming", "version": "3", "store": "x"}, strict=False)
    assert decode(Artifact, {**ARTIFACT, "type": "habit"}, strict=False).type == "habit"
    assert (
        decode(CaptureResult, {"eventId": "e", "status": "queued"}, strict=False).status == "queued"
    )


def test_a_result_with_a_fractional_count_or_a_null_is_read():
    artifact = decode(Artifact, {**ARTIFACT, "evidenceCount": 3.0, "version": None}, strict=False)
    assert (artifact.evidence_count, artifact.version) == (3, 1)


def test_a_result_without_what_it_must_hold_is_refused():
    with pytest.raises(ValidationError, match=r"^summary: is required$"):
        decode(BatchCaptureResult, {"results": []}, strict=False)


@given(st.from_regex(r"[a-z]+(_[a-z]+)*", fullmatch=True))
def test_names_change_case_both_ways(name):
    assert snake(camel(name)) == name


def test_a_path_changes_case_up_to_raw_json():
    assert snake_path("options.maxTokens") == "options.max_tokens"
    assert snake_path("events[3].sessionId") == "events[3].session_id"
    assert snake_path("payload.userId.someThing") == "payload.userId.someThing"


@pytest.mark.parametrize(
    "path", ["options.max_tokens", "events[3].session_id", "artifact_types[1]", "payload.a_b.cD"]
)
def test_a_path_goes_to_the_wire_and_back(path):
    assert snake_path(camel_path(path)) == path
    assert camel_path("events[3].session_id") == "events[3].sessionId"


@pytest.mark.parametrize("written", [2, 2.0])
def test_a_whole_number_may_be_written_as_json_likes(written):
    found = decode(SynthesizeOptions, {"maxTokens": written})
    assert (found.max_tokens, type(found.max_tokens)) == (2, int)


@pytest.mark.parametrize("written", [2.5, math.nan, math.inf, True, "2"])
def test_what_is_no_whole_number_is_refused(written):
    with pytest.raises(ValidationError, match="whole number"):
        decode(SynthesizeOptions, {"maxTokens": written})


def test_batches_are_encoded_as_lists():
    result = BatchCaptureResult([CaptureResult("e1", "ingested")], BatchSummary(1, 1, 0, 0))
    assert encode(result)["results"] == [{"eventId": "e1", "status": "ingested"}]
