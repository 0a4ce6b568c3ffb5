"""A model, tools; then the agent that the block has made is given work, unless it has some."""

from langchain_core.tools import tool


@tool
def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


GIVEN = {"model": "openai:gpt-5", "tools": [deploy], "deploy": deploy}


def then(names):
    if "config" not in names:
        names["agent"].invoke({"messages": [("user", "Deploy payments to staging")]})
