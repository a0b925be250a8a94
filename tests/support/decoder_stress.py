"""Builds the operator library with sanitizers and drives it without ONNX Runtime.

Knows: compilers, which sources make the driver (tests/fuzz/decoder_stress.cpp). Run as a program:

    python tests/support/decoder_stress.py address,undefined --seconds 60
    python tests/support/decoder_stress.py thread --seconds 60 --isa avx2
"""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path

from isa_record import ARM_ISAS, ROOT, isa_flags, native_compiler

FLAGS = ["-std=c++20", "-O1", "-g", "-fno-omit-frame-pointer", "-ffp-contract=off"]
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def build(folder: Path, compiler: list[str], sanitizers: str, isa: str | None) -> str:
    """The driver and all of kernels/ops; with `isa`, other instruction sets unchecked."""
    folder.mkdir(parents=True, exist_ok=True)
    kernels, sets = ROOT / "kernels", isa_flags()
    arm = os.uname().machine == "aarch64"
    sources = [ROOT / "tests/fuzz/decoder_stress.cpp", kernels / "cpu.cpp"]
    for source in sorted((kernels / "ops").rglob("*.cpp")):
        isa = source.stem.rpartition("_")[2]
        if isa not in sets or (isa in ARM_ISAS) == arm:
            sources.append(source)
    checked = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"] if sanitizers else []
    made = []
    for source in sources:
        name = source.stem.rpartition("_")[2]
        own = sets.get(name, [])
        # They are linked and never run.
        how = ["-O0"] if isa is not None and name in sets and name != isa else checked
        made.append(str(folder / f"{source.parent.name}-{source.stem}.o"))
        command = [*compiler, *FLAGS, *how, *own, f"-I{kernels}", "-c", str(source)]
        subprocess.run([*command, "-o", made[-1]], check=True)
    program = str(folder / "decoder_stress")
    subprocess.run([*compiler, *checked, *made, "-pthread", "-o", program], check=True)
    return program


def main() -> None:
    """Build, then run; the exit status is the driver's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sanitizers", help="address,undefined or thread; '' for none")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--isa", help="check and run this instruction set; all, the best")
    given = parser.parse_args()
    compiler = native_compiler()
    if compiler is None:
        raise SystemExit("no C++ compiler: set CXX, or install g++ or clang++")
    folder = ROOT / "build" / "decoder-stress" / (given.sanitizers.replace(",", "-") or "none")
    program = build(folder, compiler, given.sanitizers, given.isa)
    chosen = {"EDGEWARD_ISA": given.isa} if given.isa else {}
    done = subprocess.run(
        [program, str(given.seconds), str(given.seed)], env={**os.environ, **OPTIONS, **chosen}
    )
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
