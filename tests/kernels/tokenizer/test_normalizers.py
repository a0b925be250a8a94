"""Normalizers, Metaspace and decoders in small files against `tokenizers`."""

from __future__ import annotations

import itertools
import random
import unicodedata

import pytest

PLAIN = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
MARKS = [chr(c) for c in CODES if unicodedata.combining(chr(c))]
DECOMPOSING = [chr(c) for c in CODES if unicodedata.decomposition(chr(c))]
HANGUL = "\u1100\u1112\u1161\u1175\u11a8\u11ab\uac00\ud55c"

NORMALIZERS = {
    "NFC": {"type": "NFC"},
    "NFD": {"type": "NFD"},
    "NFKC": {"type": "NFKC"},
    "NFKD": {"type": "NFKD"},
    "Lowercase": {"type": "Lowercase"},
    "Strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "StripLeft": {"type": "Strip", "strip_left": True, "strip_right": False},
    "Replace": {"type": "Replace", "pattern": {"String": "e\u0301"}, "content": "<>"},
    "Remove": {"type": "Replace", "pattern": {"String": " "}, "content": ""},
    "ReplaceRegex": {
        "type": "Replace",
        "pattern": {"Regex": r"\s{2,}|\p{M}"},
        "content": "_\u2581",
    },
    "Prepend": {"type": "Prepend", "prepend": "\u2581x"},
}
for clean, chinese, strip, lower in itertools.product((True, False), repeat=4):
    NORMALIZERS[f"Bert-{clean:d}{chinese:d}{strip:d}{lower:d}"] = {
        "type": "BertNormalizer",
        "clean_text": clean,
        "handle_chinese_chars": chinese,
        "strip_accents": strip,
        "lowercase": lower,
    }
NORMALIZERS["Sequence"] = {
    "type": "Sequence",
    "normalizers": [NORMALIZERS[n] for n in ("NFKD", "Strip", "ReplaceRegex", "Lowercase", "NFC")],
}


def texts(seed, count):
    rng = random.Random(seed)
    groups = (
        MARKS,
        MARKS,
        DECOMPOSING,
        "eaouEAqx  \t\n\0\x07\u0130\u4e00\uf900",
        HANGUL,
        list(map(chr, CODES)),
    )
    for _ in range(count):
        yield "".join(rng.choice(rng.choice(groups)) for _ in range(rng.randint(0, 12)))


@pytest.mark.parametrize("name", NORMALIZERS)
def test_normalizers(name, make_json, both):
    pair = both(make_json(normalizer=NORMALIZERS[name], pre_tokenizer=PLAIN))
    for text in texts(name, 600):
        pair.check(text)
    for first in range(0, len(CODES), 4001):
        pair.check("".join(f"e{chr(c)}" for c in CODES[first : first + 40]))


def test_added_tokens_are_normalized_as_the_text_is(make_json, both):
    rules = dict.fromkeys(("single_word", "lstrip", "rstrip", "special"), False)
    added = [
        {"id": 300 + i, "content": content, "normalized": i % 2 == 0, **rules}
        for i, content in enumerate(("H\u00c9", "HE", "he", "\u00e9X", "A "))
    ]
    pair = both(
        make_json(added_tokens=added, normalizer=NORMALIZERS["Sequence"], pre_tokenizer=PLAIN)
    )
    rng = random.Random(5)
    for _ in range(300):
        pair.check(
            "".join(rng.choices(["H", "\u00c9", "E", "h", "e", "\u0301", "x", "A", " "], k=8))
        )


def spm(make_json, **members):
    """A SentencePiece-style file: fallback bytes, an unknown token, a few pieces."""
    pieces = ["<unk>", *(f"<0x{b:02X}>" for b in range(256) if b != 0xE6)]
    pieces += ["\u2581", "a", "b", "c", "\u00e9", "\u2581a", "ab", "\u2581ab", "\u2581\u2581"]
    merges = ["\u2581 a", "a b", "\u2581a b", "\u2581 ab", "\u2581 \u2581"]
    model = {
        "vocab": {piece: id for id, piece in enumerate(pieces)},
        "merges": merges,
        "unk_token": "<unk>",
        "byte_fallback": True,
        "fuse_unk": True,
        **members.pop("model", {}),
    }
    return make_json(model=model, **members)


REPLACE = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}
LLAMA = [REPLACE, {"type": "ByteFallback"}, {"type": "Fuse"}]
STRIP = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
DECODERS = {
    "llama": {"type": "Sequence", "decoders": [*LLAMA, STRIP]},
    "gemma": {"type": "Sequence", "decoders": LLAMA},
    "strip-both": {"type": "Sequence", "decoders": [*LLAMA, {**STRIP, "start": 2, "stop": 1}]},
    "strip-each": {"type": "Sequence", "decoders": [REPLACE, STRIP]},
    "metaspace": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
    "metaspace-never": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never"},
    "wordpiece": {"type": "WordPiece", "prefix": "a", "cleanup": True},
    "suffix": {"type": "BPEDecoder", "suffix": "b"},
    "bytes-first": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, REPLACE]},
    "none": None,
}


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("scheme", ["always", "first", "never", "old", "split-first", "prepend"])
def test_sentencepiece_style_files(scheme, fuse, make_json, both):
    stage = {"type": "Metaspace", "replacement": "\u2581"}
    members = {"pre_tokenizer": stage, "decoder": DECODERS["llama"], "model": {"fuse_unk": fuse}}
    if scheme.startswith("old"):
        stage |= {"str_rep": "\u2581", "add_prefix_space": True}
    elif scheme == "prepend":
        members["pre_tokenizer"] = None
        parts = [
            {"type": "Prepend", "prepend": "\u2581"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        ]
        members["normalizer"] = {"type": "Sequence", "normalizers": parts}
    else:
        stage |= {"prepend_scheme": scheme.removeprefix("split-"), "split": "split" in scheme}
    rules = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    added = [{"id": 900, "content": "<s>", "special": True, **rules}]
    pair = both(spm(make_json, added_tokens=added, **members))
    rng = random.Random(scheme)
    parts = ["a", "b", "ab", " ", "  ", "\u2581", "\u00e9", "\u65e5", "\u6e2f", "x", "<s>", "\n"]
    for _ in range(250):
        pair.check("".join(rng.choices(parts, k=rng.randint(0, 10))))


@pytest.mark.parametrize("name", DECODERS)
def test_decoders(name, make_json, both):
    pair = both(spm(make_json, pre_tokenizer=None, decoder=DECODERS[name]))
    rng = random.Random(name)
    # The reference panics when it strips the end of a text shorter than what it may strip.
    start = [257] * 3 if name == "strip-both" else []
    for _ in range(400):
        tail = rng.choices([*range(256, 265), 1 + 0xC3, 1 + 0xA9, 33, 0, 400], k=rng.randint(1, 9))
        ids = start + tail
        expected = pair.reference.decode(ids, skip_special_tokens=False)
        assert pair.ours.decode(ids, False) == expected, ids
    assert pair.ours.decode([]) == ""
