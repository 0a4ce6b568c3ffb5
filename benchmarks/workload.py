"""A deterministic workload: sessions of an agent that talks, calls tools, fails and recovers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hippocortex_core import CaptureEvent

SERVICES = [
    f"{area}-{part}"
    for area in ("payments", "billing", "search", "auth", "orders", "mail", "media", "stock")
    for part in ("api", "worker", "db", "cache", "gateway", "batch")
]
PLACES = ["staging", "production", "the canary pool", "region two", "the sandbox", "the lab"]
REQUESTS = [
    "Please deploy {service} to {place} and tell me when it is healthy",
    "{service} is slow in {place}, find out why and fix it",
    "Roll back {service} in {place} to the version of yesterday",
    "Rotate the credentials of {service} in {place} before the audit",
    "Scale {service} in {place} to {n} replicas for the campaign of {name}",
]
TOOLS = ["get_status", "run_tests", "build_image", "push_image", "update_deployment", "read_logs"]
ERRORS = [
    "Error: connection pool of {service} exhausted after {n} attempts",
    "Error: image {service}:{n} not found in the registry",
    "Error: quota of {n} replicas exceeded in {place}",
]
REMARKS = [
    "I prefer {place} for trials, {name} asked for it on call {n}",
    "The deadline of {service} moved to week {n}, says {name}",
    "Remember that {service} runs on port {n} in {place}",
    "{name} owns {service} now and wants a report about {place}",
    "Thanks, that was ticket {n}, please write it down for {name}",
]
NAMES = [
    "Ada",
    "Grace",
    "Edsger",
    "Barbara",
    "Donald",
    "Frances",
    "Ken",
    "Margaret",
    "Tony",
    "Radia",
]


def events(count: int, seed: int = 1) -> Iterator[CaptureEvent]:
    """`count` events in sessions of about twenty."""
    rng = random.Random(seed)
    made = 0
    session = 0
    while made < count:
        for event in _session(rng, f"session-{seed}-{session}"):
            if made == count:
                return
            yield event
            made += 1
        session += 1


def queries(count: int, seed: int = 2) -> list[str]:
    """Queries in the words of the workload."""
    rng = random.Random(seed)
    return [_fill(rng, rng.choice(REQUESTS + REMARKS)) for _ in range(count)]


def _session(rng: random.Random, session: str) -> Iterator[CaptureEvent]:
    said = {
        "service": rng.choice(SERVICES),
        "place": rng.choice(PLACES),
        "name": rng.choice(NAMES),
        "n": str(rng.randint(10, 9999)),
    }

    def event(kind: str, **payload: object) -> CaptureEvent:
        return CaptureEvent(kind, session, payload)

    yield event("message", role="user", content=rng.choice(REQUESTS).format(**said))
    for number, tool in enumerate(TOOLS):
        call = f"{session}-{number}"
        args = {"service": said["service"], "place": said["place"], "attempt": number}
        yield event("tool_call", tool=tool, args=args, call_id=call)
        if rng.random() < 0.12:
            error = rng.choice(ERRORS).format(**said)
            yield event("tool_result", tool=tool, call_id=call, result=error)
            yield event("tool_call", tool=tool, args={**args, "retry": True}, call_id=call + "r")
            call += "r"
        result = {"ok": True, "service": said["service"], "version": rng.randint(1, 400)}
        yield event("tool_result", tool=tool, call_id=call, result=result)
    yield event("message", role="assistant", content=_fill(rng, "{service} is healthy in {place}."))
    for _ in range(3):
        yield event("message", role="user", content=_fill(rng, rng.choice(REMARKS)))
    yield event("outcome", success=rng.random() < 0.8)


def _fill(rng: random.Random, text: str) -> str:
    return text.format(
        service=rng.choice(SERVICES),
        place=rng.choice(PLACES),
        name=rng.choice(NAMES),
        n=rng.randint(10, 9999),
    )
