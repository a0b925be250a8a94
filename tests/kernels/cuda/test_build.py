"""What can be said of the CUDA build without a device: it compiles, and says what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cuda_step import ROOT

from edgeward.kernels import on_device

NVCC = shutil.which("nvcc")


@pytest.mark.skipif(NVCC is None, reason="no nvcc on the path to compile the kernels with")
def test_nvcc_compiles_the_kernels_without_a_warning(tmp_path: Path) -> None:
    # To PTX, which needs seconds; EDGEWARD_CUDA=1 makes machine code of it.
    assert NVCC is not None
    flags = ["-std=c++20", "-fmad=false", "--expt-relaxed-constexpr", "-Werror", "all-warnings"]
    flags += ["-Xcompiler", "-Wall,-Wextra", "-arch", "compute_75", f"-I{ROOT / 'kernels'}"]
    files = [str(ROOT / "kernels" / "cuda" / "sample.cu"), "-o", str(tmp_path / "sample.ptx")]
    made = subprocess.run([NVCC, *flags, "-ptx", *files], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    ptx = (tmp_path / "sample.ptx").read_text()
    for kernel in ("copy", "edit", "scan", "weigh", "choose"):
        assert f"{kernel}_kernel" in ptx
    # A product and a sum joined by the compiler would round once where the host rounds twice; the
    # exponential's own fused steps are asked for by name and are of floats.
    assert "fma.rn.f64" not in ptx


def run_setup(**environment: str) -> subprocess.CompletedProcess[str]:
    """`setup.py --name`, which looks at the build's settings and builds nothing."""
    return subprocess.run(
        [sys.executable, "setup.py", "--version"],
        cwd=ROOT,
        env={**os.environ, "EDGEWARD_CUDA": "1", **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def buildable() -> None:
    pytest.importorskip("Cython", reason="Cython, to run setup.py, is not installed")
    pytest.importorskip("pybind11", reason="pybind11, to run setup.py, is not installed")


@pytest.mark.usefixtures("buildable")
def test_a_build_without_nvcc_says_what_to_do(tmp_path: Path) -> None:
    done = run_setup(CUDA_HOME=str(tmp_path))
    assert done.returncode != 0
    assert f"there is no nvcc in {tmp_path}/bin" in done.stderr
    assert "unset EDGEWARD_CUDA" in done.stderr


def test_the_status_says_what_is_missing_or_names_a_device() -> None:
    found = on_device.status()
    assert bool(found.problem) != bool(found.devices)
    if not found.built:
        assert "EDGEWARD_CUDA=1" in found.problem


@pytest.mark.skipif(not on_device.status().problem, reason="this machine has a CUDA device")
def test_a_device_sampler_without_a_device_is_a_clear_error() -> None:
    with pytest.raises(RuntimeError, match="no sampling on a CUDA device: "):
        on_device.DeviceSampler(100, 1)
