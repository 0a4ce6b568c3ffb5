"""API keys: made, listed, revoked and looked up.

A key is shown once, when it is made.  What is stored is its SHA-256: a key holds 256 random bits,
so that nothing slower is needed to keep it from being guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

from sqlalchemy import Connection, insert, select, update

from hippocortex_core.errors import invalid
from hippocortex_core.operations import Scope
from hippocortex_core.validation import check_id, check_text
from hippocortex_engine.clock import Clock, system_clock
from hippocortex_engine.storage.database import Database
from hippocortex_engine.storage.schema import api_keys

SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may allow: look, add, or delete."""

_BYTES = 32
_SHOWN = 4  # characters of a key's secret part that its hint shows
_KEY = re.compile(r"hx_(?:live|test)_[A-Za-z0-9_-]{43}")
_MAX_NAME = 200
_MAX_RATE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a request that carries the key may do, and for whom."""

    key_id: str
    tenant_id: str
    scopes: frozenset[str]
    rate_limit: int | None


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as lists show it; times are milliseconds since the epoch.

    Attributes:
        key_id: What it is called; says nothing about the key.
        tenant_id: Whose memory it opens.
        name: What its maker called it.
        hint: Its first characters.
        scopes: What it allows.
        rate_limit: Requests a minute; None: the server's default.
        created_at: When it was made.
        expires_at: When it ceases to work; None: never.
        revoked_at: When it was revoked; None: it was not.
    """

    key_id: str
    tenant_id: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    rate_limit: int | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def status(self, now: int) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made just now: the only time that its secret is known."""

    secret: str = field(repr=False)
    info: KeyInfo


class Keyring:
    """The keys of one database.

    Args:
        database: where they are kept; not closed here.
        clock: milliseconds since the epoch; default the machine's clock.
        random: gives so many random bytes as url-safe text; default the system's.

    Raises:
        UnavailableError: from every method, when the database cannot answer.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock = system_clock,
        random: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def create(
        self,
        tenant_id: str,
        scopes: Iterable[str],
        *,
        name: str = "",
        test: bool = False,
        rate_limit: int | None = None,
        expires_at: int | None = None,
    ) -> NewKey:
        """Make a key.

        Args:
            tenant_id: whose memory it opens.
            scopes: what it allows: `read`, `write`, `admin`.
            name: what it is called in lists.
            test: whether it reads `hx_test_…`; it works like any other.
            rate_limit: requests a minute; default the server's.
            expires_at: milliseconds since the epoch; default never.

        Raises:
            ValidationError: an argument is not what it should be.
        """
        made = self._new(tenant_id, scopes, name, rate_limit, expires_at, test=test)
        with self._database.write() as connection:
            _store(connection, made)
        return made

    def create_first(self, tenant_id: str) -> NewKey | None:
        """A key that allows everything, if there has never been any key; else None."""
        made = self._new(tenant_id, SCOPES, "first key", None, None, test=False)
        with self._database.write() as connection:
            if _any(connection):
                return None
            _store(connection, made)
        return made

    def list(self, tenant_id: str | None = None) -> list[KeyInfo]:
        """Every key, or every key of a tenant; oldest first, also those that work no more."""
        found = _INFO.order_by(api_keys.c.created_at, api_keys.c.key_id)
        if tenant_id is not None:
            found = found.where(api_keys.c.tenant_id == check_id("tenant_id", tenant_id))
        with self._database.read() as connection:
            return [_info(row) for row in connection.execute(found)]

    def get(self, key_id: str) -> KeyInfo | None:
        """A key by its id."""
        with self._database.read() as connection:
            row = connection.execute(_INFO.where(api_keys.c.key_id == key_id)).first()
        return None if row is None else _info(row)

    def revoke(self, key_id: str) -> bool:
        """Let a key open nothing any more; False if there is none, or it was revoked before."""
        with self._database.write() as connection:
            changed = connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=self._clock())
            )
        return changed.rowcount > 0

    def find(self, secret: str) -> ApiKey | None:
        """What the key allows; None if it is unknown, revoked or expired."""
        if not _KEY.fullmatch(secret):
            return None
        wanted = _hash(secret)
        with self._database.read() as connection:
            row = connection.execute(_LOOKUP.where(api_keys.c.key_hash == wanted)).first()
        if row is None or not hmac.compare_digest(row.key_hash, wanted):
            return None
        if row.revoked_at is not None:
            return None
        if row.expires_at is not None and row.expires_at <= self._clock():
            return None
        return ApiKey(row.key_id, row.tenant_id, frozenset(row.scopes.split()), row.rate_limit)

    def any(self) -> bool:
        """Whether a key was ever made."""
        with self._database.read() as connection:
            return _any(connection)

    def _new(
        self,
        tenant_id: str,
        scopes: Iterable[str],
        name: str,
        rate_limit: int | None,
        expires_at: int | None,
        *,
        test: bool,
    ) -> NewKey:
        now = self._clock()
        prefix = f"hx_{'test' if test else 'live'}_"
        secret = prefix + self._random(_BYTES)
        info = KeyInfo(
            key_id=f"key_{_hash(secret + '/id')[:16]}",
            tenant_id=check_id("tenant_id", tenant_id),
            name=_checked_name(name),
            hint=secret[: len(prefix) + _SHOWN],
            scopes=_checked_scopes(scopes),
            rate_limit=_checked_rate(rate_limit),
            created_at=now,
            expires_at=_checked_expiry(expires_at, now),
            revoked_at=None,
        )
        return NewKey(secret, info)


