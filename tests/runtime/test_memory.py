"""Memory is predicted, and refused before it is spent."""

from __future__ import annotations

import pytest

from edgeward import manifest as m
from edgeward.errors import MemoryLimit, OptionError
from edgeward.kv_cache import CacheShape
from edgeward.memory import MemoryPlan, plan_memory

SHAPE = CacheShape(layers=30, kv_heads=3, context=8192, head_dim=64)
WEIGHTS = 10**8


@pytest.fixture
def manifest() -> m.Manifest:
    zeros = "0" * 64
    return m.Manifest(
        format=1,
        name="x",
        licence="x",
        created_with={},
        source=m.Source(kind="path", reference="x", file="x", format="gguf", sha256=zeros),
        architecture=m.Architecture(
            family="llama",
            layers=30,
            hidden=576,
            intermediate=1536,
            heads=9,
            kv_heads=3,
            head_dim=64,
            vocabulary=49152,
            context=8192,
            rope_theta=1e5,
            norm_epsilon=1e-5,
            tied_head=True,
        ),
        graphs=[m.Graph(file="g.onnx", kind="portable")],
        quantization=[],
        generation=m.Generation(stop_ids=[]),
        evaluation=None,
        files={"model.data": m.FileEntry(size=WEIGHTS, sha256=zeros)},
    )


def plan(manifest: m.Manifest, context: int | None, limit: int | None) -> MemoryPlan:
    return plan_memory(manifest, manifest.graphs[0], SHAPE, 512, context, limit)


def test_a_short_context_is_chosen_when_the_whole_does_not_fit(manifest: m.Manifest) -> None:
    full = plan(manifest, None, 10**10)
    assert full.context == 8192
    less = plan(manifest, None, full.total - SHAPE.bytes // 2)
    assert 4000 < less.context < 4200
    assert less.total <= full.total - SHAPE.bytes // 2


def test_the_limit_says_how_many_requests_run_at_once(manifest: m.Manifest) -> None:
    one = plan(manifest, 1024, 10**10).total
    assert plan(manifest, 1024, one).requests == 1
    assert plan(manifest, 1024, one + 3 * 1024 * SHAPE.bytes_per_position).requests == 4


def test_too_little_is_refused_with_the_numbers(manifest: m.Manifest) -> None:
    with pytest.raises(MemoryLimit, match="memory_limit allows 1000"):
        plan(manifest, None, 1000)
    with pytest.raises(MemoryLimit, match="context of 8192"):
        plan(manifest, 8192, 3 * WEIGHTS)


@pytest.mark.parametrize("context", [0, -1, 8193])
def test_a_context_the_model_was_not_made_for_is_refused(
    manifest: m.Manifest, context: int
) -> None:
    with pytest.raises(OptionError, match=f"context={context}"):
        plan(manifest, context, None)


def test_the_fused_graph_keeps_no_second_copy_of_the_weights(manifest: m.Manifest) -> None:
    fused = m.Graph(file="f.onnx", kind="fused", cache_type="float16")
    shape = CacheShape(30, 3, 8192, 64, "float16")
    plan = plan_memory(manifest, fused, shape, 512, 1000, 10**10)
    assert plan.packed == 0
    assert plan.cache == shape.bytes_per_position * 1024  # whole segments of 64 positions
    assert shape.bytes_per_position * 2 == SHAPE.bytes_per_position
