"""Requests to start from, as the documentation shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_EVENT = {
    "type": "tool_result",
    "sessionId": "sess-42",
    "payload": {"tool": "deploy", "error": "Redis connection pool exhausted"},
    "metadata": {"agent_id": "deployer", "user_id": "user-7"},
    "idempotencyKey": "deploy-2026-03-01-2",
}

EXAMPLES: Mapping[str, Any] = {
    "capture": _EVENT,
    "capture_batch": {
        "events": [
            {
                "type": "message",
                "sessionId": "sess-42",
                "payload": {"role": "user", "content": "Deploy the payment service to staging"},
            },
            {
                "type": "tool_call",
                "sessionId": "sess-42",
                "payload": {"tool": "deploy", "args": {"service": "payments", "env": "staging"}},
            },
            _EVENT,
        ]
    },
    "learn": {
        "scope": "incremental",
        "options": {"minPatternStrength": 0.5, "artifactTypes": ["task_schema"]},
    },
    "synthesize": {
        "query": "deploy payment service to production",
        "options": {
            "maxTokens": 8000,
            "sections": ["procedures", "failures", "decisions"],
            "minConfidence": 0.5,
            "includeProvenance": True,
        },
    },
    "forget": {"userId": "user-7"},
    "put_document": {
        "namespace": ["users", "user-7"],
        "key": "preferences",
        "value": {"editor": "vim", "theme": "dark"},
    },
    "get_document": {"namespace": ["users", "user-7"], "key": "preferences"},
    "delete_document": {"namespace": ["users", "user-7"], "key": "preferences"},
    "search_documents": {"namespacePrefix": ["users"], "query": "which editor", "limit": 5},
    "list_namespaces": {"match": [{"kind": "prefix", "path": ["users"]}], "limit": 20},
    "batch_documents": {
        "operations": [
            {"op": "get", "namespace": ["users", "user-7"], "key": "preferences"},
            {"op": "list_namespaces", "limit": 20},
        ]
    },
}
"""By operation."""
