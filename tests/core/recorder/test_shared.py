import stat

import pytest

from hippocortex_core import (
    ConfigurationError,
    Settings,
    UserMessage,
    resolve,
    shared_recorder,
)
from hippocortex_core.recorder import recorder
from hippocortex_core.recorder.places import spool_folder
from hippocortex_core.testing import HttpHome, InMemoryService


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCORTEX_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(recorder, "_shared", {})
    yield tmp_path / "state"
    for one in recorder._shared.values():
        one.close(1.0)


def test_a_home_and_key_have_one_recorder_until_it_is_closed(tmp_path):
    settings = Settings(f"sqlite:///{tmp_path}/memory.db")
    first = shared_recorder(settings)
    assert shared_recorder(Settings(f"sqlite:///{tmp_path}/memory.db")) is first
    assert shared_recorder(Settings(f"sqlite:///{tmp_path}/other.db")) is not first
    first.close()
    assert shared_recorder(settings) is not first


def test_the_spool_of_a_home_tells_neither_the_home_nor_the_key(state):
    folders = {
        spool_folder(Settings("https://api.example.com/v1", "hx_live_one")),
        spool_folder(Settings("https://api.example.com/v1", "hx_live_two")),
        spool_folder(Settings("https://api.example.com/v1")),
        spool_folder(Settings("postgresql://ada:secret@db/x")),
    }
    assert len(folders) == 4
    assert all(folder.parent == state / "spool" / "v1" for folder in folders)
    assert all(folder.name.isalnum() and len(folder.name) == 24 for folder in folders)
    other_password = spool_folder(Settings("postgresql://ada:changed@db/x"))
    assert other_password in folders


def test_a_relative_database_is_the_one_in_the_working_directory(tmp_path):
    relative = spool_folder(Settings("sqlite:///memory.db"))
    assert relative == spool_folder(Settings(f"sqlite:///{tmp_path}/memory.db"))


def test_the_state_folder_follows_the_platforms_rules(monkeypatch, tmp_path):
    monkeypatch.delenv("HIPPOCORTEX_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    settings = Settings("https://api.example.com/v1")
    assert tmp_path / "xdg" / "hippocortex" in spool_folder(settings).parents
    monkeypatch.delenv("XDG_STATE_HOME")
    assert tmp_path / "home/.local/state/hippocortex" in spool_folder(settings).parents


def test_with_nothing_configured_it_uses_the_embedded_engine(monkeypatch, capsys, state):
    assert resolve().is_default
    one = shared_recorder()
    one.record(UserMessage("Remember: the code is 4711"))
    assert one.flush(30)
    one.recall("anything")  # the engine may take its time to get ready
    assert one.flush(30)
    assert "hippocortex: memory lives in" in capsys.readouterr().err
    (folder,) = (state / "spool" / "v1").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_over_http_a_recall_is_not_tried_twice_and_the_key_is_sent():
    with HttpHome(InMemoryService(), api_key="hx_test_key") as home:
        one = shared_recorder(Settings(home.url, "hx_test_key"))
        one.record(UserMessage("Hello"))
        assert one.flush(30)
        assert "Hello" in one.recall("Hello").text


def test_without_any_home_the_error_is_clear(monkeypatch):
    monkeypatch.setattr("hippocortex_core.config.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="nothing says where the memory lives"):
        shared_recorder()
