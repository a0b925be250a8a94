"""Builds tests/kernels/cuda/device_check.cu, a program that needs a GPU and nothing else to run.

python tests/support/device_check.py FOLDER [ARCH...]     (such as 90; 80 and 90 if left out)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from isa_record import ROOT, objects

FLAGS = ["-std=c++20", "-O3", "-fmad=false", "--expt-relaxed-constexpr", "-Werror", "all-warnings"]


def build(folder: Path, archs: list[str]) -> Path:
    """Compile for these compute capabilities; needs nvcc and a C++ compiler, no GPU."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise SystemExit("no nvcc on the path")
    folder.mkdir(parents=True, exist_ok=True)
    made = objects(folder, [ROOT / "kernels" / "cuda" / "plan.cpp"])
    tests = ROOT / "tests" / "kernels"
    sources = [tests / "cuda" / "device_check.cu", ROOT / "kernels" / "cuda" / "sample.cu"]
    codes = [f for a in archs for f in ("-gencode", f"arch=compute_{a},code=sm_{a}")]
    includes = [f"-I{ROOT / 'kernels'}", f"-I{tests / 'isa'}"]
    program = folder / "device_check"
    command = [nvcc, *FLAGS, "-Xcompiler", "-Wall,-Wextra,-ffp-contract=off", *codes, *includes]
    subprocess.run([*command, *map(str, sources), *made, "-o", str(program)], check=True)
    return program


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    print(build(Path(sys.argv[1]), sys.argv[2:] or ["80", "90"]))
