"""wrap(): an OpenAI client that remembers, across conversations.

    uv run --with openai python examples/wrap_openai/main.py

Runs offline: a scripted model on this machine stands in for the service, and answers from what
it is told.  With the real one, the lines that name `server` go away.
"""

import os
import tempfile
from pathlib import Path

from openai import OpenAI

from hippocortex import SyncHippocortex, shared_recorder, wrap
from hippocortex_core.testing.llm_server import Answer, Asked, LlmServer


def model(asked: Asked) -> Answer:
    """Knows nothing but what is in the request."""
    text = str(asked.body)
    if "staging is db-7" in text:
        return Answer("The database of staging is db-7.")
    return Answer("I do not know.")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, LlmServer(model) as server:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            print(f"memory: {memory.health().status}")

        # A conversation, in which the user says something worth knowing.
        with wrap(OpenAI(base_url=f"{server.url}/v1", api_key="none")) as client:
            client.chat.completions.create(
                model="gpt-5",
                messages=[
                    {"role": "user", "content": "Remember: the database of staging is db-7"},
                ],
            )
        shared_recorder().flush()  # a process that ends does this by itself

        # Another one, with another client, perhaps on another day.
        question = "Which is the database of staging?"
        with OpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            plain = client.responses.create(model="gpt-5", input=question)
            print(f"without memory: {plain.output_text}")

            wrap(client)
            remembered = client.responses.create(model="gpt-5", input=question)
            print(f"with memory: {remembered.output_text}")

            stream = client.chat.completions.create(
                model="gpt-5", messages=[{"role": "user", "content": question}], stream=True
            )
            with stream:
                pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
            print(f"as a stream: {''.join(pieces)}")

        print("\nwhat the model was told:")
        print(server.asked[-1].body["messages"][0]["content"])
        shared_recorder().close()


if __name__ == "__main__":
    main()
