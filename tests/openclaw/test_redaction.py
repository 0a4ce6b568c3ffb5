"""A secret is replaced by the plugin as it is by the Recorder, character for character."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocortex_core.redaction import is_secret_name, redact, redact_text

rng = random.Random(11)


def made_of(alphabet, count):
    return "".join(rng.choice(alphabet) for _ in range(count))


WORD = string.ascii_letters + string.digits
# Put together here, so that no scanner takes this file for a leak.
CREDENTIALS = [
    "sk-" + made_of(WORD, 48),
    "sk-proj-" + made_of(WORD, 60),
    "sk-ant-api03-" + made_of(WORD, 50),
    "hx_live_" + made_of(WORD, 36),
    "hx_test_" + made_of(WORD, 20),
    "AKIA" + made_of("ABCDEFGH234567", 16),
    "AIza" + made_of(WORD, 35),
    "ya29." + made_of(WORD, 48),
    "GOCSPX-" + made_of(WORD, 28),
    "ghp_" + made_of(WORD, 36),
    "github_pat_" + made_of(WORD, 40),
    "glpat-" + made_of(WORD, 20),
    "xoxb-1234567890-" + made_of(WORD, 24),
    "sk_live_" + made_of(WORD, 24),
    "whsec_" + made_of(WORD, 32),
    "hf_" + made_of(WORD, 34),
    "npm_" + made_of(WORD, 36),
    "pypi-AgE" + made_of(WORD, 60),
    "SG." + made_of(WORD, 22) + "." + made_of(WORD, 43),
    "123456789:AA" + made_of(WORD, 33),
    "gsk_1" + made_of(WORD, 40),
    "eyJ" + made_of(WORD, 20) + ".eyJ" + made_of(WORD, 20) + "." + made_of(WORD, 30),
    "https://hooks.slack.com/services/T0/B0/" + made_of(WORD, 24),
    "-----BEGIN RSA PRIVATE KEY-----\n" + made_of(WORD, 64) + "\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" + made_of(WORD, 64),
]
PHRASES = [
    "Authorization: Bearer abc123def456ghi789",
    "authorization='Basic dXNlcjpwYXNz'",
    "the bearer 0a1b2c3d4e5f60718293a4b5 token",
    "postgresql://ada:s3cret@db:5432/x",
    "https://:tok@host/",
    "password=hunter2&user=ada",
    "DB_PASSWORD=correcthorse",
    "export OPENAI_API_KEY='abcd efgh'",
    '{"user":"ada","password":"a b c"}',
    r"{\"client_secret\":\"abc\"}",
    "my password is hunter2, keep it",
    "mysql --password hunter2 -u x",
    "AccountKey=abcd1234==;Endpoint=x",
    "password: ${SECRET}",
    "password: ****",
    "api_key=your_key_here",
    "The token budget is 4,000 tokens; the tokenizer counts sub-words.",
    "def login(user, password=None, key=os.environ['KEY']): return get_token(password=secret())",
    "commit 9f2c1e8b7a6d5c4b3a29181716151413121110ff",
]
GLUE = (
    *(" ", "\n", "", "=", ": ", '"', "'", "\\", "`", "(", ")", ",", ";", "-", "_", "."),
    # What a pattern of Python's takes for a letter, a digit, a space or the end of a line.
    *("é", "ß", "Ⅷ", "\u0661", "\u2003", "\r\n", "\x85", "😀", "\ud83d"),
)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(CREDENTIALS),
        st.sampled_from(PHRASES),
        st.sampled_from(GLUE),
        st.sampled_from(
            ["password", "PASSWD", "Secret", "api-key", "token", "Bearer", "is", "://"]
        ),
        st.text(WORD + " -_=:\"'", max_size=24),
    ),
    max_size=12,
).map("".join)
FIELDS = (
    *("password", "dbPassword", "X-API-Key", "client secret", "refreshToken", "token", "cred"),
    *("tokens", "max_tokens", "public_key", "auth", "user", "__proto__", "constructor"),
)
NAMES = st.one_of(st.sampled_from(FIELDS), st.text(string.ascii_letters + "_- ", max_size=12))
DATA = st.recursive(
    st.one_of(TEXTS, st.integers(-(2**40), 2**40), st.booleans(), st.none()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def test_every_kind_of_secret_is_replaced_as_the_recorder_does(pure):
    for text in (*CREDENTIALS, *PHRASES):
        texts = [text, f"({text}).", f"x={text}\n", f'{{"k":"{text}"}}', f"{text}{text}"]
        assert pure.call("redaction", "redact", texts) == [redact_text(one) for one in texts]


def test_no_credential_comes_through(pure):
    for secret in CREDENTIALS:
        assert secret not in pure.call("redaction", "redactText", f"use {secret} now")


@settings(max_examples=150)
@given(st.lists(TEXTS, max_size=8))
def test_any_text_is_redacted_as_the_recorder_does(pure, texts):
    assert pure.call("redaction", "redact", texts) == [redact_text(text) for text in texts]


@settings(max_examples=100)
@given(DATA)
def test_any_data_is_redacted_as_the_recorder_does(pure, data):
    assert pure.call("redaction", "redact", data) == redact(data)


@settings(max_examples=100)
@given(NAMES)
def test_the_same_names_are_secret(pure, name):
    assert pure.call("redaction", "isSecretName", name) is is_secret_name(name)


@pytest.mark.parametrize(
    "unit",
    ["a", "-", "\\", '"', "eyJ", "password", "token=", "A_", "://", "bearer ", "password:A1"],
)
def test_no_text_takes_long(pure, unit):
    text = (unit * 100_000)[:100_000] + " password ://"
    pure.send(op="call", module="redaction", name="redactText", args=[text])
    assert pure.answer()["tookMs"] < 10_000
