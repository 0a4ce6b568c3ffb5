"""wrap(): an Anthropic client that remembers what its tools found out.

    uv run --with anthropic python examples/wrap_anthropic/main.py

Runs offline: a scripted model on this machine stands in for the service, and answers from what
it is told.  With the real one, the lines that name `server` go away.
"""

import asyncio
import os
import tempfile
from pathlib import Path

from anthropic import Anthropic, AsyncAnthropic

from hippocortex import SyncHippocortex, shared_recorder, wrap
from hippocortex_core.testing.llm_server import Answer, Asked, LlmServer

QUESTION = "How many seats has room Ada?"
TOOLS = [{"name": "find_room", "description": "Look a room up", "input_schema": {"type": "object"}}]


def model(asked: Asked) -> Answer:
    """Knows nothing but what is in the request; has a tool to find out."""
    if "12 seats" in str(asked.body):
        return Answer("Room Ada has 12 seats.")
    return Answer("I will look.", [("toolu_01AbCdEf23456789", "find_room", {"room": "Ada"})])


def first_conversation(client: Anthropic) -> None:
    messages = [{"role": "user", "content": QUESTION}]
    while True:
        answer = client.messages.create(
            model="claude", max_tokens=200, system="Be brief.", tools=TOOLS, messages=messages
        )
        uses = [block for block in answer.content if block.type == "tool_use"]
        print(f"first: {answer.content[0].text}")
        if not uses:
            return
        found = [
            {"type": "tool_result", "tool_use_id": use.id, "content": "Ada: 12 seats, 3rd floor"}
            for use in uses
        ]
        messages += [{"role": "assistant", "content": answer.content}]
        messages += [{"role": "user", "content": found}]


async def second_conversation(client: AsyncAnthropic) -> None:
    async with client.messages.stream(
        model="claude",
        max_tokens=200,
        system="Be brief.",
        tools=TOOLS,
        messages=[{"role": "user", "content": "Does room Ada have seats for ten?"}],
    ) as stream:
        print("second:", "".join([text async for text in stream.text_stream]))


async def answer_again(url: str) -> None:
    async with AsyncAnthropic(base_url=url, api_key="none") as client:
        await second_conversation(wrap(client))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, LlmServer(model) as server:
        os.environ["HIPPOCORTEX_BASE_URL"] = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        os.environ["HIPPOCORTEX_STATE_DIR"] = folder
        with SyncHippocortex() as memory:
            print(f"memory: {memory.health().status}")

        with wrap(Anthropic(base_url=server.url, api_key="none")) as client:
            first_conversation(client)
        shared_recorder().flush()  # a process that ends does this by itself

        asyncio.run(answer_again(server.url))
        with SyncHippocortex() as memory:
            shared_recorder().flush()
            kinds = [event.type for event in memory.list_events(order="asc").events]
        print(f"captured: {', '.join(kinds)}")
        shared_recorder().close()


if __name__ == "__main__":
    main()