_INFO = select(
    api_keys.c.key_id,
    api_keys.c.tenant_id,
    api_keys.c.name,
    api_keys.c.hint,
    api_keys.c.scopes,
    api_keys.c.rate_limit,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.revoked_at,
)

_LOOKUP = select(
    api_keys.c.key_hash,
    api_keys.c.key_id,
    api_keys.c.tenant_id,
    api_keys.c.scopes,
    api_keys.c.rate_limit,
    api_keys.c.expires_at,
    api_keys.c.revoked_at,
)


def _any(connection: Connection) -> bool:
    return connection.execute(select(api_keys.c.key_id).limit(1)).first() is not None


def _store(connection: Connection, made: NewKey) -> None:
    info = made.info
    connection.execute(
        insert(api_keys).values(
            key_hash=_hash(made.secret),
            key_id=info.key_id,
            tenant_id=info.tenant_id,
            name=info.name,
            hint=info.hint,
            scopes=" ".join(info.scopes),
            rate_limit=info.rate_limit,
            created_at=info.created_at,
            expires_at=info.expires_at,
            revoked_at=None,
        )
    )


def _info(row: Iterable[Any]) -> KeyInfo:
    key_id, tenant_id, name, hint, scopes, *rest = row
    return KeyInfo(key_id, tenant_id, name, hint, tuple(scopes.split()), *rest)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    given = {scopes} if isinstance(scopes, str) else set(scopes)
    if unknown := sorted(given - set(SCOPES)):
        raise invalid("scopes", f"unknown scope {unknown[0]!r}; one of {', '.join(SCOPES)}")
    if not given:
        raise invalid("scopes", f"a key must allow something: {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in given)


def _checked_name(name: str) -> str:
    if len(check_text("name", name)) > _MAX_NAME:
        raise invalid("name", f"has {len(name):,} characters; at most {_MAX_NAME}")
    return name


def _checked_rate(rate_limit: int | None) -> int | None:
    if rate_limit is not None and not 1 <= rate_limit <= _MAX_RATE:
        raise invalid("rate_limit", f"must be between 1 and {_MAX_RATE:,} requests a minute")
    return rate_limit


def _checked_expiry(expires_at: int | None, now: int) -> int | None:
    if expires_at is not None and expires_at <= now:
        raise invalid("expires_at", "lies in the past")
    return expires_at
