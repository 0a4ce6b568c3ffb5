"""What the saver captures of the ways in which LangGraph stores conversations."""

import asyncio
import copy
import importlib.util

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt

from hippocortex_core import Recorder
from hippocortex_langgraph import HippocortexSaver

CONFIG = {"configurable": {"thread_id": "t1", "user_id": "ann"}}
HAS_CONFORMANCE = importlib.util.find_spec("langgraph.checkpoint.conformance") is not None


def answering(*texts):
    """A graph with one node that says one thing after the other."""
    left = list(texts)
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda state: {"messages": [AIMessage(left.pop(0))]})
    return builder.add_edge(START, "agent").add_edge("agent", END)


# --- LangGraph's own conformance suite -----------------------------------------------------------


async def _in_memory():
    yield HippocortexSaver(InMemorySaver())


async def _sqlite():
    async with AsyncSqliteSaver.from_conn_string(":memory:") as inner:
        yield HippocortexSaver(inner)


if HAS_CONFORMANCE:

    @pytest.mark.parametrize("factory", [_in_memory, _sqlite], ids=["memory", "sqlite"])
    @pytest.mark.parametrize("allowlist", ["false", "true"])
    def test_the_conformance_suite_of_langgraph_passes(factory, allowlist, monkeypatch, reading):
        from langgraph.checkpoint.conformance import checkpointer_test, validate

        monkeypatch.setenv("LANGGRAPH_STRICT_MSGPACK", allowlist)
        monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "sqlite://")
        report = asyncio.run(validate(checkpointer_test("wrapped")(factory)))
        assert [one.failures for one in report.results.values() if one.tests_failed] == []
        assert report.passed_all_base()
        base = ("put", "put_writes", "get_tuple", "list", "delete_thread")
        assert sum(report.results[name].tests_passed for name in base) == 58


# --- what it has, and has not --------------------------------------------------------------------


class Pruning(InMemorySaver):
    def prune(self, thread_ids, *, strategy="keep_latest"):
        return ("pruned", thread_ids, strategy)


def test_it_has_the_optional_methods_of_the_inner_checkpointer_and_no_others(reading):
    plain = HippocortexSaver(InMemorySaver(), reading.recorder)
    pruning = HippocortexSaver(Pruning(), reading.recorder)
    assert isinstance(pruning, HippocortexSaver)
    assert isinstance(pruning, BaseCheckpointSaver)
    if hasattr(BaseCheckpointSaver, "prune"):
        assert type(plain).prune is BaseCheckpointSaver.prune
    assert type(pruning).prune is not getattr(BaseCheckpointSaver, "prune", None)
    assert pruning.prune(["t1"], strategy="delete") == ("pruned", ["t1"], "delete")


def test_versions_serializer_and_specs_are_the_inner_checkpointers(reading):
    inner = InMemorySaver()
    saver = HippocortexSaver(inner, reading.recorder)
    assert saver.get_next_version(None, "x").startswith("0")
    assert saver.serde is inner.serde
    other = copy.deepcopy(inner.serde)
    saver.serde = other
    assert inner.serde is other
    assert saver.config_specs == inner.config_specs


def test_a_copy_shares_checkpointer_and_memory(reading):
    saver = HippocortexSaver(InMemorySaver(), reading.recorder)
    copied = copy.copy(saver)
    assert type(copied) is type(saver)
    assert copied.saver is saver.saver


@pytest.mark.skipif(
    not hasattr(BaseCheckpointSaver, "with_allowlist"), reason="langgraph-checkpoint < 4"
)
def test_an_allowlist_is_the_inner_checkpointers(reading):
    saver = HippocortexSaver(InMemorySaver(), reading.recorder)
    assert isinstance(saver.with_allowlist([("builtins", "set")]), HippocortexSaver)


# --- conversations -------------------------------------------------------------------------------


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_every_message_is_captured_once_and_in_order(reading, durability):
    graph = answering("One.", "Two.").compile(
        checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder)
    )
    for text in ("First", "Second"):
        graph.invoke({"messages": [("user", text)]}, CONFIG, durability=durability)
    assert reading.said == [
        ("user", "First"),
        ("assistant", "One."),
        ("user", "Second"),
        ("assistant", "Two."),
    ]
    assert {event.session_id for event in reading.events} == {"t1"}
    assert {event.metadata["user_id"] for event in reading.events} == {"ann"}


def test_a_subgraph_does_not_repeat_its_messages(reading):
    inner = answering("From inside.").compile()
    builder = StateGraph(MessagesState).add_node("sub", inner).add_edge(START, "sub")
    graph = builder.compile(checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder))
    graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    assert reading.said == [("user", "Go"), ("assistant", "From inside.")]


def test_subgraphs_can_be_watched_too(reading):
    inner = answering("From inside.").compile()
    builder = StateGraph(MessagesState)
    builder.add_node("sub", lambda state: inner.invoke(state) and {"messages": []})
    builder.add_edge(START, "sub")
    saver = HippocortexSaver(InMemorySaver(), reading.recorder, subgraphs=True)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    assert reading.said.count(("user", "Go")) == 1
    assert reading.said.count(("assistant", "From inside.")) == 1


def test_a_fork_captures_only_what_is_new(reading):
    graph = answering("One.", "Another.").compile(
        checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder)
    )
    graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    earlier = next(s for s in graph.get_state_history(CONFIG) if s.next == ("agent",))
    graph.invoke(None, earlier.config)
    assert reading.said == [("user", "Go"), ("assistant", "One."), ("assistant", "Another.")]


def test_a_message_edited_by_a_person_is_captured_again(reading):
    graph = answering("Delete everything.").compile(
        checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder)
    )
    state = graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    edited = AIMessage("Delete nothing.", id=state["messages"][-1].id)
    graph.update_state(CONFIG, {"messages": [edited]})
    assert reading.said == [
        ("user", "Go"),
        ("assistant", "Delete everything."),
        ("assistant", "Delete nothing."),
    ]


