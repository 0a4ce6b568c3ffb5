"""Several processes: one socket, one set of limits, and none that stays dead or stays behind."""

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

MESSAGE = {"type": "message", "sessionId": "s1", "payload": {"role": "user", "content": "hello"}}


def test_a_worker_that_is_killed_is_started_anew(start, wait_for, is_alive, store, a_key):
    key = a_key(store)
    server = start("--workers", "2", "--store", store)
    wait_for(lambda: len(server.workers) == 2, "the start of two workers")
    for pid in server.workers[:2]:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(server.workers) == 4, "the start of two more")
    with server.client(key) as client:
        assert client.post("/capture", json=MESSAGE).status_code == 200
    workers = server.workers
    assert server.stop() == 0
    assert not any(is_alive(pid) for pid in workers)


def test_workers_leave_when_their_supervisor_is_killed(start, wait_for, is_alive):
    server = start("--workers", "2")
    wait_for(lambda: len(server.workers) == 2)
    workers = server.workers
    server.stop(signal.SIGKILL)
    wait_for(lambda: not any(is_alive(pid) for pid in workers), "the end of the workers")


def test_a_worker_that_hangs_does_not_keep_it_from_stopping(start, wait_for, is_alive):
    server = start("--workers", "2", "--shutdown-timeout", "1")
    wait_for(lambda: len(server.workers) == 2)
    os.kill(server.workers[0], signal.SIGSTOP)
    workers = server.workers
    assert server.stop() == 1  # it had to be killed: what it was doing is not done
    assert not any(is_alive(pid) for pid in workers)


def test_a_limit_is_one_limit_for_all_workers(start, wait_for):
    server = start("--workers", "2", "--rate-limit", "40")
    wait_for(lambda: len(server.workers) == 2)

    def ask(_):
        return server.ask("GET", "/v1/usage-metrics")[0]  # a connection each: they spread

    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(ask, range(60)))
    # A minute's worth, and what is granted anew while the test runs.
    anew = (time.monotonic() - started) * 40 / 60
    assert 40 <= statuses.count(200) <= 41 + anew
    assert set(statuses) == {200, 429}


def test_captures_of_all_workers_are_one_memory(start, wait_for, store, a_key):
    key = a_key(store)
    server = start("--workers", "2", "--store", store)
    wait_for(lambda: len(server.workers) == 2)

    def capture(number):
        event = {**MESSAGE, "idempotencyKey": f"k{number % 50}"}
        return server.ask("POST", "/v1/capture", event, key)[1]["data"]["status"]

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(capture, range(100)))
    assert (statuses.count("ingested"), statuses.count("duplicate")) == (50, 50)


def test_it_learns_by_itself_once_for_all_workers(start, wait_for, store, a_key):
    key = a_key(store)
    server = start("--workers", "2", "--store", store, "--auto-learn", "--learn-after", "20")
    with server.client(key) as client:
        for number in range(30):
            client.post("/capture", json={**MESSAGE, "idempotencyKey": str(number)})

        def compilations():
            return client.get("/usage-metrics").json()["data"]["usage"]["compilations"]

        wait_for(compilations, "learning")
        assert compilations() == 1
        wait_for(
            lambda: any(line["message"] == "learned" for line in server.lines), "a line in the log"
        )
    assert server.stop() == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="nothing shows who has a connection")
def test_no_worker_gets_all_connections(start, wait_for):
    server = start("--workers", "2")
    wait_for(lambda: len(server.workers) == 2)
    wait_for(lambda: server.log.count("Application startup complete") == 2)

    def sockets(pid):
        links = [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir()]
        return sum(str(link).startswith("socket:") for link in links)

    before = [sockets(pid) for pid in server.workers]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(12)]
        assert {client.get("/health").status_code for client in clients} == {200}
        after = [sockets(pid) for pid in server.workers]
    taken = [now - then for now, then in zip(after, before, strict=True)]
    # How evenly depends on how busy the machine is.
    assert min(taken) >= 3, taken


def test_a_worker_takes_connections_that_nobody_else_does(start, wait_for):
    server = start("--workers", "2")
    wait_for(lambda: server.log.count("Application startup complete") == 2)
    os.kill(server.workers[0], signal.SIGSTOP)
    try:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.client()) for _ in range(5)]
            assert {client.get("/health").status_code for client in clients} == {200}
    finally:
        os.kill(server.workers[0], signal.SIGCONT)
