"""What is none of our business, and the end of a process, in processes of their own."""

import os
import subprocess
import sys
import textwrap

from hippocortex_core import SyncHippocortex

QUIET = {"CREWAI_TRACING_ENABLED": "false", "CREWAI_TESTING": "true"}


def python(code, **environment):
    kept = {k: v for k, v in os.environ.items() if k not in ("HIPPOCORTEX_STRICT", "PYTHONPATH")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        env={**kept, **QUIET, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


def test_telemetry_is_as_the_user_has_set_it():
    """No variable is written, no provider of traces or listener of CrewAI's own is replaced."""
    code = """
        import os, socket
        def refuse(*_): raise OSError("no network here")
        socket.socket.connect = refuse
        for name in ("CREWAI_DISABLE_TELEMETRY", "OTEL_SDK_DISABLED"):
            os.environ.pop(name, None)
        import crewai
        from crewai.telemetry import Telemetry
        from opentelemetry import trace

        def found():
            one = Telemetry()
            return dict(os.environ), one, one.ready, one.trace_set, trace.get_tracer_provider()

        before = found()
        from hippocortex_core.testing import InMemoryService
        from hippocortex_crewai import HippocortexCrewListener, HippocortexMemory
        memory = HippocortexMemory(InMemoryService())
        HippocortexCrewListener(client=InMemoryService())
        memory.remember("The door is blue")
        memory.recall("The door")
        print(found() == before)
    """
    assert python(code)[-1] == "True"


def test_a_program_that_simply_ends_has_told_everything(tmp_path):
    """Neither a flush nor a close, and the crew runs until the last line."""
    url = f"sqlite:///{tmp_path}/memory.db"
    code = """
        import asyncio
        from crewai import Agent, BaseLLM, Crew, Task
        from hippocortex_crewai import HippocortexMemory

        class Model(BaseLLM):
            def call(self, *args, **options):
                return "Payments is live."

            async def acall(self, *args, **options):
                return self.call()

        worker = Agent(role="r", goal="g", backstory="b", llm=Model(model="scripted"))
        task = Task(description="Deploy payments", expected_output="a report", agent=worker)
        crew = Crew(agents=[worker], tasks=[task], memory=HippocortexMemory())
        print(asyncio.run(crew.akickoff()).raw)
    """
    told = python(code, HIPPOCORTEX_BASE_URL=url, HIPPOCORTEX_SILENT="1")
    assert told[-1] == "Payments is live."
    with SyncHippocortex(base_url=url) as memory:
        events = memory.list_events(order="asc", limit=100).events
    said = [event.payload["content"] for event in events if event.type == "message"]
    assert "Deploy payments" in said[0]
    assert said[1:] == ["Payments is live."]
