import random
import string
import time
import uuid

import pytest

from hippocortex_core import ToolCall, ToolResult, UserMessage
from hippocortex_core.redaction import is_secret_name, redact, redact_text

rng = random.Random(7)


def made_of(alphabet, count):
    return "".join(rng.choice(alphabet) for _ in range(count))


WORD = string.ascii_letters + string.digits
A36, A48, HEX32 = made_of(WORD, 36), made_of(WORD, 48), made_of("0123456789abcdef", 32)
# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "openai-key": ["sk-" + A48, "sk-proj-" + A48 + "_-" + A36, "sk-svcacct-" + A36],
    "anthropic-key": ["sk-ant-api03-" + A48 + "-AA"],
    "hippocortex-key": ["hx_live_" + A36, "hx_test_" + A36],
    "aws-key": ["AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "Y34FZKBOKMUTVV7A"],
    "gcp-key": ["AIza" + made_of(WORD, 35)],
    "google-token": ["ya29." + A48, "GOCSPX-" + made_of(WORD, 28)],
    "github-token": ["ghp_" + A36, "gho_" + A36, "github_pat_" + A36 + "_" + A48],
    "gitlab-token": ["glpat-" + made_of(WORD, 20)],
    "slack-token": ["xoxb-1234567890-" + A36, "xapp-1-A0-" + A36],
    "stripe-key": ["sk_live_" + A36, "rk_test_" + A36, "whsec_" + A36],
    "huggingface-token": ["hf_" + A36],
    "jwt": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + A36],
    "sendgrid-key": ["SG." + made_of(WORD, 22) + "." + A48],
    "api-key": ["gsk_" + A48, "xai-" + A48],
    "npm-token": ["npm_" + A36],
}


@pytest.mark.parametrize(
    ("kind", "secret"), [(kind, one) for kind, many in SECRETS.items() for one in many]
)
def test_known_credentials_are_replaced_by_what_they_were(kind, secret):
    for before, after in [
        ("", ""),
        ("use ", " please"),
        ('{"k":"', '"}'),
        ("(", ")."),
        ("x=", "\n"),
    ]:
        assert redact_text(f"{before}{secret}{after}") == f"{before}[redacted:{kind}]{after}"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc123def456ghi789", "Authorization: Bearer [redacted:authorization]"),
        ("curl -H 'Authorization: Basic dXNlcjpwYXNz' x", "curl -H 'Authorization: Basic [redacted:authorization]' x"),
        ("the bearer 0a1b2c3d4e5f60718293a4b5 token", "the bearer [redacted:bearer-token] token"),
        ("postgresql://ada:s3cret@db:5432/x", "postgresql://ada:[redacted:url-password]@db:5432/x"),
        ("https://:tok@host/", "https://:[redacted:url-password]@host/"),
        ("password=hunter2&user=ada", "password=[redacted:password]&user=ada"),
        ("DB_PASSWORD=correcthorse", "DB_PASSWORD=[redacted:password]"),
        ("export OPENAI_API_KEY='abcd efgh'", "export OPENAI_API_KEY='[redacted:api-key]'"),
        ('{"user":"ada","password":"a b c"}', '{"user":"ada","password":"[redacted:password]"}'),
        (r'{\"client_secret\":\"abc\"}', r'{\"client_secret\":\"[redacted:password]\"}'),
        ("password: hunter2", "password: [redacted:password]"),
        ("my password is hunter2, keep it", "my password is [redacted:password], keep it"),
        ("mysql --password hunter2 -u x", "mysql --password [redacted:password] -u x"),
        ("AccountKey=abcd1234==;Endpoint=x", "AccountKey=[redacted:api-key];Endpoint=x"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [redacted:api-key]"),
    ],
)  # fmt: skip
def test_secrets_are_found_by_the_place_or_the_name_they_stand_under(text, clean):
    assert redact_text(text) == clean


def test_private_keys_go_as_a_whole_also_cut_off_or_escaped():
    body = "\n".join(made_of(WORD, 64) for _ in range(5))
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    assert redact_text(f"key:\n{begin}\n{body}\n{end}\nbye") == "key:\n[redacted:private-key]\nbye"
    assert redact_text(f"key:\n{begin}\n{body}") == "key:\n[redacted:private-key]"
    escaped = body.replace("\n", "\\n")
    assert redact_text(f'{{"k":"{begin}\\n{escaped}\\n{end}"}}') == '{"k":"[redacted:private-key]"}'


