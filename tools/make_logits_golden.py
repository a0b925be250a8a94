"""Write tests/data/golden/logits.npz: logits of SmolLM2-135M behind three prompts, as float16.

    python tools/make_logits_golden.py [PACK]

Run by hand where the pack is in the store (`edgeward pull smollm2-135m`); the tests that hold the
samplers to their distributions read the result. Float16 keeps three digits, and ties as models on
16-bit devices have them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edgeward.bench.suites import model_logits

FILE = Path(__file__).resolve().parent.parent / "tests" / "data" / "golden" / "logits.npz"


def main() -> None:
    pack = sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m"
    rows = {name: row.astype(np.float16) for name, row in model_logits.rows(pack)}
    np.savez_compressed(FILE, **rows)
    for name, row in rows.items():
        p = np.exp(row.astype(np.float64) - float(row.max()))
        print(f"{name}: {len(row)} tokens, the best holds {p.max() / p.sum():.3f}")
    print(f"{FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
