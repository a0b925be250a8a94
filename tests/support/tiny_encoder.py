"""A BERT of random weights with a WordPiece vocabulary, as a sentence-transformers folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

WORDS = (
    "the", "of", "and", "to", "in", "is", "a", "river", "house", "water", "light", "capital",
    "where", "what",
)  # fmt: skip
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *(f"##{c}" for c in "abcdefgh"), *"abcdefgh"]
LONGEST = 12


def config(**changes: Any) -> dict[str, Any]:
    return {
        "model_type": "bert",
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": len(TOKENS),
        "max_position_embeddings": 32,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": 0,
        **changes,
    }


def tensors(settings: dict[str, Any], seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Seeded weights under Hugging Face's names."""
    hidden, wide = settings["hidden_size"], settings["intermediate_size"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (settings["vocab_size"], hidden),
        "embeddings.position_embeddings.weight": (settings["max_position_embeddings"], hidden),
        "embeddings.token_type_embeddings.weight": (settings["type_vocab_size"], hidden),
        "embeddings.LayerNorm.weight": (hidden,),
        "embeddings.LayerNorm.bias": (hidden,),
    }
    for layer in range(settings["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value"):
            shapes |= {f"{at}.{name}.weight": (hidden, hidden), f"{at}.{name}.bias": (hidden,)}
        for name, rows, columns in (
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", wide, hidden),
            ("output.dense", hidden, wide),
        ):
            shapes |= {f"{at}.{name}.weight": (rows, columns), f"{at}.{name}.bias": (rows,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{at}.{name}.weight": (hidden,), f"{at}.{name}.bias": (hidden,)}
    random = np.random.default_rng(seed)
    made = {}
    for name in sorted(shapes):
        numbers = random.random(shapes[name], np.float32) * 2 - 1
        if len(shapes[name]) == 2:
            made[name] = numbers * np.float32(2.5 / np.sqrt(shapes[name][1]))
        else:
            made[name] = numbers / 4 + (1 if name.endswith("weight") else 0)
    return made


def tokenizer_json() -> bytes:
    """WordPiece; cuts and pads of its own, which a pack must not take over."""
    special = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, token in enumerate(TOKENS[:4])
    ]
    ends = {token: {"id": token, "ids": [n], "tokens": [token]} for n, token in enumerate(TOKENS)}
    document = {
        "version": "1.0",
        "truncation": {"max_length": 5, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 5},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
            ],
            "special_tokens": {token: ends[token] for token in ("[CLS]", "[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: number for number, token in enumerate(TOKENS)},
        },
    }
    return json.dumps(document).encode()


def write_folder(folder: Path, seed: int = 0, pooling: str = "mean", **changes: Any) -> Path:
    """As sentence-transformers saves a model."""
    settings = config(**changes)
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(tensors(settings, seed), folder / "model.safetensors")
    (folder / "tokenizer.json").write_bytes(tokenizer_json())
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [
        {
            "idx": n,
            "path": f"{n}_{kind}" if n else "",
            "type": f"sentence_transformers.models.{kind}",
        }
        for n, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": LONGEST}))
    modes = {f"pooling_mode_{n}_tokens": n == pooling for n in ("mean", "max")}
    modes["pooling_mode_cls_token"] = pooling == "cls"
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    return folder
