"""Balances weights against activations, so that rounding activations to 8 bits loses less.

ONNX Runtime's int8 kernels round the input of a matrix in blocks, one scale a block: one large
channel makes the steps of its neighbours coarse. A channel j divided by s_j, and the matrix's
column j multiplied by it, gives the same product; chosen well, s evens the channels out. Every
division is folded into whatever makes the input, so it costs nothing at run time:

    input of                 made by                     divided there
    q, k, v                  the attention norm          its weight
    o                        a weighted sum of values    the rows of v
    gate, up                 the MLP norm                its weight
    down                     silu(gate) * up             the rows of up

s_j = sqrt(rms of the input's channel j / rms of the matrix's column j): both sides then vary
alike (SmoothQuant, Xiao et al. 2023, with alpha = 1/2 and root mean squares for maxima). The head
stays as it is: a tied one is the embedding too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgeward.quantize.architecture import Architecture
from edgeward.quantize.views import View
from edgeward.quantize.weights import Floats, Tensor, Weights, all_floats

# Channels that were silent, or columns of zeros, are not told apart below this share of the mean.
_FLOOR = 1e-4


@dataclass(frozen=True)
class Scaled(View):
    """A tensor with its rows and columns multiplied by vectors; no longer on its file's grid."""

    rows: Floats | None = None
    columns: Floats | None = None

    @property
    def storage(self) -> str:
        return f"equalized {self.inner.storage}"

    def floats(self, start: int, stop: int) -> Floats:
        values = self.inner.floats(start, stop)
        if self.columns is not None:
            values = values * self.columns
        if self.rows is not None:
            values = values * self.rows[start:stop, None]
        return values


def equalize(weights: Weights, rms: Mapping[str, Floats]) -> Weights:
    """The same function with balanced matrices.

    `rms` is what `statistics.input_rms` gives for these weights: by input (`layers.3.qkv`, `.o`,
    `.mlp`, `.down`) the root mean square of each channel, float32 (channels,).
    """
    tensors = dict(weights.tensors)
    model = weights.architecture
    for layer in range(model.layers):
        at = f"layers.{layer}"
        part = {name: weights.tensors[f"{at}.{name}"] for name in model.layer_shapes()}
        s_qkv = s_mlp = None
        if model.norms != "after":  # otherwise their input is the residual, which is not scaled
            s_qkv = _scales(rms[f"{at}.qkv"], [part[n] for n in "qkv"])
            s_mlp = _scales(rms[f"{at}.mlp"], [part["gate"], part["up"]])
        s_down = _scales(rms[f"{at}.down"], [part["down"]])
        s_value, s_o = _value_scales(rms[f"{at}.o"], part["o"], model)
        changed = {
            "q": Scaled(part["q"], columns=s_qkv),
            "k": Scaled(part["k"], columns=s_qkv),
            "v": Scaled(part["v"], rows=_inverse(s_value), columns=s_qkv),
            "o": Scaled(part["o"], columns=s_o),
            "gate": Scaled(part["gate"], columns=s_mlp),
            "up": Scaled(part["up"], rows=_inverse(s_down), columns=s_mlp),
            "down": Scaled(part["down"], columns=s_down),
        }
        if s_qkv is not None and s_mlp is not None:
            changed["attention_norm"] = Scaled(part["attention_norm"], columns=_inverse(s_qkv))
            changed["mlp_norm"] = Scaled(part["mlp_norm"], columns=_inverse(s_mlp))
        if model.qkv_bias:
            changed["v_bias"] = Scaled(part["v_bias"], columns=_inverse(s_value))
        if model.mlp_bias:
            changed["up_bias"] = Scaled(part["up_bias"], columns=_inverse(s_down))
        tensors |= {f"{at}.{name}": tensor for name, tensor in changed.items()}
    return dataclasses.replace(weights, tensors=tensors)


def _scales(inputs: Floats, matrices: list[Tensor]) -> Floats:
    """Scale of each channel, for matrices that share an input; their geometric mean is 1."""
    columns = np.sqrt(np.mean([_column_squares(matrix) for matrix in matrices], axis=0))
    return _balance(inputs, columns)


def _value_scales(inputs: Floats, output: Tensor, model: Architecture) -> tuple[Floats, Floats]:
    """Scales for the rows of v, and the same for the columns of o.

    All query heads of a group read the same values, so they share their scales.
    """
    groups = (model.kv_heads, model.heads // model.kv_heads, model.head_dim)
    read = np.sqrt(np.square(inputs).reshape(groups).mean(1)).ravel()
    columns = np.sqrt(_column_squares(output).reshape(groups).mean(1)).ravel()
    value = _balance(read, columns)
    shared = value.reshape(model.kv_heads, 1, model.head_dim)
    return value, np.ascontiguousarray(np.broadcast_to(shared, groups)).ravel()


def _balance(inputs: Floats, columns: Floats) -> Floats:
    ratio = _floored(inputs) / _floored(columns)
    scales = np.sqrt(ratio)
    return np.asarray(scales / np.exp(np.log(scales).mean()), np.float32)


def _inverse(scales: Floats) -> Floats:
    return np.reciprocal(scales)


def _floored(values: Floats) -> Floats:
    mean = float(values.mean())
    return np.maximum(values, _FLOOR * mean if mean > 0 else 1.0)


def _column_squares(matrix: Tensor) -> Floats:
    """Mean of the squares of each column, float32 (columns,)."""
    return np.asarray(np.square(all_floats(matrix)).mean(0), np.float32)
