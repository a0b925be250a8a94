"""Maps four folders to one import name and compiles the kernels; the rest is in pyproject.toml."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
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
    "avxvnni": (X86, ["-mavx2", "-mfma", "-mf16c", "-mavxvnni"]),
    "avx512": (
        X86,
        ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni", "-mfma", "-mf16c"],
    ),
    "neon": (ARM, ["-march=armv8.2-a+dotprod"]),
    "i8mm": (ARM, ["-march=armv8.2-a+dotprod+i8mm"]),
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
# Asked for by name, so that a wheel never gains or loses it by the machine it was made on.
CUDA = os.environ.get("EDGEWARD_CUDA", "0") not in {"", "0"}
CUDA_GLUE = [f"kernels/cuda/{name}.cpp" for name in ("device", "device_array", "module")]
CUDA_KERNELS = relative((ROOT / "kernels").rglob("*.cu"))
SOURCES = [
    s
    for s in relative((ROOT / "kernels").rglob("*.cpp"))
    if s not in CUDA_GLUE and ((isa := isa_of(s)) is None or ISA_FLAGS[isa][0])
]
HEADERS = relative(p for kind in ("h", "cuh", "inc") for p in (ROOT / "kernels").rglob(f"*.{kind}"))
CYTHON = relative((ROOT / "kernels").glob("*.pyx"))
OTHER_ISA = [s for s in relative((ROOT / "kernels").rglob("*.cpp")) if s not in SOURCES]
# What only the operator library holds: ONNX Runtime loads it, Python does not import it.
OPERATORS = [s for s in SOURCES if s.startswith(("kernels/ops/ort/", "kernels/ops/decoder/"))]
SHARED = [s for s in SOURCES if s.startswith("kernels/ops/") or s == "kernels/cpu.cpp"]

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
    [s for s in SOURCES if s not in OPERATORS],
    include_dirs=["kernels"],
    depends=[*HEADERS, *CYTHON, *OTHER_ISA, *CUDA_GLUE, *CUDA_KERNELS],
    cxx_std=20,
    extra_compile_args=CXX_FLAGS,
    extra_link_args=LINK_FLAGS,
)
EXPORTS = "kernels/ops/ort/exports.map"
# A plain shared object beside the modules; edgeward.kernels.operators has its path. It stays mapped
# once loaded: its threads may outlive the session that loaded it.
OPERATOR_LIBRARY = Pybind11Extension(
    "edgeward.kernels.libedgeward_ops",
    SHARED,
    include_dirs=["kernels"],
    depends=[*HEADERS, EXPORTS],
    cxx_std=20,
    extra_compile_args=CXX_FLAGS,
    extra_link_args=[*LINK_FLAGS, f"-Wl,-z,nodelete,--version-script={EXPORTS}", "-lpthread"],
)
TEXT = [Extension(f"edgeward.kernels.{Path(p).stem}", [p], depends=[p]) for p in CYTHON]


# Turing to Hopper as machine code, and the last as PTX for what came after.
CUDA_ARCHS = os.environ.get("EDGEWARD_CUDA_ARCHS", "75 80 86 89 90").replace(";", " ").split()


def nvcc() -> str:
    """The CUDA compiler: of CUDA_HOME, or the one on the path."""
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    found = shutil.which("nvcc", path=str(Path(home) / "bin")) if home else shutil.which("nvcc")
    if found is None:
        place = f"in {home}/bin" if home else "on the path"
        raise SystemExit(
            f"EDGEWARD_CUDA=1 asks for CUDA kernels, and there is no nvcc {place}. Install the "
            "CUDA toolkit (12.4 or newer), set CUDA_HOME to its folder, or unset EDGEWARD_CUDA "
            "to build for the CPU."
        )
    return found


def toolkit(compiler: str) -> Path:
    """The folder of nvcc's headers and libraries, as nvcc itself tells it."""
    said = subprocess.run(
        [compiler, "--dryrun", "-c", "none.cu", "-o", "none.o"], capture_output=True, text=True
    ).stderr
    top = next((line.partition("TOP=")[2] for line in said.splitlines() if "TOP=" in line), "")
    if not top:
        raise SystemExit(f"{compiler} --dryrun does not say where its toolkit is: {said.strip()}")
    return Path(top.strip()).resolve()


