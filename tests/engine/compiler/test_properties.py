from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hippocortex_engine.compiler.compile import mine
from hippocortex_engine.compiler.confidence import confidence, recency, repeated, wilson_lower
from hippocortex_engine.compiler.digest import digest_session
from hippocortex_engine.compiler.statistics import benjamini_hochberg, fisher_greater
from hippocortex_engine.compiler.templates import generalise, template
from hippocortex_engine.records import EventRecord

TYPES = ("task_schema", "failure_playbook", "causal_pattern", "decision_policy", "fact")
TEXTS = st.sampled_from(
    [
        "Please fix the build",
        "I live in Rome.",
        "I moved to Oslo.",
        "Always run the tests before deploying.",
        "Never mind",
        "I like tea and I hate coffee.",
        "The deadline is Friday.",
        "Actually, it's Monday.",
    ]
)
TOOLS = st.sampled_from(["get_log", "edit_file", "deploy", "search", "cancel_job"])
RESULTS = st.sampled_from(
    [
        "ok",
        "[]",
        '{"state": "open"}',
        '{"state": "done"}',
        "Error: job 12 is locked",
        "Error: no disk",
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("message"), TEXTS),
    st.tuples(st.just("tool"), TOOLS, RESULTS, st.sampled_from(["x", "y"])),
    st.tuples(st.just("outcome"), st.booleans()),
)
SESSIONS = st.lists(
    st.tuples(st.sampled_from([None, "ann", "bob"]), st.lists(STEPS, max_size=12)), max_size=8
)


def events_of(number, user, steps):
    events: list[EventRecord] = []

    def add(kind, payload):
        at = 1_750_000_000_000 + number * 86_400_000 + len(events) * 1_000
        name = f"s{number}:{len(events)}"
        events.append(
            EventRecord(len(events), name, f"s{number}", kind, payload, at, at, 0.5, 1, user)
        )

    for step in steps:
        if step[0] == "message":
            add("message", {"role": "user", "content": step[1]})
        elif step[0] == "outcome":
            add("outcome", {"success": step[1]})
        else:
            add("tool_call", {"tool": step[1], "args": {"mode": step[3]}, "call_id": "c"})
            add("tool_result", {"tool": step[1], "result": step[2], "call_id": "c"})
    return events


@settings(max_examples=150, deadline=None)
@given(SESSIONS, st.randoms(use_true_random=False))
def test_mining_depends_on_the_set_of_digests_alone(sessions, dice):
    digests = {
        f"s{n}": digest_session(events_of(n, user, steps))
        for n, (user, steps) in enumerate(sessions)
    }
    shuffled = list(digests.items())
    dice.shuffle(shuffled)
    reread = {name: json.loads(json.dumps(digest)) for name, digest in shuffled}
    found = mine(digests.items(), TYPES)
    assert mine(reread.items(), TYPES) == found
    assert mine(reread.items(), TYPES[::-1]) == found
    by_type = [one for kind in TYPES for one in mine(reread.items(), [kind])]
    assert sorted(by_type, key=lambda one: (one.type, one.key)) == found


@settings(max_examples=150, deadline=None)
@given(SESSIONS)
def test_every_candidate_is_well_formed(sessions):
    known = {f"s{n}": events_of(n, user, steps) for n, (user, steps) in enumerate(sessions)}
    found = mine([(name, digest_session(events)) for name, events in known.items()], TYPES)
    assert len({(one.type, one.key) for one in found}) == len(found)
    when = {event.event_id: event.occurred_at for events in known.values() for event in events}
    for one in found:
        assert 0 <= one.confidence <= 1
        assert 0 <= one.strength <= 1
        assert round(one.confidence, 6) == one.confidence
        assert one.evidence
        assert set(one.evidence) <= set(when)
        assert [when[event] for event in one.evidence] == sorted(when[e] for e in one.evidence)
        assert len(set(one.evidence)) == len(one.evidence) <= 200
        assert {event.split(":")[0] for event in one.evidence} <= set(one.sessions)
        assert one.first_at <= one.last_at
        assert one.text
        assert one.title
        assert json.loads(json.dumps(one.content)) == one.content


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_fisher_is_a_probability_that_falls_with_more_hits(a, b, c, d):
    total, exposed, effects = a + b + c + d, a + b, a + c
    p_value = fisher_greater(a, exposed, effects, total)
    assert 0 <= p_value <= 1
    if a < min(exposed, effects):
        assert fisher_greater(a + 1, exposed, effects, total) <= p_value + 1e-9


def test_fisher_agrees_with_the_lady_tasting_tea():
    assert round(fisher_greater(3, 4, 4, 8), 6) == round(17 / 70, 6)
    assert round(fisher_greater(4, 4, 4, 8), 6) == round(1 / 70, 6)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_adjusted_p_values_are_larger_and_keep_their_order(p_values):
    adjusted = benjamini_hochberg(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


def test_benjamini_hochberg_by_hand():
    adjusted = benjamini_hochberg([0.01, 0.04, 0.03, 0.5])
    assert [round(p, 9) for p in adjusted] == [0.04, 0.053333333, 0.053333333, 0.5]


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_is_below_the_share_and_grows_with_evidence(hits, misses):
    total = hits + misses
    lower = wilson_lower(hits, total)
    assert 0 <= lower <= 1
    if total:
        assert lower <= hits / total + 1e-9
        assert wilson_lower(2 * hits, 2 * total) >= lower - 1e-9


@given(
    st.integers(1, 1000), st.floats(0, 1), st.lists(st.integers(0, 2**41), min_size=1, max_size=9)
)
def test_confidence_lies_in_the_unit_interval(sessions, consistency, times):
    assert 0 <= confidence(sessions, consistency, times) <= 1
    assert 0 <= recency(times) <= 1
    assert 0 <= repeated(0.6, sessions) <= 0.95


@given(st.text(max_size=400))
def test_templates_are_short_single_lines(text):
    line = template(text)
    assert line
    assert len(line) <= 160
    assert "\n" not in line


@given(
    st.lists(st.text(alphabet="ab ", max_size=12), max_size=12), st.randoms(use_true_random=False)
)
def test_merging_templates_ignores_order(lines, dice):
    shuffled = [*lines, *lines]
    dice.shuffle(shuffled)
    assert generalise(shuffled) == generalise(lines)
