"""Compares what the operators compute on ARM, under an emulator, with this machine's generic build.

Knows: compilers, which sources make the recorder (tests/kernels/ops/record.cpp). The generic build
is the one that the tests hold to the twins. Run as a program:

    python tests/support/ops_record.py
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from isa_record import ARM_COMPILER, ARM_EMULATOR, ARM_ISAS, FLAGS, ROOT, isa_flags, native_compiler

# The oldest processor that has what each set needs.
PROCESSORS = {"generic": "cortex-a57", "neon": "neoverse-n1", "i8mm": "max"}


def build(folder: Path, compiler: list[str], arm: bool) -> str:
    """The recorder with every instruction set of this or the other architecture."""
    folder.mkdir(parents=True, exist_ok=True)
    kernels, sets = ROOT / "kernels", isa_flags()
    isas = [isa for isa in sets if (isa in ARM_ISAS) == arm]
    sources = [ROOT / "tests/kernels/ops/record.cpp", kernels / "cpu.cpp"]
    sources += [kernels / "ops" / f"{name}.cpp" for name in ("operators", "packed_matrix")]
    sources += [kernels / "ops" / f"operators_{isa}.cpp" for isa in isas]
    made = []
    for source in sources:
        own = sets.get(source.stem.rpartition("_")[2], [])
        made.append(str(folder / f"{source.stem}.o"))
        command = [*compiler, *FLAGS, *own, f"-I{kernels}", "-c", str(source), "-o", made[-1]]
        subprocess.run(command, check=True)
    program = str(folder / "record")
    # Static, so that the emulator needs no libraries of the other system.
    subprocess.run([*compiler, *(["-static"] if arm else []), *made, "-o", program], check=True)
    return program


def lines(command: list[str]) -> list[str]:
    """What the recorder prints."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()


def main() -> None:
    """Build both, run every ARM set, compare line by line."""
    compiler = native_compiler()
    if compiler is None:
        raise SystemExit("no C++ compiler: set CXX, or install g++ or clang++")
    for tool in (ARM_COMPILER, ARM_EMULATOR):
        if not shutil.which(tool):
            raise SystemExit(f"there is no {tool}: install g++-aarch64-linux-gnu and qemu-user")
    folder = ROOT / "build" / "ops-record"
    program = build(folder / "arm", [ARM_COMPILER], arm=True)
    expected = lines([build(folder / "here", compiler, arm=False), "generic"])
    for isa, processor in PROCESSORS.items():
        said = lines([ARM_EMULATOR, "-cpu", processor, program, isa])
        wrong = [a for a, b in zip(said, expected, strict=True) if a != b]
        if wrong:
            raise SystemExit(f"{isa} on ARM computes something else:\n" + "\n".join(wrong))
        print(f"{isa} on ARM: {len(expected)} digests of the operators, all as here")


if __name__ == "__main__":
    main()
