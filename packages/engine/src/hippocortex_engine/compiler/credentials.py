"""What is said of passwords, PINs, tokens and the like: whether one is named, whether it is told.

A secret is told by what stands beside its name: a value that is like no word (it has a digit, or
quotes), whatever follows a colon, and of a password also a plain word where nothing but the
password can be meant.  Every pattern looks a bounded way ahead.
"""

from __future__ import annotations

import re

from hippocortex_core.redaction import redact_text
from hippocortex_engine.compiler.language import STOP

_HINTS = ("pass", "pwd", "pin", "cvc", "cvv", "ssn", "secret", "token", "credential", "key", "card")
_START = r"(?:(?<![^\W_])|(?-i:(?<=[a-z])(?=[A-Z])))"  # DB_TOKEN and dbToken; no pin in `spin`
_END = r"s?(?![^\W_])"
_PHRASE = r"(?:pass(?:word|code|phrase|wd)|pwd)"
_KEY = r"(?:api|access|private|secret|signing)[ _-]?key"
_NAME = (
    rf"{_START}(?:{_PHRASE}|{_KEY}|pin|cv[cv]|ssn|secret|token|credential|credit[ -]?card){_END}"
)
_NO_COUNT = (
    r"(?!\d{1,6}(?:-\d{1,6}|\+| or (?:more|fewer|less))?[ -]?(?:bit|byte|char|character|digit|"
    r"letter|symbol|word|time|second|minute|hour|day|week|month|year)s?\b)"
)
_NUMBERED = rf"{_NO_COUNT}(?=\S{{0,200}}\d)"
_ODD = r"['\"`\u2018\u201c]\S|[prsw]k[-_]\S\S"
_OF = r"(?:\s+(?:for|of|to|on|at|in|from|that|which|I|we|you)\b(?:\s+[\w'\u2019.-]{1,30}){0,5}?)?"
_WHOSE = r"(?:the|my|our|your|his|her|their|this|a|an)"
_STILL = (
    r"(?:(?:now|still|always|currently|just|again|either|both|the|set to|[\w'-]{1,30}\s+(?:and|or))"
    r"\s+){0,3}"
)
_NEW = r"(?:(?:chang|updat|switch|rotat)(?:e|ed|es|ing)|(?:re)?set(?:s|ting)?)"
# `the password hunter2`, `a token of 'abc'`; not `the token from the vault`
_BESIDE = rf"{_NAME}(?:\s+(?:is|are|was|were|of|number|code))?\s+(?:{_ODD}|{_NUMBERED}\S{{4}})"
# `API_KEY=abc`, `PINs: 1, 2`; not `about tokens: always rotate them`
_AFTER_COLON = rf"{_NAME}\s*[:=]+\s*(?!(?:always|never|please|don't|do|if|when|whenever|make)\b)\S"
# `the passwords for the vault are ann and hunter2`; not `tokens are 32 characters`
_EQUAL = (
    rf"{_NAME}(?:\s+(?:number|code|value))?{_OF}"
    rf"(?:\s+(?:is|are|was|were|equals)|['\u2019]s|\s*[:=])\s+{_STILL}(?:{_ODD}|{_NUMBERED}\S)"
)
# `my PIN was changed to 4711`, `we set the password to hunter2`; not `set max_tokens to 4096`
_CHANGED = (
    rf"(?:{_NAME}\s+(?:[\w']{{1,10}}\s+){{0,3}}?{_NEW}"
    rf"|\b{_NEW}\s+(?:[\w']{{1,20}}\s+){{0,3}}?{_NAME})"
    rf"(?<!tokens)\s+to\s+(?:{_ODD}|{_NUMBERED}\S{{4}})"
)
# `hunter2 is my password`; not `SHA256 as the password hash`
_BEFORE = (
    rf"(?<!\S)(?:['\u2018\u201c]|(?=\S{{0,200}}\d)\S{{4}})\S{{0,200}}\s+(?:is|are|was|as)\s+"
    rf"(?:{_WHOSE}\s+(?:[\w'-]{{1,20}}\s+){{0,2}}?)?{_NAME}"
    r"(?=\s*(?:[.,;:!?)]|$)|\s+(?:for|to|when|in|on|at|and|but|from|with|if|of)\b)"
)
_NAMED = re.compile(_NAME, re.IGNORECASE)
_TOLD = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (_BESIDE, _AFTER_COLON, _EQUAL, _CHANGED, _BEFORE)
]
_WORD = r"\s+(?P<word>[a-z][\w'-]*)"
_GIVEN = re.compile(
    rf"\b(?:use|uses|used|using|enter|type|try|with|prefers?|likes?|loves?)\s+{_WHOSE}\s+"
    rf"(?:[\w-]{{1,20}}\s+)?{_START}{_PHRASE}{_WORD}",
    re.IGNORECASE,
)
_IS = re.compile(
    rf"{_START}{_PHRASE}{_END}{_OF}\s+(?:is|are|was|were)(?:\s+(?:now|still))?{_WORD}",
    re.IGNORECASE,
)
# `the password vault`, `the password twice`: what may follow the word without being the secret.
_NOT_GIVEN = STOP | frozenset(
    "alone anywhere app argument available box checker code column database dialog due during "
    "elsewhere email entry env every everywhere expiry field fields file files flow form format "
    "generator given grant hash hashes helper hint history input instead kept known length link "
    "list login longer mail manager managers option page parameter per plus policies policy prompt "
    "protection provider recovery reset resets rotation rules screen sent server service setting "
    "settings shorter shown store strength stronger table tool twice unique variable vault "
    "whenever written".split()
)
_STATES = _NOT_GIVEN | frozenset(
    "bad blank broken compromised correct different empty fine good identical incorrect insecure "
    "invalid long lost mandatory mine missing new null ok old optional private public ready "
    "required right safe secret secure short stale strong unknown unsafe valid weak wrong".split()
)
_OTHER_ENDS = ("ed", "ing", "ly", "able", "ible", "tion")


def names_secret(text: str) -> bool:
    """Whether a text speaks of a password, a PIN, a token or the like."""
    low = text.lower()
    return any(hint in low for hint in _HINTS) and _NAMED.search(text) is not None


def tells_secret(text: str) -> bool:
    """Whether a text says what a password, a PIN, a token or the like is, or did before redaction.

    It looks at no more than a sentence or two: give it no more.
    """
    if names_secret(text) and (any(told.search(text) for told in _TOLD) or _says_password(text)):
        return True
    return "[redacted:" in text or redact_text(text) != text


def _says_password(text: str) -> bool:
    found = [(match["word"].lower(), _NOT_GIVEN) for match in _GIVEN.finditer(text)]
    found += [(match["word"].lower(), _STATES) for match in _IS.finditer(text)]
    return any(word not in other and not word.endswith(_OTHER_ENDS) for word, other in found)
