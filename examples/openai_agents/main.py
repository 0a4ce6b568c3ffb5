"""An agent that fails once, learns from it, and does it right the next time.

    uv run python examples/openai_agents/main.py

Runs offline: a small scripted model stands in for a real one.  It knows nothing but what it is
asked, so what it does differently the second time comes from memory alone.
"""

import asyncio
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from agents import (
    Agent,
    Model,
    ModelResponse,
    RunConfig,
    RunContextWrapper,
    TResponseInputItem,
    Usage,
    function_tool,
)
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from hippocortex import SyncHippocortex, shared_recorder
from hippocortex.adapters.openai_agents import HippocortexRunner, HippocortexSession

TASK = "Deploy payments to staging"
migrated = False


def excuse(_: RunContextWrapper[Any], error: Exception) -> str:
    """What the model is told of a tool that raised."""
    return f"Error: {error}"


@function_tool(failure_error_function=excuse)
def deploy(service: str) -> str:
    """Deploy a service to staging."""
    if not migrated:
        raise RuntimeError("pending migrations: the schema of payments is older than its code")
    return f"{service} is live on staging"


@function_tool(failure_error_function=excuse)
def migrate(service: str) -> str:
    """Migrate the database of a service."""
    global migrated  # noqa: PLW0603 - the world outside of the agent
    migrated = True
    return f"the database of {service} is up to date"


class ScriptedModel(Model):
    """Deploys; after a failure that it sees or remembers, it migrates before."""

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 - the SDK's name
        *_: Any,
        **__: Any,
    ) -> ModelResponse:
        results = [str(item["output"]) for item in input if "output" in item]
        knows = "pending migrations" in f"{system_instructions} {results}"
        if any("is live" in result for result in results):
            text = ResponseOutputText(annotations=[], text=results[-1], type="output_text")
            answer: Any = ResponseOutputMessage(
                id="msg", content=[text], role="assistant", status="completed", type="message"
            )
        else:
            ready = any("up to date" in result for result in results)
            answer = ResponseFunctionToolCall(
                call_id=f"call_{len(results)}",
                name="migrate" if knows and not ready else "deploy",
                arguments=json.dumps({"service": "payments"}),
                type="function_call",
            )
        return ModelResponse([answer], Usage(), None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        """It is not asked to."""
        raise NotImplementedError


async def run(conversation: str) -> None:
    """One conversation with a fresh agent; the memory is all that lasts."""
    global migrated  # noqa: PLW0603
    migrated = False
    agent = Agent(
        "Deployer",
        instructions="You deploy services.",
        model=ScriptedModel(),
        tools=[deploy, migrate],
    )
    session = HippocortexSession(conversation, user_id="ann")
    result = await HippocortexRunner.run(
        agent,
        TASK,
        user_id="ann",
        session=session,
        run_config=RunConfig(tracing_disabled=True),  # nothing is sent anywhere
    )
    print(f"{conversation}:")
    names = {}
    for item in await session.get_items():
        if item.get("type") == "function_call":
            names[item["call_id"]] = item["name"]
        elif item.get("type") == "function_call_output":
            print(f"  {names[item['call_id']]}: {item['output']}")
    print(f"  answer: {result.final_output}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder

        with SyncHippocortex() as memory:
            print(f"memory: {memory.health().status}")

        asyncio.run(run("monday"))
        shared_recorder().flush()  # a process that ends does this by itself

        with SyncHippocortex() as memory:
            learned = memory.learn()
            print(f"learned: {learned.artifacts.by_type}")

        asyncio.run(run("tuesday"))
        shared_recorder().close()


if __name__ == "__main__":
    main()
