"""Command lines: what they are called, and the options that they give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

TWO_WORD = frozenset(
    "git npm pnpm yarn docker kubectl cargo go pip uv poetry make terraform aws gcloud az helm "
    "systemctl apt brew conda gh python python3 npx docker-compose".split()
)
_NOUN_FIRST = frozenset(("gh", "aws", "gcloud", "az"))
_GROUPS = frozenset(
    (
        ("kubectl", "rollout"),
        ("docker", "compose"),
        ("git", "stash"),
        ("git", "remote"),
        ("uv", "pip"),
    )
)
_PYTHON = frozenset(("python", "python3", "uv", "poetry", "npx"))
_INTERPRETERS = frozenset("sh bash zsh python python3 node ruby perl php Rscript".split())
# Without digits, which temporary scripts have in their names.
_SCRIPT = re.compile(
    r"(?:[^\s'\"]*/)?(?P<name>[A-Za-z][A-Za-z_\-]*\.(?:sh|py|js|mjs|ts|rb|pl|php|R))\Z"
)
_SPLIT_COMMAND = re.compile(r"\s*(?:&&|\|\||;|\||\n)\s*")
_NOISE_COMMAND = re.compile(r"^(?:cd|export|set|source|echo)\b")
_BEFORE_COMMAND = re.compile(r"^(?:(?:sudo|time|nohup|env|\w+=\S*)\s+)+")
_OPTION = re.compile(r"(?P<name>--?[A-Za-z][\w\-]*)(?:=(?P<value>.*))?\Z")
# A word with what it quotes; a quotation mark without another stands for itself.
_WORDS = re.compile(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*'|[\"'])+")
_MAX_OPTIONS = 8
SET = "true"
"""The value of an option that has none."""


def is_command(label: str) -> bool:
    """Whether a label is one of a command line."""
    return label.startswith("$")


@lru_cache(maxsize=4_096)
def command_label(text: str) -> str:
    """`$` and the words that say what a command line does, without its operands."""
    words = _telling(text)
    if not words:
        return ""
    name = words[0].rsplit("/", 1)[-1]
    found = _subcommand(name, words[1:]) if name in TWO_WORD else []
    return " ".join(["$", name, *(found or _script(name, words[1:]))])


def _telling(text: str) -> list[str]:
    """The words of the first command that does something."""
    parts = [part for part in _SPLIT_COMMAND.split(text.strip()) if part]
    telling = next((part for part in parts if not _NOISE_COMMAND.match(part)), "")
    return _BEFORE_COMMAND.sub("", telling or (parts[0] if parts else "")).split()


def _script(name: str, words: list[str]) -> list[str]:
    """The script that an interpreter runs."""
    first = next((word for word in words if not word.startswith("-")), "")
    match = _SCRIPT.match(first) if name in _INTERPRETERS else None
    return [match["name"]] if match else []


def _subcommand(name: str, words: list[str]) -> list[str]:
    if name in _PYTHON and len(words) > 1 and words[0] in {"-m", "run"}:
        return [words[0], words[1]]
    if len(words) > 1 and words[0] == "run":
        return words[:2]
    plain = [word for word in words if not word.startswith("-")]
    deep = name in _NOUN_FIRST or (name, *plain[:1]) in _GROUPS
    found: list[str] = []
    for word in plain[: 2 if deep else 1]:
        if not word.replace("-", "").replace(":", "").isalpha():
            break
        found.append(word)
    return found


@lru_cache(maxsize=4_096)
def options(text: str) -> Mapping[str, str]:
    """The options of a command line by name, with their values; `SET` for those without.

    What follows an option may be its value or something else: it counts as the value.
    """
    found: dict[str, str] = {}
    open_name = ""
    for word in _WORDS.findall(" ".join(_telling(text))):
        match = _OPTION.match(word)
        if match is None:
            if open_name:
                found[open_name] = word.strip("'\"")
            open_name = ""
        elif len(found) < _MAX_OPTIONS:
            value = match["value"]
            found[match["name"]] = SET if value is None else value.strip("'\"")
            open_name = match["name"] if value is None else ""
    return found


def with_options(name: str, args: Mapping[str, str]) -> str:
    """A command line of a name and the options among its arguments."""
    words = [
        option if value == SET else f"{option} {value}"
        for option, value in args.items()
        if option.startswith("-")
    ]
    return " ".join([name, *words])
