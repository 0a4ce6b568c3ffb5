"""What is left out of a message because it says nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_engine.recall.pleasantries import MOST, without_pleasantries


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Hey Ann! I moved to Ghent.", "I moved to Ghent."),
        (
            "Thanks, Ben! Wow, that's awesome! It cost 40 euros. Talk to you soon!",
            "It cost 40 euros.",
        ),
        ("I moved. Wow! It was hard.", "I moved. Wow! It was hard."),
        ("Yes. Thanks!", "Yes."),
        ("Thanks so much!", "Thanks so much!"),
        ("", ""),
        ("Nice restaurants are rare here.", "Nice restaurants are rare here."),
        ("Great Britain won.", "Great Britain won."),
        ("Thank you, Jean-Luc - that's great news, Ben! I sang.", "I sang."),
        ("Great to hear that, Ann. Nice! I sang.", "I sang."),
        ("Hey Amazing Grace! I sang.", "Hey Amazing Grace! I sang."),
        ("So Paris. That is where we go.", "So Paris. That is where we go."),
        ("Great Dane. She is the dog I bought.", "Great Dane. She is the dog I bought."),
        ("Hello World. prints at startup.", "Hello World. prints at startup."),
        ("Can you come? No problem.", "Can you come? No problem."),
        ("Sounds good. I bring wine. Bye!", "Sounds good. I bring wine."),
    ],
)
def test_greetings_and_thanks_around_a_message_are_left_out(text, kept):
    assert without_pleasantries(text) == kept


@pytest.mark.parametrize(
    "unit",
    ["oh ", "Oh A--", "oh A----", "Hi A- ", "so A-----", "so so that's so ", "hey, hey A'A-"],
)
def test_how_long_a_sentence_is_looked_at_grows_no_faster_than_its_length(unit):
    """A stalled expression holds the interpreter, so another process looks at it."""
    code = (
        "import sys; from hippocortex_engine.recall.pleasantries import MOST, without_pleasantries as of;"
        "[of(sys.argv[1] + '#') for _ in range(100)]"
    )
    long = (unit * MOST)[: MOST - 1]
    subprocess.run([sys.executable, "-c", code, long], check=True, timeout=60)


@given(st.text(alphabet="Heyso wTanks!.? \n'", max_size=120))
def test_what_is_kept_is_a_piece_of_the_text(text):
    kept = without_pleasantries(text)
    assert kept in text
    assert bool(kept.strip()) == bool(text.strip())
