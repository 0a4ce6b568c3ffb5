"""Which artifacts a query gets: its own and no others."""

from __future__ import annotations

import pytest

from hippocortex_core import CaptureEvent, SynthesizeOptions
from hippocortex_engine.synthesizer.matching import Known, met

NO_SEATS = "Error: not enough seats on flight HAT1{0}"
NO_METHOD = "Error: payment method not found"
UNRELATED = [
    "How long should I simmer lentil soup?",
    "May my landlord cancel a furnished letting without notice?",
    "Should I transfer my savings into a pension plan?",
    "Why does this recursive parser raise a type error in Python?",
    "Search for the cheapest way to replace a squeaking door.",
    "Write a poem about the sea at night. Change the last line.",
    "Update the unit tests of my binary search and list what is not covered.",
    "Calculate the yarn I need for a cable scarf.",
]


def run(number, request, tool, error):
    name, call = f"run-{number}", f"call-{number}"

    def event(kind, **payload):
        return CaptureEvent(kind, name, payload)

    yield event("message", role="user", content=request)
    yield event("tool_call", tool="get_reservation", args={"id": f"R{number}00"}, call_id=call)
    yield event("tool_result", tool="get_reservation", result={"cabin": "x"}, call_id=call)
    yield event("tool_call", tool=tool, args={"try": 1}, call_id=call + "a")
    yield event("tool_result", tool=tool, result=error.format(number), call_id=call + "a")
    yield event("tool_call", tool="search_flight", args={"day": number}, call_id=call + "b")
    yield event("tool_result", tool="search_flight", result={"found": 2}, call_id=call + "b")
    yield event("tool_call", tool=tool, args={"try": 2}, call_id=call + "c")
    yield event("tool_result", tool=tool, result={"status": "changed"}, call_id=call + "c")
    yield event("outcome", success=True)


@pytest.fixture
def trained(engine):
    for number in range(4):
        request = "Hi! I want to change my flight to another day, please."
        engine.capture_batch(list(run(number, request, "change_flight", NO_SEATS)))
    for number in range(4, 8):
        request = "Hello, I'd like to book a flight for my upcoming trip."
        engine.capture_batch(list(run(number, request, "book_flight", NO_METHOD)))
    engine.learn()
    return engine


def told(engine, query, *sections):
    entries = engine.synthesize(query, SynthesizeOptions(max_tokens=4_000)).entries
    return [one.content for one in entries if one.section in sections]


def test_a_reported_failure_gets_its_own_playbook_and_no_other(trained):
    found = told(
        trained, "change_flight failed: Error: not enough seats on flight HAT999", "failures"
    )
    assert [text.partition(":")[0] for text in found] == [
        'When `change_flight` fails with "not enough seats on flight <id>"'
    ]


def test_the_same_error_of_another_tool_is_another_failure(trained):
    assert told(trained, "change_flight failed: payment method not found", "failures") == []
    assert len(told(trained, "book_flight failed: payment method not found", "failures")) == 1


def test_a_failure_that_was_never_met_gets_no_playbook(trained):
    assert told(trained, "change_flight failed: Error: the airport is closed", "failures") == []


def test_a_task_is_warned_of_what_is_known_to_fail_in_it(trained):
    found = told(trained, "I want to change my flight, please", "failures")
    assert found
    assert "not enough seats" in found[0]


def test_names_and_courtesies_do_not_hide_what_a_request_is_about(trained):
    query = "Hello there! I'd like to change my flight from Oslo to Port Moresby, ticket QX-81."
    assert told(trained, query, "procedures")[0].startswith("To change flight:")


def test_a_request_is_found_among_the_reasons_given_for_it(trained):
    query = "I want to change my flight to another day. My grandmother twisted her ankle."
    assert told(trained, query, "procedures")[0].startswith("To change flight:")


@pytest.mark.parametrize("query", UNRELATED)
def test_unrelated_queries_get_no_procedure_playbook_or_policy(trained, query):
    assert told(trained, query, "procedures", "failures", "decisions") == []


def test_a_template_of_many_slots_is_looked_for_in_linear_time(trained):
    assert told(trained, "not enough seats on flight " * 140, "failures")


@pytest.fixture
def terse(engine):
    """A memory whose tools say little when they fail."""
    errors = ["Not found.", "no access", "in use", "it is not there at all", "art <id> ends"]
    for number in range(3 * len(errors)):
        kind = number % len(errors)
        request = "please look up the customer record for me"
        engine.capture_batch(
            list(run(number, request, f"call_tool{kind}", f"Error: {errors[kind]}"))
        )
    engine.learn()
    return engine


@pytest.mark.parametrize(
    "query",
    [
        "The treasure of the pharaoh was not found. What books tell about it?",
        "My sister has no access to the swimming pool, what sports can she do?",
        "Is a gramophone still in use in any household?",
        "Which piano accessory is cheap, and how many cabin users does a sauna serve?",
        "I looked for the museum, it is not there at all, where did it move to?",
    ],
)
def test_words_that_people_say_of_anything_bring_no_playbook(terse, query):
    assert told(terse, query, "failures") == []


@pytest.mark.parametrize(
    "query",
    [
        "call_tool0 failed: Not found.",
        "The customer record was not found",
        "Error: no access to the customer record",
        "call_tool3 says it is not there at all",
    ],
)
def test_a_short_error_brings_its_playbook_with_the_tool_or_with_its_matter(terse, query):
    assert told(terse, query, "failures")


def test_an_error_is_met_in_whole_words_only():
    def holds(error, text):
        return bool(met([Known(0, "tool", error)], text))

    assert holds("no access", "there is no access, it says")
    assert not holds("no access", "this piano accessory")
    assert not holds("no access", "a piano access")
    assert not holds("no access", "there is no accessory")
    assert holds("art <id> ends", "art 7 ends")
    assert not holds("art <id> ends", "smart 7 ends")
    assert holds("code<n> of line<n>", "code12 of line9")


def test_queries_of_unknown_users_leave_nothing_behind(trained):
    trained.synthesize("change my flight", SynthesizeOptions(user_id="somebody"))
    owners = trained._cache._knowledge.index.owners.names
    known = list(owners)
    for number in range(20):
        trained.synthesize("change my flight", SynthesizeOptions(user_id=f"stranger-{number}"))
    assert owners == known
    assert "somebody" not in known
