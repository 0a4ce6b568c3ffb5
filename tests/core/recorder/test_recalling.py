import asyncio
import threading
import time

from hippocortex_core import (
    InternalError,
    Scope,
    UnavailableError,
    UserMessage,
    ValidationError,
    session,
)
from hippocortex_core.types import NOBODY


def test_a_recall_is_the_marked_pack_or_nothing(memory, record_to):
    recorder = record_to(memory)
    recorder.record(UserMessage("the code is 4711"))
    assert recorder.flush()
    found = recorder.recall("code")
    assert found
    assert found.text.startswith("<hippocortex_memory>\n")
    assert "- the code is 4711\n" in found.text
    assert found.result.entries[0].content == "the code is 4711"
    nothing = recorder.recall("weather")
    assert (bool(nothing), nothing.text, nothing.result.entries) == (False, "", [])
    assert not recorder.recall("   ")
    assert len(memory.asked) == 2


def test_a_recall_asks_for_the_user_agent_and_session_in_scope(memory, record_to):
    recorder = record_to(memory, max_tokens=700)
    with session("s1", user_id="u1", agent_id="a1"):
        recorder.recall("x", sections=["facts"])
        asyncio.run(recorder.arecall("x", max_tokens=50))
    recorder.recall("x", scope=Scope("s2", "u2"))
    asked = [options for _, options in memory.asked]
    assert [(o.active_session_id, o.user_id, o.agent_id) for o in asked] == [
        ("s1", "u1", "a1"),
        ("s1", "u1", "a1"),
        ("s2", "u2", None),
    ]
    recorder.recall("x", scope=Scope("s3"))
    assert memory.asked.pop()[1].user_id == NOBODY
    assert [(o.max_tokens, o.sections) for o in asked] == [
        (700, ["facts"]),
        (50, None),
        (700, None),
    ]
    assert {o.session_id for o in asked} == {None}


def test_loading_code_costs_no_deadline_and_is_done_once(memory, record_to):
    loads = []
    loaded = threading.Event()

    def load():
        loads.append(threading.current_thread().name)
        assert loaded.wait(60)

    def opened():
        assert loaded.wait(60)
        return memory

    recorder = record_to(opened, recall_deadline=0.5, load=load)
    recorder.record(UserMessage("the code is 4711"))
    threading.Timer(1.0, loaded.set).start()
    recorder.recall("anything")
    assert recorder.stats().recall_timeouts == 0
    assert recorder.flush()
    assert "4711" in recorder.recall("code").text
    assert "4711" in asyncio.run(recorder.arecall("code")).text
    assert len(loads) == 1
    assert threading.current_thread().name not in loads


def test_code_that_cannot_be_loaded_costs_no_recall(memory, record_to):
    def load():
        raise ImportError("no engine")

    recorder = record_to(memory, load=load)
    recorder.record(UserMessage("the code is 4711"))
    assert recorder.flush()
    assert "4711" in asyncio.run(recorder.arecall("code")).text
    assert "4711" in recorder.recall("code").text


def test_without_a_user_nothing_of_any_user_is_recalled(record_to, tmp_path):
    from hippocortex_engine import open_engine

    recorder = record_to(lambda: open_engine(f"sqlite:///{tmp_path}/memory.db"), recall_deadline=30)
    with session(user_id="ada"):
        recorder.record(UserMessage("Remember that my door code is 4711"))
    recorder.record(UserMessage("The door code of the office is 8080"))
    assert recorder.flush(20)
    recalled = recorder.recall("what is the door code?").text
    assert "8080" in recalled
    assert "4711" not in recalled


def test_users_do_not_see_each_others_memories(record_to, tmp_path):
    from hippocortex_engine import open_engine

    recorder = record_to(lambda: open_engine(f"sqlite:///{tmp_path}/memory.db"), recall_deadline=30)
    with session(user_id="ada"):
        recorder.record(UserMessage("Remember that my door code is 4711"))
        assert recorder.flush(20)
        assert "4711" in recorder.recall("what is the door code?").text
    with session(user_id="bob"):
        assert "4711" not in recorder.recall("what is the door code?").text


def test_long_questions_keep_their_two_ends(memory, record_to):
    record_to(memory).recall("first " + "word " * 10_000 + " last")
    ((query, _),) = memory.asked
    assert len(query) < 8_100
    assert query.startswith("first ")
    assert query.endswith(" last")


