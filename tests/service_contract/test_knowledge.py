"""Learning, what was learned, and recalling it."""

import math
from dataclasses import replace
from typing import get_args

import pytest

from hippocortex_core.errors import NotFoundError, ValidationError
from hippocortex_core.render import render_pack
from hippocortex_core.types import (
    NOBODY,
    ArtifactType,
    CaptureEvent,
    LearnOptions,
    ReasoningSection,
    SynthesizeOptions,
)

QUERY = "deploy the payments service to staging"
SIGNALS = 8


def deployment(n):
    """A session in which an agent deploys; every other one fails first and recovers."""

    def event(kind, **payload):
        return CaptureEvent(kind, f"s{n}", payload, {"user_id": f"u{n % 2}", "agent_id": "a1"})

    def step(tool, call, **result):
        yield event("tool_call", tool=tool, args={"service": "payments"}, call_id=call)
        yield event("tool_result", tool=tool, call_id=call, **result)

    yield event("message", role="user", content="Deploy the payments service to staging")
    yield from step("run_tests", "1", result="42 passed")
    yield from step("build_image", "2", result="built")
    if n % 2:
        yield from step("deploy", "3", success=False, error="Redis connection pool exhausted")
        yield from step("restart_redis", "4", result="restarted")
    yield from step("deploy", "5", result="deployed")
    yield event("outcome", success=True, content="The payments service runs on staging")


@pytest.fixture
def experienced(memory):
    """A memory of six deployments and one preference, nothing learned yet."""
    memory.capture_batch([event for n in range(6) for event in deployment(n)])
    memory.capture(
        CaptureEvent(
            "message",
            "s9",
            {"role": "user", "content": "I prefer short answers."},
            {"user_id": "u1", "extractedMemories": ["Anna prefers short answers"]},
        )
    )
    return memory


@pytest.fixture
def learned(experienced):
    experienced.learn()
    return experienced


def served(n, user, account):
    """A session in which only what the user says carries the user's id."""

    def event(kind, **payload):
        return CaptureEvent(kind, f"{user}{n}", payload)

    said = {"role": "user", "content": "Please refund the teapot to my account"}
    yield CaptureEvent("message", f"{user}{n}", said, {"user_id": user})
    yield event("tool_call", tool="refund", args={"account": account}, call_id="1")
    yield event("tool_result", tool="refund", call_id="1", error=f"the account {account} is frozen")
    yield event("tool_call", tool="refund", args={"account": account, "force": True}, call_id="2")
    yield event("tool_result", tool="refund", call_id="2", result="refunded")
    yield event("outcome", success=True)


ANYBODY = (NOBODY, "bob", "carl")


def told(memory, users=ANYBODY):
    """All that is recalled of refunds for each of the users."""
    asked = [SynthesizeOptions(min_confidence=0.0, user_id=user) for user in users]
    return [
        entry.content
        for options in asked
        for query in ("refund to the account", "the account is frozen")
        for entry in memory.synthesize(query, options).entries
    ]


def test_what_is_said_without_a_user_in_a_users_session_is_the_users(memory):
    memory.capture_batch([event for n in range(3) for event in served(n, "ann", "acme")])
    said = {"role": "assistant", "content": "The refund goes to the account acme."}
    extracted = {"extractedMemories": ["The user's account is acme"]}
    memory.capture(CaptureEvent("message", "ann0", said, extracted))
    memory.learn()
    assert told(memory) == []
    assert any("acme" in content for content in told(memory, ["ann"]))


def test_what_was_done_for_a_user_is_forgotten_with_the_user(memory):
    memory.capture_batch([event for n in range(3) for event in served(n, "ann", "acme")])
    in_turns = [event for n in range(2) for event in served(n, "bob", "bobco")]
    theirs = [event for n in range(2) for event in served(n, "ann", "acme")]
    memory.capture_batch([replace(event, session_id="room") for event in (*theirs, *in_turns)])
    memory.learn()
    assert memory.forget(user_id="ann").events_deleted == 5 * 6
    memory.learn()
    kept = memory.list_events(limit=1000).events
    assert len(kept) == 2 * 6
    assert not any("acme" in str(event.payload) for event in kept)
    assert not any("acme" in content for content in told(memory, [*ANYBODY, "ann", None]))


