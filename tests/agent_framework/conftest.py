"""Agents of the real framework with models that follow a script; nothing leaves the machine.

Where Agent Framework is not installed, as in the development environment, nothing here is
collected: nox has environments for it (`adapters`).
"""

import importlib.util
import json
import warnings

import pytest

from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing.reading import Reading, in_turn

INSTALLED = importlib.util.find_spec("agent_framework") is not None
collect_ignore_glob = [] if INSTALLED else ["*"]

if INSTALLED:
    with warnings.catch_warnings():
        # What it and what it needs say of each other when they are imported.
        warnings.simplefilter("ignore")
        from agent_framework import (
            BaseChatClient,
            ChatMiddlewareLayer,
            ChatResponse,
            ChatResponseUpdate,
            Content,
            FunctionInvocationLayer,
            Message,
        )

    class Scripted(FunctionInvocationLayer, ChatMiddlewareLayer, BaseChatClient):
        """Answers with what `answer` makes of instructions and messages: a text, or calls.

        Attributes:
            asked: The instructions and the messages of every request.
        """

        def __init__(self, answer):
            super().__init__()
            self.answer = answer
            self.asked = []

        def _inner_get_response(self, *, messages, stream, options, **kwargs):
            instructions = options.get("instructions") or ""
            if stream:
                return self._build_response_stream(self._pieces(instructions, messages))
            return self._whole(instructions, messages)

        async def _whole(self, instructions, messages):
            return ChatResponse(
                messages=[Message("assistant", self._contents(instructions, messages))]
            )

        async def _pieces(self, instructions, messages):
            for content in self._contents(instructions, messages):
                pieces = [content]
                if content.type == "text":
                    pieces = [Content.from_text(f"{word} ") for word in content.text.split(" ")]
                for piece in pieces:
                    yield ChatResponseUpdate(role="assistant", contents=[piece])

        def _contents(self, instructions, messages):
            self.asked.append((instructions, list(messages)))
            found = self.answer(instructions, list(messages))
            if isinstance(found, str):
                return [Content.from_text(found)]
            return [
                Content.from_function_call(call_id=i, name=name, arguments=json.dumps(args))
                for i, name, args in found
            ]


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
