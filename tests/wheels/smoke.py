"""What must hold wherever built distributions of Hippocortex are installed, in whatever choice.

`nox -s wheels` copies this file out of the checkout and runs it in fresh environments: standard
library and Hippocortex only.

    python smoke.py VERSION [FRAMEWORK…]    # the frameworks whose versions are printed
"""

import importlib
import json
import pkgutil
import subprocess
import sys
from importlib.metadata import distributions, version
from pathlib import Path
from tempfile import TemporaryDirectory

import hippocortex
from hippocortex import CaptureEvent, ConfigurationError, MissingExtraError, SyncHippocortex

FACADES = {
    module.name: f"hippocortex-{module.name.replace('_', '-')}"
    for module in pkgutil.iter_modules(importlib.import_module("hippocortex.adapters").__path__)
    if not module.name.startswith("_")
}


def check(holds, what):
    """Say what is wrong, and stop."""
    if not holds:
        sys.exit(f"FAILED: {what}")


def own():
    """Our distributions that are installed, with their versions."""
    found = {one.metadata["Name"]: one for one in distributions()}
    return {name: one for name, one in found.items() if name.startswith("hippocortex")}


def check_distributions(expected):
    """One version everywhere, typed, and from outside of any checkout."""
    check(hippocortex.__version__ == expected, f"it is {hippocortex.__version__}")
    for name, one in own().items():
        check(one.version == expected, f"{name} is {one.version}")
        files = [str(path) for path in one.files or ()]
        check(any(path.endswith("py.typed") for path in files), f"{name} is not typed")
        check(one.metadata["License-Expression"] == "MIT", f"{name} names no license")
        check(one.metadata["Description"], f"{name} describes nothing")
    check("site-packages" in hippocortex.__file__, hippocortex.__file__)


def check_facades():
    """Every adapter that is installed gives all its names; any other says how to install it."""
    for facade, distribution in FACADES.items():
        module = importlib.import_module(f"hippocortex.adapters.{facade}")
        there = distribution in own()
        for name in module.__all__:
            check((complaint(module, name) is None) is there, f"{name} of {facade}")


def complaint(module, name):
    """What asking for the name says of an extra of ours that lacks; None: nothing lacks.

    A name may be for another framework than the extra brings, and then says so.
    """
    try:
        getattr(module, name)
    except MissingExtraError as error:
        check("pip install '" in str(error), error)
        return str(error) if "hippocortex[" in str(error) else None
    return None


def check_memory():
    """With an engine it remembers and learns; without one it says what to install."""
    if "hippocortex-engine" not in own():
        try:
            SyncHippocortex()
        except ConfigurationError as error:
            check("pip install 'hippocortex[local]'" in str(error), error)
            return
        sys.exit("FAILED: there is a memory without an engine")
    with (
        TemporaryDirectory() as folder,
        SyncHippocortex(base_url=f"sqlite:///{folder}/memory.db") as memory,
    ):
        memory.capture(
            CaptureEvent("message", "s1", {"role": "user", "content": "I prefer the aisle seat."})
        )
        memory.learn()
        (entry, *_) = memory.synthesize("which seat does the user prefer?").entries
        check("aisle" in entry.content, entry)


def check_commands():
    """The command line runs, and says what lacks."""
    command = str(Path(sys.executable).parent / "hippocortex")
    check(expected_in([command, "--version"], hippocortex.__version__), "--version")
    if "hippocortex-server" in own():
        check_server(command)
    else:
        check(expected_in([command, "serve"], "pip install 'hippocortex[server]'"), "serve")
    if "hippocortex-openclaw" in own():
        printed = run([command, "openclaw", "install", "--print"])
        check(printed.returncode == 0 and "allowConversationAccess" in printed.stdout, printed)
    if "hippocortex-engine" in own():
        check(expected_in([command, "demo"], "Budget: "), "demo")


def check_server(command):
    """It starts, takes an event, and ends when it is told to."""
    with TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [command, "serve", "--port", "0", "--json", "--store", f"{folder}/memory.db"],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            started = json.loads(server.stdout.readline())
            with SyncHippocortex(base_url=started["url"], api_key=started["firstKey"]) as memory:
                done = memory.capture(CaptureEvent("message", "s1", {"content": "hello"}))
                check(done.status == "ingested", done)
        finally:
            server.terminate()
            server.wait(30)
            server.stdout.close()
        check(server.returncode == 0, f"the server ended with {server.returncode}")


def run(command):
    """Run it, with its errors in what it prints."""
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def expected_in(command, text):
    """Whether it prints the text."""
    done = run(command)
    if text not in done.stdout:
        print(done.stdout)
    return text in done.stdout


if __name__ == "__main__":
    check_distributions(sys.argv[1])
    check_facades()
    check_memory()
    check_commands()
    print(f"{len(own())} distributions of {sys.argv[1]} work on Python {sys.version.split()[0]}.")
    for framework in sys.argv[2:]:
        print(f"  {framework} {version(framework)}")
