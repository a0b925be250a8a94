"""The real model: the float32 graph against transformers, the 8-bit pack against its limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_llama
from runner import Runner

from edgeward import manifest as m
from edgeward.pack import Pack, file_entry
from edgeward.quantize.convert import convert

GOLDEN = json.loads((Path(__file__).parents[1] / "data/golden/smollm2-135m.json").read_text())

# Largest difference of a logit to transformers in float32; logits reach from -20 to 30.
FLOAT32_LOGITS = 1e-3
# What the 8-bit pack may lose at most (mean KL in nats, share of equal first choices).
MOST_KL, LEAST_AGREEMENT = 0.005, 0.97


def make(gguf: Path, folder: Path, bits: int) -> Path:
    assert file_entry(gguf).sha256 == GOLDEN["gguf_sha256"]
    convert(
        gguf,
        folder,
        name="smollm2",
        source=m.Source(
            kind="path", reference="", file=gguf.name, format="gguf", sha256=GOLDEN["gguf_sha256"]
        ),
        licence="apache-2.0",
        tokenizer=tiny_llama.tokenizer_json(),
        chat_template=None,
        generation=m.Generation(stop_ids=[2]),
        bits=bits,
        evaluate=False,
    )
    return folder


@pytest.fixture(scope="module")
def exact(smollm2_gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(smollm2_gguf, tmp_path_factory.mktemp("smollm2") / "float32", 32)


def test_logits_equal_those_of_transformers(exact: Path) -> None:
    sampled = GOLDEN["sampled"]
    runner = Runner(exact)
    for prompt in GOLDEN["prompts"]:
        logits = runner.restart().step(prompt["ids"], len(prompt["ids"]) - 1)[0]
        wanted = [*sampled, *prompt["top"]]
        assert np.abs(logits[wanted] - prompt["logits"]).max() < FLOAT32_LOGITS, prompt["text"]


def test_greedy_text_of_64_tokens_equals_that_of_transformers(exact: Path) -> None:
    runner = Runner(exact)
    # With the golden text so far as its prompt, the first choice is the golden text's next id, for
    # each of the 64: so the greedy text is the golden one, without 64 steps.
    for prompt in GOLDEN["prompts"]:
        ids = prompt["ids"] + prompt["greedy"][:-1]
        logits = runner.restart().step(ids, len(prompt["ids"]) - 1)
        assert logits.argmax(axis=1).tolist() == prompt["greedy"], prompt["text"]


def test_eight_bits_keep_the_first_choices(exact: Path, smollm2_gguf: Path) -> None:
    rounded = make(smollm2_gguf, exact.parent / "int8", 8)
    runners = [Runner(exact), Runner(rounded)]
    kl, same = [], []
    for prompt in GOLDEN["prompts"]:
        ids = prompt["ids"] + prompt["greedy"]
        at = len(ids) // 3
        expected, got = (log_softmax(runner.restart().step(ids, at)) for runner in runners)
        kl.append((np.exp(expected) * (expected - got)).sum(1))
        same.append(expected.argmax(1) == got.argmax(1))
    assert np.concatenate(kl).mean() < MOST_KL
    assert np.concatenate(same).mean() >= LEAST_AGREEMENT
    files = Pack.open(rounded).manifest.files
    fused = sum(entry.size for name, entry in files.items() if name.startswith("fused."))
    assert fused < 100e6
    assert sum(entry.size for entry in files.values()) - fused < 165e6


def log_softmax(logits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
