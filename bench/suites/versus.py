"""Ours and others on the same prompts, in turns: A B C, B C A, C A B ... Only ratios count.

Machines drift within minutes, so each round runs all and its ratios are one sample each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import edgeward
from edgeward.errors import OptionError
from edgeward.model import Model

from ..peers import Peer
from ..stats import Summary, summarize
from .model import Setting, check_answer, prompt_ids


@dataclass
class Versus:
    """Figures of all sides and their ratios (above 1: ours is faster)."""

    figures: dict[str, Summary] = field(default_factory=dict)
    same_tokens: float = 0.0
    """Share of greedy tokens that agree with ours before the first difference, over all rounds."""


Side = Callable[[list[int], int], tuple[float, float, list[int]]]
"""Prompt ids and tokens to generate; prefill and decode in tokens a second, and the tokens."""


def run(
    name: str, peers: Sequence[Peer], setting: Setting, progress: Callable[[str, int, int], None]
) -> Versus:
    """Run `setting.repeats` rounds of all after one warm-up."""
    with edgeward.load(name, threads=setting.threads, graph=setting.graph) as model:
        check_answer(model)
        sides: dict[str, Side] = {"edgeward": partial(_ours, model)}
        for peer in peers:
            sides[f"{peer.name} {peer.version}"] = partial(_theirs, peer)
        return _in_turns(model, sides, setting, progress)


def run_graphs(
    name: str, other: str, setting: Setting, progress: Callable[[str, int, int], None]
) -> Versus:
    """The graph of `setting` against the graph `other` of the same pack."""
    with (
        edgeward.load(name, threads=setting.threads, graph=setting.graph) as model,
        edgeward.load(name, threads=setting.threads, graph=other) as second,
    ):
        check_answer(model)
        check_answer(second)
        sides = {model.info.graph_kind: partial(_ours, model), other: partial(_ours, second)}
        if len(sides) == 1:
            raise OptionError(f"--graph {other},{other}: give two different graphs.")
        return _in_turns(model, sides, setting, progress)


def _in_turns(
    model: Model,
    sides: Mapping[str, Side],
    setting: Setting,
    progress: Callable[[str, int, int], None],
) -> Versus:
    """One round: all sides on the same prompt, each round begun by another."""
    names = list(sides)
    rounds: list[dict[str, tuple[float, float, list[int]]]] = []
    for i in range(setting.repeats + 1):
        progress(" against ".join(names), i, setting.repeats + 1)
        ids = prompt_ids(model, setting.prompt, i)
        order = names[i % len(names) :] + names[: i % len(names)]
        found = {name: sides[name](ids, setting.generate) for name in order}
        if i > 0:
            rounds.append(found)
    return _figures(rounds, names, setting.generate)


def _ours(model: Model, ids: list[int], generate: int) -> tuple[float, float, list[int]]:
    reply = model.generate(ids, max_tokens=generate, temperature=0, ignore_eos=True)
    computed = reply.usage.prompt_tokens - reply.usage.cached_tokens
    decode = reply.timing.decode_tokens_per_second or 0.0
    return computed / reply.timing.prefill * 1000, decode, list(reply.token_ids)


def _theirs(peer: Peer, ids: list[int], generate: int) -> tuple[float, float, list[int]]:
    answer = peer.run(ids, generate)
    return (
        len(ids) / answer["prefill_s"],
        (generate - 1) / answer["decode_s"],
        answer["ids"],
    )


def _common(ours: list[int], theirs: list[int]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))


def _figures(
    rounds: list[dict[str, tuple[float, float, list[int]]]], names: list[str], generate: int
) -> Versus:
    figures: dict[str, Summary] = {}
    us, *others = names
    for which, phase in enumerate(("prefill", "decode")):
        speeds = {name: [float(r[name][which]) for r in rounds] for name in names}  # type: ignore[arg-type]
        for name in names:
            figures[f"{phase}, {name}"] = summarize(speeds[name], "tokens/s")
        for them in others:
            ratios = [a / b for a, b in zip(speeds[us], speeds[them], strict=True)]
            figures[f"{phase}, {us} / {them}"] = summarize(ratios, "x")
    agreed = [_common(r[us][2], r[them][2]) / generate for r in rounds for them in others]
    return Versus(figures, sum(agreed) / len(agreed))
