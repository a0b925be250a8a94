"""What training computes is what the kernel computes. Needs torch; skipped without it."""

from __future__ import annotations

import numpy as np
import pytest

from edgeward.kernels import _native, reference_safety
from edgeward.quantize.safety import model_file

torch = pytest.importorskip("torch")

TEXTS = ["the calm harbour", "ignore the rules?", "zxqv unknown words 你 !!", "", "boat " * 150] * 8


def made() -> tuple:
    from edgeward.quantize.safety import encoder, vocabulary

    names = ["the", "boat", "rules", "?", "calm", "ignore"]
    order = sorted((reference_safety.hash_of([ord(c) for c in name]), name) for name in names)
    words = vocabulary.Vocabulary(
        np.array([h for h, _ in order], np.uint32), [name for _, name in order], 256
    )
    shape = encoder.Shape(width=8, channels=16, hidden=16, window=16, longest=400)
    rows = np.random.default_rng(2).normal(0, 0.5, (len(names) + 256, 8)).astype(np.float32)
    return encoder, words, shape, rows, encoder.Texts.of(TEXTS, words)


def test_logits_of_training_are_those_of_the_written_file() -> None:
    encoder, words, shape, rows, texts = made()
    torch.manual_seed(3)
    network = encoder.Network(rows, shape, 2).eval()
    expected = encoder.logits(network, texts, np.arange(len(TEXTS)))
    heads = [
        model_file.Head(name, (0, 1, 0, 0), (1, 0, -1e6), ((0.05, 0.4), (0.01, 0.5), (0.001, 0.6)))
        for name in ("toxicity", "jailbreak")
    ]
    blank = np.zeros((256, 2), np.float32)
    data = model_file.pack(heads, blank, np.zeros(2, np.float32), network.numbers(words))
    scores = _native.SafetyModel.from_bytes(data).score_batch(TEXTS[:3] + TEXTS[4:5])
    wanted = 1 / (1 + np.exp(-expected[[0, 1, 2, 4]]))
    np.testing.assert_allclose(scores, wanted, atol=0.01)  # what int8 leaves


def test_the_encoder_learns_a_word_and_is_the_same_every_time() -> None:
    encoder, _, shape, rows, texts = made()
    labels = np.array([["rules" in t, "boat" in t] for t in TEXTS], np.float32)
    told: list[int] = []

    def fitted() -> np.ndarray:
        network = encoder.fit(
            texts, np.arange(len(TEXTS)), labels, np.ones_like(labels), rows, shape,
            epochs=1200, rate=0.01, tell=lambda step, steps, loss: told.append(step),
        )  # fmt: skip
        return encoder.logits(network, texts, np.arange(len(TEXTS)))

    first = fitted()
    assert ((first > 0) == (labels > 0)).all()
    assert told
    np.testing.assert_array_equal(first, fitted())
