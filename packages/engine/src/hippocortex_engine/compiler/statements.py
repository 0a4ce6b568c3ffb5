"""Facts as people state them in a session, with who says them and about whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, cast

from hippocortex_engine.compiler import grammar
from hippocortex_engine.compiler.credentials import names_secret, tells_secret
from hippocortex_engine.compiler.grammar import MAX_VALUE_WORDS, Said
from hippocortex_engine.compiler.language import is_question, sentences
from hippocortex_engine.compiler.model import Stated
from hippocortex_engine.payloads import message_text, role, speaker
from hippocortex_engine.records import EventRecord

MEMORY = "memory"
_MAX_STATEMENT = 240
_CORRECTABLE_MESSAGES = 4
_MAX_NAME_WORDS = 3
_MIN_NOTE_WORDS = 3
_LEAD = re.compile(
    r"\A(?:(?:and|but|so|well|also|oh|hey|hi|hello|yes|yeah|no|ok|okay|by the way|btw|fyi|just so "
    r"you know|for the record|as you know|note|for your information|please note(?: that)?|"
    r"note that|keep in mind(?: that)?|(?:please )?remember(?: that|:)|don't forget(?: that)?|"
    r"to be clear|(?:quick |small )?(?:update|correction)|heads[- ]up|news|reminder|actually|"
    r"sorry|thanks|anyway|"
    r"unfortunately|luckily|honestly|personally|as of (?:today|now))[,:!.]? +)+",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(?:please |also |and |hey,? |ok,? )*(?:remember(?: that|:| my| our| the| i)|keep in mind"
    r"(?: that)?|don't forget(?: that)?|for the record[,:]?|please note(?: that|:))\s",
    re.IGNORECASE,
)
_NOT_A_NOTE = re.compile(r"\b(?:that time|the time|when|how|the day|to)\b", re.IGNORECASE)
_CLAUSES = re.compile(
    r"(?:[,;]| -| \u2013)?\s+(?:and|but|so)\s+(?=(?:I|my|we|our|the)\b)|, (?=(?:I|my|we|our)\b)|"
    r";\s+|\s+[\u2013\u2014-]\s+"
)
_UNSURE = re.compile(
    r"\b(?:if|would|wish|imagine|suppose|supposing|hypothetically|pretend|maybe|perhaps|might|"
    r"may be|probably|not sure|could|should|unless|used to|let's say|wonder|guess|hope|"
    r"said|says|told|asked|heard|dream(?:ed|t)?)\b",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:[,;(:!?]|\.(?=\s|$)| - | \u2013 |\u2014|\b(?:but|because|since|so|which|who|when|while|"
    r"after|before|if|though|although|as well|too|anymore|any more|these days|"
    r"at the moment|right now|nowadays|lately|together|"
    r"and (?:I|my|we|it|that|they|he|she|am|have|would|want|need)|"
    r"please|thanks|lol|haha|instead|last (?:week|month|year)|"
    r"(?:a|two|three|few|\d+) (?:years?|months?|weeks?) ago)\b).*",
    re.IGNORECASE | re.DOTALL,
)
_DATE_TAIL = re.compile(
    r"\s*(?:[;(!?]|\.(?=\s|$)|\b(?:but|because|since|so|please)\b).*", re.DOTALL
)
_POINTING = frozenset(
    "it that this these those there here you your yours them they him her his their what how why "
    "one ones everything anything something nothing such same both idea sound way time lot more "
    "most each all i me to myself seeing hearing being when where who us".split()
)
_NO_NAME = frozenset("not the a an so very here just i my".split())
_KIN = frozenset(
    "wife husband partner girlfriend boyfriend son daughter brother sister mother father mom dad "
    "dog cat pet boss manager mentor doctor dentist assistant".split()
)
_CUT_SHORT = frozenset(
    "departing arriving leaving landing starting ending including regarding using having being "
    "containing costing lasting offering serving allowing coming going made based located".split()
)
_OWNED = frozenset("my our your his her their its".split())
_THIS_ONE = frozenset("the a an some our its such how when to as".split())
_MAX_OBJECT_WORDS = 5
_MIN_NAMED = 2
_NAMED = re.compile(r" (?:\S*\d\S*|[A-Z]\S*)$")
_WORK_NOUN = frozenset("home night day project it this that weekends present".split())


class Dialogue:
    """Reads a session's messages in order; remembers what a correction may refer to."""

    def __init__(self) -> None:
        self.kept: list[Stated] = []
        self._turn = 0
        self._last: dict[tuple[str, str | None], tuple[int, Stated]] = {}

    def keep(self, fact: Stated) -> None:
        """Adds a fact, once its event has a position."""
        self.kept.append(fact)

    def facts_of(self, event: EventRecord) -> Iterator[Stated]:
        """The facts that a message states.  Positions are left at -1."""
        yield from _extracted(event)
        if role(event.payload) != "user":
            return
        self._turn += 1
        who = speaker(event.payload) or ""
        for sentence in sentences(message_text(event.payload)):
            if names_secret(sentence):  # what is corrected next may be the secret
                self._last.pop((who, event.user_id), None)
            if is_question(sentence) or '"' in sentence:
                continue
            facts = list(self._sentence(sentence, who, event.user_id))
            if facts and not _UNSURE.search(sentence) and not tells_secret(sentence):
                self._last[who, event.user_id] = (self._turn, facts[0])
                yield from facts

    def _sentence(self, sentence: str, who: str, user: str | None) -> Iterator[Stated]:
        found = False
        for clause in _clauses(sentence):
            bare = _LEAD.sub("", clause, count=1)
            if value := grammar.correction(clause) or grammar.correction(bare):
                yield from self._correct(value, (who, user), sentence)
                continue
            for said in grammar.read_clause(bare):
                fact = _stated(said, who, user, sentence)
                if fact is not None:
                    found = True
                    yield fact
        if not found and (match := _NOTE.match(sentence)):
            yield from _note(sentence, match, who, user)

    def _correct(self, value: str, who: tuple[str, str | None], sentence: str) -> Iterator[Stated]:
        turn, fact = self._last.get(who, (-_CORRECTABLE_MESSAGES, None))
        if fact is None or fact.multiple or self._turn - turn >= _CORRECTABLE_MESSAGES:
            return
        new = _clean(value, fact.attribute)
        if not new or grammar.is_time(new) != grammar.is_time(fact.value):
            return
        yield fact._replace(value=new, kind="is", statement=sentence[:_MAX_STATEMENT])


