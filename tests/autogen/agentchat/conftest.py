"""A model of AgentChat that answers as it is told."""

import json

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import ChatCompletionClient, CreateResult, RequestUsage

from hippocortex_core.testing.reading import in_turn

USAGE = RequestUsage(prompt_tokens=0, completion_tokens=0)


class ScriptedClient(ChatCompletionClient):
    """Answers with what `answer` makes of the messages: a text, calls as (id, tool, args), …"""

    component_type = "model"

    def __init__(self, answer, **info):
        self.answer = answer
        self.asked = []
        self._info = {
            "vision": True,
            "function_calling": True,
            "json_output": True,
            "family": "unknown",
            "structured_output": True,
            "multiple_system_messages": False,
            **info,
        }

    async def create(self, messages, **options):
        self.asked.append(list(messages))
        return self._result(self.answer(list(messages)))

    async def create_stream(self, messages, **options):
        result = await self.create(messages, **options)
        if isinstance(result.content, str):
            for word in result.content.split(" "):
                yield f"{word} "
        yield result

    def _result(self, found):
        if isinstance(found, str):
            return CreateResult(finish_reason="stop", content=found, usage=USAGE, cached=False)
        calls = [FunctionCall(id=i, name=name, arguments=json.dumps(a)) for i, name, a in found]
        return CreateResult(
            finish_reason="function_calls", content=calls, usage=USAGE, cached=False
        )

    async def close(self):
        """There is nothing to close."""

    def actual_usage(self):
        return USAGE

    def total_usage(self):
        return USAGE

    def count_tokens(self, messages, **options):
        return sum(len(str(message.content)) for message in messages)

    def remaining_tokens(self, messages, **options):
        return 10_000 - self.count_tokens(messages)

    @property
    def capabilities(self):
        return self._info

    @property
    def model_info(self):
        return self._info


@pytest.fixture
def scripted():
    """Makes a model of a function, or of the answers that it gives one after the other."""

    return lambda *answers: ScriptedClient(in_turn(*answers))


@pytest.fixture
def assistant(scripted):
    """Makes an agent whose model gives these answers."""

    def make(*answers, name="deployer", **options):
        return AssistantAgent(name, scripted(*answers), **options)

    return make
