"""What a document must be to be kept: the same rules in the client, the engine and the server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from hippocortex_core.errors import invalid
from hippocortex_core.filters import Predicate, compile_filter
from hippocortex_core.types import NamespaceMatch
from hippocortex_core.validation import check_id, check_text, encode_json

T = TypeVar("T")
ANY_LABEL = "*"
MAX_LABELS = 32
MAX_LABEL_CHARS = 256
MAX_KEY_CHARS = 1024
MAX_VALUE_BYTES = 1_048_576
MAX_INDEX_PATHS = 64
MAX_PATH_CHARS = 1024
MAX_QUERY_CHARS = 100_000
MAX_DIMENSIONS = 8192
LARGEST_NUMBER = 3.4e38
"""Of a vector: it is kept as float32."""
MAX_NUMBERS = 262_144
"""Numbers in all the vectors of one document: one MiB as they are stored."""
MAX_TTL = 100 * 366 * 86_400
"""Seconds; beyond a century is forever."""
MAX_DOCUMENTS = 10_000
"""Documents or namespaces in one answer."""
MAX_OFFSET = 1_000_000_000
MAX_OPERATIONS = 1000
"""Operations in one batch."""

# LangGraph's stores take line breaks in labels, and so do we.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Namespace = tuple[str, ...]
Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CheckedPut:
    """A valid put; `ttl` is in seconds, `index` holds the paths whose text is searched."""

    namespace: Namespace
    key: str
    value: dict[str, Any]
    value_json: str
    index: tuple[str, ...]
    ttl: float | None
    vectors: tuple[Vector, ...] | None
    user_id: str | None
    agent_id: str | None
    session_id: str | None
    capture: bool


@dataclass(frozen=True, slots=True)
class CheckedSearch:
    """A valid search; `fits` and `signs` are those of the filter, `fits` None without one."""

    prefix: Namespace
    query: str | None
    vector: Vector | None
    fits: Predicate | None
    signs: tuple[str, ...]
    limit: int
    offset: int
    refresh_ttl: bool


@dataclass(frozen=True, slots=True)
class CheckedListing:
    """A valid listing of namespaces."""

    prefixes: tuple[Namespace, ...]
    suffixes: tuple[Namespace, ...]
    max_depth: int | None
    limit: int
    offset: int


def check_put(
    *,
    namespace: Sequence[str],
    key: str,
    value: Mapping[str, Any],
    index: bool | Sequence[str] | None,
    ttl: float | None,
    vectors: Sequence[Sequence[float]] | None,
    user_id: str | None,
    agent_id: str | None,
    session_id: str | None,
    capture: bool,
) -> CheckedPut:
    """A put, checked.

    Raises:
        ValidationError: `details` names the first argument at fault.
    """
    if isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        value = dict(value)
    return CheckedPut(
        namespace=check_namespace(namespace, least=1),
        key=check_key(key),
        value=value,
        value_json=encode_json("value", value, MAX_VALUE_BYTES),
        index=_check_index(index),
        ttl=_check_ttl(ttl),
        vectors=_check_vectors(vectors),
        user_id=_optional_id("user_id", user_id),
        agent_id=_optional_id("agent_id", agent_id),
        session_id=_optional_id("session_id", session_id),
        capture=check_flag("capture", capture),
    )


def check_search(
    *,
    namespace_prefix: Sequence[str],
    query: str | None,
    vector: Sequence[float] | None,
    filter: Mapping[str, Any] | None,  # noqa: A002 - the name of the argument
    limit: int,
    offset: int,
    refresh_ttl: bool,
) -> CheckedSearch:
    """A search, checked; a blank query is none.

    Raises:
        ValidationError: `details` names the first argument at fault.
    """
    if query is not None and vector is not None:
        raise invalid("vector", "must not be given together with a query")
    wanted = compile_filter(filter)
    return CheckedSearch(
        prefix=check_namespace(namespace_prefix, "namespace_prefix"),
        query=_check_query(query),
        vector=None if vector is None else _check_vector("vector", vector),
        fits=wanted and wanted.fits,
        signs=wanted.signs if wanted else (),
        limit=_check_count("limit", limit, most=MAX_DOCUMENTS),
        offset=_check_count("offset", offset, most=MAX_OFFSET),
        refresh_ttl=check_flag("refresh_ttl", refresh_ttl),
    )


def check_listing(
    *,
    match: Sequence[NamespaceMatch] | None,
    max_depth: int | None,
    limit: int,
    offset: int,
) -> CheckedListing:
    """A listing of namespaces, checked.

    Raises:
        ValidationError: `details` names the first argument at fault.
    """
    conditions: Sequence[NamespaceMatch] = () if match is None else _check_list("match", match)
    paths: dict[str, list[Namespace]] = {"prefix": [], "suffix": []}
    for place, condition in enumerate(conditions):
        if not isinstance(condition, NamespaceMatch):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise invalid(f"match[{place}]", "must be a NamespaceMatch")
        if condition.kind not in paths:
            raise invalid(
                f"match[{place}].kind", f"must be prefix or suffix, got {condition.kind!r}"
            )
        paths[condition.kind].append(check_namespace(condition.path, f"match[{place}].path"))
    return CheckedListing(
        prefixes=tuple(paths["prefix"]),
        suffixes=tuple(paths["suffix"]),
        max_depth=None if max_depth is None else _check_count("max_depth", max_depth, least=1),
        limit=_check_count("limit", limit, most=MAX_DOCUMENTS),
        offset=_check_count("offset", offset, most=MAX_OFFSET),
    )


def matches(namespace: Sequence[str], listing: CheckedListing) -> bool:
    """Whether a namespace meets all conditions of a listing."""
    return all(_begins(namespace, path) for path in listing.prefixes) and all(
        _begins(namespace[::-1], path[::-1]) for path in listing.suffixes
    )


def _begins(namespace: Sequence[str], path: Namespace) -> bool:
    return len(namespace) >= len(path) and all(
        wanted in {ANY_LABEL, label} for wanted, label in zip(path, namespace, strict=False)
    )


def check_namespace(
    namespace: Sequence[str], field: str = "namespace", *, least: int = 0
) -> Namespace:
    """A list of labels: each 1 to 256 characters, none of them a control character.

    Raises:
        ValidationError: It is not one.
    """
    labels = _check_list(field, namespace)
    if not least <= len(labels) <= MAX_LABELS:
        raise invalid(field, f"must have {least} to {MAX_LABELS} labels, has {len(labels)}")
    return tuple(_check_label(f"{field}[{place}]", label) for place, label in enumerate(labels))


def check_key(key: object) -> str:
    """A key of 1 to 1,024 characters.

    Raises:
        ValidationError: It is not one.
    """
    return _check_string("key", key, MAX_KEY_CHARS)


def check_flag(field: str, value: object) -> bool:
    """True or false, and nothing that only counts as such.

    Raises:
        ValidationError: It is something else.
    """
    if not isinstance(value, bool):
        raise invalid(field, f"must be true or false, got {type(value).__name__}")
    return value


def check_operations(operations: Sequence[T]) -> Sequence[T]:
    """The operations of one batch.

    Raises:
        ValidationError: It is no list, or longer than 1,000.
    """
    found = _check_list("operations", operations)
    if len(found) > MAX_OPERATIONS:
        raise invalid("operations", f"at most {MAX_OPERATIONS:,} per batch, got {len(found):,}")
    return found


def _check_label(field: str, label: object) -> str:
    text = _check_string(field, label, MAX_LABEL_CHARS)
    if _CONTROL.search(text):
        raise invalid(field, "must not contain control characters but tabs and line breaks")
    return text


def _check_string(field: str, value: object, most: int) -> str:
    if not isinstance(value, str) or not value:
        raise invalid(field, "must be a non-empty string")
    if len(value) > most:
        raise invalid(field, f"must have at most {most:,} characters, has {len(value):,}")
    return check_text(field, value)


def _check_list(field: str, value: Sequence[T]) -> Sequence[T]:
    if not isinstance(value, (list, tuple)):
        raise invalid(field, f"must be a list, got {type(value).__name__}")
    return cast("Sequence[T]", value)


def _check_index(index: bool | Sequence[str] | None) -> tuple[str, ...]:
    if index is None or isinstance(index, bool):
        return () if index is False else ("$",)
    paths = _check_list("index", index)
    if len(paths) > MAX_INDEX_PATHS:
        raise invalid("index", f"at most {MAX_INDEX_PATHS} paths, got {len(paths)}")
    checked = [
        _check_string(f"index[{place}]", path, MAX_PATH_CHARS) for place, path in enumerate(paths)
    ]
    return tuple(dict.fromkeys(checked))


def _check_ttl(ttl: float | None) -> float | None:
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("ttl", f"must be a number of seconds, got {type(ttl).__name__}")
    if not 0 < ttl <= MAX_TTL:
        raise invalid("ttl", "must be more than 0 seconds and at most a century")
    return float(ttl)


def _check_vectors(vectors: Sequence[Sequence[float]] | None) -> tuple[Vector, ...] | None:
    if vectors is None:
        return None
    given = _check_list("vectors", vectors)
    checked = tuple(_check_vector(f"vectors[{n}]", vector) for n, vector in enumerate(given))
    if len({len(vector) for vector in checked}) > 1:
        raise invalid("vectors", "must all have the same number of dimensions")
    if sum(map(len, checked)) > MAX_NUMBERS:
        raise invalid("vectors", f"at most {MAX_NUMBERS:,} numbers per document")
    return checked


def _check_vector(field: str, vector: Iterable[float]) -> Vector:
    if isinstance(vector, (str, bytes)):
        raise invalid(field, "must be a list of numbers")
    try:
        numbers = tuple(map(float, vector))
    except (TypeError, ValueError, OverflowError):
        raise invalid(field, "must be a list of numbers") from None
    if not 1 <= len(numbers) <= MAX_DIMENSIONS:
        raise invalid(field, f"must have 1 to {MAX_DIMENSIONS:,} numbers, has {len(numbers):,}")
    if not all(abs(number) <= LARGEST_NUMBER for number in numbers):
        raise invalid(field, "must hold finite numbers that fit into 32 bits")
    return numbers


def _check_query(query: str | None) -> str | None:
    if query is None:
        return None
    if not isinstance(query, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise invalid("query", f"must be a string, got {type(query).__name__}")
    if len(query) > MAX_QUERY_CHARS:
        raise invalid("query", f"must have at most {MAX_QUERY_CHARS:,} characters")
    return check_text("query", query).strip() or None


def _check_count(field: str, value: object, *, least: int = 0, most: int = MAX_OFFSET) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(field, f"must be a whole number, got {type(value).__name__}")
    if not least <= value <= most:
        raise invalid(field, f"must lie between {least:,} and {most:,}, got {value:,}")
    return value


def _optional_id(field: str, value: str | None) -> str | None:
    return None if value is None else check_id(field, value)
