"""A memory that can be read, and models that follow a list of answers."""

import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from hippocortex_core.testing.reading import Reading


class ToolReading(Reading):
    """A failure is a result like others."""

    def brief(self, event):
        if event.type == "tool_result":
            payload = event.payload
            return "result", payload["tool"], payload.get("error") or payload["result"]
        return super().brief(event)


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = ToolReading()
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