def _clauses(sentence: str) -> list[str]:
    joined = any(
        mark in sentence
        for mark in (", ", " and ", " but ", " so ", ";", " - ", "\u2014", "\u2013")
    )
    return _CLAUSES.split(sentence) if joined else [sentence]


def _extracted(event: EventRecord) -> Iterator[Stated]:
    """`metadata.extractedMemories`: what another extractor found, verbatim."""
    memories = (event.metadata or {}).get("extractedMemories")
    if not isinstance(memories, list):
        return
    for text in cast("list[Any]", memories):
        if not isinstance(text, str) or not text.strip():
            continue
        line = text.strip()[:_MAX_STATEMENT]
        if names_secret(text) or tells_secret(line):  # by its shape alone
            continue
        parsed = next(iter(grammar.read_clause(line)), None)
        fact = _stated(parsed, "", event.user_id, line) if parsed else None
        if fact is not None and not fact.multiple:
            yield fact
        else:
            yield Stated(-1, event.user_id, "", MEMORY, line, 1, MEMORY, line)


def _note(sentence: str, match: re.Match[str], who: str, user: str | None) -> Iterator[Stated]:
    """An explicit "remember that …" that no pattern reads is kept in the user's words."""
    ends_in_word = match.group().split()[-1].lower().strip(":") in {"my", "our", "the", "i"}
    kept = sentence[match.end() - (len(match.group().split()[-1]) + 1 if ends_in_word else 0) :]
    kept = kept.strip(" .!")
    says_something = len(kept.split()) >= _MIN_NOTE_WORDS and not _NOT_A_NOTE.search(kept[:20])
    if says_something and not names_secret(kept):
        line = kept[:_MAX_STATEMENT]
        yield Stated(-1, user, who, "note", line, 1, MEMORY, line)


def _stated(said: Said, who: str, user: str | None, sentence: str) -> Stated | None:
    value = _clean(said.value, said.attribute)
    if not value or names_secret(said.attribute) or names_secret(said.subject):
        return None
    if not _plausible(said.attribute, value):
        return None
    subject = said.subject or who
    return Stated(
        -1,
        user,
        subject,
        said.attribute,
        value,
        int(said.multiple),
        said.kind,
        sentence[:_MAX_STATEMENT],
    )


def _clean(value: str, attribute: str) -> str:
    tail = _DATE_TAIL if attribute == "date" else _TAIL
    short = tail.sub("", value, count=1).strip(" .,!\"'*:")
    if attribute == "works at":
        short = short.partition(" as ")[0]
    for ending in (" now", " currently", " again", " today", " actually", " very much", " a lot"):
        short = short.removesuffix(ending)
    return short if len(short.split()) <= MAX_VALUE_WORDS else ""


def _plausible(attribute: str, value: str) -> bool:
    """Whether a value can stand by itself, by the kind of its attribute."""
    words = value.lower().split()
    verb, _, purpose = attribute.partition(" for ")
    if not words or _POINTING.intersection([*words, *purpose.split()]):
        return False
    return _TESTS.get(verb, _is_something)(value, words)


def _is_something(_value: str, words: list[str]) -> bool:
    return not words[0].startswith(("not", "n't", "already", "like"))


def _is_name(value: str, words: list[str]) -> bool:
    return len(words) <= _MAX_NAME_WORDS and value[0].isupper() and words[0] not in _NO_NAME


def _is_place(value: str, words: list[str]) -> bool:
    proper = value.removeprefix("the ")[:1]
    return words[0] not in _WORK_NOUN and (proper.isupper() or proper.isdigit())


def _is_kind(value: str, words: list[str]) -> bool:
    """A sort of things; of `the` things only one that is named: "the region eu-1"."""
    named = words[0] == "the" and len(words) > _MIN_NAMED and _NAMED.search(value) is not None
    whole = len(words) == 1 or words[-1] not in _CUT_SHORT
    return (named or words[0] not in _THIS_ONE) and whole and len(words) <= _MAX_OBJECT_WORDS


def _is_tool(_value: str, words: list[str]) -> bool:
    return words[0] not in _OWNED and not words[0].startswith(("not", "n't", "already", "like"))


def _has_digit(value: str, _words: list[str]) -> bool:
    return any(letter.isdigit() for letter in value)


_TESTS: dict[str, Callable[[str, list[str]], bool]] = {
    "name": _is_name,
    **dict.fromkeys(("lives in", "works at"), _is_place),
    **dict.fromkeys(("likes", "dislikes", "prefers"), _is_kind),
    "uses": _is_tool,
    **dict.fromkeys(
        ("user id", "account id", "customer id", "employee id", "phone", "number"), _has_digit
    ),
    **dict.fromkeys(_KIN, _is_name),
}
