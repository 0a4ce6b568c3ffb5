"""What an operation is: one call, on the wire in both directions and in process.

A subclass is a frozen dataclass whose fields are the call's arguments.  By default the fields
named in the path template go into the path, the others into the query of a GET or the body of a
POST, in camelCase; an operation whose wire shape differs overrides `request` and `from_request`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import quote, urlencode

from hippocortex_core.codec import camel, decode, encode, snake
from hippocortex_core.errors import invalid
from hippocortex_core.service import MemoryService
from hippocortex_core.validation import check_id, check_text

T = TypeVar("T")
Scope = Literal["read", "write", "admin"]
"""What an API key must be allowed to do: look, add, or delete."""


@dataclass(frozen=True)
class Request:
    """A call as it goes over the wire: JSON data, no bytes and no host yet."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None
    idempotency_key: str | None = None

    @property
    def target(self) -> str:
        """Path and query, percent-encoded."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


class Operation(ABC, Generic[T]):
    """One call of `MemoryService`.

    Attributes:
        name: The method of `MemoryService`.
        method: The HTTP method.
        path: The path template below the base URL; its parameters are camelCase.
        scope: What the caller's key must allow.
        safe_to_retry: Whether sending it twice has the effect of sending it once.
        extension: Whether it goes beyond the reference, so that a service may lack it.
    """

    name: ClassVar[str]
    method: ClassVar[str]
    path: ClassVar[str]
    scope: ClassVar[Scope]
    safe_to_retry: ClassVar[bool] = True
    extension: ClassVar[bool] = False

    @abstractmethod
    def apply(self, service: MemoryService) -> T:
        """The call, made to a service in this process."""

    @abstractmethod
    def parse(self, data: object) -> T:
        """The result from the `data` of the service's answer.

        Raises:
            ValidationError: The data is not such a result.
        """

    def answered(self) -> T | None:
        """The result, where it is known without asking the service."""
        return None

    def request(self) -> Request:
        """The call as it goes over the wire.

        Raises:
            ValidationError: An argument cannot be sent.
        """
        data: dict[str, Any] = encode(self)
        decode(type(self), data)  # what the service could not read is refused here
        inside = {name: data.pop(name) for name in _parameters(self.path)}
        escaped = {
            name: quote(check_id(snake(name), value), safe="") for name, value in inside.items()
        }
        path = self.path.format_map(escaped)
        if self.method == "GET":
            return Request(self.method, path, query=tuple(_query_pairs(data)))
        return Request(self.method, path, body=data)

    @classmethod
    def from_request(
        cls, params: Mapping[str, str], query: Mapping[str, Sequence[str]], body: object
    ) -> Operation[T]:
        """The call that a request asks for; the reverse of `request`.

        Args:
            params: The parameters found in the path, decoded.
            query: The query, each name with all its values.
            body: What `json.loads` made of the body; None if there was none.

        Raises:
            ValidationError: The request is malformed; `details` names the field.
        """
        if cls.method == "GET":
            return decode(cls, {**_query_data(cls, query), **params})
        if not isinstance(body, dict):
            return decode(cls, dict(params) if body is None else body)
        return decode(cls, {**cast("dict[str, Any]", body), **params})

    def render(self, result: T) -> Any:
        """The `data` of the answer; the reverse of `parse`."""
        return encode(result)


def check_options(options: object, cls: type[Any]) -> None:
    """Options of the right class, or none.

    Raises:
        ValidationError: They are something else.
    """
    if options is not None and not isinstance(options, cls):
        raise invalid("options", f"must be {cls.__name__}, got {type(options).__name__}")


def _parameters(path: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(path) if name]


def _query_pairs(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lists are repeated, so that an item may hold any character."""
    return [
        (name, check_text(snake(name), str(item)))
        for name, value in data.items()
        for item in (cast("list[Any]", value) if isinstance(value, list) else [value])
    ]


def _query_data(cls: type[Operation[Any]], query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The query as JSON data: which of it are lists and numbers, the type hints say."""
    data: dict[str, Any] = {}
    for name, hint in get_type_hints(cls).items():
        if values := query.get(camel(name)):
            data[camel(name)] = _query_value(get_args(hint), values)
    return data


def _query_value(hints: tuple[Any, ...], values: Sequence[str]) -> object:
    if any(get_origin(hint) is Sequence for hint in hints):
        return list(values)
    # What is no number is left for the codec to refuse.
    if int in hints and re.fullmatch(r"-?[0-9]{1,18}", values[-1]):
        return int(values[-1])
    return values[-1]
