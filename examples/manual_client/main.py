"""The manual client: capture what happens, learn from it, ask before the next decision.

    uv run python examples/manual_client/main.py

Everything stays in a file on disk: no service, no key, no model, no network.
"""

import asyncio
import tempfile
from pathlib import Path

from hippocortex import CaptureEvent, Hippocortex, LearnOptions, SynthesizeOptions, render_pack

STEPS = ("run_tests", "build_image", "push_image", "deploy")


def deployment(session: str, *, pool_exhausted: bool) -> list[CaptureEvent]:
    """What an agent does to deploy a service; sometimes it hits a full connection pool."""

    def event(kind: str, **payload: object) -> CaptureEvent:
        key = f"{session}-{len(events)}"  # sent again after a failure, it is stored once
        return CaptureEvent(kind, session, payload, idempotency_key=key)

    events: list[CaptureEvent] = []
    events.append(event("message", role="user", content="Deploy the payment service to staging"))
    for step in STEPS:
        if step == "deploy" and pool_exhausted:
            events.append(event("tool_call", tool="deploy", args={"env": "staging"}))
            error = "Error: Redis connection pool exhausted"
            events.append(event("tool_result", tool="deploy", error=error))
            events.append(event("tool_call", tool="restart_redis", args={}))
            events.append(event("tool_result", tool="restart_redis", result="restarted"))
        events.append(event("tool_call", tool=step, args={"env": "staging"}))
        events.append(event("tool_result", tool=step, result="ok"))
    events.append(event("outcome", success=True))
    return events


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = f"sqlite:///{Path(folder, 'memory.db').as_posix()}"
        async with Hippocortex(base_url=home) as hx:
            for number in range(6):
                run = deployment(f"deploy-{number}", pool_exhausted=number % 2 == 1)
                stored = await hx.capture_batch(run)
            print(f"last run: {stored.summary.ingested}/{stored.summary.total} events stored")

            learned = await hx.learn(LearnOptions(scope="full"))
            print(f"learned: {learned.artifacts.by_type}")

            options = SynthesizeOptions(max_tokens=400, sections=["procedures", "failures"])
            for query in ("deploy the payment service to production", "the deployment fails"):
                context = await hx.synthesize(query, options)
                print(f"\n{query}: {context.budget.used} of {context.budget.limit} tokens")
                print(render_pack(context))


if __name__ == "__main__":
    asyncio.run(main())
