"""Command lines: what they are called, and the options that they give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hippocortex_engine.compiler import shell

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
_VALUED: Mapping[str, frozenset[str]] = {
    "aws": frozenset(("--profile", "--region", "--output")),
    "docker": frozenset(("-H", "--host", "--context")),
    "gh": frozenset(("-R", "--repo")),
    "git": frozenset(("-C", "-c", "--git-dir", "--work-tree")),
    "helm": frozenset(("-n", "--namespace", "--kube-context")),
    "kubectl": frozenset(("-n", "--namespace", "--context", "--kubeconfig")),
    "make": frozenset(("-C", "-f")),
    "npm": frozenset(("--prefix",)),
    "pnpm": frozenset(("-C", "--dir", "--filter")),
    "uv": frozenset(("--directory", "--project")),
}
"""Options that may stand before a subcommand and whose value is not to be taken for it."""
_PYTHON = frozenset(("python", "python3", "uv", "poetry", "npx"))
_INTERPRETERS = frozenset("sh bash zsh python python3 node ruby perl php Rscript".split())
# Without digits, which temporary scripts have in their names.
_SCRIPT = re.compile(
    r"(?:[^\s'\"]*/)?(?P<name>[A-Za-z][A-Za-z_\-]*\.(?:sh|py|js|mjs|ts|rb|pl|php|R))\Z"
)
_SLASH = re.compile(r"[/\\]")
_NO_NAME = re.compile(r"[\"'`()]|\A\s*\Z")
_OPTION = re.compile(r"(?P<name>--?[A-Za-z][\w\-]*)(?:=(?P<value>.*))?\Z", re.DOTALL)
_MAX_OPTIONS = 8
SET = "true"
"""The value of an option that has none."""
UNREAD = "…"
"""Stands for the options of a command line that is not read to its end.

Nothing may be concluded from what such a call gives and what it lacks.
"""


def is_command(label: str) -> bool:
    """Whether a label is one of a command line."""
    return label == "$" or label.startswith("$ ")


def command_label(text: str) -> str:
    """`$` and the words that say what a command line does, without its operands; "" for none."""
    first, *words = shell.telling(text).words or ("",)
    name = _SLASH.split(shell.unquoted(first))[-1]
    found = _subcommand(name, words) if name in TWO_WORD else []
    return "" if _NO_NAME.search(name) else " ".join(["$", name, *(found or _script(name, words))])


def _script(name: str, words: Sequence[str]) -> list[str]:
    """The script that an interpreter runs."""
    first = next((word for word in words if not word.startswith("-")), "")
    match = _SCRIPT.match(first) if name in _INTERPRETERS else None
    return [match["name"]] if match else []


def _subcommand(name: str, words: Sequence[str]) -> list[str]:
    if name in _VALUED:
        words = words[shell.past_options(words, _VALUED[name]) :]
    if words[:1] == ["run"] or (name in _PYTHON and words[:1] == ["-m"]):
        return [words[0], *(word for word in words[1:2] if word[0] != "-" and "=" not in word)]
    plain = [word for word in words if not word.startswith("-")]
    deep = name in _NOUN_FIRST or (name, *plain[:1]) in _GROUPS
    found: list[str] = []
    for word in plain[: 2 if deep else 1]:
        if not word.replace("-", "").replace(":", "").isalpha():
            break
        found.append(word)
    return found


def options(text: str) -> Mapping[str, str]:
    """The options of a command line by name, with their values; `SET` for those without.

    What follows an option may be its value or something else: it counts as the value.  An option
    given twice, with two values, has "".  Of a line with more than 8 options, or one whose end is
    not known, `UNREAD` is all there is.
    """
    command = shell.telling(text)
    found: dict[str, str] = {}
    for name, value in _pairs(command.words):
        found[name] = value if found.get(name, value) == value else ""
    return found if command.whole and len(found) <= _MAX_OPTIONS else {UNREAD: ""}


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    name = ""
    for word in words:
        match = _OPTION.match(word)
        if name:
            yield name, SET if match else shell.unquoted(word)
        name = match["name"] if match else ""
        if match and match["value"] is not None:
            yield name, shell.unquoted(match["value"])
            name = ""
    if name:
        yield name, SET


def with_options(name: str, args: Mapping[str, str]) -> str:
    """A command line of a name and the options among its arguments."""
    words = [
        option if value == SET else f"{option} {value}"
        for option, value in args.items()
        if option.startswith("-")
    ]
    return " ".join([name, *words])
