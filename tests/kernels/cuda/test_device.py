"""On a CUDA device: the CPU sampler's tokens, whatever the batch, type and stream.

Needs a build with EDGEWARD_CUDA=1, a device, and torch for memory on it; skipped otherwise. One
command on such a machine: `make gpu`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeward.kernels import _native, on_device

torch = pytest.importorskip("torch", reason="torch, for memory on a device, is not installed")
FOUND = on_device.status()
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(bool(FOUND.problem), reason=f"no CUDA device: {FOUND.problem}"),
]

SETTINGS: list[dict[str, Any]] = [
    {"temperature": 0.0},
    {},
    {"temperature": 0.3},
    {"top_k": 1},
    {"top_k": 50, "top_p": 0.95},
    {"top_k": 2000},
    {"top_p": 0.9},
    {"top_p": 0.1},
    {"min_p": 0.05},
    {"typical_p": 0.8},
    {"top_n_sigma": 1.0},
    {"xtc_probability": 0.6, "xtc_threshold": 0.05, "top_p": 0.9},
    {"mirostat_tau": 3.0, "mirostat_eta": 0.4},
    {"repetition_penalty": 1.3, "frequency_penalty": 0.5, "presence_penalty": 0.2},
    {"dry_multiplier": 0.8, "no_repeat_ngram_size": 3, "logit_bias": {3: 4.0}, "banned_ids": [5]},
    {"forced_ids": [1, 2]},
]

SHAPES = [(1, 1), (1, 128_256), (3, 257), (16, 49_152), (64, 128_256), (512, 4099), (8, 262_444)]


def samplers(vocabulary: int, rows: int) -> list[_native.Sampler]:
    return [
        _native.Sampler(vocabulary, seed=row, **SETTINGS[row % len(SETTINGS)])
        for row in range(rows)
    ]


def made_logits(rows: int, vocabulary: int) -> np.ndarray:
    rng = np.random.default_rng([rows, vocabulary])
    x = rng.normal(0, 3, (rows, vocabulary)).astype(np.float32)
    x[1::4] = np.round(x[1::4])
    x[2::4] *= 0.01
    x[3::4, :: max(vocabulary // 100, 1)] += 20
    return x


@pytest.mark.parametrize("type", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(("rows", "vocabulary"), SHAPES)
def test_the_cpu_picks_the_same_tokens(type: str, rows: int, vocabulary: int) -> None:
    if vocabulary == 1:
        ours, theirs = ([_native.Sampler(1)] for _ in "ab")
    else:
        ours, theirs = samplers(vocabulary, rows), samplers(vocabulary, rows)
    device = on_device.DeviceSampler(vocabulary, rows)
    for step in range(6):
        there = (
            torch.from_numpy(made_logits(rows, vocabulary) + step)
            .to("cuda")
            .to(getattr(torch, type))
        )
        here = there.float().cpu().numpy()
        positions = [step + 10 * row for row in range(rows)]
        drawn = device.sample_batch(ours, there, positions)
        assert drawn == _native.sample_batch(theirs, here, positions), step
        for id, a, b in zip(drawn, ours, theirs, strict=True):
            a.observe(id)
            b.observe(id)


@pytest.mark.parametrize("on_host", [True, False])
def test_masks(on_host: bool) -> None:
    rows, vocabulary = 16, 5000
    rng = np.random.default_rng(2)
    allowed = rng.integers(0, 2**32, (rows, (vocabulary + 31) // 32), dtype=np.uint32)
    allowed &= rng.integers(0, 2**32, allowed.shape, dtype=np.uint32)
    x = made_logits(rows, vocabulary)
    ours, theirs = samplers(vocabulary, rows), samplers(vocabulary, rows)
    masks = allowed if on_host else torch.from_numpy(allowed.view(np.int32)).to("cuda")
    device = on_device.DeviceSampler(vocabulary, rows)
    drawn = device.sample_batch(ours, torch.from_numpy(x).to("cuda"), range(rows), masks)
    assert drawn == _native.sample_batch(theirs, x, range(rows), allowed)


def test_many_steps_agree_and_logits_stay_as_they_are() -> None:
    rows, vocabulary = 64, 3001
    x = made_logits(rows, vocabulary)
    there = torch.from_numpy(x).to("cuda")
    ours, theirs = samplers(vocabulary, rows), samplers(vocabulary, rows)
    device = on_device.DeviceSampler(vocabulary, rows)
    for step in range(500):
        positions = [step] * rows
        drawn = device.sample_batch(ours, there, positions)
        assert drawn == _native.sample_batch(theirs, x, positions), step
        for id, a, b in zip(drawn, ours, theirs, strict=True):
            a.observe(id)
            b.observe(id)
    assert (there.cpu().numpy() == x).all()


def test_another_stream_rows_apart_and_logprobs() -> None:
    vocabulary = 1000
    wide = torch.randn(4, vocabulary + 24, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    ours, theirs = samplers(vocabulary, 4), samplers(vocabulary, 4)
    device = on_device.DeviceSampler(vocabulary, 4)
    view = wide[:, :vocabulary]
    drawn = device.sample_batch(ours, view, range(4), stream=stream.cuda_stream, logprobs=True)
    here = view.cpu().numpy().copy()
    assert drawn == _native.sample_batch(theirs, here, range(4))
    for row, id in enumerate(drawn):
        assert device.logprobs[row] == np.float32(theirs[row].logprobs(here[row], id)[0])


def test_bad_input_is_told_of() -> None:
    device = on_device.DeviceSampler(300, 2)
    sampler = _native.Sampler(300)
    x = torch.zeros(1, 300, device="cuda")
    for wrong, words in (
        (torch.zeros(1, 300), "must be in the memory of a CUDA device"),
        (x.double(), "float32 or float16 or bfloat16"),
        (x[:, :299], r"of shape \(1, 300\)"),
        (torch.zeros(300, 1, device="cuda").T.expand(1, 300), "rows without gaps"),
        (np.zeros((1, 300), np.float32), "must be in the memory of a CUDA device"),
    ):
        if words == "rows without gaps":
            wrong = torch.zeros(1, 600, device="cuda")[:, ::2]
        with pytest.raises(ValueError, match=words):
            device.sample_batch([sampler], wrong, [0])
    x[0, 17] = float("nan")
    with pytest.raises(ValueError, match=r"row 0: logits\[17\] is NaN"):
        device.sample_batch([sampler], x, [0])
    with pytest.raises(ValueError, match="3 rows; this device sampler was made for 2"):
        device.sample_batch(samplers(300, 3), torch.zeros(3, 300, device="cuda"), range(3))
