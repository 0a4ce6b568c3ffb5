"""Just enough English: the words of a request, sentences, questions."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_SCANNED = 4_000
_MAX_SENTENCE = 300
_WORD = re.compile(r"(?<![\w@./\-])[A-Za-z][A-Za-z']+(?![\w@/])")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|^[^\S\n]*>.*$", re.DOTALL | re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
STOP = frozenset(
    "a about above actually after again all also am an and any anything are as ask at back be "
    "because been before being but by can can't cannot could did do does doing don don't done each "
    "else ever for from further get give go good got great had has have having he hello help her "
    "here hey hi him his hope how i i'd i'll i'm i've if in instead into is isn't it it's its just "
    "kind know let let's like ll look looking make making many may me might more most much must my "
    "need needs no nor not now of off ok okay on once one only or other our out over own please "
    "possible provide re really s same see she should so some something sorry still such sure t "
    "take than thank thanks that that's the their them then there there's these they thing things "
    "this those through to too try trying two under until up us use using ve very via want wanted "
    "wants was way we we'd we're well were what what's when where whether which while who why will "
    "wish with without won't would wouldn't yes yet you you're your yours".split()
)


def keywords(text: str, limit: int, taken: dict[str, None] | None = None) -> dict[str, None]:
    """The distinct words of a request that carry meaning, in order, lower-case, at most `limit`.

    Words with capitals in mid-sentence and words with digits are names of things: left out.
    """
    found: dict[str, None] = {} if taken is None else taken
    for match in _WORD.finditer(text):
        word = match.group()
        if word[0].isupper() and not _opens_sentence(text, match.start()):
            continue
        low = word.lower()
        if len(low) > 2 and low not in STOP:  # noqa: PLR2004 - shorter words say nothing
            found[low] = None
            if len(found) >= limit:
                break
    return found


def _opens_sentence(text: str, at: int) -> bool:
    before = text[max(0, at - 2) : at].strip()
    return not before or before[-1] in ".!?:\n*-\"'("


def sentences(text: str) -> Iterator[str]:
    """The sentences of a message, without code and quoted lines; long ones are left out."""
    text = text[:MAX_SCANNED]
    if "`" in text or ">" in text:
        text = _CODE.sub(" ", text)
    for part in _SENTENCE.split(text):
        sentence = _BULLET.sub("", part).strip()
        if sentence and len(sentence) <= _MAX_SENTENCE:
            yield sentence


def is_question(sentence: str) -> bool:
    """Whether a sentence asks."""
    return sentence.rstrip("\"')] ").endswith("?")
