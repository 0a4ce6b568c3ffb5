"""A session keeps a conversation exactly, in every home, whatever happens around it."""

import asyncio
import json

import pytest
from agents import Agent, Runner, SQLiteSession

from hippocortex_core import SyncHippocortex, session
from hippocortex_core.errors import HippocortexError
from hippocortex_core.recorder.recorder import close_shared
from hippocortex_core.testing import HttpHome, InMemoryService
from hippocortex_core.testing.http_home import answer
from hippocortex_openai_agents import HippocortexSession


@pytest.fixture(autouse=True)
def _close():
    yield
    close_shared(5)


@pytest.fixture
def conversation(contract_home):
    """Makes sessions in one home."""

    def make(session_id="ticket", **options):
        return HippocortexSession(
            session_id, base_url=contract_home, api_key="hx_test_contract", **options
        )

    return make


def items(*texts):
    return [{"role": "user", "content": text} for text in texts]


def texts(found):
    return [item["content"] for item in found]


async def all_of(found):
    return texts(await found.get_items())


def test_items_come_back_in_order_and_exactly(conversation):
    odd = [
        {"role": "user", "content": 'quotes " and \\ and \x00 and \ud83d and ümläut'},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"b": 1, "a": [1e9]}'},
        {"type": "reasoning", "id": "r", "summary": [], "big": 2**80, "none": None},
    ]

    async def use():
        await conversation().add_items(odd)
        await conversation().add_items(items("last"))
        return await conversation().get_items()

    found = asyncio.run(use())
    assert found == [*odd, *items("last")]
    assert list(found[1]) == list(odd[1])


def test_a_limit_gives_the_newest(conversation):
    async def use():
        found = conversation(session_settings={"limit": 2})
        await found.add_items(items(*"abcdef"))
        return [texts(await found.get_items(limit)) for limit in (3, 0, 100, None)]

    three, none, many, _ = asyncio.run(use())
    assert (three, none, many) == (list("def"), [], list("abcdef"))


def test_pop_takes_the_newest_and_clear_all(conversation):
    async def use():
        found = conversation()
        await found.add_items(items("a", "b", "c"))
        popped = [await found.pop_item(), await found.pop_item()]
        left = await all_of(found)
        await found.clear_session()
        return texts(popped), left, await found.pop_item(), await found.get_items()

    assert asyncio.run(use()) == (["c", "b"], ["a"], None, [])


def test_an_item_larger_than_a_document_is_kept(conversation):
    large = {"role": "user", "content": [{"type": "input_image", "image_url": 'ä"x' * 700_000}]}

    async def use():
        found = conversation()
        await found.add_items([*items("before"), large, *items("after")])
        newest = [await found.get_items(limit) for limit in (1, 2)]
        popped = [await found.pop_item(), await found.pop_item()]
        return newest, popped, await all_of(found)

    newest, popped, left = asyncio.run(use())
    assert newest == [items("after"), [large, *items("after")]]
    assert popped == [*items("after"), large]
    assert left == ["before"]


def test_a_long_conversation_is_read_in_pages(conversation):
    said = [str(number) for number in range(1_234)]

    async def use():
        found = conversation()
        await found.add_items(items(*said))
        whole, some = await all_of(found), texts(await found.get_items(450))
        await found.clear_session()
        return whole, some, await found.get_items()

    assert asyncio.run(use()) == (said, said[-450:], [])


def test_everybody_may_add_and_pop_at_once(conversation):
    async def use():
        sessions = [conversation() for _ in range(8)]
        await asyncio.gather(
            *(one.add_items(items(f"{n}a", f"{n}b")) for n, one in enumerate(sessions))
        )
        kept = await all_of(sessions[0])
        popped = await asyncio.gather(*(one.pop_item() for one in sessions for _ in range(3)))
        return kept, [item["content"] for item in popped if item], await all_of(sessions[0])

    kept, popped, left = asyncio.run(use())
    pairs = list(zip(kept[::2], kept[1::2], strict=True))
    assert sorted(pairs) == [(f"{n}a", f"{n}b") for n in range(8)]
    assert (sorted(popped), left) == (sorted(kept), [])


def test_users_and_sessions_have_conversations_of_their_own(conversation):
    async def use():
        await conversation(user_id="ann").add_items(items("of ann"))
        await conversation(user_id="bob").add_items(items("of bob"))
        await conversation().add_items(items("of nobody"))
        await conversation("other", user_id="ann").add_items(items("elsewhere"))
        await conversation("x" * 3_000).add_items(items("of a long name"))
        with session(user_id="ann"):
            of_ann = conversation()
        shared = conversation()
        with session(user_id="bob"):
            where_used = await all_of(shared)
        return await all_of(of_ann), where_used, await all_of(shared)

    assert asyncio.run(use()) == (["of ann"], ["of bob"], ["of nobody"])


