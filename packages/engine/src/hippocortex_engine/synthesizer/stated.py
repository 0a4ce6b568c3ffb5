"""What facts already say of the events they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hippocortex_engine.recall.texts import Text
from hippocortex_engine.synthesizer.memory import Memory
from hippocortex_engine.text import query_terms, terms

NEARLY = 2 / 3
"""Share of an event's telling words from which on facts say nearly all of it."""

Stated = Mapping[int, Sequence[str]]
"""What facts say, by the sequence numbers of the events that said it."""


def unstated(events: Sequence[Memory], records: Mapping[int, Text], stated: Stated) -> list[Memory]:
    """The events that say more than facts already do."""
    return [one for one in events if not _covered(one.sources[0], records, stated)]


def _covered(seq: int, records: Mapping[int, Text], stated: Stated) -> bool:
    facts = stated.get(seq)
    if not facts:
        return False
    said = query_terms(records[seq].text)
    known = {term for fact in facts for term in terms(fact)}
    return sum(term in known for term in said) >= NEARLY * len(said)
