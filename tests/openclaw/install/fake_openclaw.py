"""A command that behaves like `openclaw` 2026.9.6 where the installer can see it.

It keeps `openclaw.json` and its extensions in OPENCLAW_STATE_DIR and notes every call in
`calls.jsonl`.  FAKE_OPENCLAW is JSON: `version`, and `faults`, which say by the first words of a
command what goes wrong instead: `hang`, `garbage`, or `[exit code, what it says]`.
"""

# ruff: noqa: T201 - it is a command
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

STATE = Path(os.environ["OPENCLAW_STATE_DIR"])
FAKE = json.loads(os.environ.get("FAKE_OPENCLAW", "{}"))
CONFIG, RECORDS, SEEN = (STATE / f"{name}.json" for name in ("openclaw", "records", "seen"))
NOT_GATED = ("after_tool_call", "session_end")
GATED = ("before_prompt_build", "agent_end")


def main(args):
    stdin = sys.stdin.read()
    note(args, stdin)
    for words, fault in FAKE.get("faults", {}).items():
        if " ".join(args).startswith(words):
            go_wrong(fault)
    if args == ["--version"]:
        print(f"OpenClaw {FAKE.get('version', '2026.9.6')} (eb377ac)")
        return
    command, rest = COMMANDS[" ".join(args[:2])], args[2:]
    if command in {install, patch}:
        check_config()
    command(rest, stdin)


def note(args, stdin):
    STATE.mkdir(parents=True, exist_ok=True)
    key = os.environ.get("HIPPOCORTEX_API_KEY")
    with (STATE / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"args": args, "stdin": stdin, "knows_key": bool(key)}) + "\n")


def go_wrong(fault):
    if fault == "hang":
        time.sleep(600)
    if fault == "garbage":
        print("<html>lorem ipsum</html>")
        sys.exit(0)
    code, said = fault
    fail(said, code)


def fail(said, code=1):
    print(said, file=sys.stderr)
    sys.exit(code)


def fail_as_json(said):
    print(json.dumps({"ok": False, "error": {"type": "cli_error", "message": said}}, indent=2))
    sys.exit(1)


def config():
    return json.loads(CONFIG.read_text()) if CONFIG.exists() else {}


def save(data):
    CONFIG.write_text(json.dumps(data, indent=2))


def check_config():
    """Settings for a plugin that has vanished without being uninstalled break the configuration."""
    seen = set(json.loads(SEEN.read_text())) if SEEN.exists() else set()
    there = {path.name for path in (STATE / "extensions").glob("*")}
    for plugin in (seen - there) & set(config().get("plugins", {}).get("entries", {})):
        fail(f"OpenClaw config is invalid\nplugins.entries.{plugin}: plugin manifest not found")
    SEEN.write_text(json.dumps(sorted((seen | there) - set(records()))))


def records():
    return json.loads(RECORDS.read_text()) if RECORDS.exists() else {}


def manifest(plugin):
    return json.loads((STATE / "extensions" / plugin / "openclaw.plugin.json").read_text())


