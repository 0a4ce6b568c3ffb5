import asyncio
import enum
import gc
import logging
import threading
import weakref
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from hippocortex_core import (
    AssistantMessage,
    Observation,
    Outcome,
    RateLimitedError,
    Recorder,
    ToolCall,
    ToolResult,
    UnavailableError,
    UserMessage,
)
from hippocortex_core.errors import PayloadTooLargeError, ValidationError


def ours():
    return {t for t in threading.enumerate() if t.name.startswith("hippocortex")}


def test_steps_are_delivered_in_order_with_growing_times(memory, record_to):
    recorder = record_to(memory, clock=lambda: 1_000.0)
    for number in range(250):
        recorder.record(UserMessage(f"{number}"))
    assert recorder.flush()
    assert memory.texts() == [f"{number}" for number in range(250)]
    times = [event.occurred_at for event in memory.events]
    assert times[:2] == ["1970-01-01T00:16:40.000Z", "1970-01-01T00:16:40.001Z"]
    assert times == sorted(set(times))
    assert max(memory.batches) <= 100
    assert len(memory.batches) < 25, "not a request for each"
    stats = recorder.stats()
    assert (stats.recorded, stats.delivered, stats.pending, stats.dropped) == (250, 250, 0, 0)


def test_a_burst_never_runs_ahead_of_the_clock_by_more_than_a_second(memory, record_to):
    recorder = record_to(memory, clock=lambda: 1_000.0)
    for number in range(1_500):
        recorder.record(Observation(f"{number}"))
    assert recorder.flush(20)
    times = [event.occurred_at for event in memory.events]
    assert times == sorted(times)
    assert times[-1] == "1970-01-01T00:16:41.000Z"


def test_nothing_is_started_or_touched_before_the_first_use(memory, tmp_path):
    before = ours()
    recorder = Recorder(memory, spool_dir=tmp_path / "spool")
    assert ours() <= before
    assert not (tmp_path / "spool").exists()
    recorder.record(UserMessage("Hello"))
    assert recorder.flush()
    assert len(ours() - before) == 2
    recorder.close()
    assert list((tmp_path / "spool").iterdir()) == []
    for thread in ours() - before:
        thread.join(5)
    assert ours() <= before


def test_a_step_is_taken_down_as_it_was(memory, record_to):
    memory.gate.clear()
    recorder = record_to(memory)
    args = {"q": "x", "deep": [{"n": 1}]}
    call = ToolCall("search", args)
    recorder.record(call)
    args["q"] = "changed"
    args["deep"][0]["n"] = 2
    memory.gate.set()
    assert recorder.flush()
    assert memory.events[0].payload["args"] == {"q": "x", "deep": [{"n": 1}]}


class Colour(enum.Enum):
    RED = "red"


class Level(str, enum.Enum):
    HIGH = "high"


@dataclass
class Order:
    id: int
    lines: list[str]


class Broken:
    def __str__(self):
        raise RuntimeError("no words")


def test_whatever_a_tool_returns_becomes_json(memory, record_to):
    recorder = record_to(memory)
    order = Order(7, ["a"])
    result = {
        "order": order,
        "at": datetime(2026, 1, 2, tzinfo=timezone.utc),
        "level": Level.HIGH,
        "colour": Colour.RED,
        "raw": b"\0\1",
        "nan": float("nan"),
        "set": {1},
        "tuple": (1, 2),
        1: "a number as name",
        "broken": Broken(),
        "nul": "a\0b",
        "lone": "\ud800",
    }
    recorder.record(ToolResult("t", result))
    order.lines.append("later")
    assert recorder.flush()
    assert memory.events[0].payload["result"] == {
        "order": {"id": 7, "lines": ["a"]},
        "at": "2026-01-02 00:00:00+00:00",
        "level": "high",
        "colour": "Colour.RED",
        "raw": "[2 bytes]",
        "nan": "nan",
        "set": [1],
        "tuple": [1, 2],
        "1": "a number as name",
        "broken": "[Broken]",
        "nul": "a\ufffdb",
        "lone": "?",
    }


def test_media_and_endless_texts_are_cut(memory, record_to):
    recorder = record_to(memory)
    image = "data:image/png;base64," + "iVBORw0KGgo" * 1_000
    parts = [{"type": "image_url", "image_url": {"url": image}}]
    recorder.record(UserMessage("", parts=parts))
    recorder.record(ToolResult("read", "word " * 300_000))
    recorder.record(ToolResult("shot", {"data": "A" * 5_000}))
    assert recorder.flush()
    first, second, third = (event.payload for event in memory.events)
    assert first["content"][0]["image_url"]["url"] == "[image/png, 8,250 bytes]"
    assert len(second["result"]) < 200_100
    assert second["result"].endswith("[cut at 200,000 characters]")
    assert third["result"] == {"data": "[base64, 3,750 bytes]"}


