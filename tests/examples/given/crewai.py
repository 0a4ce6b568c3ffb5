"""An agent with a tool, and its task; then the crew gets to work."""

from crewai import Agent, Task
from crewai.tools import tool


@tool
def deploy_service(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


deployer = Agent(
    role="Deployer",
    goal="Deploy services",
    backstory="You deploy services.",
    llm="openai/gpt-4o",
    tools=[deploy_service],
)
deploy = Task(description="Deploy payments", expected_output="one line", agent=deployer)
GIVEN = {"deployer": deployer, "deploy": deploy}


def then(names):
    names["crew"].kickoff()
