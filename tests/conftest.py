"""Every test runs in an empty folder, with nothing in the environment that configures a memory."""

import os

import hypothesis
import pytest

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
