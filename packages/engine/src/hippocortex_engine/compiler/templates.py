"""Error texts to templates: what stays when the numbers, ids and names of one case are gone.

Drain (He et al. 2017) masks known variables first and then clusters online, which makes the
result depend on the order of the logs.  Here the masks do all the work on a single text, and
`generalise` merges what is left as a function of the set of templates alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

MAX_SCANNED = 4_000
_MAX_LINE = 500
_MAX_TEMPLATE = 160
_MAX_WORDS = 24
_MIN_ECHO = 3
_MIN_MERGED = 3
_MIN_FIXED_WORDS = 3

_NAMED = (
    r"(?:arguments?|param(?:eter)?s?|fields?|keys?|propert(?:y|ies)|columns?|options?|flags?|"
    r"attributes?|modules?(?: named)?|KeyError|headers?|variables?)"
)
_MASKS = re.compile(
    rf"(?P<keep>(?<=\b)(?:{_NAMED}):? [`'\"][A-Za-z_][\w.\-]*[`'\"]|"
    r"[`'\"][A-Za-z_][\w.\-]*[`'\"](?= (?:is (?:a )?(?:required|missing)|object|argument|"
    r"parameter|field|property))|[`'\"][a-z]+(?:_[a-z]+)+[`'\"])|"
    r"(?P<url>\bhttps?://\S+)|"
    r"(?P<email>\b[\w.+\-]+@[\w\-]+\.[\w.\-]+\b)|"
    r"(?P<uuid>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)|"
    r"(?P<date>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\-]\d\d:?\d\d)?)?|"
    r"\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d{1,2}:\d\d(?::\d\d)?\b)|"
    r"(?P<money>[$€£¥]\s?\d+(?:,\d{3})*(?:\.\d+)?)|"
    r"(?P<value>\"[^\"\n]{0,200}\"|`[^`\n]{0,200}`|(?<!\w)'[^'\n]{0,200}'(?!\w))|"
    r"(?P<path>(?<![\w<])(?:[A-Za-z]:\\|~?/|\.{1,2}/)[\w.\-/\\]+|(?<![\w\-])[\w\-]+(?:/[\w.\-]+)+|"
    r"(?<![\w\-])[\w\-]+\.(?:py|js|ts|tsx|jsx|json|ya?ml|toml|md|txt|go|rs|java|c|h|cpp|sh|sql|csv|html|css)\b)|"
    r"(?P<hex>\b0x[0-9a-fA-F]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,64}\b)|"
    r"(?P<id>#\d+\b|(?<![\w<])(?=[\w\-]*\d)(?=[\w\-]*[A-Za-z])[A-Za-z0-9][\w\-]*\b)|"
    r"(?P<n>(?<![\w<])[+\-]?\d+(?:,\d{3})*(?:\.\d+)?%?)"
)
_MASKED = re.compile(r"[\d@/]")  # the masks see to these, and alike in every call
_NO_NAME = re.compile(r"\W+")
_SAYS_NOTHING = frozenset(("true", "false", "null"))
"""Values of arguments that texts hold for other reasons; `true` is also that of a bare option."""
_SPACE = re.compile(r"\s+")
_PREFIX = re.compile(r"^(?:\[?error\]?|fatal|failed|exception)\s*[:\-]\s*", re.IGNORECASE)
_TELLING = re.compile(
    r"^\s*(?:E\s+)?(?:[\w.]*(?:Error|Exception)\b|error\b|fatal\b)", re.IGNORECASE
)
_CODE_WORD = re.compile(r"^(?:[A-Z][A-Z0-9_]+|\w*(?:Error|Exception|Warning))\W*$")


def template(text: str, echoes: Mapping[str, str] | None = None) -> str:
    """The class of an error.

    Args:
        text: what the tool said; only its first 4,000 characters are read,
            and of its telling line the first 500.
        echoes: argument values of the failing call by argument name: where the text repeats one
            it becomes a slot of that name, so no caller's value stays behind.

    Returns:
        One line of at most 160 characters, such as `flight <flight_number> not found`.
    """
    line = _telling_line(text[:MAX_SCANNED])[:_MAX_LINE]
    for name, value in sorted((echoes or {}).items(), key=_longest_first):
        if value in line and _is_telling(value):
            line = _with_slot(line, name, value)
    masked = _SPACE.sub(" ", _MASKS.sub(_mask, _PREFIX.sub("", line))).strip(" .:;!")
    return " ".join(masked[:_MAX_TEMPLATE].split(" ")[:_MAX_WORDS]) or "failed"


def _is_telling(value: str) -> bool:
    return len(value) >= _MIN_ECHO and value not in _SAYS_NOTHING and _MASKED.search(value) is None


def _with_slot(line: str, name: str, value: str) -> str:
    """The line with a slot for a value: one word, which no mask takes for something else."""
    slot = f"<{_NO_NAME.sub('_', name.strip('-')) or 'value'}>"
    slot = "<value>" if _MASKS.search(slot) else slot
    return re.sub(rf"(?<![\w<]){re.escape(value)}(?!\w)", lambda _: slot, line)


def _longest_first(item: tuple[str, str]) -> tuple[int, str]:
    return (-len(item[1]), item[0])


def _mask(match: re.Match[str]) -> str:
    name = match.lastgroup
    return match.group() if name == "keep" else f"<{name}>"


def _telling_line(text: str) -> str:
    """The last line of a traceback, else the first line that names an error, else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    if lines[0].startswith("Traceback"):
        return next((line for line in reversed(lines) if _TELLING.match(line)), lines[-1])
    if len(lines) > 1 and not _TELLING.match(lines[0]):
        return next((line for line in lines if _TELLING.match(line)), lines[0])
    return lines[0]


def hide_names(line: str, names: frozenset[str]) -> str:
    """Slots for capitalised words within a template that the user had said: people, places."""
    words = line.split(" ")
    for index, word in enumerate(words):
        bare = word.strip(".,;:!?()")
        if index and bare in names and bare[:1].isupper() and not _CODE_WORD.match(bare):
            words[index] = word.replace(bare, "<name>")
    return " ".join(words)


def generalise(templates: Iterable[str]) -> dict[str, str]:
    """Merge templates that differ in one word; maps each to the template it belongs to.

    Three or more of equal length that agree in all other words become one with `<*>` in that
    place.  A function of the set: neither order nor repetition matters.
    """
    known = sorted(set(templates))
    shapes: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for line in known:
        words = line.split(" ")
        for at in range(1, len(words)):
            if len(words) > _MIN_FIXED_WORDS and words[at][:1] != "<":
                shapes[(*words[:at], "<*>", *words[at + 1 :])].add(line)
    merged = {line: line for line in known}
    for shape, lines in sorted(shapes.items(), key=lambda item: (-len(item[1]), item[0])):
        free = [line for line in lines if merged[line] == line]
        if len(free) >= _MIN_MERGED:
            merged.update(dict.fromkeys(free, " ".join(shape)))
    return merged
