"""The Llama-2 tokenizer inside the wordllama wheel, word by word and remembered.

No token of its vocabulary reaches over a space into the next word, so the tokens of a text are
those of its words, and most words have been seen before: looking them up is several times faster
than tokenizing.  (A test checks the equality on random and real text.)
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from hippocortex_core.errors import UnavailableError

_WORD = re.compile("[ \u2581]*[^ \u2581]+|[ \u2581]+")  # the vocabulary writes a space as \u2581
_REMEMBERED = 100_000  # words; about 20 MB
_LONG = 64  # characters from which on a run is data, not a word worth remembering


class WordTokenizer:
    """Text to token ids.  Safe to share between threads."""

    def __init__(self) -> None:
        # Its thread pool does not survive a fork, and single words are not worth threads.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._tokenizer = Tokenizer.from_file(str(wheel_file("tokenizers/*tokenizer*.json")))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # "</s>" in a text is four characters of it, not the end of a sequence.
        self._tokenizer.encode_special_tokens = True
        self._surcharges = _load_surcharges()
        self._space = int(self._tokenizer.token_to_id("\u2581") or 0)
        self._known: dict[str, tuple[int, ...]] = {}
        self._costs: dict[str, int] = {}
        self._lock = threading.Lock()

    def encode_whole(self, text: str) -> list[int]:
        """The token ids of a text, tokenized in one piece."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode(self, text: str) -> list[int]:
        """The token ids of a text, without special tokens."""
        known = self._known
        ids: list[int] = []
        for word in _WORD.findall(" " + text if text else ""):
            found = known.get(word)
            ids.extend(self._learn(word) if found is None else found)
        return ids

    def count(self, text: str) -> int:
        """What a text costs a model with a vocabulary of today: at least its tokens there.

        Tokens here, plus the surcharge of those that o200k writes with several.
        """
        costs = self._costs
        words = _WORD.findall(" " + text if text else "")
        try:
            return sum([costs[word] for word in words])
        except KeyError:
            return sum([costs[word] if word in costs else self._cost(word) for word in words])

    def vocabulary(self) -> dict[int, str]:
        """Token id to its text."""
        known = self._tokenizer.get_vocab()
        return {token: text.replace("\u2581", " ") for text, token in known.items()}

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text."""
        return [self.encode(text) for text in texts]

    def _cost(self, word: str) -> int:
        ids = self._known.get(word) or self._learn(word)
        return len(ids) + sum([self._surcharges.get(one, 0) for one in ids])

    def _learn(self, word: str) -> tuple[int, ...]:
        # The tokenizer puts a space in front of its own accord.
        ids = tuple(self.encode_whole(word[1:])) if len(word) > 1 else (self._space,)
        if len(word) < _LONG:
            with self._lock:
                if len(self._known) >= _REMEMBERED:
                    self._known, self._costs = {}, {}
                self._known[word] = ids
                self._costs[word] = len(ids) + sum([self._surcharges.get(one, 0) for one in ids])
        return ids

    def after_fork(self) -> None:
        """In a child process: a lock that another thread of the parent held is held for ever."""
        self._lock = threading.Lock()


def _load_surcharges() -> dict[int, int]:
    """Token id to how many tokens more o200k needs for the same text.

    Made once from the two vocabularies (benchmarks/make_surcharges.py).
    """
    text = Path(__file__).with_name("surcharges.json").read_text("ascii")
    return {token: int(extra) for extra, tokens in json.loads(text).items() for token in tokens}


@cache
def load_tokenizer() -> WordTokenizer:
    """The one tokenizer of the process, shared by embedder and token counter."""
    return WordTokenizer()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        after_in_child=lambda: (
            load_tokenizer().after_fork() if load_tokenizer.cache_info().currsize else None
        )
    )


def wheel_file(pattern: str) -> Path:
    """A file inside the wordllama package, found without importing it.

    Raises:
        UnavailableError: it is not there.
    """
    spec = importlib.util.find_spec("wordllama")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for found in sorted(Path(folder).glob(pattern)):
            return found
    raise UnavailableError(
        f"the embedding model is missing ({pattern} of the wordllama package); "
        "reinstall it: pip install --force-reinstall wordllama"
    )
