"""Requests in the OpenAPI document: bodies and parameters, from the fields of the operations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints

from hippocortex_core.codec import camel
from hippocortex_core.documents import MAX_OPERATIONS
from hippocortex_core.operations import (
    MAX_BATCH,
    BatchDocuments,
    Capture,
    CaptureBatch,
    DocumentOperation,
    Forget,
    ImportEvents,
    Learn,
    Operation,
)
from hippocortex_core.types import CaptureEvent, Event, LearnOptions
from hippocortex_core.validation import MAX_ID_CHARS
from hippocortex_server.bounds import BOUNDS, Schema, bounds_of
from hippocortex_server.examples import EXAMPLES
from hippocortex_server.schemas import Schemas


def request_body(operation: type[Operation[Any]], schemas: Schemas) -> dict[str, Any] | None:
    """The body that an operation takes; None if it takes none."""
    schema = None if operation.method == "GET" else _body(operation, schemas)
    if schema is None:
        return None
    content: dict[str, Any] = {"schema": schema}
    if operation.name in EXAMPLES:
        content["example"] = EXAMPLES[operation.name]
    required = "null" not in schema.get("type", "")
    return {"required": required, "content": {"application/json": content}}


def _body(operation: type[Operation[Any]], schemas: Schemas) -> Schema | None:
    if operation in _BODIES:
        return _BODIES[operation](schemas)
    found = schemas.object_of(operation, bounds=bounds_of(operation), but=_in_path(operation))
    if not found["properties"]:
        return None
    # Where nothing is required, there need not be a body.
    return found if "required" in found else {**found, "type": ["object", "null"]}


def _learn_body(schemas: Schemas) -> Schema:
    options = schemas.object_of(LearnOptions, bounds=BOUNDS)
    scope = options["properties"].pop("scope")
    return {
        "type": ["object", "null"],
        "properties": {"scope": scope, "options": {**options, "type": ["object", "null"]}},
    }


def _forget_body(schemas: Schemas) -> Schema:
    """Something must be given, or everything would be meant."""
    whole = schemas.object_of(Forget, bounds=BOUNDS)
    given = {name: _never_null(schema) for name, schema in whole["properties"].items()}
    return {
        **whole,
        "anyOf": [
            {"properties": {name: schema}, "required": [name]} for name, schema in given.items()
        ],
    }


def _events_body(schema: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"events": {"type": "array", "items": schema, "maxItems": MAX_BATCH}},
        "required": ["events"],
    }


def _operations_body(schemas: Schemas) -> Schema:
    each = [
        _with_op(schemas.object_of(operation, bounds=bounds_of(operation)), operation.op)
        for operation in get_args(DocumentOperation)
    ]
    return {
        "type": "object",
        "properties": {
            "operations": {"type": "array", "items": {"anyOf": each}, "maxItems": MAX_OPERATIONS}
        },
        "required": ["operations"],
    }


def _with_op(schema: Schema, op: str) -> Schema:
    return {
        **schema,
        "properties": {"op": {"const": op}, **schema["properties"]},
        "required": ["op", *schema.get("required", ())],
    }


_BODIES: Mapping[type[Operation[Any]], Callable[[Schemas], Schema]] = {
    Capture: lambda schemas: schemas.of(CaptureEvent),
    CaptureBatch: lambda schemas: _events_body(schemas.of(CaptureEvent)),
    ImportEvents: lambda schemas: _events_body(schemas.of(Event)),
    Learn: _learn_body,
    Forget: _forget_body,
    BatchDocuments: _operations_body,
}
"""Requests whose shape on the wire is not that of the operation's fields."""


def parameters(operation: type[Operation[Any]], schemas: Schemas) -> list[dict[str, Any]]:
    """What of an operation stands in the path, the query and the headers."""
    hints = get_type_hints(operation)
    inside = _in_path(operation)
    bounds = bounds_of(operation)
    found = [
        {
            "name": camel(name),
            "in": "path",
            "required": True,
            "schema": schemas.field(name, hints[name], bounds),
        }
        for name in inside
    ]
    if operation.method == "GET":
        query = schemas.object_of(operation, bounds=bounds, but=inside)["properties"]
        found += [_query_parameter(name, schema) for name, schema in query.items()]
    if operation is Capture:
        found.append(_idempotency_key())
    return found


def _query_parameter(name: str, schema: Schema) -> dict[str, Any]:
    given = _never_null(schema)
    return {"name": name, "in": "query", "required": False, "schema": given}


def _never_null(schema: Schema) -> Schema:
    """A query has no null."""
    if "anyOf" in schema:
        (given,) = [one for one in schema["anyOf"] if one != {"type": "null"}]
        return dict(given)
    kind: Any = schema.get("type")
    found: Schema = {**schema, "type": kind[0] if isinstance(kind, list) else kind}
    if "enum" in schema:
        found["enum"] = [one for one in schema["enum"] if one is not None]
    return found


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Taken where the body has no `idempotencyKey`.",
        "schema": {"type": "string", "maxLength": MAX_ID_CHARS, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    }


def _in_path(operation: type[Operation[Any]]) -> list[str]:
    return [
        re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
