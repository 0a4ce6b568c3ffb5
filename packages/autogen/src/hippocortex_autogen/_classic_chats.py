"""What a hook of classic AutoGen knows of the chats that its agent is in."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from hippocortex_autogen import _classic_events as _events
from hippocortex_autogen import _compat
from hippocortex_core.scope import Scope

Message = Mapping[str, Any]

_SENT = 64


class Chat:
    """An agent's conversation with another.

    Attributes:
        last: The message of its history that was met last.
        sent: What the agent has sent, which was captured then.
        scope: To whom it belonged when it was met.
        asked: What the agent was told last, by whom, and what was recalled for it.
    """

    def __init__(self, history: Sequence[Message]) -> None:
        self.last: Message | None = history[-1] if history else None
        self.sent: deque[str] = deque(maxlen=_SENT)
        self.scope: Scope | None = None
        self.asked: tuple[Message, Scope, str] | None = None

    def news(self, history: Sequence[Message]) -> range:
        """The positions of what was not met before; all, if the history was begun anew."""
        for position in range(len(history) - 1, -1, -1):
            if history[position] is self.last:
                return range(position + 1, len(history))
        return range(len(history))


class Asked:
    """What is to be recalled for, and where it goes.

    Args:
        messages: That the model is given.
        last: What the agent was told last, in words.
        scope: Whose memory is asked.
        chat: That remembers what was recalled: memory is asked once for what is said once.
    """

    def __init__(
        self, messages: Sequence[Message], last: Message, scope: Scope, chat: Chat
    ) -> None:
        self._messages = messages
        self._last = last
        self._scope = scope
        self._chat = chat
        self.question = (_events.text_of(last.get("content")), scope)

    @property
    def known(self) -> str | None:
        """What was recalled for it already, as when its answer has called a tool."""
        asked = self._chat.asked
        if asked is None or asked[0] is not self._last or asked[1] != self._scope:
            return None
        return asked[2]

    def recalled(self, block: str) -> None:
        """Memory has answered."""
        self._chat.asked = (self._last, self._scope, block)

    def filled(self) -> list[Any]:
        """The messages with what was recalled; never the list that the agent keeps."""
        block = self.known
        return _events.with_block(self._messages, block) if block else list(self._messages)


def speaker_of(message: Message, partner: Any) -> Any:
    """Who says what a partner has sent: in a group chat, the manager sends what others say."""
    name = message.get("name")
    group = _compat.group_of(partner) or ()
    return next((one for one in group if one.name == name), partner)


class _Group:
    """A group chat: everybody in it is sent everything."""

    def __init__(self) -> None:
        self.name = ""
        self._first: object = None

    def began_with(self, first: object) -> None:
        if first is not self._first:
            self.name, self._first = uuid.uuid4().hex, first


_groups: WeakKeyDictionary[Any, _Group] = WeakKeyDictionary()


def key_of(message: Message, partner: Any, history: Sequence[Message]) -> str:
    """Identifies what a partner has sent, for everybody to whom it was sent.

    Args:
        message: As the one who was sent it keeps it.
        partner: Who has sent it; the manager of a group chat, to all of its members.
        history: All that was exchanged with the partner, up to the message.
    """
    messages = _compat.messages_of_group(partner)
    if not messages:
        return uuid.uuid4().hex
    group = _groups.get(partner) or _groups.setdefault(partner, _Group())
    group.began_with(messages[0])
    name = _events.digest(message)
    times = sum(_events.digest(one) == name for one in history)
    return f"{group.name}/{name}#{times}"
