"""A model client, that of an example, and a tool; then the agent is given a task."""

import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "autogen_team" / "main.py"


async def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


GIVEN = {"model_client": runpy.run_path(str(EXAMPLE))["Deployer"](), "deploy": deploy}


async def then(names):
    await names["agent"].run(task="Deploy payments to staging")
