from __future__ import annotations

from time import process_time

import pytest

from hippocortex_engine.compiler.digest import digest_session


def facts(learn, *sessions, superseded=False):
    return [one.title for one in learn(sessions, "fact", superseded=superseded)]


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("My name is Maria Lopez.", "The user's name is Maria Lopez"),
        ("I live in Berlin now.", "The user lives in Berlin"),
        ("I work at Siemens as an engineer.", "The user works at Siemens"),
        ("I'm allergic to peanuts.", "The user is allergic to peanuts"),
        ("I really like hiking, it calms me.", "The user likes hiking"),
        ("I hate early meetings.", "The user dislikes early meetings"),
        ("I prefer window seats.", "The user prefers window seats"),
        ("My favourite colour is green.", "The user's favourite colour is green"),
        ("By the way, my dog's name is Rex.", "The user's dog's name is Rex"),
        ("I have a cat named Oscar.", "The user's cat is Oscar"),
        ("The deadline is Friday.", "The deadline is on Friday"),
        ("The staging server runs on port 8080.", "The staging server runs on port 8080"),
        ("We use Terraform for infrastructure.", "The team uses Terraform for infrastructure"),
        (
            "The code freeze starts soon, but the release is on March 3.",
            "The release is on March 3",
        ),
        (
            "Remember that the boiler needs a new filter every spring.",
            "The user asks to remember: the boiler needs a new filter every spring",
        ),
        ("Tom lives in Oslo.", "Tom lives in Oslo"),
        ("I prefer the region eu-1.", "The user prefers the region eu-1"),
        ("We use the Gmail app for mail.", "The team uses the Gmail app for mail"),
    ],
)
def test_plain_statements_become_facts(session, learn, said, fact):
    assert facts(learn, session().user_says(said)) == [fact]


@pytest.mark.parametrize(
    "said",
    [
        "Do I live in Berlin?",
        "If I lived in Berlin, I would like the parks.",
        "I'd love to live in Paris.",
        "I wish I worked at Siemens.",
        "I love it!",
        "I like that idea a lot.",
        "I like the sound of this.",
        "Sounds like a plan.",
        "It is on the table.",
        "`my name is Bob`",
        "```\nmy name is Bob\n```",
        '"I live in Rome" is what the sign says.',
        "He said my name is Bob.",
        "Maybe my favourite colour is green.",
        "My password is hunter2.",
        "Remember that time when we got lost?",
        "I have a dog and a cat.",
        "I work from home.",
        "The problem is in the code.",
        "My user ID is already provided.",
        "I prefer flights departing after 10 in the morning.",
        "I want to use and I use my Gold membership for this.",
        "I use my Gold membership for this.",
        "I prefer the cheaper flight.",
    ],
)
def test_questions_suppositions_and_chatter_give_none(session, learn, said):
    assert facts(learn, session().user_says(said)) == []


@pytest.mark.parametrize(
    "said",
    [
        "I use the password hunter2.",
        "I prefer the password swordfish for the bank.",
        "Remember that the passwords are hunter2 and swordfish.",
        "Remember that my API keys are abc123 and def456.",
        "Remember that the login credentials are admin and hunter2.",
        "I live in Oslo and my PIN is 4711.",
        "I live in Oslo, my PIN's 4711.",
        "We use hunter2 as our passwords.",
    ],
)
def test_a_sentence_that_tells_a_secret_becomes_no_fact(session, learn, said):
    assert learn([session().user_says(said)]) == []


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("I live in Oslo and I forgot my password.", "The user lives in Oslo"),
        ("We use JWT tokens for logins.", "The team uses JWT tokens for logins"),
        ("I prefer credit cards.", "The user prefers credit cards"),
        ("I use the password manager Bitwarden.", "The user uses the password manager Bitwarden"),
    ],
)
def test_a_fact_that_speaks_of_a_secret_without_telling_it_is_kept(session, learn, said, fact):
    assert facts(learn, session().user_says(said)) == [fact]


def test_the_correction_of_a_secret_is_not_taken_for_that_of_a_fact(session, learn):
    said = session().user_says("The budget is 5000. My PIN is 4711. Actually, it's 4712.")
    assert facts(learn, said) == ["The budget is 5000"]


def test_assistants_state_no_facts(session, learn):
    said = session().agent_says("My name is Ada and I live in Berlin.")
    assert facts(learn, said) == []


def test_the_newest_statement_holds_and_remembers_what_was(session, learn):
    old = session().user_says("I live in Munich.")
    new = session().user_says("We are done packing, I moved to Hamburg last week.")
    [fact] = learn([new, old], "fact")
    assert fact.content["value"] == "Hamburg"
    assert fact.content["previous"] == [
        {"value": "Munich", "from": "2025-06-15", "until": "2025-06-16"}
    ]
    assert (
        fact.text
        == "The user lives in Hamburg. (since 2025-06-16; before: Munich until 2025-06-16)"
    )
    history = learn([new, old], "fact", superseded=True)
    assert {(one.content["value"], one.status) for one in history} == {
        ("Hamburg", "active"),
        ("Munich", "superseded"),
    }


def test_a_moved_deadline_supersedes(session, learn):
    one = session().user_says("The deadline for the report is Wednesday.")
    two = session().user_says("The deadline has moved to Friday.")
    [fact] = learn([one, two], "fact")
    assert (fact.content["subject"], fact.content["value"]) == ("deadline for the report", "Friday")


