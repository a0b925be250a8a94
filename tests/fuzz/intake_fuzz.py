"""Fuzzes model files and packs: damaged ones must be refused with a clear error, or be harmless.

    python tests/fuzz/intake_fuzz.py --seconds 60 [--seed 1] [--findings build/fuzz-intake]

Needs the test extra. Damages GGUF files, headers of safetensors, config.json and manifests: bytes
flipped and cut, numbers replaced by absurd ones, JSON values by others. What is refused must be
refused as an error of this package; what is read must give finite numbers of the promised shapes,
and a conversion leaves nothing beside its result. A case that finds something stays in the folder
of findings, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "support"))

import gguf_file  # noqa: E402
import numpy as np  # noqa: E402
import tiny_encoder  # noqa: E402
import tiny_families  # noqa: E402
import tiny_llama  # noqa: E402

from edgeward.errors import EdgewardError, IntakeError, PackError  # noqa: E402
from edgeward.pack import Pack  # noqa: E402
from edgeward.quantize import encoders  # noqa: E402
from edgeward.quantize.intake import read_model  # noqa: E402
from edgeward.quantize.weights import all_floats  # noqa: E402

SLOW = 10.0  # seconds: no case here may take as long
ABSURD = (0, 1, -1, 7, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, 1 << 70, 0.5, -0.0, 1e308, True)
TEXTS = ("", "x", "../up", "nan", "9" * 500)
OTHERS: tuple[Any, ...] = (*ABSURD, *TEXTS, None, [], {}, [1, 2], {"a": 1})
# Families whose settings are read in the most different ways.
FAMILIES = ("gemma3", "gemma3_new_form", "phi4_mini", "smollm3_listed", "qwen2_window", "granite")
GOLDENS = ROOT / "data" / "golden" / "families.npz"
ENCODER = ("config.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json")


class Fuzzer:
    """One run: a random source, where findings go, and how often each thing was done."""

    def __init__(self, seed: int, findings: Path) -> None:
        self.rng = random.Random(seed)
        self.findings = findings
        self.done: Counter[str] = Counter()
        self.found = 0
        shutil.rmtree(findings / "work", ignore_errors=True)
        self.work = findings / "work"
        self.work.mkdir(parents=True)
        small: dict[str, Any] = {"num_hidden_layers": 1, "intermediate_size": 32}
        self.gguf = gguf_file.write(self.work / "whole.gguf", **small).read_bytes()
        self.folder = tiny_llama.write_folder(self.work / "whole", **small)
        shapes = np.load(GOLDENS)
        self.families = [
            tiny_families.write_folder(
                self.work / case, case, json.loads(shapes[f"{case}.shapes"].tobytes()), 0
            )
            for case in FAMILIES
        ]
        self.encoder = tiny_encoder.write_folder(self.work / "encoder", num_hidden_layers=1)
        self.pack = tiny_llama.write_pack(self.work / "pack", **small)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        steps = (
            self.damaged_gguf,
            self.damaged_safetensors,
            self.damaged_config,
            self.damaged_encoder,
            self.manifest,
        )
        while time.monotonic() < end:
            step = self.rng.choice(steps)
            begin = time.monotonic()
            case = step()
            if time.monotonic() - begin > SLOW:
                self.report("slow", step.__name__, case)
            self.done[step.__name__] += 1

    def report(self, kind: str, what: str, case: Path) -> None:
        self.found += 1
        print(f"found {kind}: {what}", file=sys.stderr, flush=True)
        kept = self.findings / f"{kind}-{self.found}"
        (shutil.copytree if case.is_dir() else shutil.copy)(case, kept)

    def damaged_gguf(self) -> Path:
        case = self.work / "case.gguf"
        # Most of the file is weights; the header decides.
        case.write_bytes(self.damaged(self.gguf, 12_000))
        self.read(case)
        return case

    def damaged_safetensors(self) -> Path:
        case = self.copy(self.folder)
        file = case / "model.safetensors"
        content = file.read_bytes()
        (size,) = struct.unpack("<Q", content[:8])
        if self.rng.random() < 0.5:
            file.write_bytes(self.damaged(content, 8 + size))
        else:
            header = json.dumps(self.altered(json.loads(content[8 : 8 + size]))).encode()
            stated = self.rng.choice((len(header), len(header), size, self.number() % (1 << 64)))
            file.write_bytes(struct.pack("<Q", stated) + header + content[8 + size :])
        self.read(case)
        return case

    def damaged_config(self) -> Path:
        case = self.copy(self.rng.choice((self.folder, *self.families)))
        file = case / "config.json"
        file.write_text(json.dumps(self.altered(json.loads(file.read_text()))))
        self.read(case)
        return case

    def damaged_encoder(self) -> Path:
        case = self.copy(self.encoder)
        file = case / self.rng.choice(ENCODER)
        file.write_text(json.dumps(self.altered(json.loads(file.read_text()))))
        try:
            encoders.read(case)
        except IntakeError:
            pass
        except Exception as error:
            self.report("error", f"{type(error).__name__}: {error}", case)
        return case

    def manifest(self) -> Path:
        case = self.copy(self.pack)
        file = case / "manifest.json"
        if self.rng.random() < 0.3:
            file.write_bytes(self.damaged(file.read_bytes(), file.stat().st_size))
        else:
            file.write_text(json.dumps(self.altered(json.loads(file.read_text()))))
        try:
            opened = Pack.open(case)
            for name in opened.manifest.files:
                inside = opened.path(name).resolve()
                if inside.parent != case.resolve():
                    self.report("outside", f"{name} leads to {inside}", case)
        except PackError:
            pass
        except Exception as error:
            self.report("error", f"{type(error).__name__}: {error}", case)
        return case

    def read(self, case: Path) -> None:
        try:
            weights = read_model(case)
            for name, shape in weights.architecture.shapes().items():
                values = all_floats(weights.tensors[name])
                if values.shape != shape or not np.isfinite(values).all():
                    self.report("numbers", f"{name} is {values.shape}, not {shape}", case)
        except IntakeError:
            pass
        except EdgewardError as error:
            self.report("kind", f"{type(error).__name__}: {error}", case)
        except Exception as error:
            self.report("error", f"{type(error).__name__}: {error}", case)

    def copy(self, folder: Path) -> Path:
        case = self.work / "case"
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(folder, case)
        return case

    def damaged(self, content: bytes, head: int) -> bytes:
        """A few changes in the first `head` bytes, and now and then a cut."""
        changed = bytearray(content)
        for _ in range(self.rng.randint(1, 4)):
            at = self.rng.randrange(max(1, min(head, len(changed)) - 8))
            ways: tuple[Callable[[], bytes], ...] = (
                lambda: bytes([self.rng.randrange(256)]),
                lambda: struct.pack("<Q", self.number() % (1 << 64)),
                lambda: struct.pack("<I", self.number() % (1 << 32)),
                lambda: self.rng.randbytes(self.rng.randint(1, 16)),
            )
            new = self.rng.choice(ways)()
            changed[at : at + len(new)] = new
        if self.rng.random() < 0.1:
            del changed[self.rng.randrange(len(changed)) :]
        return bytes(changed)

    def number(self) -> int:
        return int(self.rng.choice(ABSURD)) if self.rng.random() < 0.7 else self.rng.getrandbits(63)

    def altered(self, value: Any) -> Any:
        """The document with one value somewhere replaced, added or left out."""
        if isinstance(value, dict) and value:
            key = self.rng.choice(sorted(value))
            way = self.rng.random()
            if way < 0.1:
                return {k: v for k, v in value.items() if k != key}
            if way < 0.2:
                return {**value, self.rng.choice(("x", "../x", f"{key}2")): value[key]}
            return {**value, key: self.altered(value[key])}
        if isinstance(value, list) and value and self.rng.random() < 0.8:
            at = self.rng.randrange(len(value))
            return [*value[:at], self.altered(value[at]), *value[at + 1 :]]
        return self.rng.choice(OTHERS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz-intake"))
    options = parser.parse_args()
    fuzzer = Fuzzer(options.seed, options.findings)
    fuzzer.run(options.seconds)
    print(f"{dict(fuzzer.done)}; found {fuzzer.found}")
    return 1 if fuzzer.found else 0


if __name__ == "__main__":
    sys.exit(main())
