"""The OpenAPI document, from the operations and the types of core."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any, get_type_hints

from hippocortex_core.errors import ERRORS
from hippocortex_core.operations import (
    OPERATIONS,
    BatchDocuments,
    DeleteDocument,
    GetDocument,
    Health,
    Operation,
    PutDocument,
    SweepDocuments,
)
from hippocortex_core.types import Document
from hippocortex_engine.version import VERSION
from hippocortex_server.bounds import Schema
from hippocortex_server.requests import parameters, request_body
from hippocortex_server.routes import ALIASES, PREFIX
from hippocortex_server.schemas import Schemas

_ABOUT = """\
A memory for agents that learns from experience: capture what happens, learn from it, and
synthesize what is worth knowing before the next decision.

Every answer is `{"ok": true, "data": ..., "meta": ...}` or `{"ok": false, "error": {"code": ...,
"message": ..., "details": [...]}, "meta": ...}`. Fields that are not known are ignored. Text must
be valid Unicode without NUL characters, and JSON at most 64 levels deep.
"""

_FOR_ALL = (400, 401, 403, 429, 500, 503)
_WITH_BODY = (408, 413, 415)
_QUOTA = frozenset({"capture", "capture_batch", "import_events", "put_document", "batch_documents"})
_SAID: Mapping[int, str] = {
    400: "The request is malformed; `details` names the fields.",
    401: "The API key is missing, unknown, expired or revoked.",
    402: "The month's quota is used up.",
    403: "The key's scope does not allow this.",
    404: "There is no such thing in this tenant's memory.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not JSON in UTF-8, or is compressed.",
    429: "Too many requests; `Retry-After` says how many seconds to wait.",
    500: "The server failed; its log says why, under the request's id.",
    503: "The server or its store cannot answer now; try again.",
}
_TRY_AGAIN = frozenset({429, 503})
_HEADERS: Mapping[str, tuple[str, str]] = {
    "X-Request-Id": ("string", "The request's id: the one it brought, or a new one."),
    "X-RateLimit-Limit": ("integer", "Requests a minute that the key may make."),
    "X-RateLimit-Remaining": ("integer", "Requests it could make now."),
    "X-RateLimit-Reset": ("integer", "When all are free again, in seconds since the epoch."),
    "Retry-After": ("integer", "Seconds to wait before trying again."),
}


_ALWAYS = [name for name in _HEADERS if name != "Retry-After"]


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        for path in filter(None, (operation.path, ALIASES.get(operation.path))):
            described = _operation(operation, schemas)
            if path != operation.path:
                described["operationId"] += "_alias"  # an id stands for one path only
            paths.setdefault(PREFIX + path, {})[operation.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hippocortex", "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**_common(), **schemas.components},
            "headers": {
                name: {"description": said, "schema": {"type": kind}}
                for name, (kind, said) in _HEADERS.items()
            },
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: `hx_live_...` or `hx_test_...`",
                }
            },
        },
        "security": [{"apiKey": []}],
    }


def _operation(operation: type[Operation[Any]], schemas: Schemas) -> dict[str, Any]:
    summary, _, rest = inspect.cleandoc(operation.__doc__ or "").partition("\n\n")
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": " ".join(summary.split()),
        "description": _description(operation, rest),
        "responses": _responses(operation, schemas),
    }
    if given := parameters(operation, schemas):
        found["parameters"] = given
    if (body := request_body(operation, schemas)) is not None:
        found["requestBody"] = body
    if operation is Health:
        found["security"] = []
    return found


def _description(operation: type[Operation[Any]], rest: str) -> str:
    said = [rest] if rest else []
    if operation is not Health:
        said.append(f"Needs a key with the scope `{operation.scope}`.")
    if operation.extension:
        said.append("Goes beyond the reference API.")
    return "\n\n".join(said)


def _responses(operation: type[Operation[Any]], schemas: Schemas) -> dict[str, Any]:
    answered = {
        "type": "object",
        "properties": {
            "ok": {"const": True},
            "data": _result(operation, schemas),
            "meta": {"$ref": "#/components/schemas/Meta"},
        },
        "required": ["ok", "data", "meta"],
    }
    headers = ["X-Request-Id"] if operation is Health else [*_ALWAYS]
    found = {"200": _response("What was asked for.", answered, headers)}
    for status in sorted(_statuses(operation)):
        error = {"$ref": "#/components/schemas/Error"}
        more = ["Retry-After"] if status in _TRY_AGAIN else []
        found[str(status)] = _response(_SAID[status], error, ["X-Request-Id", *more])
    return found


def _statuses(operation: type[Operation[Any]]) -> set[int]:
    if operation is Health:
        return {500, 503}
    return {
        *_FOR_ALL,
        *(_WITH_BODY if operation.method == "POST" else ()),
        *((402,) if operation.name in _QUOTA else ()),
        *((404,) if "{" in operation.path else ()),
    }


def _response(said: str, schema: Schema, headers: Sequence[str]) -> dict[str, Any]:
    return {
        "description": said,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/json": {"schema": schema}},
    }


def _result(operation: type[Operation[Any]], schemas: Schemas) -> Schema:
    if operation in _RESULTS:
        return _RESULTS[operation](schemas)
    return schemas.of(get_type_hints(operation.apply)["return"])


_RESULTS: Mapping[type[Operation[Any]], Callable[[Schemas], Schema]] = {
    PutDocument: lambda _: {"type": "object"},
    DeleteDocument: lambda _: _object({"deleted": {"type": "boolean"}}),
    SweepDocuments: lambda _: _object({"deleted": {"type": "integer", "minimum": 0}}),
    GetDocument: lambda schemas: _object(
        {"document": {"anyOf": [schemas.of(Document), {"type": "null"}]}}
    ),
    BatchDocuments: lambda _: _object({"results": {"type": "array", "items": {"type": "object"}}}),
}
"""Results whose shape on the wire is not that of what the call returns."""


def _common() -> dict[str, Schema]:
    codes = [cls.code for cls in ERRORS.values() if cls.status]
    detail = _object({"field": {"type": "string"}, "message": {"type": "string"}})
    return {
        "Meta": _object(
            {
                "requestId": {"type": "string"},
                "tenantId": {"type": ["string", "null"]},
                "durationMs": {"type": "number", "minimum": 0},
            }
        ),
        "Error": _object(
            {
                "ok": {"const": False},
                "error": _object(
                    {
                        "code": {"type": "string", "enum": codes},
                        "message": {"type": "string"},
                        "details": {"type": "array", "items": detail},
                    }
                ),
                "meta": {"$ref": "#/components/schemas/Meta"},
            }
        ),
    }


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": deepcopy(properties), "required": list(properties)}
