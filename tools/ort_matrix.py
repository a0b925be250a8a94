"""Runs the fused operators' tests under several versions of ONNX Runtime.

Each version is installed into a folder of its own under build/ and put in front of the one of this
environment, so that one build of the operator library meets all of them.

    python tools/ort_matrix.py                    # the oldest, one between, the newest
    python tools/ort_matrix.py 1.21.1 1.24.4
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("1.20.1", "1.23.2", "")
"""Empty: the newest."""
# What needs the operators and no more of ONNX Runtime than 1.20 has.
TESTS = ("tests/quantize/graph/test_fused.py", "tests/runtime/test_fused.py")


def main() -> int:
    """Returns 1 when a version fails."""
    failed = [version for version in sys.argv[1:] or VERSIONS if not passes(version)]
    for version in failed:
        print(f"failed: onnxruntime {version or 'newest'}", file=sys.stderr)
    return 1 if failed else 0


def passes(version: str) -> bool:
    """Install one version and run the tests under it."""
    folder = ROOT / "build" / "ort" / (version or "newest")
    wanted = f"onnxruntime=={version}" if version else "onnxruntime"
    if not folder.is_dir():
        install = ["-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), wanted]
        subprocess.run([sys.executable, *install], check=True)
    path = os.pathsep.join(p for p in (str(folder), os.environ.get("PYTHONPATH", "")) if p)
    environment = {**os.environ, "PYTHONPATH": path}
    say = "import onnxruntime; print('onnxruntime', onnxruntime.__version__, flush=True)"
    subprocess.run([sys.executable, "-c", say], env=environment, check=True)
    tests = [sys.executable, "-m", "pytest", "-q", *TESTS]
    return subprocess.run(tests, env=environment, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