def test_a_step_with_a_key_is_stored_once_by_this_and_any_other_process(memory, record_to):
    first, second = record_to(memory, session_id="s"), record_to(memory, session_id="s")
    for recorder in (first, first.scoped(), second):
        for _ in range(3):
            recorder.record(UserMessage("Hello", key="0"))
            recorder.record(AssistantMessage("Hi", key="0"))
            recorder.record(ToolCall("t", {}, "c1"))
            recorder.record(ToolResult("t", "ok", "c1"))
        assert recorder.flush()
    assert len(memory.events) == 4
    assert (first.stats().repeated, first.stats().recorded) == (20, 4)
    assert (second.stats().duplicates, second.stats().delivered) == (4, 4)


def test_the_same_key_in_another_session_is_another_step(memory, record_to):
    recorder = record_to(memory)
    recorder.scoped("a").record(UserMessage("Hello", key="0"))
    recorder.scoped("b").record(UserMessage("Hello", key="0"))
    assert recorder.flush()
    assert len(memory.events) == 2


def test_steps_without_a_key_are_all_stored(memory, record_to):
    recorder = record_to(memory)
    step = UserMessage("Hello")
    recorder.record(step)
    recorder.record(step)
    assert recorder.flush()
    assert memory.texts() == ["Hello", "Hello"]


def test_while_the_queue_is_full_steps_are_dropped_counted_and_told_once(
    memory, record_to, caplog, monkeypatch
):
    recorder = record_to(memory, queue_size=10)
    monkeypatch.setattr(recorder._room.worker, "_start", lambda: None)
    for number in range(25):
        recorder.record(UserMessage(f"{number}", key=f"{number}"))
    stats = recorder.stats()
    assert (stats.recorded, stats.dropped, stats.pending) == (10, 15, 10)
    assert [r.getMessage() for r in caplog.records] == [
        "hippocortex: events are lost: the queue is full, or the recorder closed"
    ]
    monkeypatch.undo()
    assert recorder.flush()
    recorder.record(UserMessage("10", key="10"))
    assert recorder.flush()
    assert memory.texts() == [f"{number}" for number in range(11)]


def test_while_the_service_hangs_events_reach_the_disk(memory, record_to, tmp_path, eventually):
    memory.gate.clear()
    recorder = record_to(memory)
    recorder.record(UserMessage("0"))
    assert memory.entered.wait(10)
    for number in range(1, 50):
        recorder.record(UserMessage(f"{number}"))

    def on_disk():
        files = (tmp_path / "spool").glob("*.jsonl")
        return sum(len(path.read_bytes().splitlines()) for path in files) == 50

    eventually(on_disk)
    assert not recorder.flush(0.01)
    memory.gate.set()
    assert recorder.flush()
    assert memory.texts() == [f"{number}" for number in range(50)]


def test_what_the_service_refuses_is_left_out_and_blocks_nothing(memory, record_to, caplog):
    recorder = record_to(memory)
    recorder.record(UserMessage("before"))
    recorder.record(UserMessage("too long a session"), scope=recorder.scoped("s" * 300).scope())
    deep = "x"
    for _ in range(80):
        deep = [deep]
    recorder.record(ToolResult("t", deep))
    loop = []
    loop.append(loop)
    recorder.record(ToolResult("t", loop))
    recorder.record(UserMessage("after"))
    assert recorder.flush()
    assert memory.texts() == ["before", "after"]
    assert (recorder.stats().refused, recorder.stats().delivered) == (3, 2)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("kind", [ValidationError, PayloadTooLargeError])
def test_a_batch_that_is_refused_as_a_whole_is_sent_in_halves(memory, record_to, kind):
    capture = memory.capture_batch

    def picky(events):
        if any(event.payload["content"] == "7" for event in events):
            raise kind("no")
        return capture(events)

    memory.capture_batch = picky
    recorder = record_to(memory)
    for number in range(20):
        recorder.record(UserMessage(f"{number}"))
    assert recorder.flush()
    assert memory.texts() == [f"{number}" for number in range(20) if number != 7]
    assert recorder.stats().refused == 1


