import pytest

from hippocortex_core.errors import UnavailableError
from hippocortex_core.types import BatchSummary, CaptureEvent, Event
from hippocortex_engine import Engine


@pytest.fixture
def filled(memory):
    """Twelve events: two sessions, three users, two agents, two types."""
    memory.capture_batch(
        [
            CaptureEvent(
                type=("message", "observation")[n % 2],
                session_id=f"s{n % 2}",
                payload={"content": f"event {n}"},
                metadata={"user_id": f"u{n % 3}", "agentId": f"a{n // 6}"},
            )
            for n in range(12)
        ]
    )
    return memory


def numbers(page):
    return [int(event.payload["content"].split()[1]) for event in page.events]


def walk(call, **arguments):
    """All pages of a listing."""
    pages = [call(**arguments)]
    while pages[-1].pagination.has_more:
        pages.append(call(**arguments, cursor=pages[-1].pagination.cursor))
    return pages


def test_the_newest_events_come_first(filled):
    page = filled.list_events()
    assert numbers(page) == list(range(11, -1, -1))
    assert (page.pagination.has_more, page.pagination.cursor, page.pagination.total) == (
        False,
        None,
        12,
    )


def test_the_order_can_be_turned_round(filled):
    assert numbers(filled.list_events(order="asc", limit=3)) == [0, 1, 2]
    assert numbers(filled.list_events(order="desc", limit=3)) == [11, 10, 9]


def test_a_page_holds_twenty_unless_asked_otherwise(memory):
    memory.capture_batch([CaptureEvent("message", "s1", {"n": n}) for n in range(25)])
    assert len(memory.list_events().events) == 20
    assert len(memory.list_events(limit=1000).events) == 25


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"session_id": "s0"}, [0, 2, 4, 6, 8, 10]),
        ({"user_id": "u1"}, [1, 4, 7, 10]),
        ({"agent_id": "a0"}, [0, 1, 2, 3, 4, 5]),
        ({"type": "observation"}, [1, 3, 5, 7, 9, 11]),
        ({"session_id": "s0", "user_id": "u1"}, [4, 10]),
        ({"session_id": "s0", "type": "observation"}, []),
        ({"session_id": "nobody's"}, []),
    ],
)
def test_filters_must_all_match(filled, filters, expected):
    page = filled.list_events(order="asc", **filters)
    assert numbers(page) == expected
    assert page.pagination.total == len(expected)


def test_events_are_found_by_their_ids(filled):
    ids = [event.id for event in filled.list_events(order="asc").events]
    assert numbers(filled.list_events(event_ids=[ids[7], ids[2]], order="asc")) == [2, 7]
    assert numbers(filled.list_events(event_ids=[ids[7], ids[2]], session_id="s0")) == [2]
    assert numbers(filled.list_events(event_ids=["evt_unknown"])) == []
    assert numbers(filled.list_events(event_ids=[])) == []


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 5, 6, 12, 13])
def test_pages_join_without_gap_or_overlap(filled, order, limit):
    pages = walk(filled.list_events, order=order, limit=limit)
    expected = list(range(12)) if order == "asc" else list(range(11, -1, -1))
    assert [n for page in pages for n in numbers(page)] == expected
    assert all(page.pagination.total == 12 for page in pages)
    assert pages[-1].pagination.cursor is None


def test_pages_of_a_filter_stay_inside_it(filled):
    pages = walk(filled.list_events, order="asc", limit=2, session_id="s1")
    assert [n for page in pages for n in numbers(page)] == [1, 3, 5, 7, 9, 11]


def test_a_listing_goes_on_where_it_was_when_events_arrive(filled):
    first = filled.list_events(limit=6)
    filled.capture(CaptureEvent("message", "s0", {"content": "event 12"}))
    second = filled.list_events(limit=6, cursor=first.pagination.cursor)
    assert numbers(second) == [5, 4, 3, 2, 1, 0]


