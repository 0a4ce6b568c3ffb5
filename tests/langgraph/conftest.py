"""A memory that can be read, and models that follow a list of answers."""

import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from hippocortex_core import Recorder
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import CaptureEvent


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

    def knows(self, text):
        self.service.capture(CaptureEvent("message", "earlier", {"role": "user", "content": text}))

    @property
    def events(self):
        assert self.recorder.flush(10)
        return [event for event in self.service.events if event.session_id != "earlier"]

    @property
    def said(self):
        """Who said or did what, oldest first."""
        return [_brief(event) for event in self.events]


def _brief(event):
    payload = event.payload
    if event.type == "message":
        return payload["role"], payload["content"]
    if event.type == "tool_call":
        return "call", payload["tool"], payload["args"]
    if event.type == "tool_result":
        return "result", payload["tool"], payload.get("error") or payload["result"]
    return event.type, payload["content"]


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = Reading()
    yield found
    found.recorder.close(5)


class Model(FakeMessagesListChatModel):
    """Gives its answers one after the other, with ids of their own; keeps what it was asked."""

    asked: list = []  # noqa: RUF012 - a field

    def bind_tools(self, tools, **options):
        return self

    def _generate(self, messages, *args, **options):
        self.asked.append(list(messages))
        return super()._generate(messages, *args, **options)


@pytest.fixture
def model():
    """Makes a model of texts, calls as (name, args), and messages."""

    def make(*answers):
        return Model(responses=[_message(number, one) for number, one in enumerate(answers)])

    return make


def _message(number, answer):
    if not isinstance(answer, tuple):
        return AIMessage(answer) if isinstance(answer, str) else answer
    name, args = answer
    return AIMessage("", tool_calls=[{"id": f"call_{number}", "name": name, "args": args}])


def pytest_configure(config):
    # langgraph 1.0 warns of itself when its prebuilt agents are imported.
    config.addinivalue_line("filterwarnings", "ignore:AgentStatePydantic has been moved")
