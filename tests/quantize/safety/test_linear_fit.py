"""The linear scorer learns, and what is written is what the kernel reads."""

from __future__ import annotations

import numpy as np

from edgeward.kernels import _native
from edgeward.quantize.safety import linear, model_file

BUCKETS = 4096


def corpus() -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(1)
    calm = ["boat", "garden", "train", "letter", "music", "window"]
    texts, labels = [], []
    for i in range(2048):
        words = list(rng.choice(calm, 5))
        if i % 2:
            words[int(rng.integers(5))] = "villain"
        texts.append(" ".join(words))
        labels.append((i % 2, (i // 2) % 2))
        if labels[-1][1]:
            texts[-1] += " override"
    return texts, np.array(labels, np.float32)


def test_each_head_learns_its_own_word_and_the_file_scores_like_the_fit() -> None:
    texts, labels = corpus()
    features = linear.Features.of(texts, BUCKETS)
    fit = linear.fit(features, labels, np.ones_like(labels), BUCKETS)
    logits = fit.logits(features)
    assert (((logits > 0) == (labels > 0)).mean(0) > 0.99).all()
    heads = [
        model_file.Head(name, (1, 0, 0, 0), (1, 0, -1e6), ((0.05, 0.4), (0.01, 0.5), (0.001, 0.6)))
        for name in ("toxicity", "jailbreak")
    ]
    model = _native.SafetyModel.from_bytes(model_file.pack(heads, fit.weights, fit.bias, None))
    expected = 1 / (1 + np.exp(-logits[:100]))
    np.testing.assert_allclose(model.score_batch(texts[:100]), expected, atol=0.02)


def test_rows_without_weight_teach_nothing() -> None:
    texts, labels = corpus()
    features = linear.Features.of(texts, BUCKETS)
    counts = np.ones_like(labels)
    counts[:, 1] = 0
    fit = linear.fit(features, labels, counts, BUCKETS)
    assert not fit.weights[:, 1].any()
    assert fit.bias[1] == 0


def test_features_of_chosen_texts_are_theirs() -> None:
    features = linear.Features.of(["a b", "", "ccc dd", "a"], BUCKETS)
    chosen = features.chosen(np.array([3, 1, 0]))
    alone = [linear.Features.of([text], BUCKETS).ids.tolist() for text in ("a", "", "a b")]
    cut = [chosen.ids[a:b].tolist() for a, b in zip(chosen.starts, chosen.starts[1:], strict=False)]
    assert cut == alone
