"""Ids that follow from what they name: the same events get the same ids in every process.

An event sent with an idempotency key is named by the key, whatever its place in the order of
arrival; one without is named by its place and content.
"""

from __future__ import annotations

import hashlib


def event_id(tenant_id: str, key: str) -> str:
    """The id of an event known by an idempotency key."""
    return "evt_" + _digest("event", tenant_id, key)


def unkeyed_event_id(tenant_id: str, seq: int, session_id: str, payload: str) -> str:
    """The id of an event without a key: `seq` makes it unique within the tenant."""
    return "evt_" + _digest("unkeyed", tenant_id, str(seq), session_id, payload)


def artifact_id(tenant_id: str, artifact_type: str, key: str) -> str:
    """The id of the artifact of one pattern."""
    return "art_" + _digest("artifact", tenant_id, artifact_type, key)


def content_id(prefix: str, *parts: str) -> str:
    """An id of whatever the parts say."""
    return prefix + _digest(prefix, *parts)


def _digest(*parts: str) -> str:
    written = [part.encode("utf-8", "surrogatepass") for part in parts]
    framed = b"".join([len(data).to_bytes(4, "big") + data for data in written])
    return hashlib.blake2b(framed, digest_size=12).hexdigest()
