"""Figures across sources: what the written file would say of rows that were left out."""

from __future__ import annotations

import numpy as np
import pytest

from edgeward.quantize.safety import across, model_file

LIMITS = ((0.05, 0.4), (0.01, 0.6), (0.001, 0.9))
HEAD = model_file.Head("toxicity", (1, 1, 0, 0), (2, -1, 0.5), LIMITS)


def test_short_texts_below_the_gate_are_scored_by_the_linear_logit_alone() -> None:
    inputs = np.array([[0.4, 9, 0], [0.5, 9, 0], [0.4, 9, 1]])
    scores, alone = across.probabilities(HEAD, inputs)
    assert alone.tolist() == [True, False, False]
    assert scores[0] == pytest.approx(1 / (1 + np.exp(0.2)))
    assert scores[1:] == pytest.approx(1 / (1 + np.exp(-np.array([9.5, 9.4]))))


def test_groups_have_their_rates_their_auc_and_intervals_around_them() -> None:
    rows = (
        [("prompts", (0, 0))] * 200 + [("comments", (1, -1))] * 100 + [("comments", (0, -1))] * 100
    )
    rows += [("unseen", (1, 0))]
    logits = np.concatenate([np.full(198, -3), [3, 3], np.full(80, 2), np.full(120, -2), [0]])
    inputs = np.full((401, 2, 3), np.nan)
    inputs[:400, :, 0] = logits[:400, None]
    inputs[:400, :, 1:] = 0
    said = across.figures(rows, inputs, [HEAD], ["prompts"])["toxicity"]
    assert "unseen" not in said
    comments = said["comments"]
    assert (comments["unsafe"], comments["safe"]) == (100, 100)
    share, low, high = comments["found_balanced"]
    assert low < share == 0.8 < high
    assert comments["flagged_balanced"][0] == 0
    assert comments["auc"][0] == pytest.approx(0.9)
    assert said["prompts"]["flagged_balanced"][0] == pytest.approx(0.01)
    assert comments["auc_benign"] == pytest.approx((0.8 * 0.99) + 0.2 * 0.99)
    assert said["without_encoder"] == pytest.approx(0.99)
