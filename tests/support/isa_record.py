"""Builds the recorder of choices (tests/kernels/isa/record.cpp) for this processor or for ARM.

Knows: compilers, setup.py's flags, the digests' file. Run as a program it checks one instruction
set, or writes the file:

    python tests/support/isa_record.py neon|generic|avx2|avx512 [--write]
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIGESTS = ROOT / "tests" / "data" / "golden" / "sampling_choices.txt"
FLAGS = ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"]
ARM_COMPILER = "aarch64-linux-gnu-g++"
ARM_EMULATOR = "qemu-aarch64"
ARM_ISAS = ("neon", "i8mm")


def isa_flags() -> dict[str, list[str]]:
    """ISA_FLAGS of setup.py, read without running it."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    for node in tree.body:
        named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "ISA_FLAGS"
        if named and isinstance(node.value, ast.Dict):
            return {
                ast.literal_eval(key): ast.literal_eval(value.elts[1])
                for key, value in zip(node.value.keys, node.value.values, strict=True)
                if key is not None and isinstance(value, ast.Tuple)
            }
    raise SystemExit("setup.py has no ISA_FLAGS that this program can read")


def native_compiler() -> list[str] | None:
    """CXX, or the usual names."""
    named = (os.environ.get("CXX") or "").split()
    if named and shutil.which(named[0]):
        return named
    return next(([c] for c in ("g++", "clang++") if shutil.which(c)), None)


def objects(folder: Path, sources: list[Path], arm: bool = False) -> list[str]:
    """Compile these and all of the sampler into `folder`; the object files."""
    compiler = [ARM_COMPILER] if arm else native_compiler()
    if compiler is None:
        raise SystemExit("no C++ compiler: set CXX, or install g++ or clang++")
    sets = isa_flags()
    made = []
    sampler = sorted((ROOT / "kernels" / "sampling").glob("*.cpp"))
    for source in [*sources, ROOT / "kernels" / "cpu.cpp", *sampler]:
        isa = source.stem.rpartition("_")[2]
        if isa in sets and (isa in ARM_ISAS) != arm:
            continue
        made.append(str(folder / f"{source.stem}.o"))
        own = sets.get(isa, [])
        command = [*compiler, *FLAGS, *own, f"-I{ROOT / 'kernels'}", "-c", str(source)]
        subprocess.run([*command, "-o", made[-1]], check=True)
    return made


def build(folder: Path, arm: bool) -> list[str]:
    """Compile the recorder into `folder`; the command that starts it."""
    made = objects(folder, [ROOT / "tests" / "kernels" / "isa" / "record.cpp"], arm)
    compiler = [ARM_COMPILER] if arm else native_compiler()
    assert compiler is not None
    program = str(folder / "record")
    # Static, so that the emulator needs no libraries of the other system.
    link = ["-static"] if arm else []
    subprocess.run([*compiler, *link, *made, "-o", program], check=True)
    return [ARM_EMULATOR, program] if arm else [program]


def record(command: list[str], *arguments: str) -> str:
    """What the recorder says of an instruction set; see record.cpp."""
    done = subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def main() -> None:
    """Check one instruction set against the file, or write the file."""
    isa = next((a for a in sys.argv[1:] if not a.startswith("-")), "")
    arm = isa in ARM_ISAS
    for tool in (ARM_COMPILER, ARM_EMULATOR) if arm else ():
        if not shutil.which(tool):
            raise SystemExit(f"there is no {tool}: install g++-aarch64-linux-gnu and qemu-user")
    folder = ROOT / "build" / ("record-arm" if arm else "record")
    folder.mkdir(parents=True, exist_ok=True)
    said = record(build(folder, arm), isa)
    if "--write" in sys.argv:
        DIGESTS.write_text(said)
        return
    expected = DIGESTS.read_text()
    wrong = [a for a, b in zip(said.splitlines(), expected.splitlines(), strict=True) if a != b]
    if wrong:
        raise SystemExit(f"{isa} draws other tokens:\n" + "\n".join(wrong))
    steps = sum(int(line.split()[2]) for line in said.splitlines())
    print(f"{isa}: {steps:,} choices, all as recorded")


if __name__ == "__main__":
    main()
