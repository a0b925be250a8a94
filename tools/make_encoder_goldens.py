"""Write tests/data/golden/encoder.npz: vectors that transformers' BERT gives tiny random models.

    python tools/make_encoder_goldens.py

Run by hand in an environment with torch, transformers and safetensors; the tests read the result.
Pooling and length are those of sentence-transformers: mean over the tokens or the first token, then
divided by the norm.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import BertModel, PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

import tiny_encoder  # noqa: E402

GOLDEN = ROOT / "tests" / "data" / "golden" / "encoder.npz"
TEXTS = ("the river", "what is the capital of a house?", "", "Bad caFé abc", "light " * 30)


def main() -> None:
    torch.set_grad_enabled(False)
    arrays = {"texts": np.array(TEXTS)}
    for seed, pooling in enumerate(("mean", "cls")):
        with tempfile.TemporaryDirectory() as name:
            folder = tiny_encoder.write_folder(Path(name), seed, pooling)
            model = BertModel.from_pretrained(folder, dtype=torch.float32).eval()
            tokenizer = PreTrainedTokenizerFast(
                tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]"
            )
            batch = tokenizer(
                list(TEXTS),
                padding=True,
                truncation=True,
                max_length=tiny_encoder.LONGEST,
                return_tensors="pt",
            )
        hidden = model(batch["input_ids"], batch["attention_mask"]).last_hidden_state
        kept = batch["attention_mask"][..., None].float()
        vectors = hidden[:, 0] if pooling == "cls" else (hidden * kept).sum(1) / kept.sum(1)
        arrays[pooling] = torch.nn.functional.normalize(vectors, dim=1).numpy()
    np.savez_compressed(GOLDEN, **arrays)


if __name__ == "__main__":
    main()
