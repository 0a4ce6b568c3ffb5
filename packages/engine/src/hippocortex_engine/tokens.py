"""Counting tokens with a real tokenizer, so that a budget is a budget.

The Llama-2 tokenizer that the embedder loads anyway.  Its vocabulary is smaller than those of
today's models, so it counts more tokens than they do; for the tokens of which the contrary is
true (LaTeX, rare letters) a table says how many more o200k needs.  What is inside a budget by
this count is inside it by theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from hippocortex_engine.embeddings.tokenizer import load_tokenizer


class TokenCounter:
    """Counts the tokens of text, never fewer (with the margin) than o200k or cl100k would."""

    def __init__(self) -> None:
        self._tokenizer = load_tokenizer()

    def count(self, text: str) -> int:
        """Tokens of one text, margin included."""
        return with_margin(self.count_all([text])[0])

    def count_all(self, texts: Sequence[str]) -> list[int]:
        """Tokens of pieces of text; add them up, then take the margin once."""
        return [self._tokenizer.count(text) + _blocks(text) for text in texts]


def with_margin(tokens: int) -> int:
    """The count with a margin over what larger vocabularies give, measured on random text.

    Ordinary text needs none (o200k counts a fifth fewer); a single short sentence may.
    """
    return tokens + 1 + tokens // 24


def _blocks(text: str) -> int:
    # The vocabulary here writes a space as U+2581, so one in the text seems to cost nothing.
    return 2 * text.count("\u2581")
