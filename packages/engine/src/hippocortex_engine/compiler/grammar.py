"""The sentences that state a fact, as a table of patterns by first word.

Precision over recall: a pattern is anchored at the start of a clause, its value is short, names
what it means without pointing ("it", "that"), and clauses that ask, suppose or quote give none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_VALUE_WORDS = 7
_WHO = (
    r"(?:I|[Ww]e|[Tt]he user|User|"
    r"(?!(?i:please|just|let|to|for|you|also|then|they|it)\b)[A-Z][a-z]+)"
)
_ADV = (
    r"(?:(?:really|also|just|now|currently|actually|still|generally|usually|always|strongly|"
    r"absolutely|recently|mostly|typically|both|have|'ve|has|too) )*"
)


class Form(NamedTuple):
    """How a kind of fact is said.  `kind` is `is` or `not`; `multiple`: several values may hold."""

    attribute: str
    pattern: re.Pattern[str]
    multiple: bool = False
    kind: str = "is"


class Said(NamedTuple):
    """What a clause states, before anybody knows who says it."""

    subject: str
    attribute: str
    value: str
    multiple: bool
    kind: str


def _form(
    attribute: str,
    verb: str,
    value: str = r"(?P<v>.+)",
    *,
    multiple: bool = False,
    kind: str = "is",
) -> Form:
    return Form(attribute, re.compile(rf"(?:{verb}) {value}", re.IGNORECASE), multiple, kind)


_ENDS = r"(?:no longer|don't|do not|doesn't|does not|stopped|quit)"
PERSONAL: tuple[Form, ...] = (
    _form("name", r"(?:am|'m|is) (?:called|named)|go by|goes by"),
    _form("lives in", rf"{_ENDS} liv(?:e|ing) in", kind="not"),
    _form("works at", rf"{_ENDS} work(?:ing)? (?:at|for)", kind="not"),
    _form("uses", rf"{_ENDS} us(?:e|ing)", r"(?P<v>.+?)(?: for (?P<for>.+))?$", kind="not"),
    _form("likes", r"(?:no longer) (?:like|love|enjoy)s?", kind="not"),
    _form("prefers", r"(?:no longer) prefers?", kind="not"),
    _form("is allergic to", r"(?:am|'m|is) (?:no longer|not) allergic to", kind="not"),
    _form(
        "lives in",
        r"(?:live|lives|living|am living|'m living|is living|am based|'m based|is based|"
        r"moved|relocated) (?:over |back )?(?:in|to)",
    ),
    _form("works at", r"(?:work|works|working|am working|'m working) (?:at|for)|joined"),
    _form("works as", r"(?:work|works|am working|'m working) as(?: an?)?"),
    _form("is allergic to", r"(?:am|'m|is|are) (?:\w+ )?allergic to", multiple=True),
    _form(
        "is",
        r"(?:am|'m|is) (?:a |an )?",
        r"?(?P<v>vegetarian|vegan|pescatarian|lactose intolerant|gluten intolerant|diabetic|"
        r"celiac|coeliac|left-handed|colou?r ?blind)\b",
        multiple=True,
    ),
    _form(
        "prefers",
        r"prefer|prefers|'d prefer|would prefer|have a preference for",
        r"(?P<v>.+?)(?: (?:over|rather than|instead of|to|than) (?P<old>.+))?$",
        multiple=True,
    ),
    _form(
        "dislikes",
        r"hate|hates|dislike|dislikes|can't stand|cannot stand|don't like|do not like|"
        r"doesn't like|does not like|don't enjoy|can't bear|detest",
        multiple=True,
    ),
    _form("likes", r"like|likes|love|loves|enjoy|enjoys|adore", multiple=True),
    _form(
        "uses",
        r"use|uses|are using|'re using|am using|'m using|switched to|"
        r"(?:switched|moved|migrated) from (?P<old>[\w .+#\-]{2,30}?) to",
        r"(?P<v>.+?)(?: (?:for|as our|as my) (?P<for>.+))?$",
        multiple=True,
    ),
)
_WHO_RE = re.compile(rf"(?P<who>{_WHO})(?: |(?='))(?:{_ADV})")
_FAVOURITE = re.compile(
    r"(?P<who>my|(?-i:[A-Z])[a-z]+'s) (?:new |all-time |absolute )?favou?rite "
    r"(?P<n>[a-z][\w ]{1,25}?) "
    r"(?:is|are|would be)(?: now)? (?P<v>.+)",
    re.IGNORECASE,
)
_NOUNS = (
    "name|nickname|email|e-mail|email address|phone|phone number|number|birthday|date of birth|"
    "age|height|address|zip code|zip|postcode|time ?zone|language|native language|hometown|city|"
    "country|nationality|employer|company|job|job title|role|title|profession|occupation|team|"
    "manager|boss|mentor|assistant|wife|husband|partner|girlfriend|boyfriend|fianc[eé]e?|son|"
    "daughter|brother|sister|mother|father|mom|dad|dog|cat|pet|doctor|dentist|budget|deadline|"
    "editor|ide|shell|operating system|os|laptop|car|bike|user ?name|user id|account id|"
    "customer id|employee id|handle|github|pronouns|blood type|shoe size|shirt size|size|seat|"
    "meal|diet|airline|bank|gym|school|university|major|default branch|branch|"
    "home airport|preferred \\w+"
)
_MINE_OPENS = re.compile(r"[Mm]y |[Oo]ur |[A-Z][a-z]+'s ")
_MINE = re.compile(
    rf"(?P<who>my|our|(?-i:[A-Z])[a-z]+'s) (?P<n>(?:work |home |new |personal |current |project |"
    rf"older |younger |little |big )?(?:{_NOUNS})(?:'s (?:name|birthday|email|number))?)"
    r"(?: (?:is|are|will be|is now|are now|has changed to|changed to|moved to|has moved to|"
    r"was changed to|was moved to|is called|is named)|'s) (?P<v>.+)",
    re.IGNORECASE,
)
_THING = re.compile(
    r"(?:the|our) (?P<s>[A-Za-z][\w\-]*(?: (?!is\b|are\b|was\b|has\b|will\b)[\w\-]+){0,5}?) "
    r"(?:(?:is|are|has|have|will be|got|gets|now|just) )?(?:been |be |now )?"
    r"(?P<rel>in|at|on|due(?: on| by)?|set (?:for|to)|scheduled (?:for|on)|"
    r"(?:moved|pushed|postponed|brought forward)(?: up| back| out)?(?: from [\w :.]+?)? to|"
    r"changed(?: from [\w :.]+?)? to|called|named|located (?:in|at)|runs? on|running on|"
    r"listens? on|stored in|kept in|lives in|hosted (?:on|at|in)|deployed (?:on|to)|is|are) "
    r"(?P<v>.+)",
    re.IGNORECASE,
)
_PORT = re.compile(
    r"(?:the )?(?P<s>[\w][\w\- ]{1,40}?) (?:now )?(?:runs|listens|is running|is listening) "
    r"on port (?P<v>\d{2,5})\b",
    re.IGNORECASE,
)
_CALL_ME = re.compile(r"(?:please )?call me (?P<v>[A-Z]\w+)(?: please)?[.!]?$")
_KIN = re.compile(
    r"I(?:'ve| have)?(?: got| have)? (?:a|an|one) (?:\w+ )?"
    r"(?P<n>dog|cat|puppy|kitten|pet|son|daughter|"
    r"brother|sister|parrot|horse|turtle) (?:called|named) (?P<v>[A-Z]\w+)",
)
_PLAIN_IS = re.compile(
    r"(?:.* )?(?:deadline|due date|release date|launch date|launch|release|meeting|appointment|"
    r"port|budget|url|host|hostname|endpoint|default branch|branch|version|region|owner|"
    r"code freeze|standup|address|database)(?: (?:for|of) .+)?",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|"
    r"apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|"
    r"dec(?:ember)?)\b|\b\d{4}-\d\d|\b\d{1,2}(?::\d\d)? ?(?:am|pm)\b|\b\d{1,2}:\d\d\b|"
    r"\bend of (?:the )?(?:week|month|quarter|year)\b|\bnext (?:week|month|quarter)\b|\bQ[1-4]\b|"
    r"\b\d{1,2}(?:st|nd|rd|th)\b|\bnoon\b|\bmidnight\b",
    re.IGNORECASE,
)
_CORRECTION_OPENS = frozenset(("ac", "no", "so", "co", "oo", "wa", "my", "it", "i ", "th", "ma"))
_CORRECTION = re.compile(
    r"(?:actually|no|sorry|correction|oops|wait|my mistake)[,:;]? (?:i meant |i mean |"
    r"(?:it|that)(?:'s| is| should be) (?:actually |now )?|make (?:it|that) )(?P<v>.+)|"
    r"correction: (?P<w>.+)|"
    r"it(?:'s| is| has| was| got)?(?: been)? (?:now|moved(?: back| up)? to|changed to|"
    r"postponed to|rescheduled to|pushed(?: back)? to) (?P<x>.+)|it's (?P<y>.+?) now\b",
    re.IGNORECASE,
)


def is_time(value: str) -> bool:
    """Whether a value names a time."""
    return _WHEN.search(value) is not None


def correction(clause: str) -> str:
    """The new value when a clause corrects what was just said ("actually it's Thursday")."""
    if clause[:2].lower() not in _CORRECTION_OPENS:
        return ""
    match = _CORRECTION.match(clause)
    return next((value for value in match.groups() if value), "") if match else ""


def read_clause(clause: str) -> Iterator[Said]:
    """What a clause states; `subject` is "" for the speaker, else a person or thing."""
    if " port " in clause and (match := _PORT.match(clause)):
        yield Said(match["s"].strip(), "port", match["v"], multiple=False, kind="is")
    elif "call me " in clause and (match := _CALL_ME.match(clause)):
        yield Said("", "name", match["v"], multiple=False, kind="is")
    elif clause[:4].lower() in {"the ", "our "} and (match := _THING.match(clause)):
        yield from _thing(match)
    elif "avo" in clause and (match := _FAVOURITE.match(clause)):
        noun = f"favourite {match['n'].strip().lower()}"
        yield Said(_owner(match["who"]), noun, match["v"], multiple=False, kind="is")
    elif ("named " in clause or "called " in clause) and (match := _KIN.match(clause)):
        yield Said("", match["n"].lower(), match["v"], multiple=True, kind="is")
    elif _MINE_OPENS.match(clause) and (match := _MINE.match(clause)):
        yield Said(_owner(match["who"]), match["n"].lower(), match["v"], multiple=False, kind="is")
    elif match := _WHO_RE.match(clause):
        yield from _personal(match["who"], clause[match.end() :])


def _owner(word: str) -> str:
    low = word.lower()
    return "" if low == "my" else "we" if low == "our" else word.removesuffix("'s")


_OPENERS = frozenset(
    "live lives living am 'm is are 're based moved relocated work works working joined prefer "
    "prefers 'd would have has hate hates dislike dislikes like likes love loves enjoy enjoys use "
    "uses using switched migrated no don't do doesn't does stopped quit can't cannot go goes "
    "detest adore 've".split()
)


_PRONOUNS = frozenset("he she it they you this that there what who one everyone".split())
_OTHERS = frozenset(
    "lives works prefers likes loves enjoys hates dislikes uses is moved relocated joined switched "
    "migrated doesn't does stopped quit goes".split()
)


def _personal(who: str, rest: str) -> Iterator[Said]:
    verb = rest[:20].split(" ", 1)[0].lower()
    low = who.lower()
    if low in {"i", "we"}:
        subject = "" if low == "i" else "we"
    elif verb in _OTHERS and low not in _PRONOUNS:
        subject = "" if low in {"user", "the user"} else who
    else:
        return
    if verb not in _OPENERS:
        return
    for form in PERSONAL:
        match = form.pattern.match(rest)
        if match is None or (subject == "we" and form.attribute != "uses"):
            continue
        groups = match.groupdict()
        attribute = form.attribute
        if groups.get("for"):
            attribute = f"{attribute} for {groups['for'].strip(' .!').lower()}"
        multiple = form.multiple and not groups.get("for")
        yield Said(subject, attribute, groups["v"], multiple, form.kind)
        if groups.get("old"):
            yield Said(subject, attribute, groups["old"], multiple, "not")
        return


def _thing(match: re.Match[str]) -> Iterator[Said]:
    subject, relation, value = match["s"].lower(), match["rel"].lower(), match["v"]
    plain = _PLAIN_IS.fullmatch(subject) is not None
    if relation in {"is", "are", "on", "at", "in"} and not (plain or is_time(value)):
        return
    if relation in {"is", "are"} and not plain:
        return
    attribute = "date" if is_time(value) else _ATTRIBUTES.get(relation.split(" ")[0], "is")
    yield Said(subject, attribute, value, multiple=False, kind="is")


_ATTRIBUTES = {
    "in": "location", "at": "location", "on": "location", "located": "location",
    "moved": "location", "stored": "location", "kept": "location", "lives": "location",
    "hosted": "location", "deployed": "location", "called": "name", "named": "name",
    "runs": "runs on", "run": "runs on", "running": "runs on", "due": "date",
}  # fmt: skip

THING_ATTRIBUTES = {
    "date": " is on", "location": " is at", "name": " is called", "is": " is",
    "runs on": " runs on", "port": " runs on port",
}  # fmt: skip
"""How attributes of things are said."""
