"""The engine "ray" on a cluster of three nodes on this machine: the same bytes as the local one."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import edgeward
from edgeward.errors import OptionError

ray = pytest.importorskip("ray", reason="engine='ray' needs the extra [ray]")

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own are many


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(3):
            nodes.add_node(num_cpus=1, object_store_memory=100 * 2**20)
        paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        variables = {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}
        ray.init(
            address=nodes.address, log_to_driver=False, logging_level="ERROR",
            runtime_env={"env_vars": variables},
        )  # fmt: skip
        yield
    finally:
        ray.shutdown()
        nodes.shutdown()


def write(path: Path, count: int) -> Path:
    rows = [{"id": f"q{n}", "prompt": "the river " * (n % 4 + 1)} for n in range(count)]
    rows[5] = {"id": "bad"}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def arguments(pack: Path, tokens: int) -> dict[str, Any]:
    return {
        "model": pack, "task": "generate", "max_tokens": tokens, "ignore_eos": True,
        "temperature": 1.0, "load": {"threads": 1}, "concurrency": 2,
    }  # fmt: skip


def test_a_run_is_the_local_one_though_a_worker_is_killed(
    cluster: None, tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", 400)
    asked = arguments(tiny_pack, 30)
    edgeward.batch(source, tmp_path / "local.jsonl", **asked)
    killed: list[int] = []

    def kill() -> None:
        partial = tmp_path / "ray.jsonl.partial"
        until = time.monotonic() + 120
        while time.monotonic() < until and not killed:
            time.sleep(0.01)
            if not (partial.exists() and partial.stat().st_size):
                continue
            for pid in actors():
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
                break

    killer = threading.Thread(target=kill)
    killer.start()
    report = edgeward.batch(source, tmp_path / "ray.jsonl", engine="ray", **asked)
    killer.join()
    assert killed
    assert (report.rows, report.failed) == (400, 1)
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()
    assert not list(tmp_path.glob("*.partial*"))


def actors() -> list[int]:
    """Process ids of the actors that work on blocks."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                name = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if name.startswith(b"ray::MapWorker(MapBatches(_Blocks))"):
                found.append(int(folder.name))
    return found


def test_a_local_run_that_stopped_goes_on_with_ray(
    cluster: None, tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", 40)
    asked = arguments(tiny_pack, 4)
    edgeward.batch(source, tmp_path / "local.jsonl", **asked)
    with pytest.raises(OptionError, match="max_errors"):
        edgeward.batch(source, tmp_path / "ray.jsonl", max_errors=0, **asked)
    report = edgeward.batch(source, tmp_path / "ray.jsonl", engine="ray", **asked)
    assert report.resumed
    assert (tmp_path / "ray.jsonl").read_bytes() == (tmp_path / "local.jsonl").read_bytes()


def test_an_error_of_a_worker_is_told_as_it_would_be_here(
    cluster: None, tmp_path: Path, tiny_pack: Path
) -> None:
    source = write(tmp_path / "in.jsonl", 40)
    asked = {**arguments(tiny_pack, 4), "load": {"threads": 1, "memory_limit": 1000}}
    with pytest.raises(edgeward.EdgewardError, match="memory_limit allows 1000"):
        edgeward.batch(source, tmp_path / "ray.jsonl", engine="ray", **asked)


def test_a_pipeline_takes_the_mapper(cluster: None, tiny_pack: Path) -> None:
    import ray.data

    from edgeward.bulk.on_ray import BatchMapper

    rows = [{"index": n, "prompt": "the river"} for n in range(12)]
    made = ray.data.from_items(rows).map_batches(
        BatchMapper,
        fn_constructor_kwargs={
            "task": "generate", "model": str(tiny_pack), "load": {"threads": 1},
            "sampling": {"max_tokens": 3, "seed": 9},
        },
        compute=ray.data.ActorPoolStrategy(size=1),
        batch_size=4,
    )  # fmt: skip
    found = sorted(made.take_all(), key=lambda row: row["index"])
    with edgeward.load(tiny_pack, threads=1) as model:
        alone = [model.generate("the river", max_tokens=3, seed=9 + n).text for n in range(12)]
    assert [row["text"] for row in found] == alone
    assert {row["error"] for row in found} == {None}