def test_a_hanging_memory_costs_the_deadline_once_and_then_nothing(memory, record_to):
    recorder = record_to(memory, recall_deadline=0.2)
    memory.gate.clear()
    begin = time.perf_counter()
    assert not recorder.recall("x")
    once = time.perf_counter() - begin
    for _ in range(100):
        assert not recorder.recall("x")
    after = time.perf_counter() - begin - once
    assert 0.2 <= once < 1.0
    assert after / 100 < 0.001
    stats = recorder.stats()
    assert (stats.recall_timeouts, stats.recalls_skipped, stats.breaker) == (1, 100, "open")


def test_after_the_cooldown_one_question_is_asked_in_the_background(
    memory, record_to, timer, eventually
):
    recorder = record_to(memory, recall_deadline=0.05, timer=timer)
    memory.gate.clear()
    recorder.recall("x")
    timer.pass_by(5)
    begin = time.perf_counter()
    for _ in range(10):
        assert not recorder.recall("probe")
    assert time.perf_counter() - begin < 0.05
    eventually(lambda: len(memory.asked) == 2)
    memory.gate.set()
    eventually(lambda: recorder.stats().breaker == "closed")
    assert recorder.recall("x").result is not None


def test_an_answer_that_comes_too_late_does_not_close_the_breaker(memory, record_to, timer):
    recorder = record_to(memory, recall_deadline=0.05, timer=timer)
    memory.gate.clear()
    recorder.recall("x")
    timer.pass_by(1)
    memory.gate.set()
    asyncio.run(recorder.aflush())  # it runs in the thread of the recall, so after that
    assert recorder.stats().breaker == "open"


def test_three_failures_in_a_row_open_the_breaker_at_no_cost(memory, record_to):
    recorder = record_to(memory)
    memory.error = InternalError("oops, key sk-proj-abcdefghijklmnop1234567890")
    for _ in range(5):
        assert not recorder.recall("x")
    assert len(memory.asked) == 3
    stats = recorder.stats()
    assert (stats.recall_failures, stats.recalls_skipped, stats.recalls) == (3, 2, 5)
    assert stats.last_error == "InternalError: oops, key [redacted:openai-key]"


def test_a_wrong_question_does_not_open_the_breaker(memory, record_to):
    recorder = record_to(memory)
    memory.error = ValidationError("no")
    for _ in range(5):
        recorder.recall("x")
    assert recorder.stats().breaker == "closed"


def test_an_async_recall_never_blocks_the_loop(memory, record_to):
    recorder = record_to(memory, recall_deadline=0.2)
    memory.gate.clear()

    async def main():
        asking = asyncio.ensure_future(recorder.arecall("x"))
        turns = 0
        while not asking.done():
            turns += 1
            await asyncio.sleep(0.001)
        return turns, await asking

    turns, found = asyncio.run(main())
    assert turns > 20
    assert not found
    assert recorder.stats().recall_timeouts == 1


def test_a_cancelled_recall_is_cancelled_and_leaves_no_trace(memory, record_to):
    recorder = record_to(memory)
    memory.gate.clear()

    async def main():
        asking = asyncio.ensure_future(recorder.arecall("x"))
        await asyncio.to_thread(memory.entered.wait, 10)
        asking.cancel()
        await asyncio.wait([asking])
        return asking.cancelled()

    assert asyncio.run(main())
    memory.gate.set()
    assert recorder.recall("x").result is not None


def test_a_hundred_threads_recall_at_once_on_few_threads(memory, record_to):
    recorder = record_to(memory, recall_deadline=30)
    recorder.record(UserMessage("Hello"))
    assert recorder.flush()
    start = threading.Barrier(100)
    found = []

    def ask():
        start.wait()
        found.append(recorder.recall("Hello").text)

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 100
    assert len(set(found)) == 1
    assert sum(t.name == "hippocortex-recall" for t in threading.enumerate()) <= 16


def test_a_memory_that_cannot_be_opened_recalls_nothing(record_to):
    def broken():
        raise UnavailableError("no such place")

    recorder = record_to(broken)
    assert not recorder.recall("x")
    assert recorder.stats().last_error == "UnavailableError: no such place"
