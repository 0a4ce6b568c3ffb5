"""LangGraph's operations as operations on keyed documents, and their outcomes as items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)

from hippocortex_core.documents import MAX_OPERATIONS, check_key, check_namespace
from hippocortex_core.errors import ValidationError
from hippocortex_core.operations.documents import (
    DeleteDocument,
    DocumentOperation,
    DocumentOutcome,
    GetDocument,
    ListNamespaces,
    PutDocument,
    SearchDocuments,
)
from hippocortex_core.scope import Scope
from hippocortex_core.types import (
    Document,
    DocumentSearchResult,
    NamespaceListResult,
    NamespaceMatch,
)
from hippocortex_langgraph._store.compat import validate_op_namespace
from hippocortex_langgraph._store.values import json_filter
from hippocortex_langgraph._store.vectors import Vector, Vectors

_MINUTE = 60.0


@dataclass(frozen=True)
class Owned:
    """Whose a document is, and whether the memory may learn from it."""

    scope: Scope
    capture: bool


def check_ops(ops: Sequence[Op]) -> None:
    """Refuse the whole batch for one operation that is none or has an invalid namespace.

    Raises:
        InvalidNamespaceError: A label is invalid.
        ValueError: It is no operation.
    """
    for op in ops:
        if not isinstance(op, (GetOp, SearchOp, PutOp, ListNamespacesOp)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"Unknown operation type: {type(op)}")  # noqa: TRY004 - as upstream
        validate_op_namespace(op)


def rounds(ops: Sequence[Op]) -> list[list[int]]:
    """The positions of the operations to send together.

    Usually all of them.  More than a request holds are sent as reads, then writes, so that reads
    still see what was there before the batch.
    """
    if len(ops) <= MAX_OPERATIONS:
        return [list(range(len(ops)))] if ops else []
    order = sorted(range(len(ops)), key=lambda position: isinstance(ops[position], PutOp))
    return [order[start : start + MAX_OPERATIONS] for start in range(0, len(order), MAX_OPERATIONS)]


def read_operation(op: Op, vectors: Vectors | None) -> DocumentOperation:
    """A read, or a deletion.

    Raises:
        InvalidNamespaceError: The namespace is too deep, or a label too long.
        ValueError: The key or the filter is invalid.
        TypeError: The filter holds something that is not JSON.
    """
    if isinstance(op, GetOp):
        return GetDocument(_labels(op.namespace), _key(op.key), op.refresh_ttl)
    if isinstance(op, SearchOp):
        vector = None if vectors is None or not op.query else vectors.queries[op.query]
        return SearchDocuments(
            namespace_prefix=_labels(op.namespace_prefix),
            query=op.query or None if vectors is None else None,
            vector=vector,
            filter=json_filter(op.filter),
            limit=op.limit,
            offset=op.offset,
            refresh_ttl=op.refresh_ttl,
        )
    if isinstance(op, ListNamespacesOp):
        match = [
            NamespaceMatch(condition.match_type, _labels(condition.path))
            for condition in op.match_conditions or ()
        ]
        return ListNamespaces(match or None, op.max_depth, op.limit, op.offset)
    return DeleteDocument(_labels(op.namespace), _key(op.key))


def put_operation(
    op: PutOp, value: dict[str, Any], vectors: list[Vector] | None, owned: Owned
) -> PutDocument:
    """A put of the value, which is plain JSON already; its vectors are None if the home's will do.

    Raises:
        InvalidNamespaceError: The namespace is too deep, or a label too long.
        ValueError: The key is invalid.
    """
    return PutDocument(
        _labels(op.namespace),
        _key(op.key),
        value,
        index=op.index,
        ttl=None if op.ttl is None else op.ttl * _MINUTE,
        vectors=vectors,
        user_id=owned.scope.user_id,
        agent_id=owned.scope.agent_id,
        session_id=owned.scope.session_id,
        capture=owned.capture,
    )


def result_of(op: Op, outcome: DocumentOutcome) -> Result:
    """What LangGraph expects the operation to return."""
    if isinstance(op, PutOp):
        return None
    if isinstance(outcome, Document):
        return Item(**_fields(outcome))
    if isinstance(outcome, DocumentSearchResult):
        return [SearchItem(**_fields(found), score=found.score) for found in outcome.documents]
    if isinstance(outcome, NamespaceListResult):
        return [tuple(labels) for labels in outcome.namespaces]
    return None


def _fields(document: Document) -> dict[str, Any]:
    return {
        "namespace": tuple(document.namespace),
        "key": document.key,
        "value": document.value,
        "created_at": _moment(document.created_at),
        "updated_at": _moment(document.updated_at),
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _labels(namespace: Sequence[str]) -> list[str]:
    try:
        return list(check_namespace(tuple(namespace)))
    except ValidationError as error:
        raise InvalidNamespaceError(error.message) from None


def _key(key: object) -> str:
    try:
        return check_key(str(key))
    except ValidationError as error:
        raise ValueError(f"Invalid {error.message}") from None
