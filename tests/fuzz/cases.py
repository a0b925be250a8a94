"""Random tokenizer files and texts, and damage to both. Knows nothing of what is done with them."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

Json = dict[str, Any]

SCRIPTS = (
    (0x20, 0x7E), (0x20, 0x7E), (0x09, 0x0D), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F),
    (0x590, 0x6FF), (0x900, 0xD7F), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1FFF),
    (0x2000, 0x206F), (0x2581, 0x2581), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
    (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF), (0, 0x10FFFF),
)  # fmt: skip
WORDS = (
    "the", "don't", "I'LL", "it'\u017f", "1234", "\u00bd", "<s>", "</s>", "[X]", "foo.bar", "\r\n",
    "\n\n", "   ", "e\u0301", "\ufb01", "\u0130", "==", "-->", "<0x41>", "##a", "\u2581\u2581",
)  # fmt: skip


def character(rng: random.Random) -> str:
    low, high = rng.choice(SCRIPTS)
    code = rng.randint(low, high)
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else chr(code)


def text(rng: random.Random, alphabet: str = "") -> str:
    """A string of up to about 60 characters: words, runs, any characters, some of `alphabet`."""
    parts = []
    for _ in range(rng.randint(0, 8)):
        kind = rng.randint(0, 5)
        if kind == 0:
            parts.append(rng.choice(WORDS))
        elif kind == 1:
            parts.append(character(rng) * rng.choice((1, 2, 3, 9, 17, 40)))
        elif kind == 2 and alphabet:
            parts.append("".join(rng.choices(alphabet, k=rng.randint(1, 12))))
        elif kind == 3:
            parts.append(" " * rng.randint(1, 3))
        else:
            parts.append("".join(character(rng) for _ in range(rng.randint(1, 6))))
    return "".join(parts)


def byte_characters() -> list[str]:
    """The characters of a byte-level vocabulary in the order of their bytes."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return [chr(b) if b in kept else chr(next(others)) for b in range(256)]


def byte_level(rng: random.Random) -> Json:
    return {
        "type": "ByteLevel",
        "add_prefix_space": rng.random() < 0.3,
        "trim_offsets": rng.random() < 0.5,
        "use_regex": rng.random() < 0.7,
    }


def added_tokens(rng: random.Random, first: int) -> list[Json]:
    """A few added tokens with any flags; ids as the reference gives them."""
    contents = rng.sample(("<s>", "</s>", "[X]", "ab", "the", "  ", "\u00e9", "a b"), 3)
    return [
        {
            "id": first + number,
            "content": content,
            **{
                flag: rng.random() < 0.3
                for flag in ("single_word", "lstrip", "rstrip", "normalized", "special")
            },
        }
        for number, content in enumerate(contents[: rng.randint(0, 3)])
    ]


def bpe_file(rng: random.Random) -> Json:
    """A byte-level BPE tokenizer.json with random merges and stages."""
    tokens = byte_characters()
    common = [byte_characters()[b] for b in b"abehtn 1'=\xc3\xa9\xe4\xb8\xad"]
    merges: list[list[str]] = []
    for _ in range(rng.randint(0, 60)):
        pool = common + tokens[256:]
        pair = [rng.choice(pool), rng.choice(pool)]
        if pair not in merges and "".join(pair) not in tokens:
            merges.append(pair)
            tokens.append("".join(pair))
    if rng.random() < 0.3:
        rng.shuffle(merges)
    normalizer: Json | None = rng.choice(
        [None, None, {"type": "NFC"}, {"type": "NFKC"}, {"type": "Lowercase"}]
    )
    stages: list[Json] = [{"type": "Digits", "individual_digits": rng.random() < 0.5}]
    pre = byte_level(rng)
    if rng.random() < 0.3:
        pre = {"type": "Sequence", "pretokenizers": [*stages, pre]}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added_tokens(rng, len(tokens)),
        "normalizer": normalizer,
        "pre_tokenizer": pre,
        "post_processor": rng.choice([None, byte_level(rng)]),
        "decoder": byte_level(rng),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": rng.random() < 0.3,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": merges,
        },
    }


