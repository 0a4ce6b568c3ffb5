"""The tokenizer, the embedder and the token counter."""

from __future__ import annotations

import bpe_openai
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hippocortex_engine.embeddings.base import quantize
from hippocortex_engine.embeddings.static import StaticEmbedder
from hippocortex_engine.embeddings.tokenizer import load_tokenizer
from hippocortex_engine.tokens import TokenCounter

O200K = bpe_openai.get_encoding("o200k_base")
WORDS = [
    "deploy",
    "the",
    "  ",
    "\n\n",
    "\t",
    "payments!",
    '{"a": 1.25}',
    "Straße",
    "übergrößen",
    "привет",
    "世界",
    "日本語の文",
    "🙂",
    "naïve",
    "/usr/local/bin",
    "x_y-z",
    "0xFF",
    "'s",
    "▁",
    " ",
]
# Where the vocabulary knows in one token what a larger one writes with several.
PIECES = ["</s>", "<s>", "<unk>", "}^{*}", "\\partial", "{{\\", "ḍ", "ṭ", "∑", "⁶", "ḩ", "конт"]
texts = st.one_of(
    st.text(max_size=200), st.lists(st.sampled_from(WORDS + PIECES), max_size=40).map("".join)
)


@given(texts)
def test_word_by_word_tokens_are_those_of_the_whole_text(text):
    tokenizer = load_tokenizer()
    assert tokenizer.encode(text) == tokenizer.encode_whole(text)
    assert tokenizer.count(text) >= len(tokenizer.encode_whole(text))


@given(texts)
def test_the_counter_never_counts_fewer_tokens_than_o200k(text):
    assert TokenCounter().count(text) >= len(O200K.encode(text))


@given(st.lists(texts, min_size=1, max_size=8))
def test_a_text_has_the_same_vector_alone_as_in_a_batch(batch):
    embedder = StaticEmbedder()
    together = embedder.embed(batch)
    for row, text in zip(together, batch, strict=True):
        assert np.array_equal(row, embedder.embed([text])[0])


@given(texts)
def test_vectors_have_unit_length_and_keep_their_direction_when_quantized(text):
    vector = StaticEmbedder().embed([text])[0]
    length = float(np.linalg.norm(vector))
    assert length == 0 or abs(length - 1) < 1e-5
    small = quantize(vector[None, :])[0].astype(np.float32)
    if length:
        cosine = float(small @ vector) / float(np.linalg.norm(small))
        assert cosine > 0.999


def test_like_texts_are_nearer_than_unlike_ones():
    rent, flat, deploy = StaticEmbedder().embed(
        [
            "How much is the rent of the apartment?",
            "The flat costs 900 a month",
            "Deploy to staging",
        ]
    )
    assert rent @ flat > rent @ deploy
