"""Secrets replaced before they leave the process: `[redacted:openai-key]`.

Three kinds of evidence, strongest first: the shape of a known credential, the place where one
stands (`Authorization:`, `https://user:…@`, a key block), and the name of a field.  Ordinary text
(prose, hashes of commits, UUIDs, token counts) must come through untouched: there is no guessing
by entropy.

Each rule names short strings of which one must occur for its pattern to be tried at all, so text
without secrets costs a few substring searches.  What a pattern may scan ahead is bounded: hostile
text must not cost more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

_WORD = r"(?<![A-Za-z0-9_])"  # a credential begins where a word begins
_FIELD = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|api[_-]?key|secret[_-]?key|access[_-]?key"
    r"|private[_-]?key|account[_-]?key|signing[_-]?key|encryption[_-]?key"
    r"|client[_-]?secret|(?:auth|access|refresh|id|session|bearer|api|bot|security)[_-]?token"
)
_OPEN_QUOTE = r"\\{0,8}[\"']"
_PREFIX = r"(?<![A-Za-z])(?:[A-Za-z0-9]\w{0,40}[_.-])?"  # bounded: linear on long words


@dataclass(frozen=True)
class Rule:
    """A pattern, and what must occur for it to be worth trying.

    What the group `secret` matches is replaced, or all of the match if there is no such group.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(name: str, hints: str, pattern: str, flags: int = 0) -> Rule:
    return Rule(name, tuple(hints.split()), re.compile(pattern, flags))


_KEYS = (
    _rule(
        "private-key",
        "-----BEGIN",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|.*)",
        re.DOTALL,
    ),
    _rule("jwt", "eyJ", r"(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    _rule("anthropic-key", "sk-ant-", _WORD + r"sk-ant-[\w-]{16,}"),
    _rule(
        "openai-key",
        "sk-",
        _WORD
        + r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[\w-]{16,}|(?=[\w-]{0,200}\d)[A-Za-z0-9]{20,})",
    ),
    _rule("hippocortex-key", "hx_live_ hx_test_", _WORD + r"hx_(?:live|test)_[\w-]{8,}"),
    _rule(
        "aws-key",
        "AKIA ASIA ABIA ACCA",
        r"(?<![A-Z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Z0-9])",
    ),
    _rule("gcp-key", "AIza", _WORD + r"AIza[\w-]{35}(?![\w-])"),
    _rule("google-token", "ya29. GOCSPX-", _WORD + r"(?:ya29\.[\w.-]{20,}|GOCSPX-[\w-]{20,})"),
    _rule(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        _WORD + r"(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,})",
    ),
    _rule("gitlab-token", "glpat-", _WORD + r"glpat-[\w-]{20,}"),
    _rule("slack-token", "xox xapp-", _WORD + r"(?:xox[abeoprs]|xapp)-[\w-]{10,}"),
    _rule(
        "slack-webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows)/(?P<secret>[\w/]{20,})",
    ),
    _rule(
        "stripe-key",
        "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
        _WORD + r"(?:[sr]k_(?:live|test)_\w{10,}|whsec_[\w+/=]{16,})",
    ),
    _rule("huggingface-token", "hf_", _WORD + r"hf_[A-Za-z0-9]{30,}"),
    _rule("npm-token", "npm_", _WORD + r"npm_[A-Za-z0-9]{36}"),
    _rule("pypi-token", "pypi-AgE", _WORD + r"pypi-AgE[\w-]{40,}"),
    _rule("sendgrid-key", "SG.", _WORD + r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    _rule("telegram-token", ":AA", r"(?<!\d)\d{8,10}:AA[\w-]{33}(?![\w-])"),
    _rule(
        "api-key",
        "gsk_ xai- pplx- nvapi- tvly- dop_v1_ shpat_ lin_api_",
        _WORD
        + r"(?:gsk_|xai-|pplx-|nvapi-|tvly-|dop_v1_|shpat_|lin_api_)(?=[\w-]{0,200}\d)[\w-]{20,}",
    ),
)
_PLACES = (
    _rule(
        "authorization",
        "authorization",
        r"authorization[\"']?\s*[:=]\s*[\"']?(?:basic|digest|token|bearer|apikey)\s+"
        r"(?P<secret>(?!\[redacted)[^\s\"',;]{6,})",
        re.IGNORECASE,
    ),
    # Prose says "bearer of bad news"; a token has a digit and is long.
    _rule(
        "bearer-token",
        "bearer",
        r"\bbearer\s+(?P<secret>(?=[\w.~+/-]{0,200}\d)[\w.~+/-]{16,}=*)",
        re.IGNORECASE,
    ),
    _rule(
        "url-password",
        "://",
        r"\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@\"']{0,256}:(?P<secret>[^\s/@\"']{1,256})@",
        re.IGNORECASE,
    ),
)
_HINTS = "pass pwd secret key token"
_FIELDS = (
    # "password": "…", also inside JSON that is itself a string.
    _rule(
        "password",
        _HINTS,
        rf"(?P<quote>{_OPEN_QUOTE})(?:[\w.-]{{0,80}}[_.-])?(?:{_FIELD})(?P=quote)\s*:\s*(?P=quote)"
        r"(?P<secret>(?:(?!(?P=quote)).)+)",
        re.IGNORECASE,
    ),
    # PASSWORD=…, --api-key=…, ;AccountKey=…, also quoted.
    _rule(
        "password",
        _HINTS,
        rf"{_PREFIX}(?:{_FIELD})\s?=\s?(?![A-Za-z_][\w.]*[(\[])"
        rf"(?:(?P<quote>{_OPEN_QUOTE})(?P<secret>(?:(?!(?P=quote)).)+)"
        r"|(?P<bare>[^\s\"'&;,)\]}]{4,}))",
        re.IGNORECASE,
    ),
    # "password: hunter2", "my password is hunter2": only what no word of a language looks like.
    _rule(
        "password",
        _HINTS,
        rf"{_PREFIX}(?:{_FIELD})(?:\s?:\s*|\s+is:?\s+)[\"'`]?(?!https?:)"
        r"(?P<secret>(?=[^\s\"'`]{0,80}[A-Za-z])(?=[^\s\"'`]{0,80}\d)[^\s\"'`,;)<>]{6,})",
        re.IGNORECASE,
    ),
    _rule(
        "password",
        "--pass --token --secret --api --pwd",
        rf"--(?:{_FIELD}|token)[\s=]+(?P<secret>[^\s\"'-][^\s\"']{{3,}})",
        re.IGNORECASE,
    ),
)
# Matched in lower case: their hints are, too.
_RULES: tuple[tuple[Rule, bool], ...] = (
    *((rule, False) for rule in _KEYS),
    *((rule, True) for rule in (*_PLACES, *_FIELDS)),
)
_ALL_HINTS = tuple(dict.fromkeys(hint.lower() for rule, _ in _RULES for hint in rule.hints))
_SECRET_NAME = re.compile(rf"(?:.*_)?(?:{_FIELD}|token|authorization|credential|passkey)")
_HARMLESS_NAME = re.compile(
    r".*(?:(?:next|page|continuation|sync|cursor|pagination|resume|max|prompt|completion|input"
    r"|output|total|stop|eos|bos|pad|sep)_?token|public_?key|key_?id)"
)
_NAME_HINTS = ("pass", "pwd", "secret", "key", "tok", "auth", "cred")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLACEHOLDER = re.compile(
    r"\[redacted:|\$|<|\{\{|%\(|\*+$|x+$|\.\.\.|your[_-]|(?:none|null|true|false)\b", re.IGNORECASE
)
_TOKEN = re.compile(r"(?=.*\d)\S{8,}|\S{16,}")
_FEW = 4
_DEEP = 64


