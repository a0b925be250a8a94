"""Write tests/data/golden/gemma3-270m.json: what transformers computes for Gemma 3 270M in float32.

    python tools/make_gemma_goldens.py GGUF

Run by hand in an environment with torch, transformers and gguf; the test reads the result. GGUF is
gemma-3-270m-q4_k_m.gguf; its weights dequantized by the gguf package are the model. Takes about two
minutes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "data" / "golden" / "gemma3-270m.json"
TOP, SAMPLED = 32, 64
# "<bos>The capital of France is", "<bos>Once upon a time, in a", and more than a window of noise.
PROMPTS = ([2, 818, 5279, 529, 7001, 563], [2, 14946, 3324, 496, 990, 236764, 528, 496])
NOISE = 560

NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "post_ffw_norm": "post_feedforward_layernorm",
}


def main(path: Path) -> None:
    torch.set_grad_enabled(False)
    model = load(path)
    random = np.random.default_rng(0)
    sampled = np.sort(random.choice(262_144, SAMPLED, replace=False)).tolist()
    noise = [2, *random.integers(0, 262_144, NOISE - 1).tolist()]
    prompts = []
    for ids in (*PROMPTS, noise):
        logits = model(torch.tensor([ids]), logits_to_keep=1).logits[0, -1].numpy()
        top = np.argsort(-logits, kind="stable")[:TOP].tolist()
        values = [round(float(value), 5) for value in logits[[*sampled, *top]]]
        prompts.append({"ids": ids, "top": top, "logits": values})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    document = {"gguf_sha256": digest, "sampled": sampled, "prompts": prompts}
    GOLDEN.write_text(json.dumps(document) + "\n", encoding="utf-8")


def load(path: Path) -> Any:
    config = Gemma3TextConfig(
        vocab_size=262_144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=18,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        max_position_embeddings=32_768,
        rms_norm_eps=1e-6,
        query_pre_attn_scalar=256,
        sliding_window=512,
        sliding_window_pattern=6,
        rope_theta=1e6,
        rope_local_base_freq=1e4,
        tie_word_embeddings=True,
        attn_implementation="eager",
    )
    model = Gemma3ForCausalLM(config).eval()
    state = {}
    for tensor in gguf.GGUFReader(path).tensors:
        values = np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), np.float32)
        if tensor.name == "token_embd.weight":
            name = "model.embed_tokens.weight"
        elif tensor.name == "output_norm.weight":
            name = "model.norm.weight"
        else:
            _, layer, kind, _ = tensor.name.split(".")
            name = f"model.layers.{layer}.{NAMES[kind]}.weight"
        state[name] = torch.from_numpy(values - 1 if "norm" in name else values)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert (missing, unexpected) == (["lm_head.weight"], []), (missing, unexpected)
    return model


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