def test_forgetting_by_id_leaves_the_rest(filled):
    ids = [event.id for event in filled.list_events(order="asc").events]
    result = filled.forget(event_ids=ids[:3])
    assert (result.events_deleted, result.artifacts_deleted, result.artifacts_updated) == (3, 0, 0)
    assert numbers(filled.list_events(order="asc")) == list(range(3, 12))


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"session_id": "s0"}, [1, 3, 5, 7, 9, 11]),
        ({"user_id": "u0"}, [1, 2, 4, 5, 7, 8, 10, 11]),
        ({"agent_id": "a1"}, [0, 1, 2, 3, 4, 5]),
        ({"session_id": "s0", "user_id": "u0"}, [1, 2, 3, 4, 5, 7, 8, 9, 10, 11]),
        ({"user_id": "nobody"}, list(range(12))),
    ],
)
def test_forgetting_by_filter_deletes_what_matches_all_of_it(filled, filters, left):
    result = filled.forget(**filters)
    assert result.events_deleted == 12 - len(left)
    assert numbers(filled.list_events(order="asc")) == left


def test_forgetting_twice_finds_nothing_more(filled):
    assert filled.forget(session_id="s0").events_deleted == 6
    assert filled.forget(session_id="s0").events_deleted == 0


def test_what_was_forgotten_can_be_captured_again(memory):
    event = CaptureEvent("message", "s1", {"content": "event 0"}, idempotency_key="k1")
    memory.capture(event)
    memory.forget(session_id="s1")
    assert memory.capture(event).status == "ingested"
    assert numbers(memory.list_events()) == [0]


def test_exported_events_can_be_imported_elsewhere(filled, elsewhere):
    exported = walk(filled.list_events, order="asc", limit=5)
    events = [event for page in exported for event in page.events]
    other = elsewhere()
    assert other.import_events(events).summary == BatchSummary(12, 12, 0, 0)
    kept = other.list_events(order="asc").events
    assert [(e.id, e.payload, e.metadata, e.occurred_at, e.captured_at) for e in kept] == [
        (e.id, e.payload, e.metadata, e.occurred_at, e.captured_at) for e in events
    ]


def test_importing_what_is_there_already_changes_nothing(filled):
    events = filled.list_events(order="asc").events
    result = filled.import_events(events)
    assert result.summary == BatchSummary(total=12, ingested=0, duplicates=12, errors=0)
    assert [item.event_id for item in result.results] == [event.id for event in events]
    assert filled.list_events(order="asc").events == events


def test_an_import_keeps_ids_and_knows_them_within_the_same_batch(memory):
    time = "2026-01-01T00:00:00.000Z"
    event = Event(
        "old-1", "message", "s1", {"content": "event 1"}, time, time, idempotency_key="k1"
    )
    assert memory.import_events([event, event]).summary == BatchSummary(2, 1, 1, 0)
    (kept,) = memory.list_events().events
    assert (kept.id, kept.occurred_at, kept.captured_at, kept.idempotency_key) == (
        "old-1",
        time,
        time,
        "k1",
    )
    again = memory.capture(CaptureEvent("message", "s1", {}, idempotency_key="k1"))
    assert (again.status, again.event_id) == ("duplicate", "old-1")


def test_an_empty_import_is_an_empty_answer(memory):
    assert memory.import_events([]).summary == BatchSummary(0, 0, 0, 0)


def test_a_client_exports_every_event_oldest_first(filled):
    if isinstance(filled, Engine):
        assert not hasattr(filled, "export")  # a convenience of the clients
        return
    assert [event.payload["content"] for event in filled.export()] == [
        f"event {n}" for n in range(12)
    ]
    assert [event.session_id for event in filled.export(session_id="s1")] == ["s1"] * 6


def test_a_closed_memory_says_so(memory):
    memory.capture(CaptureEvent("message", "s1", {}))
    memory.close()
    for call in (
        lambda: memory.capture(CaptureEvent("message", "s1", {})),
        lambda: memory.capture_batch([]),
        memory.learn,
        lambda: memory.synthesize("q"),
        memory.list_artifacts,
        lambda: memory.get_artifact("a"),
        lambda: memory.deprecate_artifact("a"),
        memory.get_metrics,
        memory.list_events,
        lambda: memory.forget(session_id="s1"),
        lambda: memory.import_events([]),
        memory.health,
    ):
        with pytest.raises(UnavailableError, match="closed"):
            call()
    memory.close()
