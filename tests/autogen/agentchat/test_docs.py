"""The page and the example are so; the development environment, without AgentChat, runs neither."""


async def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def test_what_the_page_begins_with_works(page, scripted):
    model = scripted([("c1", "deploy", {"service": "payments"})])
    events = page("AutoGen and AG2", {"model_client": model, "deploy": deploy})
    assert [event.type for event in events] == ["message", "tool_call", "tool_result", "message"]


def test_what_the_page_shows_of_agentchat_is_what_happens(page):
    (event,) = page("AgentChat", {"__name__": "__main__"})
    assert event.metadata["user_id"] == "ann"
