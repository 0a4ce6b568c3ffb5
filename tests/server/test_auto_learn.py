"""Auto-learn: after enough new events or a quiet time, one process at a time, and it recovers."""

import asyncio
import threading
import time
from itertools import count

import pytest

from hippocortex_core.errors import UnavailableError
from hippocortex_core.operations import OPERATIONS
from hippocortex_core.types import CaptureEvent
from hippocortex_engine import Database, Engine
from hippocortex_server.calls import Call
from hippocortex_server.learner import AutoLearner
from hippocortex_server.learning_process import LearningProcess
from hippocortex_server.learning_thread import LearningThread
from hippocortex_server.leases import LEASE, Lease, holder_until
from hippocortex_server.workers import Background

PATIENCE = 60.0  # seconds after which a test gives up waiting for another thread or process


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1_780_000_000_000

    def __call__(self):
        return self.now

    def pass_seconds(self, seconds):
        self.now += round(seconds * 1000)


class Recorded:
    """A way to learn that remembers for whom, and can fail or be held up."""

    def __init__(self, way):
        self.way = way
        self.learned = []
        self.failure = None

    def __call__(self, tenant_id, renew):
        if self.failure is not None:
            raise self.failure
        self.way(tenant_id, renew)
        self.learned.append(tenant_id)

    def close(self):
        self.way.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    if request.param == "sqlite":
        return "sqlite:///memory.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def database(url):
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def way(database):
    return Recorded(LearningThread(database))


@pytest.fixture
def learner(database, way, clock):
    return AutoLearner(database, way, after_events=10, after_idle=60.0, clock=clock)


@pytest.fixture
def capture(database, clock):
    engines, numbers = {}, count()

    def _capture(tenant_id, number):
        if tenant_id not in engines:
            engines[tenant_id] = Engine(database, tenant_id=tenant_id, clock=clock)
        engines[tenant_id].capture_batch(
            [
                CaptureEvent("message", "s1", {"role": "user", "content": f"note {next(numbers)}"})
                for _ in range(number)
            ]
        )

    return _capture


