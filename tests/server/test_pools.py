"""Threads for calls: each kind has its own, and no tenant has all of them."""

import asyncio
import threading
import time

import pytest

from hippocortex_core.errors import UnavailableError
from hippocortex_server import pools
from hippocortex_server.pools import THREADS, Pools


@pytest.fixture
def run():
    """Runs a coroutine function with pools, and something that holds threads up."""

    def start(body):
        async def main():
            made, gate = Pools(), threading.Event()
            try:
                return await asyncio.wait_for(body(made, gate), 30)
            finally:
                gate.set()
                made.close()

        return asyncio.run(main())

    return start


def test_reads_do_not_wait_for_writes_or_learning(run):
    async def body(made, gate):
        held = [
            asyncio.ensure_future(made.run(work, f"t{n}", gate.wait))
            for work in ("write", "learn")
            for n in range(THREADS[work] + 2)
        ]
        assert await made.run("read", "t0", lambda: "read") == "read"
        gate.set()
        assert await asyncio.gather(*held) == [True] * len(held)

    run(body)


def test_a_tenant_that_is_busy_leaves_room_for_others(run):
    async def body(made, gate):
        held = [asyncio.ensure_future(made.run("read", "busy", gate.wait)) for _ in range(20)]
        await asyncio.sleep(0)
        assert await made.run("read", "other", lambda: "served") == "served"
        gate.set()
        await asyncio.gather(*held)

    run(body)


def test_a_call_that_takes_too_long_is_not_waited_for(run):
    async def body(made, gate):
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="no answer within"):
            await made.run("read", "t", gate.wait, 0.05)
        assert time.monotonic() - started < 10

    run(body)


def test_a_call_that_was_given_up_waiting_for_is_not_made(run):
    async def body(made, gate):
        share = THREADS["read"] // 2
        held = [asyncio.ensure_future(made.run("read", "t", gate.wait)) for _ in range(share)]
        called = []
        with pytest.raises(UnavailableError):
            await made.run("read", "t", lambda: called.append(1), 0.05)
        gate.set()
        await asyncio.gather(*held)
        assert await made.run("read", "t", lambda: 2) == 2
        assert called == []

    run(body)


def test_beyond_what_can_wait_it_says_so_at_once(run, monkeypatch):
    monkeypatch.setattr(pools, "MOST_WAITING", 5)

    async def body(made, gate):
        held = [asyncio.ensure_future(made.run("read", "t", gate.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(UnavailableError, match="busy") as caught:
            await made.run("read", "u", lambda: 1)
        assert caught.value.retry_after == 1.0
        gate.set()
        await asyncio.gather(*held)

    run(body)


def test_what_a_call_raises_is_raised(run):
    async def body(made, _):
        with pytest.raises(ZeroDivisionError):
            await made.run("read", "t", lambda: 1 / 0)
        return await made.run("read", "t", lambda: 1)

    assert run(body) == 1


def answered_in_the_end(ask, path):
    """The answer; a busy machine may need several attempts to look up the key in so short a time."""
    deadline = time.monotonic() + 30
    while (reply := ask(path)).status == 503:
        assert time.monotonic() < deadline, reply.content
    return reply


def test_a_request_that_takes_too_long_is_answered_and_the_next_one_too(
    serve, caller_of, monkeypatch
):
    gate = threading.Event()
    monkeypatch.setattr(
        "hippocortex_engine.engine.Engine.list_artifacts", lambda *_, **__: gate.wait(30)
    )
    caller = caller_of(serve(request_timeout=0.2))
    try:
        reply = caller.get("/artifacts")
        assert reply.status == 503
        assert reply.error["code"] == "unavailable"
        assert answered_in_the_end(caller.get, "/events").status == 200
    finally:
        gate.set()


def test_learning_may_take_longer_than_a_request(serve, caller_of, monkeypatch):
    from hippocortex_engine.engine import Engine

    learn = Engine.learn

    def slowly(engine, options):
        threading.Event().wait(0.3)
        return learn(engine, options)

    monkeypatch.setattr(Engine, "learn", slowly)
    caller = caller_of(serve(request_timeout=0.1))
    reply = answered_in_the_end(caller.post, "/learn")
    assert reply.data["status"] == "completed"
