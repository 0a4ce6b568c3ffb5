"""The plugin when the memory is gone, hangs, is wrong, or the process dies: the agent never notices."""

import itertools
import json
import os
import stat
import time

import pytest

from hippocortex_core import SyncHippocortex
from hippocortex_core.errors import HippocortexError
from hippocortex_core.testing import (
    HttpHome,
    InMemoryService,
    answer,
    cut_off,
    lose_answer,
    reset,
    stall,
)

KEY = "agent:main:main"
_runs = itertools.count(1)
_LATE_MS = 5_000


def context(run, session="s1"):
    said = {"runId": run, "agentId": "main", "sessionKey": KEY, "sessionId": session}
    return {**said, "trigger": "user"}


def begin(host, prompt, run):
    """The result of the hook before a turn, and the milliseconds it took."""
    return host.timed("before_prompt_build", {"prompt": prompt, "messages": []}, context(run))


def end(host, text, run, session="s1"):
    """The milliseconds that the hook after a turn took."""
    return host.timed("agent_end", ended(text, run), context(run, session))[1]


def ended(text, run):
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "ok"}]
    return {"runId": run, "messages": messages, "success": True}


def turn(host, text):
    run = f"run-{next(_runs)}"
    begin(host, text, run)
    end(host, text, run)


def said(memory):
    """What users said, in the order of the memory."""
    messages = [event.payload for event in memory.events if event.type == "message"]
    return [one["content"] for one in messages if one["role"] == "user"]


def batches(home):
    return [one for one in home.received if one.target.endswith("/capture/batch")]


@pytest.fixture
def spool(tmp_path):
    """The files in which events wait."""
    folder = tmp_path / "spool"
    return lambda: sorted(folder.glob("*/*.json"))


@pytest.fixture
def settings(tmp_path):
    def make(url, **more):
        return {"baseUrl": url, "timeoutMs": 5_000, "spoolDir": str(tmp_path / "spool"), **more}

    return make


@pytest.fixture
def home_with():
    """Homes that go wrong; they close with the test."""
    opened = []

    def make(*faults, memory=None, api_key=None):
        found = memory or InMemoryService()
        opened.append(HttpHome(found, faults=faults, api_key=api_key).__enter__())
        return opened[-1]

    yield make
    for home in opened:
        home.__exit__(None, None, None)


def test_while_the_server_is_down_events_wait_on_disk_and_then_arrive_in_order(
    stopped_server, start_host, settings, spool, wait_for
):
    key = stopped_server.new_key("default")
    config = settings(stopped_server.url, apiKey=key, autoRecall=False)
    host = start_host()
    host.register(config)
    for text in ("one", "two", "three"):
        turn(host, text)
    assert len(spool()) == 3
    assert len(host.log) == 1
    assert "start it with `hippocortex serve`" in host.log[0]
    assert {stat.S_IMODE(path.stat().st_mode) for path in spool()} == {0o600}
    assert stat.S_IMODE(spool()[0].parent.stat().st_mode) == 0o700
    assert key not in "".join(path.read_text() for path in spool())
    stopped_server.start()
    other = start_host()
    other.register(config)
    turn(other, "four")
    wait_for(lambda: not spool(), "the delivery")
    with SyncHippocortex(base_url=stopped_server.url, api_key=key) as memory:
        events = memory.list_events(limit=100, order="asc").events
    texts = [event.payload["content"] for event in events]
    assert texts == ["one", "ok", "two", "ok", "three", "ok", "four", "ok"]


