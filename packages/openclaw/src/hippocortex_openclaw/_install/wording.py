"""What an install means, in words to agree to; and how somebody does it by hand."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hippocortex_core.config import CLOUD_URL
from hippocortex_openclaw._install.installing import commands
from hippocortex_openclaw._install.places import PLUGIN, copy_place, packaged, packaged_version
from hippocortex_openclaw._install.settings import Wanted, config_patch, shown


def explanation(url: str, agents: Sequence[str] | None) -> list[str]:
    """What the plugin is going to be allowed.

    Args:
        url: The server that it talks to.
        agents: Whom it works for; None or empty is everybody.
    """
    who = f"the agents {', '.join(agents)}" if agents else "all agents"
    hosted = " (the hosted service; --base-url names another)" if url == CLOUD_URL else ""
    return [
        f"This lets the Hippocortex plugin {packaged_version()}, for {who} of OpenClaw,",
        "  - read conversations: what is said, which tools are called and what they return",
        "  - put what it remembers into prompts, and offer the tool hippocortex_search",
        f"  - send what it reads, secrets redacted, to {url}{hosted}",
    ]


@dataclass(frozen=True)
class ByHand:
    """What somebody types who installs the plugin without us.

    Attributes:
        agents: Whom it works for; None or empty is everybody.
        source: The plugin as it was packaged.
        copy: Where a real copy of it goes.
        patch: Of OpenClaw's configuration, without a key.
        url: The server that the plugin talks to.
    """

    agents: Sequence[str] | None
    source: str
    copy: Path
    patch: dict[str, Any]
    url: str

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of OpenClaw, in order."""
        return commands(self.copy)

    def script(self) -> list[str]:
        """Everything, as lines for a shell."""
        return [
            *(f"# {line}" for line in explanation(self.url, self.agents)),
            "# OpenClaw refuses hard links, which package managers make: give it a copy.",
            f"rm -rf {shlex.quote(str(self.copy))}",
            f"mkdir -p {shlex.quote(str(self.copy.parent))}",
            f"cp -R {shlex.quote(self.source)} {shlex.quote(str(self.copy))}",
            self.commands[0],
            *patch_script(self.patch),
            f"openclaw plugins inspect {PLUGIN} --runtime",
        ]


def by_hand(wanted: Wanted, environ: Mapping[str, str] | None = None) -> ByHand:
    """The way without us, for the settings that are wanted."""
    environ = os.environ if environ is None else environ
    changes = wanted.changes({})
    patch = shown(config_patch(changes))
    copy = copy_place(environ)
    return ByHand(wanted.agents, str(packaged()), copy, patch, changes["baseUrl"])


def patch_script(patch: Mapping[str, Any]) -> list[str]:
    """The command that applies a patch, as lines for a shell."""
    return [
        f"# Where plugins.allow is set, it must list {PLUGIN!r} too.",
        "openclaw config patch --stdin <<'EOF'",
        *json.dumps(patch, indent=2).splitlines(),
        "EOF",
    ]
