"""Write tests/data/golden/families.npz: transformers' logits for a tiny model of every family.

    python tools/make_family_goldens.py

Run by hand in an environment with torch, transformers and safetensors; the tests read the result
and need neither. Takes some seconds. Besides ids and logits (float32) it holds each model's tensor
names and shapes, from which the test makes the same weights.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import tiny_families  # noqa: E402

GOLDEN = ROOT / "tests" / "data" / "golden" / "families.npz"


def main() -> None:
    torch.set_grad_enabled(False)
    arrays = {}
    for seed, case in enumerate(tiny_families.CASES):
        with tempfile.TemporaryDirectory() as folder:
            shapes = shapes_of(case, Path(folder))
            tiny_families.write_folder(Path(folder), case, shapes, seed)
            model, loading = AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
            )
            assert not any(loading.values()), (case, loading)
        ids = np.random.default_rng(seed).integers(
            0, tiny_families.VOCABULARY, tiny_families.LENGTH
        )
        logits = model.eval()(torch.from_numpy(ids)[None]).logits[0].numpy()
        arrays[f"{case}.ids"] = ids
        arrays[f"{case}.logits"] = logits
        arrays[f"{case}.shapes"] = np.frombuffer(json.dumps(shapes).encode(), np.uint8)
        print(f"{case}: spread {logits.std():.2f}")
    np.savez_compressed(GOLDEN, **arrays)
    print(f"{GOLDEN.name}: {GOLDEN.stat().st_size} bytes")


def shapes_of(case: str, folder: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that transformers would save."""
    (folder / "config.json").write_text(json.dumps(tiny_families.settings(case)))
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    tied = model.config.tie_word_embeddings
    return {
        name: tuple(value.shape)
        for name, value in model.state_dict().items()
        if not (tied and name == "lm_head.weight")
    }


if __name__ == "__main__":
    main()
