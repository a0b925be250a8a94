"""Which graph runs and why; the fused one among threads, under cancel, and when it cannot run."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import edgeward
from edgeward import fused_runs
from edgeward.cancel import CancelToken
from edgeward.engine import Engine, Lane
from edgeward.errors import Cancelled, OptionError, PackError
from edgeward.kernels import operators
from edgeward.kv_cache import CacheShape, KvCache
from edgeward.pack import MANIFEST, Pack, file_entry

# make ort-matrix runs these tests under versions that know the fused operators only.
PORTABLE_RUNS = tuple(map(int, onnxruntime.__version__.split(".")[:2])) >= (1, 23)
needs_portable = pytest.mark.skipif(
    not PORTABLE_RUNS, reason="this ONNX Runtime cannot load portable graphs"
)
IDS = [int(i) for i in np.random.default_rng(6).integers(3, 260, 400)]


@pytest.fixture(scope="module")
def tiny_pack(tiny_pack_of_all_graphs: Path) -> Path:
    """Whatever graph the other tests are asked to run."""
    return tiny_pack_of_all_graphs


@pytest.fixture
def copy(tiny_pack: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_pack, tmp_path / "pack"))


def rehash(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    for name in manifest["files"]:
        entry = file_entry(folder / name)
        manifest["files"][name] = {"size": entry.size, "sha256": entry.sha256}
    (folder / MANIFEST).write_text(json.dumps(manifest))


@needs_portable
def test_the_fused_graph_is_the_first_choice(tiny_pack: Path) -> None:
    with edgeward.load(tiny_pack) as model:
        assert (model.info.graph_kind, model.info.graph_reason) == ("fused", "")
        assert model.info.memory.packed == 0
        assert model.info.quantization[0].scheme.startswith("q8_0")
    with edgeward.load(tiny_pack, graph="portable") as model:
        assert (model.info.graph_kind, model.info.graph_reason) == ("portable", "asked for")


@needs_portable
def test_both_graphs_say_nearly_the_same(tiny_pack: Path) -> None:
    logits = []
    for kind in ("fused", "portable"):
        pack = Pack.open(tiny_pack)
        graph = next(g for g in pack.manifest.graphs if g.kind == kind)
        engine = Engine(pack, graph, 1)
        lane = Lane(engine, KvCache(engine.cache_shape(512)), CancelToken())
        lane.prefill(IDS, 0)
        logits.append(lane.logits[0, 0].copy())
    # Both round weights and activations to 8 bits, each in its own way.
    assert np.abs(logits[0] - logits[1]).std() < 0.06 * logits[0].std()


@needs_portable
def test_without_the_library_the_portable_graph_runs_and_says_why(
    tiny_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operators, "LIBRARY", Path("/nowhere/libedgeward_ops.so"))
    operators._library.cache_clear()
    try:
        with edgeward.load(tiny_pack) as model:
            assert model.info.graph_kind == "portable"
            assert "/nowhere/libedgeward_ops.so" in model.info.graph_reason
            assert model.generate("the", max_tokens=2, temperature=0).token_ids
        with pytest.raises(OptionError, match="nowhere"):
            edgeward.load(tiny_pack, graph="fused")
    finally:
        operators._library.cache_clear()


def test_an_old_onnx_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "__version__", "1.19.2")
    assert "1.19.2 is older than 1.20" in str(fused_runs.reason_against())


@needs_portable
def test_a_graph_of_another_layout_gives_way_to_the_portable_one(copy: Path) -> None:
    model = onnx.load(copy / "fused.onnx", load_external_data=False)
    next(a for a in model.graph.node[0].attribute if a.name == "layout").i = 99
    (copy / "fused.onnx").write_bytes(model.SerializeToString())
    rehash(copy)
    with edgeward.load(copy) as loaded:
        assert loaded.info.graph_kind == "portable"
        assert "layout 99" in loaded.info.graph_reason
    with pytest.raises(PackError, match="layout 99"):
        edgeward.load(copy, graph="fused")


@needs_portable
def test_weights_are_verified_for_the_graph_that_runs(copy: Path) -> None:
    data = bytearray((copy / "fused.data").read_bytes())
    data[5000] ^= 1
    (copy / "fused.data").write_bytes(data)
    with pytest.raises(PackError, match=r"fused\.data has sha256"):
        edgeward.load(copy)
    edgeward.load(copy, graph="portable").close()
    with pytest.raises(PackError, match=r"fused\.data has sha256"):
        Pack.open(copy)


@needs_portable
def test_a_pack_without_a_fused_graph_still_runs(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_bytes())
    manifest["graphs"] = [g for g in manifest["graphs"] if g["kind"] == "portable"]
    (copy / MANIFEST).write_text(json.dumps(manifest))
    with edgeward.load(copy) as model:
        assert model.info.graph_reason == "the pack has no fused graph"
    with pytest.raises(OptionError, match="has 'portable'"):
        edgeward.load(copy, graph="fused")


def test_an_unknown_graph_is_refused(tiny_pack: Path) -> None:
    with pytest.raises(OptionError, match="'fast'"):
        edgeward.load(tiny_pack, graph="fast")


def test_many_requests_at_once_give_what_each_gives_alone(tiny_pack: Path) -> None:
    prompts = [IDS[i : i + 30 + i] for i in range(6)]
    with edgeward.load(tiny_pack, threads=2, graph="fused") as model:

        def answer(ids: list[int]) -> tuple[int, ...]:
            return model.generate(ids, max_tokens=12, temperature=0, ignore_eos=True).token_ids

        alone = [answer(p) for p in prompts]
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(answer, prompts)) == alone


def test_a_conversation_computes_only_what_is_new(tiny_pack: Path) -> None:
    with edgeward.load(tiny_pack, threads=1, graph="fused") as model:
        first = model.generate(IDS[:40], max_tokens=10, temperature=0, ignore_eos=True)
        longer = [*IDS[:40], *first.token_ids, 7, 8, 9]
        again = model.generate(longer, max_tokens=10, temperature=0, ignore_eos=True)
        assert again.usage.cached_tokens >= 49 - 1
    with edgeward.load(tiny_pack, threads=1, graph="fused") as model:
        fresh = model.generate(longer, max_tokens=10, temperature=0, ignore_eos=True)
    assert fresh.token_ids == again.token_ids


def test_loads_and_unloads_leave_no_memory_and_no_thread(tiny_pack: Path) -> None:
    from edgeward.machine import resident_memory

    def rounds(count: int) -> tuple[int, int]:
        for _ in range(count):
            with edgeward.load(tiny_pack, threads=2, context=512, graph="fused") as model:
                model.generate(IDS[:20], max_tokens=3)
        found = resident_memory()
        assert found is not None
        return found[0], len(list(Path("/proc/self/task").iterdir()))

    settled, threads = rounds(5)
    memory, left = rounds(25)
    assert memory < settled + 2**20
    assert left == threads


def test_cancel_ends_a_run_from_another_thread(tiny_pack: Path) -> None:
    pack = Pack.open(tiny_pack)
    engine = Engine(pack, next(g for g in pack.manifest.graphs if g.kind == "fused"), 2)
    token = CancelToken()
    lane = Lane(engine, KvCache(engine.cache_shape(2048)), token)
    timer = threading.Timer(0.05, token.cancel)
    timer.start()

    def forever() -> None:
        for _ in range(10_000):
            lane.prefill(IDS, 0)

    with pytest.raises(Cancelled):
        forever()
    assert lane.cache.prefilled == IDS[: len(lane.cache.prefilled)]
    timer.join()
    lane.close()
    # The team is free again.
    other = Lane(engine, KvCache(engine.cache_shape(512)), CancelToken())
    other.prefill(IDS, 0)
    assert np.isfinite(other.logits).all()


def test_a_stop_flag_ends_the_run_inside_the_operator(tiny_pack: Path) -> None:
    from fused_runner import FusedRunner

    run = FusedRunner(tiny_pack, context=512)
    flag = operators.StopFlag()
    run.step({0: IDS[:5]}, stop=flag.number)
    flag.set()
    with pytest.raises(Exception, match="stopped by its caller"):
        run.step({0: IDS[:5]}, stop=flag.number)
    flag.close()
    flag.close()


@pytest.mark.parametrize("threads", [0, -1, 100_000])
def test_a_team_of_no_or_too_many_threads_is_refused(threads: int) -> None:
    with pytest.raises(ValueError, match="threads"):
        operators.Team(threads)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 40, 64])
def test_a_prefix_is_copied_whole(length: int) -> None:
    shape = CacheShape(layers=2, kv_heads=2, context=100, head_dim=32, kind="float16")
    assert shape.positions == 128
    one, other = KvCache(shape), KvCache(shape)
    numbers = np.random.default_rng(1).normal(size=one.buffers.shape)
    one.buffers[...] = numbers.astype(np.float16)
    one.prefilled = IDS[:64]
    other.copy_prefix(one, length)
    assert other.prefilled == IDS[:length]
    assert np.array_equal(other.buffers[:, :, 1, :, :length], one.buffers[:, :, 1, :, :length])

    def keys(cache: KvCache) -> np.ndarray:  # type: ignore[type-arg]
        blocks = cache.buffers[0, :, 0].reshape(2, 2, 8, 32, 16)
        return blocks.transpose(0, 1, 2, 4, 3).reshape(2, 2, 128, 32)[:, :, :length]

    assert np.array_equal(keys(other), keys(one))
