"""The service, the blocking client and the asynchronous client offer the same calls."""

import inspect

import pytest

from hippocortex_core import Hippocortex, MemoryService, SyncHippocortex
from hippocortex_core.testing import InMemoryService

CALLS = [
    name
    for name, value in vars(MemoryService).items()
    if inspect.isfunction(value) and not name.startswith("_")
]


def signature(owner, name):
    return inspect.signature(getattr(owner, name))


def summary(owner, name):
    return getattr(owner, name).__doc__.splitlines()[0]


def calls(owner):
    return {
        name
        for name, value in vars(owner).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


@pytest.mark.parametrize("name", CALLS)
def test_the_sync_client_satisfies_the_service(name):
    assert signature(SyncHippocortex, name) == signature(MemoryService, name)
    assert summary(SyncHippocortex, name) == summary(MemoryService, name)


@pytest.mark.parametrize("name", [*CALLS, "export", "__init__"])
def test_the_two_clients_differ_only_in_waiting(name):
    waiting, other = signature(Hippocortex, name), signature(SyncHippocortex, name)
    assert str(waiting).replace("Async", "") == str(other)
    if name != "__init__":
        assert getattr(Hippocortex, name).__doc__ == getattr(SyncHippocortex, name).__doc__
        assert inspect.iscoroutinefunction(getattr(Hippocortex, name)) == (name != "export")


@pytest.mark.parametrize("client", [Hippocortex, SyncHippocortex])
def test_a_client_adds_nothing_but_export(client):
    assert calls(client) == {*CALLS, "export"}


@pytest.mark.parametrize("name", CALLS)
def test_the_memory_for_tests_satisfies_the_service(name):
    assert signature(InMemoryService, name) == signature(MemoryService, name)


def test_a_client_can_be_used_wherever_a_service_is_asked_for():
    inner = InMemoryService()
    outer = SyncHippocortex(service=SyncHippocortex(service=inner))
    assert outer.health() == inner.health()