def test_an_event_that_breaks_the_service_again_and_again_is_left_out(memory, record_to):
    memory.poison = {"bad"}
    recorder = record_to(memory)
    for text in ("a", "bad", "b"):
        recorder.record(UserMessage(text))
    assert recorder.flush(20)
    assert memory.texts() == ["a", "b"]
    assert recorder.stats().refused == 1


def test_when_the_service_fails_events_wait_and_are_delivered_in_order(memory, record_to):
    memory.error = UnavailableError("down for maintenance")
    recorder = record_to(memory)
    recorder.record(UserMessage("1"))
    assert not recorder.flush(0.2)
    recorder.record(UserMessage("2"))
    assert not recorder.flush(0.2)
    assert (recorder.stats().spooled, recorder.stats().pending) == (2, 2)
    assert recorder.stats().last_error == "UnavailableError: down for maintenance"
    memory.error = None
    assert recorder.flush()
    assert memory.texts() == ["1", "2"]
    assert (recorder.stats().replayed, recorder.stats().pending) == (2, 0)
    recorder.record(UserMessage("3"))
    assert recorder.flush()
    assert (recorder.stats().replayed, recorder.stats().spooled) == (2, 2)


def test_a_service_that_asks_for_time_gets_it(memory, record_to, timer, eventually):
    memory.error = RateLimitedError("slow down", retry_after=30)
    recorder = record_to(memory, timer=timer)
    recorder.record(UserMessage("1"))
    eventually(lambda: recorder.stats().spooled == 1)
    memory.error = None
    assert recorder._room.worker._outbox.unreachable_for == 30
    recorder.record(UserMessage("2"))
    eventually(lambda: recorder.stats().spooled == 2)
    assert memory.events == []
    timer.pass_by(30)
    recorder.record(UserMessage("3"))
    eventually(lambda: recorder.stats().delivered == 3)
    assert memory.texts() == ["1", "2", "3"]


def test_it_recovers_by_itself_when_the_service_is_back(memory, record_to, eventually):
    memory.error = UnavailableError("down")
    recorder = record_to(memory)
    recorder.record(UserMessage("1"))
    eventually(lambda: recorder.stats().spooled == 1)
    memory.error = None
    eventually(lambda: recorder.stats().delivered == 1)


def test_a_service_that_cannot_be_opened_is_tried_again(memory, record_to):
    tries = []

    def open_service():
        tries.append(1)
        if len(tries) == 1:
            raise UnavailableError("not yet")
        return memory

    recorder = record_to(open_service)
    recorder.record(UserMessage("1"))
    assert recorder.flush()
    assert memory.texts() == ["1"]
    recorder.close()
    assert memory.closed


def test_without_a_spool_events_wait_in_memory(memory, record_to):
    memory.error = UnavailableError("down")
    recorder = record_to(memory, spool_dir=None)
    recorder.record(UserMessage("1"))
    assert not recorder.flush(0.1)
    memory.error = None
    assert recorder.flush()
    assert memory.texts() == ["1"]


def test_after_close_nothing_is_taken_and_nothing_breaks(memory, record_to):
    recorder = record_to(memory)
    recorder.record(UserMessage("1"))
    assert recorder.close()
    recorder.record(UserMessage("2"))
    assert recorder.closed
    assert not recorder.recall("1")
    assert recorder.flush(0.1)
    assert recorder.close()
    assert (memory.texts(), recorder.stats().dropped, memory.closed) == (["1"], 1, False)


def test_closing_a_scoped_recorder_only_flushes(memory, record_to):
    recorder = record_to(memory)
    with recorder.scoped("s") as scoped:
        scoped.record(UserMessage("1"))
    assert memory.texts() == ["1"]
    recorder.record(UserMessage("2"))
    assert recorder.flush()


def test_what_close_cannot_deliver_the_next_recorder_delivers_first(memory, record_to):
    memory.error = UnavailableError("down")
    first = record_to(memory)
    for number in range(5):
        first.record(UserMessage(f"{number}"))
    assert not first.close(0.5)
    memory.error = None
    second = record_to(memory)
    second.record(UserMessage("5"))
    assert second.flush()
    assert memory.texts() == [f"{number}" for number in range(6)]
    assert second.stats().replayed == 5


def test_a_flush_alone_delivers_what_was_left_behind(memory, record_to):
    memory.error = UnavailableError("down")
    first = record_to(memory)
    first.record(UserMessage("1"))
    first.close(0.2)
    memory.error = None
    second = record_to(memory)
    assert second.flush()
    assert memory.texts() == ["1"]