def test_a_server_that_hangs_costs_one_deadline(host, home_with, settings, spool, wait_for):
    home = home_with(*[stall] * 20)
    host.register(settings(home.url, timeoutMs=800))
    result, took = begin(host, "hello", "r1")
    assert result is None
    assert 700 < took < _LATE_MS
    for run in ("r2", "r3"):
        result, took = begin(host, "hello", run)
        assert result is None
        assert took < 700
    assert end(host, "hello", "r1") < _LATE_MS
    assert len(spool()) == 1
    assert len([line for line in host.log if "no answer within 0.8 s" in line]) == 1


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (answer(500), "fails (HTTP 500)"),
        (answer(503, headers={"Retry-After": "1"}), "fails (HTTP 503)"),
        (answer(429, headers={"Retry-After": "1"}), "fails (HTTP 429)"),
        (answer(200, b"<html>hello</html>"), "no Hippocortex server; check baseUrl"),
        (answer(200, b'{"ok": true, "data": 7}'), "no Hippocortex server; check baseUrl"),
        (answer(404, b"not found"), "no Hippocortex server; check baseUrl"),
        (answer(400, b"<html>a plain HTTP request to an HTTPS port"), "fails (HTTP 400)"),
        (answer(302, headers={"Location": "http://127.0.0.1:1/"}), "no server at"),
        (reset, "no server at"),
        (cut_off, "no server at"),
    ],
    ids=["500", "503", "429", "html", "odd", "404", "400", "redirect", "reset", "cut off"],
)
def test_whatever_the_server_answers_the_turn_goes_on_and_nothing_is_lost(
    host, home_with, settings, spool, wait_for, fault, line
):
    home = home_with(fault, fault)
    host.register(settings(home.url))
    assert begin(host, "hello", "r1")[0] is None
    assert end(host, "hello", "r1") < _LATE_MS
    assert [one.target for one in home.received] == ["/v1/synthesize", "/v1/capture/batch"]
    host.hook("gateway_start", {}, {})
    wait_for(lambda: not spool() and len(home.service.events) == 2, "the delivery")
    assert said(home.service) == ["hello"]
    host.do(op="node")
    assert any(line in one for one in host.log)
    assert len([one for one in host.log if one.startswith("warn")]) == 2  # recall, and capture


def test_a_key_that_is_refused_is_said_and_events_wait_for_the_right_one(
    start_host, home_with, settings, spool, wait_for
):
    home = home_with(api_key="right-key-123456")
    host = start_host()
    host.register(settings(home.url, apiKey="wrong-key-123456"))
    for text in ("one", "two"):
        turn(host, text)
    assert len(host.log) == 2  # recall, and capture
    assert all("refuses the API key" in one and "HIPPOCORTEX_API_KEY" in one for one in host.log)
    assert "wrong-key" not in "".join(host.log)
    assert len(spool()) == 2
    other = start_host()
    other.register(settings(home.url, apiKey="right-key-123456"))
    other.hook("gateway_start", {}, {})
    wait_for(lambda: not spool())
    assert said(home.service) == ["one", "two"]


def test_a_batch_that_can_never_be_stored_does_not_hold_up_the_others(
    host, home_with, settings, spool
):
    refusal = b'{"ok": false, "error": {"code": "validation_error", "message": "no such thing"}}'
    # The batch of two, and each half of it.
    home = home_with(answer(400, refusal), answer(400, refusal), answer(413))
    host.register(settings(home.url, autoRecall=False))
    turn(host, "one")
    turn(host, "two")
    assert said(home.service) == ["two"]
    assert spool() == []
    assert len(host.log) == 1
    assert "cannot be stored and is left out: HTTP 400: no such thing" in host.log[0]


def test_an_event_on_which_the_server_always_fails_does_not_hold_up_the_others(
    host, home_with, settings, spool, wait_for
):
    class Choking(InMemoryService):
        def capture_batch(self, events):
            if any(event.payload.get("content") == "poison" for event in events):
                raise HippocortexError("choked", code="internal_error", status_code=500)
            return super().capture_batch(events)

    home = home_with(memory=Choking())
    host.register(settings(home.url, autoRecall=False))
    turn(host, "poison")
    for text in ("one", "two"):
        turn(host, text)
    wait_for(lambda: not spool(), "the delivery")
    assert said(home.service) == ["one", "two"]
    assert len(home.service.events) == 5  # the answer to the poison, too


@pytest.mark.parametrize("fault", [stall, lose_answer], ids=["before", "after"])
def test_a_process_killed_while_it_sends_loses_nothing_and_nothing_comes_twice(
    start_host, home_with, settings, spool, wait_for, fault
):
    home = home_with(fault, *[stall] * 5)
    host = start_host()
    host.register(settings(home.url, autoRecall=False, timeoutMs=10_000))
    host.send(op="hook", name="agent_end", event=ended("hello", "r1"), context=context("r1"))
    wait_for(lambda: len(batches(home)) >= 1, "the request")
    assert len(spool()) == 1
    host.kill()
    home.faults.clear()
    other = start_host()
    other.register(settings(home.url, autoRecall=False))
    turn(other, "and again")
    wait_for(lambda: not spool(), "the delivery")
    assert said(home.service) == ["hello", "and again"]


