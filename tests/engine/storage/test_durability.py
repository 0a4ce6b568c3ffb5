"""Nothing lost, nothing twice: crashes, other processes, full disks, forks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from hippocortex_core import CaptureEvent, UnavailableError
from hippocortex_engine import open_engine

on_both = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def message(number, session="s1", key=None):
    return CaptureEvent(
        "message", session, {"role": "user", "content": f"event {number}"}, idempotency_key=key
    )


def run(code: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


WRITER = """
    import sys
    from hippocortex_core import CaptureEvent
    from hippocortex_engine import open_engine
    url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    engine = open_engine(url)
    for start in range(0, count, 20):
        events = [
            CaptureEvent("message", name, {"content": f"{name} {n}"}, idempotency_key=f"{name}-{n}")
            for n in range(start, start + 20)
        ]
        engine.capture_batch(events)
        print(start + 20, flush=True)
"""


@on_both
def test_after_kill_9_every_acknowledged_event_is_there_once(url_of):
    process = run(WRITER, url_of(), "writer", "1000000")
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= 200:
            break
    os.kill(process.pid, signal.SIGKILL)
    rest = process.communicate()[0]
    acknowledged = max([acknowledged, *map(int, rest.split())])
    engine = open_engine(url_of())
    stored = [one.idempotency_key for one in _all(engine)]
    assert len(stored) == len(set(stored))
    assert {f"writer-{n}" for n in range(acknowledged)} <= set(stored)
    # Whoever was cut off sends again: the rest arrives, and nothing twice.
    result = engine.capture_batch([message(n, key=f"writer-{n}") for n in range(acknowledged + 20)])
    assert result.summary.errors == 0
    assert engine.list_events().pagination.total == max(acknowledged + 20, len(stored))
    engine.close()


def test_two_processes_write_and_read_the_same_file_without_loss(path):
    engine = open_engine(f"sqlite:///{path}")
    others = [run(WRITER, f"sqlite:///{path}", name, "400") for name in ("a", "b")]
    for number in range(200):
        engine.capture(message(number, session="own", key=f"own-{number}"))
        engine.synthesize(f"event {number}")
    for process in others:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    keys = [one.idempotency_key for one in _all(engine)]
    assert len(keys) == len(set(keys)) == 1000
    found = engine.synthesize("a 399")
    assert any("a 399" in entry.content for entry in found.entries)
    engine.close()


@on_both
def test_threads_share_one_engine_without_loss(engine):
    def write(name):
        for number in range(50):
            engine.capture(message(number, session=name))
            engine.synthesize("event", None)

    threads = [threading.Thread(target=write, args=(f"t{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert engine.list_events().pagination.total == 400


@on_both
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that is what is tested
def test_a_forked_child_uses_connections_of_its_own(engine):
    engine.capture(message(1))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            engine.capture(message(2, key="from the child"))
            engine.synthesize("event")
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    engine.capture(message(3))
    assert engine.list_events().pagination.total == 3


def test_a_full_disk_is_a_clear_error_and_loses_nothing_acknowledged(open_memory):
    engine = open_memory()
    engine.capture(message(1))
    with engine._database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(UnavailableError, match="disk is full"):
        engine.capture_batch([message(n) for n in range(2, 2000)])
    assert engine.list_events().pagination.total == 1
    assert engine.synthesize("event").entries


def test_a_read_only_file_can_be_read_but_says_why_it_cannot_be_written(open_memory, path):
    engine = open_memory()
    engine.capture(message(1))
    with engine._database.write() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    with pytest.raises(UnavailableError, match="cannot be written"):
        engine.capture(message(2))
    assert engine.list_events().pagination.total == 1


def _all(engine):
    found, cursor = [], None
    while True:
        page = engine.list_events(order="asc", limit=1000, cursor=cursor)
        found += page.events
        cursor = page.pagination.cursor
        if cursor is None:
            return found
