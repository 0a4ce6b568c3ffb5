"""A model of AG2 that answers as it is told."""

import json

import pytest
from ag2 import Agent
from ag2.events import ModelMessage, ModelMessageChunk, ModelResponse, ToolCallEvent, ToolCallsEvent

from hippocortex_core.testing.reading import in_turn


class Scripted:
    """A configuration of a model: a text, or calls as (id, tool, args), made of what it is asked.

    Attributes:
        asked: The prompt and the events of every request.
    """

    provider = model = "scripted"

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def copy(self):
        return self

    def create(self):
        return self

    def create_files_client(self):
        raise NotImplementedError

    async def __call__(self, messages, context, **options):
        self.asked.append((list(context.prompt), list(messages)))
        found = self.answer(list(context.prompt), list(messages))
        if isinstance(found, str):
            for word in found.split(" "):
                await context.send(ModelMessageChunk(f"{word} "))
            message = ModelMessage(found)
            await context.send(message)
            return ModelResponse(message)
        calls = [ToolCallEvent(name, id=i, arguments=json.dumps(a)) for i, name, a in found]
        return ModelResponse(tool_calls=ToolCallsEvent(calls))


@pytest.fixture
def scripted():
    """Makes a model of a function, or of the answers that it gives one after the other."""

    return lambda *answers: Scripted(in_turn(*answers))


@pytest.fixture
def assistant(scripted):
    """Makes an agent whose model gives these answers."""

    def make(*answers, **options):
        config = scripted(*answers)
        agent = Agent("deployer", "You deploy services.", config=config, **options)
        return agent, config

    return make
