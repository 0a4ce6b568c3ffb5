"""Classic AutoGen: `ConversableAgent` of AG2 0.x, `autogen-agentchat` 0.2 and `pyautogen` 0.2.

An agent is attached through its own hooks (`register_hook`).  What it sends is captured when it
sends it, and what it was sent when it answers, unless the one who sent it is attached, too.  What
is recalled goes into what its model is asked, and not into the chat's history.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from hippocortex_autogen import _classic_events as _events
from hippocortex_autogen import _compat
from hippocortex_autogen._classic_chats import Asked, Chat, key_of, speaker_of
from hippocortex_core.guard import fail_open
from hippocortex_core.recorder.surface import Surface
from hippocortex_core.scope import Scope

Message = Mapping[str, Any]

_BEFORE_REPLY = "process_all_messages_before_reply"
_BEFORE_SEND = "process_message_before_send"


def attach(agent: Any, memory: Surface, *, inject: bool) -> None:
    """Capture from the agent, or from everybody that a manager manages, as one conversation."""
    for one in _members(agent):
        Hook(one, memory, inject=inject and _compat.has_model(one)).attach()


def detach(agent: Any) -> None:
    """The agent, or everybody that a manager manages, is as before."""
    for one in _members(agent):
        hook = hook_of(one)
        if hook is not None:
            hook.detach()


def attached_hooks(agent: Any) -> Collection[str]:
    """What of the agent, or of everybody that a manager manages, is used."""
    found: dict[str, None] = {}
    for one in _members(agent):
        hook = hook_of(one)
        if hook is not None:
            found.update(dict.fromkeys(hook.attached_hooks))
    return list(found)


def hook_of(agent: Any) -> Hook | None:
    """What is attached to the agent, if anything is."""
    for method in getattr(agent, "hook_lists", {}).get(_BEFORE_SEND, ()):
        owner = getattr(method, "__self__", None)
        if isinstance(owner, Hook):
            return owner
    return None


def _members(agent: Any) -> Sequence[Any]:
    group = _compat.group_of(agent)
    if group is None:
        return [agent]
    return [one for member in group for one in _members(member)]


class Hook:
    """Captures what a classic agent says and is told, and recalls for its model.

    Args:
        agent: With `register_hook`.
        memory: That captures and recalls.
        inject: Whether it recalls.
    """

    def __init__(self, agent: Any, memory: Surface, *, inject: bool) -> None:
        self.agent = agent
        self.memory = memory
        self._inject = inject
        self._chats: WeakKeyDictionary[Any, Chat] = WeakKeyDictionary()
        self._methods: dict[str, Any] = {
            _BEFORE_REPLY: self.before_reply,
            _BEFORE_SEND: self.before_send,
            f"a_{_BEFORE_REPLY}": self.a_before_reply,
            f"a_{_BEFORE_SEND}": self.a_before_send,
        }

    def attach(self) -> None:
        """Use the hooks that the agent has; asynchronous ones are younger than its oldest."""
        for partner, history in _compat.histories(self.agent).items():
            self._chats[partner] = Chat(history)
        for name, method in self._methods.items():
            if name in _compat.hooks_of(self.agent) or not name.startswith("a_"):
                self.agent.register_hook(name, method)

    def detach(self) -> None:
        """Take the hooks back."""
        for name in self.attached_hooks:
            _compat.hooks_of(self.agent)[name].remove(self._methods[name])

    @property
    def attached_hooks(self) -> list[str]:
        """The hooks of the agent that are used."""
        lists = _compat.hooks_of(self.agent)
        return [name for name, one in self._methods.items() if one in lists.get(name, ())]

    # --- the hooks -------------------------------------------------------------------------------

    def before_reply(self, messages: list[Any]) -> list[Any]:
        """What the agent is about to answer; a copy with what is recalled, if anything is."""
        if self.memory.ready:
            with fail_open("reading a chat"):
                asked = self._read(messages)
                if asked is not None:
                    if asked.known is None:
                        asked.recalled(self.memory.recall(*asked.question).text)
                    return asked.filled()
        return messages

    async def a_before_reply(self, messages: list[Any]) -> list[Any]:
        """As `before_reply`; the event loop goes on meanwhile."""
        if self.memory.ready:
            with fail_open("reading a chat"):
                asked = self._read(messages)
                if asked is not None:
                    if asked.known is None:
                        asked.recalled((await self.memory.arecall(*asked.question)).text)
                    return asked.filled()
        return messages

    def before_send(self, sender: Any, message: Any, recipient: Any, silent: Any) -> Any:  # noqa: ARG002
        """What the agent is about to say; as it is."""
        if self.memory.ready:
            with fail_open("capturing a message"):
                self._sent(message, recipient)
        return message

    async def a_before_send(self, sender: Any, message: Any, recipient: Any, silent: Any) -> Any:
        """As `before_send`, which never waits."""
        return self.before_send(sender, message, recipient, silent)

    # --- parts -----------------------------------------------------------------------------------

    def _read(self, messages: Sequence[Message]) -> Asked | None:
        """Capture what is new, and say what there is to recall for."""
        scope = self.memory.scope()
        partner = self._partner(messages)
        if partner is None:
            return self._read_alone(messages, scope)
        chat, history = self._chat(partner), _compat.histories(self.agent)[partner]
        self._catch_up(partner, chat, history, scope)
        at = _events.asked_in(history)
        if not self._inject or at is None:
            return None
        return Asked(messages, history[at], scope, chat)

    def _read_alone(self, messages: Sequence[Message], scope: Scope) -> Asked | None:
        """A list of messages that somebody gives, without a chat."""
        tools, seen = _events.calls_in(messages), Counter[str]()
        for message in messages:
            name = _events.digest(message)
            seen[name] += 1
            human = message.get("role") != "assistant"
            speaker = str(message.get("name") or message.get("role") or "")
            key = f"{name}#{seen[name]}"
            for step in _events.steps_of(message, speaker, key, human=human, tools=tools):
                self.memory.record(step, scope)
        at = _events.asked_in(messages)
        if not self._inject or at is None:
            return None
        return Asked(messages, messages[at], scope, Chat(()))

    def _partner(self, messages: Sequence[Message]) -> Any:
        """With whom the messages were exchanged, which hooks are not told.

        Other hooks may have put other messages in their place; some of them are still the same.
        """
        if not messages:
            return None
        ends = (messages[0], messages[-1])
        chats = [pair for pair in _compat.histories(self.agent).items() if pair[1]]
        for partner, history in chats:
            if history is messages or history[0] is ends[0] or history[-1] is ends[1]:
                return partner
        last = _events.digest(messages[-1])
        return next((one for one, found in chats if _events.digest(found[-1]) == last), None)

    def _chat(self, partner: Any) -> Chat:
        found = self._chats.get(partner)
        if found is None:
            self._chats[partner] = found = Chat(())
        return found

    def _sent(self, message: Any, recipient: Any) -> None:
        scope = self.memory.scope()
        histories = _compat.histories(self.agent)
        # A nested chat may have ended with an answer to nobody.
        for partner, chat in list(self._chats.items()):
            if chat.scope == scope and partner in histories:
                self._catch_up(partner, chat, histories[partner], scope)
        chat = self._chat(recipient)
        chat.scope = scope
        chat.sent.append(_events.digest(message))
        human = not _compat.has_model(self.agent)
        tools = _events.calls_in(histories.get(recipient, ()))
        self._record(message, self.agent.name, uuid.uuid4().hex, scope, human, tools)

    def _catch_up(self, partner: Any, chat: Chat, history: Sequence[Message], scope: Scope) -> None:
        """Capture what the partner has said since last time."""
        chat.scope = scope
        news = chat.news(history)
        tools = _events.calls_in(history) if news else {}
        for position in news:
            message = history[position]
            chat.last = message
            if not self._is_own(message, chat):
                self._received(message, partner, history[: position + 1], scope, tools)

    def _is_own(self, message: Message, chat: Chat) -> bool:
        """Whether the agent said it itself; messages that call tools do not say who does."""
        name = _events.digest(message)
        if name in chat.sent:
            chat.sent.remove(name)
            return True
        return message.get("name") == self.agent.name

    def _received(
        self,
        message: Message,
        partner: Any,
        history: Sequence[Message],
        scope: Scope,
        tools: Mapping[str, str],
    ) -> None:
        speaker = speaker_of(message, partner)
        other = hook_of(speaker)
        if other is None or other.memory.open() is not self.memory.open():
            name = str(message.get("name") or partner.name)
            human = not _compat.has_model(speaker)
            self._record(message, name, key_of(message, partner, history), scope, human, tools)

    def _record(
        self,
        message: Any,
        speaker: str,
        key: str,
        scope: Scope,
        human: bool,
        tools: Mapping[str, str],
    ) -> None:
        for step in _events.steps_of(message, speaker, key, human=human, tools=tools):
            self.memory.record(step, scope)
