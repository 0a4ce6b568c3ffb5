"""Clients whose memory lives in this process."""

import asyncio
import subprocess
import sys
import threading

import pytest

from hippocortex_core import Hippocortex, SyncHippocortex, home
from hippocortex_core.errors import (
    ConfigurationError,
    MissingExtraError,
    UnavailableError,
    ValidationError,
)
from hippocortex_core.testing import Blocking, InMemoryService
from hippocortex_core.types import CaptureEvent

EVENT = CaptureEvent("message", "s1", {"role": "user", "content": "hi"})


@pytest.fixture(params=["sync", "async"])
def connect(request):
    def connect(**kwargs):
        if request.param == "sync":
            return SyncHippocortex(**kwargs)
        return Blocking(Hippocortex(**kwargs))

    return connect


def test_constructing_a_client_opens_nothing(connect, tmp_path):
    connect()
    connect(base_url="sqlite:///elsewhere/memory.db")
    connect(api_key="k", base_url="http://127.0.0.1:1/v1")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_configuration_is_reported_at_once(connect, tmp_path):
    (tmp_path / ".hippocortex.json").write_text("{oops")
    with pytest.raises(ConfigurationError, match="not valid JSON"):
        connect()


def test_without_the_engine_the_error_names_the_extra(connect, monkeypatch):
    monkeypatch.setattr(home, "ENGINE_MODULE", "no_such_engine")
    client = connect(base_url="sqlite:///memory.db")
    with pytest.raises(MissingExtraError, match=r"pip install 'hippocortex\[local\]'"):
        client.health()


def test_a_broken_engine_is_not_taken_for_a_missing_one(connect, monkeypatch, tmp_path):
    (tmp_path / "broken_engine.py").write_text("import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(home, "ENGINE_MODULE", "broken_engine")
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency") as caught:
        connect(base_url="sqlite:///memory.db").health()
    assert not isinstance(caught.value, MissingExtraError)


def test_an_engine_is_opened_once_with_the_url_as_it_is(connect, monkeypatch, tmp_path):
    (tmp_path / "fake_engine.py").write_text(
        "from hippocortex_core.testing import InMemoryService\n"
        "opened = []\n"
        "def open_engine(url):\n"
        "    opened.append((url, InMemoryService()))\n"
        "    return opened[-1][1]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(home, "ENGINE_MODULE", "fake_engine")
    monkeypatch.delitem(sys.modules, "fake_engine", raising=False)
    client = connect(base_url="sqlite:///memory.db")
    threads = [threading.Thread(target=client.capture, args=(EVENT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ((url, service),) = sys.modules["fake_engine"].opened
    assert (url, len(service.events)) == ("sqlite:///memory.db", 8)
    client.close()
    assert service.closed


def test_a_service_of_ones_own_stays_open_when_the_client_is_closed(connect):
    service = InMemoryService()
    client = connect(service=service)
    client.capture(EVENT)
    client.close()
    assert not service.closed
    with pytest.raises(UnavailableError, match="this client is closed"):
        client.capture(EVENT)


def test_long_batches_reach_the_service_in_pieces(connect):
    sizes = []

    class Counting(InMemoryService):
        def capture_batch(self, events):
            sizes.append(len(events))
            return super().capture_batch(events)

    result = connect(service=Counting()).capture_batch([EVENT] * 2001)
    assert (sizes, result.summary.total, len(result.results)) == ([1000, 1000, 1], 2001, 2001)


@pytest.mark.parametrize("events", [None, 5, "abc", {}, iter([])])
def test_a_batch_is_a_list(connect, events):
    for call in ("capture_batch", "import_events"):
        with pytest.raises(ValidationError) as caught:
            getattr(connect(service=InMemoryService()), call)(events)
        assert caught.value.details[0].field == "events"


def test_the_event_loop_goes_on_while_the_service_works():
    working, go_on = threading.Event(), threading.Event()

    class Slow(InMemoryService):
        def health(self):
            working.set()
            assert go_on.wait(10)
            return super().health()

    async def ask():
        async with Hippocortex(service=Slow()) as client:
            asked = asyncio.create_task(client.health())
            assert await asyncio.to_thread(working.wait, 10)
            go_on.set()
            return await asked

    assert asyncio.run(ask()).status == "ok"


def test_clients_are_context_managers():
    with SyncHippocortex(service=InMemoryService()) as client:
        client.capture(EVENT)
    with pytest.raises(UnavailableError):
        client.health()

    async def ask():
        async with Hippocortex(service=InMemoryService()) as client:
            await client.capture(EVENT)
        with pytest.raises(UnavailableError):
            await client.health()

    asyncio.run(ask())


def test_an_export_can_be_narrowed(connect):
    service = InMemoryService()
    for user in ("u1", "u2"):
        service.capture(CaptureEvent("message", "s1", {}, {"user_id": user}))
    exported = list(connect(service=service).export(user_id="u2"))
    assert exported == service.events[1:]


def test_the_core_loads_no_engine_and_no_http():
    code = (
        "import sys, hippocortex_core\n"
        "hippocortex_core.SyncHippocortex(api_key='k')\n"
        "print([m for m in ('httpx', 'numpy', 'sqlalchemy', 'hippocortex', 'hippocortex_engine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
