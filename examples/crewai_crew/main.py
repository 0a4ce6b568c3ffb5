"""A crew that fails once, learns from it, and does it right the next time.

    pip install 'hippocortex[crewai,local]'
    python examples/crewai_crew/main.py

Runs offline: a small scripted model stands in for a real one.  It knows nothing but what it is
asked, so what it does differently the second time comes from memory alone.
"""

# ruff: noqa: E402 - CrewAI reads its settings when it is imported

import json
import os
import tempfile
from pathlib import Path
from typing import Any

home = tempfile.TemporaryDirectory()
os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"  # the example stays on this machine
os.environ["CREWAI_STORAGE_DIR"] = home.name  # and leaves nothing on it

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import tool

from hippocortex import SyncHippocortex, session, shared_recorder
from hippocortex.adapters.crewai import HippocortexMemory

migrated = False


@tool
def deploy(service: str) -> str:
    """Deploy a service to staging."""
    if not migrated:
        raise RuntimeError("pending migrations: the schema of payments is older than its code")
    return f"{service} is live on staging"


@tool
def migrate(service: str) -> str:
    """Migrate the database of a service."""
    global migrated  # noqa: PLW0603 - the world outside of the crew
    migrated = True
    return f"the database of {service} is up to date"


class ScriptedModel(BaseLLM):
    """Deploys; after a failure that it sees or remembers, it migrates before."""

    def call(self, messages: Any, *_: Any, **__: Any) -> Any:
        text = "\n".join(str(message.get("content")) for message in messages)
        results = [str(message["content"]) for message in messages if message["role"] == "tool"]
        for result in results[-1:]:
            print(f"  {result}")
        if results and "is live" in results[-1]:
            return results[-1]
        done = any("is up to date" in result for result in results)
        name = "migrate" if "pending migrations" in text and not done else "deploy"
        called = {"name": name, "arguments": json.dumps({"service": "payments"})}
        return [{"id": f"call_{len(results)}", "type": "function", "function": called}]

    def supports_function_calling(self) -> bool:
        return True

    def get_input_tokens_count(self, *_: Any, **__: Any) -> int:
        return 0


def run(day: str) -> None:
    """One kickoff of a fresh crew; the memory is all that lasts."""
    global migrated  # noqa: PLW0603
    migrated = False
    deployer = Agent(
        role="Deployer",
        goal="Deploy services",
        backstory="You deploy services.",
        llm=ScriptedModel(model="scripted"),
        tools=[deploy, migrate],
    )
    task = Task(
        description="Deploy {service} to staging", expected_output="one line", agent=deployer
    )
    crew = Crew(agents=[deployer], tasks=[task], memory=HippocortexMemory(), tracing=False)
    print(f"{day}:")
    with session(day, user_id="ann"):
        print(f"  answer: {crew.kickoff(inputs={'service': 'payments'}).raw}")


def main() -> None:
    with home as folder:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder

        with SyncHippocortex() as memory:
            print(f"memory: {memory.health().status}")

        run("monday")
        shared_recorder().flush()  # a process that ends does this by itself

        with SyncHippocortex() as memory:
            learned = memory.learn()
            print(f"learned: {learned.artifacts.by_type}")

        run("tuesday")
        shared_recorder().close()


if __name__ == "__main__":
    main()
