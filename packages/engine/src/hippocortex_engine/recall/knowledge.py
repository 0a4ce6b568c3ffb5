"""The compiled artifacts of a tenant in memory, ready to be matched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocortex_core.types import NOBODY
from hippocortex_engine.recall.index import RecallIndex
from hippocortex_engine.recall.windows import NONE
from hippocortex_engine.storage.artifacts import ArtifactRecord
from hippocortex_engine.text import term_hash, terms, unpack_terms

_SHARED = "\0shared"  # cannot be a user's id: those hold no NUL


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    session_id: str
    user_id: str | None
    agent_id: str | None
    actor: str | None
    occurred_at: int
    salience: float
    tokens: int
    vector: bytes
    terms: bytes


class Knowledge:
    """The active artifacts and the facts that no longer hold, and who may see them.

    What only one user's events support is that user's: nobody else's query sees it.  Patterns
    that the events of several users support, or of nobody in particular, are the tenant's;
    statements about somebody (facts) never are.

    `read`: events that a fact was read from which holds; `outdated`: events that say what no longer
    holds, with the facts they said; `endings`: those that say so without saying what holds instead.
    """

    def __init__(
        self, records: Sequence[ArtifactRecord], dimensions: int, generation: int = 0
    ) -> None:
        self.generation = generation
        self.records = [one for one in records if one.status == "active" or _is_past(one)]
        self.index = RecallIndex(dimensions)
        self.index.add([_row(place, one) for place, one in enumerate(self.records)])
        self._owner = np.array(
            [self.index.owners.code(_owner(one)) for one in self.records], dtype=np.int32
        )
        self._current = np.array([not _is_past(one) for one in self.records], dtype=np.bool_)
        holding = {_about(one) for one in self.records if not _is_past(one)}
        ended = [one for one in self.records if _is_past(one)]
        self.read = frozenset(
            seq
            for one in self.records
            if one.candidate.type == "fact" and not _is_past(one)
            for seq in one.evidence
        )
        self.outdated: dict[int, list[str]] = {}
        for one in ended:
            for seq in one.evidence[:-1]:
                self.outdated.setdefault(seq, []).append(one.candidate.text)
        self.endings = frozenset(one.evidence[-1] for one in ended if _about(one) not in holding)
        self.playbooks = [
            place
            for place, one in enumerate(self.records)
            if one.candidate.type == "failure_playbook"
        ]
        self.titles: list[frozenset[int]] = [
            frozenset(term_hash(term) for term in terms(one.candidate.title))
            for one in self.records
        ]
        self._terms: dict[int, frozenset[int]] = {}
        self._by_session = _places(one.candidate.sessions for one in self.records)
        self._by_agent = _places(one.candidate.agents for one in self.records)

    def terms(self, row: int) -> frozenset[int]:
        """The terms by which an artifact is found."""
        found = self._terms.get(row)
        if found is None:
            held = unpack_terms(self.records[row].terms)["term"]
            found = self._terms[row] = frozenset(held.tolist())
        return found

    def allowed(
        self, *, user_id: str | None, session_id: str | None, agent_id: str | None, past: bool
    ) -> NDArray[np.bool_]:
        """Which artifacts a query restricted like this may see; `past`: also what was true once."""
        mask: NDArray[np.bool_] = self._current | np.bool_(past)
        if user_id is not None:
            seen = [self.index.owners.find(name) for name in (user_id, _SHARED)]
            # The code of no name is that of what nobody in particular stated.
            own = [NONE] if user_id == NOBODY else []
            mask &= np.isin(self._owner, [*own, *(code for code in seen if code is not None)])
        for wanted, places in ((session_id, self._by_session), (agent_id, self._by_agent)):
            if wanted is not None:
                inside = np.zeros(len(self.records), dtype=np.bool_)
                inside[places.get(wanted, [])] = True
                mask &= inside
        return mask


def _is_past(one: ArtifactRecord) -> bool:
    return one.candidate.type == "fact" and one.status == "superseded"


def _about(one: ArtifactRecord) -> tuple[object, ...]:
    """Whose and what a fact is about, whatever it says of it."""
    content = one.candidate.content
    return one.candidate.owner, content.get("subject"), content.get("attribute")


def _owner(one: ArtifactRecord) -> str | None:
    """Whose it is; None: visible only to a query that asks for nobody in particular."""
    found = one.candidate
    if found.personal:
        return found.owner
    users = [user for user in found.users if user is not None]
    return users[0] if len(users) == 1 else _SHARED


def _row(place: int, one: ArtifactRecord) -> _Row:
    found = one.candidate
    return _Row(
        seq=place,
        session_id=one.artifact_id,  # no two share it: artifacts have no neighbours
        user_id=None,
        agent_id=None,
        actor=None,
        occurred_at=found.last_at,
        salience=found.salience,
        tokens=64,
        vector=one.vector,
        terms=one.terms,
    )


def _places(groups: Iterable[Sequence[str | None]]) -> dict[str | None, list[int]]:
    found: dict[str | None, list[int]] = {}
    for place, names in enumerate(groups):
        for name in names:
            found.setdefault(name, []).append(place)
    return found
