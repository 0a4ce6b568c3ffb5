"""Crews of the real framework with models that follow a script; nothing leaves the machine.

Where CrewAI is not installed, as in the development environment, nothing here is collected: nox
has environments for it (`adapters`).
"""

import importlib.util
import json
import os
import tempfile
import warnings
from importlib.metadata import version

import pytest

from hippocortex_core.testing.reading import Reading

INSTALLED = importlib.util.find_spec("crewai") is not None
collect_ignore_glob = [] if INSTALLED else ["*"]


def pytest_configure(config):
    # What CrewAI does the old way, in its own modules; ours and those of the tests stay strict.
    config.addinivalue_line("filterwarnings", r"ignore::DeprecationWarning:crewai\.")
    if INSTALLED and version("crewai").startswith(("1.11.", "1.14.7")):
        # It leaves its own databases to the garbage collector, and Python 3.13 tells of that.
        config.addinivalue_line("filterwarnings", "ignore:unclosed database:ResourceWarning")


if INSTALLED:
    folder = tempfile.mkdtemp(prefix="crewai-")
    os.environ.update(
        CREWAI_DISABLE_TELEMETRY="true",
        OTEL_SDK_DISABLED="true",
        CREWAI_TRACING_ENABLED="false",
        CREWAI_TESTING="true",
        CREWAI_STORAGE_DIR=folder,
        HOME=folder,
    )
    with warnings.catch_warnings():
        # What it and its dependencies say of each other when they are imported.
        warnings.simplefilter("ignore")
        from crewai import Agent, BaseLLM, Crew, Task
        from crewai.tools import tool

        import hippocortex_crewai

    class Model(BaseLLM):
        """Says what a function of the request and of the number of results in it returns."""

        def following(self, answer, *, calls_tools=True):
            # Not fields: those of subclasses are not possible in all versions.
            vars(self).update(answer=answer, asked=[], calls_tools=calls_tools)
            return self

        def call(self, messages, *args, **options):
            if isinstance(messages, str):
                messages = [{"role": "user", "content": messages}]
            text = "\n".join(str(message.get("content")) for message in messages)
            self.asked.append(text)
            found = self.answer(text, sum(message["role"] == "tool" for message in messages))
            if isinstance(found, str):
                return found
            return [
                {
                    "id": f"call_{number}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(args)},
                }
                for number, (name, args) in enumerate(found)
            ]

        async def acall(self, *args, **options):
            return self.call(*args, **options)

        def supports_function_calling(self):
            return self.calls_tools

        def __deepcopy__(self, memo):
            return self


@pytest.fixture(autouse=True)
def _no_run_is_left():
    """Runs end, whatever becomes of them."""
    yield
    from hippocortex_crewai import _runs

    assert _runs.here() is None


class CrewReading(Reading):
    """With the ends of crews; a failure is a result like others."""

    @property
    def sessions(self):
        return [event.session_id for event in self.events]

    def brief(self, event):
        payload = event.payload
        if event.type == "tool_result":
            return "result", payload["tool"], payload.get("error") or payload["result"]
        if event.type == "outcome":
            return "outcome", payload["success"], payload["summary"]
        if event.type in ("message", "tool_call"):
            return super().brief(event)
        return event.type, payload.get("content") or payload.get("text")


@pytest.fixture
def reading(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "1")
    found = CrewReading()
    yield found
    found.recorder.close(5)


@pytest.fixture
def memory(reading):
    """A memory on that service, which listens as long as the test lasts."""
    found = hippocortex_crewai.HippocortexMemory(reading.recorder)
    yield found
    found.detach()


@pytest.fixture
def model():
    """Makes a model of a text, or of a function `(request, results) -> text | calls`."""

    def make(answer="Done.", **options):
        function = answer if callable(answer) else lambda request, results: answer
        return Model(model="scripted").following(function, **options)

    return make


@pytest.fixture
def agent(model):
    """Makes an agent of a model's answer, with plain functions for tools."""

    def make(answer="Done.", *functions, role="deployer", **options):
        llm = options.pop("llm", None) or model(answer)
        return Agent(
            role=role,
            goal="deploy services",
            backstory="You deploy services.",
            llm=llm,
            tools=[tool(one) for one in functions],
            **options,
        )

    return make


@pytest.fixture
def crew(agent):
    """Makes a crew of one agent and one task."""

    def make(answer="Done.", *functions, said="Deploy payments", task=None, **options):
        worker = agent(answer, *functions, **options.pop("agent", {}))
        only = Task(description=said, expected_output="a report", agent=worker, **(task or {}))
        return Crew(agents=[worker], tasks=[only], **options)

    return make
