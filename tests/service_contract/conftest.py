"""One memory, several ways to it: every test of this folder runs through each of them."""

from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from hippocortex_core import Hippocortex, SyncHippocortex
from hippocortex_core.testing import Blocking, HttpHome
from hippocortex_engine import open_engine
from hippocortex_server import ServerSettings
from hippocortex_server.testing import LiveServer

URL = "sqlite:///memory.db"


@contextmanager
def engine(url=URL):
    memory = open_engine(url)
    yield memory
    memory.close()


@contextmanager
def local_sync():
    with SyncHippocortex(base_url=URL) as memory:
        yield memory


@contextmanager
def local_async():
    memory = Blocking(Hippocortex(base_url=URL))
    yield memory
    memory.close()


@contextmanager
def http_sync():
    with (
        engine() as service,
        HttpHome(service) as home,
        SyncHippocortex(base_url=home.url) as memory,
    ):
        yield memory


@contextmanager
def http_async():
    with engine() as service, HttpHome(service) as home:
        memory = Blocking(Hippocortex(base_url=home.url))
        yield memory
        memory.close()


@contextmanager
def server(url=URL):
    with (
        LiveServer(ServerSettings(store=url)) as home,
        SyncHippocortex(base_url=home.url, api_key=home.new_key()) as memory,
    ):
        yield memory


HOMES = {
    "engine": engine,
    "in-process-sync": local_sync,
    "in-process-async": local_async,
    "http-sync": http_sync,
    "http-async": http_async,
    "server-sqlite": server,
}


ON_POSTGRESQL = {"engine-postgresql": engine, "server-postgresql": server}


@pytest.fixture(params=[*HOMES, *ON_POSTGRESQL])
def home(request):
    if request.param in ON_POSTGRESQL:
        return partial(ON_POSTGRESQL[request.param], request.getfixturevalue("postgres_url"))
    return HOMES[request.param]


@pytest.fixture
def memory(home):
    """An empty memory."""
    with home() as opened:
        yield opened


@pytest.fixture
def reopen(home):
    """Opens the same memory once more, next to the first or after it was closed."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(home())


@pytest.fixture
def elsewhere(home, request, monkeypatch, tmp_path):
    """Opens another, empty memory of the same kind."""
    with ExitStack() as stack:
        if isinstance(home, partial):
            home = partial(home.func, request.getfixturevalue("new_postgres_url")())
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        yield lambda: stack.enter_context(home())