def test_processes_that_share_a_spool_deliver_everything_once_and_in_order(
    start_host, home_with, settings, spool, wait_for
):
    home = home_with(*[answer(503)] * 6)
    hosts = [start_host(), start_host()]
    for host in hosts:
        host.register(settings(home.url, autoRecall=False))
    for n in range(10):
        for name, host in enumerate(hosts):
            run = f"p{name}-{n}"
            event = ended(f"{name}: {n}", run)
            host.send(op="hook", name="agent_end", event=event, context=context(run, f"s{name}"))
    for host in hosts:
        for _ in range(10):
            host.answer()
    wait_for(lambda: not spool(), "the delivery")
    texts = said(home.service)
    assert len(texts) == 20
    for name in (0, 1):
        assert [one for one in texts if one.startswith(f"{name}:")] == [
            f"{name}: {n}" for n in range(10)
        ]
    # Nothing was sent twice either, as one process delivers at a time.
    keys = [event["idempotencyKey"] for one in batches(home)[6:] for event in one.body["events"]]
    assert len(keys) == len(set(keys)) == 40


def test_turns_that_end_at_once_are_all_captured(host, home_with, settings, spool, wait_for):
    home = home_with()
    host.register(settings(home.url, autoRecall=False))
    commands = [
        {"op": "hook", "name": "agent_end", "event": ended(f"n {n}", f"r{n}"), "context": context(f"r{n}", f"s{n}")}
        for n in range(30)
    ]  # fmt: skip
    host.do(op="all", commands=commands)
    wait_for(lambda: not spool(), "the delivery")
    assert sorted(said(home.service)) == sorted(f"n {n}" for n in range(30))


def test_a_run_with_very_many_calls_is_captured_as_a_whole(host, home_with, settings, wait_for):
    home = home_with()
    host.register(settings(home.url, autoRecall=False))
    begin(host, "go", "r1")
    for n in range(1_100):
        result = {"content": [{"type": "text", "text": "done"}]}
        event = {"toolName": "exec", "params": {}, "result": result, "runId": "r1"}
        host.hook("after_tool_call", {**event, "toolCallId": f"c{n}"}, context("r1"))
    end(host, "go", "r1")
    wait_for(lambda: len(home.service.events) >= 2_202, "the delivery")
    keys = {event.idempotency_key for event in home.service.events}
    assert len(keys) == len(home.service.events) == 2_202


def test_where_the_disk_cannot_be_used_events_wait_in_memory(
    host, home_with, settings, tmp_path, wait_for
):
    (tmp_path / "file").write_text("in the way")
    home = home_with(answer(503), answer(503))
    host.register(settings(home.url, autoRecall=False, spoolDir=str(tmp_path / "file" / "spool")))
    for text in ("one", "two", "three"):
        turn(host, text)
    wait_for(lambda: len(home.service.events) == 6, "the delivery")
    assert said(home.service) == ["one", "two", "three"]
    assert len([one for one in host.log if "the spool cannot be written" in one]) == 1


def test_a_full_spool_drops_the_oldest_and_says_so_once(host, home_with, settings, spool):
    home = home_with(*[answer(503)] * 100)
    host.register(settings(home.url, autoRecall=False, spoolMaxBytes=65_536))
    for n in range(8):
        turn(host, f"{n}" + " word" * 4_000)
    kept = [json.loads(path.read_text())["events"][0]["payload"]["content"][0] for path in spool()]
    assert kept == ["5", "6", "7"]
    assert sum(path.stat().st_size for path in spool()) <= 65_536
    assert len([one for one in host.log if "spoolMaxBytes" in one]) == 1


def test_a_damaged_file_in_the_spool_does_not_hold_up_the_others(host, home_with, settings, spool):
    home = home_with(answer(503))
    host.register(settings(home.url, autoRecall=False))
    turn(host, "one")
    folder = spool()[0].parent
    for name, text in [("000000000000001-000001-x.json", '{"events": [{"ty'), ("000000000000002-000001-x.json", "7")]:  # fmt: skip
        (folder / name).write_text(text)
    half = folder / "000000000000003-000001-x.json.tmp"
    half.write_text("half")
    os.utime(half, (time.time() - 3_600,) * 2)
    turn(host, "two")
    assert said(home.service) == ["one", "two"]
    assert spool() == []
    assert not half.exists()


