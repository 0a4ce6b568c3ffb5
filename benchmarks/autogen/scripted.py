"""An agent of each framework that deploys what it is told to, with a memory or without."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import Any

TOOL, ARGUMENTS, ANSWER = "deploy", {"service": "payments"}, "It is live."


async def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def agentchat(memory: bool) -> Callable[[str], Any]:
    from autogen_agentchat.agents import AssistantAgent
    from autogen_core import FunctionCall
    from autogen_core.models import ChatCompletionClient, CreateResult, RequestUsage

    from hippocortex_autogen import wrap

    class Model(ChatCompletionClient):
        component_type = "model"
        usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

        async def create(self, messages: Any, **_: Any) -> Any:
            content: Any = ANSWER
            if messages[-1].type == "UserMessage":
                content = [FunctionCall(id="c1", name=TOOL, arguments=json.dumps(ARGUMENTS))]
            return CreateResult(
                finish_reason="stop", content=content, usage=self.usage, cached=False
            )

        create_stream = close = actual_usage = total_usage = None  # type: ignore[assignment]
        count_tokens = remaining_tokens = capabilities = None  # type: ignore[assignment]
        model_info = {"function_calling": True, "vision": False, "family": "unknown"}  # noqa: RUF012

    def run(said: str) -> Any:
        agent = AssistantAgent("deployer", Model(), tools=[deploy], reflect_on_tool_use=True)
        return (wrap(agent) if memory else agent).run(task=said)

    return run


def classic(memory: bool) -> Callable[[str], Any]:
    from autogen import ConversableAgent, UserProxyAgent, register_function

    from hippocortex_autogen import wrap

    logging.getLogger("autogen.oai.client").setLevel(logging.WARNING)

    class Model:
        def __init__(self, config: Any) -> None:
            """AutoGen makes one of the agent's configuration."""

        def create(self, params: Any) -> Any:
            said: dict[str, Any] = {"content": ANSWER}
            if params["messages"][-1]["role"] == "user":
                function = {"name": TOOL, "arguments": json.dumps(ARGUMENTS)}
                said = {"tool_calls": [{"id": "c1", "type": "function", "function": function}]}
            nothing = dict.fromkeys(("content", "function_call", "tool_calls"))
            message = SimpleNamespace(**{**nothing, **said}, model_dump=lambda: said)
            choice = SimpleNamespace(message=message, finish_reason="stop")
            return SimpleNamespace(choices=[choice], model="scripted", id="1", cost=0)

        def message_retrieval(self, response: Any) -> Any:
            return [choice.message for choice in response.choices]

        def cost(self, _: Any) -> float:
            return 0

        @staticmethod
        def get_usage(_: Any) -> Any:
            names = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
            return {**dict.fromkeys(names, 0), "model": "scripted"}

    config = {"config_list": [{"model": "m", "model_client_cls": "Model"}], "cache_seed": None}
    assistant = ConversableAgent("assistant", llm_config=config)
    user = UserProxyAgent(
        "user",
        human_input_mode="NEVER",
        code_execution_config=False,
        is_termination_msg=lambda message: not message.get("tool_calls"),
    )

    def now(service: str) -> str:
        return f"{service} is live"

    register_function(now, caller=assistant, executor=user, name=TOOL, description="Deploys.")
    assistant.register_model_client(model_client_cls=Model)
    if memory:
        wrap(assistant)

    def run(said: str) -> Any:
        with redirect_stdout(StringIO()):
            return user.initiate_chat(assistant, message=said, silent=True)

    return run


def ag2(memory: bool) -> Callable[[str], Any]:
    from ag2 import Agent
    from ag2.events import (
        ModelMessage,
        ModelRequest,
        ModelResponse,
        ToolCallEvent,
        ToolCallsEvent,
    )

    from hippocortex_autogen import wrap

    class Model:
        provider = model = "scripted"

        def create(self) -> Any:
            return self

        async def __call__(self, messages: Any, *_: Any, **__: Any) -> Any:
            if isinstance(messages[-1], ModelRequest):
                call = ToolCallEvent(TOOL, id="c1", arguments=json.dumps(ARGUMENTS))
                return ModelResponse(tool_calls=ToolCallsEvent([call]))
            return ModelResponse(ModelMessage(ANSWER))

    agent: Any = Agent("deployer", "You deploy.", config=Model(), tools=[deploy])  # type: ignore[arg-type]
    return (wrap(agent) if memory else agent).ask


def agent_framework(memory: bool) -> Callable[[str], Any]:
    from agent_framework import (
        Agent,
        BaseChatClient,
        ChatMiddlewareLayer,
        ChatResponse,
        Content,
        FunctionInvocationLayer,
        Message,
    )

    from hippocortex_agent_framework import HippocortexContextProvider

    class Model(FunctionInvocationLayer, ChatMiddlewareLayer, BaseChatClient):
        def _inner_get_response(self, *, messages: Any, **_: Any) -> Any:
            content = Content.from_text(ANSWER)
            if messages[-1].role == "user":
                content = Content.from_function_call(call_id="c1", name=TOOL, arguments=ARGUMENTS)

            async def answer() -> Any:
                return ChatResponse(messages=[Message("assistant", [content])])

            return answer()

    providers = [HippocortexContextProvider()] if memory else []
    return Agent(client=Model(), tools=[deploy], context_providers=providers).run


MAKE = {
    "AgentChat": agentchat,
    "classic": classic,
    "AG2 1.0": ag2,
    "Agent Framework": agent_framework,
}
