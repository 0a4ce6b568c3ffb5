"""The page and the example are so; the development environment, without AutoGen, runs neither."""


def test_what_the_page_shows_of_classic_autogen_works(page, scripted):
    names = {"assistant": scripted.agent("It is live."), "user": scripted.user()}
    events = page("Classic AutoGen", names)
    assert [event.payload["role"] for event in events] == ["user", "assistant"]
