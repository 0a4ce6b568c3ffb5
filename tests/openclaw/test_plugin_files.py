"""The plugin's files: what the host reads of them without running them, and that all of it is true."""

import json
import re
import subprocess
from importlib.metadata import version

import pytest

from hippocortex_core.render import HEADINGS


@pytest.fixture(scope="module")
def manifest(plugin_folder):
    return json.loads((plugin_folder / "openclaw.plugin.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def package(plugin_folder):
    return json.loads((plugin_folder / "package.json").read_text(encoding="utf-8"))


def sources(plugin_folder):
    found = sorted(plugin_folder.rglob("*.js"))
    assert len(found) > 10
    return found


def test_the_version_is_the_one_of_the_package(manifest, package):
    assert manifest["version"] == package["version"] == version("hippocortex-openclaw")


def test_the_id_is_the_name_of_the_package(manifest, package):
    assert manifest["id"] == package["name"] == "hippocortex"


def test_it_does_not_take_the_memory_slot(manifest):
    assert "kind" not in manifest


def test_the_package_says_where_it_begins_and_what_host_it_needs(package, plugin_folder):
    assert [(plugin_folder / one).is_file() for one in package["openclaw"]["extensions"]] == [True]
    assert package["openclaw"]["compat"]["pluginApi"] == ">=2026.8.1"
    assert package["type"] == "module"
    assert "dependencies" not in package


def test_the_manifest_names_the_tools_that_are_registered(manifest, host):
    registered = host.register({})
    named = [name for one in registered["tools"] for name in one["names"]]
    assert named == manifest["contracts"]["tools"] == list(manifest["toolMetadata"])
    assert host.do(op="tool", context={})["name"] == named[0]


def test_the_manifest_describes_every_setting_that_is_read_and_no_other(manifest, plugin_folder):
    text = (plugin_folder / "lib" / "settings.js").read_text(encoding="utf-8")
    read = set(re.findall(r"\bgiven\.(\w+)", text))
    schema = manifest["configSchema"]
    assert read == set(schema["properties"]) == set(manifest["uiHints"])
    assert schema["additionalProperties"] is False
    assert manifest["uiHints"]["apiKey"]["sensitive"] is True


def test_the_defaults_of_the_manifest_are_the_ones_that_hold(manifest, pure):
    settings = pure.call("settings", "readSettings", {}, {}, "/state")
    properties = manifest["configSchema"]["properties"]
    said = {name: one["default"] for name, one in properties.items() if "default" in one}
    assert said == {name: settings[name] for name in said}
    assert settings["baseUrl"] == "http://127.0.0.1:8377/v1"
    assert settings["spoolDir"] == "/state/hippocortex/spool"
    assert settings["warnings"] == []


def test_the_bounds_of_the_manifest_are_the_ones_that_hold(manifest, pure):
    for name, one in manifest["configSchema"]["properties"].items():
        if one["type"] == "integer":
            least, most = one["minimum"], one.get("maximum", 2**53 - 1)
            for given, held in [(least - 1, least), (most + 1, most), (least, least)]:
                settings = pure.call("settings", "readSettings", {name: given}, {}, "/state")
                assert settings[name] == held


def test_the_sections_of_the_manifest_are_the_ones_of_a_pack(manifest):
    schema = manifest["configSchema"]["properties"]["sections"]
    assert schema["items"]["enum"] == list(HEADINGS)


def test_nothing_but_node_and_itself_is_imported(plugin_folder):
    for path in sources(plugin_folder):
        text = path.read_text(encoding="utf-8")
        for module in re.findall(r"""(?:from|import\()\s*["']([^"']+)["']""", text):
            if not module.startswith("node:"):
                assert module.startswith("."), f"{path.name} imports {module}"
                assert (path.parent / module).is_file(), f"{path.name} imports {module}"
        assert not re.search(r"\b(?:require|eval)\(|new Function\b", text), path.name


def test_every_file_is_valid_javascript(node, plugin_folder):
    checks = [
        subprocess.Popen([node, "--check", path], stderr=subprocess.PIPE, text=True)
        for path in sources(plugin_folder)
    ]
    assert [check.communicate()[1] for check in checks] == [""] * len(checks)


def test_every_module_is_loaded(plugin_folder):
    texts = [path.read_text(encoding="utf-8") for path in sources(plugin_folder)]
    for path in (plugin_folder / "lib").glob("*.js"):
        assert any(f'/{path.name}"' in text for text in texts), f"nothing imports {path.name}"


def test_no_file_is_longer_than_a_reader_can_hold(plugin_folder):
    for path in sources(plugin_folder):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 330, path.name
