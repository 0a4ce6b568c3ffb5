"""Every surface for LangGraph passes the contract of adapters."""

import asyncio
import contextlib
import importlib.util
import sys
from types import MappingProxyType
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from hippocortex_core import session
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome
from hippocortex_langgraph import (
    HippocortexSaver,
    create_capture_node,
    create_recall_node,
    with_memory,
    wrap,
)

HAS_LANGCHAIN = importlib.util.find_spec("langchain") is not None
"""langgraph 0.6 came before LangChain's agents with middleware."""


class ScriptedModel(BaseChatModel):
    """Answers as the script says, whole or in pieces."""

    script: Any
    requests: Any
    fails: Any

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **options):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **options):
        answer = self._answer(messages)
        calls = [{"id": i, "name": name, "args": dict(args)} for i, name, args in answer.calls]
        message = AIMessage(answer.text, tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(self, messages, stop=None, run_manager=None, **options):
        answer = self._answer(messages)
        for word in answer.text.split(" "):
            yield self._piece(run_manager, AIMessageChunk(content=f"{word} " if word else ""))
        for index, (call_id, name, args) in enumerate(answer.calls):
            text = str(args).replace("'", '"')
            for part in ((call_id, name, ""), (None, None, text[:9]), (None, None, text[9:])):
                call = {"id": part[0], "name": part[1], "args": part[2], "index": index}
                chunk = AIMessageChunk(content="", tool_call_chunks=[call])
                yield self._piece(run_manager, chunk)

    def _piece(self, run_manager, chunk):
        found = ChatGenerationChunk(message=chunk)
        if run_manager:
            run_manager.on_llm_new_token(str(chunk.content), chunk=found)
        return found

    def _answer(self, messages):
        self.requests.append("\n".join(f"{m.type}: {m.content} {_calls(m)}" for m in messages))
        last = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
        step = sum(isinstance(m, AIMessage) for m in messages[last:])
        if step == self.fails.pop("at", None):
            raise ConnectionError("the model is gone")
        return self.script.answer(str(messages[last].content), step)


class State(MessagesState):
    memory: str


class GraphAgent(Agent):
    """A graph, and the objects that a user passes to it."""

    stream_mode = ("updates", "messages")

    def __init__(self, script, *, memory):
        super().__init__()
        self.model = ScriptedModel(script=script, requests=self.requests, fails={})
        self.tools = list(script.tools.values())
        self.inputs, self.configs = [], []
        self.checkpointer = InMemorySaver()
        self.hooked = []
        self.graph = self.build(memory=memory)

    def build(self, *, memory):
        raise NotImplementedError

    def run(self, said, who, mode):
        with self.scoped(who):
            return self._run(self._input(said), self._config(who), mode)

    async def arun(self, said, who, mode):
        given, config = self._input(said), self._config(who)
        with self.scoped(who):
            if mode == "async":
                return _outcome(await self.graph.ainvoke(given, config))
            stream = self.graph.astream(given, config, stream_mode=list(self.stream_mode))
            return await self._aoutcome_of([chunk async for chunk in stream], config)

    def replay(self, said, who, mode):
        """The model fails before its last answer; in a new process the run is resumed."""
        self.model.fails["at"] = len(self.model.script.turn_in(said).replies) - 1
        with contextlib.suppress(ConnectionError):
            self._enter(self._input(said), who, mode)
        assert not self.model.fails
        close_shared(5)
        self._enter(None, who, mode)
        self._enter(None, who, mode)  # there is nothing left to do

    def _enter(self, given, who, mode):
        if mode in {"sync", "stream"}:
            with self.scoped(who):
                self.graph.invoke(given, self._config(who))
            return

        async def enter():
            with self.scoped(who):
                await self.graph.ainvoke(given, self._config(who))

        asyncio.run(enter())

    def belongings(self):
        inputs = [[_brief(message) for message in given["messages"]] for given in self.inputs]
        return inputs, self.configs, self.tools

    def attached_hooks(self):
        return [hook for one in self.hooked for hook in one.attached_hooks]

    def detach(self):
        for one in self.hooked:
            one.detach()

    def scoped(self, who):
        # Below 3.11 the tasks of an asynchronous run do not know its configuration.
        if sys.version_info >= (3, 11):
            return contextlib.nullcontext()
        return session(who.session_id, user_id=who.user_id)

    def _run(self, given, config, mode):
        if mode == "sync":
            return _outcome(self.graph.invoke(given, config))
        chunks = list(self.graph.stream(given, config, stream_mode=list(self.stream_mode)))
        return self._outcome_of(chunks, self.graph.get_state(config))

    async def _aoutcome_of(self, chunks, config):
        return self._outcome_of(chunks, await self.graph.aget_state(config))

    def _outcome_of(self, chunks, state):
        return Outcome(_outcome(state.values).text, [_piece(*chunk) for chunk in chunks])

    def _input(self, said):
        self.inputs.append({"messages": [HumanMessage(said)]})
        return self.inputs[-1]

    def _config(self, who):
        configurable = {"thread_id": who.session_id, "user_id": who.user_id}
        self.configs.append({"configurable": configurable})
        return self.configs[-1]


def _calls(message):
    return [(call["name"], call["args"]) for call in getattr(message, "tool_calls", ())]


def _outcome(values):
    return Outcome(str(values["messages"][-1].content).strip())


def _piece(mode, chunk):
    """A piece of a stream without ids and times."""
    if mode == "messages":
        message, metadata = chunk
        return mode, metadata["langgraph_node"], _brief(message)
    return mode, {node: _brief_update(update) for node, update in chunk.items()}


def _brief_update(update):
    messages = (update or {}).get("messages", [])
    return [_brief(m) for m in (messages if isinstance(messages, list) else [messages])]


def _brief(message: BaseMessage):
    pieces = [(c["name"], c["args"]) for c in getattr(message, "tool_call_chunks", ())]
    return type(message).__name__, message.content, _calls(message), pieces


def _loop(model, tools, builder, after=END):
    """An agent node and its tools, written by hand."""
    tool_node = ToolNode(tools, handle_tool_errors=True)
    builder.add_node("agent", model)
    builder.add_node("tools", tool_node)
    builder.add_conditional_edges("agent", tools_condition, {"tools": "tools", END: after})
    builder.add_edge("tools", "agent")


# --- the middleware ------------------------------------------------------------------------------


class MiddlewareAgent(GraphAgent):
    """As `create_agent` makes it; a tool that raises ends the run."""

    def build(self, *, memory):
        from langchain.agents import create_agent

        from hippocortex_langgraph import HippocortexMiddleware

        self.hooked = [HippocortexMiddleware()] if memory else []
        return create_agent(
            self.model,
            self.tools,
            system_prompt="You deploy services.",
            middleware=self.hooked,
            checkpointer=self.checkpointer,
        )


class GraphDriver(Driver):
    adapter = "hippocortex_langgraph"
    brings = ("langgraph", "langchain_core")
    modes = ("sync", "async", "stream", "astream")


class MiddlewareDriver(GraphDriver):
    hooks = ("wrap_model_call", "awrap_model_call", "wrap_tool_call", "awrap_tool_call")

    def agent(self, script, *, memory):
        return MiddlewareAgent(script, memory=memory)


if HAS_LANGCHAIN:

    class TestMiddleware(AdapterContract):
        driver = MiddlewareDriver()


# --- nodes ---------------------------------------------------------------------------------------


class NodesAgent(GraphAgent):
    """A graph of one's own, with a node before and a node after."""

    stream_mode = ("messages",)  # the nodes have updates of their own

    def build(self, *, memory):
        def agent(state: State):
            asked = with_memory(state["messages"], state.get("memory", ""))
            return {"messages": [self.model.invoke(asked)]}

        builder = StateGraph(State)
        if not memory:
            _loop(agent, self.tools, builder)
            return builder.add_edge(START, "agent").compile(checkpointer=self.checkpointer)
        self.hooked = [create_recall_node(), create_capture_node()]
        builder.add_node("recall", self.hooked[0])
        builder.add_node("capture", self.hooked[1])
        _loop(agent, self.tools, builder, after="capture")
        builder.add_edge(START, "recall").add_edge("recall", "agent")
        return builder.compile(checkpointer=self.checkpointer)


class NodesDriver(GraphDriver):
    hooks = ("recall", "capture")

    def agent(self, script, *, memory):
        return NodesAgent(script, memory=memory)


class TestNodes(AdapterContract):
    driver = NodesDriver()


# --- wrap(graph) ---------------------------------------------------------------------------------


class WrappedAgent(GraphAgent):
    """A graph that knows nothing of memory."""

    def build(self, *, memory):
        builder = StateGraph(MessagesState)
        _loop(self._call, self.tools, builder)
        graph = builder.add_edge(START, "agent").compile(checkpointer=self.checkpointer)
        return wrap(graph) if memory else graph

    def _call(self, state: MessagesState):
        return {"messages": [self.model.invoke(state["messages"])]}

    def attached_hooks(self):
        return self.graph.attached_hooks

    def detach(self):
        self.graph = self.graph.unwrap()


class WrapDriver(GraphDriver):
    hooks = ("callbacks", "BaseChatModel")

    def agent(self, script, *, memory):
        return WrappedAgent(script, memory=memory)

    def touched(self):
        return {"BaseChatModel._convert_input": BaseChatModel._convert_input}


class TestWrap(AdapterContract):
    driver = WrapDriver()


# --- the saver -----------------------------------------------------------------------------------


class SavedAgent(WrappedAgent):
    """A graph whose checkpoints are read."""

    def build(self, *, memory):
        if memory:
            self.checkpointer = HippocortexSaver(self.checkpointer)
            self.hooked = [self.checkpointer]
        return super().build(memory=False)

    attached_hooks = GraphAgent.attached_hooks
    detach = GraphAgent.detach


class SaverDriver(GraphDriver):
    hooks = ("put", "aput", "put_writes", "aput_writes")

    def agent(self, script, *, memory):
        return SavedAgent(script, memory=memory)


class TestSaver(AdapterContract):
    driver = SaverDriver()
    not_applicable = MappingProxyType(
        {"recall-injected-once": "a checkpointer sees what was said, not requests"}
    )
