"""Both clients against a real HTTP server on this machine."""

import asyncio
import gc
import gzip
import os
import socket
import threading

import pytest

from hippocortex_core import Hippocortex, SyncHippocortex
from hippocortex_core.config import resolve
from hippocortex_core.errors import (
    ConfigurationError,
    InternalError,
    NetworkError,
    NotFoundError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
    ValidationError,
)
from hippocortex_core.exchange import RetryPolicy
from hippocortex_core.operations import OPERATIONS, Capture, CaptureBatch
from hippocortex_core.testing import (
    Blocking,
    HttpHome,
    InMemoryService,
    answer,
    cut_off,
    lose_answer,
    reset,
    stall,
)
from hippocortex_core.transports.http import AsyncHttpTransport, HttpTransport
from hippocortex_core.types import CaptureEvent, Event

EVENT = CaptureEvent("message", "s1", {"role": "user", "content": "Grüße 😀"})
STORED = Event("e1", "message", "s1", {}, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z")
IMPATIENT = RetryPolicy(retries=2, base_delay=0.0)


def sync_client(url, api_key=None, timeout=30.0, policy=IMPATIENT):
    return SyncHippocortex(transport=HttpTransport(resolve(api_key, url, timeout), policy))


def async_client(url, api_key=None, timeout=30.0, policy=IMPATIENT):
    transport = AsyncHttpTransport(resolve(api_key, url, timeout), policy)
    return Blocking(Hippocortex(transport=transport))


@pytest.fixture
def service():
    return InMemoryService()


@pytest.fixture
def start(service):
    homes = []

    def start(*faults, **kwargs):
        home = HttpHome(service, faults=faults, **kwargs)
        home.__enter__()
        homes.append(home)
        return home

    yield start
    for home in homes:
        home.__exit__(None, None, None)


@pytest.fixture(params=[sync_client, async_client], ids=["sync", "async"])
def connect(request):
    clients = []

    def connect(*args, **kwargs):
        client = request.param(*args, **kwargs)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def keys(home):
    return [(r.headers.get("idempotency-key"), r.body["idempotencyKey"]) for r in home.received]


def test_what_is_captured_over_http_is_stored(start, connect, service):
    client = connect(start().url)
    result = client.capture(EVENT)
    assert result.status == "ingested"
    assert [event.payload for event in service.events] == [EVENT.payload]
    assert client.list_events().events[0].id == result.event_id


@pytest.mark.parametrize(
    "fault",
    [
        answer(500),
        answer(503),
        answer(429, headers={"Retry-After": "0"}),
        reset,
        cut_off,
        answer(502, b"<html>"),
    ],
    ids=["500", "503", "429", "reset", "cut off", "gateway"],
)
def test_a_passing_fault_is_ridden_out_with_one_key_and_one_event(start, connect, service, fault):
    home = start(fault, fault)
    result = connect(home.url).capture(EVENT)
    assert result.event_id == service.events[0].id
    assert len(service.events) == 1
    assert len(home.received) == 3
    assert len({key for pair in keys(home) for key in pair}) == 1


def test_a_capture_whose_answer_was_lost_is_not_stored_twice(start, connect, service):
    result = connect(start(lose_answer).url).capture(EVENT)
    assert (result.status, result.event_id) == ("duplicate", service.events[0].id)
    assert len(service.events) == 1


def test_a_batch_whose_answer_was_lost_is_not_stored_twice(start, connect, service):
    result = connect(start(lose_answer).url).capture_batch([EVENT, EVENT])
    assert (result.summary.duplicates, len(service.events)) == (2, 2)


def test_two_captures_of_the_same_event_are_two_events(start, connect, service):
    client = connect(start().url)
    assert [client.capture(EVENT).status for _ in range(2)] == ["ingested", "ingested"]
    assert len(service.events) == 2


def test_a_service_that_stays_limited_says_so(start, connect):
    home = start(*[answer(429, headers={"Retry-After": "0"})] * 3)
    with pytest.raises(RateLimitedError) as caught:
        connect(home.url).health()
    assert (caught.value.status_code, caught.value.retry_after, len(home.received)) == (429, 0.0, 3)


@pytest.mark.parametrize("wait", ["3", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_the_client_waits_as_long_as_it_is_asked_to(start, service, wait):
    waited = []
    home = start(answer(429, headers={"Retry-After": wait}))
    transport = HttpTransport(resolve(base_url=home.url), RetryPolicy(max_delay=3.0), waited.append)
    with SyncHippocortex(transport=transport) as client:
        client.health()
    assert waited == [3.0]


def test_the_async_client_waits_without_blocking(start):
    waited = []

    async def note(seconds):
        waited.append(seconds)

    home = start(answer(503, headers={"Retry-After": "2"}))

    async def ask():
        async with Hippocortex(
            transport=AsyncHttpTransport(resolve(base_url=home.url), RetryPolicy(), note)
        ) as client:
            await client.health()

    asyncio.run(ask())
    assert waited == [2.0]


@pytest.mark.parametrize(
    "fault",
    [
        answer(200, b"\x00\xff garbage"),
        answer(200, b"<html>Welcome</html>", {"Content-Type": "text/html"}),
        answer(200, b'{"ok": true, "data": {}}'),
        answer(204),
        answer(302, headers={"Location": "https://elsewhere.test/"}),
    ],
    ids=["garbage", "html", "empty data", "no content", "redirect"],
)
def test_an_answer_that_is_not_ours_is_a_clear_error(start, connect, fault):
    with pytest.raises(InternalError):
        connect(start(fault).url).health()


def test_a_body_that_cannot_be_unpacked_is_a_network_error(start, connect):
    fault = answer(200, gzip.compress(b"{}")[:-9], {"Content-Encoding": "gzip"})
    broken = answer(200, b"not gzip", {"Content-Encoding": "gzip"})
    with pytest.raises((NetworkError, InternalError)):
        connect(start(fault, broken, broken).url).health()


def test_a_service_that_does_not_answer_in_time_is_a_network_error(start, connect):
    home = start(stall, stall, stall)
    with pytest.raises(NetworkError, match=r"no answer within 0\.2 s"):
        connect(home.url, timeout=0.2).health()
    assert len(home.received) == 3


def test_a_service_that_is_not_there_is_a_network_error(connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(NetworkError) as caught:
            connect(url).capture(EVENT)
    assert url in caught.value.message
    assert caught.value.__cause__ is not None


def test_a_host_that_cannot_be_written_as_a_name_is_a_configuration_error(connect):
    with pytest.raises(ConfigurationError, match="base URL"):
        connect("http://é..example/v1").health()


def test_a_wrong_key_is_unauthorized_and_a_right_one_is_not(start, connect):
    home = start(api_key="hx_test_1")
    with pytest.raises(UnauthorizedError) as caught:
        connect(home.url, "hx_test_2").health()
    assert caught.value.request_id == "req-1"
    assert len(home.received) == 1
    assert connect(home.url, "hx_test_1").health().status == "ok"


def test_a_service_without_the_extensions_says_which_is_lacking(start, connect):
    home = start(offers=[op for op in OPERATIONS if not op.extension])
    client = connect(home.url)
    client.capture(EVENT)
    for name, call in [
        ("list_events", client.list_events),
        ("forget", lambda: client.forget(session_id="s1")),
        ("import_events", lambda: client.import_events([STORED])),
        ("health", client.health),
        ("deprecate_artifact", lambda: client.deprecate_artifact("a")),
        (
            "list_events",
            client.export if isinstance(client, Blocking) else lambda: list(client.export()),
        ),
    ]:
        with pytest.raises(NotFoundError, match=f"does not offer '{name}'"):
            call()


def test_a_service_error_keeps_its_details(start, connect):
    with pytest.raises(ValidationError) as caught:
        connect(start().url).list_events(cursor="mine")
    assert [detail.field for detail in caught.value.details] == ["cursor"]


def test_long_batches_are_sent_in_pieces_and_come_back_whole(start, connect, service):
    home = start()
    events = [CaptureEvent("message", "s1", {"n": n}) for n in range(2500)]
    events[1200] = CaptureEvent("dream", "s1", {})
    result = connect(home.url).capture_batch(events)
    assert [len(r.body["events"]) for r in home.received] == [1000, 999, 500]
    assert (result.summary.total, result.summary.ingested, result.summary.errors) == (2500, 2499, 1)
    assert [position for position, item in enumerate(result.results) if item.status == "error"] == [
        1200
    ]
    assert [event.payload["n"] for event in service.events] == [n for n in range(2500) if n != 1200]


def test_an_export_is_every_event_oldest_first_and_can_be_imported(start, connect, service):
    service.capture_batch([CaptureEvent("message", "s1", {"n": n}) for n in range(450)])
    home = start()
    exported = list(connect(home.url).export())
    assert [event.payload["n"] for event in exported] == list(range(450))
    assert len(home.received) == 3
    service.events.clear()
    assert connect(home.url).import_events(exported).summary.ingested == 450
    assert service.events == exported


def test_connections_are_reused(start):
    home = start()
    with sync_client(home.url) as client:
        for _ in range(3):
            client.health()
    assert len({received.port for received in home.received}) == 1


def test_a_client_is_shared_by_threads(start, service):
    home = start()
    with sync_client(home.url) as client:
        threads = [threading.Thread(target=client.capture, args=(EVENT,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(service.events) == 16


def test_an_async_client_outlives_its_event_loop_and_leaves_nothing_open(start, service):
    client = Hippocortex(base_url=start().url)

    async def burst():
        return await asyncio.gather(*(client.capture(EVENT) for _ in range(8)))

    for _ in range(2):
        asyncio.run(burst())
        gc.collect()  # an open socket left behind would be a ResourceWarning, and so an error
    assert len(service.events) == 16


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_client_works_on_both_sides_of_a_fork(start, service):
    home = start()
    with SyncHippocortex(base_url=home.url) as client:
        client.capture(EVENT)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if client.capture(EVENT).status == "ingested" else 1
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        client.capture(EVENT)
    assert len(service.events) == 3


def test_a_closed_client_says_so(start, connect):
    client = connect(start().url)
    client.capture(EVENT)
    client.close()
    client.close()
    with pytest.raises(UnavailableError, match="this client is closed"):
        client.capture(EVENT)


def test_nothing_is_sent_when_no_event_of_a_batch_can_be(start, connect):
    home = start()
    result = connect(home.url).capture_batch([CaptureEvent("message", "s1", {"x": {1}})])
    assert (result.summary.errors, home.received) == (1, [])


def test_a_transport_carries_operations_by_itself(start):
    home = start()
    transport = HttpTransport(resolve(base_url=home.url))
    assert transport.send(Capture(EVENT)).status == "ingested"
    assert transport.send(CaptureBatch([EVENT])).summary.ingested == 1
    transport.close()
