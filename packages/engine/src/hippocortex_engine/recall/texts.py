"""What events say, as a pack shows it, at hand for those that are found again and again."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hippocortex_core.render import render_entry, split_day
from hippocortex_engine.describe import describe
from hippocortex_engine.recall.pleasantries import without_pleasantries
from hippocortex_engine.storage import events as event_store
from hippocortex_engine.storage.events import Excerptable
from hippocortex_engine.times import day
from hippocortex_engine.tokens import TokenCounter

MOST = 16_384
"""Events whose texts are kept."""

SHORT = 1_000
"""Characters up to which a text is kept: all of them take 16 MB at most."""


@dataclass(slots=True)
class Text:
    """An event in words, with what a pack needs to know of it.

    `text` is what it says, of a message without greetings and thanks.
    """

    seq: int
    event_id: str
    session_id: str
    actor: str | None
    occurred_at: int
    salience: float
    text: str
    is_message: bool
    _listed: int = field(default=0, compare=False)

    def line(self, text: str) -> str:
        """The event as a pack says it, with `text`, its own or an excerpt, for its words."""
        who = f"{self.actor}: " if self.actor else ""
        return f"[{day(self.occurred_at)}] {who}{text}"

    def listed(self, counter: TokenCounter) -> int:
        """Tokens of the whole event as it is listed under its day; counted once."""
        if not self._listed:
            _, rest = split_day(self.line(self.text.strip()))
            (self._listed,) = counter.count_all([render_entry(rest)])
        return self._listed


class Texts:
    """The texts of a tenant's events, as of one generation of them.

    Whoever uses it holds the lock of the cache that it belongs to.
    """

    def __init__(self, generation: int = 0) -> None:
        self.generation = generation
        self._kept: OrderedDict[int, Text] = OrderedDict()

    def of(
        self, connection: Connection, tenant_id: str, sequence: Sequence[int]
    ) -> dict[int, Text]:
        """The texts of events by their sequence numbers; those that are gone are left out."""
        found = {seq: self._kept[seq] for seq in sequence if seq in self._kept}
        for seq in found:
            self._kept.move_to_end(seq)
        missing = [seq for seq in sequence if seq not in found]
        for seq, row in event_store.to_show(connection, tenant_id, missing).items():
            found[seq] = _text(row)
            if len(found[seq].text) <= SHORT:
                self._kept[seq] = found[seq]
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return found


def _text(row: Excerptable) -> Text:
    if row.payload is None:
        actor, text = row.actor, row.said or ""
    else:
        description = describe(row.type, json.loads(row.payload))
        actor, text = description.actor, description.text
    is_message = row.type == "message"
    return Text(
        seq=row.seq,
        event_id=row.event_id,
        session_id=row.session_id,
        actor=actor,
        occurred_at=row.occurred_at,
        salience=row.salience,
        text=without_pleasantries(text) if is_message else text,
        is_message=is_message,
    )
