"""What a question finds: neighbours, sessions, speakers, dates; whatever the order of capture."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hippocortex_core import CaptureEvent, SynthesizeOptions


def said(text, session="s", day=1, **payload):
    when = f"2025-03-{day:02}T09:00:00Z"
    payload = {"role": "user", "content": text, **payload}
    return CaptureEvent("message", session, payload, occurred_at=when)


CHATTER = [
    "the printer on the second floor is out of toner",
    "lunch was pasta with mushrooms today",
    "somebody left a blue umbrella in the lobby",
    "the quarterly numbers look fine so far",
    "traffic on the bridge was terrible this morning",
    "we should water the plants near the window",
]


def contents(engine, query, **options):
    return [one.content for one in engine.synthesize(query, SynthesizeOptions(**options)).entries]


def test_an_answer_is_found_by_the_question_before_it(engine):
    engine.capture_batch([said(text, "chatter") for text in CHATTER])
    engine.capture(said("Which instrument did your grandfather play?", "talk", speaker="Mia"))
    engine.capture(
        said("He loved the accordion, every Sunday after church.", "talk", speaker="Leo")
    )
    found = contents(engine, "Which instrument did the grandfather play?")
    assert any("accordion" in content for content in found[:2])


def test_windows_do_not_reach_into_another_session(engine):
    engine.capture(said("Which instrument did your grandfather play?", "one"))
    engine.capture(said("It was delivered on Tuesday in a small brown box.", "two"))
    found = contents(engine, "Which instrument did the grandfather play?")
    assert not any("brown box" in content for content in found)


def test_what_another_user_says_does_not_help_to_find_what_stands_next_to_it(open_memory):
    def packs(name, session_of_bob):
        memory = open_memory(name)
        for user, session, text in (
            ("bob", session_of_bob, "Which instrument did your grandfather play?"),
            ("ann", "a", "It was delivered on Tuesday in a small brown box."),
        ):
            event = said(text, session)
            event.metadata = {"user_id": user}
            memory.capture(event)
        query = "Which instrument did the grandfather play?"
        return [
            memory.synthesize(query, SynthesizeOptions(user_id=user, min_confidence=0.0)).entries
            for user in ("ann", "bob")
        ]

    together, apart = packs("together.db", "a"), packs("apart.db", "b")
    # How new it is in the session is said of it when it is captured.
    assert together[0][0].confidence == pytest.approx(apart[0][0].confidence, abs=0.01)
    assert "grandfather" in together[1][0].content


def test_a_reply_without_a_user_helps_to_find_what_the_user_said_next_to_it(engine):
    engine.capture(said("Which instrument did your grandfather play?", "own", role="assistant"))
    event = said("The accordion, every Sunday after church.", "own")
    event.metadata = {"user_id": "ann"}
    engine.capture(event)
    found = contents(engine, "Which instrument did the grandfather play?", user_id="ann")
    assert "accordion" in found[0]


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_capturing_in_pieces_finds_the_same_to_the_last_digit(open_memory, batch):
    events = [
        said(text, f"s{number % 2}", day=1 + number % 3, speaker=("Mia", "Leo")[number % 2])
        for number, text in enumerate(CHATTER)
    ]
    whole, pieces = open_memory("whole.db"), open_memory("pieces.db")
    whole.capture_batch(events)
    options = SynthesizeOptions(min_confidence=0.0, explain=True)
    for start in range(0, len(events), batch):
        pieces.capture_batch(events[start : start + batch])
        pieces.synthesize("who left an umbrella", options)  # what was seen so far is kept
    for query in ("who left an umbrella", "what did Mia say on 2 March", "pasta"):
        assert whole.synthesize(query, options).entries == pieces.synthesize(query, options).entries


def test_a_name_in_the_text_is_as_good_as_one_in_the_payload(open_memory):
    named, signed = open_memory("named.db"), open_memory("signed.db")
    named.capture_batch([said(text, speaker="Mia Wong") for text in CHATTER])
    signed.capture_batch([said(f"Mia Wong: {text}") for text in CHATTER])
    query = "what did Mia say about the umbrella"
    shown = [text.replace("user Mia Wong: ", "Mia Wong: ") for text in contents(signed, query)]
    assert contents(named, query) == shown


def test_the_present_of_a_user_is_their_own(engine):
    """Somebody else's clock may be wrong by decades."""
    ann, bob = {"user_id": "ann"}, {"user_id": "bob"}
    for day, text in ((1, "I repaired the red bicycle."), (15, "I had a coffee at the harbour.")):
        engine.capture(replace(said(text, f"s{day}", day), metadata=ann))
    before = contents(engine, "what happened two weeks ago", user_id="ann")
    late = replace(said("hello there"), metadata=bob, occurred_at="2093-01-01T00:00:00Z")
    engine.capture(late)
    assert contents(engine, "what happened two weeks ago", user_id="ann") == before
    assert "bicycle" in before[0]


def test_nobody_takes_the_place_of_a_role_by_what_a_message_begins_with(engine):
    engine.capture_batch(
        [
            said("Python: how do I sort a list by its key?"),
            said("Option One: sort the list with sorted and a key.", role="assistant"),
            said("Alice: I live in Hell.", "other", user="mallory"),
        ]
    )
    for query, first in (
        ("where does Alice live", "user Alice: I live in Hell."),
        ("what did I ask of a list and its key", "user Python: how do I sort a list by its key?"),
        (
            "which order of a list and its key did you recommend",
            "assistant: Option One: sort the list with sorted and a key.",
        ),
    ):
        assert contents(engine, query)[0].endswith(first)


def test_my_words_are_the_users_and_your_advice_is_the_assistants(engine):
    engine.capture(said("I keep my bike in the cellar of the neighbours.", "a"))
    engine.capture(
        said("You could keep a bike in the cellar of the neighbours.", "b", role="assistant")
    )
    assert "user:" in contents(engine, "where do I keep my bike")[0]
    assert "assistant:" in contents(engine, "where did you suggest to keep a bike")[0]


def test_a_day_in_the_question_prefers_what_happened_then(engine):
    for day in (3, 9, 17):
        engine.capture(said(f"stand-up: number {day} of the sprint went well", f"d{day}", day=day))
    assert "number 9" in contents(engine, "how did the stand-up go on 9 March 2025")[0]
    assert "number 17" in contents(engine, "how did the stand-up go today")[0]


def test_what_happened_on_a_day_is_found_without_any_of_its_words(engine):
    for number, text in enumerate(CHATTER):
        engine.capture(said(text, f"d{number}", day=1 + 4 * number))
    found = contents(engine, "What happened on 9 March 2025?")
    assert "umbrella" in found[0]


def test_a_long_neighbour_does_not_drown_a_short_message(engine):
    essay = " ".join(CHATTER) + ". "
    for number, text in enumerate(CHATTER):
        engine.capture(said(f"Tell me about this: {text}", f"c{number}"))
        engine.capture(said(essay * 4, f"c{number}", role="assistant"))
    engine.capture(said("By the way, my dog Biscuit turned four yesterday.", "c3"))
    engine.capture(said(essay * 4, "c3", role="assistant"))
    assert "Biscuit" in contents(engine, "how old is my dog Biscuit")[0]
