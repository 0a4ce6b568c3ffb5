"""API keys: shown once, stored hashed, and open nothing when they are revoked or expired."""

import hashlib
import re

import pytest
from sqlalchemy import select

from hippocortex_core.errors import ValidationError
from hippocortex_engine import Database
from hippocortex_engine.storage.schema import api_keys
from hippocortex_server.keys import Keyring
from hippocortex_server.quotas import set_quota

HOUR = 3_600_000


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1_780_000_000_000

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    url = (
        "sqlite:///keys.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def keyring(database, clock):
    return Keyring(database, clock=clock)


def test_a_key_opens_what_it_was_made_for(keyring):
    made = keyring.create("acme", ["write", "read"], name="ci", rate_limit=600)
    found = keyring.find(made.secret)
    assert found is not None
    assert (found.key_id, found.tenant_id, found.scopes, found.rate_limit) == (
        made.info.key_id,
        "acme",
        frozenset({"read", "write"}),
        600,
    )


def test_a_key_says_whether_it_is_for_tests_and_holds_256_bits(keyring):
    assert re.fullmatch(r"hx_live_[\w-]{43}", keyring.create("acme", ["read"]).secret)
    assert re.fullmatch(r"hx_test_[\w-]{43}", keyring.create("acme", ["read"], test=True).secret)


def test_what_is_stored_is_a_hash_and_a_hint(keyring, database):
    secret = keyring.create("acme", ["read"]).secret
    with database.read() as connection:
        (row,) = connection.execute(select(api_keys)).all()
    assert row.key_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert row.hint == secret[:12]
    assert not any(secret in str(value) for value in row)


def test_a_new_key_does_not_show_itself_in_a_repr(keyring):
    made = keyring.create("acme", ["read"])
    assert made.secret not in repr(made)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "hx_live_",
        "hx_live_" + "A" * 43,
        "hx_live_" + "A" * 42,
        "hx_live_" + "A" * 4_000,
        "hx_prod_" + "A" * 43,
        "hx_live_" + "ü" * 43,
        "hx_live_" + "A" * 42 + "\n",
        "' OR 1=1 --",
    ],
)
def test_what_is_no_key_opens_nothing(keyring, secret):
    keyring.create("acme", ["read"])
    assert keyring.find(secret) is None


def test_a_key_cannot_be_guessed_from_one_that_differs_in_a_letter(keyring):
    secret = keyring.create("acme", ["read"]).secret
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    assert keyring.find(other) is None


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(keyring, clock):
    made = keyring.create("acme", ["read"])
    clock.now += HOUR
    assert keyring.revoke(made.info.key_id) is True
    assert keyring.revoke(made.info.key_id) is False
    assert keyring.find(made.secret) is None
    (listed,) = keyring.list()
    assert listed.revoked_at == clock.now
    assert listed.status(clock.now) == "revoked"


def test_revoking_a_key_that_does_not_exist_changes_nothing(keyring):
    made = keyring.create("acme", ["read"])
    assert keyring.revoke("key_0000000000000000") is False
    assert keyring.find(made.secret) is not None


def test_an_expired_key_opens_nothing(keyring, clock):
    made = keyring.create("acme", ["read"], expires_at=clock.now + HOUR)
    clock.now += HOUR - 1
    assert keyring.find(made.secret) is not None
    clock.now += 1
    assert keyring.find(made.secret) is None
    assert keyring.list()[0].status(clock.now) == "expired"


def test_keys_are_listed_oldest_first_and_by_tenant(keyring, clock):
    for tenant, name in (("acme", "one"), ("umbrella", "two"), ("acme", "three")):
        keyring.create(tenant, ["read"], name=name)
        clock.now += 1
    assert [key.name for key in keyring.list()] == ["one", "two", "three"]
    assert [key.name for key in keyring.list("acme")] == ["one", "three"]
    assert keyring.list("nobody") == []


def test_a_first_key_is_made_once(keyring):
    assert keyring.any() is False
    first = keyring.create_first("default")
    assert keyring.find(first.secret).scopes == {"read", "write", "admin"}
    assert keyring.create_first("default") is None
    assert len(keyring.list()) == 1


def test_revoking_the_last_key_makes_no_new_first_key(keyring):
    keyring.revoke(keyring.create_first("default").info.key_id)
    assert keyring.any() is True
    assert keyring.create_first("default") is None


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "root"]}, "scopes"),
        ({"tenant_id": " "}, "tenant_id"),
        ({"tenant_id": "x" * 257}, "tenant_id"),
        ({"name": "x" * 201}, "name"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"expires_at": 1}, "expires_at"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(keyring, arguments, field):
    with pytest.raises(ValidationError) as caught:
        keyring.create(**{"tenant_id": "acme", "scopes": ["read"], **arguments})
    assert caught.value.details[0].field == field
    assert keyring.any() is False


def test_a_quota_can_be_set_before_anything_was_captured(database, clock):
    set_quota(database, "acme", 1_000, "trial", clock=clock)
    set_quota(database, "acme", 2_000, clock=clock)
    assert _plan(database) == ("trial", 2_000)
    set_quota(database, "acme", None, clock=clock)
    assert _plan(database) == ("trial", None)


def test_a_quota_below_zero_is_refused(database):
    with pytest.raises(ValidationError):
        set_quota(database, "acme", -1)


def _plan(database):
    from hippocortex_engine.storage.schema import tenants

    with database.read() as connection:
        row = connection.execute(
            select(tenants.c.plan, tenants.c.events_limit).where(tenants.c.tenant_id == "acme")
        ).one()
    return tuple(row)
