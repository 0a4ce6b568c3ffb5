"""Command lines as a shell reads them: the words of the first command that does something.

Quotes, escapes, continued lines, redirections and comments are understood, and so are commands
that run another one, such as `sudo`.  Nothing is expanded or run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

MAX_SCANNED = 4_000
"""Characters of a text that are read; whoever cuts one before should leave one more."""

_ESCAPED = r"\\[\s\S]?"
_SUBSTITUTED = r"\$\((?:[^()]|\([^()]*\))*\)"
_DOUBLE = rf'"(?:[^"\\$]|\\[\s\S]|\$(?!\()|{_SUBSTITUTED})*"'
_SINGLE = r"'[^']*'"
# A mark that is never closed has all that follows; so each pattern fails once, in linear time.
_WORD = (
    rf"(?:{_ESCAPED}|{_DOUBLE}|{_SINGLE}|`[^`]*`|{_SUBSTITUTED}|(?P<open>[\"'`][\s\S]*)|"
    r"&(?![&\s]|\Z)|[^\s\"'`\\;|&()<>])+"
)
_TOKENS = re.compile(
    r"(?P<end>&&|[;|\n()]|&(?=\s|\Z))|#[^\n]*|"
    rf"(?P<redirection>(?:\d*|&)[<>]+[&|]?[^\S\n]*)?(?P<word>{_WORD})|[<>]+"
)
_CONTINUED = re.compile(r"\\\r?\n")
_QUOTED = re.compile(rf"(?P<quoted>{_DOUBLE}|{_SINGLE})|{_ESCAPED}|[\"'][\s\S]*")
_ASSIGNMENT = re.compile(r"[^'\"/=]+=")
_NOISE = frozenset(("cd", "export", "set", "source", "echo"))
_WRAPPERS: Mapping[str, frozenset[str]] = {
    "sudo": frozenset("-u -g -h -p -C -D -R -T -U -r -t --user --group --host --chdir".split()),
    "env": frozenset(("-u", "-C", "--unset", "--chdir")),
    "time": frozenset(("-f", "-o")),
    "nohup": frozenset(),
}
"""Commands that run another one, and those of their options that take a value."""


class Command(NamedTuple):
    """The words of a command, quotes included, and whether they are all of them."""

    words: Sequence[str]
    whole: bool


@lru_cache(maxsize=1_024)
def telling(text: str) -> Command:
    """The first command of a text that does something, else the first at all."""
    found: Command | None = None
    for words, whole in _commands(text):
        command = Command(_own(words), whole)
        if command.words and command.words[0] not in _NOISE:
            return command
        if command.words and found is None:
            found = command
    return found or Command((), whole=True)


def unquoted(word: str) -> str:
    """A word without its quotation marks; one that is never closed stays."""
    return _QUOTED.sub(lambda match: match[0][1:-1] if match["quoted"] else match[0], word)


def past_options(words: Sequence[str], valued: frozenset[str], at: int = 0) -> int:
    """Where the options that begin at a place end, with the values of those that take one."""
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in valued else 1
    return at


def _commands(text: str) -> Iterator[tuple[list[str], bool]]:
    """The words of each command, and whether it is known where it ends.

    It is not where the text was cut, where a quotation mark is never closed, nor at a bracket
    within: what follows may belong to it.
    """
    whole = len(text) <= MAX_SCANNED
    words: list[str] = []
    for match in _TOKENS.finditer(_CONTINUED.sub(" ", text[:MAX_SCANNED])):
        if match["end"]:
            yield words, match["end"] != "("
            words = []
        elif match["word"] and match["redirection"] is None:
            words.append(match["word"])
        whole = whole and match["open"] is None
    yield words, whole


def _own(words: Sequence[str]) -> Sequence[str]:
    """The words without assignments before them and commands that only run this one."""
    at, wrapper = 0, words[:0]
    while at < len(words):
        if words[at] in _WRAPPERS:
            wrapper = words[at : at + 1]
            at = past_options(words, _WRAPPERS[words[at]], at + 1)
        elif _ASSIGNMENT.match(words[at]):
            at += 1
        else:
            return words[at:]
    return wrapper