def test_removed_messages_leave_what_was_captured(reading):
    graph = answering("One.", "Two.").compile(
        checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder)
    )
    state = graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    remove = [RemoveMessage(id=message.id) for message in state["messages"]]
    graph.update_state(CONFIG, {"messages": remove})
    graph.invoke({"messages": [("user", "On")]}, CONFIG)
    assert [text for _, text in reading.said] == ["Go", "One.", "On", "Two."]


def test_another_process_captures_nothing_twice(reading):
    inner = InMemorySaver()
    for _ in range(2):
        with Recorder(reading.service) as recorder:
            graph = answering("One.").compile(checkpointer=HippocortexSaver(inner, recorder))
            if not inner.storage:
                graph.invoke({"messages": [("user", "Go")]}, CONFIG)
            else:
                graph.update_state(CONFIG, {"messages": []})
    assert reading.said == [("user", "Go"), ("assistant", "One.")]


def test_waiting_for_a_person_is_no_failure(reading):
    def ask(state):
        return {"messages": [AIMessage(f"You said {interrupt('well?')}.")]}

    builder = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask")
    graph = builder.compile(checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder))
    graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    assert reading.said == [("user", "Go")]


def test_a_tool_that_ends_the_run_is_a_failed_call(reading):
    call = {"id": "call_1", "name": "deploy", "args": {"env": "prod"}}
    builder = StateGraph(MessagesState)
    builder.add_node("agent", lambda state: {"messages": [AIMessage("", tool_calls=[call])]})
    builder.add_node("tools", lambda state: 1 / 0)
    builder.add_edge(START, "agent").add_edge("agent", "tools")
    graph = builder.compile(checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder))
    with pytest.raises(ZeroDivisionError):
        graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    assert reading.said == [
        ("user", "Go"),
        ("call", "deploy", {"env": "prod"}),
        ("result", "deploy", "ZeroDivisionError: division by zero"),
    ]
    assert reading.events[-1].payload["call_id"] == "call_1"


def test_a_node_that_fails_is_a_failure_of_the_graph(reading):
    builder = StateGraph(MessagesState).add_node("work", lambda state: 1 / 0)
    graph = builder.add_edge(START, "work").compile(
        checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder)
    )
    with pytest.raises(ZeroDivisionError):
        graph.invoke({"messages": [("user", "Go")]}, CONFIG)
    assert reading.said[-1] == (
        "observation",
        "graph failed: ZeroDivisionError: division by zero",
    )


def test_a_channel_of_another_name_can_be_watched(reading):
    from typing import Annotated, TypedDict

    from langgraph.graph.message import add_messages

    class Chat(TypedDict):
        chat: Annotated[list, add_messages]

    builder = StateGraph(Chat).add_node("agent", lambda state: {"chat": [AIMessage("Hi")]})
    saver = HippocortexSaver(InMemorySaver(), reading.recorder, channel="chat")
    graph = builder.add_edge(START, "agent").compile(checkpointer=saver)
    graph.invoke({"chat": [HumanMessage("Hello")]}, CONFIG)
    assert reading.said == [("user", "Hello"), ("assistant", "Hi")]


def test_the_functional_api_works_as_before(reading):
    saver = HippocortexSaver(InMemorySaver(), reading.recorder)

    @entrypoint(checkpointer=saver)
    def double(number, *, previous=None):
        return 2 * number + (previous or 0)

    assert [double.invoke(3, CONFIG), double.invoke(3, CONFIG)] == [6, 12]
    assert reading.said == []


# --- channels that store changes -----------------------------------------------------------------


def delta_state(snapshot_frequency):
    from typing import Annotated, TypedDict

    from langgraph.channels.delta import DeltaChannel
    from langgraph.graph.message import _messages_delta_reducer

    channel = DeltaChannel(_messages_delta_reducer, snapshot_frequency=snapshot_frequency)

    class Delta(TypedDict):
        messages: Annotated[list, channel]

    return Delta


HAS_DELTA = importlib.util.find_spec("langgraph.channels.delta") is not None

if HAS_DELTA:

    @pytest.mark.filterwarnings("ignore:.*beta.*")
    @pytest.mark.parametrize("durability", ["sync", "async", "exit"])
    @pytest.mark.parametrize("snapshot_frequency", [2, 100])
    @pytest.mark.parametrize("entry", ["sync", "async"])
    def test_a_delta_channel_is_captured_once_and_in_order(
        reading, durability, snapshot_frequency, entry
    ):
        call = {"id": "call_1", "name": "deploy", "args": {}}
        said = [AIMessage("", tool_calls=[call]), AIMessage("Done.")]
        builder = StateGraph(delta_state(snapshot_frequency))
        builder.add_node("agent", lambda state: {"messages": [said.pop(0)]})
        result = ToolMessage("live", tool_call_id="call_1", name="deploy")
        builder.add_node("tools", lambda state: {"messages": [result]})
        builder.add_edge(START, "agent").add_edge("tools", "agent")
        builder.add_conditional_edges("agent", lambda state: "tools" if said else END)
        graph = builder.compile(checkpointer=HippocortexSaver(InMemorySaver(), reading.recorder))
        given = {"messages": [HumanMessage("Deploy")]}
        if entry == "sync":
            graph.invoke(given, CONFIG, durability=durability)
        else:
            asyncio.run(graph.ainvoke(given, CONFIG, durability=durability))
        assert reading.said == [
            ("user", "Deploy"),
            ("call", "deploy", {}),
            ("result", "deploy", "live"),
            ("assistant", "Done."),
        ]
