"""Classic AutoGen agents that fail once, learn from it, and do it right the next time.

    pip install 'ag2>=0.9,<1' 'hippocortex[local]' hippocortex-autogen
    python examples/autogen_classic/main.py

Runs with `autogen-agentchat` 0.2 and `pyautogen` 0.2 as well.  It runs offline: a small scripted
model stands in for a real one.  It knows nothing but what it is asked, so what it does
differently the second time comes from memory alone.
"""

import json
import logging
import os
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autogen import ConversableAgent, UserProxyAgent, register_function

from hippocortex import SyncHippocortex, session, shared_recorder
from hippocortex.adapters.autogen import wrap

logging.getLogger("autogen.oai.client").setLevel(logging.WARNING)
TASK = "Deploy payments to staging"
migrated = False


def deploy(service: str) -> str:
    """Deploy a service to staging."""
    if not migrated:
        raise RuntimeError("pending migrations: the schema of payments is older than its code")
    return f"{service} is live on staging"


def migrate(service: str) -> str:
    """Migrate the database of a service."""
    global migrated  # noqa: PLW0603 - the world outside of the agents
    migrated = True
    return f"the database of {service} is up to date"


class ScriptedModel:
    """Deploys; after a failure that it sees or remembers, it migrates before."""

    def __init__(self, config: Any) -> None:
        """AutoGen makes one of the agent's configuration."""

    def create(self, params: Any) -> Any:
        messages = params["messages"]
        text = "\n".join(str(message.get("content")) for message in messages)
        results = [message for message in messages if message["role"] == "tool"]
        if results and "is live" in str(results[-1]["content"]):
            return _response(content=results[-1]["content"])
        done = any("is up to date" in str(result["content"]) for result in results)
        tool = "migrate" if "pending migrations" in text and not done else "deploy"
        function = {"name": tool, "arguments": json.dumps({"service": "payments"})}
        call = {"id": f"call_{len(results)}", "type": "function", "function": function}
        return _response(tool_calls=[call])

    def message_retrieval(self, response: Any) -> list[Any]:
        return [response.message]

    def cost(self, _: Any) -> float:
        return 0

    @staticmethod
    def get_usage(_: Any) -> dict[str, Any]:
        names = ("prompt_tokens", "completion_tokens", "total_tokens", "cost")
        return {**dict.fromkeys(names, 0), "model": "scripted"}


def _response(**said: Any) -> Any:
    nothing = dict.fromkeys(("content", "function_call", "tool_calls"))
    message = SimpleNamespace(
        **{**nothing, **said}, model_dump=lambda: {"role": "assistant", **said}
    )
    choice = SimpleNamespace(message=message, finish_reason="stop")
    return SimpleNamespace(message=message, choices=[choice], model="scripted", id="1", cost=0)


def run(name: str) -> None:
    """One conversation with fresh agents; the memory is all that lasts."""
    global migrated  # noqa: PLW0603
    migrated = False
    assistant = ConversableAgent(
        "assistant",
        system_message="You deploy services.",
        llm_config={
            "config_list": [{"model": "scripted", "model_client_cls": "ScriptedModel"}],
            "cache_seed": None,
        },
    )
    user = UserProxyAgent(
        "user",
        human_input_mode="NEVER",
        code_execution_config=False,
        is_termination_msg=lambda message: not message.get("tool_calls"),
    )
    for tool in (deploy, migrate):
        register_function(tool, caller=assistant, executor=user, description=tool.__doc__ or "")
    assistant.register_model_client(model_client_cls=ScriptedModel)

    wrap(assistant)
    # AutoGen tells the terminal of everything.
    with session(name, user_id="ann"), redirect_stdout(StringIO()):
        user.initiate_chat(assistant, message=TASK, silent=True)
    print(f"{name}:")
    for message in user.chat_messages[assistant]:
        for answer in message.get("tool_responses", ()):
            print(f"  {answer['content']}")
    print(f"  answer: {user.last_message(assistant)['content']}")


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
