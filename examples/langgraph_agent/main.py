"""An agent that fails once, learns from it, and does it right the next time.

    uv run python examples/langgraph_agent/main.py

Runs offline: a small scripted model stands in for a real one.  It knows nothing but what it is
asked, so what it does differently the second time comes from memory alone.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import ToolException, tool

from hippocortex import SyncHippocortex, shared_recorder
from hippocortex.adapters.langgraph import HippocortexMiddleware

TASK = "Deploy payments to staging"
migrated = False


@tool
def deploy(service: str) -> str:
    """Deploy a service to staging."""
    if not migrated:
        raise ToolException("pending migrations: the schema of payments is older than its code")
    return f"{service} is live on staging"


@tool
def migrate(service: str) -> str:
    """Migrate the database of a service."""
    global migrated  # noqa: PLW0603 - the world outside of the agent
    migrated = True
    return f"the database of {service} is up to date"


deploy.handle_tool_error = True  # a failure is for the model to read


class ScriptedModel(BaseChatModel):
    """Deploys; after a failure that it sees or remembers, it migrates before."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_: Any, **__: Any) -> "ScriptedModel":
        """It knows its tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        results = [message for message in messages if isinstance(message, ToolMessage)]
        done = [message.name for message in results if message.status == "success"]
        knows = any("pending migrations" in str(message.content) for message in messages)
        if "deploy" in done:
            answer = AIMessage(str(results[-1].content))
        else:
            tool = "migrate" if knows and "migrate" not in done else "deploy"
            call = {"id": f"call_{len(results)}", "name": tool, "args": {"service": "payments"}}
            answer = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=answer)])


def run(thread: str) -> None:
    """One conversation with a fresh agent; the memory is all that lasts."""
    global migrated  # noqa: PLW0603
    migrated = False
    agent = create_agent(
        ScriptedModel(),
        [deploy, migrate],
        system_prompt="You deploy services.",
        middleware=[HippocortexMiddleware()],
    )
    config = {"configurable": {"thread_id": thread, "user_id": "ann"}}
    state = agent.invoke({"messages": [("user", TASK)]}, config)
    print(f"{thread}:")
    for message in state["messages"]:
        if isinstance(message, ToolMessage):
            failed = message.status == "error"
            print(f"  {message.name}: {'FAILED, ' if failed else ''}{message.content}")
    print(f"  answer: {state['messages'][-1].content}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
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