def every_artifact(memory, **arguments):
    found, cursor = [], None
    while True:
        page = memory.list_artifacts(cursor=cursor, **arguments)
        found += page.artifacts
        if not page.pagination.has_more:
            assert page.pagination.total == len(found)
            return found
        cursor = page.pagination.cursor


def test_a_cursor_alone_goes_on_where_its_page_ended(learned):
    asked = {"status": "active", "sort": "evidenceCount", "order": "asc"}
    wanted = [one.id for one in learned.list_artifacts(**asked).artifacts]
    page = learned.list_artifacts(**asked, limit=1)
    shown = [one.id for one in page.artifacts]
    while page.pagination.has_more:
        page = learned.list_artifacts(cursor=page.pagination.cursor, limit=1)
        shown += [one.id for one in page.artifacts]
    assert len(wanted) > 2
    assert shown == wanted


@pytest.mark.parametrize("other", [{"type": "fact"}, {"sort": "confidence"}, {"order": "desc"}])
def test_a_cursor_of_another_listing_is_refused(learned, other):
    page = learned.list_artifacts(status="active", sort="evidenceCount", order="asc", limit=1)
    with pytest.raises(ValidationError) as caught:
        learned.list_artifacts(cursor=page.pagination.cursor, **other)
    assert [detail.field for detail in caught.value.details] == ["cursor"]


def active_kinds(result):
    return {kind: count for kind, count in result.artifacts.by_type.items() if count}


def test_learning_from_nothing_finds_nothing(memory):
    result = memory.learn()
    assert result.status == "completed"
    assert (result.artifacts.created, result.artifacts.updated) == (0, 0)
    assert sum(result.artifacts.by_type.values()) == 0
    assert memory.list_artifacts().artifacts == []


def test_learning_says_what_it_read_and_made(experienced):
    result = experienced.learn()
    assert result.status == "completed"
    assert result.run_id
    assert result.stats.memories_processed == experienced.list_events().pagination.total
    assert result.stats.patterns_found >= result.artifacts.created > 0
    assert result.stats.compilation_ms >= 0
    active = every_artifact(experienced, status="active")
    counted = {kind: sum(a.type == kind for a in active) for kind in {a.type for a in active}}
    assert active_kinds(result) == counted
    assert {"task_schema", "failure_playbook", "fact"} <= set(counted)


def test_learning_again_changes_nothing(learned):
    before = every_artifact(learned)
    result = learned.learn()
    assert (result.artifacts.created, result.artifacts.updated) == (0, 0)
    assert learned.learn(LearnOptions("full")).artifacts.created == 0
    assert every_artifact(learned) == before


def test_learning_in_pieces_ends_in_the_same_artifacts(memory, reopen, monkeypatch, tmp_path):
    for n in range(4):
        memory.capture_batch(list(deployment(n)))
        memory.learn()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    other = reopen()
    other.capture_batch([event for n in range(4) for event in deployment(n)])
    other.learn(LearnOptions("full"))

    def essence(of):
        return sorted(
            (a.type, a.title, str(a.content), a.evidence_count)
            for a in every_artifact(of, status="active")
        )

    assert essence(memory) == essence(other)


def test_only_the_artifact_types_asked_for_are_compiled(experienced):
    result = experienced.learn(LearnOptions(artifact_types=["fact"]))
    assert set(active_kinds(result)) == {"fact"}
    assert {artifact.type for artifact in every_artifact(experienced)} == {"fact"}


def test_a_higher_pattern_strength_leaves_fewer_artifacts_active(experienced):
    experienced.learn(LearnOptions("full"))
    many = len(every_artifact(experienced, status="active"))
    experienced.learn(LearnOptions("full", min_pattern_strength=1.0))
    assert len(every_artifact(experienced, status="active")) < many


def test_learning_can_be_narrowed_to_a_user(experienced):
    experienced.learn(LearnOptions(user_id="u0"))
    titles = {artifact.type for artifact in every_artifact(experienced, status="active")}
    assert "failure_playbook" not in titles  # only u1's deployments failed


