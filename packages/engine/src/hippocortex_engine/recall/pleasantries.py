"""What people say around what they have to say.

A pack has no room for "Hey Ann!", "Thanks!" and "Talk to you soon".  Only whole sentences of
nothing else go, at the beginning and the end of a message, and never "yes", "no problem" or
"sounds good", which may be the answer.
"""

from __future__ import annotations

import re

_NAME = r"(?-i:[A-Z]\w*(?:['\u2019-]\w+)*)"
_PRAISE = (
    "cool|nice|great|awesome|amazing|wonderful|fantastic|incredible|lovely|sweet|perfect|excellent"
)
_ADDRESSED = (
    r"hey+|hi+|hello|dear|wow+|whoa|oh|ooh|aww*|yay|haha+|lol|thank you|thanks|thx|cheers|"
    r"you're welcome|welcome|congratulations|congrats|good (?:morning|evening|afternoon|luck)|"
    r"(?:good|great|nice|lovely) to (?:hear(?: that| from you| it)?|see you)(?: again)?|"
    r"long time no (?:see|talk|chat)|hope (?:you're|you are|all is|all's) (?:well|good|ok)|"
    r"how are you(?: doing)?|how(?:'s| is) it going|what's up|how have you been|"
    r"talk (?:to you )?(?:soon|later)|see you(?: soon| later)?|take care|bye+"
)
"""What is said to somebody, whose name may follow."""

_REMARKS = (
    rf"(?:that's|that is) (?:so |really |very |just |absolutely )*(?:{_PRAISE}|good)(?: news)?|"
    r"my pleasure|much|a lot|again|there|for sharing"
)
"""What takes a name after a comma only."""

_PLAIN = rf"{_PRAISE}|super|so|very|really"
"""What takes no name: of a "Great Dane" or "Nice Airport" something is told."""

_STOP = r"(?:[,.!?\s\u2013\u2014-]+|$)"
# Whom it is said to is never one of the words themselves: "Oh Oh Oh" is three of them.
_TO = (
    rf"(?!(?:{_ADDRESSED}|{_REMARKS}|{_PLAIN}){_STOP})"
    rf"(?:{_NAME}|guys|everyone|all|man|mate|buddy|friend)"
)
_STEP = re.compile(
    rf"(?:(?:{_ADDRESSED})(?:,? {_TO})?|(?:{_REMARKS})(?:, {_TO})?|{_PLAIN}){_STOP}", re.IGNORECASE
)
"""One of them, longest first: what has been read is never read in another way."""

# "Hello World. prints at startup": a stop before a small letter ends nothing.
_END = re.compile(r"(?<=[!?])\s+|(?<=\.)\s+(?![a-z\s])")

MOST = 80
"""Characters of a sentence that is looked at."""


def without_pleasantries(text: str) -> str:
    """The text from its first sentence that says something to its last; itself if none does."""
    sentences = _END.split(text)
    first, last = 0, len(sentences)
    while first < last and _says_nothing(sentences[first]):
        first += 1
    if first == last:
        return text
    while _says_nothing(sentences[last - 1]):
        last -= 1
    if first == 0 and last == len(sentences):
        return text
    ends = [match.span() for match in _END.finditer(text)]
    start = ends[first - 1][1] if first else 0
    return text[start : ends[last - 1][0] if last <= len(ends) else len(text)]


def _says_nothing(sentence: str) -> bool:
    at = 0
    while at < len(sentence) <= MOST:
        step = _STEP.match(sentence, at)
        if step is None:
            return False
        at = step.end()
    return at == len(sentence)
