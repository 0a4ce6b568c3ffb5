"""What users of LangGraph write; as `typical_use.py`."""

# LangGraph's own signatures leave some types open, which strict pyright tells wherever one is met.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.store.base import BaseStore, Item
from typing_extensions import assert_type

from hippocortex import SyncHippocortex
from hippocortex.adapters import langgraph as facade
from hippocortex.adapters.langgraph import (
    HippocortexMiddleware,
    HippocortexSaver,
    HippocortexStore,
    MemoryGraph,
    create_capture_memory_tool,
    create_capture_node,
    create_pre_model_hook,
    create_recall_node,
    create_search_memory_tool,
    with_memory,
)


class State(MessagesState):
    memory: str


def answer(state: State) -> dict[str, Any]:
    return {"messages": with_memory(state["messages"], state["memory"])}


def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def an_agent() -> None:
    middleware: AgentMiddleware[Any, Any] = HippocortexMiddleware(
        max_tokens=500, sections=["facts"]
    )
    saver: BaseCheckpointSaver[Any] = HippocortexSaver(InMemorySaver())
    store: BaseStore = HippocortexStore(include_learned=True)
    create_agent(
        "openai:gpt-5",
        tools=[deploy, create_search_memory_tool(), create_capture_memory_tool(name="keep")],
        middleware=[HippocortexMiddleware(), middleware],
        checkpointer=saver,
        store=store,
    )
    assert_type(create_search_memory_tool(max_tokens=500), BaseTool)


def a_graph(memory: SyncHippocortex) -> MemoryGraph:
    builder = StateGraph(State)
    builder.add_node("recall", create_recall_node(memory, max_tokens=500))
    builder.add_node("answer", answer)
    builder.add_node("capture", create_capture_node(memory))
    builder.add_edge(START, "recall")
    builder.add_edge("recall", "answer")
    builder.add_edge("answer", "capture")
    builder.add_edge("capture", END)
    compiled = builder.compile(checkpointer=HippocortexSaver(InMemorySaver(), memory))
    create_pre_model_hook(memory)
    wrapped = assert_type(facade.wrap(compiled, session_id="ticket-42"), MemoryGraph)
    wrapped.invoke({"messages": [("user", "Deploy payments")]})
    return wrapped


async def a_store() -> None:
    store = HippocortexStore(base_url="sqlite:///memory.db")
    store.put(("users", "ann"), "city", {"name": "Oslo"})
    assert_type(store.get(("users", "ann"), "city"), Item | None)
    for found in await store.asearch(("users",), query="where does she live?", limit=3):
        assert_type(found.score, float | None)
