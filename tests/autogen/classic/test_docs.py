"""The page and the example are so; the development environment, without AutoGen, runs neither."""


def test_what_the_page_shows_of_classic_autogen_works(page, scripted):
    names = {"assistant": scripted.agent("It is live."), "user": scripted.user()}
    events = page("Classic AutoGen", names)
    assert [event.payload["role"] for event in events] == ["user", "assistant"]


def test_the_example_prints_what_it_promises(example):
    printed = example("autogen_classic")
    assert "monday:\n  Error: pending migrations" in printed
    assert "'failure_playbook': 1" in printed
    learned = "  the database of payments is up to date\n  payments is live on staging"
    assert f"tuesday:\n{learned}" in printed
