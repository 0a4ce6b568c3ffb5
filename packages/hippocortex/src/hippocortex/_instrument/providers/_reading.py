"""Reading what SDKs pass around: JSON in requests, SDK objects in replies, either in mocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from hippocortex_core.marking import contains

MEDIA = {
    "image_url": "[image]",
    "input_image": "[image]",
    "image": "[image]",
    "input_audio": "[audio]",
    "audio": "[audio]",
    "video": "[video]",
    "file": "[file]",
    "input_file": "[file]",
    "document": "[document]",
}
"""What a part that is not text is remembered as; its bytes are never kept."""

SYSTEM_ROLES = frozenset({"system", "developer"})


def get(thing: Any, name: str, default: Any = None) -> Any:
    """A field of a mapping or an attribute of an object; None counts as absent."""
    if isinstance(thing, Mapping):
        found = cast("Mapping[str, Any]", thing).get(name)
    else:
        found = getattr(thing, name, None)
    return default if found is None else found


def word(thing: Any, name: str) -> str:
    """A field that must be text; anything else is the empty string."""
    found = get(thing, name)
    return found if isinstance(found, str) else ""


def each(value: Any) -> Sequence[Any]:
    """The elements of a list; none of anything else."""
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()


def is_read_once(value: Any) -> bool:
    """Whether a conversation is given as an iterator, or as anything else that is no list."""
    return isinstance(value, Iterable) and not isinstance(value, (str, list, tuple, Mapping))


def text_of(content: Any, *, media: bool = True) -> str:
    """Content as text: parts joined by lines, media as `[image]` or left out."""
    if isinstance(content, str):
        return content
    return "\n".join(text for part in each(content) if (text := _part(part, media=media)))


def _part(part: Any, *, media: bool) -> str:
    if isinstance(part, str):
        return part
    for name in ("text", "refusal", "transcript"):
        if text := word(part, name):
            return text
    if (shown := MEDIA.get(word(part, "type"))) is not None:
        return shown if media else ""
    return text_of(get(part, "content"), media=media)


def arguments(value: Any) -> Any:
    """A tool's arguments: the object that they are the JSON text of, else as they are."""
    if not isinstance(value, str):
        return {} if value is None else value
    try:
        found: Any = json.loads(value or "{}")
    except (ValueError, RecursionError):
        return value
    return cast("dict[str, Any]", found) if isinstance(found, dict) else value


def hold_memory(contents: Iterable[Any]) -> bool:
    """Whether recalled memory is in any of the contents, strings or lists of parts."""
    return any(
        contains(content)
        if isinstance(content, str)
        else any(contains(word(part, "text")) for part in each(content))
        for content in contents
    )
