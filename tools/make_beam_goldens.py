"""Write tests/data/golden/beams.json: what transformers' beam search returns for tiny llamas.

    python tools/make_beam_goldens.py

Run by hand in an environment with torch, transformers and this package; the tests read the result
and need none of these. The models are made of seeded weights by the same code in the test.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM, __version__

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import tiny_llama  # noqa: E402

FILE = ROOT / "tests" / "data" / "golden" / "beams.json"
PROMPT_LENGTH = 9
# End tokens of each model: several ids, so that sequences end at many lengths.
ENDS = ([], [2], [2, *range(10, 40)])
SETTINGS: list[dict[str, Any]] = [
    {"num_beams": beams, "length_penalty": penalty, "early_stopping": early}
    for beams, (penalty, early) in product(
        (2, 3, 5),
        ((1.0, False), (0.0, False), (2.0, "never"), (-1.0, "never"), (1.0, True), (0.3, True)),
    )
]


def main() -> None:
    torch.set_grad_enabled(False)
    cases = []
    for seed, ends in enumerate(ENDS):
        settings = tiny_llama.config()
        model = LlamaForCausalLM(LlamaConfig(**settings)).eval()
        weights = {k: torch.from_numpy(v) for k, v in tiny_llama.tensors(settings, seed).items()}
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
        model.load_state_dict(weights)
        prompt = np.random.default_rng(seed).integers(3, settings["vocab_size"], PROMPT_LENGTH)
        cases += [case(model, seed, prompt.tolist(), ends, setting) for setting in SETTINGS]
    said = {"transformers": __version__, "torch": torch.__version__, "cases": cases}
    FILE.write_text(json.dumps(said, indent=None, separators=(",", ":")) + "\n")
    print(f"{len(cases)} cases, {FILE.stat().st_size} bytes")


def case(
    model: LlamaForCausalLM, seed: int, prompt: list[int], ends: list[int], setting: dict[str, Any]
) -> dict[str, Any]:
    """One search: its settings, and all sequences with their scores."""
    new = 4 + 3 * setting["num_beams"]
    out = model.generate(
        torch.tensor([prompt]),
        max_new_tokens=new,
        num_return_sequences=setting["num_beams"],
        eos_token_id=ends or None,
        bos_token_id=None,
        pad_token_id=0,
        do_sample=False,
        return_dict_in_generate=True,
        output_scores=True,
        **setting,
    )
    sequences = []
    for row, used in zip(out.sequences.tolist(), out.beam_indices.tolist(), strict=True):
        generated = sum(1 for index in used if index >= 0)
        sequences.append(row[len(prompt) : len(prompt) + generated])
    return {
        "seed": seed,
        "prompt": prompt,
        "ends": ends,
        "max_tokens": new,
        **setting,
        "sequences": sequences,
        "scores": [round(score, 6) for score in out.sequences_scores.tolist()],
    }


if __name__ == "__main__":
    main()
