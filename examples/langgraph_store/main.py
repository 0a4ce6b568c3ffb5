"""HippocortexStore: LangGraph's long-term memory, searched by meaning and learned from.

    uv run --with langgraph python examples/langgraph_store/main.py

Runs offline: the data are in a file on disk, and no model is asked.  In an agent the store is an
argument: `create_agent(model, tools, store=store)`.
"""

import tempfile
from pathlib import Path
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.store.base import BaseStore

from hippocortex import CaptureEvent, SyncHippocortex
from hippocortex_langgraph import HippocortexStore


class State(TypedDict, total=False):
    """What the user says, and what is known about it."""

    said: str
    known: list[str]


def recall(state: State, config: RunnableConfig, *, store: BaseStore) -> State:
    """Look for what the user said before."""
    user = config["configurable"]["user_id"]
    found = store.search(("memories", user), query=state["said"], limit=1)
    return {"known": [item.value["text"] for item in found]}


def remember(state: State, config: RunnableConfig, *, store: BaseStore) -> State:
    """Keep what the user says."""
    user, thread = config["configurable"]["user_id"], config["configurable"]["thread_id"]
    store.put(
        ("memories", user), thread, {"text": state["said"], "words": len(state["said"].split())}
    )
    return {}


def build(store: BaseStore) -> Any:
    """A graph that knows its users."""
    graph = StateGraph(State)
    graph.add_node("recall", recall)
    graph.add_node("remember", remember)
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "remember")
    graph.add_edge("remember", END)
    return graph.compile(store=store)


def deploy(memory: SyncHippocortex) -> None:
    """What an agent did elsewhere, four times: it failed, and found out what helps."""
    for number in range(4):
        steps = [
            ("message", {"role": "user", "content": "Deploy the payment service"}),
            ("tool_call", {"tool": "deploy", "args": {}}),
            ("tool_result", {"tool": "deploy", "error": "Error: Redis pool exhausted"}),
            ("tool_call", {"tool": "restart_redis", "args": {}}),
            ("tool_result", {"tool": "restart_redis", "result": "ok"}),
            ("tool_call", {"tool": "deploy", "args": {}}),
            ("tool_result", {"tool": "deploy", "result": "ok"}),
            ("outcome", {"success": True}),
        ]
        for kind, payload in steps:
            memory.capture(CaptureEvent(kind, f"deploy-{number}", payload))
    memory.learn()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        with SyncHippocortex(base_url=home) as memory, HippocortexStore(memory) as store:
            graph = build(store)
            for thread, user, said in (
                ("monday", "ann", "I prefer vegetarian food for dinner"),
                ("tuesday", "ann", "My train to work leaves at eight"),
                ("wednesday", "ann", "What shall I eat tonight?"),
                ("thursday", "bob", "What shall I eat tonight?"),
            ):
                config = {"configurable": {"thread_id": thread, "user_id": user}}
                state = graph.invoke({"said": said}, config)
                print(f"{user}: {said} -> {state['known']}")

            print("namespaces:", store.list_namespaces())
            long = store.search(("memories",), filter={"words": {"$gte": 6}})
            print("of six words and more:", sorted(item.key for item in long))

            deploy(memory)
            for item in store.search(("runbooks",), query="deploy", include_learned=True):
                if item.namespace == ("hippocortex", "failures"):
                    print(f"learned: {item.value['content']}")


if __name__ == "__main__":
    main()
