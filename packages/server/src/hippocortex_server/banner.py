"""What a server says when it starts: where it is, the first key, and a first request."""

from __future__ import annotations

from typing import Any

from hippocortex_server.run import Started

_CAPTURE = '{"type": "message", "sessionId": "s1", "payload": {"role": "user", "content": "hello"}}'
_QUERY = '{"query": "hello"}'


def banner(started: Started) -> str:
    """For people."""
    settings = started.settings
    lines = [f"Hippocortex serves {started.store} at {started.url}"]
    details = [f"{settings.workers} workers"] if settings.workers > 1 else []
    details += ["learns by itself"] if settings.auto_learn else []
    if details:
        lines.append(f"({', '.join(details)})")
    if started.first_key is not None:
        lines += ["", *_first_steps(started.url, started.first_key.secret)]
    return "\n".join([*lines, f"Documentation: {started.url.removesuffix('/v1')}/docs"])


def document(started: Started) -> dict[str, Any]:
    """For programs."""
    first = started.first_key
    return {
        "url": started.url,
        "store": started.store,
        "workers": started.settings.workers,
        "autoLearn": started.settings.auto_learn,
        "firstKey": None if first is None else first.secret,
    }


def _first_steps(url: str, secret: str) -> list[str]:
    return [
        "Your API key, shown this once:",
        "",
        f"  {secret}",
        "",
        "Try it:",
        "",
        *_curl(url, "capture", secret, _CAPTURE),
        *_curl(url, "synthesize", secret, _QUERY),
        "",
        "Point a client at it:",
        "",
        f"  export HIPPOCORTEX_BASE_URL={url}",
        f"  export HIPPOCORTEX_API_KEY={secret}",
        "",
    ]


def _curl(url: str, call: str, secret: str, body: str) -> list[str]:
    return [
        f"  curl {url}/{call} -H 'Authorization: Bearer {secret}' \\",
        f"    -H 'Content-Type: application/json' -d '{body}'",
    ]
