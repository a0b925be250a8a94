"""`edgeward doctor`: what this machine is, and what is wrong with it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from importlib import metadata, util
from pathlib import Path
from typing import Annotated, Any

import typer

import edgeward
from edgeward import fused_runs, machine, store
from edgeward.kernels import _native, on_device, operators

from . import doctor_packs

# Wheels that install the same files over one another: the last one wins, silently.
_ONNXRUNTIME_WHEELS = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-training",
)
_TOOLS = ("onnx", "gguf", "safetensors", "huggingface_hub")


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what this machine is, what is installed, and what is wrong.

    The exit code is 1 when a problem was found.

    Examples:

    `edgeward doctor`

    `edgeward doctor --json | python -m json.tool`
    """
    found = examine()
    if as_json:
        print(json.dumps(found))
    else:
        _print(found)
    if found["problems"]:
        raise typer.Exit(1)


def examine() -> dict[str, Any]:
    """All findings; `problems` is a list of sentences, empty when all is well."""
    import onnxruntime

    home = store.home()
    cuda = on_device.status()
    wheels = {name: v for name in _ONNXRUNTIME_WHEELS if (v := _version(name)) is not None}
    return {
        "edgeward": edgeward.__version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": machine.processor_name(),
        "cpu_features": _native.cpu_features(),
        "instruction_set": _native.active_isa(),
        "instruction_sets_supported": _native.supported_isas(),
        "fused_operators": fused_runs.reason_against() or f"run with {operators.instruction_set()}",
        "physical_cores": machine.physical_cores(),
        "logical_cpus": len(machine.usable_cpus()),
        "memory_total": machine.total_memory(),
        "memory_available": machine.available_memory(),
        "onnxruntime": onnxruntime.__version__,
        "onnxruntime_wheels": wheels,
        "providers": onnxruntime.get_available_providers(),
        "onnxruntime_telemetry": "off" if os.environ.get("ORT_DISABLE_TELEMETRY") == "1" else "on",
        "cuda_kernels": "built with CUDA " + cuda.runtime if cuda.built else "not built",
        "cuda_driver": cuda.driver or "none",
        "cuda_devices": list(cuda.devices),
        "store": str(home),
        "store_free": _free(home),
        "packs": store.pack_names(),
        "graphs": doctor_packs.graphs(),
        "tools": {name: util.find_spec(name) is not None for name in _TOOLS},
        "problems": _problems(wheels, home, cuda),
    }


def _problems(wheels: dict[str, str], home: Path, cuda: on_device.Status) -> list[str]:
    problems = []
    # Without kernels a missing device is nobody's problem.
    if cuda.built and cuda.problem:
        problems.append(f"the CUDA kernels cannot run: {cuda.problem}")
    if len(wheels) > 1:
        names = " and ".join(wheels)
        problems.append(
            f"{names} are installed together and overwrite each other's files. Uninstall all of "
            f"them, then install one."
        )
    if (against := fused_runs.reason_against()) is not None:
        problems.append(f"models run on the slower portable graph: {against}.")
    if not wheels:
        problems.append(
            "ONNX Runtime was not installed by pip, so its version cannot be trusted; "
            "`pip install onnxruntime`."
        )
    existing = next((p for p in [home, *home.parents] if p.exists()), home)
    if not os.access(existing, os.W_OK):
        problems.append(f"the store {home} cannot be written; set EDGEWARD_HOME to another folder.")
    return problems


def _print(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in found.items():
        if name != "problems":
            table.add_row(name.replace("_", " "), _text(name, value))
    console = Console()
    console.print(table)
    for problem in found["problems"]:
        print(f"problem: {problem}", file=sys.stderr)
    if not found["problems"]:
        console.print("No problems found.", style="green")


def _text(name: str, value: Any) -> str:
    if name.startswith("memory") or name == "store_free":
        return "unknown" if value is None else f"{value / 2**30:.1f} GiB"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_yes(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _yes(value: Any) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else value


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _free(path: Path) -> int | None:
    existing = next((p for p in [path, *path.parents] if p.exists()), None)
    return None if existing is None else shutil.disk_usage(existing).free
