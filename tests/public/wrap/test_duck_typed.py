"""Clients that are no SDK's but look like one."""

import asyncio
from types import SimpleNamespace

import pytest

from hippocortex import wrap
from hippocortex.wrap import unwrap

USER = {"role": "user", "content": "Deploy payments"}
SAID = [("user", "Deploy payments"), ("assistant", "Hello world")]
CHUNKS = [
    {"choices": [{"delta": {"content": "Hello "}}]},
    {"choices": [{"delta": {"content": "world"}}]},
]
REPLY = {"choices": [{"message": {"content": "Hello world"}}]}


def _client(create):
    return SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))


def _messages(create):
    return SimpleNamespace(messages=SimpleNamespace(create=create))


class Stream:
    """A stream object of some other library."""

    def __init__(self):
        self._chunks = iter(CHUNKS)
        self.closed = False
        self.quota = 7

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._chunks)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True

    def close(self):
        self.closed = True


class AsyncStream:
    def __init__(self):
        self._chunks = iter(CHUNKS)
        self.closed = False

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return next(self._chunks)
        except StopIteration:
            raise StopAsyncIteration from None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        self.closed = True


def test_a_sync_client_is_met_at_its_method(home):
    home.knows("Deploy payments with make")
    sent = []
    client = _client(lambda **kwargs: sent.append(kwargs) or REPLY)
    assert wrap(client) is client
    given = [USER]
    assert client.chat.completions.create(model="m", messages=given) is REPLY
    assert given == [USER]
    assert "with make" in sent[0]["messages"][0]["content"]
    assert sent[0]["messages"][1] is USER
    assert home.said == SAID


def test_an_async_client_is_awaited(home):
    async def create(**kwargs):
        return REPLY

    client = wrap(_client(create))
    assert asyncio.run(client.chat.completions.create(messages=[USER])) is REPLY
    assert home.said == SAID


def test_a_method_that_returns_an_awaitable_is_understood(home):
    async def answer():
        return REPLY

    client = wrap(_client(lambda **kwargs: answer()))

    async def main():
        return await client.chat.completions.create(messages=[USER])

    assert asyncio.run(main()) is REPLY
    assert home.said == SAID


def test_a_generator_of_messages_is_read_once_and_arrives_whole(home):
    sent = []
    client = wrap(_client(lambda **kwargs: sent.append(kwargs) or REPLY))
    client.chat.completions.create(messages=(message for message in [USER]))
    assert list(sent[0]["messages"]) == [USER]
    assert home.said == SAID


def test_a_generator_of_chunks_passes_and_is_captured(home):
    def create(**kwargs):
        yield from CHUNKS

    client = wrap(_client(create))
    assert list(client.chat.completions.create(messages=[USER], stream=True)) == CHUNKS
    assert home.said == SAID


def test_an_abandoned_generator_is_closed_and_captured(home):
    closed = []

    def create(**kwargs):
        try:
            yield from CHUNKS
        finally:
            closed.append(True)

    stream = wrap(_client(create)).chat.completions.create(messages=[USER], stream=True)
    next(stream)
    stream.close()
    assert closed == [True]
    assert home.said == [SAID[0], ("assistant", "Hello ")]


def test_an_async_generator_passes_and_is_captured(home):
    async def create(**kwargs):
        for chunk in CHUNKS:
            yield chunk

    client = wrap(_client(create))

    async def main():
        return [c async for c in client.chat.completions.create(messages=[USER], stream=True)]

    assert asyncio.run(main()) == CHUNKS
    assert home.said == SAID


def test_a_foreign_stream_keeps_its_class_and_attributes(home):
    client = wrap(_client(lambda **kwargs: Stream()))
    with client.chat.completions.create(messages=[USER], stream=True) as stream:
        assert isinstance(stream, Stream)
        assert stream.quota == 7
        assert list(stream) == CHUNKS
    assert stream.closed
    assert home.said == SAID


def test_a_foreign_async_stream_is_captured(home):
    async def create(**kwargs):
        return AsyncStream()

    client = wrap(_client(create))

    async def main():
        async with await client.chat.completions.create(messages=[USER], stream=True) as stream:
            return [chunk async for chunk in stream]

    assert asyncio.run(main()) == CHUNKS
    assert home.said == SAID


def test_a_client_with_messages_create_speaks_anthropics_format(home):
    sent = []
    reply = {"content": [{"type": "text", "text": "Hello world"}]}
    client = wrap(_messages(lambda **kwargs: sent.append(kwargs) or reply))
    home.knows("Deploy payments with make")
    client.messages.create(messages=[USER], system=object())
    assert "with make" in sent[0]["system"]
    assert sent[0]["messages"] == [USER]
    assert home.said == SAID


def test_wrapping_twice_is_wrapping_once(home):
    client = _client(lambda **kwargs: REPLY)
    assert wrap(wrap(client)) is client
    client.chat.completions.create(messages=[USER])
    assert home.said == SAID


def test_wrapping_again_with_options_takes_the_new_ones(home):
    client = wrap(wrap(_client(lambda **kwargs: REPLY), session_id="a"), session_id="b")
    client.chat.completions.create(messages=[USER])
    assert {event.session_id for event in home.events} == {"b"}
    assert home.said == SAID


def test_unwrapping_restores_the_method(home):
    def create(**kwargs):
        return REPLY

    client = wrap(_client(create))
    assert client.chat.completions.create is not create
    assert unwrap(client) is client
    assert client.chat.completions.create is create
    assert unwrap(client) is client


class Methods:
    def create(self, **kwargs):
        return REPLY


def test_unwrapping_uncovers_the_method_of_the_class(home):
    client = SimpleNamespace(chat=SimpleNamespace(completions=Methods()))
    unwrap(wrap(client))
    assert vars(client.chat.completions) == {}


class Fleeting:
    """A client whose resources are other objects at every look: nothing put there would stay."""

    @property
    def messages(self):
        return Methods()


class Slots:
    __slots__ = ()

    def create(self, **kwargs):
        return REPLY


@pytest.mark.parametrize(
    "client",
    [object(), 7, None, Fleeting(), SimpleNamespace(messages=Slots())],
    ids=["object", "number", "None", "fleeting", "slots"],
)
def test_an_unknown_client_comes_back_unchanged_with_one_warning(client):
    with pytest.warns(UserWarning, match="returned unchanged") as warned:
        assert wrap(client) is client
    assert len(warned) == 1
    assert warned[0].filename == __file__


def test_a_model_within_a_model_is_remembered_once(home):
    inner = wrap(_client(lambda **kwargs: REPLY), session_id="inner")
    outer = wrap(_client(inner.chat.completions.create))
    outer.chat.completions.create(messages=[USER])
    assert home.said == SAID
