import json
import subprocess
import sys
from pathlib import Path

import pytest

from hippocortex_core import config
from hippocortex_core.config import CLOUD_URL, Settings, prepare_default_home, resolve
from hippocortex_core.errors import ConfigurationError


def write_config(folder, **values):
    (folder / ".hippocortex.json").write_text(json.dumps(values))


def test_arguments_come_before_the_environment_and_that_before_the_file(monkeypatch, tmp_path):
    write_config(tmp_path, apiKey="file-key", baseUrl="http://file/v1")
    assert (resolve().api_key, resolve().base_url) == ("file-key", "http://file/v1")
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "env-key")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "http://env/v1")
    assert (resolve().api_key, resolve().base_url) == ("env-key", "http://env/v1")
    said = resolve("said-key", "http://said/v1")
    assert (said.api_key, said.base_url) == ("said-key", "http://said/v1")


def test_each_source_fills_in_what_the_one_before_left_out(monkeypatch, tmp_path):
    write_config(tmp_path, apiKey="file-key", baseUrl="http://file/v1")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "http://env/v1")
    assert (resolve().api_key, resolve().base_url) == ("file-key", "http://env/v1")


def test_the_file_is_searched_upward_and_the_nearest_wins(monkeypatch, tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    write_config(tmp_path, apiKey="far", baseUrl="http://far/v1")
    monkeypatch.chdir(deep)
    assert resolve().api_key == "far"
    write_config(tmp_path / "a", apiKey="near")
    assert (resolve().api_key, resolve().base_url) == ("near", CLOUD_URL)


def test_a_key_without_url_means_the_cloud():
    assert resolve("hx_live_1").base_url == CLOUD_URL == "https://api.hippocortex.dev/v1"


def test_blank_values_say_nothing(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "  ")
    monkeypatch.setenv("HIPPOCORTEX_BASE_URL", "")
    assert resolve("", None).is_default


def test_a_key_pasted_with_a_newline_is_trimmed(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_API_KEY", "hx_live_1\n")
    assert resolve().api_key == "hx_live_1"


def test_a_local_service_needs_no_key():
    settings = resolve(base_url="http://127.0.0.1:8765/v1/")
    assert (settings.base_url, settings.api_key, settings.is_http) == (
        "http://127.0.0.1:8765/v1",
        None,
        True,
    )


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///memory.db",
        "sqlite:////var/memory.db",
        "postgresql://u:p@host/db",
        "postgresql+psycopg://host/db",
        "postgres://host/db",
    ],
)
def test_a_database_url_is_an_engine_home_and_stays_as_it_is(url):
    settings = resolve(base_url=url)
    assert settings.base_url == url
    assert not settings.is_http
    assert not settings.is_default


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{oops", "is not valid JSON"),
        ("[]", "must hold a JSON object"),
        ('{"apiKey": 5}', "'apiKey' must be a string"),
        ('{"baseUrl": ["x"]}', "'baseUrl' must be a string"),
    ],
)
def test_a_broken_file_is_one_clear_line_with_its_path(tmp_path, text, said):
    path = tmp_path / ".hippocortex.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        resolve()
    assert str(path) in caught.value.message
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_nobody_needs_is_not_read(tmp_path):
    (tmp_path / ".hippocortex.json").write_text("{oops")
    assert resolve("key", "https://host/v1").api_key == "key"
    assert not resolve(base_url="sqlite:///memory.db").is_http


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / ".hippocortex.json").write_text('{"apiKey": "k"}', encoding="utf-8-sig")
    assert resolve().api_key == "k"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host:80",
        "memory.db",
        "http://",
        "http://host:port/v1",
        "http://exa mple/v1",
        "http://[::1/v1",
        "https://h/v1?x=1",
    ],
)
def test_a_url_that_names_no_home_is_refused(url):
    with pytest.raises(ConfigurationError, match="base URL"):
        resolve(base_url=url)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), True, "30"])
def test_a_timeout_is_a_positive_number_of_seconds(timeout):
    with pytest.raises(ConfigurationError, match="timeout"):
        resolve("key", timeout=timeout)


@pytest.mark.parametrize("key", ["hx live", "hx_\x00", "schlüssel", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key):
    with pytest.raises(ConfigurationError) as caught:
        resolve(key)
    assert key not in caught.value.message


def test_secrets_are_never_shown():
    settings = resolve("hx_live_secret", "postgresql://user:hunter2@host/db")
    assert "secret" not in repr(settings)
    assert "hunter2" not in repr(settings)
    assert settings.location == "postgresql://host/db"
    with pytest.raises(ConfigurationError) as caught:
        resolve(base_url="mysql://user:hunter2@host/db")
    assert "hunter2" not in caught.value.message


def test_when_nothing_says_anything_memory_lives_in_this_folder(tmp_path):
    settings = resolve()
    assert settings.is_default
    assert settings.base_url == f"sqlite:///{(tmp_path / '.hippocortex' / 'memory.db').as_posix()}"
    assert not (tmp_path / ".hippocortex").exists()


def test_without_an_engine_the_error_names_both_ways_out(monkeypatch):
    monkeypatch.setattr(config, "ENGINE_MODULE", "no_such_engine")
    with pytest.raises(ConfigurationError) as caught:
        resolve()
    assert "HIPPOCORTEX_API_KEY" in caught.value.message
    assert "pip install 'hippocortex[local]'" in caught.value.message


def test_the_default_home_hides_itself_and_is_announced_once(tmp_path, capsys):
    prepare_default_home(resolve())
    prepare_default_home(resolve())
    assert (tmp_path / ".hippocortex" / ".gitignore").read_text() == "*\n"
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        f"hippocortex: memory lives in {tmp_path / '.hippocortex' / 'memory.db'}"
    ]


def test_the_announcement_can_be_silenced(monkeypatch, capsys):
    monkeypatch.setenv("HIPPOCORTEX_SILENT", "1")
    prepare_default_home(resolve())
    assert capsys.readouterr().err == ""


def test_a_home_that_somebody_named_is_left_alone(tmp_path, capsys):
    prepare_default_home(Settings(f"sqlite:///{tmp_path}/x/memory.db"))
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_a_default_home_that_cannot_be_made_is_a_clear_error(tmp_path):
    Path(".hippocortex").write_text("a file is in the way")
    with pytest.raises(ConfigurationError, match=r"cannot keep a memory in .*\.hippocortex"):
        prepare_default_home(resolve())


def test_a_working_directory_that_is_gone_is_a_clear_error(tmp_path):
    code = (
        "import os, pathlib\n"
        "from hippocortex_core import ConfigurationError, resolve\n"
        "gone = pathlib.Path('gone'); gone.mkdir(); os.chdir(gone); os.rmdir('../gone')\n"
        "try: resolve()\n"
        "except ConfigurationError as error: print(error.message)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "working directory is gone" in done.stdout
