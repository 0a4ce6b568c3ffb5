"""A real HTTP home that is down, hangs, answers garbage, fails or asks for time."""

import socket
import time

import pytest

from hippocortex_core import Recorder, UserMessage
from hippocortex_core.testing import (
    HttpHome,
    InMemoryService,
    answer,
    cut_off,
    lose_answer,
    reset,
    stall,
)


def texts(service):
    return [event.payload["content"] for event in service.events]


@pytest.mark.parametrize(
    "fault",
    [
        answer(500),
        answer(503, b"<html>busy</html>"),
        answer(200, b"garbage"),
        answer(200, b'{"ok": true, "data": {"results": []}}'),
        answer(200, b""),
        answer(429, b"", {"Retry-After": "1"}),
        answer(401, b'{"ok":false,"error":{"code":"unauthorized","message":"who?"}}'),
        reset,
        cut_off,
        lose_answer,
    ],
    ids=[
        "500",
        "503 with a page",
        "garbage",
        "an empty result",
        "nothing",
        "429",
        "401",
        "reset",
        "cut off",
        "answer lost",
    ],
)
def test_events_survive_a_fault_and_are_stored_once_in_order(fault, record_to, over_http):
    service = InMemoryService()
    with HttpHome(service, faults=[fault, fault]) as home:
        recorder = record_to(over_http(home.url))
        for number in range(5):
            recorder.record(UserMessage(f"{number}"))
        recorder.flush(0.5)
        for number in range(5, 10):
            recorder.record(UserMessage(f"{number}"))
        assert recorder.flush(20)
    assert texts(service) == [f"{number}" for number in range(10)]
    assert recorder.stats().delivered == 10


@pytest.mark.parametrize(
    "fault",
    [answer(500), answer(200, b"garbage"), answer(429), reset],
    ids=["500", "garbage", "429", "reset"],
)
def test_a_recall_survives_a_fault_without_a_second_try(fault, record_to, over_http):
    with HttpHome(InMemoryService(), faults=[fault]) as home:
        recorder = record_to(over_http(home.url))
        assert recorder.recall("x").result is None
        assert len(home.received) == 1
        assert recorder.recall("x").result is not None


def test_a_request_that_is_too_large_is_split(record_to, over_http):
    service = InMemoryService()
    with HttpHome(service, faults=[answer(413)]) as home:
        recorder = record_to(over_http(home.url), flush_interval=60)
        for number in range(8):
            recorder.record(UserMessage(f"{number}"))
        assert recorder.flush(20)
    assert texts(service) == [f"{number}" for number in range(8)]
    assert recorder.stats().refused == 0


def test_a_home_that_is_down_costs_nothing_and_gets_everything_when_it_is_up(record_to, over_http):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    recorder = record_to(over_http(f"http://127.0.0.1:{port}/v1"))
    begin = time.perf_counter()
    for number in range(100):
        recorder.record(UserMessage(f"{number}"))
        assert not recorder.recall("x")
    assert time.perf_counter() - begin < 1
    assert not recorder.flush(0.2)
    assert recorder.close(0.2) is False
    service = InMemoryService()
    with HttpHome(service) as home:
        assert record_to(over_http(home.url)).flush(20)
    assert texts(service) == [f"{number}" for number in range(100)]


def test_a_home_that_hangs_holds_nobody_up(record_to, over_http):
    service = InMemoryService()
    with HttpHome(service, faults=[stall] * 3) as home:
        recorder = record_to(over_http(home.url, timeout=10), recall_deadline=0.2)
        begin = time.perf_counter()
        for number in range(20):
            recorder.record(UserMessage(f"{number}"))
            assert not recorder.recall("x")
        assert time.perf_counter() - begin < 1
        begin = time.perf_counter()
        assert not recorder.flush(0.1)
        assert not recorder.close(0.1)
        assert time.perf_counter() - begin < 1
    with HttpHome(service) as home:
        assert record_to(over_http(home.url)).flush(20)
    assert texts(service) == [f"{number}" for number in range(20)]


def test_the_engine_stores_what_arrives_twice_once(record_to, over_http, tmp_path):
    from hippocortex_engine import open_engine

    engine = open_engine(f"sqlite:///{tmp_path}/memory.db")
    with HttpHome(engine, faults=[lose_answer]) as home:
        recorder = record_to(over_http(home.url))
        for number in range(5):
            recorder.record(UserMessage(f"{number}"))
        assert recorder.flush(20)
    assert engine.list_events().pagination.total == 5
    assert recorder.stats().duplicates > 0
    engine.close()


def test_what_a_recorder_leaves_over_http_carries_no_key(tmp_path):
    from hippocortex_core import RetryPolicy, Settings, SyncHippocortex
    from hippocortex_core.transports.http import HttpTransport

    key = "hx_live_" + "k" * 30
    with HttpHome(InMemoryService(), api_key="another", faults=[]) as home:
        transport = HttpTransport(Settings(home.url, key, 5.0), RetryPolicy(retries=0))
        recorder = Recorder(SyncHippocortex(transport=transport), spool_dir=tmp_path / "spool")
        recorder.record(UserMessage(f"my key is {key}"))
        assert not recorder.flush(0.2)
        assert "unauthorized" in recorder.stats().last_error.lower()
        recorder.close(0.2)
        transport.close()
    written = b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())
    assert b"my key is [redacted:hippocortex-key]" in written
