"""What programs pass to the SDKs, and what is theirs alone to do with the answer."""

import importlib
import sys

from hippocortex import wrap

NOTHING = ("NOT_GIVEN", "omit", "NotGiven", "Omit")


def _sentinels(sdk):
    """What each SDK has for an argument that is not given."""
    module = importlib.import_module(sdk)
    found = [getattr(module, name, None) for name in NOTHING]
    return [one() if isinstance(one, type) else one for one in found if one is not None]


def _ask(client, messages, **options):
    if hasattr(client, "chat"):
        return client.chat.completions.create(model="m", messages=messages, **options)
    return client.messages.create(model="m", messages=messages, max_tokens=9, **options)


def test_an_argument_that_is_marked_as_not_given_is_none(sdk, llm, home, surfaces):
    names = {"openai": ("tools", "stop"), "anthropic": ("tools", "system")}[sdk]
    sentinels = _sentinels(sdk)
    assert sentinels
    for nothing in sentinels:
        client = wrap(surfaces.client(sdk, llm.url))
        _ask(client, surfaces.MESSAGES, **dict.fromkeys(names, nothing))
        body = llm.asked[-1].body
        assert not {"tools", "stop"} & set(body)
        assert str(body).count("<hippocortex_memory>") == 1
        assert body["messages"][-1] == surfaces.MESSAGES[0]


def test_the_instructions_of_a_response_may_be_marked_as_not_given(llm, home, surfaces):
    if "openai" not in surfaces.sdks():
        return
    for nothing in _sentinels("openai"):
        client = wrap(surfaces.client("openai", llm.url))
        client.responses.create(model="m", input=surfaces.QUESTION, instructions=nothing)
        assert llm.asked[-1].body["instructions"].count("<hippocortex_memory>") == 1


def test_a_raw_answer_is_parsed_by_the_caller_alone(sdk, llm, captured, surfaces, monkeypatch):
    parsed = []
    for kind in _raw_kinds(sdk):
        monkeypatch.setattr(kind, "parse", _noting(kind.parse, parsed))
    client = wrap(surfaces.client(sdk, llm.url))
    resource = client.chat.completions if sdk == "openai" else client.messages
    raw = resource.with_raw_response.create(model="m", messages=surfaces.MESSAGES, max_tokens=9)
    assert captured() == [("message", surfaces.QUESTION), ("message", surfaces.ANSWER)]
    assert parsed == []
    read = raw.parse()
    said = read.choices[0].message.content if sdk == "openai" else read.content[0].text
    assert (said, len(parsed)) == (surfaces.ANSWER, 1)


def _raw_kinds(sdk):
    """The classes of answers that are not parsed yet, of which versions have one or two."""
    modules = (sys.modules.get(f"{sdk}.{name}") for name in ("_response", "_legacy_response"))
    things = [thing for module in modules if module for thing in vars(module).values()]
    return {kind for kind in things if isinstance(kind, type) and "parse" in vars(kind)}


def _noting(parse, parsed):
    def noting(self, *args, **options):
        parsed.append(self)
        return parse(self, *args, **options)

    return noting
