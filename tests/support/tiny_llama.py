"""A llama of random weights, small enough to make in a test: as Hugging Face folder and as pack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from edgeward import manifest as m
from edgeward.quantize.convert import convert

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
STOP = 2
WORDS = (
    "Ġthe", "Ġof", "Ġand", "Ġto", "Ġin", "Ġis", "Ġthat", "Ġa", "user", "assistant", "system",
    "Ġwhat", "Ġwhere", "Ġcapital", "Ġriver", "Ġhouse", "Ġwater", "Ġlight", "ing", "tion",
)  # fmt: skip
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_characters() -> list[str]:
    """GPT-2's character for each byte: itself if printable, else one from U+0100 on."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in kept else chr(next(others)) for b in range(256)]


def tokenizer_json() -> bytes:
    """A byte-level BPE: special ids 0 to 2, the 256 bytes, then what builds up each of `WORDS`."""
    tokens = [*SPECIAL, *byte_characters()]
    merges = []
    for word in WORDS:
        for end in range(2, len(word) + 1):
            if word[:end] not in tokens:
                tokens.append(word[:end])
                merges.append([word[: end - 1], word[end - 1]])
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, token in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {**level, "use_regex": True},
        "post_processor": None,
        "decoder": {**level, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": merges,
        },
    }
    return json.dumps(document, ensure_ascii=False).encode()


VOCABULARY = len(json.loads(tokenizer_json())["model"]["vocab"])


def config(**changes: Any) -> dict[str, Any]:
    """A config.json: 2 layers of 64, 4 heads over 2, a tied head, 512 positions."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        **changes,
    }


def tensors(settings: Mapping[str, Any], seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Seeded weights under Hugging Face's names, of a size that makes logits spread out.

    Also what tools/make_model_goldens.py gives to transformers: changing it needs new goldens.
    """
    hidden, wide = settings["hidden_size"], settings["intermediate_size"]
    q = settings["num_attention_heads"] * settings["head_dim"]
    kv = settings["num_key_value_heads"] * settings["head_dim"]
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (settings["vocab_size"], hidden),
        "model.norm.weight": (hidden,),
    }
    if not settings["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (settings["vocab_size"], hidden)
    for layer in range(settings["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        shapes |= {
            f"{at}.input_layernorm.weight": (hidden,),
            f"{at}.self_attn.q_proj.weight": (q, hidden),
            f"{at}.self_attn.k_proj.weight": (kv, hidden),
            f"{at}.self_attn.v_proj.weight": (kv, hidden),
            f"{at}.self_attn.o_proj.weight": (hidden, q),
            f"{at}.post_attention_layernorm.weight": (hidden,),
            f"{at}.mlp.gate_proj.weight": (wide, hidden),
            f"{at}.mlp.up_proj.weight": (wide, hidden),
            f"{at}.mlp.down_proj.weight": (hidden, wide),
        }
    random = np.random.default_rng(seed)
    made = {}
    for name in sorted(shapes):
        shape = shapes[name]
        # Uniform numbers come straight from the generator's bits, on every version of NumPy.
        numbers = random.random(shape, np.float32) * 2 - 1
        width = np.float32(2.5 / np.sqrt(shape[-1]))
        made[name] = 1 + numbers / 4 if len(shape) == 1 else numbers * width
    return made


def write_folder(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """A Hugging Face folder with config.json and model.safetensors."""
    settings = config(**changes)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(tensors(settings, seed), folder / "model.safetensors")
    return folder


def source(model: Path) -> m.Source:
    """Where a test's model came from."""
    return m.Source(
        kind="path", reference=str(model), file=model.name, format="safetensors", sha256="0" * 64
    )


def write_pack(
    folder: Path, *, seed: int = 0, bits: int = 8, evaluate: bool = False, **changes: Any
) -> Path:
    """The pack `folder` of such a model; its source lies beside it."""
    model = write_folder(folder.parent / f"{folder.name}.source", seed, **changes)
    convert(
        model,
        folder,
        name=folder.name,
        source=source(model),
        licence="apache-2.0",
        tokenizer=tokenizer_json(),
        chat_template=TEMPLATE,
        generation=m.Generation(stop_ids=[STOP]),
        bits=bits,
        evaluate=evaluate,
    )
    return folder
