"""Logits do not depend on how a prompt was cut, cached or threaded; bad graphs are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from edgeward import engine as engine_module
from edgeward.cancel import CancelToken, Work
from edgeward.engine import Engine, Lane
from edgeward.errors import Cancelled, PackError
from edgeward.kv_cache import KvCache
from edgeward.pack import MANIFEST, Pack, file_entry

KINDS = ("portable", "fused")
IDS = [int(i) for i in np.random.default_rng(5).integers(3, 260, 300)]


def make_engine(folder: Path, threads: int = 1, kind: str = "portable") -> Engine:
    pack = Pack.open(folder)
    graph = next((g for g in pack.manifest.graphs if g.kind == kind), None)
    if graph is None:
        pytest.skip(f"the pack at hand was made without a {kind} graph")
    return Engine(pack, graph, threads)


def lane_of(engine: Engine) -> Lane:
    return Lane(engine, KvCache(engine.cache_shape(512)), CancelToken())


@pytest.fixture(
    scope="module",
    params=[(pack, kind) for pack in ("tiny_pack", "real_pack") for kind in KINDS],
    ids=lambda param: "-".join(param),
)
def engine(request: pytest.FixtureRequest) -> Engine:
    pack, kind = request.param
    return make_engine(request.getfixturevalue(pack), threads=2, kind=kind)


def prefilled(engine: Engine, ids: list[int]) -> NDArray[np.float32]:
    lane = lane_of(engine)
    lane.prefill(ids, 0)
    return lane.logits.copy()


@pytest.mark.parametrize("chunk", [2, 3, 7, 64, 299, 300])
def test_chunks_of_two_and_more_give_the_same_bits(
    engine: Engine, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prefilled(engine, IDS)
    monkeypatch.setattr(engine_module, "PREFILL_CHUNK", chunk)
    assert np.array_equal(prefilled(engine, IDS), whole)


@pytest.mark.parametrize("most", [1, 2, 3, 37, 1000])
@pytest.mark.parametrize("tokens", [2, 3, 5, 299])
def test_a_token_that_bounds_the_runs_changes_no_bit_and_leaves_no_run_of_one(
    engine: Engine, most: int, tokens: int
) -> None:
    sizes: list[int] = []

    class Bounded(CancelToken):
        def most(self) -> int:
            return most

        def run(self, work: Work) -> None:
            assert work.position == sum(sizes)
            sizes.append(work.tokens)
            work.alone()

    lane = Lane(engine, KvCache(engine.cache_shape(512)), Bounded())
    lane.prefill(IDS[:tokens], 0)
    assert sum(sizes) == tokens
    assert 2 <= min(sizes) <= max(sizes) <= max(3, most)
    assert np.array_equal(lane.logits, prefilled(engine, IDS[:tokens]))


@pytest.mark.parametrize("start", [1, 2, 17, 298])
def test_a_cached_prefix_gives_the_same_bits(engine: Engine, start: int) -> None:
    whole = prefilled(engine, IDS)
    lane = lane_of(engine)
    lane.prefill(IDS, 0)
    for token in (5, 6, 7):
        lane.step(token)
    lane.prefill(IDS, start)
    assert np.array_equal(lane.logits, whole)


@pytest.mark.parametrize("forced", [2, 5, 100])
def test_tokens_appended_together_give_the_bits_of_a_prefill(engine: Engine, forced: int) -> None:
    lane = lane_of(engine)
    lane.prefill(IDS[:-forced], 0)
    lane.extend(IDS[-forced:])
    assert np.array_equal(lane.logits, prefilled(engine, IDS))
    assert lane.length == len(IDS)
    # What a prefill of its own must still compute where steps round otherwise.
    assert lane.cache.prefilled == (IDS if engine.fused else IDS[:-forced])


def test_a_token_appended_alone_is_a_step(engine: Engine) -> None:
    one, other = lane_of(engine), lane_of(engine)
    for lane in (one, other):
        lane.prefill(IDS, 0)
    one.extend([7])
    other.step(7)
    assert np.array_equal(one.logits, other.logits)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_no_bit(tiny_pack: Path, threads: int, kind: str) -> None:
    one = lane_of(make_engine(tiny_pack, 1, kind))
    other = lane_of(make_engine(tiny_pack, threads, kind))
    for lane in (one, other):
        lane.prefill(IDS, 0)
        for token in IDS[:5]:
            lane.step(token)
    assert np.array_equal(one.logits, other.logits)


def test_two_lanes_at_once_do_not_disturb_each_other(engine: Engine) -> None:
    alone, first, second = lane_of(engine), lane_of(engine), lane_of(engine)
    alone.prefill(IDS[:50], 0)
    for token in IDS[:5]:
        alone.step(token)
    first.prefill(IDS[:50], 0)
    second.prefill(IDS[100:180], 0)
    for token, other in zip(IDS[:5], IDS[50:55], strict=True):
        first.step(token)
        second.step(other)
    assert np.array_equal(first.logits, alone.logits)


def test_a_run_of_one_differs_by_rounding_only(engine: Engine) -> None:
    lane = lane_of(engine)
    lane.prefill(IDS[:99], 0)
    lane.step(IDS[99])
    whole = prefilled(engine, IDS[:100])
    if engine.fused:
        assert np.array_equal(lane.logits, whole)
    # Int8 activations turn rounding differences of 1e-7 into steps of their own grid.
    assert np.abs(lane.logits - whole).max() < 0.02 * np.abs(whole).max()


def test_only_positions_computed_together_are_kept_as_a_prefix(engine: Engine) -> None:
    lane = lane_of(engine)
    lane.prefill(IDS[:10], 0)
    lane.step(IDS[10])
    assert lane.cache.prefilled == IDS[: 11 if engine.fused else 10]
    lane.prefill(IDS[:1], 0)
    assert lane.cache.prefilled == IDS[: 1 if engine.fused else 0]


def test_a_cancelled_token_stops_before_the_run(engine: Engine) -> None:
    token = CancelToken()
    lane = Lane(engine, KvCache(engine.cache_shape(64)), token)
    token.cancel()
    with pytest.raises(Cancelled):
        lane.prefill(IDS[:10], 0)


def damaged(tiny_pack: Path, folder: Path, change: object) -> Path:
    """A copy of the pack whose graph went through `change`, with fresh hashes."""
    copy = Path(shutil.copytree(tiny_pack, folder / "pack"))
    model = onnx.load(copy / "portable.onnx", load_external_data=False)
    change(model)  # type: ignore[operator]
    (copy / "portable.onnx").write_bytes(model.SerializeToString())
    return rehashed(copy)


def rehashed(folder: Path) -> Path:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    for name in manifest["files"]:
        entry = file_entry(folder / name)
        manifest["files"][name] = {"size": entry.size, "sha256": entry.sha256}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def test_weights_in_another_file_are_refused(tiny_pack: Path, tmp_path: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        tensor = next(t for t in model.graph.initializer if t.external_data)
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../outside.data"

    with pytest.raises(PackError, match=r"\.\./outside\.data"):
        make_engine(damaged(tiny_pack, tmp_path, change))


def test_a_graph_with_another_input_is_refused(tiny_pack: Path, tmp_path: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        model.graph.input.append(
            onnx.helper.make_tensor_value_info("extra", onnx.TensorProto.FLOAT, [1])
        )

    with pytest.raises(PackError, match="'extra'"):
        make_engine(damaged(tiny_pack, tmp_path, change))


def test_a_manifest_that_lies_about_the_cache_is_refused(tiny_pack: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    manifest = json.loads((copy / MANIFEST).read_bytes())
    manifest["architecture"]["kv_heads"] += 1
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(PackError, match="past_key_values"):
        make_engine(copy)


def test_bytes_that_are_no_graph_are_refused(tiny_pack: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_pack, tmp_path / "pack"))
    (copy / "portable.onnx").write_bytes(b"not a graph at all")
    with pytest.raises(PackError, match=r"portable\.onnx"):
        make_engine(rehashed(copy))
