"""The page is so; the development environment, without AG2, cannot run it."""


async def deploy(service: str) -> str:
    """Deploy a service."""
    return f"{service} is live"


def test_what_the_page_shows_of_ag2_works(page, scripted):
    config = scripted([("c1", "deploy", {"service": "payments"})], "It is live.", "It is.")
    events = page("AG2 1.0", {"config": config, "deploy": deploy})
    kinds = ["message", "tool_call", "tool_result", "message", "message", "message"]
    assert [event.type for event in events] == kinds
    assert [(event.metadata or {}).get("user_id") for event in events[3:]] == [None, "ann", "ann"]
