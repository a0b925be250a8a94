"""Stored prompts are answered as when the pack was made, or the difference is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import tiny_llama

from edgeward import manifest as m
from edgeward.errors import PackError
from edgeward.pack import Pack
from edgeward.quantize.verify import verify

replace = msgspec.structs.replace


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return tiny_llama.write_pack(tmp_path / "pack")


def test_the_prompts_of_a_pack_are_asked_again(pack: Path) -> None:
    stored = Pack.open(pack).manifest.golden
    assert len(stored) == 3
    assert all(golden.logits == sorted(golden.logits, reverse=True) for golden in stored)
    assert verify(pack).prompts == 3
    assert verify(pack, run=False).prompts == 0


CHANGES: dict[str, tuple[Callable[[m.Golden], m.Golden], str]] = {
    "other logits": (
        lambda g: replace(g, logits=[value + g.spread for value in g.logits]),
        "answers stored prompt 0 otherwise",
    ),
    "another prompt": (lambda g: replace(g, ids=g.ids[::-1]), "answers stored prompt 0 otherwise"),
    "an id too large": (lambda g: replace(g, ids=[10**9]), "the id 1000000000"),
    "a top too large": (lambda g: replace(g, top=[10**9], logits=[0.0]), "the id 1000000000"),
    "too long": (lambda g: replace(g, ids=[0] * 1000), "1000 ids"),
    "unequal lists": (lambda g: replace(g, logits=[1.0]), "stored prompt 0 is damaged"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_difference_is_named(pack: Path, case: str) -> None:
    change, message = CHANGES[case]
    manifest = Pack.open(pack).manifest
    first, *rest = manifest.golden
    changed = replace(manifest, golden=[change(first), *rest])
    (pack / "manifest.json").write_bytes(m.encode(changed))
    with pytest.raises(PackError, match=message):
        verify(pack)
