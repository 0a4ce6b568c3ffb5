"""hippocortex.auto: one import, and every client of both SDKs remembers.

    uv run --with openai --with anthropic python examples/auto/main.py

Runs offline: a scripted model on this machine stands in for both services, and answers from what
it is told.  With the real ones, the lines that name `server` go away.
"""

import os
import tempfile
from pathlib import Path

from anthropic import Anthropic
from openai import OpenAI

import hippocortex.auto
from hippocortex import SyncHippocortex, session, shared_recorder
from hippocortex_core.testing.llm_server import Answer, Asked, LlmServer


def model(asked: Asked) -> Answer:
    """Knows nothing but what is in the request."""
    known = "vegetarian" in str(asked.body)
    return Answer("The pumpkin risotto." if known else "The steak.")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, LlmServer(model) as server:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            print(f"memory: {memory.health().status}")

        # Ann talks to an agent on OpenAI's SDK …
        openai = OpenAI(base_url=f"{server.url}/v1", api_key="none")
        with openai, session("monday", user_id="ann"):
            openai.responses.create(model="gpt-5", input="I prefer vegetarian food for dinner")
        shared_recorder().flush()  # a process that ends does this by itself

        # … and the one on Anthropic's knows it, for her and for nobody else.
        with Anthropic(base_url=server.url, api_key="none") as anthropic:
            for user in ("ann", "bob"):
                with session(f"tuesday-{user}", user_id=user):
                    answer = anthropic.messages.create(
                        model="claude",
                        max_tokens=100,
                        messages=[{"role": "user", "content": "Choose some food for my dinner"}],
                    )
                print(f"{user}: {answer.content[0].text}")

        hippocortex.auto.uninstall()
        shared_recorder().close()


if __name__ == "__main__":
    main()
