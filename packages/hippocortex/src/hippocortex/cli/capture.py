"""`hippocortex capture`: store one event."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any, cast, get_args

import typer

from hippocortex.cli.options import AsJson
from hippocortex.cli.output import emit
from hippocortex.cli.state import memory
from hippocortex_core.types import CaptureEvent, CaptureEventType

_WORDS = 3


def capture(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TYPE SESSION PAYLOAD",
            help="PAYLOAD is a JSON object, or - to read it from stdin.",
            show_default=False,
        ),
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", metavar="TEXT", help="Capture a message.")
    ] = None,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="Who says the message.")
    ] = "user",
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="Session of the message.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="Whose event it is.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="ID", help="Which agent's event it is.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="Idempotency key.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it happened, ISO 8601.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Store one event: TYPE SESSION PAYLOAD, or a --message.

    For example: hippocortex capture observation s1 '{"text": "the build is green"}'
    """
    given = list(words or [])
    kind, session_id, payload = (
        _event(given, session) if message is None else _message(given, session, message, role)
    )
    owners = {"user_id": user, "agent_id": agent}
    event = CaptureEvent(
        type=cast("CaptureEventType", kind),
        session_id=session_id,
        payload=payload,
        metadata={name: value for name, value in owners.items() if value is not None} or None,
        idempotency_key=key,
        occurred_at=at,
    )
    with memory(ctx) as home:
        result = home.capture(event)
    if as_json:
        emit(result)
    else:
        score = result.salience_score
        salience = "" if score is None else f", salience {score:.2f}"
        print(f"{result.status} {result.event_id}{salience}")


def _message(
    words: list[str], session: str | None, text: str, role: str
) -> tuple[str, str, dict[str, Any]]:
    if session is None and len(words) == 1:
        session = words.pop()
    if words or session is None:
        raise typer.BadParameter("a --message needs a --session, and no TYPE or PAYLOAD")
    return "message", session, {"role": role, "content": text}


def _event(words: list[str], session: str | None) -> tuple[str, str, dict[str, Any]]:
    if session is not None and len(words) == _WORDS - 1:
        words.insert(1, session)
    if len(words) != _WORDS:
        raise typer.BadParameter(
            "give TYPE SESSION PAYLOAD, or --message TEXT --session ID;"
            f" TYPE is one of: {', '.join(get_args(CaptureEventType))}"
        )
    kind, session_id, payload = words
    return kind, session_id, _payload(sys.stdin.read() if payload == "-" else payload)


def _payload(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"PAYLOAD is not JSON: {error}") from None
