"""A sentence that tells a secret is told from one that only speaks of it."""

from __future__ import annotations

from time import process_time

import pytest

from hippocortex_engine.compiler.credentials import names_secret, tells_secret


@pytest.mark.parametrize(
    "text",
    [
        "I use the password hunter2.",
        "I use hunter2 as my password.",
        "The passwords are hunter2 and swordfish.",
        "The login credentials are admin and hunter2.",
        "My API keys are abc123 and def456.",
        "API_KEY is abc123",
        "GITHUB_TOKEN=abcdef",
        "The dbPassword is hunter2",
        "User's passwords: hunter2",
        "The PINs are 1, 2",
        "My PIN's 4711",
        "My PIN was changed to 4711",
        "We set the wifi password to hunter2.",
        "4711 is my PIN.",
        "The password for the wifi is hunter2.",
        "The token that I use is abc123.",
        "Use the token sk-abc for publishing.",
        "Use the passphrase correct horse battery.",
        "I prefer the password swordfish for the bank.",
        "My password is swordfish.",
        "My credit card is 4111111111111111",
        "I use sk-proj-abcdefghijklmnop1234 for it.",
        "My password is [redacted:password].",
    ],
)
def test_a_value_beside_the_name_of_a_secret_tells_it(text):
    assert tells_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "I forgot my password.",
        "My password is wrong.",
        "I prefer to pay with the credit card ending in 4421.",
        "We use JWT tokens for auth.",
        "We use the token bucket algorithm.",
        "I use the password manager Bitwarden.",
        "I use 1Password for passwords.",
        "I keep the passwords in KeePass2.",
        "Read the passwords from the vault.",
        "Use the password stored in the vault.",
        "Use SHA256 as the password hash.",
        "Passwords are 12 characters or longer.",
        "Use tokens of 2048 bits.",
        "Rotate the API keys every 90 days.",
        "Set max_tokens to 4096.",
        "About tokens: always rotate them.",
        "When the password reset fails, call api2.",
        "I like pinball.",
    ],
)
def test_speaking_of_a_secret_does_not_tell_it(text):
    assert not tells_secret(text)


@pytest.mark.parametrize("text", ["API_KEY", "my passwords", "apiToken", "the PINs", "credit-card"])
def test_names_of_secrets_are_known_in_every_spelling(text):
    assert names_secret(text)


@pytest.mark.parametrize(
    "text", ["spinning", "a passenger", "Pinterest", "the keyboard", "tokenise"]
)
def test_words_that_contain_such_a_name_name_none(text):
    assert not names_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "password ",
        "my password is ",
        "token for a b c ",
        "set a a a a password ",
        "abcd1 is my a b pin ",
        "pin" + " " * 400,
        "a1" * 200,
    ],
)
def test_looking_for_secrets_takes_linear_time(text):
    started = process_time()
    tells_secret(text * (200_000 // len(text)))
    assert process_time() - started < 3