def redact_text(text: str) -> str:
    """The text with every secret replaced."""
    lowered = text.lower()
    if not _occurs(_ALL_HINTS, lowered):
        return text
    for rule, in_lower in _RULES:
        if _occurs(rule.hints, lowered if in_lower else text):
            text = rule.pattern.sub(_replacer(rule.name), text)
    return text


def redact(value: Any) -> Any:
    """JSON data with every secret replaced, in texts and in fields whose name says so."""
    return walk(value, redact_text)


def walk(value: Any, clean: Callable[[str], str], depth: int = 0) -> Any:
    """A copy of the JSON data with every text cleaned and every secret field replaced."""
    if isinstance(value, str):
        return clean(value)
    if depth > _DEEP:
        return value  # too deep to be stored; the checks say so
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {
            clean(name) if isinstance(name, str) else name: (
                _field(name, inner, clean, depth + 1)
                if isinstance(name, str) and is_secret_name(name)
                else walk(inner, clean, depth + 1)
            )
            for name, inner in items
        }
    if isinstance(value, (list, tuple)):
        return [walk(inner, clean, depth + 1) for inner in cast("list[Any]", value)]
    return value


@lru_cache(4_096)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: `password`, `dbPassword`, `X-API-Key`."""
    lowered = name.lower()
    if not _occurs(_NAME_HINTS, lowered):
        return False
    snake = _CAMEL.sub("_", name).replace("-", "_").replace(" ", "_").lower()
    return bool(_SECRET_NAME.fullmatch(snake)) and not _HARMLESS_NAME.fullmatch(snake)


def _occurs(hints: tuple[str, ...], text: str) -> bool:
    # A plain loop: this is where the time goes, and a generator would double it.
    for hint in hints:  # noqa: SIM110
        if hint in text:
            return True
    return False


def _field(name: str, value: Any, clean: Callable[[str], str], depth: int) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        found = clean(value)
        kind = _kind(name)
        # Linguists call words tokens, too.
        word = kind == "token" and "auth" not in name.lower() and not _TOKEN.fullmatch(value)
        harmless = word or len(value) < _FEW or _PLACEHOLDER.match(value)
        return found if found != value or harmless else placeholder(kind)
    if isinstance(value, (int, float)):
        # A count of tokens is no token.
        return value if "tok" in name.lower() or "key" in name.lower() else placeholder("password")
    if isinstance(value, (list, tuple)):
        return [_field(name, inner, clean, depth + 1) for inner in cast("list[Any]", value)]
    return walk(value, clean, depth)


def _kind(name: str) -> str:
    lowered = name.lower()
    if "tok" in lowered or "auth" in lowered:
        return "token"
    return "api-key" if "key" in lowered and "pass" not in lowered else "password"


def placeholder(kind: str) -> str:
    """What stands in a secret's place."""
    return f"[redacted:{kind}]"


def _replacer(name: str) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        groups = match.groupdict()
        group = next((g for g in ("secret", "bare") if groups.get(g)), None)
        if group is None:
            return placeholder(name)
        secret = match[group]
        if _PLACEHOLDER.match(secret):
            return match[0]
        start, end = (place - match.start() for place in match.span(group))
        kind = _kind(match[0][:start]) if name == "password" else name
        return match[0][:start] + placeholder(kind) + match[0][end:]

    return replace
