"""A llama of a few thousand random weights with a byte-level vocabulary, as a GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np

HIDDEN, HEADS, HEAD_DIM, WIDE, LAYERS = 128, 4, 32, 96, 2
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["h e", "l l", "he ll", "Ġ w", "o r"]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
)
CONTROL, NORMAL = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL


def byte_characters() -> list[str]:
    """GPT-2's character for each byte: itself if printable, else one from U+0100 on."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in kept else chr(next(others)) for b in range(256)]


def write(
    path: Path,
    *,
    seed: int = 0,
    scale: float = 1 / 8,
    context: int = 64,
    fields: dict[str, Any] | None = None,
) -> Path:
    """Write the model to `path`; `fields` adds or replaces string key-values (None: leaves out)."""
    tokens = [*SPECIAL, *byte_characters(), *(m.replace(" ", "") for m in MERGES)]
    types = [CONTROL] * len(SPECIAL) + [NORMAL] * (len(tokens) - len(SPECIAL))
    strings = {
        "general.license": "apache-2.0",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.chat_template": TEMPLATE,
        **(fields or {}),
    }
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in strings.items():
        if value is not None:
            writer.add_string(key, value)
    writer.add_context_length(context)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    if strings["tokenizer.ggml.model"] is not None:
        writer.add_token_list(tokens)
        writer.add_token_types(types)
        writer.add_token_merges(MERGES)
        writer.add_eos_token_id(2)
        writer.add_bos_token_id(1)
    for name, shape in _shapes(len(tokens)).items():
        numbers = np.random.default_rng([seed, len(name), shape[0]]).standard_normal(shape)
        writer.add_tensor(name, (numbers * scale + 0.0).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    kv = HEADS // 2 * HEAD_DIM
    layer = {
        "attn_norm": (HIDDEN,),
        "attn_q": (HIDDEN, HIDDEN),
        "attn_k": (kv, HIDDEN),
        "attn_v": (kv, HIDDEN),
        "attn_output": (HIDDEN, HIDDEN),
        "ffn_norm": (HIDDEN,),
        "ffn_gate": (WIDE, HIDDEN),
        "ffn_up": (WIDE, HIDDEN),
        "ffn_down": (HIDDEN, WIDE),
    }
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, HIDDEN),
        "output_norm.weight": (HIDDEN,),
    }
    for number in range(LAYERS):
        shapes |= {f"blk.{number}.{name}.weight": shape for name, shape in layer.items()}
    return shapes
