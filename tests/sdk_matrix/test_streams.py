"""A stream of a wrapped client is the SDK's own in every respect that a program can see."""

import gc
import importlib
import json

from hippocortex import wrap

CALLS = {
    "openai": lambda client, messages: client.chat.completions.create(
        model="m", messages=messages, stream=True
    ),
    "anthropic": lambda client, messages: client.messages.create(
        model="m", messages=messages, stream=True, max_tokens=9
    ),
}


def _open(sdk, llm, surfaces):
    client = wrap(surfaces.client(sdk, llm.url))
    return CALLS[sdk](client, surfaces.MESSAGES)


def test_a_stream_has_its_class_and_its_response(sdk, llm, home, surfaces):
    module = importlib.import_module(sdk)
    with _open(sdk, llm, surfaces) as stream:
        assert isinstance(stream, module.Stream)
        assert type(stream) is module.Stream
        assert stream.response.status_code == 200
        assert next(stream) is not None
        assert not stream.response.is_closed
    assert stream.response.is_closed


def test_chunks_are_those_of_an_unwrapped_client(sdk, llm, home, surfaces):
    bare = [_shape(item) for item in CALLS[sdk](surfaces.client(sdk, llm.url), surfaces.MESSAGES)]
    assert [_shape(item) for item in _open(sdk, llm, surfaces)] == bare


def _shape(item):
    found = json.loads(item.model_dump_json())
    for place in (found, found.get("message") or {}):
        place.pop("id", None)
    return type(item), found


def test_closing_without_reading_is_allowed(sdk, llm, captured, surfaces):
    stream = _open(sdk, llm, surfaces)
    stream.close()
    stream.close()
    assert captured() == [("message", surfaces.QUESTION)]


def test_a_dropped_stream_is_captured_and_closed_as_ever(sdk, llm, captured, surfaces):
    bare = CALLS[sdk](surfaces.client(sdk, llm.url), surfaces.MESSAGES)
    wrapped = _open(sdk, llm, surfaces)
    responses = bare.response, wrapped.response
    for _ in range(4):
        next(bare)
        next(wrapped)
    del bare, wrapped
    gc.collect()
    assert responses[0].is_closed == responses[1].is_closed
    for response in responses:
        response.close()
    assert len(captured()) == 2


def test_reading_to_the_end_twice_captures_once(sdk, llm, captured, surfaces):
    stream = _open(sdk, llm, surfaces)
    assert len(list(stream)) > 3
    assert list(stream) == []
    stream.close()
    assert captured() == [("message", surfaces.QUESTION), ("message", surfaces.ANSWER)]


def test_lines_of_a_streaming_response_pass_untouched(sdk, llm, captured, surfaces):
    client = wrap(surfaces.client(sdk, llm.url))
    resource = client.chat.completions if sdk == "openai" else client.messages
    options = {"max_tokens": 9} if sdk == "anthropic" else {}
    create = resource.with_streaming_response.create
    with create(model="m", messages=surfaces.MESSAGES, stream=True, **options) as response:
        lines = [line for line in response.iter_lines() if line.startswith("data:")]
    assert len(lines) > 5
    assert captured() == [("message", surfaces.QUESTION)]  # nobody parsed the answer
