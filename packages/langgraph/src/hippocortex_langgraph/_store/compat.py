"""What differs between the versions of LangGraph's store; nothing else knows."""

from __future__ import annotations

from langgraph.store import base
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    Op,
    PutOp,
    SearchOp,
)


def _check_op(op: Op) -> None:
    """What `validate_op_namespace` of newer versions does."""
    if isinstance(op, (GetOp, PutOp)):
        _check_labels(op.namespace)
    elif isinstance(op, SearchOp):
        _check_labels(op.namespace_prefix)
    elif isinstance(op, ListNamespacesOp):  # pyright: ignore[reportUnnecessaryIsInstance]
        for condition in op.match_conditions or ():
            _check_labels(condition.path)


def _check_labels(labels: tuple[object, ...]) -> None:
    for label in labels:
        if not isinstance(label, str) or not label or "." in label or "\0" in label:
            raise InvalidNamespaceError(
                f"Invalid namespace label {label!r} found in {labels!r}. Namespace labels must be"
                " non-empty strings without periods and NUL bytes."
            )


validate_op_namespace = getattr(base, "validate_op_namespace", _check_op)
"""Raises `InvalidNamespaceError` if a label of the operation is invalid (langgraph < 1.1: ours)."""