def test_a_damaged_line_is_counted_and_the_rest_delivered(memory, record_to, tmp_path):
    memory.error = UnavailableError("down")
    first = record_to(memory)
    for text in "abc":
        first.record(UserMessage(text))
    first.close(0.2)
    (segment,) = (tmp_path / "spool").glob("*.jsonl")
    a, _, c = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(a + b'{"type": "mess\n' + c + b'{"torn')
    memory.error = None
    second = record_to(memory)
    assert second.flush()
    assert memory.texts() == ["a", "c"]
    assert second.stats().dropped == 2


def test_a_full_spool_drops_the_oldest_and_says_so(memory, record_to, caplog):
    memory.error = UnavailableError("down")
    recorder = record_to(memory, spool_bytes=20_000)
    for number in range(300):
        recorder.record(UserMessage(f"{number}"))
        if number % 20 == 0:
            recorder.flush(0.0)
    assert not recorder.flush(0.3)
    dropped = recorder.stats().dropped
    assert 0 < dropped < 300
    memory.error = None
    assert recorder.flush()
    kept = [int(text) for text in memory.texts()]
    assert (len(kept), kept[-1], recorder.stats().pending) == (300 - dropped, 299, 0)
    assert kept == sorted(kept)
    assert sum("lost" in record.getMessage() for record in caplog.records) == 1


def test_a_hundred_threads_record_and_nothing_is_lost_or_doubled(record_to, tmp_path):
    from hippocortex_engine import open_engine

    recorder = record_to(lambda: open_engine(f"sqlite:///{tmp_path}/memory.db"))
    start = threading.Barrier(100)

    def agent(number):
        mine = recorder.scoped(f"session-{number}")
        start.wait()
        for step in range(20):
            mine.record(Observation(f"{number}/{step}"))

    threads = [threading.Thread(target=agent, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.flush(60)
    engine = open_engine(f"sqlite:///{tmp_path}/memory.db")
    for number in (0, 57, 99):
        events = engine.list_events(session_id=f"session-{number}", order="asc", limit=100).events
        assert [e.payload["content"] for e in events] == [f"{number}/{s}" for s in range(20)]
    assert engine.get_metrics().usage.events.total == 2_000
    engine.close()


def test_a_finalizer_that_records_in_the_middle_of_a_record_does_not_deadlock(memory, record_to):
    nested = []

    def clock():
        if not nested:
            nested.append(1)
            recorder.record(UserMessage("by a finalizer"))
        return 1_000.0

    recorder = record_to(memory, clock=clock)
    recorder.record(UserMessage("Hello"))
    assert recorder.flush()
    assert memory.texts() == ["by a finalizer", "Hello"]


def test_it_works_in_two_event_loops_in_a_row(memory, record_to):
    recorder = record_to(memory)

    async def turn(text):
        found = await recorder.arecall(text)
        recorder.record(UserMessage(text))
        assert await recorder.aflush()
        return found.text

    assert asyncio.run(turn("Hello")) == ""
    assert "- Hello\n" in asyncio.run(turn("Hello"))


def test_a_recorder_nobody_holds_ends_its_threads(memory, tmp_path, eventually):
    before = ours()
    recorder = Recorder(memory, spool_dir=tmp_path / "spool")
    recorder.record(UserMessage("1"))
    assert recorder.flush()
    assert recorder.recall("1")
    gone = weakref.ref(recorder._room)
    del recorder
    gc.collect()
    assert gone() is None
    eventually(lambda: ours() <= before)


def test_strict_mode_raises_what_would_be_swallowed(memory, record_to, monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    recorder = record_to(memory)
    with pytest.raises(AttributeError):
        recorder.record("not a step")
    memory.error = UnavailableError("down")
    with pytest.raises(UnavailableError, match="down"):
        recorder.recall("Hello")
    recorder.record(UserMessage("1"))
    with pytest.raises(UnavailableError, match="down"):
        recorder.flush(0.1)
    memory.error = None
    recorder.record(UserMessage("2"), recorder.scoped("s" * 300).scope())
    with pytest.raises(UnavailableError, match=r"1 events were lost: .*session_id"):
        recorder.flush()
    assert recorder.flush()
    recorder.close()
    with pytest.raises(UnavailableError, match="closed"):
        recorder.record(UserMessage("3"))


def test_outside_of_strict_mode_nothing_is_raised(memory, record_to, caplog):
    recorder = record_to(memory)
    recorder.record("not a step")
    recorder.record(Outcome(success=True))
    assert not recorder.recall(None)
    assert recorder.flush()
    assert len(memory.events) == 1
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
