"""Encoders that turn a text into one vector: shape, names and settings of the BERT family.

Knows config.json and the files of sentence-transformers that say how tokens become one vector.
Does not know operators, bits, or requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeward.errors import IntakeError

from .families import ENCODERS
from .intake import checks
from .intake.config_fields import Fields
from .intake.hf_folder import read_json, read_tensors
from .weights import Tensor

_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
_IGNORED = ("pooler.", "embeddings.position_ids", "cls.")

_LAYER = {
    "q": "attention.self.query.weight",
    "k": "attention.self.key.weight",
    "v": "attention.self.value.weight",
    "q_bias": "attention.self.query.bias",
    "k_bias": "attention.self.key.bias",
    "v_bias": "attention.self.value.bias",
    "o": "attention.output.dense.weight",
    "o_bias": "attention.output.dense.bias",
    "attention_norm": "attention.output.LayerNorm.weight",
    "attention_norm_bias": "attention.output.LayerNorm.bias",
    "up": "intermediate.dense.weight",
    "up_bias": "intermediate.dense.bias",
    "down": "output.dense.weight",
    "down_bias": "output.dense.bias",
    "mlp_norm": "output.LayerNorm.weight",
    "mlp_norm_bias": "output.LayerNorm.bias",
}
_WHOLE = {
    "embedding": "embeddings.word_embeddings.weight",
    "positions": "embeddings.position_embeddings.weight",
    "types": "embeddings.token_type_embeddings.weight",
    "embedding_norm": "embeddings.LayerNorm.weight",
    "embedding_norm_bias": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True)
class Encoder:
    """Shape of a BERT: learned positions, layer norms after each block, an MLP with GELU.

    `pooling`: the vector of a text is the mean over its tokens or that of the first; `normalize`:
    it is brought to length 1. `longest`: tokens of a text, special ones included.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    vocabulary: int
    positions: int
    types: int
    norm_epsilon: float
    pooling: str
    normalize: bool
    longest: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor by our names."""
        hidden, wide = self.hidden, self.intermediate
        layer: dict[str, tuple[int, ...]] = dict.fromkeys(_LAYER, (hidden,))
        layer |= dict.fromkeys(("q", "k", "v", "o"), (hidden, hidden))
        layer |= {"up": (wide, hidden), "up_bias": (wide,), "down": (hidden, wide)}
        shapes: dict[str, tuple[int, ...]] = {
            "embedding": (self.vocabulary, hidden),
            "positions": (self.positions, hidden),
            "types": (self.types, hidden),
            "embedding_norm": (hidden,),
            "embedding_norm_bias": (hidden,),
        }
        for number in range(self.layers):
            shapes |= {f"layers.{number}.{name}": shape for name, shape in layer.items()}
        return shapes


@dataclass(frozen=True)
class EncoderWeights:
    """An encoder: `tensors` by our names, with the shapes of `Encoder.shapes`."""

    encoder: Encoder
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any]


def is_encoder(model: Path) -> bool:
    """Whether the folder `model` holds an encoder of a known family."""
    config = model / "config.json"
    return config.is_file() and read_json(config).get("model_type") in ENCODERS


def read(folder: Path) -> EncoderWeights:
    """Open the encoder in `folder`; of the weights nothing but headers is read.

    Raises `IntakeError` for a folder that lacks files or tensors, is damaged, or asks for what the
    graph builder does not know.
    """
    settings = read_json(folder / "config.json")
    found = read_tensors(folder)
    # Some files hold the model alone, others with a prefix.
    prefix = "" if _WHOLE["embedding"] in found else "bert."
    encoder = _encoder(folder, settings, len(found))
    names = {ours: prefix + _theirs(ours) for ours in encoder.shapes()}
    checks.tensors(
        folder,
        expected={names[ours]: shape for ours, shape in encoder.shapes().items()},
        found={name: tensor.shape for name, tensor in found.items()},
        ignored=lambda name: name.removeprefix(prefix).startswith(_IGNORED),
    )
    tensors = {ours: found[name] for ours, name in names.items()}
    return EncoderWeights(encoder, tensors, settings)


def _theirs(ours: str) -> str:
    if not ours.startswith("layers."):
        return _WHOLE[ours]
    _, layer, kind = ours.split(".")
    return f"encoder.layer.{layer}.{_LAYER[kind]}"


def _encoder(folder: Path, settings: Mapping[str, Any], tensors: int) -> Encoder:
    fields = Fields(folder, settings)
    for key, settled in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if (value := settings.get(key, settled)) != settled:
            raise fields.wrong(key, value, repr(settled))
    layers = fields.count("num_hidden_layers")
    checks.layers(folder, layers, tensors)
    hidden, heads = fields.count("hidden_size"), fields.count("num_attention_heads")
    if hidden % heads:
        raise fields.wrong("num_attention_heads", heads, f"a divisor of hidden_size, {hidden}")
    positions = fields.count("max_position_embeddings")
    pooling, normalize = _pooling(folder)
    longest = _settings(folder / "sentence_bert_config.json").count("max_seq_length", positions)
    return Encoder(
        layers=layers,
        hidden=hidden,
        intermediate=fields.count("intermediate_size"),
        heads=heads,
        vocabulary=fields.count("vocab_size"),
        positions=positions,
        types=fields.count("type_vocab_size", 2),
        norm_epsilon=fields.real("layer_norm_eps", 1e-12),
        pooling=pooling,
        normalize=normalize,
        longest=min(longest, positions),
    )


def _settings(path: Path) -> Fields:
    return Fields(path.parent, read_json(path) if path.is_file() else {})


def _pooling(folder: Path) -> tuple[str, bool]:
    """Pooling, and whether vectors are normalized, as modules.json lists; mean and yes without."""
    if not (folder / "modules.json").is_file():
        return "mean", True
    modules = read_json(folder / "modules.json", kind=list)
    pooling, normalize = "mean", False
    for module in modules:
        kind = str(module.get("type", "")).rpartition(".")[2] if isinstance(module, dict) else ""
        if kind == "Pooling":
            # Always one folder below: the path in the file is not followed anywhere else.
            name = Path(str(module.get("path", ""))).name
            pooling = _pooled(folder / name)
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise IntakeError(
                f"{folder / 'modules.json'}: the module {kind!r} is not known; Transformer, "
                f"Pooling and Normalize are. Choose another model."
            )
    return pooling, normalize


def _pooled(folder: Path) -> str:
    settings = read_json(folder / "config.json")
    modes = [key for key, on in settings.items() if key.startswith("pooling_mode_") and on is True]
    if len(modes) != 1 or modes[0] not in _POOLINGS:
        raise IntakeError(
            f"{folder / 'config.json'}: the pooling {modes} is not known; one of "
            f"{list(_POOLINGS)} is. Choose another model."
        )
    return _POOLINGS[modes[0]]
