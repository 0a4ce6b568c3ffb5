"""`hippocortex keys` and `hippocortex migrate`: what an operator does before and beside serving."""

import json
import re
import socket
import sqlite3

import pytest
from typer.testing import CliRunner

from hippocortex.cli.app import app
from hippocortex_engine import Database
from hippocortex_server.keys import Keyring

STORE = "sqlite:///memory.db"


@pytest.fixture(autouse=True)
def _as_users_run_it(monkeypatch):
    """Without tracebacks; and nobody serves here, so nobody believes a key for a second."""
    monkeypatch.delenv("HIPPOCORTEX_STRICT", raising=False)
    monkeypatch.setattr("hippocortex_server.authentication.FRESH", 0.0)
    # The runner's stderr ends with the command; what later servers log must not go there.
    monkeypatch.setattr("hippocortex_server.run.configure", lambda _: None)


@pytest.fixture
def unused_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    return STORE if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def run(*args, code=0):
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def run_json(*args):
    return json.loads(run(*args, "--json").stdout)


def fails(*args, code=1):
    result = run(*args, code=code)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def find(store, secret):
    database = Database(store)
    try:
        return Keyring(database).find(secret)
    finally:
        database.close()


def test_a_key_is_printed_alone_so_that_a_script_can_take_it(store):
    result = run("keys", "create", "--tenant", "acme", "--scope", "read,write", "--store", store)
    assert re.fullmatch(r"hx_live_[\w-]{43}\n", result.stdout)
    assert "read, write for tenant 'acme'" in result.stderr
    key = find(store, result.stdout.strip())
    assert (key.tenant_id, key.scopes) == ("acme", {"read", "write"})


def test_a_key_has_what_the_options_say():
    made = run_json(
        *("keys", "create", "--tenant", "acme", "--scope", "admin, read", "--test"),
        *("--name", "CI", "--expires", "30d", "--rate-limit", "600", "--store", STORE),
    )
    assert made["key"].startswith("hx_test_")
    assert made["scopes"] == ["read", "admin"]
    assert (made["name"], made["rateLimit"], made["status"]) == ("CI", 600, "active")
    assert made["createdAt"] < made["expiresAt"]


def test_lists_show_no_key(store):
    secret = run_json("keys", "create", "--tenant", "acme", "--store", store)["key"]
    run("keys", "create", "--tenant", "umbrella", "--store", store)
    listed = run("keys", "list", "--store", store).output
    assert secret not in listed
    assert secret[:12] in listed
    document = run_json("keys", "list", "--tenant", "acme", "--store", store)
    assert [key["tenantId"] for key in document["keys"]] == ["acme"]
    assert secret not in json.dumps(document)


def test_lists_show_ids_in_one_piece_to_be_copied():
    made = run_json("keys", "create", "--tenant", "a-tenant-of-a-long-name", "--store", STORE)
    assert made["keyId"] in run("keys", "list", "--store", STORE).stdout


def test_no_keys_says_how_to_make_one():
    assert "hippocortex keys create" in run("keys", "list", "--store", STORE).stdout


def test_a_revoked_key_opens_nothing(store):
    made = run_json("keys", "create", "--store", store)
    assert "no server accepts it" in run("keys", "revoke", made["keyId"], "--store", store).stdout
    assert find(store, made["key"]) is None
    assert run_json("keys", "list", "--store", store)["keys"][0]["status"] == "revoked"
    run("keys", "revoke", made["keyId"], "--store", store)  # once more does no harm


def test_revoking_what_is_no_key_fails_with_the_fix():
    assert "hippocortex keys list" in fails("keys", "revoke", "key_nobody", "--store", STORE)


def test_a_key_that_is_given_for_its_id_is_not_repeated():
    secret = run_json("keys", "create", "--store", STORE)["key"]
    said = fails("keys", "revoke", secret, "--store", STORE, code=2)
    assert "not its id" in said
    assert secret not in said


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("create", "--scope", "root"), 1, "unknown scope 'root'; one of read, write, admin"),
        (("create", "--scope", ","), 1, "a key must allow something"),
        (("create", "--tenant", ""), 1, "tenant_id"),
        (("create", "--expires", "soon"), 2, "'soon' is not a time such as 90m"),
        (("create", "--expires", "0d"), 2, "is not a time"),
        (("create", "--rate-limit", "0"), 2, "--rate-limit"),
        (("quota", "--events-per-month", "many"), 2, "neither a number nor `none`"),
        (("quota",), 2, "--events-per-month"),
    ],
)
def test_a_mistake_is_one_line(args, code, said):
    assert said in fails("keys", *args, *(() if code == 2 else ("--store", STORE)), code=code)


def test_a_quota_is_set_and_lifted(store):
    quota = ("keys", "quota", "--tenant", "acme", "--store", store, "--events-per-month")
    assert "1,000 events a month" in run(*quota, "1,000").stdout
    assert run_json(*quota, "2000") == {"tenantId": "acme", "eventsLimit": 2_000}
    assert "has no quota" in run(*quota, "none").stdout


def test_the_store_is_the_home_that_other_commands_use(tmp_path):
    run("capture", "observation", "s1", '{"text": "green"}')
    run("keys", "create")
    assert len(run_json("keys", "list")["keys"]) == 1
    assert len(run_json("keys", "list", "--home", ".hippocortex/memory.db")["keys"]) == 1
    assert [path.name for path in tmp_path.rglob("*.db")] == ["memory.db"]


def test_the_store_may_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_STORE", "sqlite:///other.db")
    run("keys", "create")
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / ".hippocortex").exists()


def test_the_url_of_a_service_in_the_environment_is_for_clients(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "http://127.0.0.1:8377/v1")
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "hx_live_" + "A" * 43)
    run("keys", "create")
    assert (tmp_path / ".hippocortex" / "memory.db").exists()


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("https://memory.example/v1", "is a service, not a database"),
        ("mysql://localhost/x", "must start with"),
        ("postgresql://localhost:99999/x", "not a PostgreSQL URL"),
        ("/dev/null/memory.db", "/dev/null"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_line(store, said):
    assert said in fails("keys", "list", "--store", store)


def test_a_database_that_does_not_answer_is_one_line_without_the_password(unused_port):
    url = f"postgresql://me:s3cret@127.0.0.1:{unused_port}/memory"
    line = fails("keys", "list", "--store", url)
    assert "s3cret" not in line
    assert f"127.0.0.1:{unused_port}" in line


def test_a_database_of_a_newer_version_is_left_alone():
    run("keys", "create", "--store", STORE)
    with sqlite3.connect("memory.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in (("keys", "list"), ("migrate",), ("serve", "--port", "0")):
        assert "newer Hippocortex" in fails(*command, "--store", STORE)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrate_makes_the_tables_and_then_has_nothing_to_do(kind, request):
    make = STORE if kind == "sqlite" else request.getfixturevalue("new_postgres_url")
    store = make if isinstance(make, str) else make(migrated=False)
    first = run_json("migrate", "--store", store)
    assert first["before"] is None
    assert first["citus"] is False
    assert run_json("migrate", "--store", store) == {**first, "before": first["after"]}
    assert "up to date" in run("migrate", "--store", store).stdout


def test_without_the_server_package_the_commands_say_what_to_install(monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "hippocortex_server" else real(name, *rest),
    )
    for command in (("serve",), ("keys", "list"), ("migrate",)):
        assert "pip install 'hippocortex[server]'" in fails(*command)
