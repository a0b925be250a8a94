"""Local model files in, `Weights` out. Knows which reader a path needs; fetches nothing."""

from __future__ import annotations

from pathlib import Path

from edgeward.errors import IntakeError
from edgeward.quantize.weights import Weights


def read_model(path: Path) -> Weights:
    """Open a model: a GGUF file or a Hugging Face folder (config.json, *.safetensors).

    Reads headers only; the weights stay on disk until asked for. Raises `IntakeError`.
    """
    if path.is_dir():
        _refuse_graphs(path)
        from .hf_folder import read as read_folder

        return read_folder(path)
    if not path.exists():
        raise IntakeError(f"{path} does not exist; give a .gguf file or a Hugging Face folder.")
    from .gguf import read as read_gguf

    return read_gguf(path)


def _refuse_graphs(folder: Path) -> None:
    """Say so where a folder holds a finished ONNX graph instead of weights."""
    if any(folder.glob("*.safetensors")):
        return
    graph = next((f.name for f in sorted(folder.glob("*.onnx"))), None)
    if graph is not None:
        raise IntakeError(
            f"{folder} holds a finished graph ({graph}); this version makes its own from weights. "
            f"Give the model's folder with config.json and *.safetensors, or a .gguf file."
        )
