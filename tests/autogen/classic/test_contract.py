"""Every surface for classic AutoGen passes the contract of adapters."""

import asyncio
import contextlib
import threading
from types import MappingProxyType

import pytest
from autogen import ConversableAgent, GroupChat, GroupChatManager

from hippocortex_autogen import attached_hooks, detach, wrap
from hippocortex_core import session
from hippocortex_core.scope import Scope
from hippocortex_core.testing.contract import AdapterContract, Agent, Driver, Outcome

NOT_APPLICABLE = MappingProxyType(
    {"streaming-unchanged": "chats give whole messages, and their streams go to the terminal"}
)
HAS_ASYNC_HOOKS = "a_process_message_before_send" in ConversableAgent("probe").hook_lists
"""Only autogen-agentchat 0.2.38 to 0.2.40 has them."""
HOOKS = ("process_all_messages_before_reply", "process_message_before_send")


@pytest.fixture(autouse=True)
def _scripted(scripted):
    ChatAgent.scripted = scripted


class ChatAgent(Agent):
    """A user's program: a user and an assistant for every conversation, that goes on."""

    scripted = None

    def __init__(self, script, *, memory):
        super().__init__()
        self.script = script
        self.memory = memory
        self.fails = 0
        self.conversations = {}
        self.building = threading.Lock()

    def run(self, said, who, mode):
        user, assistant = self.conversation(who)
        with session(who.session_id, user_id=who.user_id):
            user.initiate_chat(assistant, message=said, clear_history=False, silent=True)
        return self.outcome(user, assistant)

    async def arun(self, said, who, mode):
        user, assistant = self.conversation(who)
        with session(who.session_id, user_id=who.user_id):
            await user.a_initiate_chat(assistant, message=said, clear_history=False, silent=True)
        return self.outcome(user, assistant)

    def replay(self, said, who, mode):
        """The model is gone at first; then the assistant is asked to answer what it was told."""
        self.fails = 1
        with contextlib.suppress(ConnectionError):
            if mode == "async":
                asyncio.run(self.arun(said, who, mode))
            else:
                self.run(said, who, mode)
        assert not self.fails
        partner, assistant = self.answering(who)
        with session(who.session_id, user_id=who.user_id):
            if mode == "async":
                asyncio.run(self.aresume(partner, assistant))
            else:
                reply = assistant.generate_reply(sender=partner)
                assistant.send(reply, partner, request_reply=True, silent=True)

    async def aresume(self, partner, assistant):
        reply = await assistant.a_generate_reply(sender=partner)
        await assistant.a_send(reply, partner, request_reply=True, silent=True)

    def answering(self, who):
        """Whom the assistant answers, and the assistant."""
        return self.conversation(who)

    def belongings(self):
        """Everybody's histories, which programs store, and the hooks that they have."""
        histories = [
            [messages for _, messages in sorted(_named(agent.chat_messages))]
            for agents in self.conversations.values()
            for agent in agents
        ]
        return histories, list(self.script.tools.values())

    def attached_hooks(self):
        return attached_hooks(self.conversation(Scope("conversation-ann", "ann"))[1])

    def detach(self):
        for _, assistant in self.conversations.values():
            detach(assistant)

    # --- parts -----------------------------------------------------------------------------------

    def conversation(self, who):
        with self.building:
            if who not in self.conversations:
                self.conversations[who] = self.build()
            return self.conversations[who]

    def build(self):
        user, assistant = self.pair()
        return user, (wrap(assistant) if self.memory else assistant)

    def pair(self):
        tools = list(self.script.tools.values())
        assistant = self.scripted.agent(
            self.answer, tools=tools, system_message="You deploy services."
        )
        return self.scripted.user(tools=tools), assistant

    def outcome(self, user, assistant):
        return Outcome(user.chat_messages[assistant][-1]["content"])

    def answer(self, messages):
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the model is gone")
        self.requests.append("\n".join(_brief(message) for message in messages))
        last = max(n for n, m in enumerate(messages) if m["role"] == "user")
        step = sum(m["role"] == "assistant" for m in messages[last:])
        found = self.script.answer(messages[last]["content"], step)
        return found.calls or found.text


def _brief(message):
    return f"{message['role']}: {message.get('content')} {message.get('tool_calls', '')}"


def _named(histories):
    return [(agent.name, messages) for agent, messages in histories.items()]


class GroupAgent(ChatAgent):
    """A group chat of the user and the assistant; everybody in it is attached."""

    def build(self):
        user, assistant = self.pair()
        group = GroupChat(
            [user, assistant], messages=[], max_round=8, speaker_selection_method="round_robin"
        )
        finals = {turn.final for turn in self.script.turns}
        manager = GroupChatManager(group, is_termination_msg=lambda m: m.get("content") in finals)
        if self.memory:
            wrap(manager)
        return user, manager

    def answering(self, who):
        _, manager = self.conversation(who)
        return manager, manager.groupchat.agents[1]

    def outcome(self, user, manager):
        return Outcome(manager.groupchat.messages[-1]["content"])


class ChatDriver(Driver):
    adapter = "hippocortex_autogen"
    brings = ("autogen",)
    modes = ("sync", "async")
    hooks = (*HOOKS, *(f"a_{hook}" for hook in HOOKS)) if HAS_ASYNC_HOOKS else HOOKS
    surface = ChatAgent

    def agent(self, script, *, memory):
        return self.surface(script, memory=memory)

    def touched(self):
        names = ("generate_reply", "a_generate_reply", "send", "a_send", "receive")
        return {name: getattr(ConversableAgent, name) for name in names}


class TestWrap(AdapterContract):
    driver = ChatDriver()
    not_applicable = NOT_APPLICABLE


class GroupDriver(ChatDriver):
    surface = GroupAgent


class TestGroup(AdapterContract):
    driver = GroupDriver()
    not_applicable = NOT_APPLICABLE
