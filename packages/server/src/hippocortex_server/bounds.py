"""What the values of requests must be beyond their type, by field: the rules of core as schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hippocortex_core.documents import (
    MAX_DIMENSIONS,
    MAX_DOCUMENTS,
    MAX_KEY_CHARS,
    MAX_LABEL_CHARS,
    MAX_LABELS,
    MAX_OFFSET,
    MAX_TTL,
)
from hippocortex_core.documents import MAX_QUERY_CHARS as MAX_SEARCH_CHARS
from hippocortex_core.operations import (
    DeleteDocument,
    GetDocument,
    ListArtifacts,
    ListEvents,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.types import SynthesizeOptions
from hippocortex_core.validation import MAX_ID_CHARS
from hippocortex_engine.checks import MAX_QUERY_CHARS, MAX_TOKENS
from hippocortex_engine.engine import MAX_IDS

Schema = dict[str, Any]

_NOT_BLANK = r"\S"
_ID: Schema = {"minLength": 1, "maxLength": MAX_ID_CHARS, "pattern": _NOT_BLANK}
_SHARE: Schema = {"minimum": 0, "maximum": 1}
_NO_CONTROLS = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
_LABEL: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_LABEL_CHARS}
_LABELS: Schema = {"maxItems": MAX_LABELS, "items": {**_LABEL, "pattern": _NO_CONTROLS}}
BOUNDS: Mapping[str, Schema] = {
    "id": _ID,
    "session_id": _ID,
    "agent_id": _ID,
    "user_id": _ID,
    "active_session_id": _ID,
    "artifact_id": _ID,
    "idempotency_key": _ID,
    "path": _LABELS,
    "event_ids": {"maxItems": MAX_IDS, "items": {"type": "string", **_ID}},
    "cursor": {"minLength": 1},
    "occurred_at": {"format": "date-time"},
    "captured_at": {"format": "date-time"},
    "max_tokens": {"minimum": 1, "maximum": MAX_TOKENS},
    "min_confidence": _SHARE,
    "min_pattern_strength": _SHARE,
    "query": {"minLength": 1, "maxLength": MAX_QUERY_CHARS, "pattern": _NOT_BLANK},
}
"""Where nothing else is said."""

_DOCUMENTS: Mapping[str, Schema] = {
    "namespace": _LABELS,
    "namespace_prefix": _LABELS,
    "key": {"minLength": 1, "maxLength": MAX_KEY_CHARS},
    "query": {"maxLength": MAX_SEARCH_CHARS},
    "vector": {"minItems": 1, "maxItems": MAX_DIMENSIONS},
    "ttl": {"exclusiveMinimum": 0, "maximum": MAX_TTL},
    "limit": {"minimum": 0, "maximum": MAX_DOCUMENTS},
    "offset": {"minimum": 0, "maximum": MAX_OFFSET},
    "max_depth": {"minimum": 1, "maximum": MAX_OFFSET},
}
_MORE: Mapping[type[Any], Mapping[str, Schema]] = {
    ListArtifacts: {"limit": {"minimum": 1, "maximum": 100}},
    ListEvents: {"limit": {"minimum": 1, "maximum": 1_000}},
    PutDocument: {**_DOCUMENTS, "namespace": {**_LABELS, "minItems": 1}},
    GetDocument: _DOCUMENTS,
    DeleteDocument: _DOCUMENTS,
    SearchDocuments: _DOCUMENTS,
    ListNamespaces: _DOCUMENTS,
    SynthesizeOptions: {"user_id": {**_ID, "minLength": 0, "pattern": rf"^$|{_NOT_BLANK}"}},
}


def bounds_of(cls: type[Any]) -> Mapping[str, Schema]:
    """The bounds of the fields of an operation, or of its options."""
    return {**BOUNDS, **_MORE.get(cls, {})}
