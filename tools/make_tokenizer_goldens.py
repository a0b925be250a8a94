"""Writes what Hugging Face's `tokenizers` says of the committed corpus, for each committed file.

Knows: tests/data/corpus.jsonl and tests/data/tokenizers/*. The result, goldens.jsonl.gz beside each
tokenizer, lets the exactness tests run where `tokenizers` is absent or of another version.

    python tools/make_tokenizer_goldens.py
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import tokenizers

DATA = Path(__file__).resolve().parent.parent / "tests/data"


def main() -> None:
    lines = (DATA / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    corpus = [json.loads(line) for line in lines]
    for file in sorted(DATA.glob("tokenizers/*/tokenizer.json.gz")):
        tokenizer = tokenizers.Tokenizer.from_buffer(gzip.decompress(file.read_bytes()))
        out = file.parent / "goldens.jsonl.gz"
        with out.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as gz:
            head = {"tokenizers": tokenizers.__version__}
            gz.write(json.dumps(head).encode() + b"\n")
            for entry in corpus:
                if "repeat" in entry:
                    continue
                encoding = tokenizer.encode(entry["text"])
                golden = {
                    "id": entry["id"],
                    "ids": encoding.ids,
                    # Flat: begin and end of each token.
                    "offsets": [place for pair in encoding.offsets for place in pair],
                    "text": tokenizer.decode(encoding.ids, skip_special_tokens=False),
                }
                if golden["text"] == entry["text"]:
                    del golden["text"]
                gz.write(json.dumps(golden, separators=(",", ":")).encode() + b"\n")
        print(out, out.stat().st_size)


if __name__ == "__main__":
    main()
