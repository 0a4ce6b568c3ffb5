"""Whether the memory server answers, takes the key, and lets it read and write."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from hippocortex_core.config import Settings
from hippocortex_core.envelope import Response, read_envelope
from hippocortex_core.errors import HippocortexError, ValidationError
from hippocortex_core.exchange import RetryPolicy, Send, Unreachable
from hippocortex_core.operations import CaptureBatch, Health, ListArtifacts
from hippocortex_core.transports.http import HttpTransport
from hippocortex_core.types import BatchCaptureResult
from hippocortex_openclaw._install.cli import KEY_VARIABLE
from hippocortex_openclaw._install.settings import is_local, mapping
from hippocortex_openclaw._install.steps import Step

_PATIENCE = 5.0
_DEFAULT_PORT = 8377


@dataclass(frozen=True, slots=True)
class Server:
    """What a memory server answered.

    Attributes:
        url: Of the server.
        reachable: Whether anything of ours answered.
        accepted: Whether it took the key; None if there was none to try.
        version: Of the server, if it says so.
        tenant: Whose memory the key opens, if it says so.
        problem: What is wrong.
        fix: What to do about it.
    """

    url: str
    reachable: bool = False
    accepted: bool | None = None
    version: str | None = None
    tenant: str | None = None
    problem: str | None = None
    fix: str | None = None

    def step(self, *, required: bool) -> Step:
        """A line of a report; what does not work is a failure only if it is required."""
        if self.problem is not None:
            return Step("server", "fail" if required else "warn", self.problem, self.fix)
        version = f" {self.version}" if self.version else ""
        owner = f", tenant {self.tenant!r}" if self.tenant else ""
        message = f"Hippocortex{version} at {self.url}{owner}"
        if self.accepted is None:
            return Step("server", "ok", f"{message}; the key was not tried, it is OpenClaw's")
        return Step("server", "ok", message)


@dataclass(frozen=True)
class _NothingToCapture(CaptureBatch):
    """An empty batch that is sent all the same: it stores nothing, but needs the right to."""

    def answered(self) -> BatchCaptureResult | None:
        return None


class _Observed(HttpTransport):
    """Also remembers whose memory the answers are about."""

    tenant: str | None = None

    def _answer(self, step: Send) -> Response | Unreachable:
        reply = super()._answer(step)
        envelope = read_envelope(reply) if isinstance(reply, Response) else None
        tenant = mapping((envelope or {}).get("meta")).get("tenantId")
        if isinstance(tenant, str):
            self.tenant = tenant
        return reply


def probe(url: str, api_key: str | None, *, try_key: bool = True) -> Server:
    """Ask a server for what the plugin will ask it for; nothing is stored.

    Args:
        url: Of the server.
        api_key: The key to try.
        try_key: False asks only whether it is there, when OpenClaw alone knows the key.
    """
    settings = Settings(url, api_key, timeout=_PATIENCE)
    transport = _Observed(settings, RetryPolicy(retries=0))
    try:
        if not try_key:
            return Server(url, reachable=True, version=transport.send(Health()).version)
        transport.send(ListArtifacts(limit=1))
        _may_write(transport)
        version = _version(transport)
    except HippocortexError as error:
        return _refused(url, error, has_key=api_key is not None)
    finally:
        transport.close()
    return Server(url, reachable=True, accepted=True, version=version, tenant=transport.tenant)


def _version(transport: HttpTransport) -> str | None:
    """Its version; a service of the reference has no health to ask for."""
    try:
        return transport.send(Health()).version
    except HippocortexError:
        return None


def _may_write(transport: HttpTransport) -> None:
    try:
        transport.send(_NothingToCapture(()))
    except ValidationError:
        return  # it minds that there is nothing, not who asks


def _refused(url: str, error: HippocortexError, *, has_key: bool) -> Server:
    if error.code == "unauthorized":
        problem = f"{url} does not accept the API key" if has_key else f"no API key for {url}"
        return Server(url, True, False, problem=problem, fix=_key_fix(url, has_key=has_key))
    if error.code == "forbidden":
        problem = f"the API key may not read and write at {url}: {error.message}"
        return Server(url, True, False, problem=problem, fix="a key with --scope read,write")
    reachable = error.code != "network_error"
    return Server(url, reachable, problem=error.message, fix=_start_fix(url))


def _key_fix(url: str, *, has_key: bool) -> str:
    set_it = f"set {KEY_VARIABLE} to the key that `hippocortex serve` or `keys create` printed"
    if not has_key:
        return set_it
    return "`hippocortex keys list` shows which keys work" if is_local(url) else set_it


def _start_fix(url: str) -> str:
    if not is_local(url):
        return "check the URL, and that the service runs; --base-url names another"
    port = urlsplit(url).port
    other = "" if port in {None, _DEFAULT_PORT} else f" --port {port}"
    return f"hippocortex serve{other}"
