"""A tool, and an agent that has it."""

from agents import Agent, function_tool


@function_tool
def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


agent = Agent("Deployer", instructions="You deploy services.", tools=[deploy])
GIVEN = {"agent": agent, "deploy": deploy}
