"""What people say around what they have to say.

A pack has no room for "Hey Ann!", "Thanks!" and "Talk to you soon".  Only whole sentences of
nothing else go, at the beginning and the end of a message, and never "yes" or "no", which may be
the answer.
"""

from __future__ import annotations

import re

_NAME = r"(?-i:[A-Z][\w'\u2019-]*)"
_WORD = (
    r"(?:hey+|hi+|hello|dear|wow+|whoa|oh|ooh|aww*|yay|haha+|lol|thanks|thank you|thx|cheers|"
    r"welcome|congrats|congratulations|cool|nice|great|awesome|amazing|wonderful|fantastic|"
    r"incredible|lovely|sweet|perfect|excellent|super|"
    r"you're welcome|no problem|my pleasure|good (?:morning|evening|afternoon)|"
    r"good luck|sounds (?:good|great|awesome)|(?:that's|that is) (?:so |really |"
    r"very |just |absolutely )*(?:cool|nice|great|awesome|amazing|wonderful|fantastic|incredible|"
    r"lovely|sweet|perfect|excellent|good)(?: news)?|"
    r"(?:good|great|nice|lovely) to (?:hear(?: that| from you| it)?|see you)(?: again)?|"
    r"long time no (?:see|talk|chat)|hope (?:you're|you are|all is|all's) (?:well|good|ok)|"
    r"how are you(?: doing)?|how(?:'s| is) it going|what's up|how have you been|"
    r"talk (?:to you )?(?:soon|later)|see you(?: soon| later)?|take care|bye+|"
    r"(?:so|very|really|much|a lot|again|there|for sharing))"
)
_STOP = r"(?:[,.!?\s\u2013\u2014-]+|$)"
# Whom it is said to is never one of the words themselves: "Oh Oh Oh" would have as many readings
# as there are ways to pair them.
_TO = rf"(?:,? (?!{_WORD}{_STOP})(?:{_NAME}|guys|everyone|all|man|mate|buddy|friend))?"
_SENTENCE = re.compile(rf"(?:{_WORD}{_TO}{_STOP})+", re.IGNORECASE)
_END = re.compile(r"(?<=[.!?])\s+")

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
    return len(sentence) <= MOST and _SENTENCE.fullmatch(sentence) is not None
