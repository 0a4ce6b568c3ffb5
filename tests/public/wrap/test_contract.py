"""`wrap()` passes the contract of adapters, on the real SDKs with a tool loop written by hand."""

import asyncio
import json
from collections import defaultdict
from types import MappingProxyType

import pytest

from hippocortex import session, wrap
from hippocortex.wrap import unwrap
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome
from hippocortex_core.testing.llm_server import Answer, LlmServer


@pytest.fixture(autouse=True)
def home():
    """The contract brings a memory of its own."""


class Client(Agent):
    """A user's program: a client, conversations, and a loop that calls tools."""

    def __init__(self, sdk, script, *, memory):
        super().__init__()
        self.script = script
        self.sdk = sdk
        self.failing = False
        self.server = LlmServer(self._answer)
        self.server.__enter__()
        self.conversations = defaultdict(list)
        self.clients = [sdk.client(self.server.url, kind) for kind in (sdk.sync, sdk.asynchronous)]
        if memory:
            self.clients = [wrap(client) for client in self.clients]
        self.tools = [sdk.tool(name, tool) for name, tool in script.tools.items()]

    def run(self, said, who, mode):
        with session(who.session_id, user_id=who.user_id):
            loop = self._turn(said, self.conversations[who.session_id], mode)
            return drive(loop, lambda body: self.sdk.ask(self.clients[0], body, mode))

    async def arun(self, said, who, mode):
        with session(who.session_id, user_id=who.user_id):
            loop = self._turn(said, self.conversations[who.session_id], mode)
            return await adrive(loop, lambda body: self.sdk.aask(self.clients[1], body, mode))

    def replay(self, said, who, mode):
        """Each request fails once, and the SDK sends it again."""
        self.failing = True
        if mode in {"async", "astream"}:
            asyncio.run(self.arun(said, who, mode))
        else:
            self.run(said, who, mode)
        assert len(self.requests) == 2 * len(self.script.turn_in(said).replies)

    def belongings(self):
        return dict(self.conversations), self.tools

    def attached_hooks(self):
        names = ("request", "copy", "with_options")
        return [name for name in names if all(name in vars(client) for client in self.clients)]

    def detach(self):
        for client in self.clients:
            unwrap(client)
        assert self.attached_hooks() == []

    def close(self):
        self.clients[0].close()
        asyncio.run(self.clients[1].close())
        self.server.__exit__(None, None, None)

    def _turn(self, said, messages, mode):
        """The loop: yields a request, gets (text, calls, message, chunks)."""
        messages.append({"role": "user", "content": said})
        chunks = []
        while True:
            body = {"model": "m", "messages": messages, "tools": self.tools, **self.sdk.extra}
            text, calls, message, pieces = yield body
            chunks += pieces
            messages.append(message)
            if not calls:
                return Outcome(text, chunks)
            messages += self.sdk.results([(*call, self._use(call)) for call in calls])

    def _use(self, call):
        """What every agent does: a failure is text for the model."""
        _, name, args = call
        try:
            return self.script.tools[name](**args), False
        except RuntimeError as error:
            return f"Error: {error}", True

    def _answer(self, asked):
        self.requests.append(json.dumps(asked.body, ensure_ascii=False))
        if self.failing and len(self.requests) % 2:
            return Answer(status=500)
        said, step = self.sdk.where(asked.body["messages"])
        return self.script.answer(said, step)


def drive(loop, ask):
    try:
        body = next(loop)
        while True:
            body = loop.send(ask(body))
    except StopIteration as done:
        return done.value


async def adrive(loop, ask):
    try:
        body = next(loop)
        while True:
            body = loop.send(await ask(body))
    except StopIteration as done:
        return done.value


SCHEMA = {"type": "object", "additionalProperties": True}
OPTIONS = {
    "api_key": "test",
    "max_retries": 1,
    "timeout": 30,
    # A connection belongs to the event loop that it was opened in.
    "default_headers": {"Connection": "close"},
}


