"""Who is calling: from the `Authorization` header to a key, and whether it may."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from hippocortex_core.errors import ForbiddenError, RateLimitedError, UnauthorizedError
from hippocortex_server.keys import ApiKey
from hippocortex_server.limits import Allowance, Limiter

FRESH = 1.0
"""Seconds for which a key that was looked up is believed: a revoked one opens nothing longer."""

FAILURES = 600
"""Requests a minute with a wrong key from one address, before no more are looked up."""

_MOST_KEYS = 10_000
_MOST_CHARS = 256
_GROUP = 64  # bits of an IPv6 address; the rest is its user's to choose

Find = Callable[[str], Awaitable[ApiKey | None]]


class _Found:
    """What a lookup found, and until when that is believed."""

    __slots__ = ("key", "until")

    def __init__(self, key: ApiKey | None, until: float) -> None:
        self.key = key
        self.until = until


class Authenticator:
    """Recognises keys.

    Args:
        find: looks a key up.
        limiter: counts failures by address.
        now: seconds that only grow.
    """

    def __init__(
        self, find: Find, limiter: Limiter, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._find = find
        self._limiter = limiter
        self._now = now
        # By the key's digest: the key itself is not kept.
        self._known: OrderedDict[bytes, _Found] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[_Found]] = {}

    async def authenticate(self, headers: Sequence[tuple[bytes, bytes]], address: str) -> ApiKey:
        """The key that a request carries.

        Args:
            headers: of the request; the names lower-case.
            address: where it came from.

        Raises:
            UnauthorizedError: it carries none, or one that is unknown, expired or revoked.
            RateLimitedError: there were too many of these from the same address.
        """
        secret = _bearer(headers)
        digest = hashlib.sha256(secret.encode()).digest()
        known = self._known.get(digest)
        # A key that was good is looked up again, whatever others at its address do.
        if known is None or known.key is None:
            self._check_address(address)
        if known is None or known.until <= self._now():
            known = await self._look_up(secret, digest)
        if known.key is None:
            self._limiter.take(_name(address), FAILURES)
            raise UnauthorizedError("the API key is unknown, expired or revoked")
        return known.key

    def _check_address(self, address: str) -> None:
        allowance = self._limiter.look(_name(address), FAILURES)
        if allowance.wait:
            raise limited(allowance, "too many requests with wrong keys from this address")

    async def _look_up(self, secret: str, digest: bytes) -> _Found:
        """What is found; requests with the same key that come meanwhile share the lookup."""
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._asking[digest] = asyncio.create_task(self._ask(secret, digest))
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        return await asyncio.shield(asking)

    async def _ask(self, secret: str, digest: bytes) -> _Found:
        until = self._now() + FRESH
        found = self._known[digest] = _Found(await self._find(secret), until)
        self._known.move_to_end(digest)
        if len(self._known) > _MOST_KEYS:
            self._known.popitem(last=False)
        return found


def check_scope(key: ApiKey, scope: str) -> None:
    """Whether the key allows it.

    Raises:
        ForbiddenError: it does not.
    """
    if scope not in key.scopes:
        raise ForbiddenError(f"this needs a key with the scope {scope!r}")


def limited(allowance: Allowance, message: str) -> RateLimitedError:
    """The refusal of one request too many."""
    return RateLimitedError(
        f"{message}; try again in {allowance.wait:.3g} s", retry_after=allowance.wait
    )


def _bearer(headers: Sequence[tuple[bytes, bytes]]) -> str:
    given = [value for name, value in headers if name == b"authorization"]
    if not given:
        raise UnauthorizedError("send your API key as `Authorization: Bearer hx_live_...`")
    scheme, _, secret = given[0].decode("latin-1").strip().partition(" ")
    secret = secret.strip()
    if len(given) > 1 or scheme.lower() != "bearer" or not _plausible(secret):
        raise UnauthorizedError("the Authorization header must be `Bearer` and one API key")
    return secret


def _plausible(secret: str) -> bool:
    return 0 < len(secret) <= _MOST_CHARS and secret.isascii() and secret.isprintable()


def _name(address: str) -> str:
    """What failures are counted under: the address, or the network an IPv6 address is in."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"address {address}"
    if parsed.version == 4:  # noqa: PLR2004
        return f"address {parsed}"
    return f"address {ipaddress.ip_network((parsed, _GROUP), strict=False)}"
