"""Several of ours in one run: memory is recalled once, and each message captured once."""

import asyncio
import importlib.util
import sys

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from hippocortex import Recorder, session
from hippocortex import wrap as wrap_client
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.sync_client import SyncHippocortex
from hippocortex_core.testing.contract.script import DEPLOY, deploy, script
from hippocortex_core.testing.llm_server import LlmServer
from hippocortex_core.types import CaptureEvent
from hippocortex_langgraph import HippocortexSaver, create_capture_node, create_recall_node, wrap
from hippocortex_langgraph import with_memory as prompted

HAS_LANGCHAIN = importlib.util.find_spec("langchain") is not None
CONFIG = {"configurable": {"thread_id": "t1", "user_id": "ann"}}
TURN = [
    ("message", DEPLOY.user),
    ("tool_call", "deploy"),
    ("tool_result", "deploy"),
    ("message", DEPLOY.final),
]


@pytest.fixture
def memory(monkeypatch, tmp_path):
    url = f"sqlite:///{tmp_path}/memory.db"
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", url)
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    # A busy machine must not turn a recall into nothing.
    monkeypatch.setitem(Recorder.__init__.__kwdefaults__, "recall_deadline", 30.0)
    with SyncHippocortex() as client:
        payload = {"role": "user", "content": f"{DEPLOY.user}: run make migrate-7f3 first"}
        client.capture(CaptureEvent("message", "earlier", payload, {"user_id": "ann"}))
        yield client
    close_shared(5)


@pytest.fixture
def llm():
    """A model of another house, behind its SDK, that answers by the script."""
    told = script(DEPLOY)

    def answer(asked):
        messages = asked.body["messages"]
        last = max(i for i, m in enumerate(messages) if m["role"] == "user")
        step = sum(m["role"] == "assistant" for m in messages[last:])
        return told.answer(messages[last]["content"], step)

    with LlmServer(answer) as server:
        yield server


@pytest.fixture
def openai_model(llm):
    from langchain_openai import ChatOpenAI

    options = {"api_key": "test", "max_retries": 0, "default_headers": {"Connection": "close"}}
    model = ChatOpenAI(model="m", base_url=f"{llm.url}/v1", **options)
    wrap_client(model.root_client)
    wrap_client(model.root_async_client)
    yield model
    model.root_client.close()
    asyncio.run(model.root_async_client.close())


def captured(memory):
    close_shared(10)
    page = memory.list_events(order="asc", limit=100)
    return [e for e in page.events if e.session_id != "earlier"]


def briefs(events):
    return [(e.type, e.payload.get("content") or e.payload.get("tool")) for e in events]


def requests(llm):
    """How often memory is in each request."""
    return [str(asked.body).count("<hippocortex_memory>") for asked in llm.asked]


def run(graph, entry):
    given = {"messages": [HumanMessage(DEPLOY.user)]}
    if entry == "sync":
        return graph.invoke(given, CONFIG)
    if sys.version_info >= (3, 11):
        return asyncio.run(graph.ainvoke(given, CONFIG))
    # There, the tasks of an asynchronous run do not know its configuration.
    with session("t1", user_id="ann"):
        return asyncio.run(graph.ainvoke(given, CONFIG))


def loop(model, *, before=None, after=None):
    """An agent written by hand."""
    bound = model.bind_tools([deploy])
    builder = StateGraph(MessagesState)

    def agent(state, config):
        return {"messages": [bound.invoke(state["messages"], config)]}

    async def aagent(state, config):
        return {"messages": [await bound.ainvoke(state["messages"], config)]}

    from langchain_core.runnables import RunnableLambda

    builder.add_node("agent", RunnableLambda(agent, aagent))
    builder.add_node("tools", ToolNode([deploy]))
    builder.add_edge(START, "agent").add_edge("tools", "agent")
    return builder.add_conditional_edges("agent", tools_condition)


