"""Clients that look like an SDK's, and a memory that can be read."""

import json
from types import SimpleNamespace

import pytest

from hippocortex_core import recorder as recorders
from hippocortex_core.testing import InMemoryService
from hippocortex_core.types import CaptureEvent


class Home:
    """A memory behind the shared recorder."""

    def __init__(self):
        self.service = InMemoryService()
        self.queries = []
        synthesize = self.service.synthesize

        def noted(query, options=None):
            self.queries.append(query)
            return synthesize(query, options)

        self.service.synthesize = noted
        self.recorder = recorders.Recorder(self.service)

    def knows(self, text):
        self.service.capture(CaptureEvent("message", "earlier", {"role": "user", "content": text}))

    @property
    def events(self):
        assert self.recorder.flush(5)
        return [event for event in self.service.events if event.session_id != "earlier"]

    @property
    def said(self):
        """What was captured: who, and what."""
        return [_brief(event) for event in self.events]


def _brief(event):
    payload = event.payload
    if event.type == "message":
        return payload["role"], payload["content"]
    detail = payload.get("args") if event.type == "tool_call" else payload.get("result")
    return event.type, payload["tool"], detail


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "sqlite:///unused.db")

    from hippocortex._instrument import wrapping

    home = Home()
    monkeypatch.setattr(wrapping, "shared_recorder", lambda settings: home.recorder)
    yield home
    home.recorder.close(5)


class Chat:
    """A client with `chat.completions.create`, scripted; `sent` is what arrived."""

    def __init__(self, *answers):
        self.sent = []
        self._answers = list(answers)
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def _create(self, **kwargs):
        self.sent.append(json.loads(json.dumps(kwargs)))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def chat():
    return Chat


@pytest.fixture
def says():
    """An answer of the model in the Chat Completions format."""

    def answer(text=None, *calls):
        tool_calls = [
            {"id": call_id, "function": {"name": name, "arguments": json.dumps(args)}}
            for call_id, name, args in calls
        ]
        return {"choices": [{"message": {"content": text, "tool_calls": tool_calls}}]}

    return answer
