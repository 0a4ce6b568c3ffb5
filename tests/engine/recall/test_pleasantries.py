"""What is left out of a message because it says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_engine.recall.pleasantries import without_pleasantries


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
        ("Hey Amazing Grace! I sang.", "I sang."),
        ("Oh " * 26 + "x", "Oh " * 26 + "x"),
    ],
)
def test_greetings_and_thanks_around_a_message_are_left_out(text, kept):
    assert without_pleasantries(text) == kept


@given(st.text(alphabet="Heyso wTanks!.? \n'", max_size=120))
def test_what_is_kept_is_a_piece_of_the_text(text):
    kept = without_pleasantries(text)
    assert kept in text
    assert bool(kept.strip()) == bool(text.strip())
