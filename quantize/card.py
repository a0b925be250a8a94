"""The model card of a pack, in Markdown: what a person wants to know. Knows the manifest only."""

from __future__ import annotations

from edgeward.manifest import Evaluation, FileEntry, Graph, Manifest, TensorGroup


def card(manifest: Manifest) -> str:
    """Text of `card.md`; `manifest.files` lists all files but the card and the manifest."""
    shape = manifest.architecture
    source = manifest.source
    kind = "decoder" if manifest.embedding is None else "encoder"
    lines = [
        f"# {manifest.name}",
        "",
        f"A {shape.family} {kind}, {shape.layers} layers of width {shape.hidden}, "
        f"{shape.heads} heads ({shape.kv_heads} of keys and values), vocabulary "
        f"{shape.vocabulary:,}, context {shape.context:,} tokens.",
        "",
        f"- Licence of the weights: {manifest.licence}",
        f"- Source: `{source.file}` ({source.format}), {source.kind} `{source.reference}`, "
        f"sha256 `{source.sha256}`",
        f"- Size: {_megabytes(manifest.files)} MB",
        f"- Made with: {', '.join(f'{k} {v}' for k, v in manifest.created_with.items())}",
        *_recipe(manifest),
        "",
        "## Weights",
        "",
        "| tensors | matrices | bits | block | scheme | MB |",
        "|---|---|---|---|---|---|",
        *(_group(group) for group in manifest.quantization),
        "",
        "## Measured loss",
        "",
        *_loss(manifest.evaluation),
        "",
        *(line for graph in manifest.graphs[1:] if graph.quantization for line in _graph(graph)),
        "## Run it",
        "",
        "```sh",
        *_commands(manifest),
        "```",
        "",
    ]
    return "\n".join(lines)


def _commands(manifest: Manifest) -> list[str]:
    if manifest.embedding is not None:
        return [f'edgeward embed {manifest.name} "A text." "Another one."']
    return [
        f'edgeward run {manifest.name} "What is the capital of France?"',
        f"edgeward chat {manifest.name}",
    ]


def _recipe(manifest: Manifest) -> list[str]:
    """How `edgeward quantize` chose the weights' forms."""
    if (recipe := manifest.recipe) is None:
        return []
    exact = sum(form.startswith("=") for form in recipe.formats.values())
    text = f", calibrated on {recipe.calibration}" if recipe.calibration else ""
    return [
        f"- Rounded to {recipe.target} by `{recipe.method}`{text}; {exact} of "
        f"{len(recipe.formats)} matrices are the source's own blocks"
    ]


def _graph(graph: Graph) -> list[str]:
    """A graph with weights of its own."""
    return [
        f"## The {graph.kind} graph",
        "",
        "| tensors | matrices | bits | block | scheme | MB |",
        "|---|---|---|---|---|---|",
        *(_group(group) for group in graph.quantization),
        "",
        *_loss(graph.evaluation),
        "",
    ]


def _group(group: TensorGroup) -> str:
    block = str(group.block) if group.block else "-"
    return (
        f"| {group.tensors} | {group.count} | {group.bits} | {block} | {group.scheme} "
        f"| {group.bytes / 1e6:.1f} |"
    )


def _megabytes(files: dict[str, FileEntry]) -> str:
    return f"{sum(entry.size for entry in files.values()) / 1e6:.1f}"


def _loss(evaluation: Evaluation | None) -> list[str]:
    if evaluation is None:
        return ["Not measured."]
    return [
        f"Against the source's weights in float32, on {evaluation.text}: {evaluation.windows} "
        f"windows of {evaluation.window} tokens, the second half of each scored "
        f"({evaluation.positions} positions).",
        "",
        "| perplexity | of the source | mean KL | p99 KL | same first choice |",
        "|---|---|---|---|---|",
        f"| {evaluation.perplexity:.3f} | {evaluation.reference_perplexity:.3f} "
        f"| {evaluation.mean_kl:.4f} | {evaluation.p99_kl:.4f} "
        f"| {evaluation.top1_agreement:.1%} |",
    ]