def test_a_file_in_the_spool_that_cannot_be_read_stays_and_does_not_hold_up_the_others(
    host, home_with, settings, spool
):
    home = home_with(answer(503))
    host.register(settings(home.url, autoRecall=False))
    turn(host, "one")
    unread = spool()[0].with_name("000000000000001-000001-x.json")
    unread.symlink_to(unread.name)  # also root cannot read that
    for text in ("two", "three"):
        turn(host, text)
    assert said(home.service) == ["one", "two", "three"]
    assert [path for path in spool() if path.is_symlink()] == [unread]
    assert len([one for one in host.log if "cannot be read (ELOOP); it stays" in one]) == 1


def test_a_clock_that_was_set_back_holds_nothing_up(host, home_with, settings, spool):
    home = home_with(answer(503))
    host.register(settings(home.url, autoRecall=False))
    turn(host, "one")
    hour = 3_600_000
    time_of_it, _, rest = spool()[0].name.partition("-")
    spool()[0].rename(spool()[0].with_name(f"{int(time_of_it) + hour:015}-{rest}"))
    lock = spool()[0].parent / "drain.lock"
    lock.write_text("of a process that died before")
    os.utime(lock, (time.time() + 3_600,) * 2)
    turn(host, "two")
    assert sorted(said(home.service)) == ["one", "two"]
    assert spool() == []


def test_what_waits_in_memory_is_bounded(host, home_with, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    home = home_with(*[answer(503)] * 200)
    where = str(tmp_path / "file" / "spool")
    host.register(settings(home.url, autoRecall=False, spoolDir=where, timeoutMs=100))
    for n in range(100):
        turn(host, f"{n} " + "word " * 40_000)
    assert [one for one in host.log if "the oldest are dropped" in one]


def test_no_secret_is_written_to_disk(host, settings, spool):
    secret = "ghp_" + "aB3d" * 9
    host.register(settings("http://127.0.0.1:9/v1", apiKey="hx_test_0123456789abcdef"))
    run = "r1"
    event = {
        "toolName": "login",
        "params": {"user": "ada", "password": "correct horse"},
        "result": {"content": [{"type": "text", "text": f"token {secret}"}]},
        "runId": run,
        "toolCallId": "c1",
    }
    begin(host, f"my token is {secret}", run)
    host.hook("after_tool_call", event, context(run))
    end(host, f"my token is {secret}", run)
    text = "".join(path.read_text() for path in spool()) + "".join(host.log)
    assert text.count("[redacted:github-token]") == 2
    for hidden in (secret, "correct horse", "hx_test_0123456789abcdef"):
        assert hidden not in text


def test_events_for_one_server_are_not_sent_to_another(host, home_with, settings, spool, wait_for):
    host.register(settings("http://127.0.0.1:9/v1", autoRecall=False))
    turn(host, "for the first")
    home = home_with()
    host.register(settings(home.url, autoRecall=False))
    turn(host, "for the second")
    assert said(home.service) == ["for the second"]
    assert len(spool()) == 1


def test_a_lock_that_somebody_left_behind_is_taken_over(host, home_with, settings, spool):
    home = home_with(answer(503))
    host.register(settings(home.url, autoRecall=False))
    turn(host, "one")
    lock = spool()[0].parent / "drain.lock"
    lock.write_text("half wri")
    os.utime(lock, (time.time() - 3_600,) * 2)
    turn(host, "two")
    assert said(home.service) == ["one", "two"]
    assert not lock.exists()


def test_the_memory_is_asked_again_when_it_is_back(host, home_with, settings, wait_for):
    home = home_with(*[answer(500)] * 3)
    host.register(settings(home.url, autoCapture=False))
    home.service.capture_batch([])
    for n in range(3):
        begin(host, "hello", f"r{n}")
    assert begin(host, "hello", "r3")[0] is None
    assert len(home.received) == 3  # the breaker is open: nobody was asked

    numbers = itertools.count()

    def asked_again():
        begin(host, "hello", f"again-{next(numbers)}")
        return len(home.received) > 4

    wait_for(asked_again, "a new question")
    assert [one for one in host.log if "the memory answers again" in one]
