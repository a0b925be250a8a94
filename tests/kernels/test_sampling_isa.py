"""Every instruction set draws the same token from the same logits: 10^5 recorded steps and more."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from edgeward.kernels import _native

SETTINGS = [
    {},
    {"temperature": 0.7, "top_p": 0.9},
    {"top_k": 40, "top_p": 0.95, "min_p": 0.01},
    {"typical_p": 0.8, "repetition_penalty": 1.1, "frequency_penalty": 0.2},
    {"top_n_sigma": 1.5, "xtc_probability": 0.5, "xtc_threshold": 0.05},
    {"mirostat_tau": 4.0, "dry_multiplier": 0.5, "no_repeat_ngram_size": 4},
]
ROWS, VOCABULARY, STEPS = 50, 331, 18_000

RECORD = """
import hashlib, sys
import numpy as np
from edgeward.kernels import _native
x = np.random.default_rng(8).normal(0, 3, 49152).astype(np.float32)
tokens = []
for setting in ({}, {"top_p": 0.9}, {"top_k": 50, "top_p": 0.95}, {"min_p": 0.02}):
    sampler = _native.Sampler(len(x), seed=1, **setting)
    tokens += [sampler.sample(x, position) for position in range(100)]
print(_native.active_isa(), hashlib.sha256(np.array(tokens).tobytes()).hexdigest())
"""


def test_all_sets_draw_the_same_over_many_steps() -> None:
    rng = np.random.default_rng(4)
    rows = [rng.normal(0, s, VOCABULARY).astype(np.float32) for s in np.linspace(0.1, 9, ROWS)]
    for setting in SETTINGS:
        recorded = []
        for isa in _native.supported_isas():
            sampler = _native.Sampler(VOCABULARY, seed=77, isa=isa, **setting)
            tokens = []
            for position in range(STEPS):
                token = sampler.sample(rows[position % ROWS], position)
                if position % 100 == 0:
                    sampler.observe(token)
                tokens.append(token)
            recorded.append(tokens)
        assert len(set(recorded[0])) > 10
        assert all(tokens == recorded[0] for tokens in recorded[1:])


def test_the_forced_set_is_the_one_used_and_draws_the_same() -> None:
    lines = []
    for isa in _native.supported_isas():
        made = subprocess.run(
            [sys.executable, "-c", RECORD],
            env={**os.environ, "EDGEWARD_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        ran, digest = made.stdout.split()
        assert ran == isa
        lines.append(digest)
    assert len(set(lines)) == 1


def test_an_unknown_set_is_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"isa is 'mmx'.*generic"):
        _native.Sampler(4, isa="mmx")
