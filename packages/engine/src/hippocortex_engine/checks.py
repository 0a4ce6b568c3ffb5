"""Arguments of the service's methods, checked: every fault names its field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, get_args

from hippocortex_core.errors import invalid
from hippocortex_core.types import (
    NOBODY,
    ArtifactStatus,
    ArtifactType,
    CaptureEventType,
    LearnOptions,
    ReasoningSection,
    SynthesizeOptions,
)
from hippocortex_core.validation import check_id, check_text

MAX_QUERY_CHARS = 20_000
MAX_TOKENS = 1_000_000

ARTIFACT_TYPES: tuple[ArtifactType, ...] = get_args(ArtifactType)
EVENT_TYPES: tuple[CaptureEventType, ...] = get_args(CaptureEventType)
STATUSES: tuple[ArtifactStatus, ...] = get_args(ArtifactStatus)
SECTIONS: tuple[ReasoningSection, ...] = get_args(ReasoningSection)


def check_query(query: object) -> str:
    """A query: text of at most 20,000 characters, not blank."""
    if not isinstance(query, str) or not query.strip():
        raise invalid("query", "must be a non-empty string")
    if len(query) > MAX_QUERY_CHARS:
        raise invalid("query", f"has {len(query):,} characters; at most {MAX_QUERY_CHARS:,}")
    return check_text("query", query)


def check_synthesize(options: SynthesizeOptions) -> SynthesizeOptions:
    """Options of `synthesize`."""
    if not isinstance(options, SynthesizeOptions):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("options", f"must be SynthesizeOptions, got {type(options).__name__}")
    check_whole("max_tokens", options.max_tokens, 1, MAX_TOKENS)
    check_share("min_confidence", options.min_confidence)
    if options.sections is not None:
        check_names("sections", options.sections, SECTIONS)
    for name in ("session_id", "agent_id", "active_session_id"):
        check_optional_id(name, getattr(options, name))
    if options.user_id != NOBODY:
        check_optional_id("user_id", options.user_id)
    return options


def check_learn(options: LearnOptions) -> LearnOptions:
    """Options of `learn`."""
    if not isinstance(options, LearnOptions):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("options", f"must be LearnOptions, got {type(options).__name__}")
    check_name("scope", options.scope, ("full", "incremental"))
    if options.min_pattern_strength is not None:
        check_share("min_pattern_strength", options.min_pattern_strength)
    if options.artifact_types is not None:
        check_names("artifact_types", options.artifact_types, ARTIFACT_TYPES)
    for name in ("session_id", "agent_id", "user_id"):
        check_optional_id(name, getattr(options, name))
    return options


def check_optional_id(field: str, value: object) -> None:
    """An identifier, or None."""
    if value is not None:
        check_id(field, value)


def check_ids(field: str, values: object, limit: int) -> list[str] | None:
    """A list of identifiers, or None."""
    if values is None:
        return None
    if not isinstance(values, (list, tuple)):
        raise invalid(field, "must be a list of ids")
    found: list[Any] = list(values)  # pyright: ignore[reportUnknownArgumentType]
    if len(found) > limit:
        raise invalid(field, f"has {len(found):,} ids; at most {limit:,}")
    return [check_id(f"{field}[{place}]", value) for place, value in enumerate(found)]


def check_name(field: str, value: object, known: Sequence[str]) -> str:
    """One of the known names."""
    if not isinstance(value, str) or value not in known:
        raise invalid(field, f"unknown value {value!r:.80}; one of {', '.join(known)}")
    return value


def check_names(field: str, values: object, known: Sequence[str]) -> None:
    """A list of known names."""
    if not isinstance(values, (list, tuple)):
        raise invalid(field, f"must be a list; of {', '.join(known)}")
    for place, value in enumerate(values):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        check_name(f"{field}[{place}]", value, known)  # pyright: ignore[reportUnknownArgumentType]


def check_whole(field: str, value: object, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(field, f"must be a whole number, got {value!r:.80}")
    if not least <= value <= most:
        raise invalid(field, f"must be between {least:,} and {most:,}, got {value:,}")
    return value


def check_share(field: str, value: object) -> float:
    """A number in 0..1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise invalid(field, f"must be a number, got {value!r:.80}")
    if not math.isfinite(value) or not 0 <= value <= 1:
        raise invalid(field, f"must be between 0 and 1, got {value}")
    return float(value)
