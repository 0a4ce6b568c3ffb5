"""Dockerfile and compose.yaml: no container runs here, but what they say fits what there is."""

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from hippocortex.cli.app import app

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dockerfile():
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return re.sub(r"\\\n\s*", " ", text)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def variables():
    """The variables that `serve` reads."""
    parameters = typer.main.get_command(app).commands["serve"].params
    return {one.envvar for one in parameters if isinstance(one.envvar, str)}


def test_the_image_runs_a_command_that_exists_as_a_user_that_is_not_root(dockerfile):
    final = dockerfile.rpartition("FROM ")[2]
    assert re.search(r"^USER (?!root|0)\S+$", final, re.MULTILINE)
    assert json.loads(re.search(r"^ENTRYPOINT (.*)$", final, re.MULTILINE)[1]) == ["hippocortex"]
    (command,) = json.loads(re.search(r"^CMD (.*)$", final, re.MULTILINE)[1])
    assert command in typer.main.get_command(app).commands


def test_the_image_sets_variables_that_the_server_reads(dockerfile):
    said = re.search(r"^ENV (PATH=.*)$", dockerfile, re.MULTILINE)[1]
    given = dict(one.partition("=")[::2] for one in shlex.split(said))
    ours = {name for name in given if name.startswith("HIPPOCORTEX_")}
    assert ours <= variables()
    assert given["HIPPOCORTEX_STORE"].startswith("sqlite:////data/")


def test_what_is_copied_into_the_image_is_there(dockerfile):
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert (ROOT / source).exists()
        assert f"!{source.removeprefix('./')}" in ignored


def test_the_health_check_of_the_image_is_python_that_compiles(dockerfile):
    words = json.loads(re.search(r"HEALTHCHECK .*? CMD (\[.*\])", dockerfile)[1])
    assert words[:2] == ["python", "-c"]
    assert "/v1/health" in words[2]
    compile(words[2], "Dockerfile", "exec")


def test_the_services_start_in_order_and_come_back(compose):
    services = compose["services"]
    assert services["server"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["server"]["restart"] == services["postgres"]["restart"] == "unless-stopped"
    assert "pgvector" in services["postgres"]["image"]
    commands = typer.main.get_command(app).commands
    assert all(services[name]["command"][0] in commands for name in ("server", "migrate"))


def test_the_services_are_given_variables_that_the_server_reads_and_no_secret(compose):
    for name in ("server", "migrate"):
        environment = compose["services"][name]["environment"]
        assert environment.keys() <= variables()
        assert ":${POSTGRES_PASSWORD:?" in environment["HIPPOCORTEX_STORE"]
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${")


def test_a_stop_leaves_the_server_more_time_than_it_takes(compose):
    grace = compose["services"]["server"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > 30 + 5
