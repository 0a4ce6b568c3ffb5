"""A query as recall sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocortex_engine.embeddings.base import Embedder, quantize
from hippocortex_engine.recall.dates import Expression, expressions
from hippocortex_engine.text import query_terms, term_hash, terms

MAX_TERMS = 24
"""Terms of a query that are matched; of more, the rarest."""

MAX_CHARS = 4_000
"""Characters of a query in which names are looked for."""

_LONGEST_NAME = 120
_RUN = re.compile(r"[\w./-]+")
_QUOTED = re.compile(
    r"[\"\u201c](?P<double>[^\"\u201d]{2,60})[\"\u201d]"
    # An apostrophe inside a word opens and closes nothing.
    r"|(?<!\w)['\u2018](?P<single>(?:[^\"'\u2019]|(?<=\w)['\u2019](?=\w)){2,60})['\u2019](?!\w)"
)
_JOINED = re.compile(r"\w[._/-]\w")
_NOT_ASKED = r"\b(?! (?:remember|recall)\b)"
_MINE = re.compile(rf"\b(?:my|mine|I'm|I've|I'd|our){_NOT_ASKED}")
_I = re.compile(rf"\b(?:I|me|we){_NOT_ASKED}")
_ENGLISH = re.compile(
    r"\b(?:do|does|did|what|where|when|which|who|how|why|the|is|are|am|was|were|have|has|had|can|"
    r"could|should|would|about|that|and|to|for|with|of|tell)\b",
    re.IGNORECASE,
)
_YOURS = re.compile(
    r"\byou(?:'ve| have| had)? (?:\w+ )?(?:said|told|mention|recommend|suggest|gave|give|"
    r"provid|propos|advis|explain|list|wrote|describ)|\byour (?:last |previous |earlier )?"
    r"(?:advice|answer|reply|suggestion|recommendation|list|explanation)",
    re.IGNORECASE,
)
_USED_TO = r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )(?<!\bbeen )\bused? to\b"
"""A habit of the past; "is used to deploy" speaks of a purpose."""

_WHEN = re.compile(
    r"\b(?:before|previously|formerly|originally|initially|earlier|at first|back then|"
    r"in the past|no longer|any ?more|now|nowadays|currently|at the moment|these days|still)\b|"
    + _USED_TO,
    re.IGNORECASE,
)
"""What says when and not what: events of then do not say "then"."""

_PAST = re.compile(
    r"\b(?:previous(?:ly)?|formerly|former|original(?:ly)?|initial(?:ly)?|earlier|at first|"
    r"back then|in the past|history|no longer|any ?more|changed|"
    r"(?:the|my|our|his|her|their) old)\b|"
    # "before deploying" says in which order to do something.
    r"\bbefore(?=\W*\Z|[?.!,;])|"
    r"\b(?:was|were|did|had)\b[^.?!]{0,200}?\b(?:before|until)\b|" + _USED_TO,
    re.IGNORECASE,
)
"""What asks how things were."""

_PRESENT = re.compile(r"\b(?:do|does|is|are|am|has|have|will|can|should|must)\b", re.IGNORECASE)
_PRETERITE = re.compile(r"\b(?:did|was|were|had)\b", re.IGNORECASE)
_AS_OF = re.compile(r"\bas (?:of|at) \Z", re.IGNORECASE)
_NOW = re.compile(r"today|tonight|this morning", re.IGNORECASE)

_CODE = re.compile(r"`[^`]{1,200}`")

_ENDS = (".", "!", "?", ":")


@dataclass(frozen=True, slots=True)
class Query:
    """A question taken apart.

    `terms` as hashes; `vector` int8; `entities`: the terms of what it names; `words` lower-case;
    `roles`: whose words it asks for; `past`: it asks how things were, not how they are.
    """

    text: str
    terms: tuple[int, ...]
    vector: NDArray[np.int8]
    entities: frozenset[int]
    words: frozenset[str]
    dates: tuple[Expression, ...] = ()
    roles: tuple[str, ...] = ()
    past: bool = False


def understand(text: str, embedder: Embedder) -> Query:
    """The query of a text."""
    dates = expressions(text[:MAX_CHARS])
    plain = _timeless(_without(text, [date for date in dates if date.relative]))
    found = query_terms(plain) or query_terms(text)
    return Query(
        text=text,
        terms=tuple(dict.fromkeys(term_hash(term) for term in found)),
        vector=quantize(embedder.embed([text]))[0],
        entities=frozenset(term_hash(term) for name in names(text) for term in terms(name)),
        words=frozenset(re.findall(r"\w+", text.lower())),
        dates=tuple(dates),
        roles=_roles(text),
        past=_asks_for_past(text[:MAX_CHARS], dates),
    )


def _roles(text: str) -> tuple[str, ...]:
    """Who a question speaks of when it names nobody, by the words that do.

    "I" and "me" alone are words of other languages as well: "i gatti", "me gusta".
    """
    mine = _MINE.search(text) or (_I.search(text) and _ENGLISH.search(text))
    return (*(("user",) if mine else ()), *(("assistant",) if _YOURS.search(text) else ()))


def _asks_for_past(text: str, dates: list[Expression]) -> bool:
    """Whether it asks how things were: "did I in June", but not "does the meeting in June"."""
    if _PAST.search(text):
        return True
    ago = [one for one in dates if not _NOW.fullmatch(text[one.start : one.end])]
    if any(_AS_OF.search(text[: one.start]) for one in ago):
        return True
    return bool(ago) and (not _PRESENT.search(text) or _PRETERITE.search(text) is not None)


def _timeless(text: str) -> str:
    """The text without words that say when, unless they name something or are quoted."""
    kept = [match.span() for pattern in (_QUOTED, _CODE) for match in pattern.finditer(text)]

    def says_when(match: re.Match[str]) -> str:
        start, end = match.span()
        before = text[max(0, start - 8) : start].rstrip()[-1:]
        named = match[0][0].isupper() and before and before not in _ENDS
        quoted = any(first <= start < last for first, last in kept)
        return match[0] if named or quoted or text[end : end + 1] == "(" else " "

    return _WHEN.sub(says_when, text)


def _without(text: str, dates: list[Expression]) -> str:
    """The text without what only says when: no event of last week says "last week"."""
    for date in reversed(dates):
        text = text[: date.start] + text[date.end :]
    return text


def names(text: str) -> list[str]:
    """What a query is about, not how it is asked: quoted text, identifiers, paths, proper names."""
    text = text[:MAX_CHARS]
    found = [match["double"] or match["single"] for match in _QUOTED.finditer(text)]
    for match in _RUN.finditer(text):
        run = match.group()
        before = text[: match.start()].rstrip()[-1:]
        if len(run) <= _LONGEST_NAME and _is_name(run, opens=not before or before in _ENDS):
            found.append(run)
    return found


def _is_name(run: str, *, opens: bool) -> bool:
    """Whether a run of characters names something; `opens`: it begins a sentence."""
    proper = len(run) > 1 and run[0].isupper() and not opens
    return proper or any(map(str.isdigit, run)) or _JOINED.search(run) is not None