class OpenAi:
    sync, asynchronous = "OpenAI", "AsyncOpenAI"
    extra = MappingProxyType({})

    def client(self, url, kind):
        import openai

        return getattr(openai, kind)(base_url=f"{url}/v1", **OPTIONS)

    def tool(self, name, tool):
        function = {"name": name, "description": tool.__doc__, "parameters": SCHEMA}
        return {"type": "function", "function": function}

    def ask(self, client, body, mode):
        if mode == "sync":
            return self._whole(client.chat.completions.create(**body))
        with client.chat.completions.create(**body, stream=True) as stream:
            return self._pieces(list(stream))

    async def aask(self, client, body, mode):
        if mode == "async":
            return self._whole(await client.chat.completions.create(**body))
        async with await client.chat.completions.create(**body, stream=True) as stream:
            return self._pieces([chunk async for chunk in stream])

    def results(self, done):
        return [
            {"role": "tool", "tool_call_id": call_id, "content": text}
            for call_id, _, _, (text, _) in done
        ]

    def where(self, messages):
        last = max(i for i, m in enumerate(messages) if m["role"] == "user")
        step = sum(m["role"] == "assistant" for m in messages[last:])
        return messages[last]["content"], step

    def _whole(self, answer):
        message = answer.choices[0].message
        calls = [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or []]
        return self._reply(message.content or "", calls, [])

    def _pieces(self, chunks):
        text, calls = "", {}
        pieces = [chunk.choices[0].delta.model_dump(exclude_none=True) for chunk in chunks]
        for piece in pieces:
            text += piece.get("content") or ""
            for part in piece.get("tool_calls", ()):
                call = calls.setdefault(part["index"], ["", "", ""])
                call[0] += part.get("id") or ""
                call[1] += part["function"].get("name") or ""
                call[2] += part["function"].get("arguments") or ""
        return self._reply(text, list(calls.values()), pieces)

    def _reply(self, text, calls, chunks):
        message = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [
                {"id": i, "type": "function", "function": {"name": name, "arguments": args}}
                for i, name, args in calls
            ]
        return text, [(i, name, json.loads(args)) for i, name, args in calls], message, chunks


class Anthropic:
    sync, asynchronous = "Anthropic", "AsyncAnthropic"
    extra = MappingProxyType({"max_tokens": 100})

    def client(self, url, kind):
        import anthropic

        return getattr(anthropic, kind)(base_url=url, **OPTIONS)

    def tool(self, name, tool):
        return {"name": name, "description": tool.__doc__, "input_schema": SCHEMA}

    def ask(self, client, body, mode):
        if mode == "sync":
            return self._reply(client.messages.create(**body), [])
        with client.messages.stream(**body) as stream:
            events = list(stream)
            return self._reply(stream.get_final_message(), self._pieces(events))

    async def aask(self, client, body, mode):
        if mode == "async":
            return self._reply(await client.messages.create(**body), [])
        async with client.messages.stream(**body) as stream:
            events = [event async for event in stream]
            return self._reply(await stream.get_final_message(), self._pieces(events))

    def results(self, done):
        blocks = [
            {"type": "tool_result", "tool_use_id": i, "content": text, "is_error": failed}
            for i, _, _, (text, failed) in done
        ]
        return [{"role": "user", "content": blocks}]

    def where(self, messages):
        last = max(i for i, m in enumerate(messages) if self._says(m))
        step = sum(m["role"] == "assistant" for m in messages[last:])
        return messages[last]["content"], step

    def _says(self, message):
        return message["role"] == "user" and isinstance(message["content"], str)

    def _pieces(self, events):
        deltas = [event for event in events if event.type == "content_block_delta"]
        return [event.delta.model_dump() for event in deltas]

    def _reply(self, answer, chunks):
        text = "".join(block.text for block in answer.content if block.type == "text")
        calls = [(b.id, b.name, b.input) for b in answer.content if b.type == "tool_use"]
        blocks = [{"type": "text", "text": text}] if text else []
        blocks += [{"type": "tool_use", "id": i, "name": n, "input": args} for i, n, args in calls]
        return text, calls, {"role": "assistant", "content": blocks}, chunks


class WrapDriver(Driver):
    adapter = "hippocortex.wrap"
    translates = ("openai_chat", "openai_responses", "anthropic_messages")
    brings = ()
    modes = ("sync", "async", "stream", "astream")
    hooks = ("request", "copy", "with_options")
    sdk = Anthropic()

    def agent(self, script, *, memory):
        return Client(self.sdk, script, memory=memory)


class OpenAiDriver(WrapDriver):
    sdk = OpenAi()
    flags_failures = False


class TestOpenAi(AdapterContract):
    driver = OpenAiDriver()


class TestAnthropic(AdapterContract):
    driver = WrapDriver()
