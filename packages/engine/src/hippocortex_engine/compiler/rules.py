"""Instructions that users give for good: always, never, whenever, instead of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hippocortex_engine.compiler.credentials import tells_secret
from hippocortex_engine.compiler.language import is_question, sentences
from hippocortex_engine.compiler.model import Rule

_MAX_PART = 160
_CUES = re.compile(
    r"\b(?:always|never|whenever|every time|each time|from now on|going forward|in (?:the )?future|"
    r"don't|do not|make sure|before|after|when|if|instead|must|no longer|stop|anymore|any more|"
    r"forget|ignore|can)\b",
    re.IGNORECASE,
)
_VERBS = (
    "accept add allow alert answer apply approve archive ask assign attach avoid back backup "
    "book bring build bump call cancel change charge check choose clean clear close comment "
    "commit compare confirm contact convert copy create cut decline delete deploy describe "
    "disable discuss document double-check draft drop echo edit email enable ensure escalate "
    "estimate execute explain export fetch file fill find fix flag follow force format "
    "forward generate give handle hide ignore import include inform install keep label leave "
    "limit link lint list lock log look make mark mention merge message migrate modify mount "
    "move name notify offer open order pass pay pick pin ping place post prefer present print "
    "prioritize propose provide publish pull push put quote read rebase recommend record "
    "refer refuse regenerate reject release remove rename repeat replace reply report request "
    "require reset resolve respond restart retry return review revert roll rotate round route "
    "run save schedule search select send set share ship show sign skip snapshot sort speak "
    "spell split squash stage start state store submit suggest summarize summarise switch "
    "sync tag talk target tell test touch transfer translate treat trim trust try turn update "
    "upload upgrade use validate verify wait warn wrap write"
)
_VERB = rf"(?!(?:give up|look forward|let go|cut corners)\b)(?:{_VERBS.replace(' ', '|')})\b"
_PREFIX = (
    r"(?:(?:please|also|and|but|so|ok|okay|remember(?: to| that|:)?|note(?: that|:)?|rule:|"
    r"important:|from now on|going forward|in (?:the )?future|as a rule|in general|"
    r"one more thing|you (?:should|must|need to|have to)|i want you to|i'd like you to|"
    r"make sure(?: that)?(?: you)?(?: to)?|be sure to)[,:]? +)*"
)
_ALWAYS = re.compile(rf"{_PREFIX}always (?P<a>{_VERB}.+)", re.IGNORECASE)
_NEVER = re.compile(rf"{_PREFIX}(?:never(?: ever)?|don't ever) (?P<a>{_VERB}.+)", re.IGNORECASE)
_LASTING = re.compile(
    r"(?:please )?(?:from now on|going forward|in (?:the )?future),? (?:please )?"
    rf"(?P<not>don't |do not |never )?(?:always )?(?P<a>{_VERB}.+)",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    rf"{_PREFIX}(?:don't|do not|never) (?P<no>{_VERB}[^,;.]+)(?:[,;.:] (?:but )?| but | and )"
    rf"(?P<a>(?:{_VERB})[^,;.]+?)(?: instead)?\.?$",
    re.IGNORECASE,
)
_WHEN = re.compile(
    rf"{_PREFIX}(?P<w>whenever|when|if|before|after|every time|each time) (?P<c>[^,]{{6,120}}?)"
    rf"(?:, ?(?:then )?| then | (?=always |never |please |you must |you should ))"
    rf"(?P<m>(?:please )?(?:(?P<not>never|don't|do not) |always |you (?:should|must) "
    rf"(?:always )?)?)(?P<a>{_VERB}.+)",
    re.IGNORECASE,
)
_WITHDRAW = re.compile(
    rf"{_PREFIX}(?:you |we )?(?:(?:no longer (?:need|have) to|don't (?:need|have) to|"
    rf"can stop|need not|can (?:now )?) ?(?P<a>(?:always )?(?:{_VERB}|\w+ing\b).*?)"
    r"(?: anymore| any more| again| now)?|(?:forget|ignore|drop) (?:the rule |what i said )?"
    r"about (?P<b>.+)|stop (?P<c>\w+ing .+?)(?: from now on)?)[.!]?$",
    re.IGNORECASE,
)
_STANDING = re.compile(
    r"\b(?:always|never|whenever|every time|each time|from now on|must|going forward)\b",
    re.IGNORECASE,
)
_ONE_OFF = re.compile(
    r"\b(?:my|it|last|i'd|i would|i want|i need|i'm|i am|i don't|i do not|i can|i have|possible|"
    r"this time|today|there(?:'s| is| are)|available|me (?:know)|"
    r"that works|not|you can't|you cannot|necessary|needed)\b",
    re.IGNORECASE,
)
_FRAMING = re.compile(r"\b(?:would|wish|might|maybe|used to|said|says|told)\b", re.IGNORECASE)
_STAYS_WITHDRAWAL = re.compile(
    r"anymore|any more|no longer|don't (?:need|have) to|about|stop ", re.IGNORECASE
)


def rules_of(text: str) -> Iterator[Rule]:
    """The lasting instructions in a user's message, without position and user.

    One sentence is enough, so only plain instructions count: an imperative after `always` or
    `never`, a general condition with an imperative, a correction with `instead`.
    """
    if not _CUES.search(text[:4_000]):
        return
    for sentence in sentences(text):
        if is_question(sentence) or '"' in sentence or not _CUES.search(sentence):
            continue
        if tells_secret(sentence):
            continue
        if (rule := _rule(sentence)) is not None:
            yield rule


def _rule(sentence: str) -> Rule | None:
    for read in (_withdrawn, _conditional, _instead, _plain):
        rule = read(sentence)
        if rule is not None:
            return rule
    return None


def _make(kind: str, condition: str, action: str, sentence: str) -> Rule:
    return Rule(-1, None, kind, _tidy(condition), _tidy(action), sentence[:240])


def _tidy(text: str) -> str:
    return text.strip(" .!,;:")[:_MAX_PART]


def _withdrawn(sentence: str) -> Rule | None:
    match = _WITHDRAW.match(sentence)
    if match is None or not _STAYS_WITHDRAWAL.search(sentence):
        return None
    body = next((part for part in match.groups() if part), "")
    return _make("withdraw", "", body, sentence) if body else None


def _conditional(sentence: str) -> Rule | None:
    match = _WHEN.match(sentence)
    if match is None or _FRAMING.search(sentence):
        return None
    if not _STANDING.search(sentence) and _ONE_OFF.search(sentence):
        return None
    kind = "avoid" if match["not"] else "do"
    return _make(kind, f"{match['w'].lower()} {match['c']}", match["a"], sentence)


def _instead(sentence: str) -> Rule | None:
    match = _INSTEAD.match(sentence)
    if match is None or not re.search(r"\binstead\b|\bnever\b", sentence, re.IGNORECASE):
        return None
    return _make("do", "", f"{match['a']} instead of: {match['no']}", sentence)


def _plain(sentence: str) -> Rule | None:
    if match := _ALWAYS.match(sentence):
        return _make("do", "", match["a"], sentence)
    if match := _NEVER.match(sentence):
        return _make("avoid", "", match["a"], sentence)
    if match := _LASTING.match(sentence):
        return _make("avoid" if match["not"] else "do", "", match["a"], sentence)
    return None