def merged(old, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def install(args, stdin):
    (path,) = [Path(word) for word in args if not word.startswith("--")]
    print(f"WARNING - Installing plugin from local path: {path}")
    if "--force" not in args:
        fail("Install cancelled; rerun with --force after reviewing the source.")
    if any(one.is_file() and one.stat().st_nlink > 1 for one in path.rglob("*")):
        fail("extension entry failed plugin directory boundary checks: ./index.js")
    if "--accept-capabilities" not in args:
        fail('Plugin "hippocortex" requires capability consent. The plugin was not installed.')
    plugin = json.loads((path / "openclaw.plugin.json").read_text())["id"]
    target = STATE / "extensions" / plugin
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(path, target)
    RECORDS.write_text(json.dumps({**records(), plugin: str(path)}))
    data = merged(config(), {"plugins": {"entries": {plugin: {"enabled": True}}}})
    allowed = data["plugins"].get("allow")
    if allowed is not None and plugin not in allowed and not FAKE.get("forgets_allow"):
        allowed.append(plugin)
    if plugin in data["plugins"].get("deny", []):
        data["plugins"]["deny"].remove(plugin)
    save(data)
    print(f"Installed plugin: {plugin}")


def uninstall(args, stdin):
    plugin = args[0]
    known = records()
    if known.pop(plugin, None) is None:
        there = (STATE / "extensions" / plugin).exists()
        why = "has no authoritative package-owner metadata" if there else "is not associated"
        fail(
            f'Plugin "{plugin}" {why}. Refresh the plugin registry and run openclaw plugins doctor.'
        )
    RECORDS.write_text(json.dumps(known))
    shutil.rmtree(STATE / "extensions" / plugin, ignore_errors=True)
    data = config()
    data["plugins"]["entries"][plugin] = {"enabled": False}
    if plugin in data["plugins"].get("allow", []):
        data["plugins"]["allow"].remove(plugin)
    save(data)
    print(f'Uninstalled plugin "{plugin}". Removed: plugin settings, install record, directory.')


def inspect(args, stdin):
    plugin = args[0]
    if not (STATE / "extensions" / plugin).exists():
        fail_as_json(f"Plugin not found: {plugin}. Run `openclaw plugins list`.")
    plugins = config().get("plugins", {})
    entry = plugins.get("entries", {}).get(plugin, {})
    reasons = {
        "plugins disabled": plugins.get("enabled") is False,
        "blocked by denylist": plugin in plugins.get("deny", []),
        "disabled in config": entry.get("enabled") is False,
    }
    off = next((reason for reason, holds in reasons.items() if holds), None)
    hooks, diagnostics = ([], []) if off else hooks_of(plugin, entry)
    said = {
        "id": plugin,
        "version": manifest(plugin)["version"],
        "rootDir": str(STATE / "extensions" / plugin),
        "status": "disabled" if off else "loaded",
        "error": off,
    }
    found = {"plugin": said, "typedHooks": hooks, "diagnostics": diagnostics}
    install = {"install": {"source": "path"}} if plugin in records() else {}
    print("[plugins] loading", plugin)
    print(json.dumps({**found, **install}, indent=2))


def hooks_of(plugin, entry):
    rights = entry.get("hooks", {})
    why = {}
    if rights.get("allowPromptInjection") is False:
        where = f"plugins.entries.{plugin}.hooks.allowPromptInjection=false"
        why["before_prompt_build"] = f"blocked by {where}"
    if rights.get("allowConversationAccess") is not True:
        need = f"plugins.entries.{plugin}.hooks.allowConversationAccess=true"
        why = dict.fromkeys(GATED, f"blocked because non-bundled plugins must set {need}")
    said = [{"level": "warn", "message": f'typed hook "{h}" {w}'} for h, w in why.items()]
    return [{"name": name} for name in (*NOT_GATED, *GATED) if name not in why], said


def get(args, stdin):
    value = materialised(config())
    for name in args[0].split("."):
        if not isinstance(value, dict) or name not in value:
            fail_as_json(f"Config path is valid but unset: {args[0]}.")
        value = value[name]
    print(json.dumps(value, indent=2))


def materialised(data):
    """With the defaults of the manifests, and without secrets, as `config get` shows it."""
    for plugin, entry in data.get("plugins", {}).get("entries", {}).items():
        settings = entry.setdefault("config", {})
        if (STATE / "extensions" / plugin).exists():
            properties = manifest(plugin)["configSchema"]["properties"]
            usual = {n: said["default"] for n, said in properties.items() if "default" in said}
            settings = entry["config"] = usual | settings
        key = settings.get("apiKey", "")
        variable = re.fullmatch(r"\$\{(\w+)\}", key)
        if key and not (variable and not known(variable[1])):
            settings["apiKey"] = "__OPENCLAW_REDACTED__"
    return data


def known(variable):
    dotenv = STATE / ".env"
    written = dotenv.read_text() if dotenv.exists() else ""
    return bool(os.environ.get(variable)) or f"{variable}=" in written


def patch(args, stdin):
    if args != ["--stdin"]:
        fail("only --stdin is known here")
    data = merged(config(), json.loads(stdin))
    for plugin, entry in data.get("plugins", {}).get("entries", {}).items():
        if not (STATE / "extensions" / plugin).exists():
            continue
        unknown = set(entry.get("config", {})) - set(manifest(plugin)["configSchema"]["properties"])
        if unknown:
            fail(f"Config validation failed: plugins.entries.{plugin}.config: {sorted(unknown)}")
    save(data)
    print("Applied 4 config update(s). No gateway restart needed.")


COMMANDS = {
    "plugins install": install,
    "plugins uninstall": uninstall,
    "plugins inspect": inspect,
    "config get": get,
    "config patch": patch,
}

if __name__ == "__main__":
    main(sys.argv[1:])