def nvcc_flags() -> list[str]:
    """As CXX_FLAGS: no product and sum joined, warnings as errors where they are for C++."""
    wrong = [a for a in CUDA_ARCHS if not re.fullmatch(r"[0-9]{2,3}[af]?", a)]
    if wrong or not CUDA_ARCHS:
        raise SystemExit(
            f"EDGEWARD_CUDA_ARCHS holds {wrong or 'nothing'}; give compute capabilities without "
            "the point, such as EDGEWARD_CUDA_ARCHS='80 90'."
        )
    flags = ["-std=c++20", "-O3", "-fmad=false", "--expt-relaxed-constexpr"]
    flags += ["-Xcompiler", "-fPIC,-fvisibility=hidden,-ffp-contract=off,-Wall,-Wextra"]
    if "-Werror" in CXX_FLAGS:
        flags += ["-Werror", "all-warnings"]
    for arch in CUDA_ARCHS:
        flags += ["-gencode", f"arch=compute_{arch},code=sm_{arch}"]
    last = CUDA_ARCHS[-1]
    return [*flags, "-gencode", f"arch=compute_{last},code=compute_{last}"]


def cuda_extension() -> Pybind11Extension:
    """edgeward.kernels._cuda, with the CUDA runtime linked in: it needs a driver, no toolkit."""
    top = toolkit(nvcc())
    folders = [top / "lib64", top / "lib", top / f"targets/{platform.machine()}-linux/lib"]
    library = next((f for f in folders if (f / "libcudart_static.a").exists()), None)
    if library is None:
        raise SystemExit(f"{top} has no libcudart_static.a; install the CUDA runtime's libraries.")
    return Pybind11Extension(
        "edgeward.kernels._cuda",
        [*CUDA_GLUE, *CUDA_KERNELS],
        include_dirs=["kernels"],
        depends=HEADERS,
        cxx_std=20,
        # The toolkit's own headers are not held to our warnings.
        extra_compile_args=[*CXX_FLAGS, "-isystem", str(top / "include")],
        extra_link_args=[
            *LINK_FLAGS,
            f"-L{library}",
            "-lcudart_static",
            "-ldl",
            "-lrt",
            "-lpthread",
        ],
    )


class BuildKernels(build_ext):
    """Adds each file's instruction-set flags to the common ones; CUDA files go to nvcc."""

    def get_ext_filename(self, fullname: str) -> str:
        # The operator library is no Python module, so its name says no Python version.
        if fullname.rpartition(".")[2] == "libedgeward_ops":
            return str(Path(*fullname.split("."))) + ".so"
        return str(super().get_ext_filename(fullname))

    def build_extensions(self) -> None:
        compile_one = self.compiler._compile
        if CUDA:
            self.compiler.src_extensions = [*self.compiler.src_extensions, ".cu"]

        def compile_with_isa(obj, src, ext, cc_args, extra_postargs, pp_opts):  # type: ignore[no-untyped-def]
            if ext == ".cu":
                self.spawn([nvcc(), *nvcc_flags(), "-Ikernels", "-c", src, "-o", obj])
                return None
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

if sys.platform == "win32":
    raise SystemExit("edgeward 0.1 builds on Linux; Windows is planned, see README.md, 'State'.")

setup(
    package_dir=HOMES,
    packages=packages(),
    ext_modules=[
        NATIVE,
        OPERATOR_LIBRARY,
        *([cuda_extension()] if CUDA else []),
        *cythonize(TEXT, build_dir="build/cython", language_level=3, nthreads=0, quiet=True),
    ],
    cmdclass={"build_ext": BuildKernels},
)
