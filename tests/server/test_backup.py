"""docs/server.md, "Backup and restore": what is restored is the memory it was, keys included."""

import sqlite3
import subprocess

import pytest

from hippocortex_core.types import CaptureEvent, SynthesizeOptions
from hippocortex_engine import Database, Engine
from hippocortex_server.keys import Keyring

QUERY = "which seat does the user want?"


def fixed_clock():
    return 1_780_000_000_000


def _memory(database):
    return Engine(database, tenant_id="acme", clock=fixed_clock)


def fill(url):
    """A store with a key and something learned; gives the key and a pack."""
    database = Database(url)
    try:
        secret = Keyring(database).create("acme", ["read"]).secret
        memory = _memory(database)
        for text in ("I prefer aisle seats.", "Book me a seat to Oslo."):
            memory.capture(CaptureEvent("message", "s1", {"role": "user", "content": text}))
        memory.learn()
        return secret, memory.synthesize(QUERY, SynthesizeOptions(max_tokens=300))
    finally:
        database.close()


def read(url, secret):
    """Whose key it is, and the pack, in the store at the URL."""
    database = Database(url)
    try:
        key = Keyring(database).find(secret)
        pack = _memory(database).synthesize(QUERY, SynthesizeOptions(max_tokens=300))
        return key.tenant_id, pack
    finally:
        database.close()


def test_a_copy_of_a_sqlite_store_made_while_it_is_open_is_complete():
    url = "sqlite:///memory.db"
    beside = Database(url)  # a server that goes on
    secret, pack = fill(url)
    with sqlite3.connect("memory.db") as connection:
        connection.execute("VACUUM INTO 'backup.db'")
    connection.close()
    assert read("sqlite:///backup.db", secret) == ("acme", pack)
    beside.close()


@pytest.fixture
def postgres_tool(postgres_server):
    """Runs one of PostgreSQL's own programs."""

    def run(name, *args):
        program = postgres_server.bin_path / name
        done = subprocess.run([program, *args], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return run


def test_a_dump_of_a_postgresql_store_restores_into_an_empty_database(
    new_postgres_url, postgres_tool
):
    url, restored = new_postgres_url(), new_postgres_url(migrated=False)
    secret, pack = fill(url)
    postgres_tool("pg_dump", "--format=custom", "--file=backup.dump", url)
    postgres_tool("pg_restore", "--no-owner", f"--dbname={restored}", "backup.dump")
    assert read(restored, secret) == ("acme", pack)