def fallback_file(rng: random.Random) -> Json:
    """A SentencePiece-style BPE tokenizer.json: bytes or an unknown token for what it lacks."""
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
    common = list("\u2581abehtn1'=\u00e9\u4e2d")
    tokens += common
    merges: list[list[str]] = []
    for _ in range(rng.randint(0, 60)):
        pair = [rng.choice(common + tokens[-20:]), rng.choice(common)]
        if pair not in merges and "".join(pair) not in tokens:
            merges.append(pair)
            tokens.append("".join(pair))
    replace: Json = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    prepend: Json = {"type": "Prepend", "prepend": "\u2581"}
    return {
        **bpe_file(random.Random(0)),
        "added_tokens": added_tokens(rng, len(tokens)),
        "normalizer": {
            "type": "Sequence",
            "normalizers": [prepend, replace] if rng.random() < 0.5 else [replace],
        },
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": rng.random() < 0.5,
            "byte_fallback": rng.random() < 0.7,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": merges,
        },
    }


def word_piece_file(rng: random.Random) -> Json:
    """A BERT-style tokenizer.json."""
    letters = "abehtn1\u00e9\u4e2d=.'"
    tokens = ["[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{c}" for c in letters)]
    for _ in range(rng.randint(0, 60)):
        word = "".join(rng.choices("abehtn1\u00e9", k=rng.randint(2, 5)))
        tokens.append(word if rng.random() < 0.5 else f"##{word}")
    flags = ("clean_text", "handle_chinese_chars", "lowercase")
    return {
        **bpe_file(random.Random(0)),
        "added_tokens": added_tokens(rng, len(set(tokens))),
        "normalizer": {
            "type": "BertNormalizer",
            "strip_accents": rng.choice([None, True, False]),
            **{flag: rng.random() < 0.7 for flag in flags},
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": rng.random() < 0.5},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": rng.choice([4, 100]),
            "vocab": {token: number for number, token in enumerate(dict.fromkeys(tokens))},
        },
    }


FILES = (bpe_file, bpe_file, fallback_file, word_piece_file)

_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 24, 1 << 32, 1 << 64, 1.5, -1e308, "", "a", " ", "a b", "\u2581",
    "<0x41>", "\u0000", "\U0010ffff", [], {}, [[]], ["a", "b"], {"type": "Sequence"}, {"type": 1},
)  # fmt: skip


def damage_values(rng: random.Random, file: Json) -> Json:
    """A copy with one to three values replaced, removed, given again or moved elsewhere."""
    changed = copy.deepcopy(file)
    for _ in range(rng.randint(1, 3)):
        node: Any = changed
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(node[key], dict | list) and node[key] and rng.random() < 0.8:
                node = node[key]
                continue
            kind = rng.randint(0, 3)
            if kind == 0:
                del node[key]
            elif kind == 1:
                node[key] = copy.deepcopy(rng.choice(_ODD))
            elif kind == 2:
                node[key] = copy.deepcopy(node[rng.choice(keys)])
            elif isinstance(node, dict):
                node[rng.choice(("type", "id", "vocab", "merges", "x", "content"))] = node.pop(key)
            else:
                node.append(copy.deepcopy(node[key]))
            break
    return changed


def damage_bytes(rng: random.Random, content: bytes) -> bytes:
    """A copy with a few bytes changed, cut out or doubled, or the end cut off."""
    out = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        if not out:
            break
        at = rng.randrange(len(out))
        kind = rng.randint(0, 4)
        if kind == 0:
            out[at] = rng.randrange(256)
        elif kind == 1:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del out[at : at + rng.choice((1, 4, 64))]
        elif kind == 3:
            out[at:at] = out[at : at + rng.choice((1, 8, 64))]
        elif rng.random() < 0.3:
            del out[at:]
    return bytes(out)


def as_bytes(rng: random.Random, file: Json) -> bytes:
    return json.dumps(
        file, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, 2])
    ).encode()
