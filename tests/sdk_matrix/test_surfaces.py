"""Each surface of each SDK: with a memory it remembers, and without one nothing is different."""

import json

import pytest

from hippocortex import wrap
from hippocortex_core.testing import HttpHome, answer, reset, stall
from hippocortex_core.testing.llm_server import Answer

pytestmark = pytest.mark.filterwarnings("ignore:The 'output_format' parameter:DeprecationWarning")
FAULTS = [
    reset,
    answer(500, b"oops"),
    answer(200, b"<html>"),
    answer(429, b"{}", {"Retry-After": "60"}),
]


def _injected(llm):
    return json.dumps(llm.asked[-1].body).count("<hippocortex_memory>")


def _expected(surfaces):
    return [("message", surfaces.QUESTION), ("message", surfaces.ANSWER)]


def test_a_wrapped_client_recalls_and_captures(any_case, llm, captured, surfaces):
    client = wrap(any_case.client(llm.url))
    assert any_case.ask(client) == surfaces.ANSWER
    assert _injected(llm) == 1
    assert "It is blue." in json.dumps(llm.asked[-1].body)
    assert captured() == _expected(surfaces)


def test_auto_recalls_and_captures(any_case, llm, captured, surfaces, auto):
    client = any_case.client(llm.url)
    assert any_case.ask(client) == surfaces.ANSWER
    assert _injected(llm) == 1
    assert captured() == _expected(surfaces)


def test_auto_and_wrap_together_do_it_once(any_case, llm, captured, surfaces, auto):
    client = wrap(any_case.client(llm.url))
    assert any_case.ask(client) == surfaces.ANSWER
    assert _injected(llm) == 1
    assert captured() == _expected(surfaces)


def test_what_came_of_an_abandoned_stream_is_captured_once(streamed_case, llm, captured, surfaces):
    client = wrap(streamed_case.client(llm.url))
    said = streamed_case.ask(client, stop=3)
    assert surfaces.ANSWER.startswith(said)
    (question, reply) = captured()
    assert question == ("message", surfaces.QUESTION)
    assert reply[1].startswith(said.strip())
    assert len(reply[1]) < len(surfaces.ANSWER)


def test_what_came_before_a_lost_connection_is_captured_once(
    streamed_case, llm, captured, surfaces
):
    llm.script = lambda asked: Answer(surfaces.ANSWER, breaks_after=9)
    bare = _error(streamed_case, streamed_case.client(llm.url))
    wrapped = _error(streamed_case, wrap(streamed_case.client(llm.url)))
    assert (type(wrapped), str(wrapped)) == (type(bare), str(bare))
    (question, reply) = captured()
    assert question == ("message", surfaces.QUESTION)
    assert reply[1]
    assert surfaces.ANSWER.startswith(reply[1])
    assert len(reply[1]) < len(surfaces.ANSWER)


def test_without_memory_the_call_is_as_it_was(any_case, llm, surfaces, service, impatient):
    fault = FAULTS[any_case.number % len(FAULTS)]
    with HttpHome(service, faults=[fault] * 50) as home:
        client = wrap(any_case.client(llm.url), api_key="hx_test_key", base_url=home.url)
        bare = any_case.client(llm.url)
        assert any_case.ask(client) == any_case.ask(bare) == surfaces.ANSWER
    with_memory, without = llm.asked
    assert with_memory.body == without.body


def test_a_slow_memory_is_waited_for_until_the_deadline(
    any_case, llm, surfaces, service, impatient
):
    with HttpHome(service, faults=[stall] * 50) as home:
        client = wrap(any_case.client(llm.url), api_key="hx_test_key", base_url=home.url)
        assert any_case.ask(client) == surfaces.ANSWER
    assert _injected(llm) == 0


def test_an_error_of_the_model_is_the_callers(any_case, llm, captured, surfaces):
    llm.script = lambda asked: Answer(status=429)
    bare = _error(any_case, any_case.client(llm.url))
    client = wrap(any_case.client(llm.url))
    wrapped = _error(any_case, client)
    assert (type(wrapped), str(wrapped)) == (type(bare), str(bare))
    assert type(wrapped).__name__ == "RateLimitError"
    llm.script = lambda asked: Answer(surfaces.ANSWER)
    assert any_case.ask(client) == surfaces.ANSWER
    assert captured() == _expected(surfaces)  # asked twice, said once


def test_retries_of_the_sdk_are_one_call(any_case, llm, captured, surfaces):
    def script(asked):
        return Answer(status=500) if len(llm.asked) == 1 else Answer(surfaces.ANSWER)

    llm.script = script
    client = wrap(any_case.client(llm.url, max_retries=1))
    assert any_case.ask(client) == surfaces.ANSWER
    first, second = llm.asked
    assert first.body == second.body
    assert captured() == _expected(surfaces)


def _error(case, client):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the question
        case.ask(client)
    return caught.value