if HAS_LANGCHAIN:

    @pytest.mark.parametrize("entry", ["sync", "async"])
    def test_middleware_saver_and_wrapped_client(memory, llm, openai_model, entry):
        from langchain.agents import create_agent

        from hippocortex_langgraph import HippocortexMiddleware

        saver = HippocortexSaver(InMemorySaver())
        middleware = [HippocortexMiddleware()]
        graph = create_agent(openai_model, [deploy], middleware=middleware, checkpointer=saver)
        run(graph, entry)
        events = captured(memory)
        assert briefs(events) == TURN
        assert requests(llm) == [1, 1]
        assert {(e.session_id, e.metadata["user_id"]) for e in events} == {("t1", "ann")}

    def test_two_middlewares_of_different_names(memory, llm, openai_model):
        from langchain.agents import create_agent

        from hippocortex_langgraph import HippocortexMiddleware

        class Second(HippocortexMiddleware):
            """LangChain allows one middleware of a name."""

        graph = create_agent(openai_model, [deploy], middleware=[HippocortexMiddleware(), Second()])
        run(graph, "sync")
        assert briefs(captured(memory)) == TURN
        assert requests(llm) == [1, 1]

    def test_a_wrapped_agent_with_middleware(memory, llm, openai_model):
        from langchain.agents import create_agent

        from hippocortex_langgraph import HippocortexMiddleware

        graph = wrap(create_agent(openai_model, [deploy], middleware=[HippocortexMiddleware()]))
        run(graph, "sync")
        graph.unwrap()
        assert briefs(captured(memory)) == TURN
        assert requests(llm) == [1, 1]


@pytest.mark.parametrize(
    "entry",
    [
        "sync",
        pytest.param(
            "async",
            marks=pytest.mark.skipif(
                sys.version_info < (3, 11), reason="tasks do not know their run's configuration"
            ),
        ),
    ],
)
def test_saver_and_wrapped_client(memory, llm, openai_model, entry):
    graph = loop(openai_model).compile(checkpointer=HippocortexSaver(InMemorySaver()))
    run(graph, entry)
    events = captured(memory)
    assert briefs(events) == TURN
    assert requests(llm) == [1, 1]
    assert {(e.session_id, e.metadata["user_id"]) for e in events} == {("t1", "ann")}


@pytest.mark.parametrize("entry", ["sync", "async"])
def test_a_wrapped_graph_with_a_saver_and_a_wrapped_client(memory, llm, openai_model, entry):
    saver = HippocortexSaver(InMemorySaver())
    graph = wrap(loop(openai_model).compile(checkpointer=saver))
    run(graph, entry)
    graph.unwrap()
    assert briefs(captured(memory)) == TURN
    assert requests(llm) == [1, 1]


def test_nodes_and_a_saver(memory, llm, openai_model):
    class State(MessagesState):
        memory: str

    def agent(state):
        return {"messages": [openai_model.invoke(prompted(state["messages"], state["memory"]))]}

    builder = StateGraph(State)
    builder.add_node("recall", create_recall_node())
    builder.add_node("agent", agent)
    builder.add_node("tools", ToolNode([deploy]))
    builder.add_node("capture", create_capture_node())
    builder.add_edge(START, "recall").add_edge("recall", "agent").add_edge("tools", "agent")
    builder.add_conditional_edges(
        "agent", tools_condition, {"tools": "tools", "__end__": "capture"}
    )
    graph = builder.compile(checkpointer=HippocortexSaver(InMemorySaver()))
    run(graph, "sync")
    assert briefs(captured(memory)) == TURN
    assert requests(llm) == [1, 1]


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
@pytest.mark.parametrize("entry", ["sync", "async"])
def test_the_hook_of_create_react_agent(memory, llm, openai_model, entry):
    from langgraph.prebuilt import create_react_agent

    from hippocortex_langgraph import create_pre_model_hook

    saver = HippocortexSaver(InMemorySaver())
    graph = create_react_agent(
        openai_model,
        [deploy],
        prompt="You deploy services.",
        pre_model_hook=create_pre_model_hook(),
        checkpointer=saver,
    )
    state = run(graph, entry)
    assert requests(llm) == [1, 1]
    assert "hippocortex_memory" not in str(state["messages"])
    if entry == "sync" or sys.version_info >= (3, 11):
        assert briefs(captured(memory)) == TURN
