"""The same events and questions give the same, to the last byte, in SQLite and in PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from hippocortex.data import tau_bench_sample
from hippocortex.importers import read_events
from hippocortex_core import CaptureEvent, LearnOptions, SynthesizeOptions, ValidationError
from hippocortex_engine import open_engine

QUESTIONS = [
    "a customer wants to cancel a reservation",
    "the payment fails while booking a flight",
    "which seats does mia like",
    "error in update_reservation_flights",
]
STRANGE = [
    {"role": "user", "content": "naïve café Ω 漢字 ﬁ \u2028 \U0001f600"},
    {"tool": "call", "args": '{"x": "\\u0000 \\ud800"}', "result": "a\\u0000b"},
    {"content": "x" * 40_000 + " the end \\u0000"},
    {
        "role": "user",
        "content": "I prefer {'quotes'} \"and\" %s %(x)s :name $1 \\ back; DROP TABLE",
    },
    {"Ä": 1, "a": [1.5, None, True, {"": ""}], "content": " "},
]


def everything(url, events, batch):
    """What a memory says, as text: pages, packs, metrics."""
    engine = open_engine(url, clock=lambda: 1_800_000_000_000)
    captured = []
    for start in range(0, len(events), batch):
        captured += engine.capture_batch(events[start : start + batch]).results
        if start == 0:
            engine.learn(LearnOptions(min_pattern_strength=0.3))
    learned = engine.learn()
    options = [SynthesizeOptions(max_tokens=800, explain=True), SynthesizeOptions(session_id="odd")]
    packs = [engine.synthesize(text, one) for text in QUESTIONS for one in options]
    found = {
        "captured": [asdict(one) for one in captured],
        "learned": asdict(learned.artifacts),
        "events": _pages(engine.list_events, "events", order="asc", limit=500),
        "newest": _pages(engine.list_events, "events", limit=999),
        "artifacts": [
            _pages(engine.list_artifacts, "artifacts", sort=sort, order=order, limit=7)
            for sort in ("confidence", "evidenceCount", "createdAt")
            for order in ("asc", "desc")
        ],
        "packs": [asdict(pack) for pack in packs],
        "metrics": asdict(engine.get_metrics()),
        "forgotten": asdict(engine.forget(session_id=events[0].session_id)),
        "left": [asdict(engine.synthesize(text)) for text in QUESTIONS],
    }
    found["evidence"] = [
        asdict(engine.get_artifact(one["id"])) for one in found["artifacts"][0][-5:]
    ]
    engine.close()
    return json.dumps(found, ensure_ascii=False)


def _pages(method, name, **options):
    found, cursor = [], None
    while True:
        page = method(cursor=cursor, **options)
        found += [asdict(one) for one in getattr(page, name)]
        cursor = page.pagination.cursor
        if cursor is None:
            return found


@pytest.fixture(scope="module")
def events():
    with tau_bench_sample() as path:
        found = [item.event for item in read_events(path)]
    odd = [
        CaptureEvent(kind, "odd", payload, {"user_id": "Ünal"}, f"odd-{place}-{kind}")
        for place, payload in enumerate(STRANGE)
        for kind in ("message", "tool_call", "tool_result", "observation")
    ]
    return [*found[:400], *odd, *found[400:], *found[:50]]


def test_packs_artifacts_and_exports_are_the_same_on_both_stores(events, postgres_url):
    assert everything(postgres_url, events, 300) == everything("sqlite://", events, 300)


def test_names_are_sorted_alike_whatever_the_databases_language(postgres_url):
    names = ["b", "B", "a", "Z", "ä", "_", "-a", "a-b", "a_b", "aB"]
    ids = []
    for url in ("sqlite://", postgres_url):
        engine = open_engine(url, clock=lambda: 1_800_000_000_000)
        for name in names:
            text = f"My favourite city is {name}town."
            engine.capture(CaptureEvent("message", name, {"role": "user", "content": text}))
        engine.learn()
        page = engine.list_artifacts(sort="createdAt", limit=100)
        ids.append([one.id for one in page.artifacts])
        engine.close()
    assert ids[0] == ids[1]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_no_database_can_hold_is_refused_alike(text, postgres_url):
    said = []
    for url in ("sqlite://", postgres_url):
        engine = open_engine(url)
        for event in (
            CaptureEvent("message", text, {"content": "x"}),
            CaptureEvent("message", "s", {"content": text}),
            CaptureEvent("message", "s", {"content": "x"}, {"user_id": text}),
            CaptureEvent("message", "s", {"content": "x"}, idempotency_key=text),
        ):
            with pytest.raises(ValidationError) as caught:
                engine.capture(event)
            said.append(str(caught.value))
        engine.close()
    assert said[:4] == said[4:]
