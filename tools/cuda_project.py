"""Make the source tree of `edgeward-cuda`: this one under another name, for onnxruntime-gpu.

    python tools/cuda_project.py FOLDER

The two wheels of ONNX Runtime overwrite each other's files, so a distribution must ask for one of
them by name; and pyproject.toml's `name` cannot be computed (PEP 621 forbids it). So the tracked
files are copied, three lines of pyproject.toml are replaced, and `EDGEWARD_CUDA=1 python -m build
--wheel FOLDER` makes the wheel: `make wheel-cuda` does both.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# What stands in pyproject.toml -> what edgeward-cuda has there; each stands there once.
CHANGES = {
    '\nname = "edgeward"\n': '\nname = "edgeward-cuda"\n',
    '    "onnxruntime>=': '    "onnxruntime-gpu>=',
    '"edgeward[quantize,': '"edgeward-cuda[quantize,',
    '"edgeward[test]"': '"edgeward-cuda[test]"',
}


def cuda_pyproject(text: str) -> str:
    """The pyproject.toml of edgeward-cuda, from that of edgeward."""
    for old, new in CHANGES.items():
        if text.count(old) != 1:
            raise SystemExit(f"pyproject.toml holds {old.strip()!r} {text.count(old)} times, not 1")
        text = text.replace(old, new)
    return text


def main() -> None:
    """Write the tree; an existing one is replaced."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    if (folder / ".git").exists():
        raise SystemExit(f"{folder} is a repository; give a folder that may be replaced")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    text = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(cuda_pyproject(text))


if __name__ == "__main__":
    main()
