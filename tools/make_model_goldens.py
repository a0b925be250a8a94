"""Write tests/data/golden/: what transformers computes in float32, for the graph to be held to.

    python tools/make_model_goldens.py GGUF TOKENIZER_JSON

Run by hand in an environment with torch, transformers, tokenizers, gguf, safetensors and this
package installed; the tests read the results and need none of these. GGUF is
SmolLM2-135M-Instruct.Q4_1.gguf (its weights dequantized to float32 are the model), TOKENIZER_JSON
the tokenizer.json of the same model. Takes about three minutes on two cores.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import tiny_llama  # noqa: E402

GOLDEN = ROOT / "tests" / "data" / "golden"
NEW_TOKENS = 64
SAMPLED, TOP = 512, 32

PROMPTS = (
    "The capital of France is",
    "Once upon a time, in a small village by the sea,",
    "def fibonacci(n):\n",
    "1, 2, 3, 5, 8, 13,",
    "Water boils at",
    "SELECT name, age FROM",
    "Der schnelle braune Fuchs",
    "La capitale de l'Italie est",
    "The three laws of thermodynamics are:\n1.",
    "Q: What is 17 + 25?\nA:",
    "<html>\n<head>\n<title>",
    "In 1969, Neil Armstrong",
    "日本の首都は",
    "Ingredients:\n- 2 eggs\n- 100 g flour\n",
    "import numpy as np\n\ndef softmax(x):\n",
    "To be, or not to be,",
    "Photosynthesis is the process by which",
    "   \n\n\t",
    "a",
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n<|im_start|>user\nWhat is the capital of France?<|im_end|>\n"
    "<|im_start|>assistant\n",
)

# Seed and changed settings of each tiny model; the weights are made by the same code in the test.
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
TINY: dict[str, dict[str, Any]] = {
    "grouped": {},
    "one_kv_head": {"num_key_value_heads": 1, "num_hidden_layers": 3},
    "all_kv_heads": {"num_key_value_heads": 4, "rms_norm_eps": 1e-6},
    "wide_heads": {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 64},
    "untied": {"tie_word_embeddings": False, "rope_theta": 500000.0},
    "one_layer": {"num_hidden_layers": 1, "hidden_size": 96, "intermediate_size": 160},
    "linear_rope": {"rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "llama3_rope": {"rope_scaling": LLAMA3, "rope_theta": 500000.0},
}
TINY_LENGTH = 150


def main(gguf: Path, tokenizer: Path) -> None:
    torch.set_grad_enabled(False)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for seed, (name, changes) in enumerate(TINY.items()):
        write_tiny(name, seed, changes)
    write_smollm2(gguf, Tokenizer.from_file(str(tokenizer)))


def write_tiny(name: str, seed: int, changes: dict[str, Any]) -> None:
    """Logits of every position of one random text, for a model that the test makes anew."""
    with tempfile.TemporaryDirectory() as folder:
        model = load(tiny_llama.write_folder(Path(folder), seed, **changes))
    ids = np.random.default_rng(seed).integers(0, tiny_llama.VOCABULARY, TINY_LENGTH)
    logits = model(torch.from_numpy(ids)[None]).logits[0].numpy()
    settings = np.frombuffer(json.dumps(changes, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(
        GOLDEN / f"tiny_{name}.npz", ids=ids, logits=logits, seed=seed, settings=settings
    )
    print(f"tiny_{name}: logits {logits.shape}, spread {logits.std():.2f}")


def write_smollm2(gguf: Path, tokenizer: Tokenizer) -> None:
    """For each prompt: its ids, 64 greedy ids, and some logits after its last id."""
    model = load(gguf.parent, gguf_file=gguf.name)
    vocabulary = model.config.vocab_size
    sampled = np.sort(np.random.default_rng(0).choice(vocabulary, SAMPLED, replace=False))
    prompts = []
    for text in PROMPTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        logits = model(torch.tensor([ids])).logits[0, -1].numpy()
        top = np.argsort(-logits, kind="stable")[:TOP]
        answer, margin = greedy(model, ids)
        wanted = np.concatenate([sampled, top])
        prompts.append(
            {
                "text": text,
                "ids": ids,
                "greedy": answer,
                # Smallest lead of a choice over the second: below 1e-3 a test could not insist.
                "margin": round(margin, 6),
                "top": top.tolist(),
                "logits": [round(float(value), 5) for value in logits[wanted]],
            }
        )
        print(f"{text[:30]!r}: margin {margin:.4f} {tokenizer.decode(answer)[:60]!r}")
    document = {
        "gguf_sha256": hashlib.sha256(gguf.read_bytes()).hexdigest(),
        "sampled": sampled.tolist(),
        "prompts": prompts,
    }
    (GOLDEN / "smollm2-135m.json").write_text(json.dumps(document) + "\n", encoding="utf-8")


def greedy(model: Any, ids: list[int]) -> tuple[list[int], float]:
    """64 greedy ids, end marks included, and the smallest lead over the second choice."""
    answer: list[int] = []
    margin = float("inf")
    out = model(torch.tensor([ids]), use_cache=True)
    for _ in range(NEW_TOKENS):
        best = out.logits[0, -1].topk(2)
        margin = min(margin, float(best.values[0] - best.values[1]))
        answer.append(int(best.indices[0]))
        out = model(
            torch.tensor([answer[-1:]]), past_key_values=out.past_key_values, use_cache=True
        )
    return answer, margin


def load(folder: Path, **options: Any) -> Any:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options)
    return model.eval()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
