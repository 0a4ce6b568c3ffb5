"""One memory, five ways to it: every test of this folder runs through each of them."""

from contextlib import ExitStack, contextmanager

import pytest

from hippocortex_core import Hippocortex, SyncHippocortex
from hippocortex_core.testing import Blocking, HttpHome
from hippocortex_engine import open_engine

URL = "sqlite:///memory.db"


@contextmanager
def engine():
    memory = open_engine(URL)
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


HOMES = {
    "engine": engine,
    "in-process-sync": local_sync,
    "in-process-async": local_async,
    "http-sync": http_sync,
    "http-async": http_async,
}


@pytest.fixture(params=HOMES)
def home(request):
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
