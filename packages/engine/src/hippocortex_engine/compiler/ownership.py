"""Whose a pattern is, and what of it may be shown to whom.

A run is of the users whose events it holds; events of nobody do not count beside them.  What one
user alone said or did is shown to nobody else.  Where several users share a run nobody can tell
whose a value in it is: so a value is public when no single user took part in all runs that have
it, for then at least two users must have had it; and what only runs of the same several users
have is shown to none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

Users = frozenset[str]
NOBODY: Users = frozenset()

SEVERAL = " "
"""Whose that is which may be any of several users': no user's, for an id is never blank."""

T = TypeVar("T")


def suspects(groups: Iterable[Users]) -> Users | None:
    """Who could alone be the source of what these runs have in common; None: they are nobody's."""
    known = {group for group in groups if group}
    return frozenset[str].intersection(*known) if known else None


def audience(groups: Iterable[Users]) -> tuple[str | None, ...]:
    """Whose a pattern is, from the users of each of its runs: the `users` of a candidate.

    The user who took part in all of them, `SEVERAL` where more than one did, (None,) when they are
    nobody's, else all the users: only then, and in the tenant's own patterns of nobody, everybody
    sees it.
    """
    known = {group for group in groups if group}
    common = suspects(known)
    if common is None:
        return (None,)
    return (owner(common),) if common else tuple(sorted(frozenset[str]().union(*known)))


def owner(users: Users) -> str | None:
    """Whose that is which is of one of these users."""
    return SEVERAL if len(users) > 1 else next(iter(users), None)


def shows(known: Users | None, of_nobody: bool, users: tuple[str | None, ...]) -> bool:
    """Whether a pattern may show a value.

    Args:
        known: who could alone be its source, as `suspects` gives them.
        of_nobody: whether runs of nobody have it.
        users: the pattern's, as `audience` gives them.
    """
    if SEVERAL in users or (known is not None and not known):
        return True
    if len(users) > 1:
        return False
    if None in users:
        return of_nobody
    return known is None or not known.isdisjoint(users)


class Ledger(Generic[T]):
    """Who used which value, over all runs."""

    def __init__(self) -> None:
        self._suspects: dict[T, Users] = {}
        self._of_nobody: set[T] = set()

    def note(self, values: Iterable[T], users: Users) -> None:
        """A run of these users has the values."""
        if not users:
            self._of_nobody.update(values)
            return
        known = self._suspects
        for value in values:
            before = known.setdefault(value, users)
            if before and before is not users:
                known[value] = before & users

    def shows(self, value: T, users: tuple[str | None, ...]) -> bool:
        """Whether a pattern of these users may show the value.

        Args:
            value: a value that was noted.
            users: the pattern's, as `audience` gives them.
        """
        return shows(self._suspects.get(value), value in self._of_nobody, users)