def test_fields_that_hold_secrets_by_name_are_replaced_at_any_depth():
    assert redact(
        {
            "user": "ada",
            "Password": "correct horse",
            "config": [{"apiKey": "abcdefgh", "x-api-key": ["one-key", "two-key"], "port": 5432}],
            "pin": 1234,
            "pwd": 123456,
            "headers": {"Authorization": "Basic dXNlcjpwYXNz", "Accept": "text/html"},
            "access_token": "0123456789abcdef",
        }
    ) == {
        "user": "ada",
        "Password": "[redacted:password]",
        "config": [
            {
                "apiKey": "[redacted:api-key]",
                "x-api-key": ["[redacted:api-key]", "[redacted:api-key]"],
                "port": 5432,
            }
        ],
        "pin": 1234,
        "pwd": "[redacted:password]",
        "headers": {"Authorization": "[redacted:token]", "Accept": "text/html"},
        "access_token": "[redacted:token]",
    }


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 100, "token_count": 7, "prompt_tokens": 3, "next_page_token": "a" * 40},
        {"token": "the", "key": "value", "keyboard": "qwerty", "secretary": "Ada", "author": "Bob"},
        {"password": None, "api_key": "", "secret": "${SECRET}", "has_password": True},
        {"password": {"type": "string", "minLength": 8}, "api_key": "<your key>"},
        {"public_key": "ssh-ed25519 AAAA", "key_id": "abc", "passport": "C01X00T47"},
    ],
)
def test_fields_that_hold_no_secret_stay(value):
    assert redact(value) == value


PROSE = [
    "The password must contain at least 8 characters, and must not be your name.",
    "Forgot your password? Reset your password: click the link we sent you.",
    "He is the bearer of bad news; bearer authentication is described in RFC 6750.",
    "The secret is to keep the butter cold. Secret: use cold water.",
    "The token budget is 4,000 tokens; the tokenizer counts sub-words. API keys: see below.",
    "My api key is not working, is the access token: expired?",
    "Send it to ada@example.com or https://example.com:8080/path?x=1@2 at 10:30:15.",
    "commit 9f2c1e8b7a6d5c4b3a29181716151413121110ff\nAuthor: Ada <ada@example.com>",
    "550e8400-e29b-41d4-a716-446655440000 is a UUID, 0xdeadbeefcafebabe an address",
    "sk-learn and scikit-learn; task-force-of-the-year-twenty-twenty-five; risk-adjusted-return",
    "def login(user, password=None, api_key=os.environ['KEY']): return get_token(password=secret())",
    "SELECT id, password_hash FROM users WHERE token_type = 'refresh'",
    "data: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "v1.2.3-rc.4 of github.com/org/repo/pull/1234, see npm_config_registry and hf_hub",
]


@pytest.mark.parametrize("text", PROSE)
def test_ordinary_text_stays_as_it_is(text):
    assert redact_text(text) == text


def test_hashes_and_uuids_stay():
    for _ in range(2_000):
        for text in (made_of("0123456789abcdef", 40), str(uuid.UUID(int=rng.getrandbits(128)))):
            assert redact_text(f"at {text}: done") == f"at {text}: done"


def test_redacting_twice_is_redacting_once():
    text = "\n".join([*PROSE, *(one for many in SECRETS.values() for one in many)])
    text += "\npassword=hunter2 Authorization: Bearer abc123def456ghi789 https://a:b1@c/"
    once = redact_text(text)
    assert redact_text(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "A1",
        "-",
        "\\",
        '"',
        "eyJ",
        "sk-",
        "password",
        "token=",
        "a_",
        "://",
        "x.",
        "bearer ",
        "eyJ-",
        "bearer-",
        "password:A1",
        "A_",
        "-----BEGIN ",
    ],
)
def test_no_text_takes_long(unit):
    text = (unit * 200_000)[:200_000] + " password ://"
    begin = time.perf_counter()
    redact_text(text)
    assert time.perf_counter() - begin < 10


def test_nothing_secret_reaches_the_service_or_the_disk(memory, record_to, tmp_path, eventually):
    key = SECRETS["openai-key"][0]
    memory.gate.clear()
    recorder = record_to(memory, recall_deadline=0.05)
    recorder.record(UserMessage(f"my key is {key}", metadata={"apiKey": "abcdefgh"}))
    recorder.record(ToolCall("login", {"user": "ada", "password": "correct horse"}))
    recorder.record(ToolResult("login", "Set-Cookie: " + SECRETS["jwt"][0]))
    eventually(lambda: recorder.stats().pending == 3 and list((tmp_path / "spool").glob("*.jsonl")))
    recorder.recall(f"what is {key}?")
    memory.gate.set()
    assert recorder.flush()
    seen = repr(memory.events) + repr(memory.asked)
    seen += "".join(path.read_text() for path in (tmp_path / "spool").iterdir())
    for secret in (key, "abcdefgh", "correct horse", SECRETS["jwt"][0]):
        assert secret not in seen
    assert memory.asked[0][0] == "what is [redacted:openai-key]?"


def test_names_are_read_in_every_spelling():
    secret = ["password", "dbPassword", "API_KEY", "X-API-Key", "client secret", "refreshToken"]
    harmless = ["key", "keys", "monkey", "tokens", "passenger", "author", "compass", "publicKey"]
    assert [name for name in secret + harmless if is_secret_name(name)] == secret
