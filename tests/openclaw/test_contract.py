"""The middleware passes the contract of adapters, in an agent loop written by hand."""

import asyncio
import copy
import json
from collections import defaultdict
from types import MappingProxyType

from hippocortex_core import session
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome
from hippocortex_openclaw import create_middleware


class Loop(Agent):
    """A user's program: conversations, a model, tools, and the memory that is told of everything."""

    def __init__(self, script, *, memory):
        super().__init__()
        self.script = script
        self.twice = False
        self.conversations = defaultdict(list)
        self.memory = create_middleware() if memory else None

    def run(self, said, who, mode):
        return asyncio.run(self.arun(said, who, mode))

    async def arun(self, said, who, mode):
        with session(who.session_id, user_id=who.user_id):
            return await self.turn(said, self.conversations[who.session_id])

    def replay(self, said, who, mode):
        """The host delivers everything twice, under the ids that it had."""
        self.twice = True
        self.run(said, who, mode)

    def belongings(self):
        return copy.deepcopy(dict(self.conversations))

    def attached_hooks(self):
        return self.memory.attached_hooks

    def detach(self):
        self.memory.detach()

    async def turn(self, said, messages):
        place = f"m{len(messages)}"
        messages.append({"role": "user", "content": said})
        await self.tell("on_message", said, "user", message_id=place)
        for step in range(10):
            answer = await self.ask(said, messages, step)
            if answer.text:
                await self.tell("on_response", answer.text, message_id=f"{place}-{step}")
            messages.append({"role": "assistant", "content": answer.text})
            if not answer.calls:
                return Outcome(answer.text)
            for call in answer.calls:
                messages.append({"role": "tool", "content": await self.use(*call)})
        raise AssertionError("the script ends")

    async def ask(self, said, messages, step):
        given = messages
        if self.memory is not None:
            given = await self.memory.inject_into_messages(messages, said)
        self.requests.append(json.dumps(given))
        return self.script.answer(said, step)

    async def use(self, call_id, name, args):
        await self.tell("on_tool_call", name, args, tool_call_id=call_id)
        try:
            found = self.script.tools[name](**args)
        except RuntimeError as error:
            found = error
        await self.tell("on_tool_result", name, found, tool_call_id=call_id)
        return str(found)

    async def tell(self, hook, *what, **ids):
        if self.memory is None:
            return
        for _ in range(2 if self.twice else 1):
            await getattr(self.memory, hook)(*what, metadata=ids)


class LoopDriver(Driver):
    adapter = "hippocortex_openclaw"
    brings = ()
    modes = ("sync", "async")
    hooks = (
        *("on_message", "on_response", "on_tool_call", "on_tool_result"),
        "inject_into_messages",
    )

    def agent(self, script, *, memory):
        return Loop(script, memory=memory)


class TestMiddleware(AdapterContract):
    driver = LoopDriver()
    not_applicable = MappingProxyType(
        {"streaming-unchanged": "the loop is the user's; nothing streams through it"}
    )