def test_an_artifact_says_what_is_known_and_from_what(learned):
    for listed in every_artifact(learned):
        artifact = learned.get_artifact(listed.id)
        assert artifact.type in get_args(ArtifactType)
        assert artifact.title
        assert artifact.content
        assert 0.0 <= artifact.confidence <= 1.0
        assert len(set(artifact.evidence)) == artifact.evidence_count > 0
        assert listed.evidence is None
        found = learned.list_events(event_ids=artifact.evidence, limit=1000)
        assert {event.id for event in found.events} == set(artifact.evidence)


@pytest.mark.parametrize("sort", ["createdAt", "updatedAt", "confidence", "evidenceCount"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_artifacts_are_sorted_and_paged_without_gap_or_overlap(learned, sort, order):
    attribute = {
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "evidenceCount": "evidence_count",
    }.get(sort, sort)
    paged = every_artifact(learned, sort=sort, order=order, limit=1)
    assert len({artifact.id for artifact in paged}) == len(paged) > 1
    assert paged == every_artifact(learned, sort=sort, order=order, limit=100)
    values = [getattr(artifact, attribute) for artifact in paged]
    assert values == sorted(values, reverse=order == "desc")


def test_artifacts_are_filtered_by_type_and_status(learned):
    everything = every_artifact(learned)
    facts = every_artifact(learned, type="fact", status="active")
    assert {a.id for a in facts} == {
        a.id for a in everything if a.type == "fact" and a.status == "active"
    }
    assert every_artifact(learned, status="deprecated") == []


def test_arguments_of_a_listing_may_be_given_by_position(learned):
    assert learned.list_artifacts(
        "fact", "active", "confidence", "desc", 1
    ) == learned.list_artifacts(
        type="fact", status="active", sort="confidence", order="desc", limit=1
    )


def test_an_unknown_artifact_is_not_found(memory):
    for name in ("art_unknown", "art/with ?odd#characters", "ü"):
        for call in (memory.get_artifact, memory.deprecate_artifact):
            with pytest.raises(NotFoundError) as caught:
                call(name)
            assert (caught.value.code, caught.value.status_code) == ("not_found", 404)
            assert name in caught.value.message


def test_a_deprecated_artifact_is_not_recalled_and_does_not_come_back(learned):
    (playbook,) = every_artifact(learned, type="failure_playbook", status="active")[:1]
    assert learned.deprecate_artifact(playbook.id).status == "deprecated"
    assert learned.deprecate_artifact(playbook.id).status == "deprecated"
    learned.capture_batch(list(deployment(7)))
    learned.learn()
    learned.learn(LearnOptions("full"))
    assert learned.get_artifact(playbook.id).status == "deprecated"
    entries = learned.synthesize(QUERY).entries
    assert playbook.id not in {ref.source_id for entry in entries for ref in entry.provenance}


def test_what_was_learned_goes_with_the_events_it_came_from(learned):
    before = len(every_artifact(learned))
    result = learned.forget(agent_id="a1")
    assert result.events_deleted > 0
    assert result.artifacts_deleted > 0
    left = every_artifact(learned)
    assert len(left) == before - result.artifacts_deleted
    assert all("deploy" not in artifact.title.lower() for artifact in left)
    assert all("deploy" not in entry.content.lower() for entry in learned.synthesize(QUERY).entries)


def test_a_pack_holds_what_helps_and_says_where_it_is_from(learned):
    result = learned.synthesize(QUERY)
    assert result.pack_id
    assert {"procedures", "failures"} <= {entry.section for entry in result.entries}
    known = {artifact.id for artifact in every_artifact(learned)}
    events = {event.id for event in learned.list_events(limit=1000).events}
    for entry in result.entries:
        assert entry.section in get_args(ReasoningSection)
        assert entry.content
        assert 0.3 <= entry.confidence <= 1.0
        assert entry.provenance
        assert {ref.source_id for ref in entry.provenance} <= known | events
        assert entry.signals is None
    confidences = [entry.confidence for entry in result.entries]
    assert confidences == sorted(confidences, reverse=True)


def test_nobody_in_particular_sees_what_several_users_taught_and_nothing_personal(learned):
    learned.capture(CaptureEvent("message", "s10", {"role": "user", "content": "Lunch is at one."}))
    options = SynthesizeOptions(min_confidence=0.0, user_id=NOBODY)
    taught = learned.synthesize("deploy payments", options).entries
    assert any(entry.section == "procedures" for entry in taught)
    said = [entry.content for entry in taught if entry.section == "context"]
    assert all(text.endswith("Lunch is at one.") for text in said)
    assert not any(
        "short answers" in e.content for e in learned.synthesize("short", options).entries
    )
    found = learned.synthesize("when is lunch", options).entries
    assert any(entry.content.endswith("Lunch is at one.") for entry in found)


def test_a_pack_stays_within_its_budget_and_accounts_for_it(learned):
    for limit in (1, 40, 120, 4000):
        result = learned.synthesize(QUERY, SynthesizeOptions(max_tokens=limit))
        budget = result.budget
        assert budget.limit == limit
        assert budget.used <= limit
        assert budget.entries_included == len(result.entries)
        assert budget.entries_dropped >= 0
        assert math.isfinite(budget.compression_ratio)
        assert (render_pack(result) == "") == (budget.used == 0)


def test_the_same_question_gets_the_same_pack(learned):
    first, second = learned.synthesize(QUERY), learned.synthesize(QUERY)
    assert (first.entries, first.budget) == (second.entries, second.budget)


def test_only_the_sections_asked_for_are_in_a_pack(learned):
    result = learned.synthesize("Redis pool exhausted", SynthesizeOptions(sections=["failures"]))
    assert {entry.section for entry in result.entries} == {"failures"}


def test_what_is_less_certain_than_asked_is_left_out(learned):
    sure = learned.synthesize(QUERY, SynthesizeOptions(min_confidence=0.6)).entries
    assert all(entry.confidence >= 0.6 for entry in sure)
    assert len(learned.synthesize(QUERY, SynthesizeOptions(min_confidence=0.0)).entries) >= len(
        sure
    )


def test_provenance_can_be_left_out(learned):
    result = learned.synthesize(QUERY, SynthesizeOptions(include_provenance=False))
    assert result.entries
    assert all(entry.provenance is None for entry in result.entries)


def test_a_pack_can_be_explained(learned):
    result = learned.synthesize(QUERY, SynthesizeOptions(explain=True))
    for entry in result.entries:
        assert len(entry.signals) == SIGNALS
        assert all(0.0 <= score <= 1.0 for score in entry.signals.values())


def test_a_question_to_an_empty_memory_gets_an_empty_pack(memory):
    result = memory.synthesize(QUERY)
    assert (result.entries, result.budget.used, result.budget.entries_included) == ([], 0, 0)
    assert render_pack(result) == ""


@pytest.mark.parametrize(
    ("filters", "present"),
    [
        ({"user_id": "u1"}, True),
        ({"user_id": "u0"}, False),
        ({"user_id": NOBODY}, False),
        ({"session_id": "s9"}, True),
        ({"session_id": "s0"}, False),
        ({"agent_id": "a1"}, False),
    ],
)
def test_recall_can_be_narrowed(learned, filters, present):
    result = learned.synthesize("short answers", SynthesizeOptions(min_confidence=0.0, **filters))
    assert any("short answers" in entry.content for entry in result.entries) == present


def test_metrics_count_what_happened(learned):
    event = CaptureEvent("message", "s1", {"content": "once"}, idempotency_key="k1")
    learned.capture(event)
    learned.capture(event)
    learned.synthesize(QUERY)
    metrics = learned.get_metrics("24h")
    stored = learned.list_events().pagination.total
    usage = metrics.usage
    assert (usage.events.ingested, usage.events.duplicates, usage.events.total) == (
        stored,
        1,
        stored + 1,
    )
    assert (usage.syntheses, usage.compilations) == (1, 1)
    assert metrics.quota.events_used == stored
    assert metrics.period.granularity == "hour"
    assert metrics.period.start < metrics.period.end
    series = metrics.series
    assert sum(point.events for point in series) == usage.events.ingested
    assert sum(point.duplicates for point in series) == usage.events.duplicates


@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
@pytest.mark.parametrize("granularity", ["hour", "day"])
def test_metrics_come_in_steps(learned, period, granularity):
    metrics = learned.get_metrics(period=period, granularity=granularity)
    assert metrics.period.granularity == granularity
    assert [point.timestamp for point in metrics.series] == sorted(
        point.timestamp for point in metrics.series
    )
    assert sum(point.compilations for point in metrics.series) == 1


def test_a_memory_says_that_it_is_well(memory):
    health = memory.health()
    assert health.status == "ok"
    assert health.version
    assert health.store
