"""Models that several folders of tests share: a tiny one made in code, and the real default one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import one_graph
import pytest
import tiny_gguf

import edgeward
from edgeward.errors import SourceError
from edgeward.model import Model

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C: a shell's background job has it switched off."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_pack_of_all_graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of a random llama: 2 layers, 264 tokens, 2,048 positions."""
    folder = tmp_path_factory.mktemp("tiny")
    weights = tiny_gguf.write(folder / "tiny.gguf", context=2048, scale=0.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWARD_HOME", str(folder / "home"))
        return edgeward.pull(weights, evaluate=False)


@pytest.fixture(scope="session")
def tiny_pack(tiny_pack_of_all_graphs: Path) -> Path:
    """The random llama; with EDGEWARD_TEST_GRAPH a pack of that graph alone."""
    return _chosen(tiny_pack_of_all_graphs, tiny_pack_of_all_graphs.parent / "of_one_graph")


def _chosen(pack: Path, folder: Path) -> Path:
    kind = one_graph.CHOSEN
    return pack if kind is None else one_graph.one_graph(pack, kind, folder / kind)


@pytest.fixture(scope="session")
def tiny_model(tiny_pack: Path) -> Iterator[Model]:
    """The tiny pack, loaded on one thread."""
    with edgeward.load(tiny_pack, threads=1) as model:
        yield model


@pytest.fixture(scope="session")
def real_home() -> Path:
    """A store for the real model, kept between runs: it is fetched once a checkout."""
    return Path(os.environ.get("EDGEWARD_TEST_HOME", ROOT / "build" / "test-home")).absolute()


@pytest.fixture(scope="session")
def real_pack(real_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog's default model, pulled as a user would; skips where the index is not reached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWARD_HOME", str(real_home))
        try:
            pack = edgeward.pull("smollm2-135m")
        except SourceError as error:
            if "CI" in os.environ:
                raise
            pytest.skip(f"the default model cannot be had here: {error}")
    return _chosen(pack, tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="session")
def real_model(real_pack: Path) -> Iterator[Model]:
    """The default model, loaded."""
    with edgeward.load(real_pack) as model:
        yield model


@pytest.fixture(scope="session")
def smollm2_gguf(real_home: Path) -> Path:
    """The default model's file as its makers ship it; EDGEWARD_TEST_GGUF may name it."""
    if at_hand := os.environ.get("EDGEWARD_TEST_GGUF"):
        return Path(at_hand)
    from edgeward.quantize.progress import silent
    from edgeward.quantize.sources import resolve

    folder = real_home / "gguf"
    (folder / "work").mkdir(parents=True, exist_ok=True)
    try:
        return resolve("smollm2-135m").fetch(folder, folder / "work", silent).model
    except SourceError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"the default model cannot be had here: {error}")
