"""tau-bench trajectories and our own export."""

from hippocortex.data import tau_bench_sample
from hippocortex.importers import Located, Naming, Problem, read_events
from hippocortex_core.types import CaptureEvent, Event

RUN = {
    "task_id": 3,
    "trial": 1,
    "reward": 1.0,
    "info": {"anything": 1},
    "traj": [
        {"role": "system", "content": "policy"},
        {"role": "user", "content": "Hi"},
    ],
}
EXPORTED = {
    "id": "evt_1",
    "type": "message",
    "sessionId": "s1",
    "payload": {"role": "user", "content": "Hi"},
    "occurredAt": "2024-05-01T00:00:00.000Z",
    "capturedAt": "2024-05-02T00:00:00.000Z",
    "salienceScore": 0.5,
}


def test_a_run_is_a_session_that_ends_with_its_outcome(write):
    items = list(read_events(write("runs.json", [RUN, {**RUN, "trial": 2, "reward": 0.0}])))

    assert [(i.event.session_id, i.event.type, i.event.payload) for i in items] == [
        ("tau-3-1", "message", {"role": "user", "content": "Hi"}),
        ("tau-3-1", "outcome", {"reward": 1.0, "success": True}),
        ("tau-3-2", "message", {"role": "user", "content": "Hi"}),
        ("tau-3-2", "outcome", {"reward": 0.0, "success": False}),
    ]


def test_runs_of_another_benchmark_stay_apart_under_another_name(write):
    path = write("runs.jsonl", RUN, RUN)
    items = read_events(path, naming=Naming("runs", session="retail"))
    assert {i.event.session_id for i in items} == {"retail-3-1"}


def test_a_run_with_a_broken_reward_is_a_problem_and_the_next_is_read(write):
    path = write("runs.jsonl", {**RUN, "reward": "good"}, {**RUN, "trial": 2})
    problem, *rest = list(read_events(path))
    assert problem == Problem(f"{path}:1", "reward is not a number: 'good'")
    assert {item.event.session_id for item in rest} == {"tau-3-2"}


def test_the_shipped_sample_is_read_without_a_problem():
    with tau_bench_sample() as path:
        items = list(read_events(path))
        size = path.stat().st_size

    sessions = {item.event.session_id for item in items if isinstance(item, Located)}
    assert len(sessions) == 68
    assert len({session.split("-")[1] for session in sessions}) == 17
    assert all(isinstance(item, Located) for item in items)
    assert size < 1_000_000


def test_exported_events_keep_their_ids_and_times(write):
    (item,) = read_events(write("export.jsonl", EXPORTED))
    assert item.event == Event(
        id="evt_1",
        type="message",
        session_id="s1",
        payload={"role": "user", "content": "Hi"},
        occurred_at="2024-05-01T00:00:00.000Z",
        captured_at="2024-05-02T00:00:00.000Z",
        salience_score=0.5,
    )


def test_events_without_an_id_are_captured_under_a_repeatable_key(write):
    event = {"type": "observation", "sessionId": "s1", "payload": {"text": "green"}}
    path = write("events.jsonl", event, event)
    first, again = [[i.event.idempotency_key for i in read_events(path)] for _ in range(2)]

    assert all(isinstance(i.event, CaptureEvent) for i in read_events(path))
    assert first == again
    assert len(set(first)) == 2


def test_a_broken_exported_event_is_a_problem_that_names_the_field(write):
    path = write("export.jsonl", {**EXPORTED, "payload": "text"}, EXPORTED)
    problem, good = list(read_events(path))
    assert problem == Problem(f"{path}:1", "payload: must be an object, got a string")
    assert good.event.id == "evt_1"