def test_a_correction_refers_to_what_was_just_said(session, learn):
    said = session().user_says("The meeting is on Tuesday.").agent_says("Noted.")
    said.user_says("Actually, it's Thursday.")
    [fact] = learn([said], "fact")
    assert fact.content["value"] == "Thursday"


def test_a_correction_without_anything_to_correct_is_none(session, learn):
    said = session().user_says("I need a table for two.").user_says("Actually, it's Thursday.")
    assert facts(learn, said) == []


def test_a_changed_preference_supersedes(session, learn):
    before = session().user_says("I prefer tea over coffee.")
    after = session().user_says("I prefer coffee over tea these days.")
    assert facts(learn, before, after) == ["The user prefers coffee"]


def test_negations_retract(session, learn):
    before = session().user_says("I like sushi. I work at Siemens. We use Jenkins for builds.")
    after = session().user_says(
        "I no longer work at Siemens. I don't like sushi. We no longer use Jenkins for builds."
    )
    assert facts(learn, before, after) == ["The user dislikes sushi"]


def test_switching_tools_retracts_the_old_one(session, learn):
    before = session().user_says("We use Jenkins for builds.")
    after = session().user_says("We switched from Jenkins to Buildkite for builds.")
    assert facts(learn, before, after) == ["The team uses Buildkite for builds"]


def test_several_likes_stand_side_by_side(session, learn):
    said = session().user_says("I like jazz.").user_says("I like chess.")
    assert sorted(facts(learn, said)) == ["The user likes chess", "The user likes jazz"]


def test_people_of_one_name_stay_apart_by_user(session, learn):
    ann = session(user="u1").user_says("My name is Alex. I live in Rome.")
    bob = session(user="u2").user_says("My name is Alex. I live in Oslo.")
    homes = [one for one in learn([ann, bob], "fact") if one.content["attribute"] == "lives in"]
    assert {(one.users, one.content["value"]) for one in homes} == {
        (("u1",), "Rome"),
        (("u2",), "Oslo"),
    }


def test_callers_without_user_ids_stay_apart_by_what_they_call_themselves(session, learn):
    one = session().user_says("My user id is mia_12. I live in Rome.")
    two = session().user_says("My user id is raj_77. I live in Oslo.")
    homes = [f for f in learn([one, two], "fact") if f.content["attribute"] == "lives in"]
    assert sorted(fact.content["value"] for fact in homes) == ["Oslo", "Rome"]


def test_named_speakers_are_the_subjects(session, learn):
    chat = session().says("Caroline", "I live in Boston.").says("Melanie", "I'm allergic to cats.")
    assert sorted(facts(learn, chat)) == ["Caroline lives in Boston", "Melanie is allergic to cats"]


def test_extracted_memories_are_kept_verbatim(session, learn):
    said = session().user_says(
        "hello",
        metadata={
            "extractedMemories": [
                "Prefers dark mode.",
                "Has two kids in Leeds",
                "The user's password is hunter2",
                "User's passwords: hunter2",
                "API_KEY is abc123",
                "The apikey is abc",
                "credit-card 4111",
                "Uses sk-proj-abcdefghijklmnop1234 at work",
            ]
        },
    )
    found = learn([said], "fact")
    assert sorted(one.content["statement"] for one in found) == [
        "Has two kids in Leeds",
        "Prefers dark mode.",
    ]
    assert {one.confidence for one in found} == {0.8}


def test_a_repeated_fact_is_surer(session, learn):
    once = learn([session().user_says("I live in Rome.")], "fact")[0]
    twice = learn([session().user_says("I live in Rome.") for _ in range(2)], "fact")[0]
    assert twice.confidence > once.confidence


def test_a_deleted_session_takes_its_facts_along(session, learn):
    old = session().user_says("I live in Munich.")
    new = session().user_says("I moved to Hamburg.")
    assert facts(learn, old, new) == ["The user lives in Hamburg"]
    assert facts(learn, old) == ["The user lives in Munich"]


def test_a_fact_rests_on_what_it_tells_of_the_past_too(session, learn):
    old = session().user_says("I live in Munich.")
    new = session().user_says("I moved to Hamburg.")
    [fact] = learn([old, new], "fact")
    assert fact.evidence == ("s000:000", "s001:000")
    assert fact.confidence == learn([new], "fact")[0].confidence


def test_a_retracted_fact_rests_on_its_retraction_too(session, learn):
    old = session().user_says("I work at Siemens.")
    end = session().user_says("I no longer work at Siemens.")
    [fact] = learn([old, end], "fact", superseded=True)
    assert fact.evidence == ("s000:000", "s001:000")


def test_a_correction_by_another_user_is_not_put_into_ones_mouth(session, learn):
    chat = session(user="ann").user_says("The meeting is on Tuesday.")
    chat.by("bob").user_says("Actually, it's Thursday.")
    assert [(one.owner, one.content["value"]) for one in learn([chat], "fact")] == [
        ("ann", "Tuesday")
    ]


def test_thousands_of_facts_are_read_in_no_time(session, learn):
    said = session(user="ann")
    for number in range(5_000):
        said.user_says(f"The release date of gadget{number} is 2026-01-{number % 28 + 1:02d}.")
    started = process_time()
    assert len(learn([said], "fact")) == 5_000
    assert process_time() - started < 3


def test_digests_of_chat_are_small(session):
    said = session()
    for _ in range(40):
        said.user_says("That was a long day and nothing much happened, honestly. " * 5)
    assert digest_session(said.events)["events"] == []
