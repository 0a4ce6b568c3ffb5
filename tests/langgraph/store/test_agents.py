"""Agents that use the store: in tools, in nodes, and through a whole run."""

import asyncio
import warnings
from typing import Annotated

import pytest
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import InjectedStore
from langgraph.store.base import BaseStore

from hippocortex_core import SyncHippocortex
from hippocortex_langgraph import HippocortexStore

try:
    from langchain.agents import create_agent
except ImportError:  # langchain < 1.0
    create_agent = None

KINDS = ["create_react_agent", *(["create_agent"] if create_agent else [])]


class Model(FakeMessagesListChatModel):
    """Says what it is told to."""

    def bind_tools(self, tools, **options):
        return self


@tool
def remember(text: str, store: Annotated[BaseStore, InjectedStore()]) -> str:
    """Keep a memory."""
    store.put(("memories", "ann"), "note", {"text": text})
    return "kept"


@tool
async def recall(query: str, store: Annotated[BaseStore, InjectedStore()]) -> str:
    """Find memories."""
    found = await store.asearch(("memories", "ann"), query=query)
    return "; ".join(item.value["text"] for item in found)


def script():
    return Model(
        responses=[
            AIMessage("", tool_calls=[{"name": "remember", "args": {"text": "tea"}, "id": "1"}]),
            AIMessage("", tool_calls=[{"name": "recall", "args": {"query": "tea"}, "id": "2"}]),
            AIMessage("done"),
        ]
    )


def new_agent(kind, store):
    if kind == "create_agent":
        return create_agent(script(), [remember, recall], store=store)
    from langgraph.prebuilt import create_react_agent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated, and still in use
        return create_react_agent(script(), [remember, recall], store=store)


@pytest.fixture
def store(embedded):
    with HippocortexStore(SyncHippocortex(service=embedded)) as store:
        yield store


@pytest.mark.parametrize("kind", KINDS)
def test_tools_of_an_agent_use_the_store(kind, store, embedded):
    agent = new_agent(kind, store)
    config = {"configurable": {"thread_id": "t", "user_id": "ann"}}
    asked = {"messages": [("user", "hi")]}
    messages = asyncio.run(agent.ainvoke(asked, config))["messages"]
    assert [message.content for message in messages if message.type == "tool"] == ["kept", "tea"]
    (event,) = embedded.list_events(user_id="ann").events
    assert event.session_id == "t"


def test_nodes_of_a_graph_use_the_store(store):
    def write(state, *, store: BaseStore):
        store.put(("notes",), "k", {"text": state["text"]})

    async def read(state, *, store: BaseStore):
        found = await store.asearch(("notes",), query="tea")
        return {"text": found[0].value["text"].upper()}

    graph = StateGraph(dict)
    graph.add_node("write", write)
    graph.add_node("read", read)
    graph.add_edge(START, "write")
    graph.add_edge("write", "read")
    compiled = graph.compile(store=store)
    assert asyncio.run(compiled.ainvoke({"text": "tea"})) == {"text": "TEA"}


def test_concurrent_runs_of_different_users_do_not_mix(embedded):
    async def write(state, config: RunnableConfig, *, store: BaseStore):
        user = config["configurable"]["user_id"]
        await store.aput(("notes", user), "k", {"text": f"{user} likes {state['text']}"})

    async def run():
        runs = (
            compiled.ainvoke({"text": "tea"}, {"configurable": {"user_id": f"u{n}"}})
            for n in range(8)
        )
        await asyncio.gather(*runs)

    # On Python 3.10 tasks do not know the run's configuration: there only the namespace tells.
    with HippocortexStore(embedded, namespace_template=("notes", "{user_id}")) as store:
        graph = StateGraph(dict)
        graph.add_node("write", write)
        graph.add_edge(START, "write")
        compiled = graph.compile(store=store)
        asyncio.run(run())
    for number in range(8):
        (event,) = embedded.list_events(user_id=f"u{number}").events
        assert f"u{number} likes tea" in str(event.payload)
