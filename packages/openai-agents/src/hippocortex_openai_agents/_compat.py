"""The only place that knows which openai-agents is installed."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

import agents.memory
import agents.run
from agents import (
    FunctionSpanData,
    Handoff,
    RunConfig,
    RunContextWrapper,
    get_current_span,
    get_current_trace,
)
from agents.memory import session as _session

__all__ = [
    "SESSIONS_KNOW_RUNS",
    "CallModelData",
    "ModelInputData",
    "accepts_wrapper",
    "as_run_config",
    "as_settings",
    "listen_for_failures",
    "resumed",
    "span_error",
    "span_here",
    "trace_here",
    "watch_stream",
    "with_target",
]

CallModelData = agents.run.CallModelData
ModelInputData = agents.run.ModelInputData

SESSIONS_KNOW_RUNS = hasattr(_session, "_session_accepts_wrapper")
"""Whether a session is told for which run it is asked; 0.20 and newer."""

_TELLS_FAILURES = "error" in {
    field.name
    for field in dataclasses.fields(getattr(agents.run, "ToolErrorFormatterArgs", RunConfig))
}
"""Whether the formatter of tool errors is given a tool's exception; 0.24 and newer."""


def as_run_config(given: Any) -> RunConfig:
    """A run's configuration, which may be none or a dict."""
    if given is None:
        return RunConfig()
    return RunConfig(**cast("dict[str, Any]", given)) if isinstance(given, dict) else given


def as_settings(given: Any = None) -> Any:
    """A session's settings, which may be none or a dict; None before there were any.

    Raises:
        TypeError: The dict names something that is no setting.
    """
    settings: Any = getattr(agents.memory, "SessionSettings", None)
    if settings is None or not (given is None or isinstance(given, dict)):
        return given
    named = cast("dict[str, Any]", given or {})
    unknown = sorted(named.keys() - {field.name for field in dataclasses.fields(settings)})
    if unknown:
        raise TypeError(f"Unknown session settings: {', '.join(unknown)}")
    return settings(**named)


def accepts_wrapper(method: Callable[..., Any]) -> bool:
    """Whether a session's method takes the run that it is called for."""
    try:
        return "wrapper" in inspect.signature(method).parameters
    except (TypeError, ValueError):
        return False


def resumed(context: RunContextWrapper[Any]) -> bool:
    """Whether a run that is new to this process goes on after somebody approved of something."""
    return context.usage.requests > 0 and bool(getattr(context, "_approvals", None))


def span_here() -> object | None:
    """What the framework is doing, as its tracing sees it, switched on or not."""
    return get_current_span()


def trace_here() -> object | None:
    """The framework's trace of this run, which may be that of a whole workflow."""
    return get_current_trace()


def span_error() -> str | None:
    """Why the tool of the current span failed, if tracing is on and says so."""
    span = cast("Any", get_current_span())
    if not isinstance(getattr(span, "span_data", None), FunctionSpanData):
        return None
    found = cast("Mapping[str, Any]", span.error or {})
    data = cast("Mapping[str, Any]", found.get("data") or {})
    return str(data.get("error") or found.get("message") or "failed") if found else None


def listen_for_failures(context: Any, hear: Callable[[str, Exception], None]) -> None:
    """Be told the call id and the exception of the tool that is called, if it raises.

    The model is told about it as before.
    """
    config = getattr(context, "run_config", None)
    if not _TELLS_FAILURES or not isinstance(config, RunConfig):
        return
    formatter: Callable[[Any], Any] | None = config.tool_error_formatter

    def formatted(args: Any) -> Any:
        if isinstance(args.error, Exception):
            hear(args.call_id, args.error)
        return None if formatter is None else formatter(args)

    # The context is that of this one call; the configuration belongs to the user.
    context.run_config = dataclasses.replace(config, tool_error_formatter=formatted)


def with_target(handoff: Handoff[Any, Any], swap: Callable[[Any], Any]) -> Handoff[Any, Any]:
    """The handoff, to what `swap` makes of its target."""
    invoke = handoff.on_invoke_handoff

    async def invoked(context: RunContextWrapper[Any], arguments: str) -> Any:
        return swap(await invoke(context, arguments))

    made = dataclasses.replace(handoff, on_invoke_handoff=invoked)
    target = getattr(handoff, "_agent_ref", None)
    if target is not None and (agent := target()) is not None:
        # By this a run that was stored finds its agents again.
        made._agent_ref = type(target)(swap(agent))  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return made


def watch_stream(result: Any, failed: Callable[[Exception], None]) -> None:
    """Be told of the exception that a stream's reader gets."""
    original = result.stream_events

    async def stream_events() -> AsyncIterator[Any]:
        events = original()
        try:
            async for event in events:
                yield event
        except Exception as error:
            failed(error)
            raise
        finally:
            await events.aclose()

    result.stream_events = stream_events
