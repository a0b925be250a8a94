"""Maps four folders to one import name and compiles the kernels; the rest is in pyproject.toml."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from Cython.Build import cythonize
from pybind11.setup_helpers import ParallelCompile, Pybind11Extension
from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent

# The whole mapping, once: import name -> folder.
HOMES = {
    "edgeward": "runtime",
    "edgeward.kernels": "kernels",
    "edgeward.quantize": "quantize",
    "edgeward.bench": "bench",
}

X86 = platform.machine().lower() in {"x86_64", "amd64"}
ARM = platform.machine().lower() in {"aarch64", "arm64"}

# A source named *_<isa>.cpp is compiled with that instruction set and on that architecture only;
# every other file must run on the oldest machine. kernels/cpu.cpp chooses between them at import.
ISA_FLAGS = {
    "avx2": (X86, ["-mavx2", "-mfma", "-mf16c"]),
    "avx512": (
        X86,
        ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni", "-mfma", "-mf16c"],
    ),
    "neon": (ARM, ["-march=armv8.2-a+dotprod"]),
}


def isa_of(source: str) -> str | None:
    suffix = Path(source).stem.rpartition("_")[2]
    return suffix if suffix in ISA_FLAGS else None


def relative(paths: object) -> list[str]:
    return sorted(str(Path(p).relative_to(ROOT)) for p in paths)  # type: ignore[attr-defined]


def packages() -> list[str]:
    """Every package under every home, so that a new sub-package cannot be forgotten."""
    found = []
    for name, folder in HOMES.items():
        found += [name, *(f"{name}.{sub}" for sub in find_packages(folder))]
    return found


# What only EDGEWARD_CUDA=1 builds; the rest of kernels/cuda is host code and part of every build.
CUDA_GLUE = "kernels/cuda/module.cpp"
SOURCES = [
    s
    for s in relative((ROOT / "kernels").rglob("*.cpp"))
    if s != CUDA_GLUE and ((isa := isa_of(s)) is None or ISA_FLAGS[isa][0])
]
HEADERS = relative([*(ROOT / "kernels").rglob("*.h"), *(ROOT / "kernels").rglob("*.inc")])
CYTHON = relative((ROOT / "kernels").glob("*.pyx"))
OTHER_ISA = [s for s in relative((ROOT / "kernels").rglob("*.cpp")) if s not in SOURCES]

# -ffp-contract=off: the same sums on every instruction set, bit for bit (a fused multiply-add that
# the compiler slips in rounds once where the others round twice).
CXX_FLAGS = [
    "-O3",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-Wall",
    "-Wextra",
]
if os.environ.get("EDGEWARD_WERROR") == "1":
    CXX_FLAGS.append("-Werror")
LINK_FLAGS: list[str] = []
if sanitize := os.environ.get("EDGEWARD_SANITIZE"):  # e.g. "address,undefined" or "thread"
    CXX_FLAGS += [f"-fsanitize={sanitize}", "-fno-omit-frame-pointer", "-g", "-O1"]
    LINK_FLAGS += [f"-fsanitize={sanitize}"]

NATIVE = Pybind11Extension(
    "edgeward.kernels._native",
    SOURCES,
    include_dirs=["kernels"],
    depends=[*HEADERS, *CYTHON, *OTHER_ISA],
    cxx_std=20,
    extra_compile_args=CXX_FLAGS,
    extra_link_args=LINK_FLAGS,
)
TEXT = [Extension(f"edgeward.kernels.{Path(p).stem}", [p], depends=[p]) for p in CYTHON]


class BuildKernels(build_ext):
    """Adds each file's instruction-set flags to the common ones."""

    def build_extensions(self) -> None:
        compile_one = self.compiler._compile

        def compile_with_isa(obj, src, ext, cc_args, extra_postargs, pp_opts):  # type: ignore[no-untyped-def]
            isa = isa_of(src)
            extra = [*extra_postargs, *ISA_FLAGS[isa][1]] if isa else extra_postargs
            return compile_one(obj, src, ext, cc_args, extra, pp_opts)

        self.compiler._compile = compile_with_isa
        super().build_extensions()


def needs_recompile(obj: str, src: str) -> bool:
    """True unless the object is newer than its source and than every header."""
    try:
        built = os.stat(obj).st_mtime
    except FileNotFoundError:
        return True
    return any(
        os.stat(p).st_mtime > built for p in [src, *HEADERS, "setup.py"] if os.path.exists(p)
    )


ParallelCompile("EDGEWARD_BUILD_JOBS", default=0, needs_recompile=needs_recompile).install()

if os.environ.get("EDGEWARD_CUDA") == "1":
    raise SystemExit(
        "EDGEWARD_CUDA=1 asks for CUDA kernels; edgeward 0.1 has none yet. "
        "Unset it to build for the CPU."
    )
if sys.platform == "win32":
    raise SystemExit("edgeward 0.1 builds on Linux; Windows is planned, see README.md, 'State'.")

setup(
    package_dir=HOMES,
    packages=packages(),
    ext_modules=[
        NATIVE,
        *cythonize(TEXT, build_dir="build/cython", language_level=3, nthreads=0, quiet=True),
    ],
    cmdclass={"build_ext": BuildKernels},
)
