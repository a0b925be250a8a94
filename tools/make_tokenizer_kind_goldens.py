"""Writes what Hugging Face's `tokenizers` says of small tokenizers of every kind.

Knows: one small file for each kind of model, with the normalizers, cutters, post-processors and
decoders that come with it, and texts made of characters they differ on. The result holds files,
texts and answers, so that the test needs nothing else.

    python tools/make_tokenizer_kind_goldens.py
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path
from typing import Any

import tokenizers

TESTS = Path(__file__).resolve().parent.parent / "tests"
OUT = TESTS / "data/golden/tokenizer_kinds.json.gz"

sys.path.insert(0, str(TESTS / "support"))
from charsmap import charsmap  # noqa: E402

CHARACTERS = (
    *"aabcdehhilnorstwyAHW  019.,'-?\n\t",
    *"\u00e9\u00c9e\u0301\u00df\u0130\u03a3\u0430\u0431\u0411\u4e2d\u65e5\u6587\uac00\u1100\u1161",
    *"\ufb01\uff21\u00a0\u3000\u200b\u00ad\u2581\u0939\u093f\u0e01\u0e33\ufffd\U0001f600\U0001f1e9",
)
WORDS = (
    "hello",
    "world",
    "the",
    "shores",
    "Hello",
    "lie\u00df",
    "\u65e5\u672c",
    "don't",
    " ",
    "  ",
)
TEXTS = 70


def texts() -> list[str]:
    chosen = random.Random(11)
    made = ["", " ", "Hello world", "the \u65e5\u672c shores,  hello!", "a\u0301e\u0301 \ufb01ne"]
    for _ in range(TEXTS):
        parts = WORDS if chosen.random() < 0.5 else CHARACTERS
        made.append("".join(chosen.choices(parts, k=chosen.randint(1, 14))))
    return made


def pieces() -> list[str]:
    whole = ["hello", "wor", "ld", "the", "ho", "res", "he", "ll", "or", "\u65e5\u672c", "lo", "st"]
    return [*dict.fromkeys([*CHARACTERS, *whole, "\u672c"])]


def numbered(tokens: list[str]) -> dict[str, int]:
    return {token: id for id, token in enumerate(dict.fromkeys(tokens))}


def file(model: dict[str, Any], *special: str, **members: Any) -> dict[str, Any]:
    vocab = model["vocab"]
    names = list(vocab) if isinstance(vocab, dict) else [name for name, _ in vocab]
    added = [
        {
            "id": names.index(token),
            "content": token,
            "special": True,
            "single_word": False,
            "lstrip": token == "<mask>",
            "rstrip": False,
            "normalized": False,
        }
        for token in special
    ]
    return {"version": "1.0", "added_tokens": added, "model": model, **members}


def template(first: str, last: str, vocab: dict[str, int]) -> dict[str, Any]:
    tokens = {t: {"id": t, "ids": [vocab[t]], "tokens": [t]} for t in (first, last)}
    single = [
        {"SpecialToken": {"id": first, "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
    ]
    single.append({"SpecialToken": {"id": last, "type_id": 0}})
    return {
        "type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": tokens
    }  # fmt: skip


def word_piece(*, lowercase: bool) -> dict[str, Any]:
    vocab = numbered(["[UNK]", "[CLS]", "[SEP]", *pieces(), *("##" + p for p in pieces())])
    model = {
        "type": "WordPiece",
        "vocab": vocab,
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 12,
    }
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": lowercase,
    }
    return file(
        model,
        "[CLS]",
        "[SEP]",
        normalizer=normalizer,
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template("[CLS]", "[SEP]", vocab),
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def unigram(*, fallback: bool, **members: Any) -> dict[str, Any]:
    tokens = ["<unk>", "</s>", "<mask>", "\u2581", *("\u2581" + p for p in pieces()), *pieces()]
    tokens += [f"<0x{byte:02X}>" for byte in range(256)] if fallback else []
    chosen = random.Random(3)
    scores = [[t, -chosen.randint(8, 120) / 8 - 2 * (len(t) == 1)] for t in dict.fromkeys(tokens)]
    model = {"type": "Unigram", "vocab": scores, "unk_id": 0, "byte_fallback": fallback}
    vocab = numbered(tokens)
    return file(
        model, "</s>", "<mask>", post_processor=template("</s>", "<mask>", vocab), **members
    )


def sentencepiece_bpe() -> dict[str, Any]:
    tokens = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", *"helowrdts"]
    merges = [
        "h e",
        "l l",
        "he ll",
        "hell o",
        "\u2581 hello",
        "\u2581 w",
        "o r",
        "t he",
        "\u2581 the",
    ]
    tokens += [merge.replace(" ", "") for merge in merges]
    model = {
        "type": "BPE",
        "vocab": numbered(tokens),
        "merges": merges,
        "unk_token": "<unk>",
        "byte_fallback": True,
        "fuse_unk": True,
    }
    marks = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    prepend = {"type": "Prepend", "prepend": "\u2581"}
    spaces = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}
    strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
    back = [spaces, {"type": "ByteFallback"}, {"type": "Fuse"}, strip]
    return file(
        model,
        "<s>",
        normalizer={"type": "Sequence", "normalizers": [prepend, marks]},
        pre_tokenizer=None,
        decoder={"type": "Sequence", "decoders": back},
    )


def word_suffix_bpe() -> dict[str, Any]:
    letters = dict.fromkeys([*"abcdehilnorstwy", "\u00e9", "\u4e2d"])
    merges = ["h e", "l l", "he ll", "hell o</w>", "t h", "th e</w>", "o r", "l d</w>"]
    tokens = [
        "<unk>",
        *letters,
        *(c + "</w>" for c in letters),
        *(m.replace(" ", "") for m in merges),
    ]
    model = {
        "type": "BPE",
        "vocab": numbered(tokens),
        "merges": merges,
        "unk_token": "<unk>",
        "end_of_word_suffix": "</w>",
        "fuse_unk": True,
    }
    lower = {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]}
    return file(
        model,
        normalizer=lower,
        pre_tokenizer={"type": "Whitespace"},
        decoder={"type": "BPEDecoder", "suffix": "</w>"},
    )


def word_level(decoder: dict[str, Any] | None) -> dict[str, Any]:
    vocab = numbered(["?", "<pad>", "|", *pieces(), "world", "shores"])
    strip = {"type": "Strip", "strip_left": True, "strip_right": True}
    stages = [{"type": "UnicodeScripts"}, {"type": "Whitespace"}]
    return file(
        {"type": "WordLevel", "vocab": vocab, "unk_token": "?"},
        "<pad>",
        normalizer={"type": "Sequence", "normalizers": [strip, {"type": "Lowercase"}]},
        pre_tokenizer={"type": "Sequence", "pretokenizers": stages},
        decoder=decoder,
    )


def files() -> dict[str, dict[str, Any]]:
    rules = {"\ufb01": "fi", "\uff21": "A", "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " "}
    rules |= {"\u200b": "", "e\u0301": "\u00e9", "\u1100\u1161": "\uac00", "\u00ad": ""}
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap(rules)}
    mark = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    first = mark | {"prepend_scheme": "first", "split": False}
    words = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, mark]}
    ctc = {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True}
    bytes_back = [{"type": "ByteFallback"}, {"type": "Fuse"}]
    return {
        "WordPiece, lower case": word_piece(lowercase=True),
        "WordPiece, cased": word_piece(lowercase=False),
        "Unigram, Precompiled": unigram(
            fallback=False, normalizer=precompiled, pre_tokenizer=words, decoder=mark
        ),
        "Unigram, fallback bytes": unigram(
            fallback=True,
            normalizer={"type": "NFKC"},
            pre_tokenizer=first,
            decoder={"type": "Sequence", "decoders": bytes_back},
        ),
        "BPE, fallback bytes": sentencepiece_bpe(),
        "BPE, word suffix": word_suffix_bpe(),
        "WordLevel, scripts": word_level(None),
        "WordLevel, CTC": word_level(ctc),
    }


def main() -> None:
    golden: dict[str, Any] = {"tokenizers": tokenizers.__version__, "texts": texts(), "files": {}}
    for name, content in files().items():
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(content))
        answers = []
        for text in golden["texts"]:
            encoding = tokenizer.encode(text)
            flat = [place for pair in encoding.offsets for place in pair]
            decoded = tokenizer.decode(encoding.ids, skip_special_tokens=False)
            answers.append([encoding.ids, flat, decoded])
        golden["files"][name] = {"file": content, "answers": answers}
    text = json.dumps(golden, ensure_ascii=False, separators=(",", ":")).encode()
    with OUT.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as gz:
        gz.write(text)
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main()
