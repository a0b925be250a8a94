"""Write tests/data/golden/safety_scores.json: what the slow twin makes of the weights that ship.

    python tools/make_safety_goldens.py

Run it after new weights; the tests hold the kernels to it.
"""

from __future__ import annotations

import json
from pathlib import Path

from edgeward.kernels import reference_safety
from edgeward.safety import weights

DATA = Path(__file__).resolve().parents[1] / "tests/data"
SENTENCES = DATA / "safety_sentences.jsonl"
OUT = DATA / "golden/safety_scores.json"


def main() -> None:
    model = reference_safety.read(weights.read())
    texts = [json.loads(line)["text"] for line in SENTENCES.read_text("utf-8").splitlines()]
    scores = [[round(float(p), 7) for p in model.score(text)] for text in texts]
    OUT.write_text(json.dumps({"sha256": weights.SHA256, "scores": scores}) + "\n", "utf-8")


if __name__ == "__main__":
    main()
