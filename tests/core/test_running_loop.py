"""Blocking code where an event loop runs already: notebooks, and tools of asynchronous agents."""

import asyncio

import pytest

from hippocortex_core import CaptureEvent, Recorder, SyncHippocortex, UserMessage, session

DOOR = CaptureEvent("message", "s", {"role": "user", "content": "The door code is 4711"})


@pytest.fixture
def client(contract_home):
    with SyncHippocortex("hx_test_contract", contract_home) as found:
        found.health()  # loads the engine, which nobody waits for in a recall
        yield found


def test_the_blocking_client_works_there(client):
    async def cell():
        client.capture(DOOR)
        client.learn()
        return client.synthesize("What is the door code?")

    assert any("4711" in entry.content for entry in asyncio.run(cell()).entries)


def test_a_recorder_works_there(client):
    async def cell(recorder):
        with session("s", user_id="ann"):
            recorder.record(UserMessage("The door code is 4711"))
            assert recorder.flush(10)
            return recorder.recall("What is the door code?").text

    with Recorder(client, recall_deadline=30, strict=True) as recorder:
        for _ in range(2):  # a notebook's next cell, in a loop of its own
            assert "4711" in asyncio.run(cell(recorder))
