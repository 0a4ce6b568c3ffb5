"""A team of AgentChat that fails once, learns from it, and does it right the next time.

    pip install 'hippocortex[autogen,local]'
    python examples/autogen_team/main.py

Runs offline: small scripted models stand in for real ones.  They know nothing but what they are
asked, so what they do differently the second time comes from memory alone.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core import FunctionCall
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, RequestUsage

from hippocortex import SyncHippocortex, session, shared_recorder
from hippocortex.adapters.autogen import wrap

TASK = "Deploy payments to staging"
migrated = False


async def deploy(service: str) -> str:
    """Deploy a service to staging."""
    if not migrated:
        raise RuntimeError("pending migrations: the schema of payments is older than its code")
    return f"{service} is live on staging"


async def migrate(service: str) -> str:
    """Migrate the database of a service."""
    global migrated  # noqa: PLW0603 - the world outside of the team
    migrated = True
    return f"the database of {service} is up to date"


class ScriptedModel(ChatCompletionClient):
    """What all of them have in common: they answer at once, and cost nothing."""

    component_type = "model"
    usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    def answer(self, messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
        raise NotImplementedError

    async def create(self, messages: Sequence[LLMMessage], **_: Any) -> CreateResult:
        content = self.answer(messages)
        reason = "stop" if isinstance(content, str) else "function_calls"
        return CreateResult(finish_reason=reason, content=content, usage=self.usage, cached=False)

    def create_stream(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None:
        """There is nothing to close."""

    def actual_usage(self) -> RequestUsage:
        return self.usage

    def total_usage(self) -> RequestUsage:
        return self.usage

    def count_tokens(self, *_: Any, **__: Any) -> int:
        return 0

    def remaining_tokens(self, *_: Any, **__: Any) -> int:
        return 0

    @property
    def capabilities(self) -> Any:
        return self.model_info

    @property
    def model_info(self) -> Any:
        known = dict.fromkeys(("vision", "json_output", "structured_output"), False)
        return {**known, "function_calling": True, "family": "unknown"}


class Deployer(ScriptedModel):
    """Deploys; after a failure that it sees or remembers, it migrates before."""

    def answer(self, messages: Sequence[LLMMessage]) -> str | list[FunctionCall]:
        text = "\n".join(str(message.content) for message in messages)
        results = [m for m in messages if m.type == "FunctionExecutionResultMessage"]
        done = any("is up to date" in str(result.content) for result in results)
        tool = "migrate" if "pending migrations" in text and not done else "deploy"
        arguments = json.dumps({"service": "payments"})
        return [FunctionCall(id=f"call_{len(results)}", name=tool, arguments=arguments)]


class Reviewer(ScriptedModel):
    """Is content when something is live."""

    def answer(self, messages: Sequence[LLMMessage]) -> str:
        return "DONE" if "is live" in str(messages[-1].content) else "Try again."


async def run(name: str) -> None:
    """One conversation with a fresh team; the memory is all that lasts."""
    global migrated  # noqa: PLW0603
    migrated = False
    deployer = AssistantAgent("deployer", Deployer(), tools=[deploy, migrate])
    reviewer = AssistantAgent("reviewer", Reviewer())
    team = wrap(
        RoundRobinGroupChat(
            [deployer, reviewer], termination_condition=TextMentionTermination("DONE")
        )
    )
    print(f"{name}:")
    with session(name, user_id="ann"):
        async for item in team.run_stream(task=TASK):
            if type(item).__name__ == "ToolCallExecutionEvent":
                for result in item.content:
                    failed = "FAILED, " if result.is_error else ""
                    print(f"  {result.name}: {failed}{result.content}")


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
