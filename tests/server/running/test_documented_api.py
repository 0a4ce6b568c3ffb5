"""docs/server.md: every endpoint is there, and what it shows is what a server answers.

Under the heading of an endpoint, one JSON block is the request's body and the next the `data` of
the answer; a line of nothing but `GET /v1/…` is the request where there is no body.  "..." stands
for any value, and at the end of a list for any further ones.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from hippocortex.cli.app import app
from hippocortex_core.errors import ERRORS
from hippocortex_core.operations import OPERATIONS

DOCUMENT = Path(__file__).parents[3] / "docs" / "server.md"
HEADING = re.compile(r"^### (?P<method>GET|POST) (?P<path>/v1\S+)$", re.MULTILINE)
REQUEST = re.compile(r"^`(?P<method>GET|POST) (?P<target>/v1\S+)`$", re.MULTILINE)
BLOCK = re.compile(r"^```json\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    text: str

    @property
    def name(self):
        return f"{self.method} {self.path}"

    @property
    def blocks(self):
        return [json.loads(block["body"]) for block in BLOCK.finditer(self.text)]

    @property
    def call(self):
        """Method, target, body and the data that is shown."""
        if shown := REQUEST.search(self.text):
            (data,) = self.blocks
            return shown["method"], shown["target"], None, data
        body, data = self.blocks
        return self.method, self.path, body, data


def endpoints():
    text = DOCUMENT.read_text(encoding="utf-8")
    found = list(HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [
        Endpoint(match["method"], match["path"], text[match.end() : end])
        for match, end in zip(found, ends, strict=True)
    ]


def differences(shown, found, where="data"):
    """Where the answer is not what is shown."""
    if shown == "...":
        return []
    if isinstance(shown, dict) and isinstance(found, dict):
        if shown.keys() != found.keys():
            return [f"{where}: has {sorted(found)}, shown are {sorted(shown)}"]
        pairs = [(f"{where}.{name}", shown[name], found[name]) for name in shown]
    elif isinstance(shown, list) and isinstance(found, list):
        wanted = shown[:-1] if shown[-1:] == ["..."] else shown
        if len(wanted) > len(found) or (wanted is shown and len(wanted) != len(found)):
            return [f"{where}: has {len(found)} items, shown are {len(wanted)}"]
        pairs = [(f"{where}[{n}]", one, found[n]) for n, one in enumerate(wanted)]
    else:
        return [] if shown == found else [f"{where}: is {found!r}, shown is {shown!r}"]
    return [one for place, want, got in pairs for one in differences(want, got, place)]


def test_every_operation_is_documented_with_its_scope():
    documented = {endpoint.name: endpoint.text for endpoint in endpoints()}
    assert documented.keys() == {f"{one.method} /v1{one.path}" for one in OPERATIONS}
    for operation in OPERATIONS:
        text = documented[f"{operation.method} /v1{operation.path}"]
        said = "No key." if operation.name == "health" else f"Scope `{operation.scope}`."
        assert said in text, operation.name


def test_every_endpoint_answers_as_it_is_documented(start):
    server = start()
    wrong = {}
    with server.client() as client:
        for endpoint in endpoints():
            method, target, body, shown = endpoint.call
            answer = client.request(method, server.url.removesuffix("/v1") + target, json=body)
            assert answer.status_code == 200, (endpoint.name, answer.text)
            if found := differences(shown, answer.json()["data"]):
                wrong[endpoint.name] = found
    assert wrong == {}


def test_every_error_code_is_documented_with_its_status():
    text = DOCUMENT.read_text(encoding="utf-8")
    for error in ERRORS.values():
        if error.status:
            assert f"| `{error.code}` | {error.status} |" in text


@pytest.mark.parametrize("command", ["serve", "keys create", "keys quota"])
def test_every_option_is_documented(command):
    text = DOCUMENT.read_text(encoding="utf-8")
    found = typer.main.get_command(app)
    for name in command.split():
        found = found.commands[name]
    missing = [
        word
        for parameter in found.params
        for word in (*parameter.opts, *_variables(parameter))
        if word.startswith(("--", "HIPPOCORTEX_")) and f"`{word}" not in text and word not in text
    ]
    assert missing == []


def _variables(parameter):
    found = getattr(parameter, "envvar", None)
    return [found] if isinstance(found, str) else found or []
