"""Make embeddings/surcharges.json: where o200k needs more tokens than the Llama-2 vocabulary.

Run by hand when one of the vocabularies changes: `uv run python benchmarks/make_surcharges.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpe_openai

from hippocortex_engine.embeddings import tokenizer


def main() -> None:
    o200k = bpe_openai.get_encoding("o200k_base")
    vocabulary = tokenizer.load_tokenizer().vocabulary()
    found: dict[int, list[int]] = {}
    for token, text in sorted(vocabulary.items()):
        extra = len(o200k.encode(text)) - 1
        if extra > 0 and not text.startswith("<0x"):
            found.setdefault(extra, []).append(token)
    path = Path(tokenizer.__file__).with_name("surcharges.json")
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n", "ascii")
    print(f"{sum(map(len, found.values()))} tokens in {path.name}")


if __name__ == "__main__":
    main()