def test_forgetting_a_user_takes_the_conversation_along(conversation, contract_home):
    async def add():
        await conversation(user_id="ann").add_items(items("of ann"))

    asyncio.run(add())
    with SyncHippocortex("hx_test_contract", contract_home) as memory:
        memory.forget(user_id="ann")
    assert asyncio.run(conversation(user_id="ann").get_items()) == []


def test_a_run_goes_on_where_the_last_process_stopped(conversation, scripted):
    model = scripted("The aisle, noted.", "The aisle.")
    agent = Agent("Travel", model=model)

    async def talk(text):
        return (await Runner.run(agent, text, session=conversation())).final_output

    asyncio.run(talk("I prefer the aisle"))
    close_shared(5)
    assert asyncio.run(talk("Which seat do I prefer?")) == "The aisle."
    said = [item.get("content") for item in model.asked[1][1]]
    assert said[0] == "I prefer the aisle"
    assert said[-1] == "Which seat do I prefer?"


# --- a home that fails ---------------------------------------------------------------------------


def test_what_is_added_while_the_home_is_down_waits_for_it(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")
    with HttpHome(InMemoryService(), faults=[answer(503)] * 2) as home:

        async def use():
            found = HippocortexSession("ticket", base_url=home.url)
            found.detach()  # nothing but the conversation is sent
            await found.add_items(items("first"))
            down = await all_of(found)
            await found.add_items(items("second"))
            return (
                down,
                await all_of(found),
                await all_of(HippocortexSession("ticket", base_url=home.url)),
            )

        assert asyncio.run(use()) == (["first"], ["first", "second"], ["first", "second"])


def test_taking_something_away_says_when_it_did_not_work():
    with HttpHome(InMemoryService(), faults=[answer(503)] * 4) as home:

        async def use():
            found = HippocortexSession("ticket", base_url=home.url)
            for take in (found.pop_item, found.clear_session):
                with pytest.raises(HippocortexError):
                    await take()

        asyncio.run(use())


def test_what_the_home_refuses_for_good_does_not_wait(monkeypatch):
    monkeypatch.setenv("HIPPOCORTEX_STRICT", "0")
    with HttpHome(InMemoryService(), faults=[answer(413)]) as home:

        async def use():
            found = HippocortexSession("ticket", base_url=home.url)
            found.detach()
            await found.add_items(items("too large"))
            await found.add_items(items("fine"))
            return await all_of(found)

        assert asyncio.run(use()) == ["fine"]


# --- around another session ----------------------------------------------------------------------


class Compacting(SQLiteSession):
    """A session with a method that runs look for."""

    def __init__(self):
        super().__init__("inner")
        self.compacted = []

    async def run_compaction(self, args=None):
        self.compacted.append(args)


def test_another_session_may_keep_the_items(reading):
    inner = Compacting()
    outer = HippocortexSession("ticket", inner, client=reading.recorder)

    async def use():
        await outer.add_items(items("a", "b"))
        return await outer.get_items(1), await outer.pop_item(), await inner.get_items()

    assert asyncio.run(use()) == (items("b")[:1], items("b")[0], items("a"))
    assert reading.said == [("user", "a"), ("user", "b")]
    assert {event.session_id for event in reading.events} == {"ticket"}
    assert outer.run_compaction == inner.run_compaction
    inner.close()


def test_it_can_do_no_more_than_the_one_inside():
    assert not hasattr(HippocortexSession("ticket"), "run_compaction")
    inner = SQLiteSession("inner")
    assert not hasattr(HippocortexSession("ticket", inner), "run_compaction")
    inner.close()


def test_unknown_settings_are_refused():
    if HippocortexSession("ticket").session_settings is None:
        pytest.skip("this version of the SDK has no settings of sessions")
    with pytest.raises(TypeError, match="Unknown session settings: limitt"):
        HippocortexSession("ticket", session_settings={"limitt": 1})


def test_nothing_of_a_conversation_is_learned_from_twice(conversation, contract_home):
    """The documents of a session are no events: those come from capturing."""

    async def add():
        await conversation(user_id="ann").add_items(items("I prefer the aisle"))

    asyncio.run(add())
    close_shared(5)
    with SyncHippocortex("hx_test_contract", contract_home) as memory:
        events = memory.list_events().events
    assert [json.dumps(event.payload) for event in events] == [
        '{"role": "user", "content": "I prefer the aisle"}'
    ]
    assert [event.metadata for event in events] == [{"user_id": "ann"}]