def eventually(condition):
    """Wait until it holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.02)


def test_it_learns_after_enough_new_events(learner, way, capture):
    capture("acme", 9)
    learner.captured("acme")
    assert learner.look() == 0
    capture("acme", 1)
    assert learner.look() == 1
    assert way.learned == ["acme"]


def test_documents_are_learned_from_too(learner, way, database, clock):
    engine = Engine(database, tenant_id="acme", clock=clock)
    for number in range(10):
        engine.put_document(["notes"], str(number), {"text": f"note {number}"})
    learner.captured("acme")
    assert learner.look() == 1
    assert way.learned == ["acme"]


def test_of_whatever_captures_the_learner_is_told():
    class Told(list):
        captured = list.append

    def tells(operation):
        async def served(scope, receive, send):
            call = Call("r1", operation=operation.name, tenant_id="acme")
            call.open(scope)

        told = Told()
        asyncio.run(Background(served, None, told)({"type": "http"}, None, None))
        return told == ["acme"]

    assert {operation.name for operation in OPERATIONS if tells(operation)} == {
        *("capture", "capture_batch", "import_events"),
        *("put_document", "batch_documents"),
    }


def test_it_learns_what_there_is_once_a_tenant_has_gone_quiet(learner, way, capture, clock):
    capture("acme", 3)
    learner.captured("acme")
    learner.look()
    clock.pass_seconds(59)
    capture("acme", 1)  # not quiet: the minute begins anew
    assert learner.look() == 0
    clock.pass_seconds(59)
    assert learner.look() == 0
    clock.pass_seconds(1)
    assert learner.look() == 1
    assert way.learned == ["acme"]


def test_it_does_not_learn_again_without_anything_new(learner, way, capture, clock):
    capture("acme", 10)
    learner.captured("acme")
    learner.look()
    for _ in range(3):
        clock.pass_seconds(3_600)
        assert learner.look() == 0
    capture("acme", 10)
    assert learner.look() == 0  # nobody said so
    learner.captured("acme")
    assert learner.look() == 1


def test_events_that_other_processes_captured_count(learner, way, capture):
    capture("acme", 1)
    learner.captured("acme")
    learner.look()
    capture("acme", 9)  # elsewhere: this process is not told
    assert learner.look() == 1


def test_tenants_are_learned_for_separately(learner, way, capture):
    capture("acme", 10)
    capture("umbrella", 2)
    learner.watch(["acme", "umbrella", "nobody"])
    assert learner.look() == 1
    assert way.learned == ["acme"]


def test_a_tenant_is_learned_for_by_one_process_at_a_time(learner, way, capture, database, clock):
    capture("acme", 10)
    learner.captured("acme")
    elsewhere = Lease(database, "acme", clock)
    assert elsewhere.take()
    assert learner.look() == 0
    elsewhere.release()
    assert learner.look() == 1


def test_the_lease_of_a_process_that_died_lapses(learner, way, capture, database, clock):
    capture("acme", 10)
    learner.captured("acme")
    assert Lease(database, "acme", clock).take()
    clock.pass_seconds(LEASE / 1000 - 1)
    assert learner.look() == 0
    clock.pass_seconds(1)
    assert learner.look() == 1
    assert holder_until(database, "acme") == 0


def test_a_lease_is_renewed_while_learning_goes_on(capture, database, clock):
    capture("acme", 1)
    lease, other = Lease(database, "acme", clock), Lease(database, "acme", clock)
    assert lease.take()
    clock.pass_seconds(40)
    assert lease.renew()
    clock.pass_seconds(40)
    assert not other.take()
    clock.pass_seconds(40)
    assert other.take()
    assert not lease.renew()
    lease.release()  # it is the other's now
    assert holder_until(database, "acme") > clock.now


def test_of_many_who_want_the_lease_one_gets_it(capture, url, database, clock):
    capture("acme", 1)
    barrier = threading.Barrier(6)
    taken = []

    def want():
        lease = Lease(database, "acme", clock)
        barrier.wait(PATIENCE)
        if lease.take():
            taken.append(lease)

    threads = [threading.Thread(target=want) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(taken) == 1


def test_after_a_failure_it_waits_before_it_tries_again(learner, way, capture, clock, caplog):
    capture("acme", 10)
    learner.captured("acme")
    way.failure = UnavailableError("the disk is full")
    assert learner.look() == 0
    assert "auto-learn failed" in caplog.messages
    way.failure = None
    clock.pass_seconds(59)
    assert learner.look() == 0
    clock.pass_seconds(1)
    assert learner.look() == 1


def test_a_tenant_that_fails_does_not_hinder_the_others(learner, way, capture):
    capture("acme", 10)
    capture("umbrella", 10)
    learner.watch(["acme", "umbrella"])
    real = way.way

    def one_fails(tenant_id, renew):
        if tenant_id == "acme":
            raise RuntimeError("no")
        real(tenant_id, renew)

    way.way = one_fails
    assert learner.look() == 1
    assert way.learned == ["umbrella"]


def test_in_the_background_it_learns_and_stops(database, way, capture):
    learner = AutoLearner(database, way, after_events=5)
    capture("acme", 5)
    learner.captured("acme")
    learner.start()
    eventually(lambda: way.learned == ["acme"])
    learner.stop()
    assert "hippocortex-learn" not in {thread.name for thread in threading.enumerate()}


def test_it_goes_on_when_the_database_was_away(database, way, capture, monkeypatch, caplog):
    learner = AutoLearner(database, way, after_events=5)
    capture("acme", 5)
    learner.captured("acme")
    monkeypatch.setattr("hippocortex_server.learner.LOOK", 0.01)
    away = threading.Event()
    away.set()
    real = database.read

    def read():
        if away.is_set():
            raise UnavailableError("the database does not answer")
        return real()

    monkeypatch.setattr(database, "read", read)
    learner.start()
    eventually(lambda: "auto-learn cannot look" in caplog.messages)
    away.clear()
    eventually(lambda: way.learned == ["acme"])
    learner.stop()


def test_learning_happens_in_a_process_of_its_own(url, capture, database):
    capture("acme", 3)
    process = LearningProcess(url)
    try:
        process("acme", lambda: None)
        process("acme", lambda: None)
    finally:
        process.close()
    assert _compiled(database, "acme") == 3


def test_a_learning_process_that_died_is_started_anew(url, capture, database):
    capture("acme", 3)
    process = LearningProcess(url)
    try:
        process("acme", lambda: None)
        first = process._process
        first.kill()
        first.wait()
        capture("acme", 2)
        process("acme", lambda: None)
        assert process._process is not first
    finally:
        process.close()
    assert _compiled(database, "acme") == 5


def test_what_goes_wrong_in_the_learning_process_is_said(tmp_path):
    process = LearningProcess(f"sqlite:///{tmp_path}")
    try:
        with pytest.raises(UnavailableError, match="is a folder"):
            process("acme", lambda: None)
    finally:
        process.close()


def test_a_learning_process_that_was_closed_learns_no_more(url):
    process = LearningProcess(url)
    process.close()
    with pytest.raises(UnavailableError, match="stopping"):
        process("acme", lambda: None)


def _compiled(database, tenant_id):
    from hippocortex_engine.storage import tenants

    with database.read() as connection:
        return tenants.state(connection, tenant_id).compiled_head
