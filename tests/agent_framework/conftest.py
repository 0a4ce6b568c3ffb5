"""Agents of the real framework with models that follow a script; nothing leaves the machine.

Where Agent Framework is not installed, as in the development environment, nothing here is
collected: nox has environments for it (`adapters`).
"""

import importlib.util
import json
import warnings

import pytest

from hippocortex_core import Recorder
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import CaptureEvent

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

    def make(*answers):
        if len(answers) == 1 and callable(answers[0]):
            return Scripted(answers[0])
        left = iter(answers)

        def answer(instructions, messages):
            found = next(left)
            if isinstance(found, Exception):
                raise found
            return found

        return Scripted(answer)

    return make


class Reading:
    """A recorder of a service in this process, and what was captured with it."""

    def __init__(self):
        self.service = InMemoryService()
        self.queries = []
        synthesize = self.service.synthesize

        def noted(query, options=None):
            self.queries.append((query, options))
            return synthesize(query, options)

        self.service.synthesize = noted
        self.recorder = Recorder(self.service, strict=True)

    def knows(self, text, user_id=None):
        metadata = None if user_id is None else {"user_id": user_id}
        event = CaptureEvent("message", "earlier", {"role": "user", "content": text}, metadata)
        self.service.capture(event)

    @property
    def events(self):
        assert self.recorder.flush(10)
        return [event for event in self.service.events if event.session_id != "earlier"]

    @property
    def said(self):
        """Who said or did what, oldest first."""
        return [brief(event) for event in self.events]


def brief(event):
    payload = event.payload
    if event.type == "message":
        return payload["role"], payload["content"]
    if event.type == "tool_call":
        return "call", payload["tool"], payload["args"]
    if event.type == "tool_result":
        if "error" in payload:
            return "failure", payload["tool"], payload["error"]
        return "result", payload["tool"], payload["result"]
    return event.type, payload["content"]


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = Reading()
    yield found
    found.recorder.close(5)
    close_shared(5)
