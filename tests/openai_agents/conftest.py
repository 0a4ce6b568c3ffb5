"""The real SDK with models that follow a script, and a memory that can be read."""

import asyncio
import itertools
import json

import pytest
from agents import Model, ModelResponse, Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)

from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing.reading import Reading, in_turn
from hippocortex_openai_agents import runner

_ids = itertools.count()


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    """The SDK's tracing would like to tell somebody of every run."""
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    import agents

    agents.set_tracing_disabled(True)
    yield
    agents.set_tracing_disabled(True)


@pytest.fixture(autouse=True)
def _own_memory():
    """The runner keeps its memory for the process, also that there is none."""
    yield
    runner._configured.cache_clear()


@pytest.fixture(autouse=True)
def _own_loop():
    """`run_sync` leaves an event loop behind for the next one; a test gives it back."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


class Scripted(Model):
    """Answers with what `answer` makes of the instructions and the items: text, calls, or items."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def get_response(self, system_instructions, input, *args, **options):  # noqa: A002
        return ModelResponse(self._output(system_instructions, input), Usage(requests=1), None)

    async def stream_response(self, system_instructions, input, *args, **options):  # noqa: A002
        output = self._output(system_instructions, input)
        numbers = itertools.count()
        for place, item in enumerate(output):
            if item.type == "message":
                for word in item.content[0].text.split(" "):
                    yield ResponseTextDeltaEvent(
                        content_index=0,
                        delta=f"{word} ",
                        item_id=item.id,
                        logprobs=[],
                        output_index=place,
                        sequence_number=next(numbers),
                        type="response.output_text.delta",
                    )
        response = Response(
            id="response",
            created_at=0,
            model="scripted",
            object="response",
            output=output,
            tool_choice="auto",
            tools=[],
            parallel_tool_calls=False,
        )
        yield ResponseCompletedEvent(
            response=response, sequence_number=next(numbers), type="response.completed"
        )

    def _output(self, instructions, items):
        if isinstance(items, str):
            items = [{"role": "user", "content": items}]
        self.asked.append((instructions, list(items)))
        found = self.answer(instructions, list(items))
        found = found if isinstance(found, list) else [found]
        return [_item(one) for one in found]


def _item(one):
    """A text is a message, (id, tool, arguments) a call; anything else is an item already."""
    if isinstance(one, str):
        text = ResponseOutputText(annotations=[], text=one, type="output_text")
        return ResponseOutputMessage(
            id=f"msg_{next(_ids)}",
            content=[text],
            role="assistant",
            status="completed",
            type="message",
        )
    if isinstance(one, tuple):
        call_id, name, args = one
        return ResponseFunctionToolCall(
            arguments=json.dumps(args), call_id=call_id, name=name, type="function_call"
        )
    return one


@pytest.fixture
def scripted():
    """Makes a model of a function, or of the answers that it gives one after the other."""

    return lambda *answers: Scripted(in_turn(*answers))


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = Reading()
    yield found
    found.recorder.close(5)
    close_shared(5)
