"""A million recorded choices, the same on every instruction set this machine runs.

The digests are in tests/data/golden/sampling_choices.txt, so that other machines, and `make neon`
under an emulator, compare with the same ones.
"""

from __future__ import annotations

import isa_record
import pytest

from edgeward.kernels import _native


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if isa_record.native_compiler() is None:
        pytest.skip("no C++ compiler (CXX, g++ or clang++) to build the recorder with")
    return isa_record.build(tmp_path_factory.mktemp("recorder"), arm=False)


@pytest.mark.parametrize("isa", _native.supported_isas())
def test_a_million_choices_are_the_recorded_ones(recorder: list[str], isa: str) -> None:
    said = isa_record.record(recorder, isa).splitlines()
    assert sum(int(line.split()[2]) for line in said) == 1_000_000
    assert said == isa_record.DIGESTS.read_text().splitlines()


def test_settings_that_differ_draw_differently() -> None:
    digests = [line.split() for line in isa_record.DIGESTS.read_text().splitlines()]
    small = {name: digest for name, size, _, digest in digests if size == "331"}
    # A top-k beyond the vocabulary is off.
    assert small.pop("top_k_wide") == small["plain"]
    assert len(set(small.values())) == len(small) == 19


def test_the_flags_of_every_set_are_found() -> None:
    assert isa_record.isa_flags()["avx2"] == ["-mavx2", "-mfma", "-mf16c"]
    assert set(isa_record.isa_flags()) == {"avx2", "avxvnni", "avx512", "neon", "i8mm"}


@pytest.mark.parametrize("isa", _native.supported_isas())
def test_a_warm_sampler_takes_no_memory(recorder: list[str], isa: str) -> None:
    counted = dict(
        line.split() for line in isa_record.record(recorder, isa, "allocations").splitlines()
    )
    assert len(counted) == 20
    assert set(counted.values()) == {"0"}, counted
