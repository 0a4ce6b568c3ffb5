"""Memory is for a model's request only: nothing of it is in what a graph stores of itself."""

import asyncio
import importlib.util
import pickle

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from hippocortex_core.render import TAG
from hippocortex_langgraph import HippocortexSaver

HAS_LANGCHAIN = importlib.util.find_spec("langchain") is not None
KEY = "hx_live_5up3rS3cr3tK3y5up3rS3cr3tK3y"
CONFIG = {"configurable": {"thread_id": "t1", "user_id": "ann"}}


def look(place: str) -> str:
    """Look somewhere."""
    return f"nothing in {place}"


@pytest.mark.skipif(not HAS_LANGCHAIN, reason="without LangChain there is no middleware")
@pytest.mark.parametrize("awaited", [False, True])
def test_checkpoints_hold_no_memory_and_no_key(model, reading, monkeypatch, awaited):
    from langchain.agents import create_agent

    from hippocortex_langgraph import HippocortexMiddleware

    monkeypatch.setenv("HIPPOCORTEX_API_KEY", KEY)
    reading.knows("Where is the key of the archive? It hangs in room migrate-7f3")
    scripted, kept = model(("look", {"place": "the hall"}), "In its room."), InMemorySaver()
    agent = create_agent(
        scripted,
        [look],
        middleware=[HippocortexMiddleware(reading.recorder)],
        checkpointer=HippocortexSaver(kept, reading.recorder),
    )
    given = {"messages": [HumanMessage("Where is the key of the archive?")]}
    if awaited:
        asyncio.run(agent.ainvoke(given, CONFIG))
    else:
        agent.invoke(given, CONFIG)
    assert [TAG in str(asked) for asked in scripted.asked] == [True, True]
    stored = pickle.dumps((dict(kept.blobs), list(kept.list(CONFIG)), dict(kept.writes)))
    assert b"the archive" in stored
    assert b"In its room." in stored
    found = [one for one in (TAG, "migrate-7f3", KEY, "Recorder") if one.encode() in stored]
    assert found == []
